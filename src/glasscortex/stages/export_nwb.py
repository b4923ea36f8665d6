"""Write a recording with what was found in it as an NWB 2 file."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glasscortex.analysis.exported import presentations_table, units_table
from glasscortex.data.batches import Batches
from glasscortex.data.nwb import read_metadata
from glasscortex.data.nwb2.results import add_results
from glasscortex.data.nwb2.turned import write_anew
from glasscortex.data.responses import Responses, read_presented, read_responses
from glasscortex.data.store import verify
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.evaluate import EVALUATION_BATCH, predict
from glasscortex.decoder.model import Decoder
from glasscortex.errors import InputError
from glasscortex.files import atomic_write
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_table, read_trials
from glasscortex.words import SPLITS


def export_nwb(
    *,
    nwb: Input,
    decoder: Folder,
    windows: Folder,
    trials: Input,
    responses: Input,
    manifest: Input,
    selectivity: Input,
    exported: Output,
    session: str,
    model: str,
    seed: int,
    sae: str,
) -> None:
    """Write a recording with what was found in it as an NWB 2 file.

    Parameters
    ----------
    nwb : Path
        The recording; it stays as it is.
    decoder, windows : Path
        Folders of the decoder and of the sessions' windows.
    trials, selectivity : Path
        Tables.
    responses, manifest : Path
        Responses of the dictionary's units, and their checksums.
    exported : Path
        File to write.
    session, model, seed, sae : str, int
        Of the recording, of the decoder, and of the dictionary.

    Raises
    ------
    InputError
        The recording is of another session or cannot be read, or the decoder does not know it.
    """
    torch.set_num_threads(1)
    if (found := read_metadata(nwb).session_id) != session:
        raise InputError(f"{nwb} is session {found}, not {session}: give its own recording")
    verify(responses, manifest)
    presented, units = read_trials(trials), units_table(read_table(selectivity))
    if units.empty:
        raise InputError(f"{selectivity} tells of no unit: export another dictionary's")
    transformer = Decoder.load(decoder)
    if session not in transformer.vocabulary.sessions:
        raise InputError(f"{decoder} was not trained on session {session}: give one that was")
    answered = _of_session(responses, presented, session)
    asked = np.isin(np.arange(len(presented)), answered.trial)
    batches = Batches(WindowsFolder(windows), presented, transformer.vocabulary, EVALUATION_BATCH)
    predicted = predict(transformer, batches, asked)
    table = presentations_table(
        presented.iloc[answered.trial],
        {task: made[answered.trial] for task, made in predicted.items()},
        transformer.vocabulary.definitions,
    )
    with atomic_write(exported) as temporary:
        write_anew(nwb, temporary)
        source = f"{sae} on {model}, seed {seed}"
        add_results(temporary, table, answered.values[:, units.index], units, source)


def _of_session(responses: Path, trials: pd.DataFrame, session: str) -> Responses:
    """The responses to a session's presentations, in order of time."""
    parts = []
    for split in SPLITS:
        trial = read_presented(responses, split)
        own = np.flatnonzero((trials["session_id"] == session).to_numpy()[trial])
        if len(own):
            rows = slice(own[0], own[-1] + 1)  # a session's lie together, or nearly so
            read, kept = read_responses(responses, split, rows), own - own[0]
            parts.append(Responses(read.trial[kept], read.values[kept]))
    if not parts:
        raise InputError(f"{responses} holds none of session {session}: give that of its run")
    trial = np.concatenate([part.trial for part in parts])
    values = np.concatenate([part.values for part in parts])
    order = np.argsort(trials["start_s"].to_numpy()[trial], kind="stable")
    return Responses(trial[order], values[order])
