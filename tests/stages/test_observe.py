"""The stage asks of the truth as it was written, and gives the same table again."""

import pytest

from glasscortex.config import SimulateConfig
from glasscortex.data.synthetic import observer, sessions, simulate, write_truth
from glasscortex.errors import InputError
from glasscortex.files import sealed_write
from glasscortex.stages.observe import observe
from glasscortex.tables import read_table

CONFIG = SimulateConfig(
    cre_lines=("Cux2-CreERT2",),
    mice_per_line=1,
    sessions={"three_session_A": 1},
    cells=3,
    length=0.04,
    without=("natural_movie_one", "natural_movie_three"),
)


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    monkeypatch.setattr(observer, "PRESENTATIONS", 20)
    session = sessions(CONFIG)["session_id"].iloc[0]
    with sealed_write(tmp_path / "truth.h5") as temporary:
        write_truth(temporary, simulate(session, CONFIG)[1])
    return {
        "truth": tmp_path / "truth.h5",
        "table": tmp_path / "limits.csv",
        "session": session,
        "window_s": {"drifting_gratings": 1.0},
        "config": CONFIG,
    }


def test_a_session_has_a_row_a_task_and_the_same_again(arguments):
    observe(**arguments)
    first = arguments["table"].read_bytes()
    rows = read_table(arguments["table"])
    assert list(rows["task"]) == ["direction", "orientation", "temporal_frequency"]
    assert set(rows["session_id"]) == {arguments["session"]}
    assert (rows["limit"] > rows["chance"]).all()
    observe(**arguments)
    assert arguments["table"].read_bytes() == first


def test_a_damaged_truth_is_told(arguments):
    with open(arguments["truth"], "r+b") as file:
        file.seek(-1, 2)
        file.write(b"?")
    with pytest.raises(InputError, match=r"truth\.h5 is damaged .* remove it, then run"):
        observe(**arguments)
    assert not arguments["table"].exists()
