import json

import pytest
import torch

from glasscortex.config.dictionaries import SaeConfig
from glasscortex.dictionaries import BatchTopK, Dictionary, TopK
from glasscortex.errors import InputError
from glasscortex.files import seal_of


@pytest.mark.parametrize("kind", [TopK, BatchTopK])
def test_what_was_saved_is_loaded_as_what_it_was(kind, tokens, tmp_path):
    sae = kind(width=12, k=2, steps=10, batch=16, hook="readout").fit(tokens())
    sae.save(tmp_path, model="trained", seed=3)
    loaded = Dictionary.load(tmp_path)
    assert type(loaded) is kind and loaded.hook == "readout" and loaded.settings == sae.settings
    assert not loaded.training and not loaded.W_dec.requires_grad
    assert torch.equal(loaded.splice(tokens()), sae.splice(tokens()))
    assert torch.equal(loaded.encode(tokens()), sae.encode(tokens()))
    about = json.loads((tmp_path / "sae.json").read_text())
    assert about == {
        "architecture": kind.architecture,
        "hook": "readout",
        "d_in": 6,
        "settings": sae.settings.model_dump(),
        "model": "trained",
        "seed": 3,
    }


def test_an_unknown_architecture_is_an_error(random_weights, tmp_path):
    random_weights().save(tmp_path)
    file = tmp_path / "sae.json"
    seal_of(file).unlink()
    file.write_text(file.read_text().replace('"topk"', '"dense"'))
    with pytest.raises(
        InputError, match=r"architecture dense is unknown: use one of aligned, .*topk"
    ):
        Dictionary.load(tmp_path)


@pytest.mark.parametrize("name", ["sae.json", "weights.safetensors"])
def test_a_file_of_another_dictionary_is_an_error(random_weights, tmp_path, name):
    for seed, folder in enumerate((tmp_path / "a", tmp_path / "b")):
        random_weights(seed=seed).save(folder, seed=seed)
    (tmp_path / "b" / name).replace(tmp_path / "a" / name)
    with pytest.raises(InputError, match=rf"a/{name} is damaged or was changed"):
        Dictionary.load(tmp_path / "a")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"width": 10, "k": 11}, "topk: .*k is 11, larger than width 10: lower k"),
        ({"l1": 1}, "topk: l1 "),
        ({"k": 0}, "topk: k .*greater than 0"),
    ],
)
def test_settings_out_of_their_limits_are_an_error(settings, words):
    with pytest.raises(InputError, match=words):
        TopK(**settings)


def test_every_architecture_can_be_configured_and_every_configured_one_exists():
    union = SaeConfig.__origin__
    configured = {
        kind.model_fields["architecture"].annotation.__args__[0] for kind in union.__args__
    }
    assert configured == set(Dictionary.registry) - {"transcoder"}  # is fitted to two hooks
