"""A transformer of each session alone."""

import numpy as np
import pandas as pd

from glasscortex.config import DecoderConfig
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.evaluate import EVALUATION_BATCH
from glasscortex.decoder.evaluate import predict as predictions
from glasscortex.decoder.scores import HELD_OUT
from glasscortex.decoder.train import train
from glasscortex.tasks import ALLEN, Definitions, label_column


def predict(
    trials: pd.DataFrame,
    windows: WindowsReader,
    config: DecoderConfig,
    tasks: tuple[str, ...],
    seed: int,
    definitions: Definitions = ALLEN,
) -> dict[str, np.ndarray]:
    """What a transformer that is trained on one session alone predicts there.

    It differs from the transformer of all sessions in its sessions, and in what `config` says.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations of the session, with label columns.
    windows : WindowsReader
        Reader of the session's windows.
    config : DecoderConfig
        The transformer and its training.
    tasks : tuple of str
        Their names.
    seed : int
        Of all that is random in training.
    definitions : Definitions
        What the tasks are.

    Returns
    -------
    dict of str to numpy.ndarray
        By task that the session can decode, (presentations,) of `PREDICTION`, on the validation
        and test splits.
    """
    if trials[[label_column(name) for name in tasks]].isna().all(axis=None):
        return {}
    readers = {trials["session_id"].iloc[0]: windows}
    decoder = train(trials, readers, config, tasks, seed=seed, definitions=definitions).decoder
    batches = Batches(readers, trials, decoder.vocabulary, EVALUATION_BATCH)
    return predictions(decoder, batches, trials["split"].isin(HELD_OUT).to_numpy())
