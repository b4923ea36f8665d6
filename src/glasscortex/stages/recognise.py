"""Tell whether what units are like in a mouse tells its Cre line, area or depth."""

import zlib
from itertools import chain

import numpy as np
import torch

from glasscortex.analysis.recognition import Session, recognition, stimulus_of_mice
from glasscortex.analysis.timecourses import coded_windows
from glasscortex.analysis.traits import summed
from glasscortex.config import SelectivityConfig
from glasscortex.data.store import verify
from glasscortex.dictionaries import Dictionary
from glasscortex.dictionaries.activations import RecordedTokens, hook_of
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.stages.presented import clock
from glasscortex.tables import read_definitions, read_table, read_trials, write_table
from glasscortex.words import SPLITS


def recognise(
    *,
    decoder: Input,
    folder: Folder,
    activations: Input,
    manifest: Input,
    trials: Input,
    sessions: Input,
    table: Output,
    model: str,
    seed: int,
    sae: str,
    config: SelectivityConfig,
) -> None:
    """Tell whether what units are like in a mouse tells its Cre line, area or depth.

    Parameters
    ----------
    decoder : Path
        Its description.
    folder : Path
        Folder of the dictionary.
    activations, manifest : Path
        Activations that it encodes, and their checksums.
    trials, sessions : Path
        Tables.
    table : Path
        What `recognition` returns.
    model, seed, sae : str, int
        Of the decoder, of all random numbers, and of the dictionary.
    config : SelectivityConfig
    """
    torch.set_num_threads(1)
    verify(activations, manifest)
    dictionary, presented, mice = Dictionary.load(folder), read_trials(trials), read_table(sessions)
    each, _ = clock(decoder, hook_of(activations))
    stimulus = stimulus_of_mice(presented, mice)
    windows = chain.from_iterable(
        coded_windows(dictionary, RecordedTokens(activations, split), each) for split in SPLITS
    )
    found = summed(windows, presented, stimulus, read_definitions(trials))
    rows = recognition(
        {session_id: Session.of(sums) for session_id, sums in found.items()},
        mice,
        stimulus,
        config.mouse_permutations,
        np.random.default_rng([seed, zlib.crc32(f"recognition {sae}".encode())]),
        config.q,
    )
    write_table(rows, table, model=model, seed=seed, sae=sae)
