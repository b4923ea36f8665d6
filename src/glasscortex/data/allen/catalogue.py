"""The sessions of the Allen Brain Observatory, from the two tables that it publishes.

`ophys_experiments.json` and `experiment_containers.json` are rows as the web service gives them and
as AllenSDK's cache and the public bucket keep them; an experiment is what is called a session
here. Reading them needs no network.
"""

import json
import logging
from datetime import datetime
from pathlib import Path

import pandas as pd

from glasscortex.data.metadata import SEXES, UNKNOWN
from glasscortex.errors import InputError
from glasscortex.words import SESSION_STIMULI

logger = logging.getLogger(__name__)


def sessions(experiments: list[dict], containers: list[dict]) -> pd.DataFrame:
    """The sessions of containers that passed the Allen Institute's quality control.

    Experiments of other projects, which show none of our session types, are left out.

    Parameters
    ----------
    experiments : list of dict
        Rows of `ophys_experiments.json`.
    containers : list of dict
        Rows of `experiment_containers.json`.

    Returns
    -------
    pandas.DataFrame
        session_id, container_id, mouse (the donor), cre_line, area, depth_um, session_type, sex,
        age_days (at the recording), source ("allen") and eye_tracking, in the order of session_id.

    Raises
    ------
    InputError
        A row is incomplete, or no session is left.
    """
    failed = {row["id"] for row in containers if row.get("failed")}
    passed = []
    for row in experiments:
        if row.get("stimulus_name") not in SESSION_STIMULI:
            continue
        try:
            if row["experiment_container_id"] in failed or row["experiment_container"]["failed"]:
                continue
            passed.append(_session(row))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"ophys_experiments.json: experiment {row['id']} is incomplete "
                f"({type(error).__name__}: {error}): remove the file, then run the same command "
                "again"
            ) from None
    if not passed:
        raise InputError(
            "ophys_experiments.json has no session of Visual Coding: remove the file, check "
            "allen.base_uri"
        )
    table = pd.DataFrame(passed).sort_values("session_id", ignore_index=True)
    logger.info("%d sessions passed the Allen Institute's quality control", len(table))
    return table


def rows(path: Path) -> list[dict]:
    """The rows of one of the two tables.

    Parameters
    ----------
    path : Path
        JSON file.

    Returns
    -------
    list of dict
        At least one row; each has an id.

    Raises
    ------
    InputError
        The file is not a JSON list of rows with ids, or it is empty.
    """
    try:
        table = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not JSON ({error}): fetch it again") from None
    if not isinstance(table, list) or not table:
        raise InputError(f"{path} holds no rows: fetch it again")
    if not all(isinstance(row, dict) and "id" in row for row in table):
        raise InputError(f"{path} has a row without id: fetch it again")
    return table


def _session(row: dict) -> dict:
    donor = row["specimen"]["donor"]
    lines = (
        line["name"]
        for line in donor["transgenic_lines"]
        if line["transgenic_line_type_name"] == "driver" and "Cre" in line["name"]
    )
    depth = row["imaging_depth"]
    return {
        "session_id": str(row["id"]),
        "container_id": str(row["experiment_container_id"]),
        "mouse": str(donor["external_donor_name"]),
        "cre_line": next(lines, UNKNOWN),
        "area": row["targeted_structure"]["acronym"],
        "depth_um": float("nan") if depth is None else float(depth),
        "session_type": row["stimulus_name"],
        "sex": SEXES.get(str(donor.get("sex")).lower(), UNKNOWN),
        "age_days": _age_days(row, donor),
        "source": "allen",
        "eye_tracking": row.get("fail_eye_tracking") is False,
    }


def _age_days(row: dict, donor: dict) -> float:
    """Days from birth to the recording; where a date is missing, the donor's own age."""
    if row.get("date_of_acquisition") and donor.get("date_of_birth"):
        recorded, born = (
            datetime.fromisoformat(text)
            for text in (row["date_of_acquisition"], donor["date_of_birth"])
        )
        return float((recorded - born).days)
    days = (donor.get("age") or {}).get("days")
    return float("nan") if days is None else float(days)
