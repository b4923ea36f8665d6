import json
from functools import cached_property
from pathlib import Path
from types import FunctionType

import pytest
import yaml

from glasscortex import config
from glasscortex.config import Config, DecoderConfig, Part, PoyoPlusConfig, validated
from glasscortex.config.yaml_keys import check_keys
from glasscortex.errors import InputError
from glasscortex.tasks import ALLEN
from glasscortex.workflow import file_of, sources
from tests.attacks import outcomes

ROOT = Path(__file__).parents[1]


def test_defaults_are_valid():
    assert validated({}) == Config()


def test_what_is_given_is_kept():
    config = validated({"sae": {"a": {"width": 32}, "b": {}}, "tasks": ["direction"]})
    assert config.sae["a"].width == 32
    assert config.tasks == ("direction",)


def test_a_dictionary_is_topk_unless_it_says_otherwise():
    config = validated({"sae": {"a": {}, "topk": {"architecture": "batch_topk", "k": 8}}})
    assert config.sae["a"].architecture == "topk"
    assert (config.sae["topk"].architecture, config.sae["topk"].k) == ("batch_topk", 8)


def test_dictionaries_that_are_bases_are_known():
    names = {"a": {}, "b": {"architecture": "pca"}, "c": {"architecture": "frozen"}}
    assert validated({"sae": names}).bases == ("b",)


def test_values_cannot_change():
    with pytest.raises(ValueError, match="frozen"):
        Config().seeds = (1,)


def test_session_ids_may_be_written_as_numbers():
    assert validated({"select": {"session_ids": [501, "502"]}}).select.session_ids == ("501", "502")


