"""Where training starts: at the best linear decoder of each session that all sessions tell.

From random embeddings, which differ from session to session, the sessions have to agree on what
each feature means before a weak signal can be learnt; the direction of motion beyond its
orientation never was, and movies hardly (docs/decisions.md). What a cell responds to means the same
in every session, and what responses are likely all sessions tell together (`tuning`). So a cell's
embedding is what it contributes to the linear discriminant of its session along the principal axes
of tuning, which all sessions share, and the heads read the classes off these axes. A session's own
bias completes its discriminant.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors.numpy import load_file, save_file
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import Head, has_label
from glasscortex.decoder.hooks import reading
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.tuning import Evidence, Prior, Tuning, parts
from glasscortex.errors import InputError

PROJECTION = "start.safetensors"

PARTS = 5
"""Most parts of a window in which the response to a class is told apart."""

SHRINKAGES = (0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
"""Candidates of the share of the noise's covariance that its mean variance replaces."""

FACTORS = tuple(2.0**i for i in range(3, -6, -1))
"""Candidates of what multiplies the outputs of a head."""


@dataclass(frozen=True)
class TaskStart:
    """What gives the cells of a session their start in one task, the same for every session."""

    covariance: Float[np.ndarray, "features features"]
    """Of the prior of the cells' tuning."""
    time: Float[np.ndarray, "times times"]
    """Covariance of the noise in time."""
    axes: Float[np.ndarray, "features components"]
    """Principal axes of tuning."""
    embedding: Float[np.ndarray, "components dim"]
    """From what cells contribute along the axes to their embeddings."""
    chosen: Float[np.ndarray, "2"]
    """Shrinkage of the noise's covariance, and what multiplies the outputs."""

    @property
    def prior(self) -> Prior:
        return Prior(self.covariance, self.time)


class Projection(dict[str, TaskStart]):
    """By task what gives the cells of a session their start."""

    def save(self, folder: Path) -> None:
        """Write `start.safetensors` into `folder`."""
        arrays = {f"{task}.{k}": v for task, part in self.items() for k, v in vars(part).items()}
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / PROJECTION)

    @classmethod
    def load(cls, folder: Path) -> "Projection":
        """The projection that `save` wrote.

        Raises
        ------
        InputError
            There is none.
        """
        if not (folder / PROJECTION).is_file():
            raise InputError(f"{folder} holds no {PROJECTION}: train the decoder again")
        parts_of: dict[str, dict[str, np.ndarray]] = {}
        for name, array in load_file(folder / PROJECTION).items():
            task, _, part = name.rpartition(".")
            parts_of.setdefault(task, {})[part] = array
        return cls({task: TaskStart(**arrays) for task, arrays in parts_of.items()})


@dataclass(frozen=True)
class Shown:
    """The windows of one session that have a label of one task."""

    session_id: str
    task: str
    activity: Float[np.ndarray, "windows cells times"]
    target: np.ndarray
    """As in `Vocabulary.targets`."""
    held_out: np.ndarray
    """Which windows are of the validation split."""
    head: Head

    def tuning(self) -> Tuning:
        """What the cells respond to, from the training split."""
        train = ~self.held_out
        return Tuning.of(self.activity[train], _encoded(self.target[train], self.head))


def start(decoder: Decoder, batches: Batches, seed: int) -> Projection:
    """Give the cells' embeddings, the heads and the sessions' biases their start.

    Passes four times over the training windows, and once over those of validation, which choose
    by task how far the noise's covariance is shrunk and what multiplies the outputs (temperature
    scaling, Guo et al. 2017, arXiv 1706.04599): the tuning of cells is told from the same windows
    that it then reads. Memory holds one session's windows, and the principal axes of all tasks
    for the cells of the containers whose sessions have not all been read.

    Parameters
    ----------
    decoder : changed in place
    batches : windows and targets
    seed : of the rotation of the embeddings

    Returns
    -------
    What gives the cells of other sessions their start; see `start_cells`

    Raises
    ------
    InputError
        The transformer is one that starts at random.
    """
    if not decoder.config.starts_linear:
        raise InputError("this architecture starts at random: train model untrained, not start")
    with threadpool_limits(1):  # the same bytes on any number of cores
        patch = decoder.config.patch_frames
        priors = learn_priors(batches, patch)
        tasks = _choose(batches, patch, priors, most=decoder.config.dim)
        back = _embed(batches, patch, tasks, decoder.config.dim, seed)
        projection = Projection(tasks)
        for task, known in projection.items():
            _set_head(decoder, task, known, back[task])
        start_cells(decoder, batches, projection)
    return projection


