"""Nested units keep a parent that the units of its children absorb elsewhere."""

import numpy as np
import pytest
import torch

from glasscortex.analysis.effects import auroc
from glasscortex.analysis.hierarchy import Child, child_areas
from glasscortex.dictionaries import Matryoshka, Pca, TopK

DIM, PARENTS, CHILDREN, TOKENS = 32, 6, 3, 8000


@pytest.fixture(scope="module")
def planted() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Each parent comes alone, or with one of its children, never a child without it."""
    rng = np.random.default_rng(0)
    atoms = rng.normal(size=(PARENTS * (1 + CHILDREN), DIM))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    parents = rng.random((TOKENS, PARENTS)) < 0.25
    which = rng.integers(1 + CHILDREN, size=(TOKENS, PARENTS, 1))
    children = ((which == np.arange(CHILDREN)) & parents[..., None]).reshape(TOKENS, -1)
    codes = np.hstack([parents, children]) * rng.uniform(1, 1.2, (TOKENS, len(atoms)))
    x = codes @ atoms + 0.02 * rng.normal(size=(TOKENS, DIM))
    return x.astype(np.float32), {"parent": parents, "child": children}


def told(dictionary, planted) -> tuple[float, float]:
    """How well the best units tell their parents, and of the children of each the least told."""
    x, classes = planted
    codes = dictionary.fit(x).encode(torch.from_numpy(x)).numpy()
    session, areas, least = np.zeros(len(x), int), [], []
    for number, parent in enumerate(classes["parent"].T):
        of_units = auroc(codes, np.repeat(parent[:, None], codes.shape[1], axis=1))
        unit = np.abs(of_units - 0.5).argmax()
        score = np.sign(of_units[unit] - 0.5) * codes[:, [unit]]
        own = range(CHILDREN * number, CHILDREN * (number + 1))
        children = [Child(0, "child", child) for child in own]
        asked = {"parent": parent[:, None], "child": classes["child"]}
        areas.append(max(of_units[unit], 1 - of_units[unit]))
        least.append(
            min(child_areas(score, "parent", asked, session, [child])[0] for child in children)
        )
    return float(np.mean(areas)), float(np.mean(least))


def test_matryoshka_keeps_parents_and_topk_does_not(planted):
    settings = {"seed": 0, "width": 48, "k": 3, "steps": 600, "batch": 512}
    parent, child = told(Matryoshka(levels=3, **settings), planted)
    assert child > 0.95
    assert parent - child < 0.02
    assert told(TopK(**settings), planted)[1] < 0.7


def test_principal_components_have_no_units_of_children_to_lose_any_to(planted):
    parent, child = told(Pca(), planted)
    assert parent - child < 0.05
