"""A small multilayer perceptron of one session and task."""

from collections.abc import Iterator
from functools import partial
from math import inf, sqrt

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from glasscortex.config import BaselineConfig
from glasscortex.decoder.baselines.candidates import best_predictions
from glasscortex.decoder.baselines.problems import Problem

BATCH = 512
"""Most presentations that a step learns from."""

LOOK_EVERY = 5
"""Steps between two looks at the validation split."""

PATIENCE = 6
"""Looks without a smaller loss of any network, after which training stops."""


def perceptron(problem: Problem, config: BaselineConfig) -> Iterator[np.ndarray]:
    """One hidden layer with dropout, Adam with decoupled weight decay.

    The networks of all weight decays are trained side by side, from the same start: one product
    for all of their first layers. A step costs at most `BATCH` presentations.

    Parameters
    ----------
    problem : Problem
        One task of one session.
    config : BaselineConfig
        Settings of the network, and candidates of the weight decay.

    Yields
    ------
    numpy.ndarray
        Values, or log-probabilities of the classes, of one weight decay after the other, each by
        the weights with the smallest validation loss.
    """
    torch.set_num_threads(1)
    settings, generator = config.mlp, torch.Generator().manual_seed(0)
    x = torch.from_numpy(problem.compact).float()
    y = torch.tensor(problem.labels)
    y = y.float() if problem.classes is None else y.long()
    train, validation = torch.tensor(problem.train), torch.tensor(problem.validation)
    x_train, y_train, keep = x[train], y[train], 1 - settings.dropout
    outputs = 1 if problem.classes is None else len(problem.classes)
    networks = _initial(x_train, settings.hidden, outputs, len(settings.weight_decay), generator)
    best, best_loss, idle = [p.clone() for p in networks], torch.full((len(networks[0]),), inf), 0
    learnt = [p.requires_grad_() for p in networks]
    optimizer = torch.optim.Adam(learnt, lr=settings.learning_rate, fused=True)
    shrink = 1 - settings.learning_rate * torch.tensor(settings.weight_decay)[:, None, None]
    for step in range(settings.steps):
        if step % LOOK_EVERY == 0:
            with torch.no_grad():
                loss = _losses(_outputs(x[validation], networks), y[validation])
            better = ~(loss >= best_loss)  # also where there is nothing to validate on
            for kept, now in zip((best_loss, *best), (loss, *networks)):
                kept[better] = now[better].detach()
            idle = 0 if better.any() else idle + 1
            if idle == PATIENCE:
                break
        rows = torch.randperm(len(x_train), generator=generator)[:BATCH]
        shape = len(rows), settings.hidden  # the same units for all weight decays
        dropout = torch.empty(shape).bernoulli_(keep, generator=generator) / keep
        _losses(_outputs(x_train[rows], networks, dropout), y_train[rows]).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            for weight in networks[:2]:
                weight *= shrink
    output = _outputs(x, best)
    yield from (output[:, :, 0] if problem.classes is None else output).numpy()


def _initial(
    x: Tensor, hidden: int, outputs: int, networks: int, generator: torch.Generator
) -> list[Tensor]:
    """Weights of the two layers and their biases, (networks, …), such that outputs are near one."""
    length = x.square().sum(dim=1).mean().sqrt()
    first = torch.randn(x.shape[1], hidden, generator=generator) / length
    second = torch.randn(hidden, outputs, generator=generator) / sqrt(hidden)
    weights = first, second, torch.zeros(1, hidden), torch.zeros(1, outputs)
    return [weight.repeat(networks, 1, 1) for weight in weights]


def _outputs(x: Tensor, networks: list[Tensor], dropout: Tensor | float = 1.0) -> Tensor:
    """(networks, presentations, outputs); `dropout` weighs the hidden units."""
    first, second, first_bias, second_bias = networks
    number, inputs, hidden = first.shape
    together = x @ first.transpose(0, 1).reshape(inputs, -1)
    apart = together.view(len(x), number, hidden).transpose(0, 1)
    return (F.relu(apart + first_bias) * dropout) @ second + second_bias


def _losses(output: Tensor, y: Tensor) -> Tensor:
    """Mean loss of each network (networks,)."""
    if y.is_floating_point():
        return (output[:, :, 0] - y).square().mean(dim=1)
    log_p = F.log_softmax(output, dim=2)
    return -log_p.gather(2, y.expand(len(output), -1)[:, :, None]).mean(dim=(1, 2))


predict = partial(best_predictions, perceptron)
