"""The configuration: one model a stage, the only place that knows defaults and limits.

`config.yaml` is read by Snakemake and checked here before any job starts. Each stage gets
only the part that it depends on.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from glasscortex.errors import InputError
from glasscortex.words import SESSION_STIMULI, TASKS, SessionType, StimulusName, TaskName

Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = PositiveFloat
Name = Annotated[str, Field(coerce_numbers_to_str=True)]
ModelName = Literal["trained", "start", "untrained", "shuffled"]
BaselineName = Literal["linear", "lda", "mlp", "template", "single"]


class Part(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SelectConfig(Part):
    """Which sessions are used; an empty list keeps all."""

    areas: tuple[str, ...] = ()
    cre_lines: tuple[str, ...] = ()
    depth_um: tuple[float, float] = (0, 1000)
    session_types: tuple[SessionType, ...] = ()
    session_ids: tuple[Name, ...] = ()
    container_ids: tuple[Name, ...] = ()
    eye_tracking: bool = Field(
        False, description="only sessions whose eye was tracked; source allen only"
    )
    number: PositiveInt | None = Field(None, description="at most this many sessions, in order")
    number_per_stratum: PositiveInt | None = Field(
        None, description="at most this many sessions of each stratum, drawn at random"
    )
    strata: tuple[Literal["area", "cre_line", "depth_um", "session_type"], ...] = (
        "cre_line",
        "area",
    )
    seed: int = Field(0, description="of the draw")
    held_out: tuple[Name, ...] = Field(
        (), description="ids of sessions that are prepared but that no decoder is trained on"
    )

    @model_validator(mode="after")
    def _depth_rises(self):
        if self.depth_um[0] > self.depth_um[1]:
            raise ValueError(f"depth_um {list(self.depth_um)} must be [shallowest, deepest]")
        return self


class AllenConfig(Part):
    """The Allen Brain Observatory as a source of recordings."""

    route: Literal["api", "s3"] = Field(
        "api", description="AllenSDK's web service, or the public bucket of the same files"
    )
    base_uri: str | None = Field(None, description="another server that answers as the route's own")
    cache: Path | None = Field(
        None, description="folder that downloads are kept in; none: downloads, in the results"
    )
    attempts: PositiveInt = Field(5, description="tries of one download")
    backoff_s: PositiveFloat = Field(2.0, description="pause before the second try; then doubled")
    stall_s: PositiveFloat = Field(60.0, description="a try ends after this long without a byte")


class SimulateConfig(Part):
    """Simulated mice and their sessions."""

    seed: int = 0
    cre_lines: tuple[str, ...] = (
        "Cux2-CreERT2",
        "Rbp4-Cre_KL100",
        "Sst-IRES-Cre",
        "Vip-IRES-Cre",
    )
    mice_per_line: PositiveInt = 10
    sessions: dict[SessionType, Annotated[int, Field(ge=0)]] = Field(
        {"three_session_A": 10, "three_session_B": 1},
        description="how many mice of each line are recorded in each session type",
    )
    cells: PositiveInt = Field(40, description="mean number of cells of a session")
    length: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="fraction of the real session's repeats"
    )
    without: tuple[StimulusName, ...] = Field((), description="stimuli that are not shown")
    frame_rate_hz: PositiveFloat = 30.0

    @model_validator(mode="after")
    def _mice_exist(self):
        for session_type, mice in self.sessions.items():
            if mice > self.mice_per_line:
                raise ValueError(
                    f"sessions.{session_type} is {mice}, but there are only "
                    f"{self.mice_per_line} mice per line: lower it or raise mice_per_line"
                )
        return self


class PreprocessConfig(Part):
    """From fluorescence to ΔF/F."""

    dff: Literal["stored", "windowed_median", "windowed_mode", "rolling_percentile"] = (
        "windowed_median"
    )
    percentile: Annotated[float, Field(ge=0, le=100)] = Field(
        8.0, description="of rolling_percentile, %"
    )
    percentile_window_s: Seconds = Field(60.0, description="window of rolling_percentile")
    neuropil: Literal["stored", "fitted", "none"] | Annotated[float, Field(ge=0, le=2)] = Field(
        "stored",
        description="contamination ratio r: the file's, fitted, none, or a number; no part of a "
        "stored ΔF/F",
    )
    events: bool = Field(False, description="infer events from ΔF/F, too; needs oasis-deconv")
    threads: PositiveInt = Field(1, description="cells computed at a time; no part of the result")


class SplitConfig(Part):
    """Fractions, in time, of every block of a stimulus."""

    train: Fraction = 0.6
    validation: Fraction = 0.15
    test: Fraction = 0.25

    @model_validator(mode="after")
    def _is_whole(self):
        if abs(self.train + self.validation + self.test - 1) > 1e-6:
            raise ValueError("train, validation and test must sum to 1")
        if min(self.train, self.validation, self.test) == 0:
            raise ValueError("train, validation and test must each be above 0")
        return self


class TrialsConfig(Part):
    """Presentations, the windows of ΔF/F around them, and their splits."""

    signal: Literal["dff", "events"] = Field(
        "dff", description="what windows are cut from; events need preprocess.events"
    )
    window_s: dict[StimulusName, Seconds] = Field(
        {
            "drifting_gratings": 2.0,
            "static_gratings": 0.5,
            "natural_scenes": 0.5,
            "natural_movie_one": 1.0,
            "natural_movie_two": 1.0,
            "natural_movie_three": 1.0,
            "spontaneous": 2.0,
        },
        description="window from the onset of a presentation, per stimulus; others are left out",
    )
    movie_bin_s: Annotated[float, Field(ge=1 / 30)] = Field(
        1.0, description="part of a movie that is one class; a movie frame lasts 1/30 s"
    )
    sample_rate_hz: PositiveFloat = Field(10.0, description="rate that windows are averaged to")
    split: SplitConfig = SplitConfig()


class ModelConfig(Part):
    """The transformer."""

    dim: PositiveInt = 64
    depth: PositiveInt = 2
    heads: PositiveInt = 4
    patch_frames: PositiveInt = Field(2, description="samples of one cell that make one token")
    latents_per_step: PositiveInt = 1
    rotary_periods_s: tuple[PositiveFloat, PositiveFloat] = (0.1, 8.0)
    cell_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    feature_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1

    @property
    def cell_dim(self) -> int:
        """Features of a cell's embedding."""
        return self.dim

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

    patch_frames: ClassVar[int] = 1

    dim: Annotated[int, Field(gt=0, multiple_of=2)] = 64
    depth: PositiveInt = 6
    heads: PositiveInt = Field(8, description="of the attention among latents")
    cross_heads: PositiveInt = Field(2, description="of the attention into and out of latents")
    head_dim: Annotated[int, Field(gt=0, multiple_of=4)] = Field(
        64, description="features of a head; half of them turn with time"
    )
    latent_step_s: Seconds = 0.125
    latents_per_step: PositiveInt = 16
    rotary_periods_s: tuple[PositiveFloat, PositiveFloat] = (1e-4, 2.0627)
    cell_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    feature_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    block_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.4, description="of what each block adds to the latents"
    )

    @property
    def cell_dim(self) -> int:
        """Features of a cell's embedding: a token holds its value in the other half."""
        return self.dim // 2


