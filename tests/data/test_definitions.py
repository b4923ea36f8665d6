"""A run's own variables: what columns become, what is refused, and how definitions travel."""

import logging

import numpy as np
import pandas as pd
import pytest

from glasscortex.config import TrialsConfig, VariableConfig, validated
from glasscortex.data.definitions import (
    described,
    extended,
    merged,
    recoded,
    restored,
    stored,
    variables_of,
)
from glasscortex.data.store import StoredSession, write_session
from glasscortex.data.trials import tabulate
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.errors import InputError
from glasscortex.tasks import ALLEN, Task, Variable
from tests.data.test_trials import Session, shown

START = 60 * np.arange(20)


def config(**variables):
    full = {
        name: {"table": "gabors", "kind": "ordered"} | values for name, values in variables.items()
    }
    return TrialsConfig.model_validate({"window_s": {"gabors": 1.0}, "variables": full})


def gabors(**columns):
    return {"gabors": shown(START, 30, **{k: np.asarray(v) for k, v in columns.items()})}


def trials_of(columns, **variables):
    return tabulate(Session(gabors(**columns)), config(**variables))


def refused(columns, **variables):
    with pytest.raises(InputError) as error:
        trials_of(columns, **variables)
    return str(error.value)


def test_columns_become_variables_and_labels():
    contrast = np.tile([5.0, 20.0, np.nan, -1.0], 5)
    tilt = np.tile([350.0, -10.0, 80.0, 170.0], 5)
    level = np.arange(20.0)
    table, known = trials_of(
        {"contrast": contrast, "tilt": tilt, "db": level},
        contrast={"unit": "%", "blanks": [-1]},
        angle={"column": "tilt", "kind": "circular", "period": 180, "unit": "°"},
        loudness={"column": "db", "kind": "continuous"},
    )
    np.testing.assert_array_equal(table["contrast"], np.where(contrast > 0, contrast, np.nan))
    np.testing.assert_array_equal(table["label_contrast"], table["contrast"])
    assert table["angle"].tolist() == [170, 170, 80, 170] * 5
    np.testing.assert_array_equal(table["label_loudness"], level)
    assert known.tasks["loudness"].is_regression
    assert not known.tasks["contrast"].is_regression
    assert table["stimulus"].unique() == ["gabors"]
    assert table["label_direction"].isna().all()


def test_text_becomes_places_in_the_alphabet_and_is_written_as_text():
    image = np.tile(["owl", "cat", "omitted", ""], 5)
    table, known = trials_of({"image": image}, image={"kind": "categorical", "blanks": ["omitted"]})
    np.testing.assert_array_equal(table["image"], np.tile([1, 0, np.nan, np.nan], 5))
    variable = known.variables["image"]
    assert [variable.written(label) for label in (0.0, 1.0)] == ["cat", "owl"]
    assert [variable.label(name) for name in ("cat", "owl")] == [0, 1]


def test_where_nothing_was_shown_there_is_no_label():
    blank = np.arange(20) % 2
    columns = {"contrast": np.tile([1.0, 1.0, 2.0, 2.0], 5), "blank_sweep": blank}
    table, _ = trials_of(columns, contrast={})
    np.testing.assert_array_equal(table["contrast"].isna(), blank == 1)


def test_numbers_that_are_written_as_text_are_numbers():
    table, known = trials_of({"contrast": np.tile(["5", "020"], 10)}, contrast={})
    assert table["contrast"].tolist() == [5, 20] * 10
    assert known.variables["contrast"].categories == ()


def test_choices_are_shared_out_over_the_splits_too():
    rare = np.zeros(20)
    rare[[3, 13, 15]] = 1
    table, _ = trials_of({"choice": rare}, choice={"kind": "categorical", "level": "behaviour"})
    assert (table.groupby("split")["label_choice"].nunique() == 2).all()


@pytest.mark.parametrize(
    ("values", "variable", "said"),
    [
        (
            np.tile(["low", "high"], 10),
            {},
            "holds text, such as 'high', 'low'",
        ),
        (np.ones(20), {"column": "contrst"}, "has no column contrst, but x: name one of them"),
        (np.linspace(0, 900, 20), {"kind": "circular", "period": 360}, "repeats after 360"),
        (np.tile([1.0, 1.00001], 10), {}, "seem to be one"),
        (np.tile([1.0, np.inf], 10), {"kind": "continuous"}, "is infinite"),
        (np.tile([16777216.0, 16777217.0], 10), {}, "more than seven digits"),
        (np.tile([0.1, 16777217.0], 10), {"kind": "categorical"}, "more than seven digits"),
    ],
)
def test_a_column_that_is_not_as_defined_is_one_line(values, variable, said):
    message = refused({"x": values}, contrast={"column": "x"} | variable)
    assert message.startswith("session 1: ")
    assert said in message
    assert "\n" not in message


