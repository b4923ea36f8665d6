"""Where training starts: at what linear decoders of the single sessions know.

From random embeddings, which differ from session to session, the sessions have to agree on what
each feature means before a weak signal can be learnt; the direction of motion beyond its
orientation never was, and movies hardly (docs/decisions.md). How much a cell says about the
classes of all tasks means the same in every session. So the cells' embeddings start there, and
the heads at the linear discriminant of what the transformer then reads.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits
from torch import Tensor

from glasscortex.data.batches import Batch, Batches
from glasscortex.data.vocabulary import has_label
from glasscortex.decoder.hooks import reading
from glasscortex.decoder.model import Decoder
from glasscortex.errors import InputError

PROJECTION = "start.safetensors"

SHRINKAGE = 0.5
"""Share of a covariance that is replaced by its mean variance on the diagonal."""

HEAD_SHRINKAGES = (0.5, 0.8, 0.95, 0.99)
"""Candidates of the same for the heads."""

HEAD_FACTORS = tuple(2.0**-i for i in range(8))
"""Candidates of what multiplies the outputs of a head."""


@dataclass(frozen=True)
class Projection:
    """The map from a cell's linear weights to its embedding, the same for every session."""

    scale: Float[Tensor, " classes"]
    """What each weight is divided by, so that tasks weigh alike."""
    centre: Float[Tensor, " classes"]
    """Mean of the scaled weights."""
    axes: Float[Tensor, "classes dim"]
    """From the scaled, centred weights to the embedding."""

    def __call__(self, weights: Float[Tensor, "cells classes"]) -> Float[Tensor, "cells dim"]:
        """Embeddings of cells, also of sessions that the projection was not learnt from."""
        return ((weights / self.scale - self.centre) @ self.axes).float()

    def save(self, folder: Path) -> None:
        """Write `start.safetensors` into `folder`."""
        save_file(vars(self), folder / PROJECTION)

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
        return cls(**load_file(folder / PROJECTION))