def start_cells(decoder: Decoder, batches: Batches, projection: Projection) -> None:
    """Give the cells' embeddings and the sessions' biases the start that those of others had.

    A session's bias makes the outputs those of its linear discriminant, the mean of the decoder's
    own outputs over the training windows being what it is.

    Parameters
    ----------
    decoder : changed in place
    batches : windows and targets; the training split is used
    projection : what `start` returned for the other sessions
    """
    vocabulary, patch = batches.vocabulary, decoder.config.patch_frames
    with threadpool_limits(1):
        embeddings = [np.zeros((len(c), decoder.config.dim)) for c in vocabulary.containers()]
        decoder.own.reset()
        for shown, container, rows, along, constants in _along(batches, patch, projection):
            known = projection[shown.task]
            embeddings[container][rows] += along @ known.embedding
            decoder.own.add(shown.session_id, shown.task, known.chosen[1] * constants)
        for parameter, embedding in zip(decoder.cell_embeddings, embeddings, strict=True):
            parameter.data.copy_(torch.from_numpy(embedding))
        for session_id, task, mean in _mean_outputs(decoder, batches):
            decoder.own.add(session_id, task, -mean)


def learn_priors(batches: Batches, patch: int) -> dict[str, Prior]:
    """How cells are tuned to each task, told by all sessions together."""
    evidence: dict[str, Evidence] = {}
    for shown in _shown(batches, patch, "train"):
        evidence.setdefault(shown.task, Evidence()).add(shown.tuning())
    return {task: told.prior() for task, told in evidence.items()}


def _choose(
    batches: Batches, patch: int, priors: dict[str, Prior], most: int
) -> dict[str, TaskStart]:
    """The principal axes of each task, and the shrinkage and factor that validation prefers."""
    losses = {task: np.zeros((len(SHRINKAGES), len(FACTORS))) for task in priors}
    for shown in _shown(batches, patch, "train", "validation"):
        if not shown.held_out.any():
            continue
        tuning, prior = shown.tuning(), priors[shown.task]
        likely, known = prior.posterior(tuning), tuning.weight > 0
        x = shown.activity - shown.activity[~shown.held_out].mean(axis=0)
        x, target = x[shown.held_out], shown.target[shown.held_out]
        for row, shrinkage in zip(losses[shown.task], SHRINKAGES):
            weight = _contributions(tuning, likely, shrinkage, shown.head.classes is None)
            output = np.einsum("nct,ckt->nk", x, weight @ prior.time_weight, optimize=True)
            if shown.head.classes:
                output = output + _constants(tuning, likely, weight, prior)
                output[:, ~known] = -np.inf
            row += [_loss(factor * output, target) for factor in FACTORS]
    found = {}
    for task, loss in losses.items():
        shrinkage, factor = np.unravel_index(loss.argmin(), loss.shape)
        chosen = np.array([SHRINKAGES[shrinkage], FACTORS[factor]])
        axes = priors[task].axes(most)
        embedding = np.eye(axes.shape[1])
        prior = priors[task]
        found[task] = TaskStart(prior.covariance, prior.time, axes, embedding, chosen)
    return found


