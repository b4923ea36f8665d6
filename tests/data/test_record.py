import hashlib
import json

import pytest

from glasscortex.data.record import Record
from glasscortex.errors import InputError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "1.nwb"
    path.write_bytes(b"abc")
    return path


def test_what_was_written_is_read(file, tmp_path):
    record = Record.of(file, session_id="1", source="here")
    record.write(tmp_path / "1.json")
    assert Record.read(tmp_path / "1.json") == record
    assert json.loads((tmp_path / "1.json").read_text()) == {
        "session_id": "1",
        "sha256": hashlib.sha256(b"abc").hexdigest(),
        "bytes": 3,
        "source": "here",
    }


@pytest.mark.parametrize("content", [b"abd", b"ab", b"abc\0"])
def test_a_record_describes_its_file_only(file, content):
    record = Record.of(file, session_id="1", source="here")
    assert record.describes(file)
    file.write_bytes(content)
    assert not record.describes(file)
    file.unlink()
    assert not record.describes(file)


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"session_id": "1"}', '{"a": 1}'])
def test_what_is_no_record(tmp_path, text):
    if text is not None:
        (tmp_path / "1.json").write_text(text)
    with pytest.raises(InputError, match=r"1\.json is no record of a raw file: remove it"):
        Record.read(tmp_path / "1.json")
