import pytest

from glasscortex.data.nwb import read_metadata
from glasscortex.data.record import Record
from glasscortex.errors import InputError
from glasscortex.stages.link import link


def test_link_points_at_the_file(nwb, tmp_path):
    source, target = nwb(), tmp_path / "raw" / "100.nwb"
    link(source=source, nwb=target, record=tmp_path / "raw" / "100.json")
    assert target.is_symlink()
    assert target.resolve() == source.resolve()
    assert read_metadata(target).session_id == "100"
    record = Record.read(tmp_path / "raw" / "100.json")
    assert record.describes(target)
    assert (record.session_id, record.source) == ("100", str(source))


def test_link_checks_the_file_first(tmp_path):
    (tmp_path / "1.nwb").write_text("no")
    with pytest.raises(InputError):
        link(
            source=tmp_path / "1.nwb",
            nwb=tmp_path / "raw" / "1.nwb",
            record=tmp_path / "raw" / "1.json",
        )
    assert not (tmp_path / "raw").exists()
