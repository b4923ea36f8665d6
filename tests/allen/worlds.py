"""Two containers of simulated sessions, under genuine ids, in the layout of the public bucket.

    python tests/allen/worlds.py FOLDER

The ids are those of `workflow/configs/allen_pilot.yaml`, so that it runs unchanged against
`server.py`; everything else is simulated.
"""

import json
import sys
from pathlib import Path

import h5py
import numpy as np

from glasscortex.config import SimulateConfig
from glasscortex.data import synthetic
from glasscortex.data.metadata import Metadata
from glasscortex.data.nwb import read_metadata
from glasscortex.data.nwb1.layout import PIPELINE
from glasscortex.stages.simulate import simulate

CONTAINERS = {
    "511510736": {"501704220": 610491667, "501559087": 610491632, "501474098": 610491590},
    "511511001": {"506540916": 610492542, "506278598": 610492479, "505811062": 610492430},
}
"""Sessions A, B and C of each container, with the ids that eye tracking goes by."""
PLACES = {"511510736": ("VISp", "222426"), "511511001": ("VISpm", "228786")}
"""Area and mouse of each container."""
FAILED = ("511510000", "500000001")
"""A container that failed quality control, and its session, which has no file."""

SMALL = SimulateConfig(
    cre_lines=("Cux2-CreERT2", "Rorb-IRES2-Cre"),
    mice_per_line=1,
    sessions=dict.fromkeys(("three_session_A", "three_session_B", "three_session_C"), 1),
    cells=6,
    length=0.1,
    without=("natural_movie_one", "natural_movie_two", "natural_movie_three"),
)
"""Six files of about a megabyte."""


def write(folder: Path, config: SimulateConfig = SMALL) -> list[str]:
    """Simulate the sessions and write what the bucket holds; the ids of the sessions."""
    experiments = []
    table = synthetic.sessions(config).groupby("container_id", sort=False)
    for (container, sessions), (_, simulated) in zip(CONTAINERS.items(), table, strict=True):
        for session, row in zip(sessions, simulated.itertuples(), strict=True):
            nwb = folder / f"ophys_experiment_data/{session}.nwb"
            simulate(
                session=row.session_id,
                nwb=nwb,
                truth=folder / f"truth/{session}.h5",
                record=folder / f"truth/{session}.json",
                config=config,
            )
            _rename(nwb, session, container)
            experiments.append(_experiment(read_metadata(nwb)))
    failed = {**experiments[0], "id": int(FAILED[1]), "experiment_container_id": int(FAILED[0])}
    failed["experiment_container"] = {"id": int(FAILED[0]), "failed": True}
    tables = {
        "ophys_experiments": [*experiments, failed],
        "experiment_containers": [_container(row) for row in (*experiments[::3], failed)],
        "eye_mapping_files": [
            {"attachable_id": number, "attachable_type": "OphysSession"}
            for sessions in CONTAINERS.values()
            for number in list(sessions.values())[:2]
        ],
    }
    for name, rows in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, indent=2))
    return [str(row["id"]) for row in experiments]


def _rename(nwb: Path, session: str, container: str) -> None:
    area, mouse = PLACES[container]
    with h5py.File(nwb, "a") as file:
        cells = f"{PIPELINE}/ImageSegmentation/cell_specimen_ids"
        line = file["general/specimen_name"][()].decode().rpartition("-")[0]
        for key, value in {
            "general/session_id": np.bytes_(session),
            "general/ophys_experiment_id": np.bytes_(session),
            "general/experiment_container_id": np.bytes_(container),
            "general/specimen_name": np.bytes_(f"{line};Camk2a-tTA;Ai93-{mouse}"),
            "general/subject/subject_id": np.bytes_(mouse),
            "general/targeted_structure": np.bytes_(area),
            "general/optophysiology/imaging_plane_1/location": np.bytes_(area),
            cells: 1000 * int(container) + np.arange(len(file[cells])),
        }.items():
            del file[key]
            file[key] = value


def _experiment(who: Metadata) -> dict:
    """A row as the service gives it; its specimen is a mouse of 103 days."""
    container, driver = int(who.container_id), who.cre_line
    lines = {driver: "driver", "Camk2a-tTA": "driver", "Ai93(TITL-GCaMP6f)": "reporter"}
    return {
        "id": int(who.session_id),
        "date_of_acquisition": "2016-04-01T09:12:03Z",
        "experiment_container": {"id": container, "failed": False},
        "experiment_container_id": container,
        "imaging_depth": int(who.depth_um),
        "fail_eye_tracking": False,  # out of date: AllenSDK asks for eye_mapping_files instead
        "stimulus_name": who.session_type,
        "targeted_structure": {"acronym": who.area, "id": 1, "name": who.area},
        "specimen": {
            "id": container + 1,
            "name": who.mouse,
            "donor": {
                "age": {"days": 103, "name": "P103"},
                "conditions": [],
                "date_of_birth": "2015-12-20T00:00:00Z",
                "external_donor_name": who.mouse.rpartition("-")[2],
                "sex": "M",
                "transgenic_lines": [
                    {"name": name, "transgenic_line_type_name": kind}
                    for name, kind in lines.items()
                ],
            },
        },
        "well_known_files": [],
    }


def _container(experiment: dict) -> dict:
    shared = ("imaging_depth", "specimen", "targeted_structure")
    return {**{key: experiment[key] for key in shared}, **experiment["experiment_container"]}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