class TrainConfig(Part):
    """How the transformer is trained."""

    epochs: PositiveInt = 15
    patience: PositiveInt = Field(5, description="epochs without a better validation loss")
    batch: PositiveInt = Field(64, description="windows of one session in a batch")
    sessions_per_step: PositiveInt = Field(1, description="batches whose gradients make a step")
    learning_rate: PositiveFloat = 1e-3
    cell_rate: PositiveFloat = Field(3.0, description="times faster that cells are learnt")
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    warmup: Fraction = 0.05
    clip: PositiveFloat = 1.0
    task_weights: dict[TaskName, Annotated[float, Field(ge=0)]] = {}
    accelerator: Literal["auto", "cpu", "gpu"] = Field("auto", description="auto: a GPU if any")
    devices: PositiveInt = Field(1, description="processes that share the batches of a step")
    precision: Literal[32, "bf16"] = Field(32, description="bf16: mixed with 32 bits")
    checkpoint_minutes: PositiveFloat = Field(5.0, description="at most this much is trained again")
    threads: PositiveInt = Field(1, description="of each process")

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

    @property
    def transformer(self) -> ModelConfig | PoyoPlusConfig:
        """The part that describes the chosen architecture."""
        return self.model if self.architecture == "glasscortex" else self.poyo_plus


