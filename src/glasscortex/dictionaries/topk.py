"""TopK sparse autoencoder."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glasscortex.errors import InputError
from glasscortex.files import atomic_write


class TopKSae(nn.Module):
    """Sparse autoencoder that keeps the k largest units of every token.

    With z = (x − mean) / scale,

        a = ReLU(TopK(encoder (z − b_dec) + encoder_bias))
        x̂ = mean + scale (a dictionary + b_dec)

    where mean and scale are those of the training activations, so that z has zero mean and unit
    mean square per dimension, and the rows of `dictionary`, the atoms, have unit norm. Everything
    public takes and gives activations in their own units.

    Parameters
    ----------
    dim : features of a token
    width : units
    k : most units that are active on a token
    hook : the place in the transformer that it reads

    Raises
    ------
    InputError
        k is larger than width.

    References
    ----------
    Gao et al. 2024, Scaling and evaluating sparse autoencoders, arXiv 2406.04093.
    """

    architecture = "topk"

    def __init__(self, dim: int, width: int, k: int, hook: str):
        super().__init__()
        if k > width:
            raise InputError(f"sae: k is {k}, larger than width {width}: lower sae.k")
        self.dim, self.width, self.k, self.hook = dim, width, k, hook
        self.encoder = nn.Parameter(torch.zeros(width, dim))
        self.encoder_bias = nn.Parameter(torch.zeros(width))
        self.dictionary = nn.Parameter(torch.zeros(width, dim))
        self.b_dec = nn.Parameter(torch.zeros(dim))
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(()))

    def scaled(self, x: Float[Tensor, "*tokens dim"]) -> Float[Tensor, "*tokens dim"]:
        """Give the training activations zero mean and unit mean square."""
        return (x - self.mean) / self.scale

    def preactivations(self, z: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens width"]:
        """Every unit's input, of scaled activations."""
        return torch.addmm(self.encoder_bias, z - self.b_dec, self.encoder.T)

    def active(
        self, x: Float[Tensor, "tokens dim"]
    ) -> tuple[Float[Tensor, "tokens k"], Int[Tensor, "tokens k"]]:
        """The k largest units of each token: their activations (0 or more) and their numbers."""
        values, units = self.preactivations(self.scaled(x)).topk(self.k, sorted=False)
        return values.relu(), units

    def encode(self, x: Float[Tensor, "*tokens dim"]) -> Float[Tensor, "*tokens width"]:
        """Activations of all units, at most k of a token above zero."""
        values, units = self.active(x.reshape(-1, self.dim))
        codes = values.new_zeros(len(values), self.width).scatter_(1, units, values)
        return codes.reshape(*x.shape[:-1], self.width)

    def decode(self, codes: Float[Tensor, "*tokens width"]) -> Float[Tensor, "*tokens dim"]:
        """The activations that the codes stand for."""
        return self._unscaled(codes @ self.dictionary)

    def splice(self, x: Float[Tensor, "*tokens dim"]) -> Float[Tensor, "*tokens dim"]:
        """The reconstruction of x, `decode(encode(x))`, without the dense codes."""
        values, units = self.active(x.reshape(-1, self.dim))
        z = F.embedding_bag(units, self.dictionary, per_sample_weights=values, mode="sum")
        return self._unscaled(z).reshape(x.shape)

    def _unscaled(self, z: Tensor) -> Tensor:
        return self.mean + self.scale * (z + self.b_dec)

    @torch.no_grad()
    def normalise(self) -> None:
        """Give every atom unit norm."""
        self.dictionary.div_(self.dictionary.norm(dim=1, keepdim=True))

    def save(self, folder: Path, **described) -> None:
        """Write `weights.safetensors` and `sae.json`, with `described` added, into `folder`."""
        with atomic_write(folder / "weights.safetensors") as file:
            save_file({name: t.contiguous().cpu() for name, t in self.state_dict().items()}, file)
        about = {
            "architecture": self.architecture,
            "hook": self.hook,
            "dim": self.dim,
            "width": self.width,
            "k": self.k,
        }
        with atomic_write(folder / "sae.json") as file:
            file.write_text(json.dumps(about | described, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "TopKSae":
        """The SAE that `save` wrote, in evaluation mode."""
        about = json.loads((folder / "sae.json").read_text())
        sae = cls(about["dim"], about["width"], about["k"], about["hook"])
        sae.load_state_dict(load_file(folder / "weights.safetensors"))
        return sae.eval().requires_grad_(False)
