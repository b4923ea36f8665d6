"""Semi-nonnegative matrix factorisation."""

from typing import Self

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from glasscortex.config import SemiNmfSettings
from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.decoding import Decoding
from glasscortex.dictionaries.least_squares import least_squares
from glasscortex.dictionaries.tokens import Tokens

SAMPLE = 16384
"""Most tokens that it is fitted to."""
SWEEPS = 30
"""Times that every unit's codes are renewed in `codes`."""


class SemiNmf(Dictionary):
    """Semi-nonnegative matrix factorisation: codes of zero or above, atoms of any sign.

        min Σ ‖x − scale · a W_dec‖²  over a ≥ 0 and W_dec

    of the activations x about zero, not about their mean: b_dec = −mean / scale. From k-means'
    centres, by turns: each unit's codes, the others' held, and the atoms by least squares. A
    drawn sample of at most `SAMPLE` tokens is fitted. It generalises k-means, and finds atoms
    that activations cluster about; codes are only as sparse as nonnegativity makes them.

    References
    ----------
    Ding, Li and Jordan 2010, Convex and semi-nonnegative matrix factorizations, IEEE Trans
    Pattern Anal Mach Intell 32:45. Cichocki and Phan 2009, Fast local algorithms for large scale
    nonnegative matrix and tensor factorizations, IEICE Trans Fundam E92-A:708.
    """

    architecture = "semi_nmf"
    Settings = SemiNmfSettings

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        self.register_buffer("W_dec", torch.zeros(self.settings.width, d_in))
        self.register_buffer("b_dec", torch.zeros(d_in))
        return self

    def tie(self, atoms: Float[Tensor, "d_sae d_in"], gain: float = 1.0) -> None:
        self.W_dec.copy_(atoms)

    @torch.no_grad()
    def learn(self, tokens: Tokens, decoding: Decoding | None) -> pd.DataFrame:
        rng = np.random.default_rng(self.seed)
        self.rescale(tokens)
        self.b_dec.copy_(-self.mean / self.scale)
        z = self.scaled(next(tokens.batches(min(len(tokens), SAMPLE), rng)))
        kmeans = MiniBatchKMeans(
            self.d_sae, n_init=1, init="k-means++", random_state=int(rng.integers(2**31))
        ).fit((z - self.b_dec).numpy())
        self.tie(F.normalize(torch.from_numpy(kmeans.cluster_centers_).float(), dim=1))
        codes = z.new_zeros(len(z), self.d_sae)
        rows = []
        for step in range(1, self.settings.iterations + 1):
            codes = self._renewed(codes, z)
            atoms = least_squares(codes.T @ codes, codes.T @ (z - self.b_dec))
            norms = atoms.norm(dim=1)
            self.W_dec[norms > 0] = F.normalize(atoms[norms > 0], dim=1)
            codes = codes * norms
            fvu = (z - self.reconstruct(codes)).square().mean().item()
            rows.append({"step": step, "reconstruction": fvu})
        return pd.DataFrame(rows)

    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        codes = z.new_zeros(len(z), self.d_sae)
        for _ in range(SWEEPS):
            codes = self._renewed(codes, z)
        return codes

    def _renewed(self, codes: Tensor, z: Tensor) -> Tensor:
        """Codes after a sweep over the units, each at its best given the others."""
        products, overlaps = (z - self.b_dec) @ self.W_dec.T, self.W_dec @ self.W_dec.T
        columns = codes.T.contiguous()
        products = products.T.contiguous()
        for unit in range(self.d_sae):
            others = overlaps[unit] @ columns - columns[unit]
            columns[unit] = (products[unit] - others).clamp(min=0)
        return columns.T.contiguous()