class MlpConfig(Part):
    """The multilayer perceptron of each session and task."""

    hidden: PositiveInt = Field(64, description="units of its only hidden layer")
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    learning_rate: PositiveFloat = 1e-2
    steps: PositiveInt = Field(100, description="at most; validation stops it earlier")
    weight_decay: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (1.0, 3.0, 10.0, 30.0), min_length=1, description="candidates"
    )


class SingleConfig(Part):
    """The transformer of each session alone: what differs in its training."""

    epochs: PositiveInt = 80
    patience: PositiveInt = 20
    batch: PositiveInt = 32


class BaselineConfig(Part):
    """Simpler decoders, one a session and task; validation chooses among their candidates."""

    models: tuple[BaselineName, ...] = ("linear", "lda", "mlp", "template")
    inverse_regularisation: tuple[PositiveFloat, ...] = Field(
        (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0), min_length=1, description="candidates of linear"
    )
    shrinkage: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (0.1, 0.3, 0.5, 0.7, 0.9, 0.97), min_length=1, description="candidates of lda"
    )
    mlp: MlpConfig = MlpConfig()
    single: SingleConfig = SingleConfig()

    @model_validator(mode="after")
    def _is_named_once(self):
        if len(set(self.models)) < len(self.models):
            raise ValueError("models names one twice: remove it")
        return self


class AdaptConfig(Part):
    """How a trained decoder learns the cells of sessions that it never saw."""

    repeats: tuple[PositiveInt, ...] = Field(
        (1, 2, 5, 10), description="presentations of each class to learn from; then all"
    )
    steps: Annotated[int, Field(ge=0)] = Field(100, description="0: where the embeddings start")
    batch: PositiveInt = Field(32, description="windows in a step")
    learning_rate: PositiveFloat = Field(2e-2, description="falls to 0")


class SaeConfig(Part):
    """The sparse autoencoder on the transformer's activations."""

    hook: str = Field("latents.2", pattern=r"^(latents|attention|mlp)\.\d+$|^readout$")
    width: PositiveInt = 256
    k: PositiveInt = 16
    steps: PositiveInt = 3000
    batch: PositiveInt = 1024
    learning_rate: PositiveFloat = 3e-3
    encoder_scale: PositiveFloat = Field(0.4, description="encoder starts at this times W_dec^T")
    aux_weight: Annotated[float, Field(ge=0)] = 1 / 32
    dead_after: PositiveInt = Field(20, description="batches without firing that make a unit dead")
    threads: PositiveInt = 1

    @model_validator(mode="after")
    def _k_fits(self):
        if self.k > self.width:
            raise ValueError(f"k is {self.k}, larger than width {self.width}: lower sae.k")
        return self


class SpliceConfig(Part):
    """The test that splicing leaves decoding unchanged."""

    margin: PositiveFloat = Field(
        0.1, description="largest change that counts as none, as a share of score above chance"
    )
    threads: PositiveInt = 1


class SelectivityConfig(Part):
    """Null distributions and thresholds of selectivity."""

    permutations: PositiveInt = 1000
    mouse_permutations: PositiveInt = 5000
    q: Fraction = Field(0.05, description="false discovery rate per variable")
    min_effect: Fraction = Field(0.01, description="smallest effect of a selective unit")
    min_active: PositiveInt = Field(20, description="fewest presentations on which a unit fires")


class AblationConfig(Part):
    """Which units are removed, how, and what they are compared with."""

    methods: tuple[Literal["zero", "mean", "resample"], ...] = Field(
        ("zero", "mean", "resample"), min_length=1
    )
    units: PositiveInt = Field(64, description="most units of one variable that are removed")
    doses: tuple[PositiveInt, ...] = (4, 8, 16, 32, 64)
    draws: PositiveInt = Field(20, description="matched random sets at the full dose")
    dose_draws: PositiveInt = Field(5, description="of these, at every smaller dose")
    windows: PositiveInt = Field(
        200, description="most test windows of one session and stimulus, evenly spread"
    )
    bootstraps: PositiveInt = 2000
    threads: PositiveInt = 1


