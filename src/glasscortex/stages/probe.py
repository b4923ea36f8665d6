"""Tell how well few units of a dictionary tell the classes of each variable apart."""

from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.probing import probing
from glasscortex.data.store import verify
from glasscortex.dictionaries.responses import read_responses
from glasscortex.stages.arguments import Input, Output
from glasscortex.tables import read_table, read_trials, write_table
from glasscortex.words import SPLITS


def probe(
    *,
    responses: Input,
    manifest: Input,
    trials: Input,
    sessions: Input,
    table: Output,
    model: str,
    seed: int,
    sae: str,
) -> None:
    """Tell how well few units of a dictionary tell the classes of each variable apart.

    Parameters
    ----------
    responses, manifest : Path
        Responses of its units, and their checksums.
    trials, sessions : Path
        Tables.
    table : Path
        What `probing` returns.
    model, seed, sae : str, int
        Of the decoder, and of the dictionary.
    """
    verify(responses, manifest)
    presented, mice = read_trials(trials), read_table(sessions)
    splits = [
        Presentations.joined(read_responses(responses, split), presented, mice) for split in SPLITS
    ]
    write_table(probing(*splits), table, model=model, seed=seed, sae=sae)
