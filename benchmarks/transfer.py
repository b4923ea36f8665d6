"""What other sessions are worth to each, with less and less of its own to learn from.

    python benchmarks/transfer.py results [--configfile FILE ...] [--repeats N ...]
        [--cells SHARE ...] [--new N] [--seeds 0 1 2] [--processes N] [--json FILE]

On the sessions of a results folder (its `trials.parquet` and `windows`): the transformer of all of
them and its start beside the transformer of each alone and the simpler decoders, with all windows,
with the first repeats of every class alone, and with a share of each session's cells. Then the
transformer of all but the sessions that `--new` draws learns the cells of these from a few
repeats. Test split; the mean over seeds, paired by session, with Student's 95 % intervals over
sessions.
"""

import argparse
import json
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from settings import settings

from glasscortex.config import Config
from glasscortex.data.windows import ArrayWindows, WindowsFolder, WindowsReader
from glasscortex.decoder.adapt import adapt, first_repeats
from glasscortex.decoder.baselines import baselines
from glasscortex.decoder.compare import compare, of_sessions
from glasscortex.decoder.evaluate import evaluate
from glasscortex.decoder.train import train
from glasscortex.intervals import mean_interval
from glasscortex.words import BASELINES


class FewerCells(Mapping[str, WindowsReader]):
    """Windows of a share of each session's cells, drawn by a seed."""

    def __init__(self, windows: Mapping[str, WindowsReader], share: float):
        self.windows, self.share = windows, share

    def __getitem__(self, session: str) -> ArrayWindows:
        whole = self.windows[session]
        order = np.random.default_rng(0).permutation(len(whole.cells))
        kept = np.sort(order[: max(1, round(self.share * len(order)))])
        windows = {
            name: whole.read(name, np.arange(shape[0]))[:, kept]
            for name, shape in whole.shapes.items()
        }
        cells = [whole.cells[cell] for cell in kept]
        return ArrayWindows(session, cells, windows, whole.sample_rate_hz)

    def __iter__(self) -> Iterator[str]:
        return iter(self.windows)

    def __len__(self) -> int:
        return len(self.windows)


def decoding(
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    config: Config,
    seeds: list[int],
    processes: int,
) -> pd.DataFrame:
    """Scores of all decoders, by model and seed."""
    found = []
    for seed in seeds:
        for model in ("trained", "start"):
            trained = train(trials, windows, config.decoder, model=model, seed=seed)
            found.append(evaluate(trained.decoder, trials, windows).assign(model=model, seed=seed))
    for name in BASELINES:
        own = config.single if name == "single" else config.baseline
        for seed in seeds if name == "single" else [0]:
            table = baselines(trials, windows, name, own, processes=processes, seed=seed)
            found.append(table.assign(model=name, seed=seed))
    return pd.concat(found)


def adaptation(
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    config: Config,
    number: int,
    seeds: list[int],
    processes: int,
) -> pd.DataFrame:
    """What a transformer of others makes of new sessions, less its rivals on the same repeats."""
    sessions = np.random.default_rng(0).permutation(trials["session_id"].unique())
    is_new = trials["session_id"].isin(sessions[:number])
    known, new = (trials[rows].reset_index(drop=True) for rows in (~is_new, is_new))
    found = []
    for seed in seeds:
        trained = train(known, windows, config.decoder, seed=seed)
        table = adapt(
            trained.decoder,
            trained.projection,
            new,
            windows,
            config.adapt,
            config.single,
            config.baseline,
            seed,
            processes,
        )
        found.append(of_sessions(table.assign(seed=seed)))
    keys = ["task", "repeats", "session_id", "method"]
    scores = pd.concat(found).groupby(keys, sort=False)["value"].mean().unstack("method")
    rows = []
    for (task, repeats), of_task in scores.groupby(["task", "repeats"], sort=False):
        for rival in ("scratch", "linear"):
            difference = (of_task["adapted"] - of_task[rival]).to_numpy()
            low, high = mean_interval(difference)
            rows.append(
                {"task": task, "repeats": repeats, "against": rival}
                | {"adapted": of_task["adapted"].mean(), "rival": of_task[rival].mean()}
                | {"difference": difference.mean(), "ci_low": low, "ci_high": high}
                | {"n_sessions": len(difference)}
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Train, score, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--configfile", type=Path, nargs="+", default=[])
    parser.add_argument("--repeats", type=int, nargs="*", default=[], help="of every class")
    parser.add_argument("--cells", type=float, nargs="*", default=[], help="share of each session")
    parser.add_argument("--new", type=int, default=0, help="sessions to adapt to")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    parts = settings(*arguments.configfile)
    config = Config.model_validate({part: parts[part] for part in ("decoder", "baseline", "adapt")})
    trials = pd.read_parquet(arguments.results / "trials.parquet")
    windows = WindowsFolder(arguments.results / "windows")
    mice = pd.Series({session: session for session in trials["session_id"].unique()})
    conditions = {"all": (trials, windows)}
    conditions |= {f"{n} repeats": (first_repeats(trials, n), windows) for n in arguments.repeats}
    conditions |= {
        f"{share:g} of the cells": (trials, FewerCells(windows, share)) for share in arguments.cells
    }
    asked = {"seeds": arguments.seeds, "processes": arguments.processes}
    found = {}
    for name, given in conditions.items():
        found[name] = compare(decoding(*given, config, **asked), mice)
        print(f"\n{name}\n{_written(found[name])}", flush=True)
    if arguments.new:
        found["new"] = adaptation(trials, windows, config, arguments.new, **asked)
        print(f"\n{arguments.new} new sessions\n{_written(found['new'])}")
    if arguments.json:
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        size = {"sessions": len(mice), "trials": len(trials), "seeds": arguments.seeds}
        rows = {name: table.to_dict("records") for name, table in found.items()}
        kept = {"versions": versions, "size": size, "rows": rows}
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n")


def _written(table: pd.DataFrame) -> str:
    return table.to_string(index=False, float_format="{:.3f}".format)


if __name__ == "__main__":
    main()