def _embed(
    batches: Batches, patch: int, tasks: dict[str, TaskStart], dim: int, seed: int
) -> dict[str, Float[np.ndarray, "dim components"]]:
    """Set each task's map from contributions along its axes to the embedding; return those back.

    The embeddings are the principal components of the contributions to all tasks, every task
    scaled to weigh alike, turned at random so that all features weigh alike, too, and of unit
    mean square.
    """
    ends = np.cumsum([known.axes.shape[1] for known in tasks.values()])
    columns = {t: slice(end - k.axes.shape[1], end) for (t, k), end in zip(tasks.items(), ends)}
    containers = batches.vocabulary.containers()
    cells = sum(map(len, containers))
    waiting = Counter(container for container, _ in batches.vocabulary.cell_rows().values())
    products, unfinished = np.zeros((ends[-1], ends[-1])), {}
    along = _along(batches, patch, tasks)
    for _, session in groupby(along, lambda found: found[0].session_id):
        for shown, container, rows, contributions, _ in session:
            empty = np.zeros((len(containers[container]), ends[-1]))
            part = unfinished.setdefault(container, empty)
            part[rows, columns[shown.task]] += contributions
        waiting[container] -= 1
        if not waiting[container]:
            part = unfinished.pop(container)
            products += part.T @ part
    products += sum(part.T @ part for part in unfinished.values())
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


def _along(batches: Batches, patch: int, tasks: dict[str, TaskStart]):
    """What the cells of each session contribute to each task along its axes.

    Sessions of one container share its cells, and what they have both been shown counts as their
    mean.

    Yields
    ------
    What was shown, the container, its rows of the cells, contributions (cells, components), and
    what the discriminant adds to each class (classes,), 0 of a regression
    """
    shares = _shares(batches)
    for shown in _shown(batches, patch, "train"):
        known, is_regression = tasks[shown.task], shown.head.classes is None
        tuning, prior = shown.tuning(), known.prior
        likely = prior.posterior(tuning)
        weight = _contributions(tuning, likely, known.chosen[0], is_regression)
        container, rows = batches.vocabulary.cell_rows()[shown.session_id]
        share = np.sqrt(len(rows)) / shares[container, shown.task][rows]
        along = share[:, None] * (weight.reshape(len(weight), -1) @ known.axes)
        constants = np.zeros(1) if is_regression else _constants(tuning, likely, weight, prior)
        yield shown, container, rows, along, constants


def _shares(batches: Batches) -> dict[tuple[int, str], Float[np.ndarray, " cells"]]:
    """By container and task, how many sessions show the task with each of the cells."""
    vocabulary = batches.vocabulary
    train = (batches.trials["split"] == "train").to_numpy()
    learnt = {task: train & has_label(target) for task, target in batches.targets.items()}
    containers, shares = vocabulary.containers(), {}
    for session_id, trials in batches.trials.groupby("session_id", sort=False).indices.items():
        if session_id not in vocabulary.cell_rows():
            continue
        container, rows = vocabulary.cell_rows()[session_id]
        for task, known in learnt.items():
            if np.count_nonzero(known[trials]) > 1:
                count = shares.setdefault((container, task), np.zeros(len(containers[container])))
                count[rows] += 1
    return shares


def _set_head(
    decoder: Decoder, task: str, known: TaskStart, back: Float[np.ndarray, "dim components"]
) -> None:
    """Let a head read the classes off what the embeddings sum up."""
    head, times = decoder.heads[task], len(known.time)
    readout = known.chosen[1] * back @ known.axes.T
    weight = readout.reshape(len(readout), -1, times) @ known.prior.time_weight
    lengths = [len(steps) for steps in np.array_split(np.arange(head.steps), times)]
    weight = np.repeat(weight / lengths, lengths, axis=2) * head.steps
    weight = np.moveaxis(weight, (0, 1, 2), (2, 0, 1))
    head.start(torch.from_numpy(weight.reshape(head.out_features, -1)))


