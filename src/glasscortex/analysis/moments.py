"""How activations, and the codes of their units, vary from window to window and with labels."""

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

from glasscortex.analysis.removal import EncodedBatch
from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import has_label
from glasscortex.decoder.hooks import activations
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import Dictionary

RIDGE = 0.01
"""Penalty of a probe's weights, in mean variances of a direction."""


class Moments:
    """Second moments of activations at a hook, over the presentations of some sessions.

    Parameters
    ----------
    decoder : Decoder
    sae : Dictionary
    sessions : iterable of tuple
        Windows of each session, and which of its presentations count.
    seed : int
        Of the windows that others are exchanged with.

    Attributes
    ----------
    gram : ndarray, shape (units, units)
        Mean over tokens of the product of what any two units change when their codes become
        another window's: its sum over a set is the mean squared ‖Δx‖ of resampling it.
    exchanged : Tensor, shape (dim, dim)
        The same of the activations themselves, by direction.
    covariance : Tensor, shape (dim, dim)
        Of windows, within batches.
    tuning : dict of Tensor, shape (dim, outputs)
        By task, covariance of windows with its classes, or with its value.
    responses : dict of Tensor, shape (units, outputs)
        By classification task, mean activation of each unit on presentations of each class; 0 for
        one that is not shown.
    """

    @torch.no_grad()
    def __init__(
        self,
        decoder: Decoder,
        sae: Dictionary,
        sessions: Iterable[tuple[Batches, np.ndarray]],
        seed: int,
    ):
        encoded = EncodedBatch(sae)
        gram, tokens = torch.zeros(sae.d_sae, sae.d_sae), 0
        self.exchanged = torch.zeros(sae.d_in, sae.d_in)
        self.covariance = torch.zeros(sae.d_in, sae.d_in)
        self.tuning = {
            task: torch.zeros(sae.d_in, head.outputs)
            for task, head in decoder.vocabulary.tasks.items()
        }
        sums = {task: torch.zeros(sae.d_sae, part.shape[1]) for task, part in self.tuning.items()}
        shown = {task: torch.zeros(part.shape[1]) for task, part in self.tuning.items()}
        for batches, mask in sessions:
            for batch in batches.ordered(mask & batches.decodable):
                x = activations(decoder, str(sae.hook), batch)
                codes = encoded.exchanged(x, None, batch, seed).flatten(1)
                change = (x[encoded.donors(None, batch, seed)] - x).flatten(0, 1)
                gram += codes @ codes.T
                self.exchanged += change.T @ change
                tokens += len(change)
                windows = _centred(x.mean(1))
                self.covariance += windows.T @ windows
                responses = encoded.codes(x, batch).mean(2)
                for task in batch.tasks:
                    target = batches.targets[task][batch.trials]
                    known = torch.from_numpy(has_label(target))
                    labels = _labels(target[known.numpy()], len(shown[task]))
                    self.tuning[task] += windows[known].T @ _centred(labels)
                    sums[task] += responses[:, known] @ labels
                    shown[task] += labels.sum(0)
        self.responses = {
            task: part / shown[task].clamp(min=1)
            for task, part in sums.items()
            if decoder.vocabulary.tasks[task].classes
        }
        self.gram = (gram / tokens * (encoded.atoms @ encoded.atoms.T)).double().numpy()
        self.exchanged /= tokens

    def change(self, units: tuple[int, ...]) -> float:
        """Root mean square ‖Δx‖ of resampling these units."""
        return float(np.sqrt(self.gram[np.ix_(units, units)].sum()))

    def projection(
        self, task: str, rank: int, change: float, probe: bool
    ) -> Float[Tensor, "dim dim"]:
        """Onto the directions that carry a task's labels, times what makes ‖Δx‖ a given one.

        Parameters
        ----------
        task : str
        rank : int
            Most directions.
        change : float
            Root mean square of ‖Δx‖ when they are exchanged with another window's.
        probe : bool
            The directions that a ridge regression of the labels reads, or those along which the
            labels move the activations.
        """
        directions = self.tuning[task]
        if probe:
            ridge = RIDGE * self.covariance.diagonal().mean() * torch.eye(len(directions))
            directions = torch.linalg.solve(self.covariance + ridge, directions)
        basis, sizes, _ = torch.linalg.svd(directions, full_matrices=False)
        basis = basis[:, :rank][:, sizes[:rank] > 1e-4 * sizes[0]]
        onto = basis @ basis.T
        return onto * change / (onto @ self.exchanged).trace().sqrt()


def _centred(x: Float[Tensor, "windows columns"]) -> Float[Tensor, "windows columns"]:
    return x - x.mean(0)


def _labels(
    target: Shaped[np.ndarray, " windows"], outputs: int
) -> Float[Tensor, "windows outputs"]:
    """Indicators of classes, or values."""
    goal = torch.from_numpy(target)
    return goal[:, None] if goal.is_floating_point() else F.one_hot(goal, outputs).float()
