"""Recorded activations made by hand, and a sparse world whose dictionary is known."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.dictionaries.recordings import random_topk
from tests.dictionaries.recordings import write_activations as write_to

DIM, ATOMS, ACTIVE = 16, 32, 2


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def _sparse_world(dictionary: torch.Tensor, n: int, seed: int) -> np.ndarray:
    """(n, 4, DIM) sums of ACTIVE of ATOMS random directions, with an offset and 1 % noise."""
    generator = torch.Generator().manual_seed(seed)
    units = torch.rand(4 * n, ATOMS, generator=generator).topk(ACTIVE).indices
    values = (1 + 0.3 * torch.randn(units.shape, generator=generator)).abs()
    x = F.embedding_bag(units, dictionary, per_sample_weights=values, mode="sum")
    x = x + 0.02 * torch.randn(x.shape, generator=generator) + torch.linspace(-1, 1, DIM)
    return (3 * x).unflatten(0, (n, 4)).numpy()


@pytest.fixture(scope="session")
def planted_dictionary() -> torch.Tensor:
    """(ATOMS, DIM)"""
    return F.normalize(torch.randn(ATOMS, DIM, generator=torch.Generator().manual_seed(5)), dim=1)


@pytest.fixture(scope="session")
def write_activations():
    return write_to


@pytest.fixture(scope="session")
def planted(tmp_path_factory, planted_dictionary) -> Path:
    """Recorded activations of the sparse world."""
    sizes = {"train": 4000, "validation": 300, "test": 500}
    return write_to(
        tmp_path_factory.mktemp("planted"),
        {
            s: _sparse_world(planted_dictionary, n, seed)
            for seed, (s, n) in enumerate(sizes.items())
        },
    )


@pytest.fixture(scope="session")
def random_weights():
    return random_topk


@pytest.fixture(scope="session")
def tokens():
    """A function that makes (n, dim) activations."""

    def make(n: int = 50, dim: int = 6, seed: int = 1) -> torch.Tensor:
        return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))

    return make
