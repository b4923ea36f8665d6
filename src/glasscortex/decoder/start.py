"""Where training starts: at the best linear decoder of each session that all sessions tell.

From random embeddings, which differ from session to session, the sessions have to agree on what
each feature means before a weak signal can be learnt; the direction of motion beyond its
orientation never was, and movies hardly (docs/decisions.md). What a cell responds to means the same
in every session, and what responses are likely all sessions tell together (`tuning`). So a cell's
embedding is what it contributes to the linear discriminant of its session along the principal axes
of tuning, which all sessions share, and the heads read the classes off these axes. A session's own
bias completes its discriminant.

A cell is read twice, for its activity and for the magnitude of it: its embedding has a half for
either. Validation says task by task whether magnitudes are read.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from safetensors.numpy import load_file, save_file
from threadpoolctl import threadpool_limits

from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import has_label
from glasscortex.decoder.choice import held_out_losses, preferred
from glasscortex.decoder.discriminant import constants, contributions
from glasscortex.decoder.hooks import activations
from glasscortex.decoder.labelled import SIGNALS, labelled_windows
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.tuning import Evidence, Prior
from glasscortex.errors import InputError
from glasscortex.files import sealed_write, verified

PROJECTION = "start.safetensors"


@dataclass(frozen=True)
class TaskStart:
    """What gives the cells of a session their start in one task, the same for every session.

    Attributes
    ----------
    covariance : ndarray, shape (features, features)
        Of the prior of the cells' tuning.
    time : ndarray, shape (times, times)
        Covariance of the noise in time.
    axes : ndarray, shape (features, components)
        Principal axes of tuning.
    embedding : ndarray, shape (components, dim)
        From what cells contribute along the axes to their embeddings.
    chosen : ndarray, shape (3,)
        Shrinkage of the noise's covariance, what multiplies the outputs, and signals that are read
        of each cell, see `labelled.SIGNALS`.
    """

    covariance: Float[np.ndarray, "features features"]
    time: Float[np.ndarray, "times times"]
    axes: Float[np.ndarray, "features components"]
    embedding: Float[np.ndarray, "components dim"]
    chosen: Float[np.ndarray, "3"]

    @property
    def prior(self) -> Prior:
        """How cells are tuned."""
        return Prior(self.covariance, self.time)

    @property
    def signals(self) -> int:
        """How many of the signals are read."""
        return int(self.chosen[2])


class Projection(dict[str, TaskStart]):
    """By task what gives the cells of a session their start."""

    def save(self, folder: Path) -> None:
        """Write `start.safetensors` into `folder`."""
        arrays = {f"{task}.{k}": v for task, part in self.items() for k, v in vars(part).items()}
        with sealed_write(folder / PROJECTION) as file:
            save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, file)

    @classmethod
    def load(cls, folder: Path) -> "Projection":
        """The projection that `save` wrote.

        Raises
        ------
        InputError
            There is none, or it is not as it was written.
        """
        if not (folder / PROJECTION).is_file():
            raise InputError(f"{folder} holds no {PROJECTION}: train the decoder again")
        arrays_of: dict[str, dict[str, np.ndarray]] = {}
        for name, array in load_file(verified(folder / PROJECTION)).items():
            task, _, part = name.rpartition(".")
            arrays_of.setdefault(task, {})[part] = array
        return cls({task: TaskStart(**arrays) for task, arrays in arrays_of.items()})


def start(decoder: Decoder, batches: Batches, seed: int) -> Projection:
    """Give the cells' embeddings, the heads and the sessions' biases their start.

    Passes four times over the training windows, and once over those of validation, which choose
    by task how far the noise's covariance is shrunk, what multiplies the outputs (temperature
    scaling, Guo et al. 2017, arXiv 1706.04599) and whether magnitudes are read: the tuning of
    cells is told from the same windows that it then reads. Memory holds one session's windows,
    and the principal axes of all tasks for the cells of the containers whose sessions have not all
    been read.

    Parameters
    ----------
    decoder : Decoder
        Changed in place.
    batches : Batches
        Windows and targets.
    seed : int
        Of the rotation of the embeddings.

    Returns
    -------
    Projection
        What gives the cells of other sessions their start; see `start_cells`.

    Raises
    ------
    InputError
        The transformer is one that starts at random.
    """
    if not decoder.transformer.STARTS_LINEAR:
        raise InputError("this architecture starts at random: train model untrained, not start")
    with threadpool_limits(1):  # the same bytes on any number of cores
        patch, dim = decoder.transformer.patch_frames, decoder.config.dim
        tasks = _choose(batches, patch, learn_priors(batches, patch), most=dim)
        back = _embed(batches, patch, tasks, dim, seed)
        projection = Projection(tasks)
        for task, own in projection.items():
            _set_head(decoder, task, own, back[task])
        start_cells(decoder, batches, projection)
    return projection


def start_cells(decoder: Decoder, batches: Batches, projection: Projection) -> None:
    """Give the cells' embeddings and the sessions' biases the start that those of others had.

    A session's bias makes the outputs those of its linear discriminant, the mean of the decoder's
    own outputs over the training windows being what it is.

    Parameters
    ----------
    decoder : Decoder
        Changed in place.
    batches : Batches
        Windows and targets; the training split is used.
    projection : Projection
        What `start` returned for the other sessions.
    """
    containers, patch = batches.vocabulary.containers(), decoder.transformer.patch_frames
    with threadpool_limits(1):
        dim = decoder.config.dim
        embeddings = [np.zeros((SIGNALS, len(cells), dim)) for cells in containers]
        decoder.own.reset()
        for share in _shares(batches, patch, projection):
            own = projection[share.task]
            added = share.contributions @ own.embedding
            embeddings[share.container][: own.signals, share.rows] += added
            decoder.own.add(share.session_id, share.task, own.chosen[1] * share.constants)
        for parameter, embedding in zip(decoder.cell_embeddings, embeddings, strict=True):
            parameter.data.copy_(torch.from_numpy(np.concatenate(embedding, axis=1)))
        for session_id, task, mean in _mean_outputs(decoder, batches):
            decoder.own.add(session_id, task, -mean)


def learn_priors(batches: Batches, patch: int) -> dict[tuple[str, int], Prior]:
    """How cells are tuned to each task, told by all sessions together.

    Parameters
    ----------
    batches : Batches
        Windows and targets; the training split is used.
    patch : int
        Samples of a time step of the transformer.

    Returns
    -------
    dict of tuple to Prior
        By task, and number of signals that are read.
    """
    evidence: dict[tuple[str, int], Evidence] = {}
    for windows in labelled_windows(batches, patch, "train"):
        for signals in range(1, SIGNALS + 1):
            of_task = evidence.setdefault((windows.task, signals), Evidence())
            of_task.add(windows.of_signals(signals).tuning())
    return {key: of_task.prior() for key, of_task in evidence.items()}


def _choose(
    batches: Batches, patch: int, priors: dict[tuple[str, int], Prior], most: int
) -> dict[str, TaskStart]:
    """The principal axes of each task, and the candidates that validation prefers."""
    losses: dict[str, list[np.ndarray]] = {task: [] for task, _ in priors}
    for windows in labelled_windows(batches, patch, "train", "validation"):
        if windows.held_out.any():
            of_task = {n: priors[windows.task, n] for n in range(1, SIGNALS + 1)}
            losses[windows.task].append(held_out_losses(windows, of_task))
    tasks = {}
    for task, of_sessions in losses.items():
        signals, shrinkage, factor = preferred(of_sessions)
        prior = priors[task, signals]
        axes, chosen = prior.axes(most), np.array([shrinkage, factor, signals])
        unset = np.eye(axes.shape[1])
        tasks[task] = TaskStart(prior.covariance, prior.time, axes, unset, chosen)
    return tasks


def _embed(
    batches: Batches, patch: int, tasks: dict[str, TaskStart], dim: int, seed: int
) -> dict[str, Float[np.ndarray, "dim components"]]:
    """Set each task's map from contributions along its axes to the embedding; return those back.

    The embeddings are the principal components of the contributions to all tasks, every task
    scaled to weigh alike, turned at random so that all features weigh alike, too, and of the mean
    squared length `dim`, all signals together.
    """
    ends = np.cumsum([own.axes.shape[1] for own in tasks.values()])
    columns = {t: slice(end - own.axes.shape[1], end) for (t, own), end in zip(tasks.items(), ends)}
    products, cells = _products(batches, patch, tasks, columns)
    scale = np.ones(ends[-1])
    for part in columns.values():
        scale[part] = max(np.trace(products[part, part]) / cells, 1e-18) ** -0.5
    variances, components = np.linalg.eigh(products * np.outer(scale, scale))
    kept = min(dim, len(variances))
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))
    size = np.sqrt(max(variances[-kept:].sum(), 1e-18) / (cells * dim))
    components = components[:, ::-1][:, :kept] @ rotation[:kept]
    there, back = scale[:, None] * components / size, components / scale[:, None] * size
    for task, part in columns.items():
        tasks[task] = replace(tasks[task], embedding=there[part])
    return {task: back[part].T for task, part in columns.items()}


def _products(
    batches: Batches, patch: int, tasks: dict[str, TaskStart], columns: dict[str, slice]
) -> tuple[Float[np.ndarray, "components components"], int]:
    """Products of the contributions along all axes of all tasks, summed over cells, and the cells.

    Only the cells of containers with sessions to come are held.
    """
    containers, width = batches.vocabulary.containers(), max(part.stop for part in columns.values())
    waiting = Counter(container for container, _ in batches.vocabulary.cell_rows().values())
    products = np.zeros((width, width))
    unfinished: dict[int, np.ndarray] = {}
    shares = _shares(batches, patch, tasks)
    for _, of_session in groupby(shares, lambda share: share.session_id):
        for share in of_session:
            empty = np.zeros((SIGNALS, len(containers[share.container]), width))
            part = unfinished.setdefault(share.container, empty)
            signals = len(share.contributions)
            part[:signals, share.rows, columns[share.task]] += share.contributions
        waiting[share.container] -= 1
        if not waiting[share.container]:
            products += _product(unfinished.pop(share.container))
    products += sum(map(_product, unfinished.values()))
    return products, sum(map(len, containers))


def _product(
    part: Float[np.ndarray, "signals cells components"],
) -> Float[np.ndarray, "components components"]:
    return np.tensordot(part, part, axes=((0, 1), (0, 1)))


class Share(NamedTuple):
    """What the cells of one session contribute to one task."""

    session_id: str
    task: str
    container: int
    rows: Int64[np.ndarray, " cells"]
    """Places of the session's cells among those of the container."""
    contributions: Float[np.ndarray, "signals cells components"]
    """Along the axes of the task, of the signals that it reads."""
    constants: Float[np.ndarray, " classes"]
    """What the discriminant adds to each class, 0 of a regression."""


