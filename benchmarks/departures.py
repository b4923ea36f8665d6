"""What each choice of the decoder is worth, on held-out presentations.

    python benchmarks/departures.py results [--configfile FILE ...] [--only depth width ...]
        [--processes N] [--json FILE]

Trains one variant of the decoder after another on the sessions of a results folder (its
`trials.parquet` and `windows`), everything else being as in `config.yaml` and the configuration
files given, and scores it. A session's score is the mean accuracy of its classification tasks;
differences from the default are paired by session, with Student's 95 % interval over sessions.
Choices are made on validation.
"""

import argparse
import json
import platform
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from settings import decoder_settings
from torch import Tensor

from glasscortex.config import DecoderConfig
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.calibration import calibrate
from glasscortex.decoder.evaluate import EVALUATION_BATCH, predict
from glasscortex.decoder.layers import CellEncoder
from glasscortex.decoder.model import Decoder, transformer_config
from glasscortex.decoder.optimisation import Optimisation
from glasscortex.decoder.scores import session_scores
from glasscortex.decoder.start import start
from glasscortex.decoder.train import untrained
from glasscortex.intervals import mean_interval
from glasscortex.tasks import ALLEN, label_column


class Additive(CellEncoder):
    """The token of a patch x of cell c is W x + b + e_c."""

    def tokens(self, cells: Float[Tensor, "cells halves"]) -> Float[Tensor, "cells affine dim"]:
        named, _ = cells[:, None].chunk(2, dim=-1)
        weight = self.value.weight.T.expand(len(cells), -1, -1)
        return torch.cat([weight, torch.zeros_like(named), self.value.bias + named], dim=1)


class Concatenated(CellEncoder):
    """The token of a patch x of cell c is W x + b in one half, e_c in the other."""

    def tokens(self, cells: Float[Tensor, "cells halves"]) -> Float[Tensor, "cells affine dim"]:
        half = cells.shape[1] // 4
        bias = self.value.bias[None]
        affine = torch.cat([self.value.weight.T, torch.zeros_like(bias), bias])[:, :half]
        named = torch.zeros(len(cells), len(affine), half)
        named = torch.cat([named[:, :-1], cells[:, None, :half]], dim=1)
        return torch.cat([affine.expand(len(cells), -1, -1), named], dim=2)


@dataclass(frozen=True)
class Variant:
    """One row of the table: what differs from the default."""

    choice: str
    value: str
    model: dict = field(default_factory=dict)
    train: dict = field(default_factory=dict)
    encoder: type[CellEncoder] = CellEncoder
    starts_linear: bool = True
    """Whether training starts in closed form, or at random."""
    sessions: int | None = None
    """How many share a decoder; None: all."""
    tasks_alone: bool = False
    """Whether each task has a decoder of its own."""
    seed: int = 0

    def config(self, default: dict) -> DecoderConfig:
        """The default's settings but for those of this row."""
        own = {part: default[part] | getattr(self, part) for part in ("model", "train")}
        return DecoderConfig.model_validate(default | own)


DEFAULT = Variant("default", "")
AT_RANDOM = {"train": {"epochs": 40, "patience": 10}, "starts_linear": False}


def settings(choice: str, key: str, *values) -> list[Variant]:
    """A variant for each value of one setting of the transformer."""
    return [Variant(choice, str(value), model={key: value}) for value in values]


VARIANTS = [
    DEFAULT,
    Variant("seed", "1", seed=1),
    Variant("seed", "2", seed=2),
    Variant("epochs", "30", train={"epochs": 30}),
    *settings("patch, samples of 0.1 s", "patch_frames", 1, 5, 10, 20),
    *settings("latents a step", "latents_per_step", 4, 16),
    *settings("rotary periods, s", "rotary_periods_s", (1e6, 1e7)),
    *settings("cell dropout", "cell_dropout", 0.0, 0.15, 0.3, 0.5),
    *settings("feature dropout", "feature_dropout", 0.1, 0.2),
    *settings("depth", "depth", 1, 4, 6),
    *settings("width", "dim", 32, 64, 128),
    *settings("heads", "heads", 1, 4, 8),
    *settings("feed-forward width over dim", "mlp_ratio", 2, 4),
    Variant("random start, cells", "multiplied", **AT_RANDOM),
    Variant("random start, cells", "added", encoder=Additive, **AT_RANDOM),
    Variant("random start, cells", "concatenated", encoder=Concatenated, **AT_RANDOM),
    Variant("tasks", "each alone", tasks_alone=True),
    Variant("sessions", "1", train={"epochs": 80, "patience": 20, "batch": 32}, sessions=1),
    Variant("sessions", "4", train={"epochs": 60, "patience": 15}, sessions=4),
    Variant("sessions", "16", train={"epochs": 30, "patience": 10}, sessions=16),
]


