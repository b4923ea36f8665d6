"""Matryoshka sparse autoencoder."""

from jaxtyping import Float
from torch import Tensor

from glasscortex.config import MatryoshkaSettings
from glasscortex.dictionaries.batch_topk import BatchTopK


class Matryoshka(BatchTopK):
    """BatchTopK in which the first units reconstruct alone, too: coarse ones come first.

        loss = Σ_m FVU(z, a_{1…m} W_dec + b_dec) + AuxK,  m = d_sae / 2^levels …, d_sae / 2, d_sae

    In the history `nested` is the sum of all but the whole.

    References
    ----------
    Bussmann et al. 2025, Learning multi-level features with Matryoshka sparse autoencoders,
    arXiv 2503.17547.
    """

    architecture = "matryoshka"
    Settings = MatryoshkaSettings

    def further(
        self, z: Float[Tensor, "tokens d_in"], codes: Float[Tensor, "tokens d_sae"]
    ) -> dict[str, Float[Tensor, ""]]:
        stop, nested, left = 0, z.new_zeros(()), z - self.b_dec
        for level in range(self.settings.levels, 0, -1):
            start, stop = stop, self.d_sae >> level
            left = left - codes[:, start:stop] @ self.W_dec[start:stop]
            nested = nested + left.square().mean()
        return {"nested": nested}