def _shares(batches: Batches, patch: int, tasks: Mapping[str, TaskStart]) -> Iterator[Share]:
    """What the cells of each session contribute to each task along its axes.

    Sessions of one container share its cells: of a task that several show, a cell has the mean.
    """
    counts = _sessions_of_cells(batches)
    for windows in labelled_windows(batches, patch, "train"):
        own = tasks[windows.task]
        tuning = windows.of_signals(own.signals).tuning()
        likely = own.prior.posterior(tuning)
        weight = contributions(tuning, likely, own.chosen[0], windows.is_regression)
        container, rows = batches.vocabulary.cell_rows()[windows.session_id]
        part = np.sqrt(len(rows)) / counts[container, windows.task][rows]
        along = (weight.reshape(own.signals, len(rows), -1) @ own.axes) * part[:, None]
        added = np.zeros(1)
        if not windows.is_regression:
            added = constants(tuning, likely, weight, own.prior)
        yield Share(windows.session_id, windows.task, container, rows, along, added)


def _sessions_of_cells(batches: Batches) -> dict[tuple[int, str], Float[np.ndarray, " cells"]]:
    """By container and task, how many sessions show the task with each of the cells."""
    vocabulary = batches.vocabulary
    train = (batches.trials["split"] == "train").to_numpy()
    learnt = {task: train & has_label(target) for task, target in batches.targets.items()}
    containers = vocabulary.containers()
    counts: dict[tuple[int, str], np.ndarray] = {}
    for session_id, trials in batches.trials.groupby("session_id", sort=False).indices.items():
        if session_id not in vocabulary.cell_rows():
            continue
        container, rows = vocabulary.cell_rows()[session_id]
        for task, known in learnt.items():
            if np.count_nonzero(known[trials]) > 1:
                none = np.zeros(len(containers[container]))
                counts.setdefault((container, task), none)[rows] += 1
    return counts