def test_every_task_is_a_legal_choice():
    sessions = {"three_session_A": 1, "three_session_B": 1, "three_session_C": 1}
    config = validated({"tasks": list(ALLEN.tasks), "simulate": {"sessions": sessions}})
    assert config.tasks == tuple(ALLEN.tasks)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sed": 1}, ["key sed is unknown", "spelling"]),
        ({"select": {"area": []}}, ["select.area is unknown", "spelling"]),
        ({"decoder": {"train": {"epoch": 1}}}, ["decoder.train.epoch is unknown"]),
        ({"source": "remote"}, ["config source:", "'allen' or 'dandi'", "got 'remote'"]),
        ({"source": "allen", "nwb": "x"}, ["nwb is given but source is allen"]),
        ({"select": {"eye_tracking": True}}, ["select.eye_tracking", "source is simulated"]),
        ({"select": {"strata": ["mouse"]}}, ["select.strata.0", "'cre_line'", "got 'mouse'"]),
        ({"select": {"number_per_stratum": 0}}, ["select.number_per_stratum:", "greater than 0"]),
        ({"allen": {"route": "ftp"}}, ["allen.route:", "'api' or 's3'", "got 'ftp'"]),
        ({"allen": {"attempts": 0}}, ["allen.attempts:", "greater than 0"]),
        ({"source": "dandi"}, ["dandi.dandiset and dandi.version", "name both"]),
        ({"dandi": {"dandiset": 728}}, ["dandi.dandiset:", "valid string", "728"]),
        ({"dandi": {"dandiset": "728"}}, ["dandi.dandiset:", "728"]),
        ({"dandi": {"version": "latest"}}, ["dandi.version:", "latest"]),
        ({"nwb": "x"}, ["nwb is given", "add source=local"]),
        ({"source": "local"}, ["source local needs nwb", "add nwb=FOLDER"]),
        ({"seeds": []}, ["seeds at least one seed"]),
        ({"seeds": ["a"]}, ["config seeds.0:", "valid integer", "got 'a'"]),
        ({"models": ["untrained"]}, ["models must name trained"]),
        (
            {"decoder": {"architecture": "poyo_plus"}},
            ["models names start", "poyo_plus starts at random", "name untrained"],
        ),
        ({"tasks": ["directio"]}, ["tasks names directio, which is no task", "one of direction"]),
        (
            {"decoder": {"train": {"task_weights": {"scenes": 0.1}}}},
            ["decoder.train.task_weights names scenes", "trials.variables"],
        ),
        ({"tasks": ["movie_two"]}, ["task movie_two", "no selected session", "remove it"]),
        (
            {"tasks": ["scene"], "select": {"session_types": ["three_session_A"]}},
            ["task scene needs natural_scenes", "remove it from tasks, or show it"],
        ),
        (
            {"tasks": ["scene"], "trials": {"window_s": {"drifting_gratings": 2}}},
            ["task scene needs trials.window_s.natural_scenes: add it"],
        ),
        ({"select": {"session_types": ["A"]}}, ["select.session_types.0", "'three_session_A'"]),
        ({"select": {"depth_um": [300, 200]}}, ["select:", "depth_um", "[shallowest, deepest]"]),
        ({"select": {"number": 0}}, ["select.number:", "greater than 0"]),
        (
            {"simulate": {"mice_per_line": 2, "sessions": {"three_session_B": 3}}},
            ["simulate:", "sessions.three_session_B is 3", "lower it or raise mice_per_line"],
        ),
        ({"simulate": {"length": 1.5}}, ["simulate.length:", "less than or equal to 1"]),
        ({"preprocess": {"dff": "mode"}}, ["preprocess.dff:", "'stored', 'windowed_median'"]),
        (
            {"preprocess": {"neuropil": 3}},
            ["preprocess.neuropil:", "'stored', 'fitted' or 'none'", "less than or equal to 2"],
        ),
        (
            {"trials": {"signal": "events"}},
            ["trials.signal is events", "set preprocess.events to true"],
        ),
        ({"trials": {"split": {"train": 0.9}}}, ["trials.split:", "must sum to 1"]),
        (
            {"trials": {"split": {"train": 0, "validation": 0.5, "test": 0.5}}},
            ["trials.split:", "must each be above 0"],
        ),
        ({"trials": {"window_s": {"gratings": 2}}}, ["window_s.gratings", "drifting_gratings"]),
        (
            {"trials": {"window_s": {"drifting_gratings": -2}}},
            ["trials.window_s.drifting_gratings:", "greater than 0", "got -2"],
        ),
        ({"trials": {"movie_bin_s": 0.01}}, ["trials.movie_bin_s:", "greater than or equal"]),
        ({"decoder": {"model": {"dim": 30}}}, ["decoder.model:", "dim 30", "multiple of"]),
        ({"sae": {"a": {"k": 9, "width": 8}}}, ["sae.a:", "k is 9, larger than width 8", "lower"]),
        (
            {"sae": {"a": {"architecture": "jumprelu"}}},
            ["config sae.a.architecture: must be one of 'topk', 'batch_topk', ", "got 'jumprelu'"],
        ),
        ({"sae": {"jumprelu": {"l1": 1}}}, ["config key sae.jumprelu.l1 is unknown", "spelling"]),
        (
            {"sae": {"a": {"architecture": "batch_topk", "l1": 1}}},
            ["config key sae.a.l1 is unknown"],
        ),
        ({"sae": {"a": 3}}, ["config sae.a:", "got 3"]),
        ({"sae": {"a": {"hook": "blocks.1"}}}, ["sae.a.hook:", "pattern", "got 'blocks.1'"]),
        (
            {"sae": {"a": {"hook": "mlp.2"}}},
            ["sae.a.hook mlp.2 does not exist", "last is mlp.1", "depth is 2"],
        ),
        ({"seeds": [2**64]}, ["config seeds.0:", "less than or equal to 4294967295"]),
        ({"seeds": [1, 1]}, ["config seeds: names one twice: remove it"]),
        ({"tasks": ["direction", "direction"]}, ["config tasks", "names one twice: remove it"]),
        ({"simulate": {"seed": -1}}, ["simulate.seed:", "greater than or equal to 0"]),
        ({"simulate": {"frame_rate_hz": 1e9}}, ["simulate.frame_rate_hz:", "equal to 1000"]),
        ({"select": {"strata": []}}, ["select.strata:", "at least 1 item"]),
        ({"select": {"areas": ["VISp", "VISp"]}}, ["select.areas: names one twice"]),
        ({"ablation": {"methods": ["zero", "zero"]}}, ["ablation.methods: names one twice"]),
        ({"ablation": {"doses": [4, 4]}}, ["ablation.doses: names one twice"]),
        ({"baseline": {"models": ["lda", "lda"]}}, ["baseline.models: names one twice"]),
        (
            {"decoder": {"model": {"rotary_periods_s": [8, 0.1]}}},
            ["decoder.model.rotary_periods_s: [8.0, 0.1] must be [smallest, largest]"],
        ),
        (
            {"decoder": {"poyo_plus": {"rotary_periods_s": [8, 0.1]}}},
            ["decoder.poyo_plus.rotary_periods_s:", "turn them round"],
        ),
        (
            {"decoder": {"model": {"patch_frames": 1000}}},
            ["decoder.model.patch_frames is 1000", "longest window has 20 samples: lower it"],
        ),
        (
            {"trials": {"window_s": {"drifting_gratings": 1e9}}},
            ["trials.window_s.drifting_gratings:", "less than or equal to 60"],
        ),
        ({"trials": {"window_s": {}}}, ["trials.window_s:", "at least 1 item"]),
        ({"trials": {"sample_rate_hz": 1e9}}, ["trials.sample_rate_hz:", "equal to 1000"]),
        ({"decoder": {"train": {"clip": float("inf")}}}, ["decoder.train.clip:", "finite"]),
        ({"trials": {"split": {"train": float("nan")}}}, ["trials.split.train:", "finite"]),
        ({"allen": {"stall_s": float("inf")}}, ["allen.stall_s:", "finite"]),
        ({"sae": {"a": {"width": 10**12}}}, ["sae.a.width:", "less than or equal to 1000000"]),
        ({"sae": {"a": {"steps": 10**12}}}, ["sae.a.steps:", "less than or equal to 10000000"]),
        ({"decoder": {"model": {"dim": 10**12}}}, ["decoder.model.dim:", "equal to 1000000"]),
        ({"decoder": {"train": {"epochs": 10**12}}}, ["decoder.train.epochs:", "equal to"]),
        ({"simulate": {"cells": 10**12}}, ["simulate.cells:", "less than or equal to 1000000"]),
        ({"selectivity": {"permutations": 10**12}}, ["selectivity.permutations:", "equal to"]),
        (
            {"decoder": {"train": {"task_weights": dict.fromkeys(ALLEN.tasks, 0)}}},
            ["decoder.train.task_weights is 0 for every task: raise one"],
        ),
        (
            {"tasks": ["direction"], "decoder": {"train": {"task_weights": {"direction": 0}}}},
            ["decoder.train.task_weights is 0 for every task"],
        ),
        ({"results": "a{b}"}, ["config results:", "'a{b}' holds '{ }'", "rename it"]),
        ({"results": "<a>"}, ["config results:", "holds '< >'"]),
        ({"results": __file__}, ["results:", "test_config.py is a file: give a folder"]),
        ({"results": f"{__file__}/a"}, ["results:", "test_config.py is a file: give a folder"]),
        ({"results": "s3://a/b"}, ["config results:", "is an address", "give a folder"]),
        ({"results": "x" * 300}, ["results: xxxxx", "longer than a name may be: shorten it"]),
        ({"decoder": {"train": {"epochs": True}}}, ["decoder.train: epochs is true: give a value"]),
        ({"preprocess": {"neuropil": True}}, ["preprocess: neuropil is true"]),
        ({"ablation": {"doses": []}}, ["ablation.doses:", "at least 1 item"]),
        ({"simulate": {"cre_lines": []}}, ["simulate.cre_lines:", "at least 1 item"]),
        ({"selectivity": {"q": 2}}, ["selectivity.q:", "less than or equal to 1", "got 2"]),
    ],
)
def test_each_error_is_one_line_that_names_key_and_remedy(settings, words):
    with pytest.raises(InputError) as error:
        validated(settings)
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_every_setting_of_every_kind_is_refused_in_one_line_or_taken():
    """`python -m benchmarks.attack --list` tells which are taken."""
    found = list(outcomes())
    assert [line for line in found if line[2] not in ("clear", "silent")] == []
    assert len(found) > 4000


