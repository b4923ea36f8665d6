"""Dictionaries: what each architecture can be told, and the test of splicing them in.

An architecture has its settings here and its class in a module of `glasscortex.dictionaries`.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    model_validator,
)

from glasscortex.config.part import Count, Part, Size
from glasscortex.words import HOOK


class ObjectiveSettings(Part):
    """Weights of what training lowers."""

    reconstruction: NonNegativeFloat = Field(1.0, description="of the architecture's own loss")
    decoding: NonNegativeFloat = Field(0.0, description="of how far the outputs of tasks move")
    downstream: NonNegativeFloat = Field(0.0, description="of the error at later hooks")
    windows: Size = Field(64, description="windows of one session in a step that decodes")

    @model_validator(mode="after")
    def _something_is_lowered(self):
        if not (self.reconstruction or self.decoding or self.downstream):
            raise ValueError("all weights are 0: give one of them")
        return self


class DictionarySettings(Part):
    """Size and training of a dictionary that gradient descent fits."""

    width: Size = Field(256, description="units")
    steps: Count = 3000
    batch: Size = 1024
    learning_rate: PositiveFloat = 3e-3
    dead_after: Count = Field(20, description="batches without firing that make a unit dead")
    objective: ObjectiveSettings = ObjectiveSettings()


class EncoderSettings(DictionarySettings):
    """And of its encoder."""

    encoder_scale: PositiveFloat = Field(0.4, description="encoder starts at this times W_dec^T")


class KActive(Part):
    """How many of the units are active at once."""

    width: Size = Field(256, description="units")
    k: Size = Field(32, description="units that are active at once")

    @model_validator(mode="after")
    def _k_fits(self):
        if self.width is not None and self.k > self.width:
            raise ValueError(f"k is {self.k}, larger than width {self.width}: lower k")
        return self


class KSparseSettings(KActive, DictionarySettings):
    """Training of an autoencoder that keeps the largest units."""

    aux_weight: NonNegativeFloat = 1 / 32


class TopKSettings(KSparseSettings, EncoderSettings):
    """And of its encoder."""


class ThresholdSettings(KSparseSettings):
    """Training of units under one threshold, as many as there are outputs if `width` is null."""

    width: Size | None = Field(None, description="units; null: one an output of the decoder")  # type: ignore[assignment]
    k: Size = Field(8, description="units that are active at once, on average")
    steps: Count = 1500
    start: Literal["activations", "readout"] = "readout"
    aux_weight: NonNegativeFloat = 0.0
    objective: ObjectiveSettings = ObjectiveSettings(reconstruction=0.5, decoding=1.0)

    @model_validator(mode="after")
    def _outputs_are_counted(self):
        if self.width is None and self.start != "readout":
            raise ValueError("width is null: give the number of units, or start: readout")
        return self


class TranscoderSettings(TopKSettings):
    """Training on what a block makes of its input."""

    @model_validator(mode="after")
    def _alone(self):
        if self.objective.decoding or self.objective.downstream:
            raise ValueError("objective: only reconstruction can be lowered")
        return self


class MatryoshkaSettings(TopKSettings):
    """Training in which the first units reconstruct alone, too."""

    levels: Size = Field(3, description="how often the units are halved")

    @model_validator(mode="after")
    def _levels_fit(self):
        if self.width >> self.levels == 0:
            raise ValueError(
                f"levels is {self.levels}, and width {self.width} can't be halved that often: "
                "lower levels"
            )
        return self


class ArchetypalSettings(TopKSettings):
    """Training of atoms that are mixtures of activations."""

    relaxation: NonNegativeFloat = Field(1.0, description="farthest from a mixture, of length 1")


class MatchingPursuitSettings(KActive, DictionarySettings):
    """Training of atoms that encode by matching pursuit."""


class ReluSettings(EncoderSettings):
    """Training under an L1 penalty."""

    sparsity: NonNegativeFloat = Field(2.0, description="weight of the L1 norm of the codes")


class GatedSettings(EncoderSettings):
    """Training of gated units under an L1 penalty on their gates."""

    sparsity: NonNegativeFloat = Field(8.0, description="weight of the L1 norm of the gates")


class JumpReluSettings(EncoderSettings):
    """Training of thresholds under an L0 penalty."""

    sparsity: NonNegativeFloat = Field(2.0, description="weight of the number of active units")
    threshold: PositiveFloat = Field(0.5, description="thresholds start at this")
    bandwidth: PositiveFloat = Field(0.5, description="width of the straight-through estimate")


class SemiNmfSettings(Part):
    """Size and fit of a semi-nonnegative factorisation."""

    width: Size = Field(64, description="units")
    iterations: Count = Field(100, description="renewals of codes and atoms by turns")


class FrozenSettings(KActive):
    """Size of the control that encodes by random directions."""


class BasisSettings(Part):
    """A basis has nothing to set."""


class ReadoutSettings(BasisSettings):
    """A basis of the directions that the decoder's outputs read."""

    width: Size | None = Field(None, description="directions, known when they are found")


