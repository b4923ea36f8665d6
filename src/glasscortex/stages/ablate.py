"""Remove units of every variable and random ones, add some, and score the decoding."""

import torch

from glasscortex.analysis import ablation
from glasscortex.config import AblationConfig
from glasscortex.data.responses import read_responses
from glasscortex.data.store import verify
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import Dictionary
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_table, read_trials, write_table


def ablate(
    *,
    decoder: Folder,
    folder: Folder,
    responses: Input,
    manifest: Input,
    trials: Input,
    windows: Folder,
    sessions: Input,
    table: Output,
    steering: Output,
    interactions: Output,
    model: str,
    seed: int,
    sae: str,
    config: AblationConfig,
) -> None:
    """Remove units of every variable and random ones, add some, and score the decoding.

    Parameters
    ----------
    decoder, folder : Path
        Folders of the decoder and of the autoencoder.
    responses, manifest : Path
        Responses of the autoencoder's units, and their checksums.
    trials, sessions : Path
        Tables.
    windows : Path
        Folder of the sessions' windows.
    table, steering, interactions : Path
        What `ablate` returns.
    model, seed, sae : str, int
        Of the decoder, of all random numbers, and of the autoencoder.
    config : AblationConfig
    """
    torch.set_num_threads(config.threads)
    verify(responses, manifest)
    removed, added, together = ablation.ablate(
        decoder=Decoder.load(decoder),
        sae=Dictionary.load(folder),
        trials=read_trials(trials),
        windows=WindowsFolder(windows),
        responses=read_responses(responses, "validation").values,
        mice=read_table(sessions).set_index("session_id")["mouse"],
        config=config,
        name=sae,
        seed=seed,
    )
    for rows, path in ((removed, table), (added, steering), (together, interactions)):
        write_table(rows, path, model=model, seed=seed, sae=sae)
