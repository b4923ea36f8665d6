"""Masks as runs of pixels, and pictures on a sheet."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from glasscortex.browser.planes import COLUMNS, HEIGHT, plane, runs, sheet, thumbnail


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)))
def test_runs_say_every_pixel_of_a_mask(mask):
    drawn = np.zeros_like(mask)
    for row, first, last in np.reshape(runs(mask), (-1, 3)):
        assert not drawn[row, first:last].any()
        drawn[row, first:last] = True
    assert (drawn == mask).all()


def test_a_plane_names_its_cells_as_tables_do():
    found = plane("600", [(7, np.eye(3, 4, dtype=bool))])
    assert found == {
        "height": 3,
        "width": 4,
        "cells": ["600/7"],
        "runs": [[0, 0, 1, 1, 1, 2, 2, 2, 3]],
    }
    assert plane("600", []) is None


@given(st.integers(1, 3 * HEIGHT), st.integers(1, 50))
def test_a_thumbnail_is_small_and_as_bright_as_its_picture(height, width):
    small = thumbnail(np.full((height, width * max(1, height // HEIGHT)), 200.0, np.float32))
    assert small.shape[0] < 2 * HEIGHT
    assert (small == 200).all()


@given(st.integers(1, 30))
def test_pictures_lie_row_by_row(number):
    pictures = [np.full((4, 6), float(i), np.float32) for i in range(number)]
    image, about = sheet(pictures)
    assert about == {"width": 6, "height": 4, "columns": COLUMNS, "number": number}
    for i in range(number):
        row, column = divmod(i, COLUMNS)
        assert (image[4 * row : 4 * row + 4, 6 * column : 6 * column + 6] == i).all()
