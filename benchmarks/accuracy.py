"""How well the transformer of the literature decodes, beside ours, on the same windows and splits.

    python benchmarks/accuracy.py results [--configfile FILE ...] [--sessions N] [--tasks NAME ...]
        [--peer "{poyo_plus: {latents_per_step: 4}, train: {epochs: 50}}"] [--json FILE]

Both are trained on the same sessions of a results folder (its `trials.parquet` and `windows`): ours
as in `config.yaml` and the configuration files given, `poyo_plus` as in
`workflow/configs/poyo_plus.yaml` and what `--peer` changes. Scores are means over sessions; the
difference is paired by session, with a 95 % interval over sessions. Time is that of one thread of
the processor.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from settings import ROOT, decoder_settings
from snakemake.utils import update_config

from glasscortex.config import DecoderConfig
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.evaluate import evaluate
from glasscortex.decoder.scores import HEADLINES
from glasscortex.decoder.train import train
from glasscortex.intervals import mean_interval
from glasscortex.tasks import ALLEN, label_column

PEER = ROOT / "workflow/configs/poyo_plus.yaml"


class Recordings:
    """Sessions of a results folder, drawn by a seed, that decoders are trained and scored on."""

    def __init__(self, results: Path, sessions: int | None, tasks: tuple[str, ...] | str):
        trials = pd.read_parquet(results / "trials.parquet")
        columns = [label_column(task) for task in (ALLEN.tasks if tasks == "all" else tasks)]
        able = trials["session_id"][trials[columns].notna().any(axis=1)].unique()
        ids = np.random.default_rng(0).permutation(able)[:sessions]
        self.trials = trials[trials["session_id"].isin(ids)].reset_index(drop=True)
        self.windows, self.tasks = WindowsFolder(results / "windows"), tasks

    def scores(self, config: DecoderConfig) -> tuple[pd.DataFrame, float, int]:
        """Headline scores of a trained decoder, seconds of the processor, and its best epoch."""
        began = time.process_time()
        trained = train(self.trials, self.windows, config, self.tasks)
        seconds = time.process_time() - began
        best = int(trained.history["epoch"][trained.history["validation_loss"].idxmin()])
        table = evaluate(trained.decoder, self.trials, self.windows)
        kept = (table["session_id"] != "all") & table["metric"].isin(HEADLINES)
        return table[kept].set_index(["split", "task", "session_id"]), seconds, best


def compared(ours: pd.DataFrame, peer: pd.DataFrame) -> pd.DataFrame:
    """A row for each split and task."""
    rows = []
    for (split, task), own in ours.groupby(["split", "task"], sort=False):
        other = peer["value"].reindex(own.index).to_numpy()
        difference = own["value"].to_numpy() - other
        low, high = mean_interval(difference)
        rows.append(
            {"split": split, "task": task, "sessions": len(own), "chance": own["chance"].mean()}
            | {"ours": own["value"].mean(), "poyo_plus": other.mean()}
            | {"difference": difference.mean(), "low": low, "high": high}
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Train, score, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="of ours")
    parser.add_argument("--sessions", type=int, help="so many, drawn at random")
    parser.add_argument("--tasks", nargs="+", help="names; all by default")
    parser.add_argument("--peer", type=yaml.safe_load, default={}, help="YAML, of poyo_plus")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    tasks = tuple(arguments.tasks) if arguments.tasks else "all"
    recordings = Recordings(arguments.results, arguments.sessions, tasks)
    peer = decoder_settings(PEER)
    update_config(peer, arguments.peer)
    settings = {"ours": decoder_settings(*arguments.configfile), "poyo_plus": peer}
    found, trained = {}, {}
    for name, given in settings.items():
        config = DecoderConfig.model_validate(given)
        found[name], seconds, best = recordings.scores(config)
        trained[name] = {"seconds": seconds, "best_epoch": best, "settings": given}
        print(f"{name}: {seconds:.0f} s, best epoch {best} of {config.train.epochs}", flush=True)
    table = compared(found["ours"], found["poyo_plus"])
    print(table.to_string(index=False, float_format="{:.3f}".format))
    if arguments.json:
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        kept = {"versions": versions, "trained": trained, "rows": table.to_dict("records")}
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
