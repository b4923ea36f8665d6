"""The stages that write the browser."""

import pytest

from glasscortex.errors import InputError
from glasscortex.stages.units import units
from tests.browser.site import SESSIONS

pytestmark = pytest.mark.xdist_group("browser")


def test_the_same_dictionary_is_written_alike_twice(site, tmp_path):
    arguments = site.arguments("start")
    units(**arguments | {"data": tmp_path / "again"})

    def content(folder):
        paths = (path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    written = content(arguments["data"])
    assert content(tmp_path / "again") == written
    assert set(written) >= {"fit.js", f"{site.alive[0]}.js", f"sessions/{next(iter(SESSIONS))}.js"}


def test_pictures_that_were_left_out_are_not_shown(site):
    """As in recordings that are published without the films: the place is there, and black."""
    pictures = site.browser / "data/pictures"
    assert [path.name for path in pictures.iterdir()] == ["natural_movie_one.png"]


@pytest.mark.parametrize("checksums", ["manifest", "recorded"])
def test_what_is_not_as_it_was_written_is_refused(site, tmp_path, checksums):
    arguments = site.arguments("start")
    other = {"manifest": arguments["recorded"], "recorded": arguments["manifest"]}
    wrong = {checksums: other[checksums], "data": tmp_path / "none"}
    with pytest.raises(InputError, match=r"store .* in its manifest|is missing"):
        units(**arguments | wrong)
    assert not (tmp_path / "none").exists()
