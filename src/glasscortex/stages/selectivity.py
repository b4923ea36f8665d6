"""Test what each unit of an autoencoder is selective for."""

from glasscortex.analysis import selectivity as tests
from glasscortex.analysis.tuning import tuning as tuning_of
from glasscortex.config import SelectivityConfig
from glasscortex.data.responses import open_responses
from glasscortex.stages.arguments import Input, Output
from glasscortex.stages.presented import read_presentations
from glasscortex.tables import read_table, write_table


def selectivity(
    *,
    responses: Input,
    manifest: Input,
    trials: Input,
    sessions: Input,
    table: Output,
    tuning: Output,
    model: str,
    seed: int,
    sae: str,
    config: SelectivityConfig,
) -> None:
    """Test what each unit of an autoencoder is selective for.

    Parameters
    ----------
    responses, manifest : Path
        Responses of its units, and their checksums.
    trials, sessions : Path
        Tables.
    table, tuning : Path
        What `selectivity` and `tuning` return.
    model, seed, sae : str, int
        Of the decoder, of all random numbers, and of the autoencoder.
    config : SelectivityConfig
    """
    mice = read_table(sessions)
    validation, test = read_presentations(
        responses, manifest, trials, mice, ("validation", "test"), open_responses
    )
    selective = tests.selectivity(validation, test, mice, config, sae, seed)
    curves = tuning_of(test, mice, selective)
    for rows, path in ((selective, table), (curves, tuning)):
        write_table(rows, path, model=model, seed=seed, sae=sae)
