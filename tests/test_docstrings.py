"""Examples in docstrings run as they say."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import glasscortex

MODULES = [
    module.name
    for module in pkgutil.walk_packages(glasscortex.__path__, "glasscortex.")
    if module.name not in ("glasscortex.__main__", "glasscortex.data.dff.events")
]
"""Of the modules left out, one runs the command line, one needs a package that is optional."""


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    assert doctest.testmod(import_module(name)).failed == 0
