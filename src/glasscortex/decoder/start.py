"""Where training starts: at the best linear decoder of each session that all sessions tell.

From random embeddings, which differ from session to session, the sessions have to agree on what
each feature means before a weak signal can be learnt; the direction of motion beyond its
orientation never was, and movies hardly (docs/decisions.md). What a cell responds to means the same
in every session, and what responses are likely all sessions tell together (`tuning`). So a cell's
embedding is what it contributes to the linear discriminant of its session along the principal axes
of tuning, which all sessions share, and the heads read the classes off these axes. A session's own
bias completes its discriminant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
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

FACTORS = tuple(2.0**-i for i in range(8))
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
    that it then reads. Memory grows with cells × the principal axes of all tasks, and holds
    one session's windows.

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
        chosen = _choose(batches, patch, priors)
        axes = {task: prior.axes(most=decoder.config.dim) for task, prior in priors.items()}
        embeddings = _embeddings(
            batches, patch, priors, chosen, axes, decoder.config.dim, seed
        )
        projection = Projection()
        for task, (there, back) in embeddings.items():
            prior = priors[task]
            parts_of = prior.covariance, prior.time, axes[task], there, np.array(chosen[task])
            projection[task] = TaskStart(*parts_of)
            _set_head(decoder, task, chosen[task][1] * back @ axes[task].T, prior)
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
        for shown in _shown(batches, patch, "train"):
            known = projection[shown.task]
            shrinkage, factor = known.chosen
            tuning, (container, rows) = shown.tuning(), vocabulary.cell_rows()[shown.session_id]
            likely = known.prior.posterior(tuning)
            weight = _contributions(tuning, likely, shrinkage, shown.head.classes is None)
            along = weight.reshape(len(weight), -1) @ known.axes @ known.embedding
            embeddings[container][rows] += np.sqrt(len(rows)) * along
            if shown.head.classes:
                constant = factor * _constants(tuning, likely, weight, known.prior)
                decoder.own.add(shown.session_id, shown.task, constant)
        for parameter, embedding in zip(decoder.cell_embeddings, embeddings, strict=True):
            parameter.data.copy_(torch.from_numpy(embedding))
        for session_id, task, mean in _mean_outputs(decoder, batches):
            decoder.own.add(session_id, task, -mean)


def learn_priors(batches: Batches, patch: int) -> dict[str, Prior]:
    """How cells are tuned to each task, told by all sessions together."""
    evidence = {task: Evidence() for task in batches.vocabulary.tasks}
    for shown in _shown(batches, patch, "train"):
        evidence[shown.task].add(shown.tuning())
    return {task: told.prior() for task, told in evidence.items() if told.cells}


def _choose(
    batches: Batches, patch: int, priors: dict[str, Prior]
) -> dict[str, tuple[float, float]]:
    """By task the shrinkage and the factor with the least loss on validation."""
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
    chosen = {task: np.unravel_index(loss.argmin(), loss.shape) for task, loss in losses.items()}
    return {task: (SHRINKAGES[i], FACTORS[j]) for task, (i, j) in chosen.items()}


def _embeddings(
    batches: Batches,
    patch: int,
    priors: dict[str, Prior],
    chosen: dict[str, tuple[float, float]],
    axes: dict[str, Float[np.ndarray, "features components"]],
    dim: int,
    seed: int,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By task the maps from contributions along its axes to the embedding, and back.

    The embeddings are the principal components of the contributions to all tasks, every task
    scaled to weigh alike, turned at random so that all features weigh alike, too, and of unit
    mean square.
    """
    ends = np.cumsum([part.shape[1] for part in axes.values()])
    columns = {task: slice(end - axes[task].shape[1], end) for task, end in zip(axes, ends)}
    containers = batches.vocabulary.containers()
    stacked = [np.zeros((len(cells), ends[-1]), np.float32) for cells in containers]
    for shown in _shown(batches, patch, "train"):
        tuning, prior = shown.tuning(), priors[shown.task]
        likely, (shrinkage, _) = prior.posterior(tuning), chosen[shown.task]
        weight = _contributions(tuning, likely, shrinkage, shown.head.classes is None)
        container, rows = batches.vocabulary.cell_rows()[shown.session_id]
        along = np.sqrt(len(rows)) * weight.reshape(len(weight), -1) @ axes[shown.task]
        stacked[container][rows, columns[shown.task]] += along
    products = sum(part.T.astype(np.float64) @ part for part in stacked)
    cells = sum(map(len, containers))
    scale = np.ones(ends[-1])
    for part in columns.values():
        scale[part] = max(np.trace(products[part, part]) / cells, 1e-18) ** -0.5
    variances, components = np.linalg.eigh(products * np.outer(scale, scale))
    kept = min(dim, len(variances))
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))
    size = np.sqrt(max(variances[-kept:].sum(), 1e-18) / (cells * dim))
    components = components[:, ::-1][:, :kept] @ rotation[:kept]
    there, back = scale[:, None] * components / size, components / scale[:, None] * size
    return {task: (there[part], back[part].T) for task, part in columns.items()}


def _set_head(
    decoder: Decoder, task: str, readout: Float[np.ndarray, "dim features"], prior: Prior
) -> None:
    """Let a head read the classes off what the embeddings sum up."""
    head, times = decoder.heads[task], len(prior.time)
    weight = readout.reshape(len(readout), -1, times) @ prior.time_weight
    steps = np.array_split(np.arange(head.steps), times)
    stretched = [np.repeat(weight[..., [i]] / len(s), len(s), axis=2) for i, s in enumerate(steps)]
    stretched = np.moveaxis(np.concatenate(stretched, axis=2), (0, 2), (2, 1)) * head.steps
    head.start(torch.from_numpy(stretched.reshape(head.out_features, -1)))


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
        for batch in group:
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
