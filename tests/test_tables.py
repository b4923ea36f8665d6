import pytest

from glasscortex.errors import InputError
from glasscortex.tables import concatenate


def test_parts_are_joined_as_text(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text('id,value\n007,1e-3\n"a,b",\n')
    second.write_text("id,value\n")
    concatenate(out=tmp_path / "out.csv", parts=[first, second, first])
    rows = '007,1e-3\n"a,b",\n'
    assert (tmp_path / "out.csv").read_text() == f"id,value\n{rows}{rows}"


def test_other_columns_are_refused(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id,value\n1,2\n")
    second.write_text("id,score\n1,2\n")
    with pytest.raises(InputError, match=r"b\.csv"):
        concatenate(out=tmp_path / "out.csv", parts=[first, second])
    assert not (tmp_path / "out.csv").exists()
