"""The test that decoding is unchanged when a dictionary's reconstruction is spliced in."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from glasscortex.data.batches import Batches
from glasscortex.decoder.evaluate import Edit, predict_under
from glasscortex.decoder.hooks import activations
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.scores import session_scores
from glasscortex.dictionaries.base import Dictionary
from glasscortex.intervals import mean_interval

COMPARED = [
    "condition",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "delta",
    "delta_low",
    "delta_high",
    "equivalent",
    "margin",
    "n_sessions",
    "n_mice",
]

SAMPLED = 2048
"""About how many training windows the gain of the random dictionary is fitted to."""


def spliced_scores(
    decoder: Decoder,
    dictionary: Dictionary,
    batches: Batches,
    mice: pd.Series,
    margin: float,
    seed: Sequence[int],
) -> pd.DataFrame:
    """Scores on the test split, and their change, with the hook's activations replaced.

    Conditions: `intact`; `spliced`, by the dictionary's reconstruction; `mean`, by the mean of
    the training activations; `random_sae`, by the reconstruction of `random_dictionary`. A score
    is the mean over sessions, and intervals are Student's over mice, with all their sessions: of
    95 % for the score, of 90 % for its change. A condition is `equivalent` to intact if that 90 %
    interval lies within the margin, a share of what intact scores above chance: two one-sided
    tests at .05 (TOST). With a single mouse there are no intervals and nothing but intact is
    equivalent.

    Parameters
    ----------
    decoder : Decoder
        The decoder, in evaluation mode.
    dictionary : Dictionary
        What replaces the activations at its hook.
    batches : Batches
        Windows of the presentations.
    mice : pandas.Series
        Mouse by session_id.
    margin : float
        Largest change that counts as none, as a share of the intact score above chance.
    seed : sequence of int
        Of the random dictionary.

    Returns
    -------
    pandas.DataFrame
        A row a task and condition, with the columns task and `COMPARED`.

    References
    ----------
    Schuirmann 1987, J Pharmacokinet Biopharm 15:657.
    """
    assert dictionary.hook is not None
    sample = _training_sample(decoder, batches, dictionary.hook)
    random = random_dictionary(dictionary, sample, np.random.default_rng(seed))
    edits: dict[str, Edit] = {
        "intact": lambda x, batch: x,
        "spliced": lambda x, batch: dictionary.splice(x),
        "mean": lambda x, batch: dictionary.mean.expand_as(x),
        "random_sae": lambda x, batch: random.splice(x),
    }
    test = (batches.trials["split"] == "test").to_numpy()
    predictions = predict_under(decoder, batches, test, dictionary.hook, edits)
    trials, definitions = batches.trials, decoder.vocabulary.definitions
    parts = [
        compared(
            {c: session_scores(task, trials, predictions[c][task], definitions) for c in edits},
            mice,
            margin,
        ).assign(task=task)
        for task in decoder.vocabulary.tasks
    ]
    return pd.concat(parts)[["task", *COMPARED]]


def random_dictionary(
    dictionary: Dictionary, x: Float[Tensor, "tokens d_in"], rng: np.random.Generator
) -> Dictionary:
    """Draw a dictionary of the same shape that learnt nothing but one gain.

    Random atoms of unit norm, the encoder their transpose times the gain that reconstructs x
    best (least squares), everything else zero or as in `dictionary`: what sparse codes over
    directions that have nothing to do with the activations can carry.

    Parameters
    ----------
    dictionary : Dictionary
        Gives architecture, settings, mean and scale.
    x : Tensor
        Activations that the gain is fitted to.
    rng : numpy.random.Generator
        Of the atoms.

    Returns
    -------
    Dictionary
        In evaluation mode and without gradients.
    """
    settings = dictionary.settings.model_dump()
    other = type(dictionary)(hook=dictionary.hook, **settings).build(dictionary.d_in)
    other.mean.copy_(dictionary.mean)
    other.scale.copy_(dictionary.scale)
    with torch.no_grad():
        atoms = torch.from_numpy(rng.standard_normal(dictionary.W_dec.shape)).float()
        z = other.scaled(x)
        other.tie(F.normalize(atoms, dim=1))
        other.calibrate(z)
        reconstructed = other.scaled(other.splice(x))
        gain = (z * reconstructed).sum() / reconstructed.square().sum()
        other.tie(other.W_dec.clone(), gain.item())
        other.calibrate(z)
    return other.eval().requires_grad_(False)


def compared(scores: Mapping[str, pd.DataFrame], mice: pd.Series, margin: float) -> pd.DataFrame:
    """Compare each condition with intact on the sessions that have a score in all.

    Parameters
    ----------
    scores : mapping of str to pandas.DataFrame
        By condition, what `session_scores` returns; one of them is "intact".
    mice : pandas.Series
        Mouse by session_id.
    margin : float
        Largest change that counts as none, as a share of the intact score above chance.

    Returns
    -------
    pandas.DataFrame
        A row a condition, with the columns `COMPARED`.
    """
    values = pd.DataFrame({c: s.set_index("session_id")["value"] for c, s in scores.items()})
    values = values.dropna()
    known = scores["intact"].set_index("session_id").loc[values.index]
    margin = margin * max(0.0, (known["value"] - known["chance"]).mean()) if len(known) else np.nan
    of_mouse, names = values.index.map(mice).factorize()
    rows = []
    for condition, value in values.items() if len(values) else ():
        delta = value - values["intact"]
        delta_low, delta_high = mean_interval(delta.to_numpy(), of_mouse, coverage=0.90)
        same = condition == "intact" or (-margin <= delta_low and delta_high <= margin)
        rows.append(
            (
                condition,
                scores["intact"]["metric"].iloc[0],
                value.mean(),
                *mean_interval(value.to_numpy(), of_mouse),
                delta.mean(),
                delta_low,
                delta_high,
                same,
                margin,
                len(values),
                len(names),
            )
        )
    return pd.DataFrame(rows, columns=COMPARED)


@torch.inference_mode()
def _training_sample(decoder: Decoder, batches: Batches, hook: str) -> Float[Tensor, "tokens d_in"]:
    """Activations on training windows spread evenly over the recordings."""
    train = np.flatnonzero(batches.trials["split"] == "train")
    mask = np.zeros(len(batches.trials), bool)
    mask[train[:: max(1, len(train) // SAMPLED)]] = True
    read = batches.ordered(mask)
    return torch.cat([activations(decoder, hook, batch).flatten(0, 1) for batch in read])
