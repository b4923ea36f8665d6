import numpy as np
import pytest

from glasscortex.data.responses import read_responses
from glasscortex.data.store import verify
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.dictionaries.responses import compute_responses
from glasscortex.errors import InputError
from glasscortex.stages.responses import responses
from tests.dictionaries.recordings import HOOK, random_topk, write_activations


@pytest.fixture
def run(tmp_path):
    """A function that writes the responses and returns the paths of what went in and came out."""
    x = np.random.default_rng(0).normal(size=(9, 2, 6)).astype(np.float32)
    activations = write_activations(tmp_path, {"train": x[:5], "test": x[5:]})
    random_topk().save(tmp_path / "sae")

    def write(name="responses"):
        out = {
            "responses": tmp_path / f"{name}.zarr",
            "checksums": tmp_path / f"{name}.manifest.json",
        }
        manifest = activations.with_suffix(".json")
        responses(folder=tmp_path / "sae", activations=activations, manifest=manifest, **out)
        return activations, *out.values()

    return write


def test_every_split_is_written_with_checksums(run):
    activations, written, checksums = run()
    assert verify(written, checksums) == {"hook": HOOK}
    for split in ("train", "validation", "test"):
        computed = compute_responses(random_topk(), RecordedTokens(activations, split))
        read = read_responses(written, split)
        np.testing.assert_array_equal(read.trial, computed.trial)
        np.testing.assert_array_equal(read.values, computed.values)


def test_writing_twice_gives_the_same_bytes(run):
    assert run("a")[2].read_bytes() == run("b")[2].read_bytes()


def test_damaged_activations_are_an_error_and_leave_nothing(run, tmp_path):
    activations, *_ = run("first")
    (activations / "train" / "x" / "c" / "0" / "0").write_bytes(b"")
    with pytest.raises(InputError, match="damaged"):
        run("second")
    assert not list(tmp_path.glob("second*"))


def test_a_dictionary_of_another_hook_is_an_error(run, tmp_path):
    other = random_topk()
    other.hook = "readout"
    other.save(tmp_path / "sae")
    with pytest.raises(InputError, match=r"holds hook latents\.1, but .*sae reads readout: give"):
        run()