class Fitted(Part):
    """What the workflow fits a dictionary on, and with how many threads."""

    hook: str = Field("latents.2", pattern=f"^{HOOK}$")
    threads: Size = 1


class TopKConfig(TopKSettings, Fitted):
    """The k largest units of each token."""

    architecture: Literal["topk"] = "topk"


class BatchTopKConfig(TopKSettings, Fitted):
    """The largest units of a batch, k a token on average."""

    architecture: Literal["batch_topk"]


class ThresholdConfig(ThresholdSettings, Fitted):
    """Units above one threshold, k a token on average."""

    architecture: Literal["threshold"]


class MatryoshkaConfig(MatryoshkaSettings, Fitted):
    """The largest units of a batch, the first of which reconstruct alone, too."""

    architecture: Literal["matryoshka"]


class ArchetypalConfig(ArchetypalSettings, Fitted):
    """The k largest units, with atoms that are mixtures of activations."""

    architecture: Literal["archetypal"]


class AlignedConfig(KSparseSettings, Fitted):
    """The k largest units, with encoders that have the product one with their atoms."""

    architecture: Literal["aligned"]


class MatchingPursuitConfig(MatchingPursuitSettings, Fitted):
    """Units that explain, one after the other, what those before left."""

    architecture: Literal["matching_pursuit"]


class ReluConfig(ReluSettings, Fitted):
    """Rectified units under an L1 penalty."""

    architecture: Literal["relu"]


class GatedConfig(GatedSettings, Fitted):
    """Units with a gate, which alone is penalised."""

    architecture: Literal["gated"]


class JumpReluConfig(JumpReluSettings, Fitted):
    """Units with a threshold each under an L0 penalty."""

    architecture: Literal["jump_relu"]


class SemiNmfConfig(SemiNmfSettings, Fitted):
    """Nonnegative codes by least squares."""

    architecture: Literal["semi_nmf"]


class FrozenConfig(FrozenSettings, Fitted):
    """A control: the k largest of random directions, of which only atoms are fitted."""

    architecture: Literal["frozen"]


class AxesConfig(BasisSettings, Fitted):
    """The features of the activations themselves."""

    architecture: Literal["axes"]


class PcaConfig(BasisSettings, Fitted):
    """Principal components."""

    architecture: Literal["pca"]


class IcaConfig(BasisSettings, Fitted):
    """Independent components."""

    architecture: Literal["ica"]


class ReadoutConfig(ReadoutSettings, Fitted):
    """The directions that the decoder's outputs read."""

    architecture: Literal["readout"]


class RandomConfig(BasisSettings, Fitted):
    """Random orthonormal directions."""

    architecture: Literal["random"]


def _with_architecture(value: Any) -> Any:
    return {"architecture": "topk", **value} if isinstance(value, dict) else value


SaeConfig = Annotated[
    Annotated[
        TopKConfig
        | BatchTopKConfig
        | ThresholdConfig
        | MatryoshkaConfig
        | ArchetypalConfig
        | AlignedConfig
        | MatchingPursuitConfig
        | ReluConfig
        | GatedConfig
        | JumpReluConfig
        | SemiNmfConfig
        | FrozenConfig
        | AxesConfig
        | PcaConfig
        | IcaConfig
        | ReadoutConfig
        | RandomConfig,
        Field(discriminator="architecture"),
    ],
    BeforeValidator(_with_architecture),
]
"""The settings of one dictionary; `architecture` says which, and is topk if it is not there."""


class SpliceConfig(Part):
    """The test that splicing leaves decoding unchanged."""

    margin: PositiveFloat = Field(
        0.1, description="largest change that counts as none, as a share of score above chance"
    )
    threads: Size = 1
