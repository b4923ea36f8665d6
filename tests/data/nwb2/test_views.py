"""What a recording of NWB 2 holds to look at."""

import numpy as np

from glasscortex.data.views import read_masks, read_pictures, shown_pictures
from tests.data.edits import both as all_of
from tests.data.nwb2.edits import TABLE

TEMPLATE = "stimulus/templates/natural_scenes_template"


def test_masks_from_lists_of_pixels(nwb2, zarr2):
    for path in (nwb2(), zarr2()):
        masks = dict(read_masks(path))
        assert list(masks) == [500, 501, 502, 503, 504]
        for number, mask in enumerate(masks.values()):
            assert mask.shape == (5, 5)
            assert np.argwhere(mask).tolist() == [[number, number]]


def test_masks_from_images(nwb2):
    images = np.zeros((5, 3, 4), np.float32)
    images[:, 1, 2] = 0.5
    path = nwb2(lambda file: file[TABLE].create_dataset("image_mask", data=images))
    assert all((mask == (images[0] > 0)).all() for _, mask in read_masks(path))


def test_pictures_are_in_the_order_of_their_numbers(nwb2):
    def image(number):
        values = np.full((2, 5), number, np.uint8)
        return lambda file: file.create_dataset(f"{TEMPLATE}/NaturalScene{number}", data=values)

    path = nwb2(all_of(*(image(number) for number in range(12))))
    assert shown_pictures(path)["natural_scenes"] == 12
    pictures = list(read_pictures(path, "natural_scenes", [10, 2]))
    assert [picture.mean() for picture in pictures] == [10, 2]


def test_pictures_of_a_stack(nwb2):
    stack = np.arange(3)[:, None, None] * np.ones((3, 2, 5))
    key = "stimulus/templates/natural_movie_two/data"
    path = nwb2(lambda file: file.create_dataset(key, data=stack))
    assert shown_pictures(path)["natural_movie_two"] == 3
    assert next(read_pictures(path, "natural_movie_two", [2])).mean() == 2
