"""What a decoder predicts, intact or with its activations edited, and how well."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from glasscortex.data.batches import Batch, Batches
from glasscortex.data.labels import label_scale
from glasscortex.decoder.hooks import replacing
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.scores import write_scores
from glasscortex.tasks import TASKS

Edit = Callable[[Float[Tensor, "windows tokens dim"], Batch], Float[Tensor, "windows tokens dim"]]

EVALUATION_BATCH = 256


def evaluate(
    *, decoder: Path, trials: Path, windows: Path, out: Path, model: str, seed: int, threads: int
) -> None:
    """Score a decoder on the validation and test splits; write the rows of `decoding.csv`.

    Parameters
    ----------
    decoder : folder that `train` wrote
    trials : parquet table of presentations
    windows : folder of the sessions' windows
    out : CSV of model, seed, session_id, task, split, metric, value, ci_low, ci_high, chance, n
    model, seed : names of the decoder in the table
    threads : of torch
    """
    torch.set_num_threads(threads)
    table = pd.read_parquet(trials)
    loaded = Decoder.load(decoder)
    batches = Batches(windows, table, loaded.vocabulary, EVALUATION_BATCH)
    mask = table["split"].isin(["validation", "test"]).to_numpy()
    predictions = predict(loaded, batches, mask)
    write_scores(table, predictions, out, model, seed)


def predict(decoder: Decoder, batches: Batches, mask: np.ndarray) -> dict[str, np.ndarray]:
    """What the decoder says of every presentation where `mask` is true.

    Returns
    -------
    dict by task of float32 arrays, one entry a row of the trials, in the label's unit: the most
    likely class, or the value; NaN where nothing was predicted.
    """
    return predict_under(decoder, batches, mask, "readout", {"intact": lambda x, batch: x})[
        "intact"
    ]


@torch.inference_mode()
def predict_under(
    decoder: Decoder, batches: Batches, mask: np.ndarray, hook: str, edits: dict[str, Edit]
) -> dict[str, dict[str, np.ndarray]]:
    """What the decoder says when the activations at one hook are edited.

    The part of the model before the hook runs once a batch, the rest once an edit; memory grows
    with edits × tasks × presentations.

    Parameters
    ----------
    decoder : in evaluation mode
    batches : windows of the presentations
    mask : which presentations
    hook : name of the place
    edits : by name of the condition, a function of the activations and their batch

    Returns
    -------
    dict by condition of what `predict` returns
    """
    heads = decoder.vocabulary.tasks
    classes = {t: np.array(h.classes, np.float32) for t, h in heads.items() if h.classes}
    scales = {
        task: label_scale(batches.trials, batches.trials[TASKS[task].column].to_numpy())
        for task in heads.keys() - classes.keys()
    }
    empty = np.full(len(batches.trials), np.nan, np.float32)
    predictions = {name: {task: empty.copy() for task in heads} for name in edits}
    for batch in batches.ordered(mask):
        latents = decoder.until(hook, batch)
        for name, edit in edits.items():
            with replacing(decoder, hook, partial(edit, batch=batch)):
                outputs = decoder.since(hook, latents, batch)
            for task, output in outputs.items():
                if task in classes:
                    value = classes[task][output.argmax(-1).numpy()]
                else:
                    mean, sd = (part[batch.trials] for part in scales[task])
                    value = output[:, 0].numpy() * sd + mean
                predictions[name][task][batch.trials] = value
    return predictions
