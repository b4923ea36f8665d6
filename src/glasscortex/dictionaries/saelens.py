"""Dictionaries in the layout of SAELens: `cfg.json` and `sae_weights.safetensors`.

SAELens has neither our mean nor our scale. With h = scale · p, p the input of a unit, they go into
the weights exactly:

    W_enc as it is,  b_enc ← scale · b_enc,  W_dec as it is,  b_dec ← mean + scale · b_dec

so that codes come out times `scale`, and reconstructions are the same. A threshold is times
`scale`, too.

References
----------
SAELens, https://decoderesearch.github.io/SAELens.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.batch_topk import BatchTopK
from glasscortex.dictionaries.topk import TopK
from glasscortex.errors import InputError
from glasscortex.files import atomic_write

CONFIGURATION, WEIGHTS = "cfg.json", "sae_weights.safetensors"
VERSION = "6.54.12"
"""Of SAELens, whose layout this is."""


@torch.no_grad()
def write_saelens(dictionary: Dictionary, folder: Path) -> None:
    """Write a dictionary for SAELens: TopK as `topk`, BatchTopK as `jumprelu`.

    Parameters
    ----------
    dictionary : Dictionary
        A fitted TopK or BatchTopK.
    folder : pathlib.Path
        An existing folder, for `SAE.load_from_disk`.

    Raises
    ------
    InputError
        SAELens has no such architecture.
    """
    if not isinstance(dictionary, TopK | BatchTopK):
        raise InputError(
            f"architecture {dictionary.architecture} cannot be written for SAELens: "
            "use topk or batch_topk"
        )
    weights = {
        "W_enc": dictionary.W_enc.contiguous(),
        "b_enc": dictionary.scale * dictionary.b_enc,
        "W_dec": dictionary.W_dec.contiguous(),
        "b_dec": dictionary.mean + dictionary.scale * dictionary.b_dec,
    }
    if isinstance(dictionary, TopK):
        chosen = {
            "architecture": "topk",
            "k": dictionary.settings.k,
            "rescale_acts_by_decoder_norm": False,
        }
    else:
        chosen = {"architecture": "jumprelu"}
        threshold = dictionary.scale * dictionary.threshold
        weights["threshold"] = threshold.expand(dictionary.d_sae).contiguous()
    about = chosen | {
        "d_in": dictionary.d_in,
        "d_sae": dictionary.d_sae,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"sae_lens_version": VERSION, "hook_name": dictionary.hook},
    }
    with atomic_write(folder / WEIGHTS) as file:
        save_file(weights, file)
    with atomic_write(folder / CONFIGURATION) as file:
        file.write_text(json.dumps(about, indent=1) + "\n")


@torch.no_grad()
def read_saelens(folder: Path) -> TopK:
    """Read a TopK autoencoder that SAELens wrote.

    Parameters
    ----------
    folder : pathlib.Path
        Has `cfg.json` and `sae_weights.safetensors`.

    Returns
    -------
    TopK
        In evaluation mode, with mean zero and scale one.

    Raises
    ------
    InputError
        A file is missing, the architecture is another one, or SAELens normalises activations at
        run time, which is not in the weights.
    """
    path = folder / CONFIGURATION
    for file in (path, folder / WEIGHTS):
        if not file.is_file():
            raise InputError(f"{file} is not there: give a folder that SAELens wrote")
    about = json.loads(path.read_text())
    needed = {
        "architecture": "topk",
        "normalize_activations": "none",
        "reshape_activations": "none",
    }
    for key, value in needed.items():
        if (found := about.get(key, value)) != value:
            raise InputError(f"{path}: {key} is {found}: only {value} can be read")
    weights = load_file(folder / WEIGHTS)
    topk = TopK(
        width=about["d_sae"], k=about["k"], hook=about.get("metadata", {}).get("hook_name")
    ).build(about["d_in"])
    norm = weights["W_dec"].norm(dim=1) if about.get("rescale_acts_by_decoder_norm") else 1.0
    b_enc = weights["b_enc"]
    if not about.get("apply_b_dec_to_input", True):  # ours always does
        b_enc = b_enc + weights["b_dec"] @ weights["W_enc"]
    topk.W_enc.copy_(weights["W_enc"] * norm)
    topk.b_enc.copy_(b_enc * norm)
    topk.W_dec.copy_((weights["W_dec"].T / norm).T)
    topk.b_dec.copy_(weights["b_dec"])
    return topk.eval().requires_grad_(False)
