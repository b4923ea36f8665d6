"""The commands of all stages, on the files of one folder."""

import json
from typing import Any

from glasscortex.workflow import arguments, dashed

PER_SESSION = ("simulate", "preprocess", "trials", "observe")

SELECTIVITY = {"permutations": 100, "mouse_permutations": 100, "q": 1.0, "min_effect": 0.0}
TRANSFORMER = {"model": {"dim": 16, "heads": 2}, "train": {"epochs": 2}}
DICTIONARY = {"architecture": "threshold", "hook": "latents.2", "k": 4, "steps": 200}
ABLATION = {"units": 4, "doses": [2, 4], "draws": 3, "dose_draws": 2, "methods": ["resample"]}

GIVEN = {
    "sessions": "sessions.csv",
    "trials": "trials.parquet",
    "windows": "windows",
    "truth": "truth",
    "recordings": "raw",
    "decoder": "decoder",
    "activations": "activations.zarr",
    "folder": "sae",
    "responses": "responses.zarr",
    "manifest": "responses.json",
    "quality": "quality.csv",
    "decoding": "decoding.csv",
    "confusion": "confusion.csv",
    "tasks": '"all"',
    "hook": "latents.2",
    "model": "trained",
    "seed": "0",
    "sae": "sae",
    "baseline": "lda",
    "threads": "1",
    "checkpoint": "checkpoint",
    "config": "{}",
}
"""What an argument is, by its name, where `STAGES` has nothing else."""

STAGES: dict[str, dict[str, str]] = {
    "combine": {"parts": "trials"},
    "concatenate-sessions": {"parts": "quality", "table": "quality.csv", "which": '"all"'},
    "train": {"folder": "decoder", "config": json.dumps(TRANSFORMER)},
    "evaluate": {"scores": "evaluated.csv"},
    "baselines": {"scores": "baseline.csv"},
    "concatenate": {"parts": "evaluated.csv baseline.csv", "table": "decoding.csv"},
    "recognise-cells": {"config": json.dumps(SELECTIVITY)},
    "activations": {"manifest": "activations.json"},
    "fit-sae": {"manifest": "activations.json", "config": json.dumps(DICTIONARY)},
    "responses": {"manifest": "activations.json", "checksums": "responses.json"},
    "splice": {},
    "probe": {},
    "recovery": {},
    "selectivity": {"table": "selectivity.csv", "config": json.dumps(SELECTIVITY)},
    "recognise": {
        "decoder": "decoder/decoder.json",
        "manifest": "activations.json",
        "config": json.dumps(SELECTIVITY),
    },
    "ablate": {"table": "ablation.csv", "config": json.dumps(ABLATION)},
    "attribute": {
        name: f"{name}.{'csv' if name in ('effects', 'reuse') else 'parquet'}"
        for name in ("effects", "reuse", "cells", "times")
    },
    "units": {
        "decoder": "decoder/decoder.json",
        "recorded": "activations.json",
        "selectivity": "selectivity.csv",
        "ablation": "ablation.csv",
        "effects": "effects.csv",
        "reuse": "reuse.csv",
        "cells": "cells.parquet",
        "times": "times.parquet",
        "consensus": "",
    },
    "session-pages": {},
}
"""Stages that take all sessions, in order, and what their arguments are."""


def command(stage: str, config: dict | None = None, session: dict | None = None) -> list[str]:
    """The words of a stage's command; outputs that no other stage reads have its name.

    Parameters
    ----------
    stage : str
    config : dict, optional
        Of the simulation.
    session : dict, optional
        The row of the session that it is about.
    """
    own: dict[str, Any] = dict(STAGES.get(stage, {}))
    if stage == "select":
        own = {"config": json.dumps({"source": "simulated", "simulate": config})}
        own |= {"experiments": "", "containers": ""}
    elif session:
        name = session["session_id"]
        of_session = {"nwb": f"raw/{name}.nwb", "record": f"raw/{name}.json"}
        of_session |= {"truth": f"truth/{name}.h5", "store": f"preprocessed/{name}.zarr"}
        of_session |= {"manifest": f"preprocessed/{name}.manifest.json"}
        of_session |= {"trials": f"trials/{name}.parquet", "windows": f"windows/{name}.h5"}
        of_session |= {"quality": f"quality/{name}.csv", "table": f"observer/{name}.csv"}
        row = {key: session[key] for key in session if key not in ("held_out", "source")}
        of_session |= {"session": json.dumps(row) if stage == "preprocess" else name}
        of_session |= {"config": json.dumps(config) if stage in ("simulate", "observe") else "{}"}
        own = of_session | {"window_s": json.dumps({"drifting_gratings": 2.0})}
    words, last = [stage], []
    for argument, kind in arguments(
        f"stages.{stage.replace('-', '_')}", stage.replace("-", "_")
    ).items():
        value = {**GIVEN, **own}.get(argument)
        if value is None:
            if kind != "Output":
                raise LookupError(f"{stage} takes {argument}: say in STAGES or GIVEN what it is")
            value = f"{stage}.{argument}"
        if kind == "Inputs":
            last = value.split()
        else:
            words.append(f"--{dashed(argument)}={value}")
    return [*words, *last]
