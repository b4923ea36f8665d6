import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from glasscortex.dictionaries import BatchTopK
from glasscortex.dictionaries.saelens import read_saelens, write_saelens
from glasscortex.errors import InputError


def batch_topk(topk, threshold):
    sae = BatchTopK(width=topk.d_sae, k=topk.settings.k).build(topk.d_in).requires_grad_(False)
    sae.load_state_dict(topk.state_dict() | {"threshold": torch.tensor(threshold)})
    return sae.eval()


def change(folder, **changed):
    path = folder / "cfg.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_what_is_written_reads_back_with_codes_times_scale(tmp_path, tokens, random_weights):
    sae, x = random_weights(), tokens()
    write_saelens(sae, tmp_path)
    read = read_saelens(tmp_path)
    assert (read.hook, read.settings.k) == (sae.hook, sae.settings.k)
    torch.testing.assert_close(read.encode(x), sae.scale * sae.encode(x))
    torch.testing.assert_close(read.splice(x), sae.splice(x))


@pytest.mark.parametrize("threshold", [-1.0, 0.4])
def test_batch_topk_is_written_as_jumprelu(tmp_path, tokens, random_weights, threshold):
    sae, x = batch_topk(random_weights(), threshold), tokens()
    write_saelens(sae, tmp_path)
    assert json.loads((tmp_path / "cfg.json").read_text())["architecture"] == "jumprelu"
    w = load_file(tmp_path / "sae_weights.safetensors")
    hidden = (x - w["b_dec"]) @ w["W_enc"] + w["b_enc"]
    codes = hidden.relu() * (hidden > w["threshold"])
    torch.testing.assert_close(codes, sae.scale * sae.encode(x))
    torch.testing.assert_close(codes @ w["W_dec"] + w["b_dec"], sae.splice(x))
    with pytest.raises(InputError, match="architecture is jumprelu: only topk can be read"):
        read_saelens(tmp_path)


def test_atoms_of_any_norm_and_an_uncentred_input_are_read(tmp_path, tokens, random_weights):
    write_saelens(random_weights(), tmp_path)
    w = load_file(tmp_path / "sae_weights.safetensors")
    w["W_dec"] = w["W_dec"] * torch.linspace(0.5, 2, len(w["W_dec"]))[:, None]
    save_file(w, tmp_path / "sae_weights.safetensors")
    change(tmp_path, apply_b_dec_to_input=False, rescale_acts_by_decoder_norm=True)
    x, norm = tokens(), w["W_dec"].norm(dim=1)
    hidden = (x @ w["W_enc"] + w["b_enc"]) * norm
    top = hidden.topk(3)
    codes = torch.zeros_like(hidden).scatter(1, top.indices, top.values.relu())
    read = read_saelens(tmp_path)
    torch.testing.assert_close(read.encode(x), codes)
    torch.testing.assert_close(read.splice(x), (codes / norm) @ w["W_dec"] + w["b_dec"])


def test_what_cannot_be_read_is_one_line(tmp_path, random_weights):
    with pytest.raises(InputError, match=r"cfg\.json is not there"):
        read_saelens(tmp_path)
    write_saelens(random_weights(), tmp_path)
    change(tmp_path, normalize_activations="layer_norm")
    with pytest.raises(InputError, match="normalize_activations is layer_norm: only none"):
        read_saelens(tmp_path)
