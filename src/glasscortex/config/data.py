"""From recordings to presentations."""

from typing import Annotated, Literal, get_args

from pydantic import Field, PositiveFloat, model_validator

from glasscortex.config.part import (
    Count,
    Distinct,
    Fraction,
    Name,
    Part,
    Seconds,
    Seed,
    Size,
    UserPath,
)
from glasscortex.tasks import ALLEN, Kind
from glasscortex.words import MOVIES, SessionType, StimulusName

TAKEN = {
    *(*ALLEN.tasks, *ALLEN.variables),
    *("session_id", "stimulus", "presentation", "block", "start_s", "end_s", "split", "mouse"),
    *(
        "window_start",
        "window_stop",
        "unit",
        "start",
        "end",
        "trial",
        "kind",
        "response",
        "activation",
    ),
}
"""Names that other columns have."""


class SelectConfig(Part):
    """Which sessions are used; an empty list keeps all."""

    areas: Distinct[str] = ()
    cre_lines: Distinct[str] = ()
    depth_um: tuple[float, float] = (0, 1000)
    session_types: Distinct[SessionType] = ()
    session_ids: Distinct[Name] = ()
    container_ids: Distinct[Name] = ()
    eye_tracking: bool = Field(
        False, description="only sessions whose eye was tracked; source allen only"
    )
    number: Count | None = Field(None, description="at most this many sessions, in order")
    number_per_stratum: Count | None = Field(
        None, description="at most this many sessions of each stratum, drawn at random"
    )
    strata: Distinct[Literal["area", "cre_line", "depth_um", "session_type"]] = Field(
        ("cre_line", "area"), min_length=1
    )
    seed: int = Field(0, description="of the draw")
    held_out: Distinct[Name] = Field(
        (), description="ids of sessions that are prepared but that no decoder is trained on"
    )

    @model_validator(mode="after")
    def _depth_rises(self):
        if self.depth_um[0] > self.depth_um[1]:
            raise ValueError(f"depth_um {list(self.depth_um)} must be [shallowest, deepest]")
        return self


class DownloadConfig(Part):
    """Where recordings are downloaded from, and how patiently."""

    base_uri: str | None = Field(None, description="another server that answers as the source's")
    cache: UserPath | None = Field(
        None, description="folder that downloads are kept in; none: downloads, in the results"
    )
    attempts: Count = Field(5, description="tries of one download")
    backoff_s: PositiveFloat = Field(2.0, description="pause before the second try; then doubled")
    stall_s: PositiveFloat = Field(60.0, description="a try ends after this long without a byte")


class AllenConfig(DownloadConfig):
    """The Allen Brain Observatory as a source of recordings."""

    route: Literal["api", "s3"] = Field(
        "api", description="AllenSDK's web service, or the public bucket of the same files"
    )


class DandiConfig(DownloadConfig):
    """A version of a dandiset as a source of recordings."""

    dandiset: Annotated[str, Field(pattern=r"^\d{6}$")] | None = Field(
        None, description="its six digits, in quotes"
    )
    version: Annotated[str, Field(pattern=r"^(draft|\d+\.\d+\.\d+)$")] | None = Field(
        None, description="such as 0.240827.1809, or draft"
    )
    glob: str = Field("*.nwb", description="pattern of the paths of its files; * is any letters")


class SimulateConfig(Part):
    """Simulated mice and their sessions."""

    seed: Seed = 0
    cre_lines: Distinct[str] = Field(
        ("Cux2-CreERT2", "Rbp4-Cre_KL100", "Sst-IRES-Cre", "Vip-IRES-Cre"), min_length=1
    )
    mice_per_line: Size = 10
    sessions: dict[SessionType, Annotated[int, Field(ge=0)]] = Field(
        {"three_session_A": 10, "three_session_B": 1},
        description="how many mice of each line are recorded in each session type",
    )
    cells: Size = Field(40, description="mean number of cells of a session")
    length: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="fraction of the real session's repeats"
    )
    without: Distinct[StimulusName] = Field((), description="stimuli that are not shown")
    frame_rate_hz: Annotated[float, Field(ge=2, le=1000)] = 30.0

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
    threads: Size = Field(1, description="cells computed at a time; no part of the result")


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


class VariableConfig(Part):
    """A column of a stimulus table, as a variable and as the task of decoding it."""

    table: str = Field(description="stimulus table of the recording")
    column: str = Field("", description="its column; none: named as the variable")
    kind: Kind
    level: Literal["stimulus", "behaviour"] = Field(
        "stimulus", description="behaviour: what the animal did on the trial, such as its choice"
    )
    unit: str = Field("", description="of its values, as figures write it")
    period: PositiveFloat | None = Field(None, description="of a circular variable, in its unit")
    names: str = Field("", description="the same word for variables whose values name the same")
    blanks: Distinct[float | str] = Field((), description="values that are no label")

    @model_validator(mode="after")
    def _kind_fits(self):
        if (self.kind == "circular") != (self.period is not None):
            raise ValueError(
                f"kind is {self.kind} and period {self.period}: a circular variable, and no other, "
                "has a period"
            )
        if self.table in (*MOVIES, "spontaneous"):
            raise ValueError(f"table {self.table} is cut into parts of its own: name another")
        return self


class TrialsConfig(Part):
    """Presentations, the windows of ΔF/F around them, what they show, and their splits."""

    signal: Literal["dff", "events"] = Field(
        "dff", description="what windows are cut from; events need preprocess.events"
    )
    window_s: dict[str, Annotated[float, Field(gt=0, le=60)]] = Field(
        {
            "drifting_gratings": 2.0,
            "static_gratings": 0.5,
            "natural_scenes": 0.5,
            "natural_movie_one": 1.0,
            "natural_movie_two": 1.0,
            "natural_movie_three": 1.0,
            "spontaneous": 2.0,
        },
        min_length=1,
        description="window from the onset of a presentation, per stimulus; others are left out",
    )
    variables: dict[Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")], VariableConfig] = Field(
        {}, description="variables that Allen's recordings do not have, by name"
    )
    movie_bin_s: Annotated[float, Field(ge=1 / 30)] = Field(
        1.0, description="part of a movie that is one class; a movie frame lasts 1/30 s"
    )
    sample_rate_hz: Annotated[float, Field(gt=0, le=1000)] = Field(
        10.0, description="rate that windows are averaged to"
    )
    split: SplitConfig = SplitConfig()

    @model_validator(mode="after")
    def _variables_are_shown(self):
        for name, variable in self.variables.items():
            if name in TAKEN or name.startswith("label_"):
                raise ValueError(f"variables.{name}: the name is taken: give it another")
            if variable.table not in self.window_s:
                raise ValueError(
                    f"variables.{name} needs window_s.{variable.table}, its window: add it"
                )
        known = {*get_args(StimulusName), *(v.table for v in self.variables.values())}
        for stimulus in self.window_s:
            if stimulus not in known:
                raise ValueError(
                    f"window_s.{stimulus} is neither a stimulus of Allen's nor the table of one of "
                    f"trials.variables, which are {', '.join(sorted(known))}: correct it"
                )
        return self
