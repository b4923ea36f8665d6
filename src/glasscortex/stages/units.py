"""Write what the browser shows of the units of one dictionary."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch

from glasscortex.analysis import profiles
from glasscortex.analysis.by_session import above_others
from glasscortex.analysis.descriptions import describe
from glasscortex.analysis.driving import by_time, driving
from glasscortex.analysis.examples import cell_traces, examples
from glasscortex.analysis.hypotheses import shared_stimulus
from glasscortex.analysis.neighbours import neighbours
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.removal import atoms
from glasscortex.analysis.timecourses import timecourses
from glasscortex.analysis.tuning import tuning
from glasscortex.browser.pages import best_units, pages
from glasscortex.browser.scripts import script
from glasscortex.browser.table import COSTS, costs, overview, removed_sets, verdicts
from glasscortex.config import SelectivityConfig
from glasscortex.data.responses import read_presented
from glasscortex.data.store import verify
from glasscortex.data.windows import WindowsFolder
from glasscortex.dictionaries import Dictionary
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.files import atomic_write, verified
from glasscortex.stages.arguments import Folder, Input, OptionalInput, Output
from glasscortex.stages.presented import clock, read_presentations
from glasscortex.tables import read_table, read_trials

SELECTIVITY = [
    *("unit", "variable", "stimulus", "index", "effect", "null_high", "preferred", "p", "q", "n"),
    *("replicate", "n_permutations", "n_active", "selected", "effect_selection", "q_selection"),
    *("significant", "circular", "mutual_information", "auroc", "purity", "verdict"),
]
"""Columns of the table of selectivity that are shown."""


def units(
    *,
    decoder: Input,
    folder: Folder,
    responses: Input,
    manifest: Input,
    activations: Input,
    recorded: Input,
    trials: Input,
    windows: Folder,
    sessions: Input,
    selectivity: Input,
    ablation: OptionalInput = None,
    effects: OptionalInput = None,
    reuse: OptionalInput = None,
    cells: OptionalInput = None,
    times: OptionalInput = None,
    consensus: OptionalInput = None,
    data: Output,
    model: str,
    seed: int,
    sae: str,
    config: SelectivityConfig,
) -> None:
    """Write what the browser shows of the units of one dictionary.

    Parameters
    ----------
    decoder, folder : Path
        Description of the decoder; folder of the dictionary.
    responses, manifest : Path
        Responses of its units, and their checksums.
    activations, recorded : Path
        Activations that it encodes, and their checksums.
    trials, sessions, selectivity : Path
        Tables.
    windows : Path
        Folder of the sessions' windows.
    ablation, effects, reuse, cells, times : Path
        What was measured of the trained decoder only.
    consensus : Path
        Matches between seeds, if there are several.
    data : Path
        Folder to write: `fit.js`, the table of units and what they share; a script a unit; and in
        `sessions` a script a session, the units that it drives.
    model, seed, sae : str, int
        Of the decoder, and of the dictionary.
    config : SelectivityConfig
        The thresholds that selectivity was decided by.
    """
    torch.set_num_threads(1)
    verify(activations, recorded)
    presented, mice, found = read_trials(trials), read_table(sessions), read_table(selectivity)
    validation, test = read_presentations(responses, manifest, trials, mice, ("validation", "test"))
    dictionary, alive = Dictionary.load(folder), np.unique(found["unit"])
    paths = {"effects": effects, "reuse": reuse, "ablation": ablation, "consensus": consensus}
    measured = {name: _of_fit(path, seed) for name, path in paths.items() if path}
    cost = costs(measured.pop("ablation")) if ablation else pd.DataFrame(columns=COSTS)
    removed = removed_sets(cost)
    curves, purity = tuning(test, mice, found, most=len(alive)), profiles.purities(test, found)
    descriptions = describe(validation, test, found)
    shown = _examples(test, read_presented(responses, "test"), alive, seed)
    tokens = RecordedTokens(activations, "test")
    each, step_s = clock(decoder, tokens.hook)
    courses, shown["activation"] = timecourses(
        dictionary, tokens, presented, found, shown, each, test.definitions
    )
    tables = {
        "selectivity": found.assign(purity=purity, verdict=verdicts(found, config.q))[SELECTIVITY],
        "description": descriptions,
        "tuning": curves[curves["mouse"].isna()].drop(columns="mouse"),
        "courses": courses,
        "examples": shown,
        "behaviour": profiles.by_behaviour(test, alive),
        "neighbours": neighbours(atoms(dictionary).numpy(), test.responses, alive),
        "removed": removed,
        **measured,
    }
    driven = None
    if cells and times:
        drive = driving(_row_groups(cells), shown[shown["kind"] == "top"])
        tables |= {"cells": drive.cells, "map": drive.maps, "times": by_time(_row_groups(times))}
        driven = drive.sessions
        tables["traces"] = _traces(drive.examples, shown, presented, WindowsFolder(windows))
    stimulus = shared_stimulus((validation.trials, test.trials))
    compared = test.of_units(alive).where((test.trials["stimulus"] == stimulus).to_numpy())
    groups = {name: profiles.by_group(compared, name) for name in ("session_id", "mouse")}
    above = above_others(list(groups["session_id"][0].index), groups["session_id"][1], alive)
    shared = {
        "model": model,
        "seed": seed,
        "sae": sae,
        "step_s": step_s,
        "background": stimulus,
        "table": overview(
            selectivity=found,
            purity=purity,
            activity=profiles.activity(test),
            descriptions=descriptions,
            consensus=measured.get("consensus"),
            reuse=measured.get("reuse"),
            removed=removed,
        ),
        "best": best_units(found, curves),
        "ablation": cost if ablation else None,
        **{name: {"name": list(n.index), "n": list(n)} for name, (n, _) in groups.items()},
    }
    place = f"{model}/seed{seed}/{sae}"
    with atomic_write(data) as written:
        written.mkdir()
        (written / "fit.js").write_text(script(place, shared))
        for column, (unit, page) in enumerate(pages(tables, alive.tolist())):
            own = page | {name: means[:, column] for name, (_, means) in groups.items()}
            (written / f"{unit}.js").write_text(script(f"{place}/{unit}", own))
        (written / "sessions").mkdir()
        of_sessions = {"driven": _by_session(driven), "above": _by_session(above)}
        for session in mice.loc[~mice["held_out"], "session_id"]:
            own = {name: rows(session) for name, rows in of_sessions.items()}
            text = script(f"{place}/sessions/{session}", own)
            (written / f"sessions/{session}.js").write_text(text)


def _of_fit(path: Path, seed: int) -> pd.DataFrame:
    """The rows of a table that are of a dictionary's own seed, without its names."""
    table = read_table(path)
    return table[table["seed"] == seed].drop(columns=["model", "seed", "sae"])


