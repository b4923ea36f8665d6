"""What the workflow asks of the code: every stage is a command and the line of a rule."""

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import scale_stages
from glasscortex import cli, workflow
from glasscortex.config import Part
from glasscortex.stages.arguments import OptionalInput

STAGES = workflow.stage_names()


def stage_function(name: str):
    return getattr(import_module(f"glasscortex.stages.{name}"), name)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_says_what_it_does_and_names_its_arguments(name):
    function = stage_function(name)
    kinds = {p.kind for p in inspect.signature(function).parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}
    assert inspect.getdoc(function).split("\n\n")[0].endswith(".")


@pytest.mark.parametrize("name", STAGES)
def test_every_option_of_a_command_is_an_argument_of_its_stage(name):
    command = cli.Stages().get_command(None, workflow.dashed(name))
    expected = list(inspect.signature(stage_function(name)).parameters)
    assert [parameter.name for parameter in command.params] == expected


@pytest.mark.parametrize("name", STAGES)
def test_the_line_of_a_rule_gives_every_argument_once(name):
    line = workflow.command(name)
    for argument, kind in workflow.arguments(f"stages.{name}", name).items():
        place = "{threads}" if kind == "Threads" else f".{argument}:q}}"
        assert line.count(place) == 1, line


@pytest.mark.parametrize("name", STAGES)
def test_settings_reach_a_stage_by_its_params(name):
    """A change of a value reruns what depends on it, because Snakemake compares params."""
    for argument, annotation in inspect.signature(stage_function(name)).parameters.items():
        if isinstance(annotation.annotation, type) and issubclass(annotation.annotation, Part):
            assert f"{{params.{argument}:q}}" in workflow.command(name)


@pytest.mark.parametrize("name", scale_stages.STAGES)
def test_the_benchmark_of_many_sessions_calls_a_stage_as_it_is(name):
    words = scale_stages.command(name)
    cli.Stages().get_command(None, name).make_context(name, words[1:])


def test_sources_are_what_a_module_imports_and_no_more():
    stage = {path.stem for path in workflow.sources("stages.concatenate")}
    assert {"concatenate", "arguments", "tables", "files", "errors"} <= stage
    assert "torch" not in stage
    assert not any("decoder" in path.parts for path in workflow.sources("stages.concatenate"))
    assert not any("config" in path.parts for path in workflow.sources("stages.train"))


def test_a_stage_without_a_function_of_its_name_is_an_error():
    with pytest.raises(LookupError, match=r"train\.py has no function untrained"):
        workflow.function("stages.train", "untrained")


@pytest.mark.parametrize(("given", "expected"), [("", None), ("a.csv", Path("a.csv"))])
def test_an_input_may_be_left_empty(given, expected):
    """As Snakemake writes an input that a rule does not have."""
    received = []

    def stage(*, table: OptionalInput = None) -> None:
        received.append(table)

    application = typer.Typer()
    application.command()(cli.command(stage))
    assert CliRunner().invoke(application, [f"--table={given}"]).exit_code == 0
    assert received == [expected]


def test_the_snakefile_loads_no_heavy_package():
    code = "import sys, glasscortex.workflow; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n"