class Config(Part):
    """The whole of `config.yaml`."""

    source: Literal["simulated", "local", "allen"] = "simulated"
    nwb: Path | None = Field(None, description="folder of NWB files that source local reads")
    results: Path = Path("results")
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = (0,)
    models: tuple[ModelName, ...] = ("trained", "start", "untrained", "shuffled")
    tasks: tuple[TaskName, ...] | Literal["all"] = Field(
        "all", description="all: every task that the sessions allow"
    )
    select: SelectConfig = SelectConfig()
    allen: AllenConfig = AllenConfig()
    simulate: SimulateConfig = SimulateConfig()
    preprocess: PreprocessConfig = PreprocessConfig()
    trials: TrialsConfig = TrialsConfig()
    decoder: DecoderConfig = DecoderConfig()
    baseline: BaselineConfig = BaselineConfig()
    adapt: AdaptConfig = AdaptConfig()
    sae: dict[Annotated[str, Field(pattern=r"^\w[\w.-]*$")], SaeConfig] = Field(
        {"topk": SaeConfig()}, min_length=1, description="SAEs by name"
    )
    splice: SpliceConfig = SpliceConfig()
    selectivity: SelectivityConfig = SelectivityConfig()
    ablation: AblationConfig = AblationConfig()

    @property
    def single(self) -> DecoderConfig:
        """The transformer of each session alone: as the others, but for `baseline.single`."""
        alone = {"sessions_per_step": 1, "devices": 1, **self.baseline.single.model_dump()}
        train = self.decoder.train.model_copy(update=alone)
        return self.decoder.model_copy(update={"train": train})

    @model_validator(mode="after")
    def _is_consistent(self):
        if self.source == "local":
            _check_folder(self.nwb)
        elif self.nwb is not None:
            raise ValueError(f"nwb is given but source is {self.source}: add source=local")
        if self.select.eye_tracking and self.source != "allen":
            raise ValueError(
                f"select.eye_tracking is given but source is {self.source}, which does not tell: "
                "remove it"
            )
        if self.trials.signal == "events" and not self.preprocess.events:
            raise ValueError("trials.signal is events: set preprocess.events to true")
        if "trained" not in self.models or not self.seeds:
            raise ValueError("models must name trained, and seeds at least one seed")
        for key in ("seeds", "models", "tasks"):
            values = getattr(self, key)
            if not values:
                raise ValueError(f"{key} is empty: name one")
            if values != "all" and len(set(values)) < len(values):
                raise ValueError(f"{key} names one twice: remove it")
        for name, sae in self.sae.items():
            kind, _, index = sae.hook.partition(".")
            depth = self.decoder.transformer.depth
            last = depth - (kind != "latents")
            if index and int(index) > last:
                raise ValueError(
                    f"sae.{name}.hook {sae.hook} does not exist: the last is {kind}.{last} "
                    f"(the transformer's depth is {depth})"
                )
        if self.tasks != "all":
            self._check_tasks()
        return self

    def _check_tasks(self):
        for name in self.tasks:
            stimulus = TASKS[name].stimulus
            if stimulus and stimulus not in self.trials.window_s:
                raise ValueError(f"task {name} needs trials.window_s.{stimulus}: add it")
            types = {t for t, mice in self.simulate.sessions.items() if mice}
            if self.select.session_types:
                types &= set(self.select.session_types)
            shown = {stimulus for t in types for stimulus in SESSION_STIMULI[t]}
            shown -= set(self.simulate.without)
            if self.source == "simulated" and stimulus and stimulus not in shown:
                raise ValueError(
                    f"task {name} needs {stimulus}, which no selected session shows: remove it "
                    "from tasks, or show it (simulate.sessions, simulate.without)"
                )


def _check_folder(folder: Path | None) -> None:
    if folder is None:
        raise ValueError("source local needs nwb, the folder of NWB files: add nwb=FOLDER")
    if not folder.is_dir():
        raise ValueError(f"nwb: folder {folder} does not exist: give the folder of NWB files")
    if not any(folder.glob("*.nwb")):
        raise ValueError(f"nwb: folder {folder} holds no *.nwb file: give another folder")


def validated(settings: dict[str, Any]) -> Config:
    """The checked configuration, with every default filled in.

    Raises
    ------
    InputError
        One line that names each faulty key and what to do.
    """
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        raise InputError("; ".join(_explain(fault) for fault in error.errors())) from None


def _explain(fault: dict[str, Any]) -> str:
    # parts such as "tuple[str, ...]" are pydantic's names for the members of a union
    parts = [str(p) for p in fault["loc"] if "[" not in str(p) and p != "constrained-float"]
    key = ".".join(parts)
    if fault["type"] == "extra_forbidden":
        return f"config key {key} is unknown: check its spelling against config.yaml"
    where = f"config {key}" if key else "config"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" + f", got {fault['input']!r}" * (fault["type"] != "value_error")
