"""How sure each session's outputs are, chosen on validation.

What is learnt from a few windows is too sure of itself, in some sessions more than in others. A
factor on the outputs of each session and task mends that (`glasscortex.decoder.temperature`); it is
the only thing chosen here, and stored in `SessionOutputs.gain`. The bias beside it comes with the
start, in closed form. For a regression the gain goes down to 0, where the mean of the training
split is what is predicted.
"""

import numpy as np
import torch
from jaxtyping import Float, Shaped

from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import has_label
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.temperature import GAINS, cross_entropies

OF_REGRESSION = np.array([*GAINS, 0.0])
"""Candidates of a regression; a classification has no 0."""


@torch.no_grad()
def calibrate(decoder: Decoder, batches: Batches, regressions: bool = True) -> None:
    """Set the gain of each session and task to what its validation windows prefer.

    The session's own windows and those of all sessions that show the task count alike, so that a
    handful of windows do not choose alone. A regression keeps its gains only where the sessions
    agree that it beats the mean. Without a label on validation gains stay 1.

    Parameters
    ----------
    decoder : Decoder
        Changed in place.
    batches : Batches
        Windows and targets; the validation split is used.
    regressions : bool
        Whether their gains are chosen, too; else they are 1.
    """
    decoder.eval()
    decoder.own.gain.fill_(1)
    losses: dict[str, dict[int, np.ndarray]] = {}
    counts: dict[tuple[str, int], int] = {}
    validation = (batches.trials["split"] == "validation").to_numpy()
    for batch in batches.ordered(validation & batches.decodable):
        for task, output in decoder(batch).items():
            target = batches.targets[task][batch.trials]
            known = has_label(target)
            if not known.any() or (target.dtype.kind == "f" and not regressions):
                continue
            loss = _losses(output.numpy()[known], target[known])
            of_task = losses.setdefault(task, {})
            of_task[batch.session] = of_task.get(batch.session, 0) + loss
            key = task, batch.session
            counts[key] = counts.get(key, 0) + int(known.sum())
    for task, of_task in losses.items():
        windows = np.array([counts[task, session] for session in of_task])
        own = np.stack(list(of_task.values()))
        best = (own + windows[:, None] * own.sum(axis=0) / windows.sum()).argmin(axis=1)
        gained = (own[:, -1] - own[np.arange(len(own)), best]) / windows
        if batches.vocabulary.tasks[task].classes is None and not sessions_agree(gained):
            best[:] = -1
        gains = torch.from_numpy(OF_REGRESSION[best]).float()
        decoder.own.gain[list(of_task), decoder.own.tasks[task]] = gains


def sessions_agree(gained: Float[np.ndarray, " sessions"]) -> bool:
    """Whether sessions gain, by twice the standard error over sessions.

    Neighbouring windows tell the same of a behaviour that drifts, so sessions are what counts; of
    fewer than three nothing can be said, and their sum decides.

    Parameters
    ----------
    gained : ndarray, shape (sessions,)
        By how much the loss of each fell.

    Returns
    -------
    bool
        Whether they do.

    Examples
    --------
    >>> sessions_agree(np.array([3.0, 2.0, 4.0])), sessions_agree(np.array([9.0, 0.0, 0.0]))
    (True, False)
    """
    if len(gained) < 3:
        return bool(gained.sum() > 0)
    return bool(gained.mean() > 2 * gained.std(ddof=1) / np.sqrt(len(gained)))


def _losses(
    output: Float[np.ndarray, "windows outputs"], target: Shaped[np.ndarray, " windows"]
) -> Float[np.ndarray, " gains"]:
    """Sum over windows of the loss with each gain."""
    if target.dtype.kind == "f":
        return np.square(OF_REGRESSION[:, None] * output[:, 0] - target).sum(axis=1)
    return cross_entropies(output, target)
