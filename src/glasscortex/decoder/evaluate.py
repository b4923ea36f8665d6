"""What a decoder predicts, intact or with its activations edited, and how well."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from glasscortex.data.batches import Batch, Batches
from glasscortex.data.labels import label_scale
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.hooks import replacing
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.predictions import predictions, unpredicted
from glasscortex.decoder.scores import HELD_OUT, decoding_scores
from glasscortex.tasks import label_column

Edit = Callable[[Float[Tensor, "windows tokens dim"], Batch], Float[Tensor, "windows tokens dim"]]

Name = TypeVar("Name", bound=Hashable)

EVALUATION_BATCH = 256


def evaluate(
    decoder: Decoder, trials: pd.DataFrame, windows: Mapping[str, WindowsReader], seed: int = 0
) -> pd.DataFrame:
    """Score a decoder on the validation and test splits.

    Parameters
    ----------
    decoder : Decoder
        In evaluation mode.
    trials : pandas.DataFrame
        Presentations of its sessions, with label columns.
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    seed : int
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        See `decoding_scores`.
    """
    predicted = predict_held_out(decoder, trials, windows)
    return decoding_scores(trials, predicted, seed, decoder.vocabulary.definitions)


def predict_held_out(
    decoder: Decoder, trials: pd.DataFrame, windows: Mapping[str, WindowsReader]
) -> dict[str, np.ndarray]:
    """What the decoder says of every presentation of the validation and test splits.

    Parameters
    ----------
    decoder : Decoder
        In evaluation mode.
    trials : pandas.DataFrame
        Presentations of its sessions, with label columns.
    windows : mapping of str to WindowsReader
        Reader of each session's windows.

    Returns
    -------
    dict of str to numpy.ndarray
        See `predict`.
    """
    batches = Batches(windows, trials, decoder.vocabulary, EVALUATION_BATCH)
    return predict(decoder, batches, trials["split"].isin(HELD_OUT).to_numpy())


def predict(decoder: Decoder, batches: Batches, mask: np.ndarray) -> dict[str, np.ndarray]:
    """What the decoder says of every presentation where `mask` is true.

    Parameters
    ----------
    decoder : Decoder
        In evaluation mode.
    batches : Batches
        Windows of the presentations.
    mask : numpy.ndarray
        (presentations,) bool.

    Returns
    -------
    dict of str to numpy.ndarray
        By task, (presentations,) of `PREDICTION`.
    """
    return predict_under(decoder, batches, mask, "readout", {"intact": lambda x, batch: x})[
        "intact"
    ]


@torch.inference_mode()
def predict_under(
    decoder: Decoder, batches: Batches, mask: np.ndarray, hook: str, edits: Mapping[Name, Edit]
) -> dict[Name, dict[str, np.ndarray]]:
    """What the decoder says when the activations at one hook are edited.

    The part of the model before the hook runs once a batch, the rest once an edit; memory grows
    with edits × tasks × presentations.

    Parameters
    ----------
    decoder : Decoder
        In evaluation mode.
    batches : Batches
        Windows of the presentations.
    mask : numpy.ndarray
        (presentations,) bool: which of them.
    hook : str
        Name of the place.
    edits : dict of str to callable
        By name of the condition, a function of the activations and their batch.

    Returns
    -------
    dict of str to dict
        By condition, what `predict` returns.
    """
    heads = decoder.vocabulary.tasks
    classes = {t: np.array(h.classes, np.float32) for t, h in heads.items() if h.classes}
    scales = {
        task: label_scale(batches.trials, batches.trials[label_column(task)].to_numpy())
        for task in heads.keys() - classes.keys()
    }
    size = len(batches.trials)
    predicted = {name: {task: unpredicted(size) for task in heads} for name in edits}
    for batch in batches.ordered(mask & batches.decodable):
        latents = decoder.until(hook, batch)
        for name, edit in edits.items():
            with replacing(decoder, hook, _of_batch(edit, batch)):
                outputs = decoder.since(hook, latents, batch)
            for task, output in outputs.items():
                if task in classes:
                    named, sure = output.argmax(-1).numpy(), output.softmax(-1).amax(-1).numpy()
                    made = predictions(classes[task][named], sure)
                else:
                    mean, sd = (part[batch.trials] for part in scales[task])
                    made = predictions(output[:, 0].numpy() * sd + mean)
                predicted[name][task][batch.trials] = made
    return predicted


def _of_batch(edit: Edit, batch: Batch) -> Callable[[Tensor], Tensor]:
    return lambda x: edit(x, batch)
