import numpy as np
import pytest

from glasscortex.config import SelectConfig, SimulateConfig
from glasscortex.data import synthetic
from glasscortex.data.select import local_sessions, select
from glasscortex.errors import InputError


def general(**values):
    def edit(file):
        for key, value in values.items():
            del file[f"general/{key}"]
            file[f"general/{key}"] = np.bytes_(value)

    return edit


def depth(text):
    return general(**{"optophysiology/imaging_plane_1/imaging depth": text})


def chosen(folder, **filters):
    return select(local_sessions(sorted(folder.glob("*.nwb"))), SelectConfig(**filters))


@pytest.fixture
def three(nwb, tmp_path):
    nwb("3.nwb", general(**{"subject/genotype": "Sst-IRES-Cre/wt"}))
    nwb("1.nwb", depth("0 microns"))
    nwb("2.nwb", general(session_type="three_session_B"))
    return tmp_path


def test_all_files_in_the_order_of_their_names(three):
    sessions = chosen(three)
    assert sessions.columns.tolist() == [
        "session_id",
        "container_id",
        "mouse",
        "cre_line",
        "area",
        "depth_um",
        "session_type",
        "sex",
        "age_days",
        "held_out",
        "source",
    ]
    assert sessions["session_id"].tolist() == ["1", "2", "3"]
    assert sessions["source"].tolist() == [str(three / f"{i}.nwb") for i in (1, 2, 3)]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"cre_lines": ["Sst-IRES-Cre"]}, ["3"]),
        ({"session_types": ["three_session_A"]}, ["1", "3"]),
        ({"session_ids": ["3", "1"]}, ["1", "3"]),
        ({"areas": ["VISp"], "number": 2}, ["1", "2"]),
        ({"session_types": ["three_session_A"], "number": 1}, ["1"]),
        ({"depth_um": [200, 300]}, ["2", "3"]),
        ({"container_ids": ["7"], "number": 1}, ["1"]),
        ({"number": 1, "held_out": ["3"]}, ["1", "3"]),
        ({"session_types": ["three_session_B"], "held_out": ["3"]}, ["2"]),
    ],
)
def test_filters(three, filters, ids):
    assert chosen(three, **filters)["session_id"].tolist() == ids


def test_the_default_depth_keeps_what_is_unknown(three):
    sessions = chosen(three, depth_um=[0, 1000])
    assert np.isnan(sessions["depth_um"][0])


def test_nothing_passes(three):
    with pytest.raises(InputError, match=r"^no session passes select\.areas and select\.depth_um:"):
        chosen(three, areas=["VISl"], depth_um=[100, 200])


def test_an_unknown_session(three):
    with pytest.raises(InputError, match=r"^select\.session_ids: the source has no session 8, 9:"):
        chosen(three, session_ids=["9", "1", "8"])


def test_two_files_of_one_session(three, nwb):
    nwb("4.nwb", general(session_id="2"))
    with pytest.raises(InputError, match=r"^session 2 is in .*2\.nwb and .*4\.nwb: remove"):
        chosen(three)


def test_a_file_that_is_no_nwb(three):
    (three / "9.nwb").write_text("no")
    with pytest.raises(InputError, match=r"9\.nwb is not an NWB file"):
        chosen(three)


def test_sessions_that_are_held_out_are_marked(three):
    sessions = chosen(three, held_out=["2"])
    assert sessions["held_out"].tolist() == [False, True, False]


def test_a_session_is_left_to_train_on(three):
    with pytest.raises(InputError, match=r"^select\.held_out names every selected session"):
        chosen(three, held_out=["1", "2", "3"])


@pytest.mark.parametrize("key", ["container_ids", "held_out"])
def test_an_unknown_id(three, key):
    with pytest.raises(InputError, match=rf"^select\.{key}: the source has no \w+ 8: remove"):
        chosen(three, **{key: ["8"]})


MICE = SimulateConfig(mice_per_line=8, sessions={"three_session_A": 8, "three_session_B": 4})


def drawn(**filters):
    return select(synthetic.sessions(MICE), SelectConfig(**filters))


def test_each_stratum_gives_its_number():
    sessions = drawn(number_per_stratum=3, strata=["cre_line", "session_type"])
    assert sessions.groupby(["cre_line", "session_type"]).size().tolist() == 8 * [3]


def test_a_stratum_with_fewer_sessions_gives_all():
    sessions = drawn(number_per_stratum=6, strata=["session_type", "cre_line"])
    assert sessions.groupby("session_type").size().to_dict() == {
        "three_session_A": 24,
        "three_session_B": 16,
    }


def test_the_draw_follows_the_seed_alone():
    first, again, other = (drawn(number_per_stratum=2, seed=seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_the_draw_does_not_depend_on_other_sessions():
    ids = set(drawn(number_per_stratum=3)["session_id"])
    assert set(drawn(number_per_stratum=2)["session_id"]) < ids
    one_line = drawn(number_per_stratum=3, cre_lines=["Sst-IRES-Cre"])["session_id"]
    assert set(one_line) < ids


def test_the_draw_is_random():
    first_of_each_line = drawn(number_per_stratum=3, strata=["cre_line"], seed=0)["session_id"]
    assert set(first_of_each_line) != set(drawn().groupby("cre_line").head(3)["session_id"])


def test_the_draw_spares_sessions_that_are_held_out():
    everything = drawn()["session_id"].tolist()
    sessions = drawn(number_per_stratum=1, strata=["cre_line"], held_out=everything[:5])
    assert sessions["held_out"].sum() == 5
    assert len(sessions) == 5 + 4


def test_two_mice_with_one_container_are_refused(nwb, tmp_path):
    """Cells are known by container and id: those of the mice would share their embeddings."""
    nwb("1.nwb")
    nwb("2.nwb", general(specimen_name="another"))
    with pytest.raises(InputError) as error:
        chosen(tmp_path)
    for words in ("container 7", "1, 2", "Ai93-1, another", "experiment_container_id of its own"):
        assert words in str(error.value)
    assert len(chosen(tmp_path, session_ids=["2"])) == 1
