"""What all dictionaries have in common: codes of activations, and atoms that codes are sums of."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glasscortex.config.part import Part
from glasscortex.dictionaries.decoding import Decoding
from glasscortex.dictionaries.tokens import ArrayTokens, Tokens
from glasscortex.errors import InputError
from glasscortex.files import sealed_write, verified


class Dictionary(nn.Module, ABC):
    """Units, each with an atom: activations become codes, and codes sums of atoms.

    With z = (x − mean) / scale and codes a of z, x̂ = mean + scale (a W_dec + b_dec), where mean
    and scale are those of the training activations, so that z has zero mean and unit mean square
    per dimension, and the rows of W_dec, the atoms, have unit norm. Codes are zero or above, but
    for bases, whose codes have signs. Everything public takes and gives activations in their own
    units.

    An architecture names itself and its settings, makes its weights (`build`), and says how it
    is fitted (`learn`) and encodes (`codes`). What is trained by gradient descent is a
    `glasscortex.dictionaries.sae.SparseAutoencoder`, and a linear map there and back a
    `glasscortex.dictionaries.basis.Basis`.

    Parameters
    ----------
    seed : int or sequence of int
        Of all random numbers of `fit`.
    hook : str, optional
        The place in the transformer whose activations it encodes.
    **settings
        Settings of the architecture: the fields of `Settings`.

    Attributes
    ----------
    W_dec : Tensor (d_sae, d_in)
        The atoms.
    b_dec : Tensor (d_in,)
        What no codes stand for, in scaled units.
    mean, scale : Tensor
        Of the training activations, (d_in,) and ().
    history_ : pandas.DataFrame
        Course of `fit`; no rows where it has no steps.

    Raises
    ------
    InputError
        A setting is unknown or out of its limits.
    """

    architecture: ClassVar[str]
    """Its name in the configuration."""
    Settings: ClassVar[type[Part]]
    """What it can be told."""
    registry: ClassVar[dict[str, type["Dictionary"]]] = {}
    """All architectures by name."""

    history_: pd.DataFrame
    W_dec: Tensor
    b_dec: Tensor
    mean: Tensor
    scale: Tensor

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "architecture" in vars(cls):
            Dictionary.registry[cls.architecture] = cls

    def __init__(self, *, seed: int | Sequence[int] = 0, hook: str | None = None, **settings: Any):
        super().__init__()
        self.seed, self.hook = seed, hook
        try:
            self.settings: Any = self.Settings(**settings)
        except ValidationError as error:
            faults = (
                f"{'.'.join(map(str, fault['loc']))} {fault['msg'].removeprefix('Value error, ')}"
                for fault in error.errors()
            )
            raise InputError(f"{self.architecture}: {'; '.join(faults)}") from None

    @property
    def reads_decoder(self) -> bool:
        """Whether `fit` asks for the decoder, too."""
        return False

    @property
    def d_in(self) -> int:
        """Features of a token."""
        return self.W_dec.shape[1]

    @property
    def d_sae(self) -> int:
        """Number of units."""
        return self.W_dec.shape[0]

    def build(self, d_in: int) -> Self:
        """Make mean and scale, and in subclasses all weights, to be filled."""
        self.register_buffer("mean", torch.zeros(d_in))
        self.register_buffer("scale", torch.ones(()))
        return self

    @torch.no_grad()
    def rescale(self, tokens: Tokens) -> None:
        """Make all weights, and take mean and scale from the training activations."""
        mean, variance = tokens.moments()
        self.build(tokens.d_in)
        self.mean.copy_(mean)
        self.scale.fill_((variance / tokens.d_in) ** 0.5)

    def fit(self, x: ArrayLike | Tensor | Tokens, decoding: Decoding | None = None) -> Self:
        """Fit to activations, in memory that does not grow with their number.

        Parameters
        ----------
        x : array_like or Tokens
            Activations (tokens, d_in), or a stream of them.
        decoding : Decoding, optional
            The decoder that they come from, for what is fitted to its outputs or starts at them.

        Returns
        -------
        Dictionary
            Itself, in evaluation mode and without gradients.

        Raises
        ------
        InputError
            The activations do not vary, or the settings ask for a decoder and there is none.
        DivergenceError
            Gradient descent ended with a loss that is not finite, or higher than it began with.
        """
        if self.reads_decoder and decoding is None:
            raise InputError(
                f"{self.architecture}: start or objective asks for the decoder: "
                "fit(x, decoding=Decoding(...))"
            )
        tokens = x if isinstance(x, Tokens) else ArrayTokens(x)
        self.history_ = self.learn(tokens, decoding)
        return self.cpu().eval().requires_grad_(False)

    @abstractmethod
    def learn(self, tokens: Tokens, decoding: Decoding | None) -> pd.DataFrame:
        """Make and fill all weights; what comes back is `history_`."""

    @abstractmethod
    def tie(self, atoms: Float[Tensor, "d_sae d_in"], gain: float = 1.0) -> None:
        """Take atoms of unit norm and, where there is an encoder, `gain` times their transpose."""

    @abstractmethod
    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        """Activations of all units, of scaled activations."""

    def calibrate(self, z: Float[Tensor, "tokens d_in"]) -> None:
        """Set what follows from scaled activations and the weights, where there is such a thing."""

    def scaled(self, x: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_in"]:
        """Give the training activations zero mean and unit mean square."""
        return (x - self.mean) / self.scale

    def unscaled(self, z: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_in"]:
        """Activations that `scaled` makes z of."""
        return self.mean + self.scale * z

    def reconstruct(self, codes: Float[Tensor, "*tokens d_sae"]) -> Float[Tensor, "*tokens d_in"]:
        """The scaled activations that the codes stand for."""
        return codes @ self.W_dec + self.b_dec

    def encode(self, x: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_sae"]:
        """Activations of all units."""
        codes = self.codes(self.scaled(x.reshape(-1, self.d_in)))
        return codes.reshape(*x.shape[:-1], self.d_sae)

    def decode(self, codes: Float[Tensor, "*tokens d_sae"]) -> Float[Tensor, "*tokens d_in"]:
        """The activations that the codes stand for."""
        return self.unscaled(self.reconstruct(codes))

    def splice(self, x: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_in"]:
        """The reconstruction of x, `decode(encode(x))`."""
        return self.decode(self.encode(x))

    def save(self, folder: Path, **described: Any) -> None:
        """Write `weights.safetensors` and `sae.json`, with `described` added, into `folder`."""
        with sealed_write(folder / "weights.safetensors") as file:
            save_file({name: t.contiguous().cpu() for name, t in self.state_dict().items()}, file)
        about = {
            "architecture": self.architecture,
            "hook": self.hook,
            "d_in": self.d_in,
            "settings": self.settings.model_dump(),
        }
        with sealed_write(folder / "sae.json") as file:
            file.write_text(json.dumps(about | described, indent=1) + "\n")

    @staticmethod
    def load(folder: Path) -> "Dictionary":
        """The dictionary that `save` wrote, of its own class and in evaluation mode.

        Raises
        ------
        InputError
            A file is not as it was written, or of an architecture that is not known.
        """
        about = json.loads(verified(folder / "sae.json").read_text())
        if about["architecture"] not in Dictionary.registry:
            raise InputError(
                f"{folder / 'sae.json'}: architecture {about['architecture']} is unknown: "
                f"use one of {', '.join(sorted(Dictionary.registry))}"
            )
        architecture = Dictionary.registry[about["architecture"]]
        dictionary = architecture(hook=about["hook"], **about["settings"]).build(about["d_in"])
        dictionary.load_state_dict(load_file(verified(folder / "weights.safetensors")))
        return dictionary.eval().requires_grad_(False)
