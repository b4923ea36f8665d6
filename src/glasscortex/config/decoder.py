"""The transformer, its training, and the baselines."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, model_validator

from glasscortex.config.names import BaselineName
from glasscortex.config.part import Count, Distinct, Fraction, Part, Rising, Seconds, Size
from glasscortex.words import BASELINES


class ModelConfig(Part):
    """The transformer."""

    dim: Size = 64
    depth: Size = 2
    heads: Size = 2
    mlp_ratio: Size = Field(1, description="width of feed-forward layers over dim")
    patch_frames: Size = Field(2, description="samples of one cell that make one token")
    latents_per_step: Size = 1
    rotary_periods_s: Rising[PositiveFloat] = (0.1, 8.0)
    cell_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    feature_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _heads_divide(self):
        if self.dim % (2 * self.heads):
            raise ValueError(
                f"dim {self.dim} must be a multiple of twice heads (2 x {self.heads}): "
                "rotary embedding turns pairs of features"
            )
        return self


class PoyoPlusConfig(Part):
    """The transformer of the literature: POYO+ for calcium traces, trained on one session."""

    dim: Annotated[Size, Field(multiple_of=2)] = 64
    depth: Size = 6
    heads: Size = Field(8, description="of the attention among latents")
    cross_heads: Size = Field(2, description="of the attention into and out of latents")
    head_dim: Annotated[Size, Field(multiple_of=4)] = Field(
        64, description="features of a head; half of them turn with time"
    )
    latent_step_s: Seconds = 0.125
    latents_per_step: Size = 16
    rotary_periods_s: Rising[PositiveFloat] = (1e-4, 2.0627)
    cell_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    feature_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    block_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.4, description="of what each block adds to the latents"
    )


class TrainConfig(Part):
    """How the transformer is trained."""

    epochs: Count = 15
    patience: Count = Field(5, description="epochs without a better validation loss")
    batch: Size = Field(64, description="windows of one session in a batch")
    sessions_per_step: Size = Field(1, description="batches whose gradients make a step")
    learning_rate: PositiveFloat = 1e-3
    cell_rate: PositiveFloat = Field(3.0, description="times faster that cells are learnt")
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    warmup: Fraction = 0.05
    clip: PositiveFloat = 1.0
    task_weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    accelerator: Literal["auto", "cpu", "gpu"] = Field("auto", description="auto: a GPU if any")
    devices: Size = Field(1, description="processes that share the batches of a step")
    precision: Literal[32, "bf16"] = Field(32, description="bf16: mixed with 32 bits")
    checkpoint_minutes: PositiveFloat = Field(5.0, description="at most this much is trained again")
    threads: Size = Field(1, description="of each process")

    @model_validator(mode="after")
    def _every_device_has_a_batch(self):
        if self.sessions_per_step < self.devices:
            raise ValueError(
                f"devices is {self.devices}, but a step has only {self.sessions_per_step} batches "
                "to share: raise sessions_per_step"
            )
        return self


class DecoderConfig(Part):
    """The transformer and its training."""

    architecture: Literal["glasscortex", "poyo_plus"] = "glasscortex"
    model: ModelConfig = Field(ModelConfig(), description="used with architecture glasscortex")
    poyo_plus: PoyoPlusConfig = Field(PoyoPlusConfig(), description="used with poyo_plus")
    train: TrainConfig = TrainConfig()


class MlpConfig(Part):
    """The multilayer perceptron of each session and task."""

    hidden: Size = Field(64, description="units of its only hidden layer")
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    learning_rate: PositiveFloat = 1e-2
    steps: Count = Field(100, description="at most; validation stops it earlier")
    weight_decay: Distinct[Annotated[float, Field(ge=0)]] = Field(
        (1.0, 3.0, 10.0, 30.0), min_length=1, description="candidates"
    )


class SingleConfig(Part):
    """The transformer of each session alone: what differs in its training."""

    epochs: Count = 30
    patience: Count = 8
    batch: Size = 64


class BaselineConfig(Part):
    """Simpler decoders, one a session and task; validation chooses among their candidates."""

    models: Distinct[BaselineName] = tuple(BASELINES)
    inverse_regularisation: Distinct[PositiveFloat] = Field(
        (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0), min_length=1, description="candidates of linear"
    )
    shrinkage: Distinct[Annotated[float, Field(gt=0, le=1)]] = Field(
        (0.1, 0.3, 0.5, 0.7, 0.9, 0.97), min_length=1, description="candidates of lda"
    )
    mlp: MlpConfig = MlpConfig()
    single: SingleConfig = SingleConfig()


class AdaptConfig(Part):
    """How a trained decoder learns the cells of sessions that it never saw."""

    repeats: Distinct[Size] = Field(
        (1, 2, 5, 10), description="presentations of each class to learn from; then all"
    )
    steps: Annotated[int, Field(ge=0, le=10_000_000)] = Field(
        100, description="0: where the embeddings start"
    )
    batch: Size = Field(32, description="windows in a step")
    learning_rate: PositiveFloat = Field(2e-2, description="falls to 0")
