"""One site for all tests of the browser, and Chromium where there is one."""

from collections.abc import Iterator

import pytest

from benchmarks.chromium import Chromium, executable
from tests.browser.site import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Site:
    """The browser of a small world; tests leave it as they find it."""
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def shared_chromium() -> Iterator[Chromium]:
    if executable() is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with Chromium() as chromium:
        yield chromium


@pytest.fixture
def chromium(shared_chromium) -> Iterator[Chromium]:
    """A page that has said nothing yet, and has said nothing when the test ends."""
    shared_chromium.said.clear()
    yield shared_chromium
    assert shared_chromium.said == []