def test_several_errors_are_all_named():
    with pytest.raises(InputError, match=r"config source: .*; config key sed is unknown"):
        validated({"sed": 1, "source": "x"})


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match=r"none does not exist: give the folder"):
        validated({"source": "local", "nwb": tmp_path / "none"})


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match=r"holds no \*\.nwb file and no .*: give another"):
        validated({"source": "local", "nwb": tmp_path})


def test_the_schema_is_up_to_date():
    written = (ROOT / "workflow" / "schemas" / "config.schema.json").read_text()
    expected = json.dumps(Config.model_json_schema(), indent=2) + "\n"
    assert written == expected, "the configuration changed: run `make schema`"


READY = [path for path in (ROOT / "workflow/configs").glob("*.yaml") if path.stem != "local"]


@pytest.mark.parametrize("path", [ROOT / "config.yaml", *sorted(READY)], ids=lambda path: path.stem)
def test_the_configurations_that_come_with_it_are_valid(path):
    validated(yaml.safe_load(path.read_text()))


PARTS = [
    part
    for part in vars(config).values()
    if isinstance(part, type) and issubclass(part, Part) and part is not Config
]


@pytest.mark.parametrize("part", PARTS)
def test_parts_hold_values_only(part):
    """A stage gets these values; the code of `config` is none of its sources and reruns nothing."""
    validators = part.__pydantic_decorators__
    allowed = {*validators.model_validators, *validators.field_validators}
    logic = FunctionType | property | cached_property | classmethod | staticmethod
    own = {name for name, value in vars(part).items() if isinstance(value, logic)}
    assert {name for name in own - allowed if not name.startswith("__")} == set()
    assert set(part.__class_vars__) == set()


