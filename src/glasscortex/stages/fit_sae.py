"""Fit a dictionary and measure it on held-out activations."""

import zlib
from pathlib import Path

import torch

from glasscortex.config import ObjectiveSettings, SaeConfig
from glasscortex.data.batches import Batches
from glasscortex.data.store import verify
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import Decoding, Dictionary
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.dictionaries.evaluate import metrics
from glasscortex.dictionaries.fit import DivergenceError
from glasscortex.errors import InputError
from glasscortex.stages.arguments import Folder, Input
from glasscortex.tables import read_trials, write_table
from glasscortex.words import SPLITS


def fit_sae(
    *,
    activations: Input,
    manifest: Input,
    decoder: Folder,
    trials: Input,
    windows: Folder,
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
    decoder : pathlib.Path
        Folder of the decoder, which the objective or the start may ask for.
    trials : pathlib.Path
        Table of the presentations.
    windows : pathlib.Path
        Folder of their windows.
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
    decoding = _decoding(decoder, trials, windows, config) if dictionary.reads_decoder else None
    try:
        dictionary.fit(splits["train"], decoding)
    except DivergenceError as error:
        raise InputError(f"sae.{sae}.{error}") from None
    table = metrics(dictionary, {name: tokens for name, tokens in splits.items() if len(tokens)})
    dictionary.save(folder, model=model, seed=seed, sae=sae)
    write_table(dictionary.history_, folder / "history.csv")
    write_table(table, folder / "metrics.csv", model=model, seed=seed, sae=sae)


def _decoding(decoder: Path, trials: Path, windows: Path, config: SaeConfig) -> Decoding:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    transformer = Decoder.load(decoder).requires_grad_(False).to(device)
    table = read_trials(trials)
    objective = getattr(config, "objective", ObjectiveSettings())
    batches = Batches(WindowsFolder(windows), table, transformer.vocabulary, size=objective.windows)
    train = (table["split"] == "train").to_numpy()
    return Decoding(transformer, config.hook, batches, train)
