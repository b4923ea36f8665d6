"""A dandiset of simulated sessions in NWB 2, laid out as the Allen's set on DANDI (000728).

    python -m tests.dandi.worlds FOLDER

Each session has its recording and, as there, a file of the raw movie, which holds no traces.
"""

import sys
import tempfile
from pathlib import Path

import h5py

from glasscortex.config import SimulateConfig
from glasscortex.data import synthetic
from glasscortex.data.synthetic import simulate, write_nwb
from tests.data.nwb2.written import turned

DANDISET, VERSION = "000728", "0.240827.1809"
RECORDINGS = "*_behavior+image+ophys.nwb"

SMALL = SimulateConfig(
    cre_lines=("Cux2-CreERT2", "Vip-IRES-Cre"),
    mice_per_line=1,
    sessions={"three_session_A": 1},
    cells=6,
    length=0.1,
    without=("natural_movie_one", "natural_movie_two", "natural_movie_three"),
)


def write(folder: Path, config: SimulateConfig = SMALL) -> dict[str, Path]:
    """Simulate the sessions and write what the archive holds; the files of the sessions."""
    version, found = folder / DANDISET / VERSION, {}
    for who in synthetic.sessions(config).itertuples():
        stimuli = who.session_type.removeprefix("three_session_")
        name = f"sub-{who.mouse}/sub-{who.mouse}_ses-{who.session_id}-Stim{stimuli}"
        recording, movie = (
            version / f"{name}_{end}.nwb" for end in ("behavior+image+ophys", "ophys")
        )
        recording.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch, f"{who.session_id}.nwb")
            write_nwb(source, simulate(who.session_id, config)[0])
            turned(source, recording)
        _write_movie(recording, movie)
        found[who.session_id] = recording
    return found


def _write_movie(recording: Path, movie: Path) -> None:
    with h5py.File(recording) as source, h5py.File(movie, "w") as target:
        target.attrs["nwb_version"] = source.attrs["nwb_version"]
        source.copy("general", target)
        target["acquisition/TwoPhotonSeries/data"] = [[[0]]]


if __name__ == "__main__":
    write(Path(sys.argv[1]))
