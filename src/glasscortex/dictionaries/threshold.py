"""Sparse autoencoder of units above one threshold, that starts at what the decoder reads."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from glasscortex.config import ThresholdSettings
from glasscortex.dictionaries.batch_topk import BatchTopK
from glasscortex.dictionaries.decoding import Decoding
from glasscortex.dictionaries.tokens import Tokens
from glasscortex.errors import InputError

CONTROL = 0.02
"""How fast the threshold follows the number of active units."""


class Threshold(BatchTopK):
    """Units above one threshold, k a token on average, one for every output of the decoder.

        a = ReLU(p) [p ≥ θ],  p = (z − b_dec) W_enc + b_enc

    θ is the same for all tokens in training, too: BatchTopK's would be another for every batch,
    which the decoder needs to be of one session and stimulus. It rises where more than k units a
    token are active, and falls where fewer are: log θ by CONTROL (l0 / k − 1) a step. Encoders
    start at directions e that the decoder's outputs read (see `Decoding.directions`) or at
    activations, at the length that gives p unit variance, and atoms at the patterns that go with
    them, Σ e of the activations' covariance Σ.

    References
    ----------
    Haufe et al. 2014, On the interpretation of weight vectors of linear models in multivariate
    neuroimaging, NeuroImage 87:96 (patterns).
    """

    architecture = "threshold"
    Settings = ThresholdSettings

    @property
    def reads_decoder(self) -> bool:
        return super().reads_decoder or self.settings.start == "readout"

    @torch.no_grad()
    def initialise(
        self,
        tokens: Tokens,
        batches: Iterator[Tensor],
        decoding: Decoding | None,
        rng: np.random.Generator,
    ) -> None:
        directions = torch.zeros(0, tokens.d_in)
        if decoding is not None and self.settings.start == "readout":
            directions = decoding.directions()
        width = self.settings.width or len(directions)
        if width < len(directions):
            raise InputError(
                f"width {width} is less than the {len(directions)} outputs of the decoder: "
                "raise it, or let null choose it"
            )
        self.settings = type(self.settings)(**self.settings.model_dump() | {"width": width})
        self.rescale(tokens)
        others = self.drawn(width - len(directions), batches, rng)
        self.start_at(torch.cat([directions, others]), tokens.covariance() / self.scale**2)

    def start_at(
        self, directions: Float[Tensor, "d_sae d_in"], covariance: Float[Tensor, "d_in d_in"]
    ) -> None:
        """Begin with encoders in these directions, given the covariance of scaled activations."""
        covariance = covariance.to(directions) + 1e-6 * torch.eye(len(covariance))
        patterns = directions @ covariance
        sds = (patterns * directions).sum(1).sqrt()
        self.W_enc.copy_((directions / sds[:, None]).T)
        self.W_dec.copy_(F.normalize(patterns, dim=1))

    def training_threshold(self, activations: Float[Tensor, "tokens d_sae"]) -> Float[Tensor, ""]:
        if self.threshold < 0:
            super().training_threshold(activations)
        active = (activations >= self.threshold).sum() / len(activations)
        self.threshold *= torch.exp(CONTROL * (active / self.settings.k - 1))
        return self.threshold
