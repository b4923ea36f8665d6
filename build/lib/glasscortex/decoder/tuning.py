"""Where the embedding of a cell starts: at the cell's tuning on the training split.

From random embeddings, which differ from session to session, the sessions have to agree on what
each feature means before a weak signal can be learnt; the direction of motion beyond its
orientation never was (docs/decisions.md). A cell's responses to the classes of all tasks
mean the same in every session.
"""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits
from torch import Tensor

from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import has_label


def tuned_embeddings(batches: Batches, dim: int, seed: int) -> list[Float[Tensor, "cells dim"]]:
    """Embeddings of the cells of each container, from the labels of the training split.

    The principal components of `responses` over all cells, turned at random so that all features
    weigh alike, scaled to unit variance. Memory grows with cells × classes.

    Parameters
    ----------
    batches : windows and targets
    dim : features of an embedding
    seed : of the rotation
    """
    tuning = responses(batches)
    stacked = torch.cat(tuning).numpy()
    kept = min(dim, *stacked.shape)
    components = np.zeros((len(stacked), dim))
    with threadpool_limits(1, user_api="blas"):  # the same bytes on any number of cores
        components[:, :kept] = PCA(kept, random_state=seed).fit_transform(stacked)
        rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))
        embeddings = components @ rotation
    embeddings = torch.from_numpy(embeddings / embeddings.std()).float()
    return list(embeddings.split([len(cells) for cells in tuning]))


def responses(batches: Batches) -> list[Float[Tensor, "cells classes"]]:
    """How every cell responds to the classes of every task, container by container.

    With x the mean of a window and y the label, one-hot for a class and standardised for a
    regression, an entry is Σ (x − x̄) y / √Σ y² over the training windows that have a label: in
    noise it has the variance of x. What a cell was not shown has 0.
    """
    heads = batches.vocabulary.tasks
    ends = np.cumsum([head.outputs for head in heads.values()])
    columns = {name: torch.arange(end - heads[name].outputs, end) for name, end in zip(heads, ends)}
    shapes = [(5, len(cells), ends[-1]) for cells in batches.vocabulary.containers()]
    sums = [torch.zeros(shape, dtype=torch.float64) for shape in shapes]
    train = (batches.trials["split"] == "train").to_numpy()
    for batch in batches.ordered(train):
        for task in batch.tasks:
            target = batches.targets[task][batch.trials]
            known = has_label(target)
            y = _encoded(torch.from_numpy(target[known]), heads[task].outputs)
            x = batch.values[known].mean(dim=2).double()
            everywhere = torch.ones(x.shape[1], y.shape[1], dtype=torch.float64)
            xy, y_sum, y_square = x.T @ y, everywhere * y.sum(0), everywhere * y.square().sum(0)
            x_sum, count = everywhere * x.sum(0)[:, None], everywhere * len(x)
            added = torch.stack([xy, x_sum, y_sum, y_square, count])
            sums[batch.container][:, batch.cells[:, None], columns[task]] += added
    return [_standardised(*container) for container in sums]


def _standardised(xy: Tensor, x_sum: Tensor, y_sum: Tensor, y_square: Tensor, count: Tensor):
    return (xy - x_sum * y_sum / count.clamp_min(1)) / y_square.sqrt().clamp_min(1e-6)


def _encoded(target: Tensor, outputs: int) -> Float[Tensor, "presentations outputs"]:
    """Labels as numbers: one-hot for classes, float64."""
    if target.is_floating_point():
        return target[:, None].double()
    return F.one_hot(target, outputs).double()
