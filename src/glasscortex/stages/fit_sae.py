"""Fit a dictionary and measure it on held-out activations."""

import zlib

import torch

from glasscortex.config import SaeConfig
from glasscortex.data.store import verify
from glasscortex.dictionaries import Dictionary
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.dictionaries.evaluate import metrics
from glasscortex.dictionaries.fit import DivergenceError
from glasscortex.errors import InputError
from glasscortex.stages.arguments import Folder, Input
from glasscortex.tables import write_table
from glasscortex.words import SPLITS


def fit_sae(
    *,
    activations: Input,
    manifest: Input,
    folder: Folder,
    model: str,
    seed: int,
    sae: str,
    config: SaeConfig,
) -> None:
    """Fit a dictionary and measure it on held-out activations.

    Parameters
    ----------
    activations : pathlib.Path
        Zarr of the recorded activations.
    manifest : pathlib.Path
        Its checksums.
    folder : pathlib.Path
        Receives weights.safetensors, sae.json, history.csv and metrics.csv.
    model : str
        Name of the decoder.
    seed : int
        Of all that is random.
    sae : str
        Name of the dictionary.
    config : SaeConfig
        Its settings.

    Raises
    ------
    InputError
        The activations are not those of the manifest, of another hook, or do not vary; or the
        fit diverged.
    """
    torch.set_num_threads(config.threads)
    verify(activations, manifest)
    splits = {split: RecordedTokens(activations, split) for split in SPLITS}
    if splits["train"].hook != config.hook:
        raise InputError(
            f"{activations} holds hook {splits['train'].hook}, but sae.{sae}.hook is "
            f"{config.hook}: record that hook first"
        )
    dictionary = Dictionary.registry[config.architecture](
        seed=[seed, zlib.crc32(sae.encode())],
        **config.model_dump(exclude={"architecture", "threads"}),
    )
    try:
        dictionary.fit(splits["train"])
    except DivergenceError as error:
        raise InputError(f"sae.{sae}.{error}") from None
    table = metrics(dictionary, {name: tokens for name, tokens in splits.items() if len(tokens)})
    dictionary.save(folder, model=model, seed=seed, sae=sae)
    write_table(dictionary.history_, folder / "history.csv")
    write_table(table, folder / "metrics.csv", model=model, seed=seed, sae=sae)