@pytest.mark.parametrize("name", PoyoPlusConfig.model_fields)
def test_every_value_of_the_published_transformer_reaches_its_stages(name):
    default = getattr(PoyoPlusConfig(), name)
    other = tuple(2 * x for x in default) if isinstance(default, tuple) else default / 2
    whole = name in ("dim", "depth", "heads", "cross_heads", "head_dim", "latents_per_step")
    changed = PoyoPlusConfig.model_validate({name: int(other) if whole else other})
    ours, theirs = (DecoderConfig(poyo_plus=p) for p in (PoyoPlusConfig(), changed))
    assert ours.model_dump_json() != theirs.model_dump_json()
    assert DecoderConfig.model_validate_json(theirs.model_dump_json()) == theirs


def test_constants_of_the_published_transformer_are_a_source_of_its_stages():
    """Such as the width of its feed-forward layers, with which weights do not load elsewhere."""
    for stage in ("stages.train", "stages.evaluate", "stages.adapt"):
        assert file_of("decoder.poyo_plus") in sources(stage)


def refused(**settings) -> str:
    with pytest.raises(InputError) as error:
        validated(settings)
    return str(error.value)


@pytest.mark.parametrize("given", ["results/raw", "results/raw/mine", "links", "linked_folder"])
def test_recordings_that_the_workflow_would_replace_are_refused(tmp_path, monkeypatch, given):
    """Snakemake removes a rule's outputs before it runs: link's would be the recording itself."""
    monkeypatch.chdir(tmp_path)
    for folder in ("results/raw/mine", "links"):
        Path(folder).mkdir(parents=True)
    for path in ("results/raw/a.nwb", "results/raw/mine/a.nwb"):
        Path(path).touch()
    Path("links/a.nwb").symlink_to(tmp_path / "results/raw/a.nwb")
    Path("linked_folder").symlink_to("results/raw")
    message = refused(source="local", nwb=given)
    assert "a.nwb lies in results/raw" in message
    assert "move it" in message


def test_recordings_beside_the_results_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results/raw").mkdir(parents=True)
    Path("raw").mkdir()
    Path("raw/a.nwb").touch()
    Path("results/raw/a.nwb").symlink_to(tmp_path / "raw/a.nwb")  # what an earlier run left
    assert validated({"source": "local", "nwb": "raw"}).nwb == Path("raw")


@pytest.mark.parametrize("source", ["allen", "dandi"])
@pytest.mark.parametrize("cache", ["results/raw", "results/raw/cache", "linked"])
def test_downloads_that_their_links_would_replace_are_refused(tmp_path, monkeypatch, source, cache):
    monkeypatch.chdir(tmp_path)
    Path("results/raw").mkdir(parents=True)
    Path("linked").symlink_to("results/raw")
    assert "give another folder" in refused(**{source: {"cache": cache}})


def test_the_home_folder_may_be_written_short(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert validated({"results": "~/x"}).results == tmp_path / "x"
    assert validated({"source": "allen", "allen": {"cache": "~"}}).allen.cache == tmp_path


@pytest.mark.parametrize("name", ["{session}.nwb", "a<b>.nwb", "a\rb.nwb"])
def test_names_of_recordings_that_snakemake_would_read(tmp_path, name):
    (tmp_path / name).touch()
    assert "which Snakemake reads: rename it" in refused(source="local", nwb=tmp_path)


def test_a_key_that_stands_twice(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("seeds: [0]\nsae:\n  topk: {k: 3}\n  topk: {k: 4}\n")
    with pytest.raises(InputError, match=r"mine\.yaml, line 4: sae\.topk stands there twice: rem"):
        check_keys(path)
    path.write_text("a: {k: 3}\nb: [{k: 3}, {k: 4}]\nc:\n")
    check_keys(path)
