"""Where results cannot lie."""

import os

import pytest
from snakemake.settings.types import StorageSettings

from glasscortex.errors import InputError
from glasscortex.run.place import check_place


@pytest.mark.parametrize("name", ["results", "results/new/deeper"])
def test_results_that_cannot_be_written(tmp_path, monkeypatch, name):
    check_place(tmp_path / name, StorageSettings())
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(os, "access", lambda path, how: path != tmp_path / "results")
    with pytest.raises(InputError, match=r"results cannot be written: change its permissions"):
        check_place(tmp_path / name, StorageSettings())
    check_place(tmp_path / name, StorageSettings(), dry_run=True)


def test_a_storage_that_would_lose_what_lies_beside_the_files(tmp_path):
    with pytest.raises(InputError, match=r"--default-storage-provider s3: .* leave it out"):
        check_place(tmp_path, StorageSettings(default_storage_provider="s3"), dry_run=True)
