"""The configuration: one model a stage, the only place that knows defaults and limits.

`config.yaml` is read by Snakemake and checked here before any job starts. Each stage gets
only the part that it depends on.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from glasscortex.config.analysis import AblationConfig, AttributionConfig, SelectivityConfig
from glasscortex.config.data import (
    AllenConfig,
    DandiConfig,
    DownloadConfig,
    PreprocessConfig,
    SelectConfig,
    SimulateConfig,
    SplitConfig,
    TrialsConfig,
    VariableConfig,
)
from glasscortex.config.decoder import (
    AdaptConfig,
    BaselineConfig,
    DecoderConfig,
    MlpConfig,
    ModelConfig,
    PoyoPlusConfig,
    SingleConfig,
    TrainConfig,
)
from glasscortex.config.dictionaries import (
    ArchetypalSettings,
    BasisSettings,
    BatchTopKConfig,
    DictionarySettings,
    FrozenSettings,
    GatedSettings,
    JumpReluSettings,
    KSparseSettings,
    MatchingPursuitSettings,
    MatryoshkaSettings,
    ObjectiveSettings,
    ReadoutSettings,
    ReluSettings,
    SaeConfig,
    SemiNmfSettings,
    SpliceConfig,
    ThresholdConfig,
    ThresholdSettings,
    TopKConfig,
    TopKSettings,
    TranscoderSettings,
)
from glasscortex.config.names import TaskNames
from glasscortex.config.part import Distinct, Part, Seed, UserPath, plain_path
from glasscortex.errors import InputError
from glasscortex.local import recordings_in
from glasscortex.tasks import ALLEN
from glasscortex.words import MODELS, SESSION_STIMULI, ModelName

LONGEST_NAME = 255
"""Bytes of the name of a folder."""

__all__ = [
    "AblationConfig",
    "AdaptConfig",
    "AllenConfig",
    "ArchetypalSettings",
    "AttributionConfig",
    "BaselineConfig",
    "BasisSettings",
    "BatchTopKConfig",
    "Config",
    "DandiConfig",
    "DecoderConfig",
    "DictionarySettings",
    "DownloadConfig",
    "FrozenSettings",
    "GatedSettings",
    "JumpReluSettings",
    "KSparseSettings",
    "MatchingPursuitSettings",
    "MatryoshkaSettings",
    "MlpConfig",
    "ModelConfig",
    "ObjectiveSettings",
    "Part",
    "PoyoPlusConfig",
    "PreprocessConfig",
    "ReadoutSettings",
    "ReluSettings",
    "SaeConfig",
    "SelectConfig",
    "SelectivityConfig",
    "SemiNmfSettings",
    "SimulateConfig",
    "SingleConfig",
    "SpliceConfig",
    "SplitConfig",
    "TaskNames",
    "ThresholdConfig",
    "ThresholdSettings",
    "TopKConfig",
    "TopKSettings",
    "TrainConfig",
    "TranscoderSettings",
    "TrialsConfig",
    "VariableConfig",
    "validated",
]


class Config(Part):
    """The whole of `config.yaml`."""

    source: Literal["simulated", "local", "allen", "dandi"] = "simulated"
    nwb: UserPath | None = Field(
        None, description="folder of NWB files and Zarr folders that source local reads"
    )
    results: UserPath = Path("results")
    seeds: Distinct[Seed] = (0,)
    models: Distinct[ModelName] = MODELS
    tasks: TaskNames = Field("all", description="all: every task that the sessions allow")
    select: SelectConfig = SelectConfig()
    allen: AllenConfig = AllenConfig()
    dandi: DandiConfig = DandiConfig()
    simulate: SimulateConfig = SimulateConfig()
    preprocess: PreprocessConfig = PreprocessConfig()
    trials: TrialsConfig = TrialsConfig()
    decoder: DecoderConfig = DecoderConfig()
    baseline: BaselineConfig = BaselineConfig()
    adapt: AdaptConfig = AdaptConfig()
    sae: dict[Annotated[str, Field(pattern=r"^\w[\w.-]*$")], SaeConfig] = Field(
        {"end_to_end": ThresholdConfig(architecture="threshold")},
        min_length=1,
        description="dictionaries by name",
    )
    splice: SpliceConfig = SpliceConfig()
    selectivity: SelectivityConfig = SelectivityConfig()
    ablation: AblationConfig = AblationConfig()
    attribution: AttributionConfig = AttributionConfig()

    @property
    def raw(self) -> Path:
        """Folder of the recordings that the workflow works on: made here, or links."""
        return self.results / "raw"

    @property
    def bases(self) -> tuple[str, ...]:
        """Names of the dictionaries that are bases: the others are held against them."""
        return tuple(name for name, sae in self.sae.items() if isinstance(sae, BasisSettings))

    @property
    def single(self) -> DecoderConfig:
        """The transformer of each session alone: as the others, but for `baseline.single`."""
        alone = {"sessions_per_step": 1, "devices": 1, **self.baseline.single.model_dump()}
        train = self.decoder.train.model_copy(update=alone)
        return self.decoder.model_copy(update={"train": train})

    @model_validator(mode="after")
    def _is_consistent(self):
        _check_results(self.results)
        if self.source == "local":
            _check_folder(self.nwb, self.raw)
        elif self.nwb is not None:
            raise ValueError(f"nwb is given but source is {self.source}: add source=local")
        if self.source == "dandi" and not (self.dandi.dandiset and self.dandi.version):
            raise ValueError(
                "source dandi needs dandi.dandiset and dandi.version, such as '000728' and "
                "0.240827.1809: name both"
            )
        for source, downloads in (("allen", self.allen), ("dandi", self.dandi)):
            if downloads.cache is not None and _lies_in(downloads.cache, self.raw):
                raise ValueError(
                    f"{source}.cache {downloads.cache} lies in {self.raw}, where links to the "
                    "downloads are written: give another folder"
                )
        if self.select.eye_tracking and self.source != "allen":
            raise ValueError(
                f"select.eye_tracking is given but source is {self.source}, which does not tell: "
                "remove it"
            )
        if self.trials.signal == "events" and not self.preprocess.events:
            raise ValueError("trials.signal is events: set preprocess.events to true")
        if "trained" not in self.models or not self.seeds:
            raise ValueError("models must name trained, and seeds at least one seed")
        if "start" in self.models and self.decoder.architecture == "poyo_plus":
            raise ValueError(
                "models names start, but poyo_plus starts at random: name untrained instead"
            )
        for key in ("seeds", "models", "tasks"):
            if not getattr(self, key):
                raise ValueError(f"{key} is empty: name one")
        for name, sae in self.sae.items():
            kind, _, index = sae.hook.partition(".")
            published = self.decoder.architecture == "poyo_plus"
            depth = (self.decoder.poyo_plus if published else self.decoder.model).depth
            last = depth - (kind != "latents")
            if index and int(index) > last:
                raise ValueError(
                    f"sae.{name}.hook {sae.hook} does not exist: the last is {kind}.{last} "
                    f"(the transformer's depth is {depth})"
                )
        self._check_patch()
        self._check_tasks()
        return self

    def _check_patch(self):
        patch, longest = self.decoder.model.patch_frames, max(self.trials.window_s.values())
        if patch > longest * self.trials.sample_rate_hz:
            raise ValueError(
                f"decoder.model.patch_frames is {patch}, but the longest window has "
                f"{longest * self.trials.sample_rate_hz:g} samples: lower it"
            )

    def _check_tasks(self):
        own, weights = self.trials.variables, self.decoder.train.task_weights
        tasks = (*ALLEN.tasks, *own) if self.tasks == "all" else self.tasks
        for key, names in {"tasks": tasks, "decoder.train.task_weights": weights}.items():
            for name in names:
                if name not in ALLEN.tasks and name not in own:
                    raise ValueError(
                        f"{key} names {name}, which is no task: define it in trials.variables, or "
                        f"name one of {', '.join([*ALLEN.tasks, *own])}"
                    )
        if all(weights.get(task) == 0 for task in tasks):
            raise ValueError("decoder.train.task_weights is 0 for every task: raise one")
        for name in () if self.tasks == "all" else tasks:
            if name in own:
                continue
            stimulus = ALLEN.tasks[name].stimulus
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


def _check_results(results: Path) -> None:
    for path in (results, *results.parents):
        if len(os.fsencode(path.name)) > LONGEST_NAME:
            raise ValueError(f"results: {path.name[:20]}… is longer than a name may be: shorten it")
        if path.exists() and not path.is_dir():
            raise ValueError(f"results: {path} is a file: give a folder")


def _check_folder(folder: Path | None, raw: Path) -> None:
    if folder is None:
        raise ValueError("source local needs nwb, the folder of NWB files: add nwb=FOLDER")
    if not folder.is_dir():
        raise ValueError(f"nwb: folder {folder} does not exist: give the folder of NWB files")
    recordings = recordings_in(folder)
    if not recordings:
        raise ValueError(
            f"nwb: folder {folder} holds no *.nwb file and no *.zarr folder: give another"
        )
    for path in map(plain_path, recordings):
        if not path.exists():
            raise ValueError(f"nwb: {path} is a link to nothing: mend or remove it")
        if _lies_in(path, raw):
            raise ValueError(
                f"nwb: {path} lies in {raw}, where links to the recordings are written, and would "
                "be replaced by one: move it, or give another results folder"
            )


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is the folder or inside it, once all links are followed."""
    return path.resolve().is_relative_to(folder.resolve())


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


def _explain(fault: ErrorDetails) -> str:
    # parts such as "tuple[str, ...]" are pydantic's names for the members of a union
    parts = [str(p) for p in fault["loc"] if "[" not in str(p) and p != "constrained-float"]
    if parts[:1] == ["sae"]:
        del parts[2:3]  # the architecture, by which pydantic chose the model
    key = ".".join(parts)
    if fault["type"] == "union_tag_invalid":
        tags, tag = fault["ctx"]["expected_tags"], fault["ctx"]["tag"]
        return f"config {key}.architecture: must be one of {tags}, got {tag!r}"
    if fault["type"] == "extra_forbidden":
        return f"config key {key} is unknown: check its spelling against config.yaml"
    where = f"config {key}" if key else "config"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" + f", got {fault['input']!r}" * (fault["type"] != "value_error")
