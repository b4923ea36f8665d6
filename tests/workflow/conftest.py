"""A copy of the project in which the tiny configuration has run to the end, once."""

import shutil

import pytest

from tests.workflow.project import TINY, Project


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """The project after a whole run; tests leave it as they find it."""
    project = Project.copied_to(tmp_path_factory.mktemp("project"))
    project.run(*TINY)
    return project


@pytest.fixture
def copy(finished, tmp_path) -> Project:
    """A copy of the finished project that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Project:
    """The project before any run."""
    return Project.copied_to(tmp_path_factory.mktemp("fresh"))
