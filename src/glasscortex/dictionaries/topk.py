"""TopK sparse autoencoder."""

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from glasscortex.config import TopKSettings
from glasscortex.dictionaries.gradients import gradients
from glasscortex.dictionaries.k_sparse import KSparse
from glasscortex.dictionaries.sae import Seen


class TopK(KSparse):
    """Sparse autoencoder that keeps the k largest units of every token.

        a = ReLU(TopK((z − b_dec) W_enc + b_enc))

    See `Dictionary` for z and the reconstruction, and `glasscortex.config.TopKSettings` for the
    settings; AuxK revives dead units. Training on a CPU has its gradients
    from `glasscortex.dictionaries.gradients`, which are those of `loss`.

    References
    ----------
    Gao et al. 2024, Scaling and evaluating sparse autoencoders, arXiv 2406.04093.

    Examples
    --------
    >>> import numpy as np, torch
    >>> x = np.random.default_rng(0).normal(size=(500, 8))
    >>> topk = TopK(width=16, k=2, steps=50, batch=100).fit(x)
    >>> codes = topk.encode(torch.tensor(x).float())
    >>> codes.shape, int((codes > 0).sum(1).max())
    (torch.Size([500, 16]), 2)
    """

    architecture = "topk"
    Settings = TopKSettings

    def active(
        self, z: Float[Tensor, "tokens d_in"]
    ) -> tuple[Float[Tensor, "tokens k"], Int[Tensor, "tokens k"]]:
        """The k largest units of each scaled token: their activations (0 or more), and which."""
        values, units = self.preactivations(z).topk(self.settings.k, sorted=False)
        return values.relu(), units

    def splice(self, x: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_in"]:
        """The reconstruction of x, `decode(encode(x))`, without the dense codes."""
        values, units = self.active(self.scaled(x.reshape(-1, self.d_in)))
        z = F.embedding_bag(units, self.W_dec, per_sample_weights=values, mode="sum")
        return self.unscaled(z + self.b_dec).reshape(x.shape)

    def backward(self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]) -> Seen:
        if z.device.type != "cpu":
            return super().backward(z, dead)
        by_name, fvu, fired = gradients(self, z, dead)
        for name, parameter in self.named_parameters():
            parameter.grad = by_name[name]
        return Seen({"reconstruction": fvu}, fired)