def _contributions(
    tuning: Tuning,
    likely: Float[np.ndarray, "cells classes times"],
    shrinkage: float,
    is_regression: bool,
) -> Float[np.ndarray, "cells classes times"]:
    """What each cell adds to a linear discriminant: C⁻¹ times the tuning, C that of the noise.

    Of a regression, to the mean of its label given the activity: divided by 1 + mᵀ C⁻¹ m.
    """
    variance = max(tuning.noise.diagonal().mean(), 1e-12)
    noise = (1 - shrinkage) * tuning.noise + shrinkage * variance * np.eye(len(tuning.noise))
    flat = likely.reshape(len(likely), -1)
    weight = np.linalg.solve(noise, flat)
    if is_regression:
        weight = weight / (1 + np.sum(flat * weight))
    return weight.reshape(likely.shape)


def _constants(
    tuning: Tuning,
    likely: Float[np.ndarray, "cells classes times"],
    weight: Float[np.ndarray, "cells classes times"],
    prior: Prior,
) -> Float[np.ndarray, " classes"]:
    """What the discriminant adds to each class: −½ mᵀ C⁻¹ m + ln (share of the windows)."""
    share = tuning.weight / tuning.windows
    return np.log(np.maximum(share, 1e-9)) - 0.5 * np.einsum(
        "ckt,ckt->k", likely, weight @ prior.time_weight
    )


def _loss(output: Float[np.ndarray, "windows outputs"], target: np.ndarray) -> float:
    """Sum over windows of the squared error, or of the cross-entropy."""
    if target.dtype.kind == "f":
        return float(np.square(output[:, 0] - target).sum())
    return float((logsumexp(output, axis=1) - output[np.arange(len(target)), target]).sum())


def _encoded(target: np.ndarray, head: Head) -> Float[np.ndarray, "windows outputs"]:
    """Labels as numbers: one-hot for classes, less their mean for a regression."""
    if head.classes is None:
        return (target - target.mean())[:, None].astype(np.float64)
    return np.eye(head.outputs)[target]


def _shown(batches: Batches, patch: int, *splits: str) -> Iterator[Shown]:
    """What each session was shown of each task, session by session."""
    split, tasks = batches.trials["split"].to_numpy(), batches.vocabulary.tasks
    ordered = batches.ordered(np.isin(split, splits))
    for session_id, group in groupby(ordered, lambda batch: batch.session_id):
        found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        for batch in group:
            for task in batch.tasks:
                known = has_label(batches.targets[task][batch.trials])
                if not known.any():
                    continue
                times = _times(tasks[task], patch)
                activity = parts(batch.values.numpy()[known], patch, times)
                found.setdefault(task, []).append((activity, batch.trials[known]))
        for task, read in found.items():
            activity, rows = map(np.concatenate, zip(*read))
            target, held_out = batches.targets[task][rows], split[rows] == "validation"
            if np.count_nonzero(~held_out) > 1:
                yield Shown(session_id, task, activity, target, held_out, tasks[task])


def _times(head: Head, patch: int) -> int:
    """Parts of the window in which the response to a class is told apart."""
    return min(PARTS, -(-head.samples // patch)) if head.classes else 1


@torch.no_grad()
def _mean_outputs(
    decoder: Decoder, batches: Batches
) -> Iterator[tuple[str, str, Float[np.ndarray, " outputs"]]]:
    """Mean of each head's outputs over the labelled training windows of each session."""
    decoder.eval()
    train = (batches.trials["split"] == "train").to_numpy()
    for session_id, group in groupby(batches.ordered(train), lambda batch: batch.session_id):
        sums, counts = {}, {}
        for batch in filter(lambda batch: batch.tasks, group):
            with reading(decoder, "readout") as seen:
                decoder(batch)
            for i, task in enumerate(batch.tasks):
                known = torch.from_numpy(has_label(batches.targets[task][batch.trials]))
                output = decoder.heads[task](seen.value[known, i :: len(batch.tasks)]).double()
                sums[task] = sums.get(task, 0) + output.sum(dim=0).numpy()
                counts[task] = counts.get(task, 0) + len(output)
        for task, total in sums.items():
            if counts[task]:
                yield session_id, task, total / counts[task]
