"""Recordings of NWB 1.0 turned into NWB 2 give the same stores; see `.ci/check-nwb2`."""

import hashlib
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from glasscortex.config import PreprocessConfig
from glasscortex.data.nwb import read
from glasscortex.data.preprocess import preprocess
from glasscortex.data.store import write_session
from glasscortex.local import files_of
from tests.data.nwb2.written import turned

METHODS = ("stored", "windowed_median")


def turn(folder: Path, sources: list[Path]) -> None:
    for source in sources:
        place = folder / source.stem
        place.mkdir()
        (place / "1.nwb").symlink_to(source.resolve())
        turned(source, place / "2.nwb", images_as_intervals=True)


def store(path: Path, dff: str) -> dict[str, str]:
    """SHA-256 of each file of the store of a recording."""
    target = path.with_name("store.zarr")
    shutil.rmtree(target, ignore_errors=True)
    recording = read(path)
    write_session(
        target,
        attributes={name: str(value) for name, value in asdict(recording.metadata).items()},
        blocks=(block.traces for block in preprocess(recording, PreprocessConfig(dff=dff))),
        time=recording.time,
        behaviour=recording.behaviour,
        stimuli=recording.stimuli,
    )
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest()
        for name, file in files_of(target).items()
    }


def compare(folder: Path) -> bool:
    all_equal = True
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        for dff in METHODS:
            one = store(place / "1.nwb", dff)
            for name in ("2.nwb", "3.nwb.zarr"):
                other = store(place / name, dff)
                differing = sorted(k for k in one | other if one.get(k) != other.get(k))
                said = (
                    f"differs in {', '.join(differing)}" if differing else f"{len(one)} equal files"
                )
                print(f"{place.name} {dff} {name}: {said}", flush=True)
                all_equal &= not differing
    return all_equal


if __name__ == "__main__":
    command, folder, *files = sys.argv[1:]
    if command == "turn":
        turn(Path(folder), [Path(file) for file in files])
    elif not compare(Path(folder)):
        sys.exit("the stores differ")
