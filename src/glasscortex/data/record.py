"""The record of a raw file: what it is, so that nobody has to trust its name or its date.

Every source of recordings leaves `<session>.json` beside `<session>.nwb`.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from glasscortex.errors import InputError
from glasscortex.files import atomic_write
from glasscortex.local import files_of, recording_sha256, zarr_of


@dataclass(frozen=True)
class Record:
    """A raw file's session, SHA-256, size in bytes, and where it came from."""

    session_id: str
    sha256: str
    bytes: int
    source: str

    @classmethod
    def of(cls, path: Path, *, session_id: str, source: str) -> "Record":
        """The record of the file or Zarr folder as it is now."""
        return cls(session_id, recording_sha256(path), _bytes(path), source)

    @classmethod
    def read(cls, path: Path) -> "Record":
        """The record that `write` left.

        Raises
        ------
        InputError
            There is none, or it is no record.
        """
        try:
            return cls(**json.loads(Path(path).read_text()))
        except (OSError, ValueError, TypeError):
            raise InputError(
                f"{path} is no record of a raw file: remove it, then run the same command again"
            ) from None

    def write(self, path: Path) -> None:
        """Put the record at `path`, whole."""
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    def describes(self, path: Path) -> bool:
        """Whether the file or Zarr folder is there and has the recorded bytes."""
        there = Path(path).is_file() or zarr_of(path) is not None
        return there and _bytes(path) == self.bytes and recording_sha256(path) == self.sha256


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in files_of(path).values())
