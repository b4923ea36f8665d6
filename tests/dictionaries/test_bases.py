import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA, FastICA

from glasscortex.config import BasisSettings
from glasscortex.dictionaries import Axes, Dictionary, Ica, Pca, Random, Readout
from glasscortex.dictionaries.basis import Basis
from glasscortex.dictionaries.tokens import Tokens
from tests.dictionaries.test_architectures import Reads


@pytest.fixture(scope="module")
def mixed():
    """(tokens, 8) and the 8 directions of which Laplacian sources are the amounts."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(8, 8, generator=generator)
    uniform = torch.rand(6000, 8, generator=generator) - 0.5
    sources = -uniform.sign() * torch.log1p(-2 * uniform.abs())
    return sources @ directions + 5, F.normalize(directions, dim=1)


def up_to_sign(found, expected, **tolerance):
    signs = np.sign((found * expected).sum(0))
    np.testing.assert_allclose(found, expected * signs, **tolerance)


@pytest.mark.parametrize("kind", [Axes, Pca, Ica, Random])
def test_a_whole_basis_gives_back_what_went_in(kind, mixed):
    x, _ = mixed
    basis = kind().fit(x)
    torch.testing.assert_close(basis.splice(x), x, atol=1e-3, rtol=0)
    assert (basis.encode(x) < 0).any()


def test_the_configuration_knows_which_architectures_are_bases():
    for kind in Dictionary.registry.values():
        assert issubclass(kind, Basis) == issubclass(kind.Settings, BasisSettings)


def test_axes_are_the_features(mixed):
    x, _ = mixed
    axes = Axes().fit(x)
    torch.testing.assert_close(axes.encode(x), (x - x.mean(0)) / axes.scale, atol=1e-4, rtol=0)


def test_random_directions_are_orthonormal_and_drawn(mixed):
    x, _ = mixed
    one, two = Random(seed=1).fit(x), Random(seed=2).fit(x)
    torch.testing.assert_close(one.W_dec @ one.W_dec.T, torch.eye(8), atol=1e-5, rtol=0)
    torch.testing.assert_close(one.W_enc, one.W_dec.T, atol=1e-5, rtol=0)
    assert (one.W_dec - two.W_dec).abs().max() > 0.1


def test_principal_components_are_those_of_sklearn(mixed, monkeypatch):
    monkeypatch.setattr(Tokens, "chunk", 1000)
    x, _ = mixed
    pca, oracle = Pca().fit(x), PCA().fit(x.double().numpy())
    up_to_sign(pca.W_dec.numpy().T, oracle.components_.T, atol=1e-4)
    codes = (pca.scale * pca.encode(x)).numpy()
    up_to_sign(codes, oracle.transform(x.double().numpy()), atol=1e-2)
    np.testing.assert_allclose(codes.var(0), oracle.explained_variance_, rtol=1e-3)


def test_independent_components_are_those_of_sklearn_and_of_the_world(mixed):
    x, directions = mixed
    ica = Ica().fit(x)
    cosines = (directions @ ica.W_dec.T).abs()
    assert cosines.max(1).values.mean() > 0.99
    oracle = FastICA(whiten="unit-variance", random_state=0).fit_transform(x.double().numpy())
    correlation = np.corrcoef(ica.encode(x).numpy().T, oracle.T)[:8, 8:]
    assert (np.abs(correlation).max(1) > 0.999).all()


def test_independent_components_leave_out_what_does_not_vary(mixed):
    x, _ = mixed
    flat = torch.cat([x[:, :5], x[:, :1] - x[:, 1:2], torch.full((len(x), 1), 3.0)], 1)
    ica = Ica().fit(flat)
    torch.testing.assert_close(ica.splice(flat), flat, atol=1e-3, rtol=0)
    assert ((ica.encode(flat).std(0) > 1e-3).sum()) == 5


def test_directions_are_read_and_the_rest_is_left_out(mixed):
    x, _ = mixed
    given = torch.randn(3, 8, generator=torch.Generator().manual_seed(4))
    readout = Readout().fit(x, Reads(given))
    correlation = np.corrcoef(readout.encode(x).numpy().T, (x @ given.T).numpy().T)[:3, 3:]
    np.testing.assert_allclose(np.diag(correlation), 1, atol=1e-4)
    torch.testing.assert_close(
        (readout.splice(x) - readout.mean) @ given.T, (x - x.mean(0)) @ given.T, atol=1e-2, rtol=0
    )
    beside = torch.linalg.svd(given)[2][3:]
    assert ((readout.splice(x) - readout.mean) @ beside.T).abs().max() < 1e-2
