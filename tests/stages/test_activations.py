import pytest

from glasscortex.data.store import verify
from glasscortex.errors import InputError
from glasscortex.stages.activations import activations


@pytest.fixture
def record(world, decoder, tmp_path):
    """A function that records a hook and returns the Zarr and its manifest."""
    (tmp_path / "decoder").mkdir()
    decoder.save(tmp_path / "decoder")

    def run(name, hook="latents.1"):
        out = tmp_path / name / f"{hook}.zarr"
        manifest = tmp_path / name / f"{hook}.json"
        activations(
            decoder=tmp_path / "decoder",
            trials=world[1],
            windows=world[2],
            hook=hook,
            activations=out,
            manifest=manifest,
        )
        return out, manifest

    return run


def test_recording_twice_gives_the_same_bytes(record):
    (first, manifest), (_, again) = record("a"), record("b")
    assert verify(first, manifest) == {"hook": "latents.1"}
    assert manifest.read_bytes() == again.read_bytes()


def test_an_unknown_hook_is_an_error_and_leaves_nothing(record, tmp_path):
    with pytest.raises(InputError, match=r"hook latents\.9 does not exist"):
        record("out", hook="latents.9")
    assert not list((tmp_path / "out").iterdir())
