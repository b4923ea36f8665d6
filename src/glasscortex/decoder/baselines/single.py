"""The baseline that is a transformer of each session alone."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from glasscortex.config import DecoderConfig
from glasscortex.data.batches import Batches
from glasscortex.decoder.baselines.side_by_side import side_by_side
from glasscortex.decoder.evaluate import EVALUATION_BATCH, predict
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.scores import write_scores
from glasscortex.decoder.train import train
from glasscortex.tasks import TASKS


def single(
    *,
    trials: Path,
    windows: Path,
    out: Path,
    config: DecoderConfig,
    tasks: tuple[str, ...] | str,
    processes: int,
    seed: int = 0,
) -> None:
    """Train a transformer on each session alone, and score them all.

    It differs from the transformer of all sessions in its sessions, and in what `config` says.
    Memory is that of one training a process; time grows with sessions × windows × cells.

    Parameters
    ----------
    trials : parquet table of presentations
    windows : folder of the sessions' windows
    out : rows of `decoding.csv`, model "single"
    config : transformer and training
    tasks : names of the tasks, or "all"
    processes : sessions that are trained side by side
    seed : of all that is random in training
    """
    table = pd.read_parquet(trials)
    names = list(TASKS if tasks == "all" else tasks)
    known = np.isfinite([table[TASKS[name].column].to_numpy() for name in names]).any(axis=0)
    predictions = {name: np.full(len(table), np.nan, np.float32) for name in names}
    sessions = [
        rows
        for rows in table.groupby("session_id", sort=False).groups.values()
        if known[rows].any()
    ]
    work = (table.loc[rows].reset_index(drop=True) for rows in sessions)
    alone = partial(_alone, windows=windows, config=config, tasks=tasks, seed=seed)
    for rows, found in zip(sessions, side_by_side(alone, work, processes)):
        for name, prediction in found.items():
            predictions[name][rows] = prediction
    write_scores(table, predictions, out, model="single", seed=seed)


def _alone(
    trials: pd.DataFrame,
    windows: Path,
    config: DecoderConfig,
    tasks: tuple[str, ...] | str,
    seed: int,
) -> dict[str, np.ndarray]:
    """By task the predictions for the held-out presentations of one session."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        trials.to_parquet(folder / "trials.parquet", index=False)
        train(
            trials=folder / "trials.parquet",
            windows=windows,
            folder=folder / "decoder",
            checkpoint=folder / "checkpoint.pt",
            config=config,
            tasks=tasks,
            model="trained",
            seed=seed,
        )
        decoder = Decoder.load(folder / "decoder")
    batches = Batches(windows, trials, decoder.vocabulary, EVALUATION_BATCH)
    return predict(decoder, batches, trials["split"].isin(["validation", "test"]).to_numpy())
