"""Who and where the recordings of a dandiset are of, read from the heads of its files.

The archive's own metadata tell neither area nor depth, nor which sessions are of one field of view.
A file that is read where it lies does, for about a hundredth of its bytes: so all filters of
`select` hold before anything is downloaded.
"""

import dataclasses
import logging
import multiprocessing
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from glasscortex.data import hdf5
from glasscortex.data.dandi.assets import Archive, Asset
from glasscortex.data.dandi.http import OpenFile
from glasscortex.data.metadata import Metadata
from glasscortex.data.nwb import metadata_of
from glasscortex.errors import InputError

AT_ONCE = 8
"""Heads that are read at the same time, each by a process: HDF5 waits for one read at a time."""
LINE_EVERY_S = 10.0
"""A log gets one line of progress in this time."""

logger = logging.getLogger(__name__)


def recordings(archive: Archive, assets: Sequence[Asset]) -> pd.DataFrame:
    """The recordings among the files of a dandiset.

    Files that are none that can be read, such as raw movies, are left out, with a warning.

    Parameters
    ----------
    archive : Archive
        Where they are.
    assets : sequence of Asset
        The files.

    Returns
    -------
    pandas.DataFrame
        The fields of `Metadata` and of `Asset`, a row a recording, in the order of the files.

    Raises
    ------
    InputError
        The archive does not answer, or no file is a recording.
    """
    found, refused = [], []
    told = time.monotonic()
    with multiprocessing.get_context("fork").Pool(min(AT_ONCE, len(assets))) as pool:
        heads = pool.imap(partial(_head, archive), assets)
        for done, (asset, head) in enumerate(zip(assets, heads, strict=True), 1):
            if isinstance(head, Metadata):
                found.append({**dataclasses.asdict(head), **dataclasses.asdict(asset)})
            else:
                refused.append(f"{asset.path} {head}")
            if time.monotonic() - told > LINE_EVERY_S:
                told = time.monotonic()
                logger.info("the heads of %d of %d files are read", done, len(assets))
    if not found:
        raise InputError(
            f"no file that matches dandi.glob can be read ({refused[0]}): correct dandi.glob"
        )
    if refused:
        logger.warning(
            "%d of %d files are no recordings that can be read, and are left out, such as %s",
            len(refused),
            len(assets),
            refused[0],
        )
    return pd.DataFrame(found)


def _head(archive: Archive, asset: Asset) -> Metadata | str:
    """What the head of a file tells, or why the file is none that can be used, asked twice.

    No checksum says whether the part that arrived is right.
    """
    head = _read(archive, asset)
    return head if isinstance(head, Metadata) else _read(archive, asset)


def _read(archive: Archive, asset: Asset) -> Metadata | str:
    what, name = f"the head of {asset.path}", Path(asset.path)
    with OpenFile(archive.url(asset), asset.bytes, what=what, tries=archive.tries) as file:
        try:
            with hdf5.read_from(file, name) as tree:
                return metadata_of(tree)
        except InputError as error:
            if file.failure:
                raise file.failure from None
            return str(error).rpartition(": ")[0].removeprefix(str(name)).lstrip(": ")
