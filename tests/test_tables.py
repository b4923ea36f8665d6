import pandas as pd
import pytest

from glasscortex.errors import InputError
from glasscortex.tables import concatenate, parts_of_sessions, read_table, write_table


def test_a_table_comes_back_as_it_was_written(tmp_path):
    table = pd.DataFrame(
        {"session_id": ["007"], "mouse": ["12"], "value": [1 / 3], "n": [2], "note": [None]}
    )
    write_table(table, tmp_path / "new" / "table.csv")
    written = tmp_path / "new" / "table.csv"
    assert written.read_text() == "session_id,mouse,value,n,note\n007,12,0.333333333,2,\n"
    read = read_table(written)
    assert read["session_id"].tolist() == ["007"]
    assert read["mouse"].tolist() == ["12"]
    assert read["n"].tolist() == [2]
    assert read["value"].tolist() == pytest.approx([1 / 3])


def test_the_reason_nan_is_a_word_and_an_empty_number_is_none(tmp_path):
    (tmp_path / "quality.csv").write_text("session_id,reason,snr\n007,nan,\n")
    read = read_table(tmp_path / "quality.csv")
    assert read["reason"].tolist() == ["nan"]
    assert read["snr"].isna().all()


def test_parts_are_joined_as_text(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text('id,value\n007,1e-3\n"a,b",\n')
    second.write_text("id,value\n")
    concatenate(out=tmp_path / "out.csv", parts=[first, second, first])
    rows = '007,1e-3\n"a,b",\n'
    assert (tmp_path / "out.csv").read_text() == f"id,value\n{rows}{rows}"


def test_parts_of_sessions_are_named_by_their_table(tmp_path):
    sessions = pd.DataFrame({"session_id": ["007", "1", "b"], "held_out": [False, True, False]})
    write_table(sessions, tmp_path / "sessions.csv")
    for held_out, expected in (
        ([False], ["007", "b"]),
        ([True], ["1"]),
        ([False, True], ["007", "1", "b"]),
    ):
        parts = parts_of_sessions(
            tmp_path / "sessions.csv", tmp_path, ".parquet", held_out=held_out
        )
        assert parts == [tmp_path / f"{name}.parquet" for name in expected]


def test_other_columns_are_refused(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id,value\n1,2\n")
    second.write_text("id,score\n1,2\n")
    with pytest.raises(InputError, match=r"b\.csv"):
        concatenate(out=tmp_path / "out.csv", parts=[first, second])
    assert not (tmp_path / "out.csv").exists()


def test_a_part_that_was_cut_is_refused(tmp_path):
    part = tmp_path / "part.csv"
    write_table(pd.DataFrame({"id": ["a", "b"]}), part)
    part.write_text("id\na\n")
    with pytest.raises(InputError, match=r"part\.csv is damaged or was changed"):
        read_table(part)
    with pytest.raises(InputError, match=r"part\.csv is damaged or was changed"):
        concatenate(out=tmp_path / "out.csv", parts=[part])
