"""Tuning curves and their distribution over lines and mice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.data.synthetic.cells import LINES, PARAMETERS, draw
from glasscortex.data.synthetic.filters import FilterBank
from glasscortex.data.synthetic.images import MOVIE_SHAPE, templates
from glasscortex.data.synthetic.responses import (
    direction_tuning,
    gratings_drive,
    orientation_tuning,
)

ANGLES = st.floats(0, 359.9)


def one_cell(**values):
    cell = {
        "preferred_direction_deg": 90.0,
        "orientation_kappa": 2.0,
        "direction_index": 0.5,
        "temporal_frequency_hz": 4.0,
        "temporal_octaves": 1.0,
        "spatial_frequency_cpd": 0.04,
        "spatial_octaves": 1.0,
        "grating_hz": 6.0,
        "simplicity": 1.0,
        "preferred_phase": 0.25,
        "receptive_field_x": 0.5,
        "receptive_field_y": 0.5,
        **values,
    }
    return {name: np.array([value]) for name, value in cell.items()}


@given(preferred=ANGLES, index=st.floats(0, 0.95), kappa=st.floats(0.1, 8))
def test_direction_index_is_what_the_responses_give(preferred, index, kappa):
    cell = one_cell(
        preferred_direction_deg=preferred, direction_index=index, orientation_kappa=kappa
    )
    angles = np.arange(360.0) + preferred
    tuning = direction_tuning(cell, angles)[0]
    assert tuning[0] == pytest.approx(1)
    assert tuning.argmax() == 0
    assert (tuning[0] - tuning[180]) / (tuning[0] + tuning[180]) == pytest.approx(index)


@given(preferred=ANGLES, orientation=ANGLES)
def test_orientation_tuning_is_the_same_after_half_a_turn(preferred, orientation):
    cell = one_cell(preferred_direction_deg=preferred)
    there, back = orientation_tuning(cell, np.array([orientation, orientation + 180]))[0]
    assert there == pytest.approx(back)


def test_drifting_gratings_drive_a_cell_most_at_its_preferences():
    frequency, direction = np.meshgrid([1, 2, 4, 8, 15.0], np.arange(0, 360, 45.0))
    columns = {"temporal_frequency": frequency.ravel(), "orientation": direction.ravel()}
    drive = gratings_drive(one_cell(), columns)[0]
    assert drive.max() == pytest.approx(6)
    assert columns["temporal_frequency"][drive.argmax()] == 4
    assert columns["orientation"][drive.argmax()] == 90


def test_static_gratings_drive_simple_cells_by_phase_and_complex_ones_not():
    columns = {
        "orientation": np.full(4, 90.0),
        "spatial_frequency": np.full(4, 0.04),
        "phase": np.array([0, 0.25, 0.5, 0.75]),
    }
    np.testing.assert_allclose(gratings_drive(one_cell(), columns), [[6, 12, 6, 0]], atol=1e-12)
    np.testing.assert_allclose(gratings_drive(one_cell(simplicity=0.0), columns), [[6] * 4])


def test_blanks_do_not_drive():
    columns = {"temporal_frequency": np.array([np.nan]), "orientation": np.array([np.nan])}
    assert gratings_drive(one_cell(), columns) == 0


def test_filters_prefer_pictures_of_their_own_grating():
    """The orientation that a cell prefers in gratings is the one that it prefers in pictures."""
    height, width = MOVIE_SHAPE
    y, x = np.mgrid[:height, :width] * 1.6
    pictures = []
    for degrees in range(0, 180, 30):
        along = np.cos(np.deg2rad(degrees)) * x + np.sin(np.deg2rad(degrees)) * y
        pictures.append(127 + 100 * np.cos(2 * np.pi * 0.04 * along))
    for preferred in (0, 60, 120):
        cell = one_cell(preferred_direction_deg=float(preferred), simplicity=0.0)
        output = FilterBank(cell).output(np.array(pictures).astype(np.uint8))[0]
        assert output.argmax() == preferred // 30


def test_filters_see_scenes_as_standard():
    cells = draw("Cux2-CreERT2", 10, np.random.default_rng(0))
    cells["simplicity"][:] = 1
    output = FilterBank(cells).output(templates("natural_scenes"))
    np.testing.assert_allclose(output.mean(1), 0, atol=1e-2)
    np.testing.assert_allclose(output.std(1), 1, atol=1e-2)


def test_mice_of_one_line_differ_more_than_their_cells_explain():
    """One-way analysis of variance: with nested mice F is far above 1, without them it is not."""
    from scipy.stats import f_oneway

    mice = [draw("Cux2-CreERT2", 200, np.random.default_rng(i)) for i in range(12)]
    for name in ("orientation_kappa", "baseline_hz", "shared_gain"):
        assert f_oneway(*(np.log(np.abs(m[name])) for m in mice)).pvalue < 1e-6
    assert f_oneway(*(m["preferred_phase"] for m in mice)).pvalue > 1e-3


@pytest.mark.parametrize("name", ["baseline_hz", "running_gain", "neuropil_r", "direction_index"])
def test_spread_of_mice_is_the_documented_one(name):
    inverse = {"baseline_hz": np.log, "direction_index": lambda x: np.log(x / (1 - x))}
    scale = inverse.get(name, np.positive)
    means = [
        scale(draw("Rorb-IRES2-Cre", 300, np.random.default_rng(i))[name]).mean()
        for i in range(400)
    ]
    parameter = PARAMETERS[name]
    expected = np.hypot(parameter.mouse_sd, parameter.cell_sd / np.sqrt(300))
    assert np.std(means) == pytest.approx(expected, rel=0.15)


def test_lines_differ_as_reported():
    lines = {
        line: draw(line, 3000, np.random.default_rng(1))
        for line in ("Cux2-CreERT2", "Sst-IRES-Cre", "Vip-IRES-Cre", "Pvalb-IRES-Cre")
    }
    cux, sst, vip, pvalb = lines.values()
    assert vip["running_gain"].mean() > cux["running_gain"].mean()
    assert np.median(vip["grating_suppression"]) > 3 * np.median(cux["grating_suppression"])
    assert np.mean(sst["grating_hz"] > 0) > np.mean(cux["grating_hz"] > 0)
    assert np.median(sst["private_gain"]) < np.median(cux["private_gain"])
    assert np.median(pvalb["orientation_kappa"]) < np.median(cux["orientation_kappa"])


@pytest.mark.parametrize("line", LINES)
def test_cells_of_every_line_have_finite_parameters_of_one_length(line):
    cells = draw(line, 40, np.random.default_rng(0))
    assert len({values.shape for values in cells.values()}) == 1
    assert all(np.isfinite(values).all() for values in cells.values())
    assert set(LINES[line].shifts) <= set(PARAMETERS)
