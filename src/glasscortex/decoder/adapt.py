"""New animals: what a trained decoder reads from sessions that it never saw, with few repeats.

Only the embeddings of the new cells and of the session are learnt; the transformer and the heads
stay as they are. What that saves is seen against the same architecture trained on the session
alone and against the linear baseline, from the same presentations.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch

from glasscortex.config import AdaptConfig, BaselineConfig, DecoderConfig
from glasscortex.data.batches import Batches, Piece
from glasscortex.data.vocabulary import Vocabulary, shown_classes, task_labels
from glasscortex.data.windows import SessionWindows
from glasscortex.decoder.baselines import baselines
from glasscortex.decoder.baselines.side_by_side import side_by_side
from glasscortex.decoder.baselines.single import single
from glasscortex.decoder.evaluate import EVALUATION_BATCH, predict
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.optimisation import task_losses
from glasscortex.decoder.scores import write_scores
from glasscortex.decoder.start import Projection, start_cells
from glasscortex.errors import InputError
from glasscortex.files import whole
from glasscortex.words import STIMULUS_VARIABLES, TASKS

PER_SESSION = ("cell_embeddings", "session_embedding", "own")
"""Weights that belong to sessions; all others stay as they are."""

ALL = "all"

FIRST = ["model", "seed", "session_id", "task", "repeats", "method", "metric", "value"]
"""Columns that the table begins with."""


def adapt(
    *,
    decoder: Path,
    trials: list[Path],
    windows: Path,
    out: Path,
    config: AdaptConfig,
    scratch: DecoderConfig,
    linear: BaselineConfig,
    model: str,
    seed: int,
    processes: int,
) -> None:
    """Score a decoder on new sessions, with ever more repeats of theirs to learn from.

    The adapted decoder sees the repeats and nothing else. The other two also choose by the
    session's validation split, as it is: early stopping, strength of regularisation. All windows
    were z-scored by the whole training split, without labels. Memory is that of one session a
    process; time grows with sessions × repeats × windows × cells.

    Parameters
    ----------
    decoder : folder that `train` wrote
    trials : parquet table of presentations of each new session
    windows : folder of the sessions' windows
    out : CSV of model, seed, session_id, task, repeats (a number, or "all"), method ("adapted",
        "scratch" or "linear"), metric, value, ci_low, ci_high, chance, constant, n, n_classes,
        as in `score_table` on the test split, and n_train (presentations learnt from)
    config : repeats and how the embeddings are learnt
    scratch : training of the transformer on each session alone
    linear : candidates of the linear baseline
    model, seed : names of the decoder in the table; the seed also draws what is random here
    processes : sessions that are learnt side by side

    Raises
    ------
    InputError
        The decoder was trained on a session, or has no task for what it shows.
    """
    table = pd.concat(map(pd.read_parquet, trials), ignore_index=True)
    tasks = tuple(Decoder.load(decoder).vocabulary.tasks)
    stages = {
        "adapted": partial(
            _adapted,
            decoder=decoder,
            tasks=tasks,
            config=config,
            task_weights=scratch.train.task_weights,
            seed=seed,
        ),
        "scratch": partial(single, config=scratch, tasks=tasks, seed=seed),
        "linear": partial(baselines, model="linear", config=linear, tasks=tasks),
    }
    parts = []
    for repeats in (*config.repeats, ALL):
        few = table if repeats == ALL else first_repeats(table, repeats)
        if repeats != ALL and len(few) == len(table):
            continue  # there are no more
        learnt_from = _learnt_from(few, tasks)
        for method, stage in stages.items():
            scores = _scores(partial(stage, windows=windows, processes=processes), few)
            scores = scores.assign(model=model, seed=seed, repeats=repeats, method=method)
            parts.append(scores.merge(learnt_from, on=["session_id", "task"]))
    scores = pd.concat(parts).set_index(FIRST).reset_index()
    with whole(out) as temporary:
        scores.to_csv(temporary, index=False, float_format="%.9g")


def first_repeats(trials: pd.DataFrame, repeats: int) -> pd.DataFrame:
    """The trials with only the first presentations of every class left in the training split.

    A class is a combination of all labels of a stimulus; presentations without one, such as
    blanks, make a class of their own.

    Parameters
    ----------
    trials : table of presentations
    repeats : presentations of each class, the first in time
    """
    train = trials[trials["split"] == "train"].sort_values("start_s", kind="stable")
    shown = train.groupby(["session_id", "stimulus", *STIMULUS_VARIABLES], dropna=False)
    repeat = shown.cumcount()
    return trials.drop(repeat.index[repeat >= repeats]).reset_index(drop=True)


def adapted(
    folder: Path, windows: Path, trials: pd.DataFrame, config: AdaptConfig, task_weights, seed: int
) -> Decoder:
    """The decoder with embeddings of one new session, learnt from its training split.

    The cells' embeddings start where those of the training sessions did, by the projection that
    is stored with the decoder, or at random where it has none; the session's starts at the mean
    of the others, and how sure its outputs are is the others' mean, too. Cells and features are
    dropped as in training.

    Parameters
    ----------
    folder : of the trained decoder
    windows : folder of the session's windows
    trials : presentations of one session
    config : how the embeddings are learnt
    task_weights : weight of a task's loss where it is not 1
    seed : of random embeddings, of dropout and of the order of the batches

    Raises
    ------
    InputError
        The decoder was trained on the session, or has no task for what it shows.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    trained = Decoder.load(folder)
    session = trials["session_id"].iloc[0]
    if session in trained.vocabulary.sessions:
        raise InputError(f"{folder} was trained on session {session}: adapt it to other sessions")
    cells = tuple(SessionWindows(windows / f"{session}.h5").cells)
    tasks = trained.vocabulary.tasks
    vocabulary = Vocabulary((session,), {session: cells}, tasks, shown_classes(trials, tasks))
    decoder = Decoder(trained.config, vocabulary, trained.sample_rate_hz).eval()
    weights = trained.state_dict()
    shared = {name: w for name, w in weights.items() if not name.startswith(PER_SESSION)}
    mean = weights["session_embedding.weight"].mean(dim=0, keepdim=True)
    decoder.load_state_dict(decoder.state_dict() | shared | {"session_embedding.weight": mean})
    decoder.requires_grad_(False)
    batches = Batches(windows, trials, vocabulary, config.batch)
    if not batches.pieces(_train(batches), np.random.default_rng(seed)):
        raise InputError(
            f"session {session} shows nothing to learn from that {folder} decodes "
            f"({', '.join(vocabulary.tasks)}): take it out of select.held_out"
        )
    if decoder.config.starts_linear:
        start_cells(decoder, batches, Projection.load(folder))
    decoder.own.gain.copy_(weights["own.gain"].mean(dim=0, keepdim=True))
    _learn(decoder, batches, config, task_weights, seed)
    return decoder


