"""What all dictionaries have in common: codes of activations, and atoms that codes are sums of."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glasscortex.config import TopKSettings
from glasscortex.dictionaries.fit import optimise
from glasscortex.dictionaries.tokens import ArrayTokens, Tokens
from glasscortex.errors import InputError
from glasscortex.files import sealed_write, verified


class Step(NamedTuple):
    """What the forward pass of a training step saw."""

    fvu: Float[Tensor, ""]
    """Fraction of variance unexplained."""
    fired: Bool[Tensor, " d_sae"]
    """Units that were active on some token."""


class Dictionary(nn.Module, ABC):
    """Units, each with an atom: activations become codes, and codes sums of atoms.

    With z = (x − mean) / scale and codes a of z, x̂ = mean + scale (a W_dec + b_dec), where mean
    and scale are those of the training activations, so that z has zero mean and unit mean square
    per dimension, and the rows of W_dec, the atoms, have unit norm. Everything public takes and
    gives activations in their own units.

    A new architecture is a subclass that names itself and its settings, and says how it encodes
    (`codes`) and what it is fitted to (`loss`); see `glasscortex.config.dictionaries` for the
    settings and `glasscortex.dictionaries.batch_topk` for an example. Whatever is fitted
    otherwise overrides `fit`.

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
    W_enc : Tensor (d_in, d_sae)
        Encoder. In memory a unit's weights lie together.
    b_enc : Tensor (d_sae,)
        Bias of the encoder.
    W_dec : Tensor (d_sae, d_in)
        The atoms.
    b_dec : Tensor (d_in,)
        Bias of the decoder, which the encoder takes away from its input.
    mean, scale : Tensor
        Of the training activations, (d_in,) and ().
    history_ : pandas.DataFrame
        Course of `fit`: step, learning_rate, fvu (mean since the row before) and dead_fraction
        (of the units, silent for `dead_after` batches).

    Raises
    ------
    InputError
        A setting is unknown or out of its limits.
    """

    architecture: ClassVar[str]
    """Its name in the configuration."""
    Settings: ClassVar[type[TopKSettings]]
    """What it can be told."""
    registry: ClassVar[dict[str, type["Dictionary"]]] = {}
    """All architectures by name."""

    history_: pd.DataFrame
    mean: Tensor
    scale: Tensor

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Dictionary.registry[cls.architecture] = cls

    def __init__(self, *, seed: int | Sequence[int] = 0, hook: str | None = None, **settings: Any):
        super().__init__()
        self.seed, self.hook = seed, hook
        try:
            self.settings = self.Settings(**settings)
        except ValidationError as error:
            faults = (
                f"{'.'.join(map(str, fault['loc']))} {fault['msg'].removeprefix('Value error, ')}"
                for fault in error.errors()
            )
            raise InputError(f"{self.architecture}: {'; '.join(faults)}") from None

    @property
    def d_in(self) -> int:
        """Features of a token."""
        return self.W_dec.shape[1]

    @property
    def d_sae(self) -> int:
        """Number of units."""
        return self.settings.width

    def build(self, d_in: int) -> Self:
        """Make all weights, as zeros."""
        width = self.settings.width
        self.W_enc = nn.Parameter(torch.zeros(width, d_in).T)
        self.b_enc = nn.Parameter(torch.zeros(width))
        self.W_dec = nn.Parameter(torch.zeros(width, d_in))
        self.b_dec = nn.Parameter(torch.zeros(d_in))
        self.register_buffer("mean", torch.zeros(d_in))
        self.register_buffer("scale", torch.ones(()))
        return self

    def fit(self, x: ArrayLike | Tensor | Tokens) -> Self:
        """Fit to activations.

        Memory holds the dictionary and `Tokens.buffered` chunks of activations; time grows with
        steps × batch.

        Parameters
        ----------
        x : array_like or Tokens
            Activations (tokens, d_in), or a stream of them.

        Returns
        -------
        Dictionary
            Itself, in evaluation mode and without gradients.

        Raises
        ------
        InputError
            The activations do not vary.
        DivergenceError
            The loss is not finite at the end, or higher than at the start and than the mean's.
        """
        tokens = x if isinstance(x, Tokens) else ArrayTokens(x)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.history_ = optimise(self, tokens, np.random.default_rng(self.seed), device)
        return self.cpu().eval().requires_grad_(False)

    @abstractmethod
    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        """Activations of all units, of scaled activations."""

    def loss(
        self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]
    ) -> tuple[Float[Tensor, ""], Step]:
        """What training lowers, and what it saw; `backward` leaves its gradients to autograd.

        Parameters
        ----------
        z : Tensor
            Scaled activations.
        dead : Tensor
            Units that have been silent for `dead_after` batches.
        """
        raise NotImplementedError

    def backward(self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]) -> Step:
        """Leave the gradients of the loss in the parameters; arguments as of `loss`."""
        self.zero_grad()
        loss, step = self.loss(z, dead)
        loss.backward()
        return step

    def scaled(self, x: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_in"]:
        """Give the training activations zero mean and unit mean square."""
        return (x - self.mean) / self.scale

    def unscaled(self, z: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_in"]:
        """Activations whose scaled reconstruction, less b_dec, is z."""
        return self.mean + self.scale * (z + self.b_dec)

    def preactivations(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        """Every unit's input, of scaled activations."""
        return torch.addmm(self.b_enc, z - self.b_dec, self.W_enc)

    def encode(self, x: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_sae"]:
        """Activations of all units."""
        codes = self.codes(self.scaled(x.reshape(-1, self.d_in)))
        return codes.reshape(*x.shape[:-1], self.d_sae)

    def decode(self, codes: Float[Tensor, "*tokens d_sae"]) -> Float[Tensor, "*tokens d_in"]:
        """The activations that the codes stand for."""
        return self.unscaled(codes @ self.W_dec)

    def splice(self, x: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_in"]:
        """The reconstruction of x, `decode(encode(x))`."""
        return self.decode(self.encode(x))

    @torch.no_grad()
    def normalise(self) -> None:
        """Give every atom unit norm."""
        self.W_dec.div_(self.W_dec.norm(dim=1, keepdim=True))

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
