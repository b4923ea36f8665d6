"""Recorded activations made by hand, and a sparse world whose dictionary is known."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import zarr

from glasscortex.data.store import write_manifest
from glasscortex.dictionaries.activations import Writer
from glasscortex.dictionaries.topk import TopKSae
from glasscortex.words import SPLITS

DIM, ATOMS, ACTIVE = 16, 32, 2
HOOK = "latents.1"


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def _write_activations(folder: Path, windows: dict[str, np.ndarray], first_trial: int = 0) -> Path:
    """Zarr and manifest with the (windows, tokens, dim) of each split."""
    path = folder / f"{HOOK}.zarr"
    root = zarr.create_group(path, attributes={"hook": HOOK})
    dim = next(iter(windows.values())).shape[-1]
    for split in SPLITS:
        writer = Writer(root.create_group(split), dim)
        for x in windows.get(split, ()):
            writer.add(x[None], np.array([first_trial]))
            first_trial += 1
        writer.flush()
    write_manifest(path, path.with_suffix(".json"))
    return path


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
    return _write_activations


@pytest.fixture(scope="session")
def planted(tmp_path_factory, planted_dictionary) -> Path:
    """Recorded activations of the sparse world."""
    sizes = {"train": 4000, "validation": 300, "test": 500}
    return _write_activations(
        tmp_path_factory.mktemp("planted"),
        {
            s: _sparse_world(planted_dictionary, n, seed)
            for seed, (s, n) in enumerate(sizes.items())
        },
    )


@pytest.fixture(scope="session")
def random_weights():
    """A function that makes SAEs in which nothing is zero."""

    def make(dim: int = 6, width: int = 10, k: int = 3, seed: int = 0) -> TopKSae:
        generator = torch.Generator().manual_seed(seed)
        sae = TopKSae(dim, width, k, HOOK).requires_grad_(False)
        for tensor in sae.state_dict().values():
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
        sae.scale.fill_(2.5)
        sae.normalise()
        return sae

    return make


@pytest.fixture(scope="session")
def tokens():
    """A function that makes (n, dim) activations."""

    def make(n: int = 50, dim: int = 6, seed: int = 1) -> torch.Tensor:
        return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))

    return make