def _learn(
    decoder: Decoder, batches: Batches, config: AdaptConfig, task_weights, seed: int
) -> None:
    """Fit the embeddings of cells and sessions; all other weights stay as they are."""
    learnt = [*decoder.cell_embeddings, *decoder.session_embedding.parameters()]
    for parameter in learnt:
        parameter.requires_grad_()
    optimizer = torch.optim.AdamW(learnt, lr=config.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, config.steps))
    decoder.train()
    with closing(batches.read(_pieces(batches, config.steps, seed))) as learning:
        for batch in learning:
            losses = task_losses(decoder(batch), batches.targets, batch)
            sum(task_weights.get(name, 1.0) * loss for name, loss in losses.items()).backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    decoder.eval()


def _pieces(batches: Batches, steps: int, seed: int) -> Iterator[Piece]:
    """As many pieces of the training split as there are steps, in as many rounds as it takes."""
    rng, train = np.random.default_rng(seed), _train(batches)
    rounds = (batches.pieces(train, rng) for _ in itertools.count())
    return itertools.islice(itertools.chain.from_iterable(rounds), steps)


def _train(batches: Batches) -> np.ndarray:
    return (batches.trials["split"] == "train").to_numpy()


def _adapted(
    *,
    trials: Path,
    windows: Path,
    out: Path,
    decoder: Path,
    tasks: tuple[str, ...],
    processes: int,
    seed: int,
    **learning,
) -> None:
    """Adapt to each session and score what is then predicted, as the baselines do."""
    table = pd.read_parquet(trials)
    sessions = list(table.groupby("session_id", sort=False).groups.values())
    work = (table.loc[rows].reset_index(drop=True) for rows in sessions)
    predictions = {name: np.full(len(table), np.nan, np.float32) for name in tasks}
    fit = partial(_predictions, decoder, windows, seed=seed, **learning)
    for rows, found in zip(sessions, side_by_side(fit, work, processes)):
        for name, prediction in found.items():
            predictions[name][rows] = prediction
    write_scores(table, predictions, out, model="adapted", seed=seed)


def _predictions(
    folder: Path, windows: Path, trials: pd.DataFrame, **learning
) -> dict[str, np.ndarray]:
    decoder = adapted(folder, windows, trials, **learning)
    batches = Batches(windows, trials, decoder.vocabulary, EVALUATION_BATCH)
    return predict(decoder, batches, (trials["split"] == "test").to_numpy())


def _scores(stage: Callable, trials: pd.DataFrame) -> pd.DataFrame:
    """What a stage scores on the test split after learning from these trials."""
    with TemporaryDirectory() as name:
        given, out = Path(name, "trials.parquet"), Path(name, "decoding.csv")
        trials.to_parquet(given, index=False)
        stage(trials=given, out=out)
        scores = pd.read_csv(out, dtype={"session_id": str})
    return scores[scores["split"] == "test"].drop(columns="split")


def _learnt_from(trials: pd.DataFrame, tasks: tuple[str, ...]) -> pd.DataFrame:
    """How many presentations of each session's training split have a label, task by task."""
    train = trials["split"] == "train"
    known = {name: train & np.isfinite(task_labels(trials, TASKS[name])) for name in tasks}
    counts = pd.DataFrame(known).groupby(trials["session_id"]).sum()
    counts.loc["all"] = counts.sum()
    counts = counts.rename_axis("session_id", axis=0).rename_axis("task", axis=1)
    return counts.stack().rename("n_train").reset_index()