def start(decoder: Decoder, batches: Batches, seed: int) -> Projection:
    """Give the cells' embeddings and the heads their start, from the training split.

    Passes twice over the training windows, and once over those of validation, which choose the
    heads' regularisation. Memory grows with cells × classes.

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
    if not decoder.transformer.STARTS_LINEAR:
        raise InputError("this architecture starts at random: train model untrained, not start")
    with threadpool_limits(1):  # the same bytes on any number of cores
        embeddings, projection = cell_embeddings(batches, decoder.config.dim, seed)
        _set_cells(decoder, embeddings)
        start_heads(decoder, batches)
    return projection


def start_cells(decoder: Decoder, batches: Batches, projection: Projection) -> None:
    """Give the cells' embeddings the start that those of other sessions had.

    Parameters
    ----------
    decoder : changed in place
    batches : windows and targets; the training split is used
    projection : what `start` returned for the other sessions
    """
    with threadpool_limits(1):
        _set_cells(decoder, map(projection, linear_weights(batches)))


def _set_cells(decoder: Decoder, embeddings: Iterable[Float[Tensor, "cells dim"]]) -> None:
    for parameter, embedding in zip(decoder.cell_embeddings, embeddings, strict=True):
        parameter.data.copy_(embedding)


def cell_embeddings(
    batches: Batches, dim: int, seed: int
) -> tuple[list[Float[Tensor, "cells dim"]], Projection]:
    """Embeddings of the cells of each container, and the map to them from the linear weights.

    The principal components of `linear_weights` over all cells, every task scaled to weigh alike,
    turned at random so that all features weigh alike, too, and scaled to unit variance.

    Parameters
    ----------
    batches : windows and targets
    dim : features of an embedding
    seed : of the rotation
    """
    weights = linear_weights(batches)
    stacked = torch.cat(weights)
    scale = torch.ones(stacked.shape[1], dtype=stacked.dtype)
    for columns in _columns(batches).values():
        scale[columns] = torch.linalg.norm(stacked[:, columns]).clamp_min(1e-9)
    scaled = (stacked / scale).numpy()
    kept = min(dim, *scaled.shape)
    components, pca = np.zeros((len(scaled), dim)), PCA(kept, svd_solver="covariance_eigh")
    components[:, :kept] = pca.fit_transform(scaled)
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))
    embeddings = components @ rotation
    axes = pca.components_.T @ rotation[:kept] / embeddings.std()
    projection = Projection(scale, *map(torch.from_numpy, (pca.mean_, axes)))
    embeddings = torch.from_numpy(embeddings / embeddings.std()).float()
    return list(embeddings.split([len(cells) for cells in weights])), projection


def linear_weights(batches: Batches) -> list[Float[Tensor, "cells classes"]]:
    """Weight of every cell in a linear decoder of every class, container by container.

    With x the mean of a window and y the label, one-hot for a class and standardised for a
    regression, the weights are C⁻¹ Σ (x − x̄) y / √Σ y², where C is the shrunk covariance of x
    over the training windows of one stimulus in one session. What a cell was not shown has 0.
    """
    heads, columns = batches.vocabulary.tasks, _columns(batches)
    classes = sum(head.outputs for head in heads.values())
    containers = batches.vocabulary.containers()
    weights = [torch.zeros(len(cells), classes, dtype=torch.float64) for cells in containers]
    for group in _groups(batches):
        rows = np.concatenate([batch.trials for batch in group])
        activity = torch.cat([batch.values.mean(dim=2) for batch in group]).double()
        for task in group[0].tasks:
            target = batches.targets[task][rows]
            known = has_label(target)
            if known.sum() < 2:
                continue
            x = activity[torch.from_numpy(known)]
            x = x - x.mean(dim=0)
            y = _encoded(torch.from_numpy(target[known]), heads[task].outputs)
            tuning = x.T @ y / y.square().sum(dim=0).sqrt().clamp_min(1e-6)
            decoded = torch.linalg.solve(_shrunk(x.T @ x / len(x), SHRINKAGE), tuning)
            cells = group[0].cells[:, None]
            weights[group[0].container][cells, torch.arange(classes)[columns[task]]] += decoded
    return weights


@torch.no_grad()
def start_heads(decoder: Decoder, batches: Batches) -> None:
    """Set each head to the linear discriminant, or the ridge regression, of its readout.

    Fisher's discriminant with a shrunk covariance within classes, over the training windows of
    all sessions: logits W x + b with W = C⁻¹ μ_k and b = −½ μ_k C⁻¹ μ_k + ln (share of k), of
    readouts less their mean. The steps of a window stand side by side in x.

    Cells and heads start at the same windows, so that the discriminant is too sure of itself, the
    more the fewer they are. The shrinkage, and a factor on the outputs, are those with the least
    loss on validation (temperature scaling, Guo et al. 2017, arXiv 1706.04599).
    """
    decoder.eval()
    sums = {}
    for batch in (batch for group in _groups(batches) for batch in group):
        for task, x, target in _readouts(decoder, batches, batch):
            y = _encoded(target, batches.vocabulary.tasks[task].outputs)
            ones = torch.ones(len(x), 1, dtype=torch.float64)
            added = [m.T @ n for m, n in ((x, x), (y, x), (y, ones), (ones, x))]
            sums[task] = [a + b for a, b in zip(sums[task], added)] if task in sums else added
    candidates = {}
    for task, totals in sums.items():
        fit = _discriminant if batches.vocabulary.tasks[task].classes else _ridge
        candidates[task] = [fit(*totals, shrinkage) for shrinkage in HEAD_SHRINKAGES]
    losses = {task: torch.zeros(len(HEAD_SHRINKAGES), len(HEAD_FACTORS)) for task in candidates}
    for batch in batches.ordered((batches.trials["split"] == "validation").to_numpy()):
        for task, x, target in _readouts(decoder, batches, batch):
            for row, (weight, bias) in zip(losses[task], candidates[task]):
                row += _losses(F.linear(x, weight, bias), target)
    for task, loss in losses.items():
        chosen, factor = divmod(int(loss.argmin()), len(HEAD_FACTORS))
        weight, bias = (HEAD_FACTORS[factor] * part for part in candidates[task][chosen])
        decoder.heads[task].start(weight, bias)


def _readouts(
    decoder: Decoder, batches: Batches, batch: Batch
) -> Iterator[tuple[str, Float[Tensor, "windows features"], Tensor]]:
    """What each head reads of the windows that it has a label for, and the labels."""
    with reading(decoder, "readout") as seen:
        decoder(batch)
    for i, task in enumerate(batch.tasks):
        target = batches.targets[task][batch.trials]
        known = torch.from_numpy(has_label(target))
        x = decoder.heads[task].features(seen.value[known, i :: len(batch.tasks)])
        yield task, x.double(), torch.from_numpy(target)[known]


def _losses(output: Float[Tensor, "windows outputs"], target: Tensor) -> Float[Tensor, " factors"]:
    """Sum over windows of the loss of the outputs times each factor."""
    if target.is_floating_point():
        losses = [F.mse_loss(f * output[:, 0], target, reduction="sum") for f in HEAD_FACTORS]
    else:
        losses = [F.cross_entropy(f * output, target, reduction="sum") for f in HEAD_FACTORS]
    return torch.stack(losses).float()


def _ridge(xx: Tensor, yx: Tensor, y: Tensor, x: Tensor, shrinkage: float) -> tuple[Tensor, Tensor]:
    """As `_discriminant`, of standardised labels."""
    return torch.linalg.solve(_shrunk(xx, shrinkage), yx.T).T, torch.zeros_like(y[:, 0])


def _discriminant(
    xx: Tensor, yx: Tensor, y: Tensor, x: Tensor, shrinkage: float
) -> tuple[Tensor, Tensor]:
    """Weights and biases from Σ x xᵀ, Σ y xᵀ, Σ y and Σ xᵀ with y one-hot."""
    windows = y.sum()
    mean = x / windows
    centres = torch.where(y > 0, yx / y.clamp_min(1) - mean, 0.0)
    within = (xx - windows * mean.T @ mean - centres.T @ (y * centres)) / windows
    weight = torch.linalg.solve(_shrunk(within, shrinkage), centres.T).T
    constant = -0.5 * (weight * centres).sum(dim=1) - (weight @ mean.T)[:, 0]
    return weight, constant + (y[:, 0] / windows).clamp_min(1e-9).log()


def _shrunk(covariance: Tensor, shrinkage: float) -> Tensor:
    variance = covariance.diagonal().mean().clamp_min(1e-12)
    identity = torch.eye(len(covariance), dtype=covariance.dtype)
    return (1 - shrinkage) * covariance + shrinkage * variance * identity


def _groups(batches: Batches):
    """The training batches of each session and stimulus."""
    train = (batches.trials["split"] == "train").to_numpy()
    group: list[Batch] = []
    for batch in batches.ordered(train):
        if group and (batch.session_id, batch.stimulus) != (
            group[0].session_id,
            group[0].stimulus,
        ):
            yield group
            group = []
        group.append(batch)
    if group:
        yield group


def _columns(batches: Batches) -> dict[str, slice]:
    """Where the classes of each task stand among all."""
    heads = batches.vocabulary.tasks
    ends = np.cumsum([head.outputs for head in heads.values()])
    return {name: slice(end - heads[name].outputs, end) for name, end in zip(heads, ends)}


def _encoded(target: Tensor, outputs: int) -> Float[Tensor, "presentations outputs"]:
    """Labels as numbers: one-hot for classes, float64."""
    if target.is_floating_point():
        return target[:, None].double()
    return F.one_hot(target, outputs).double()
