"""Where results can lie: in a folder that can be written, which all jobs see."""

import os
from pathlib import Path
from typing import Any

from glasscortex.errors import InputError


def check_place(results: Path, storage: Any, *, dry_run: bool = False) -> None:
    """See that results can be written, before Snakemake fails in words of its own.

    Parameters
    ----------
    results : Path
        Their folder.
    storage : snakemake.settings.types.StorageSettings
        Where Snakemake is told to keep the files of rules.
    dry_run : bool
        Whether nothing will be written.

    Raises
    ------
    InputError
        They cannot, or Snakemake would keep them in a storage.
    """
    if storage.default_storage_provider:
        raise InputError(
            f"--default-storage-provider {storage.default_storage_provider}: checksums and records "
            "lie beside the files that rules name, and would be lost there: leave it out, give "
            "results in a folder that all jobs see, and copy it when the run has ended"
        )
    there = next(folder for folder in (results, *results.absolute().parents) if folder.exists())
    if not dry_run and not os.access(there, os.W_OK | os.X_OK):
        raise InputError(
            f"results: {there} cannot be written: change its permissions, or give results on "
            "another disk"
        )