def _set_head(
    decoder: Decoder, task: str, own: TaskStart, back: Float[np.ndarray, "dim components"]
) -> None:
    """Let a head read the classes off what the embeddings sum up."""
    head, times = decoder.head(task), len(own.time)
    readout = own.chosen[1] * back @ own.axes.T
    weight = readout.reshape(len(readout), -1, times) @ own.prior.time_weight
    lengths = [len(steps) for steps in np.array_split(np.arange(head.steps), times)]
    weight = np.repeat(weight / lengths, lengths, axis=2) * head.steps
    weight = np.moveaxis(weight, (0, 1, 2), (2, 0, 1))
    head.set_weight(torch.from_numpy(weight.reshape(head.out_features, -1)))


@torch.no_grad()
def _mean_outputs(
    decoder: Decoder, batches: Batches
) -> Iterator[tuple[str, str, Float[np.ndarray, " outputs"]]]:
    """Mean of each head's outputs over the labelled training windows of each session."""
    decoder.eval()
    train = (batches.trials["split"] == "train").to_numpy()
    ordered = batches.ordered(train & batches.decodable)
    for session_id, group in groupby(ordered, lambda batch: batch.session_id):
        sums: dict[str, np.ndarray] = {}
        counts: Counter[str] = Counter()
        for batch in group:
            read = activations(decoder, "readout", batch)
            for i, task in enumerate(batch.tasks):
                known = torch.from_numpy(has_label(batches.targets[task][batch.trials]))
                output = decoder.head(task)(read[known, i :: len(batch.tasks)]).double()
                sums[task] = sums.get(task, np.zeros(())) + output.sum(dim=0).numpy()
                counts[task] += len(output)
        for task, total in sums.items():
            if counts[task]:
                yield session_id, task, total / counts[task]
