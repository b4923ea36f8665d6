import hashlib

import pytest

from glasscortex.files import sha256, whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with whole(path) as temporary:
        temporary.write_text("x")
        assert not path.exists()
        assert temporary.name == "a.txt"
    assert path.read_text() == "x"
    assert names(path.parent) == ["a.txt"]


def test_a_folder_appears_when_the_block_ends(tmp_path):
    with whole(tmp_path / "a") as temporary:
        temporary.mkdir()
        (temporary / "b").write_text("x")
    assert (tmp_path / "a" / "b").read_text() == "x"
    assert names(tmp_path) == ["a"]


def test_a_file_is_replaced(tmp_path):
    (tmp_path / "a").write_text("old")
    with whole(tmp_path / "a") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    assert (tmp_path / "a").read_text() == "new"


def test_a_folder_is_replaced_with_all_it_held(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    with whole(tmp_path / "a") as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
    assert names(tmp_path / "a") == ["new"]
    assert names(tmp_path) == ["a"]


def test_a_link_is_replaced_and_what_it_names_is_kept(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").touch()
    (tmp_path / "a").symlink_to(tmp_path / "folder")
    with whole(tmp_path / "a") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "a").read_text() == "x"
    assert names(tmp_path / "folder") == ["kept"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    (tmp_path / "a").write_text("old")
    with pytest.raises(error), whole(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise error
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_block_that_makes_nothing_fails(tmp_path):
    with pytest.raises(FileNotFoundError), whole(tmp_path / "a"):
        pass
    assert names(tmp_path) == []


def test_a_block_that_makes_nothing_leaves_the_folder_that_was_there(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "kept").touch()
    with pytest.raises(FileNotFoundError), whole(tmp_path / "a"):
        pass
    assert names(tmp_path / "a") == ["kept"]


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