def _by_session(table: pd.DataFrame | None) -> Callable[[str], pd.DataFrame | None]:
    """The rows of a session, by its name; None where nothing was measured."""
    if table is None:
        return lambda session: None
    rows, others = table.groupby("session_id").indices, table.drop(columns="session_id")
    return lambda session: others.iloc[rows.get(session, [])]


def _examples(test: Presentations, trial: np.ndarray, alive: np.ndarray, seed: int) -> pd.DataFrame:
    """Presentations that show what units do, and what was presented."""
    shown = examples(test.responses, alive, np.random.default_rng(seed))
    labels = test.definitions.at("stimulus", "behaviour")
    labels = [name for name in labels if name in test.trials]
    about = test.trials[["session_id", "stimulus", "presentation", "start_s", *labels]]
    return shown.assign(trial=trial[shown["row"]]).join(about, on="row").drop(columns="row")


def _row_groups(path: Path) -> Iterator[pd.DataFrame]:
    """The parts of a table of attributions, each of one session and stimulus."""
    with pq.ParquetFile(verified(path)) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group).to_pandas()


def _traces(
    of_examples: pd.DataFrame, shown: pd.DataFrame, trials: pd.DataFrame, readers: WindowsFolder
) -> pd.DataFrame:
    """What the cells that drive a unit most did on its strongest presentations."""
    keys = ["unit", "session_id", "stimulus"]
    top = shown.loc[shown["kind"] == "top", [*keys, "trial"]]
    wanted = top.merge(of_examples, on=keys)
    wanted["trace"] = cell_traces(readers, trials, wanted)
    return wanted[["unit", "trial", "cell", "attribution", "share", "trace"]]