class Training:
    """Trains variants on the sessions of a results folder, and scores them."""

    def __init__(self, results: Path, settings: dict):
        self.settings = settings
        self.windows = WindowsFolder(results / "windows")
        self.trials = pd.read_parquet(results / "trials.parquet")

    def __call__(self, variant: Variant) -> tuple[pd.Series, float]:
        """Headline score by split, task and session, and seconds of the processor."""
        torch.set_num_threads(1)
        began = time.process_time()
        scores = pd.concat(
            self._scores(trials, tasks, variant) for trials, tasks in self._parts(variant)
        )
        seconds = time.process_time() - began
        print(f"{variant.choice} {variant.value}: {seconds:.0f} s", flush=True)
        return scores.set_index(["split", "task", "session_id"])["value"], seconds

    def _parts(self, variant: Variant) -> Iterator[tuple[pd.DataFrame, tuple[str, ...] | str]]:
        """The presentations and tasks of each decoder of a variant."""
        if variant.tasks_alone:
            yield from ((self.trials, (task,)) for task in ALLEN.tasks if self._labels(task))
            return
        sessions = np.random.default_rng(0).permutation(self.trials["session_id"].unique())
        number = variant.sessions or len(sessions)
        for first in range(0, len(sessions) - number + 1, number):
            own = self.trials["session_id"].isin(sessions[first : first + number])
            yield self.trials[own].reset_index(drop=True), "all"

    def _labels(self, task: str) -> bool:
        return bool(np.isfinite(self.trials[label_column(task)].to_numpy()).any())

    def _scores(
        self, trials: pd.DataFrame, tasks: tuple[str, ...] | str, variant: Variant
    ) -> pd.DataFrame:
        decoder = self._trained(trials, tasks, variant)
        batches = Batches(self.windows, trials, decoder.vocabulary, EVALUATION_BATCH)
        found = []
        for split in ("validation", "test"):
            shown = (trials["split"] == split).to_numpy()
            for task, prediction in predict(decoder, batches, shown).items():
                table = session_scores(task, trials, prediction)
                found.append(table.assign(task=task, split=split))
        return pd.concat(found)

    def _trained(
        self, trials: pd.DataFrame, tasks: tuple[str, ...] | str, variant: Variant
    ) -> Decoder:
        config = variant.config(self.settings)
        decoder = untrained(trials, self.windows, config, tasks, variant.seed)
        if variant.encoder is not CellEncoder:
            decoder.transformer.encoder = variant.encoder(transformer_config(config))
        batches = Batches(self.windows, trials, decoder.vocabulary, config.train.batch)
        decoder.transformer.STARTS_LINEAR = variant.starts_linear
        if variant.starts_linear:
            start(decoder, batches, variant.seed)
            calibrate(decoder, batches, regressions=False)
        fabric = Fabric(accelerator="cpu", devices=1)
        Optimisation(fabric, decoder, batches, config.train, variant.seed, checkpoint=None).run()
        calibrate(decoder, batches)
        return decoder


def row(scores: pd.Series, default: pd.Series) -> dict[str, float]:
    """Scores of a variant, and how they differ from the default's on the same sessions."""
    found = {}
    for split in ("validation", "test"):
        own, other = (session_means(s[split]) for s in (scores, default))
        difference = (own - other.reindex(own.index)).to_numpy()
        low, high = mean_interval(difference)
        found |= {f"{split}": own.mean(), f"{split}_difference": difference.mean()}
        found |= {f"{split}_low": low, f"{split}_high": high}
    return found | scores["test"].groupby("task", sort=False).mean().to_dict()


def session_means(scores: pd.Series) -> pd.Series:
    """The mean score of each session's classification tasks."""
    names = scores.index.get_level_values("task")
    is_class = [not ALLEN.tasks[task].is_regression for task in names]
    return scores[is_class].groupby("session_id").mean()


def main() -> None:
    """Train, score, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--configfile", type=Path, nargs="+", default=[])
    parser.add_argument("--only", nargs="+", metavar="CHOICE", help="first words of rows")
    parser.add_argument("--processes", type=int, default=1, help="variants trained side by side")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    chosen = [
        variant
        for variant in VARIANTS
        if variant is DEFAULT
        or not arguments.only
        or any(f"{variant.choice} {variant.value}".startswith(name) for name in arguments.only)
    ]
    training = Training(arguments.results, decoder_settings(*arguments.configfile))
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        found = list(pool.map(training, chosen))
    default, cost = found[0]
    rows = [
        {"choice": variant.choice, "value": variant.value}
        | row(scores, default)
        | {"processor_time": seconds / cost}
        for variant, (scores, seconds) in zip(chosen, found)
    ]
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    if arguments.json:
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        size = {"sessions": training.trials["session_id"].nunique(), "trials": len(training.trials)}
        kept = {"versions": versions, "size": size, "rows": rows}
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
