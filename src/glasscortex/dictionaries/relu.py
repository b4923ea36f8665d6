"""Sparse autoencoder with rectified units and an L1 penalty."""

from jaxtyping import Bool, Float
from torch import Tensor

from glasscortex.config import ReluSettings
from glasscortex.dictionaries.sae import SparseAutoencoder, Step


class Relu(SparseAutoencoder):
    """Sparse autoencoder with rectified units and an L1 penalty.

        a = ReLU((z − b_dec) W_enc + b_enc),  loss = FVU(z, ẑ) + λ ‖a‖₁ / d_in

    Atoms keep unit norm, so that the penalty can't be evaded by long ones.

    References
    ----------
    Cunningham et al. 2023, Sparse autoencoders find highly interpretable features in language
    models, arXiv 2309.08600.
    """

    architecture = "relu"
    Settings = ReluSettings

    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        return self.preactivations(z).relu()

    def loss(self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]) -> Step:
        codes = self.codes(z)
        return self.step(z, codes, sparsity=self.settings.sparsity * codes.sum() / z.numel())
