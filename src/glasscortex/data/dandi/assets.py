"""Which files a version of a dandiset has, and by which checksums they are known."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from uuid import UUID

import requests
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from glasscortex.config import DandiConfig
from glasscortex.data.dandi.http import answered
from glasscortex.data.patience import Failed, Tries, patiently
from glasscortex.data.record import Record
from glasscortex.errors import InputError

DANDI = "https://api.dandiarchive.org/api"
PAGE = 200
"""Assets in one answer."""

ETAG_PART_BYTES = 64 * 2**20
ETAG_MOST_PARTS = 10_000
"""How the archive cuts a file for the checksum that it calls dandi-etag."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Archive:
    """The API of an archive, and patience with it.

    Attributes
    ----------
    api : its address
    tries : how often and how patiently it is asked
    """

    api: str
    tries: Tries

    @classmethod
    def of(cls, config: DandiConfig) -> "Archive":
        """The archive that the configuration names: DANDI's own, or another."""
        return cls((config.base_uri or DANDI).rstrip("/"), Tries.of("dandi", config.model_dump()))

    def url(self, asset: "Asset") -> str:
        """Where a file is fetched from."""
        return f"{self.api}/assets/{asset.asset_id}/download/"


@dataclass(frozen=True)
class Asset:
    """A file of a dandiset, as the archive describes it.

    Attributes
    ----------
    path : in the dandiset
    asset_id : by which the archive knows it
    bytes : its length
    sha256, etag : its checksums, in hexadecimal; "" where the archive has not computed it
    """

    path: str
    asset_id: str
    bytes: int
    sha256: str
    etag: str

    def whole(self, path: Path, source: str, *, session_id: str) -> Record:
        """The record of a file, once it is known to have the archive's bytes.

        Parameters
        ----------
        path : Path
            The file.
        source, session_id : str
            For the record.

        Raises
        ------
        InputError
            It has other bytes.
        """
        record = Record.of(path, session_id=session_id, source=source)
        known = record.sha256 == self.sha256 if self.sha256 else etag_of(path) == self.etag
        if record.bytes != self.bytes or not known:
            raise InputError(f"{path} has other bytes than the archive says: download it again")
        return record

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> "Asset":
        """The asset in a row of the table of recordings.

        Raises
        ------
        InputError
            The row lacks a column, or its length is no number.
        """
        try:
            values: dict[str, Any] = {field.name: row[field.name] for field in fields(cls)}
            values["bytes"] = int(values["bytes"])
        except (KeyError, ValueError) as error:
            raise InputError(
                f"a row of recordings.csv cannot be used ({error}): remove recordings.csv, then "
                "run the same command again"
            ) from None
        return cls(**values)


def etag_of(path: Path) -> str:
    """The checksum of a file that the archive calls dandi-etag.

    MD5 of the MD5 of its parts, and how many these are, as S3 has it; parts are of 64 MiB, or
    10,000 where there would be more.

    Parameters
    ----------
    path : Path
        The file.
    """
    size = path.stat().st_size
    part = ETAG_PART_BYTES
    if -(-size // part) >= ETAG_MOST_PARTS:
        part = -(-size // ETAG_MOST_PARTS)
    digests = []
    with open(path, "rb") as file:
        while content := file.read(part):
            digests.append(hashlib.md5(content, usedforsecurity=False).digest())
    whole = hashlib.md5(b"".join(digests), usedforsecurity=False)
    return f"{whole.hexdigest()}-{len(digests)}"


def assets(archive: Archive, dandiset: str, version: str, glob: str) -> list[Asset]:
    """The files of a version whose paths match a pattern, in order of their paths.

    Parameters
    ----------
    archive : Archive
        Where it is.
    dandiset, version : str
        Such as "000728" and "0.240827.1809".
    glob : str
        Pattern; `*` stands for any letters, slashes among them, capitals differ from small ones.

    Raises
    ------
    InputError
        The archive does not answer, what it answers is not what its API promises, or no file
        matches.
    """
    listed = _listed(archive, dandiset, version)
    rows = [row for row in listed if fnmatchcase(row.path, glob)]
    if not rows:
        such = f", such as {listed[0].path}" if listed else ""
        raise InputError(
            f"none of the {len(listed)} assets of dandiset {dandiset}/{version}{such} matches "
            f"{glob}: correct dandi.glob"
        )
    zarr = [row.path for row in rows if row.is_zarr]
    if zarr:
        raise InputError(
            f"{len(zarr)} of the assets that match {glob} are Zarr folders, such as {zarr[0]}, "
            "which source dandi does not download: fetch them with `dandi download` and use "
            "source=local, or narrow dandi.glob"
        )
    found = [row.asset() for row in rows]
    logger.info(
        "%d of %d assets of dandiset %s/%s match %s: %.1f GB",
        *(len(found), len(listed), dandiset, version, glob),
        sum(asset.bytes for asset in found) / 1e9,
    )
    return found


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or not path.isprintable():
        raise ValueError("is no path inside of a dandiset")
    return path


class _Digest(BaseModel):
    sha256: str = Field("", alias="dandi:sha2-256", pattern="^([0-9a-f]{64})?$")
    etag: str = Field("", alias="dandi:dandi-etag", pattern=r"^([0-9a-f]{32}-\d+)?$")


class _Metadata(BaseModel):
    digest: _Digest = _Digest()


class _Row(BaseModel):
    """An asset as the API lists it."""

    asset_id: UUID
    path: Annotated[str, AfterValidator(_inside)]
    size: int = Field(ge=0)
    zarr: UUID | None = None
    metadata: _Metadata

    @property
    def is_zarr(self) -> bool:
        return self.zarr is not None or self.path.endswith(".zarr")

    def asset(self) -> Asset:
        digest = self.metadata.digest
        if not (digest.sha256 or digest.etag):
            raise InputError(
                f"the archive has no checksum of {self.path} yet: wait until it has, or take "
                "another dandi.version"
            )
        return Asset(self.path, str(self.asset_id), self.size, digest.sha256, digest.etag)


class _Page(BaseModel):
    """An answer of the API; all pages together have `count` assets."""

    count: int | None
    next: str | None
    results: list[_Row]


def _listed(archive: Archive, dandiset: str, version: str) -> list[_Row]:
    what = f"the list of assets of dandiset {dandiset}/{version}"
    url = f"{archive.api}/dandisets/{dandiset}/versions/{version}/assets/"
    rows: list[_Row] = []
    promised, following = 0, f"{url}?metadata=true&order=path&page_size={PAGE}"
    while following and len(rows) <= promised:
        page = patiently(partial(_page, following, archive.tries), what=what, tries=archive.tries)
        promised, following = promised or page.count or 0, page.next or ""
        rows += page.results
    distinct = len({row.path for row in rows})
    if following or not promised == len(rows) == distinct:
        raise InputError(
            f"{what}: {url} promised {promised} and gave {len(rows)}, {distinct} of them "
            "different: it may have changed meanwhile, run the same command again"
        )
    return sorted(rows, key=lambda row: row.path)


def _page(url: str, tries: Tries) -> _Page:
    try:
        with answered(url, stall_s=tries.stall_s) as answer:
            return _Page.model_validate_json(answer.content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        failure = Failed(f"what arrived is no list of assets ({where}: {fault['msg']})")
    except (requests.RequestException, OSError) as error:
        failure = Failed.by(error)
    failure.url = url.partition("?")[0]
    raise failure from None
