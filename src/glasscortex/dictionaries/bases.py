"""The bases: axes, principal and independent components, random and given directions."""

import logging
import warnings

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from glasscortex.config import ReadoutSettings
from glasscortex.dictionaries.basis import Basis
from glasscortex.dictionaries.decoding import Decoding
from glasscortex.dictionaries.tokens import Tokens

log = logging.getLogger(__name__)

SAMPLE = 32768
"""Most tokens that independent components are sought in."""
ITERATIONS = 1000
"""Most iterations of FastICA."""


class Axes(Basis):
    """The activations themselves, one unit a feature."""

    architecture = "axes"

    def directions(self, tokens: Tokens, rng: np.random.Generator) -> Tensor:
        return torch.eye(tokens.d_in)


class Pca(Basis):
    """Principal components, that of the largest variance first.

    The covariance is summed chunk by chunk. A component's largest weight is positive.
    """

    architecture = "pca"

    def directions(self, tokens: Tokens, rng: np.random.Generator) -> Tensor:
        return principal(tokens)[1]


class Ica(Basis):
    """Independent components, by FastICA on a drawn sample of at most `SAMPLE` tokens.

    Directions in which the activations do not vary are kept as they are, so that the basis is
    whole.

    References
    ----------
    Hyvärinen and Oja 2000, Neural Networks 13:411.
    """

    architecture = "ica"

    def directions(self, tokens: Tokens, rng: np.random.Generator) -> Tensor:
        variances, components = principal(tokens)
        varying = variances > 1e-8 * variances[0]
        z = self.scaled(next(tokens.batches(min(len(tokens), SAMPLE), rng))).double()
        ica = FastICA(
            whiten="unit-variance", max_iter=ITERATIONS, random_state=int(rng.integers(2**31))
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            ica.fit((z @ components[varying].T).numpy())
        if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
            log.warning("FastICA did not converge in %d iterations", ITERATIONS)
        unmixing = torch.from_numpy(ica.components_) @ components[varying]
        return torch.cat([unmixing, components[~varying]])


class Random(Basis):
    """Random orthonormal directions."""

    architecture = "random"

    def directions(self, tokens: Tokens, rng: np.random.Generator) -> Tensor:
        return torch.linalg.qr(torch.from_numpy(rng.standard_normal((tokens.d_in,) * 2)))[0].T


class Readout(Basis):
    """The directions that the decoder's outputs read, see `Decoding.directions`."""

    architecture = "readout"
    Settings = ReadoutSettings

    def count(self, d_in: int) -> int:
        return self.settings.width

    @property
    def reads_decoder(self) -> bool:
        return True

    def learn(self, tokens: Tokens, decoding: Decoding | None) -> pd.DataFrame:
        assert decoding is not None
        self._read = decoding.directions()
        self.settings = ReadoutSettings(width=len(self._read))
        return super().learn(tokens, decoding)

    def directions(self, tokens: Tokens, rng: np.random.Generator) -> Tensor:
        return self._read


def principal(
    tokens: Tokens,
) -> tuple[Float[Tensor, " d_in"], Float[Tensor, "d_in d_in"]]:
    """Variances of all principal components, the largest first, and the components as rows."""
    variances, components = torch.linalg.eigh(tokens.covariance())
    components = components.T.flip(0)
    largest = components.gather(1, components.abs().argmax(1, keepdim=True))
    return variances.flip(0), components * largest.sign()
