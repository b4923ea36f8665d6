"""Tell how well few units of a dictionary tell the classes of each variable apart."""

from glasscortex.analysis.probing import probing
from glasscortex.data.responses import open_responses
from glasscortex.stages.arguments import Input, Output
from glasscortex.stages.presented import read_presentations
from glasscortex.tables import read_table, write_table


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
    mice = read_table(sessions)
    splits = read_presentations(responses, manifest, trials, mice, read=open_responses)
    write_table(probing(*splits), table, model=model, seed=seed, sae=sae)
