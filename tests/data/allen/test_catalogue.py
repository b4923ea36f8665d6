import copy

import numpy as np
import pytest

from glasscortex.config import SelectConfig
from glasscortex.data.allen.catalogue import rows, sessions
from glasscortex.data.select import select
from glasscortex.errors import InputError

EXPERIMENT = {
    "id": 501704220,
    "date_of_acquisition": "2016-02-04T10:25:24Z",
    "experiment_container": {"id": 511510736, "failed": False},
    "experiment_container_id": 511510736,
    "fail_eye_tracking": False,
    "imaging_depth": 175,
    "stimulus_name": "three_session_A",
    "targeted_structure": {"acronym": "VISp"},
    "specimen": {
        "name": "Cux2-CreERT2;Camk2a-tTA;Ai93-222426",
        "donor": {
            "age": {"days": 90},
            "date_of_birth": "2015-10-23T00:00:00Z",
            "external_donor_name": "222426",
            "sex": "M",
            "transgenic_lines": [
                {"name": "Ai93(TITL-GCaMP6f)", "transgenic_line_type_name": "reporter"},
                {"name": "Camk2a-tTA", "transgenic_line_type_name": "driver"},
                {"name": "Cux2-CreERT2", "transgenic_line_type_name": "driver"},
            ],
        },
    },
}
CONTAINER = {"id": 511510736, "failed": False}


def experiment(**changes):
    row = copy.deepcopy(EXPERIMENT)
    for key, value in changes.items():
        *parents, last = key.split("__")
        inner = row
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    return row


def tables(*experiments, containers=(CONTAINER,)):
    """The rows of the two tables."""
    return list(experiments), list(containers)


def test_a_session():
    (row,) = sessions(*tables(EXPERIMENT)).to_dict("records")
    assert row == {
        "session_id": "501704220",
        "container_id": "511510736",
        "mouse": "222426",
        "cre_line": "Cux2-CreERT2",
        "area": "VISp",
        "depth_um": 175.0,
        "session_type": "three_session_A",
        "sex": "male",
        "age_days": 104.0,
        "source": "allen",
        "eye_tracking": True,
    }


@pytest.mark.parametrize(
    ("changes", "column", "expected"),
    [
        ({"specimen__donor__sex": "F"}, "sex", "female"),
        ({"specimen__donor__sex": None}, "sex", "unknown"),
        ({"specimen__donor__transgenic_lines": []}, "cre_line", "unknown"),
        ({"specimen__donor__date_of_birth": None}, "age_days", 90.0),
        ({"imaging_depth": None, "specimen__donor__age": None}, "depth_um", np.nan),
        ({"date_of_acquisition": None, "specimen__donor__age": None}, "age_days", np.nan),
        ({"fail_eye_tracking": True}, "eye_tracking", False),
        ({"fail_eye_tracking": None}, "eye_tracking", False),
    ],
)
def test_what_a_row_may_lack(changes, column, expected):
    found = sessions(*tables(experiment(**changes)))[column][0]
    np.testing.assert_equal(found, expected)


def test_failed_containers_are_left_out():
    told_by_experiment = experiment(id=2, experiment_container__failed=True)
    told_by_container = experiment(id=3, experiment_container_id=9)
    found = sessions(
        *tables(
            *(EXPERIMENT, told_by_experiment, told_by_container),
            containers=[CONTAINER, {"id": 9, "failed": True}],
        )
    )
    assert found["session_id"].tolist() == ["501704220"]


def test_experiments_of_other_projects_are_left_out():
    other = {"id": 991852000, "stimulus_name": "OPHYS_1_images_A", "experiment_container": None}
    assert len(sessions(*tables(other, EXPERIMENT))) == 1


def test_the_order_does_not_depend_on_the_servers():
    found = sessions(*tables(experiment(id=3), experiment(id=1), experiment(id=2)))
    assert found["session_id"].tolist() == ["1", "2", "3"]


@pytest.mark.parametrize("key", ["specimen", "targeted_structure", "experiment_container_id"])
def test_an_incomplete_row_is_named(key):
    broken = {name: value for name, value in EXPERIMENT.items() if name != key}
    with pytest.raises(InputError, match=rf"experiment 501704220 is incomplete .*{key}.*remove"):
        sessions(*tables(broken))


def test_no_session_is_left():
    with pytest.raises(InputError, match=r"ophys_experiments\.json has no session of Visual"):
        sessions(*tables(experiment(stimulus_name="OPHYS_1_images_A")))


@pytest.mark.parametrize(
    "text", [None, "", "<html></html>", "[]", "{}", '{"success": true, "msg": []}', '[{"a": 1}]']
)
def test_what_is_no_table(tmp_path, text):
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"a\.json .*: fetch it again"):
        rows(path)


def test_selection_from_the_tables():
    table = sessions(
        *tables(
            EXPERIMENT,
            experiment(id=5, fail_eye_tracking=True, stimulus_name="three_session_B"),
            experiment(id=6, experiment_container_id=7, specimen__donor__external_donor_name="9"),
        )
    )

    def chosen(**filters):
        return select(table, SelectConfig(**filters))["session_id"].tolist()

    assert chosen() == ["5", "501704220", "6"]
    assert chosen(eye_tracking=True) == ["501704220", "6"]
    assert chosen(container_ids=[511510736]) == ["5", "501704220"]
    assert chosen(session_types=["three_session_A"], held_out=["6"]) == ["501704220", "6"]
