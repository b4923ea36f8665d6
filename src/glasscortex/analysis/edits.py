"""How well a session is decoded with its activations edited in many ways at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor

from glasscortex.data.batches import Batch, Batches
from glasscortex.decoder.evaluate import Edit
from glasscortex.decoder.hooks import replacing
from glasscortex.decoder.model import Decoder
from glasscortex.tasks import label_column

AT_ONCE = 512
"""Windows that pass the rest of the decoder together, of one edit or of several."""

Score = Literal["headline", "loss"]
"""Accuracy or R², or what training lowers: nats, or the squared error over the variance."""


Scores = dict[str, Float[np.ndarray, " edits"]]  # by task


@dataclass(frozen=True)
class Series:
    """Edits, and what is asked under each of them.

    Attributes
    ----------
    tasks : that are decoded
    edits : of the activations
    goals : an output an edit, or several of a single edit; if there are any, the score is the share
        of windows with other labels that are decoded as it, one a goal
    """

    tasks: tuple[str, ...]
    edits: Sequence[Edit]
    goals: Sequence[int] = ()


def session_scores(
    decoder: Decoder,
    hook: str,
    batches: Batches,
    mask: Bool[np.ndarray, " presentations"],
    series: Sequence[Series],
    score: Score = "headline",
) -> list[Scores]:
    """Scores of one session's tasks under every edit.

    The model before the hook runs once a batch, the rest once an edit and only for the tasks
    asked for; edits of few windows pass it together.

    Parameters
    ----------
    decoder : Decoder
        In evaluation mode.
    hook : str
        Name of the place that is edited.
    batches : Batches
        Windows of the session.
    mask : ndarray of bool, shape (presentations,)
        Which of them.
    series : sequence of Series
    score : str
        Which one.

    Returns
    -------
    list of dict
        A series each: scores by task, one an edit or goal; NaN for a value that does not vary,
        nothing for a task without labels.
    """
    sums = [
        {task: np.zeros(len(part.goals or part.edits)) for task in part.tasks} for part in series
    ]
    labels = {task: batches.trials[label_column(task)].to_numpy() for task in batches.targets}
    known = {task: mask & batches.decodable & np.isfinite(labels[task]) for task in labels}
    for batch in batches.ordered(mask & batches.decodable):
        latents = decoder.until(hook, batch)
        targets = {
            task: (torch.from_numpy(known[task][batch.trials]), batches.targets[task][batch.trials])
            for task in batch.tasks
        }
        for part, total in zip(series, sums, strict=True):
            tasks = tuple(t for t in batch.tasks if t in total and bool(targets[t][0].any()))
            if not tasks or not part.edits:
                continue
            for place, outputs in _outputs(decoder, hook, latents, batch, tasks, part.edits):
                for task, output in outputs.items():
                    rows, target = targets[task]
                    output, target = output[:, rows], target[rows.numpy()]
                    if part.goals:
                        place = slice(None) if len(part.edits) == 1 else place
                        said, goals = output.argmax(-1).numpy(), _column(part.goals[place])
                        total[task][place] += ((said == goals) & (target != goals)).sum(axis=1)
                    else:
                        total[task][place] += _summed(output, target, score)
    return [
        {
            task: (
                _turned(total[task], batches.targets[task][known[task]], part.goals)
                if part.goals
                else _score(total[task], batches.targets[task][known[task]], score)
            )
            for task in part.tasks
            if known[task].any()
        }
        for part, total in zip(series, sums, strict=True)
    ]


def _outputs(
    decoder: Decoder,
    hook: str,
    latents: Float[Tensor, "windows latents dim"],
    batch: Batch,
    tasks: tuple[str, ...],
    edits: Sequence[Edit],
) -> Iterator[tuple[slice, dict[str, Float[Tensor, "edits windows outputs"]]]]:
    """Outputs under some edits at a time, side by side along the windows."""
    asked, windows = replace(batch, tasks=tasks), len(batch.trials)
    step = max(1, AT_ONCE // windows)
    for first in range(0, len(edits), step):
        some = edits[first : first + step]

        def edited(x: Tensor, some: Sequence[Edit] = some) -> Tensor:
            return torch.cat([edit(x[:windows], batch) for edit in some])

        with replacing(decoder, hook, edited):
            outputs = decoder.since(hook, latents.repeat(len(some), 1, 1), asked)
        shape = len(some), windows
        place = slice(first, first + len(some))
        yield place, {task: output.unflatten(0, shape) for task, output in outputs.items()}


def _summed(
    output: Float[Tensor, "edits windows outputs"],
    target: Shaped[np.ndarray, " windows"],
    score: Score,
) -> Float[np.ndarray, " edits"]:
    """Squared errors of values; of classes, how many are right, or the nats that are missed.

    A class that the session's training split lacks is never right, and no nats are asked of it.
    """
    goal = torch.from_numpy(target)
    if goal.is_floating_point():
        return (output[..., 0] - goal).square().sum(1).numpy()
    if score == "headline":
        return (output.argmax(-1) == goal).sum(1).numpy()
    nats = F.cross_entropy(
        output.movedim(-1, 1), goal.expand(len(output), -1), ignore_index=-1, reduction="none"
    )
    return nats.sum(1).numpy()


def _column(goals: Sequence[int]) -> Int64[np.ndarray, "edits 1"]:
    return np.array(goals, np.int64)[:, None]


def _turned(
    total: Float[np.ndarray, " edits"],
    target: Int64[np.ndarray, " presentations"],
    goals: Sequence[int],
) -> Float[np.ndarray, " edits"]:
    others = (target != _column(goals)).sum(axis=1)
    return total / np.where(others > 0, others, np.nan)


def _score(
    total: Float[np.ndarray, " edits"],
    target: Shaped[np.ndarray, " presentations"],
    score: Score,
) -> Float[np.ndarray, " edits"]:
    if target.dtype.kind == "f":
        variance = np.square(target - target.mean(dtype=np.float64)).sum()
        unexplained = total / (variance if variance > 0 else np.nan)
        return 1 - unexplained if score == "headline" else unexplained
    return total / len(target)
