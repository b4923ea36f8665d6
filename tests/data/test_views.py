"""What a recording holds to look at."""

import h5py
import numpy as np
import pytest

from glasscortex.data.nwb1.layout import PLANE, SEGMENTATION, TEMPLATES
from glasscortex.data.views import read_masks, read_pictures, shown_pictures
from glasscortex.errors import InputError


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "1.nwb"
    with h5py.File(path, "w") as file:
        file[f"{SEGMENTATION}/cell_specimen_ids"] = np.array([30, 10])
        file[f"{PLANE}/roi_list"] = np.array(["roi_1", "roi_0"], dtype="S")
        file[f"{PLANE}/roi_0/img_mask"] = np.eye(4, dtype=np.uint8)
        file[f"{PLANE}/roi_1/img_mask"] = 1 - np.eye(4, dtype=np.uint8)
        scenes = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((3, 2, 5), np.uint8)
        file[f"{TEMPLATES}/natural_scenes_image_stack/data"] = scenes
    return path


def test_masks_come_in_the_order_of_the_cells(recording):
    masks = dict(read_masks(recording))
    assert list(masks) == [30, 10]
    assert (masks[10] == np.eye(4, dtype=bool)).all()
    assert (masks[30] == ~np.eye(4, dtype=bool)).all()


def test_a_recording_without_masks_or_pictures_has_none(nwb):
    assert list(read_masks(nwb())) == []
    assert shown_pictures(nwb()) == {}


def test_masks_that_are_not_one_a_cell_are_refused(recording):
    with h5py.File(recording, "a") as file:
        del file[f"{SEGMENTATION}/cell_specimen_ids"]
        file[f"{SEGMENTATION}/cell_specimen_ids"] = np.array([30])
    with pytest.raises(InputError, match=r"roi_list does not name 1 cells: mend"):
        list(read_masks(recording))


def test_pictures_are_read_one_by_one(recording):
    assert shown_pictures(recording) == {"natural_scenes": 3}
    pictures = list(read_pictures(recording, "natural_scenes", [2, 0]))
    assert [picture.shape for picture in pictures] == [(2, 5), (2, 5)]
    assert [picture.mean() for picture in pictures] == [2, 0]