def test_a_session_without_the_table_is_warned_of_with_those_it_has(caplog):
    stimuli = {"pictures": shown(START, 30, image=np.arange(20.0) % 2), **gabors(x=np.ones(20))}
    own = {"image": {"table": "pictures", "kind": "categorical"}}
    own["sound"] = {"table": "tones", "kind": "ordered"}
    given = {"window_s": {"pictures": 1.0, "tones": 1.0}, "variables": own}
    with caplog.at_level(logging.WARNING):
        tabulate(Session(stimuli), TrialsConfig.model_validate(given))
    assert "has no table tones, and so no sound; there are pictures, gabors" in caplog.text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"contrast": {"kind": "circular"}}, "a circular variable, and no other, has a period"),
        ({"contrast": {"kind": "ordered", "period": 9}}, "a circular variable, and no other"),
        ({"direction": {"kind": "ordered"}}, "variables.direction: the name is taken"),
        ({"split": {"kind": "ordered"}}, "variables.split: the name is taken"),
        ({"a b": {"kind": "ordered"}}, "should match pattern"),
        ({"x": {"kind": "ordered", "table": "tones"}}, "needs window_s.tones, its window"),
        ({"x": {"kind": "ordinal"}}, "'circular', 'ordered', 'continuous' or 'categorical'"),
        ({"x": {"kind": "ordered", "table": "spontaneous"}}, "cut into parts of its own"),
    ],
)
def test_a_definition_that_cannot_be_is_one_line(settings, said):
    own = {name: {"table": "gabors"} | values for name, values in settings.items()}
    with pytest.raises(InputError) as error:
        validated({"trials": {"window_s": {"gabors": 1.0}, "variables": own}})
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_window_that_nothing_reads_is_refused():
    with pytest.raises(InputError, match=r"window_s\.gabor is neither .* gabors"):
        own = {"contrast": {"table": "gabors", "kind": "ordered"}}
        validated({"trials": {"window_s": {"gabors": 1, "gabor": 1}, "variables": own}})


def test_own_tasks_can_be_named_and_weighed_and_others_not():
    trials = {"window_s": {"gabors": 1.0}}
    trials["variables"] = {"contrast": {"table": "gabors", "kind": "ordered"}}
    weights = {"decoder": {"train": {"task_weights": {"contrast": 0.5}}}}
    assert validated({"trials": trials, "tasks": ["contrast"]} | weights).tasks == ("contrast",)
    with pytest.raises(InputError, match=r"tasks names contrst, which is no task.*contrast"):
        validated({"trials": trials, "tasks": ["contrst"]})


def knowing(*categories, kind="categorical"):
    variable = Variable("image", "stimulus", kind, categories=categories)
    return ALLEN.adding([Task("image", variable, "pictures", "image", blanks=("omitted", -1.0))])


def test_sessions_share_their_categories_and_no_label_changes_its_meaning():
    parts = [knowing("cat", "owl"), knowing("ant", "owl"), knowing()]
    together = merged(parts)
    assert together.variables["image"].categories == ("ant", "cat", "owl")
    labels = np.array([1, np.nan, 0], np.float32)
    trials = pd.DataFrame({"image": labels, "label_image": labels})
    for part in parts[:2]:
        after = recoded(trials, part, together)["label_image"]
        before, now = part.variables["image"], together.variables["image"]
        assert np.isnan(after[1])
        for row in (0, 2):
            assert now.written(after[row]) == before.written(labels[row])
    kept = extended(parts[0], together).variables["image"].categories
    assert kept == ("cat", "owl", "ant"), "a decoder's places stay"
    with pytest.raises(InputError, match=r"session a: image .* numbers, .* text, such as 'ant'"):
        recoded(trials.assign(session_id="a", image=7.0), parts[2], together)
    with pytest.raises(InputError, match="image is defined in two ways"):
        merged([knowing("cat"), knowing(kind="ordered")])


def test_definitions_come_back_as_they_were():
    own = knowing("cat", "owl")
    assert restored(stored(own)) == own
    assert restored(stored(ALLEN)) == ALLEN
    vocabulary = Vocabulary(("a",), {"a": ("a/1",)}, {}, {"a": {}}, own)
    assert Vocabulary.from_dict(vocabulary.to_dict()) == vocabulary
    told = variables_of(described(own, ["image", "direction"]))
    assert told["direction"].period == 360
    assert (told["image"].kind, told["image"].unit) == ("categorical", "")


def test_text_is_stored_and_comes_back(tmp_path):
    block = {"cell_specimen_id": np.array([1]), "dff": np.zeros((1, 9), np.float32)}
    text = np.array(["größe", "", "tone", ""])
    stimuli = {"tones": {"start": np.arange(4), "end": np.arange(4) + 1, "name": text}}
    for name in ("a", "b"):
        write_session(
            tmp_path / name,
            attributes={},
            blocks=[block],
            time=np.arange(9.0),
            behaviour={},
            stimuli=stimuli,
        )
    read = StoredSession(tmp_path / "a").stimuli()["tones"]
    assert read["name"].tolist() == text.tolist()
    assert read["start"].tolist() == [0, 1, 2, 3]
    files = [sorted((tmp_path / name).rglob("*")) for name in ("a", "b")]
    for one, other in zip(*files, strict=True):
        assert one.is_dir() or one.read_bytes() == other.read_bytes()


def test_a_variable_is_all_that_an_allen_task_is():
    """The same mechanism: Allen's temporal frequency, defined as one's own."""
    frequency = np.tile([1.0, 2.0, 4.0, 8.0], 5)
    drifting = {"orientation": np.zeros(20), "temporal_frequency": frequency}
    stimuli = {"drifting_gratings": shown(START, 30, **drifting)}
    speed = VariableConfig(table="drifting_gratings", column="temporal_frequency", kind="ordered")
    table, known = tabulate(Session(stimuli), TrialsConfig(variables={"speed": speed}))
    np.testing.assert_array_equal(table["label_speed"], table["label_temporal_frequency"])
    assert known.related("speed") == {"speed"}
