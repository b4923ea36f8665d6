"""The test that decoding is unchanged when the transformer runs on an SAE's reconstruction."""

import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from glasscortex.config import SpliceConfig
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.evaluate import EVALUATION_BATCH, Edit, predict_under
from glasscortex.decoder.hooks import reading
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.scores import bootstrap_mean, session_scores
from glasscortex.dictionaries.topk import TopKSae
from glasscortex.files import atomic_write

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
]

FITTED = 2048
"""About how many training windows the gain of the random SAE is fitted to."""


def splice(
    *,
    decoder: Path,
    sae_folder: Path,
    trials: Path,
    windows: Path,
    out: Path,
    config: SpliceConfig,
    model: str,
    seed: int,
    name: str,
) -> None:
    """Write scores on the test split, and their change, with the hook's activations replaced.

    Conditions: `intact`; `spliced`, by the SAE's reconstruction; `mean`, by the mean of the
    training activations; `random_sae`, by the reconstruction of `random_sae`. A score is the mean
    over sessions, and intervals are bootstraps over sessions: of 95 % for the score, of 90 % for
    its change. A condition is `equivalent` to intact if that 90 % interval lies within the
    margin, a share of what intact scores above chance: two one-sided tests at .05 (TOST;
    Schuirmann 1987, J Pharmacokinet Biopharm 15:657). With a single session there are no
    intervals and nothing but intact is equivalent.

    Parameters
    ----------
    decoder, sae_folder : folders of the decoder and of the SAE
    trials : parquet table of presentations
    windows : folder of the sessions' windows
    out : CSV, the rows of the table `splice`
    config : see `SpliceConfig`
    model, seed, name : of the decoder, of all random numbers, and of the SAE
    """
    torch.set_num_threads(config.threads)
    transformer, sae = Decoder.load(decoder), TopKSae.load(sae_folder)
    table = pd.read_parquet(trials)
    batches = Batches(WindowsFolder(windows), table, transformer.vocabulary, EVALUATION_BATCH)
    key = [seed, zlib.crc32(f"splice {name}".encode())]
    sample = _training_sample(transformer, batches, sae.hook)
    random = random_sae(sae, sample, np.random.default_rng(key))
    edits: dict[str, Edit] = {
        "intact": lambda x, batch: x,
        "spliced": lambda x, batch: sae.splice(x),
        "mean": lambda x, batch: sae.mean.expand_as(x),
        "random_sae": lambda x, batch: random.splice(x),
    }
    test = (table["split"] == "test").to_numpy()
    predictions = predict_under(transformer, batches, test, sae.hook, edits)
    parts = [
        compared(
            {c: session_scores(task, table, predictions[c][task]) for c in edits},
            config.margin,
            key,
        ).assign(model=model, seed=seed, sae=name, task=task)
        for task in transformer.vocabulary.tasks
    ]
    rows = pd.concat(parts)[["model", "seed", "sae", "task", *COMPARED]]
    with atomic_write(out) as temporary:
        rows.to_csv(temporary, index=False, float_format="%.9g")


def random_sae(sae: TopKSae, x: Float[Tensor, "tokens dim"], rng: np.random.Generator) -> TopKSae:
    """Draw an SAE of the same shape that learnt nothing but one gain.

    Random atoms of unit norm, the encoder their transpose times the gain that reconstructs x
    best (least squares), k, mean and scale as in `sae`: what sparse codes over directions that
    have nothing to do with the activations can carry.
    """
    other = TopKSae(sae.dim, sae.width, sae.k, sae.hook)
    other.mean.copy_(sae.mean)
    other.scale.copy_(sae.scale)
    with torch.no_grad():
        atoms = torch.from_numpy(rng.standard_normal(sae.dictionary.shape)).float()
        other.dictionary.copy_(F.normalize(atoms, dim=1))
        other.encoder.copy_(other.dictionary)
        z, reconstructed = other.scaled(x), other.scaled(other.splice(x))
        other.encoder *= (z * reconstructed).sum() / reconstructed.square().sum()
    return other.eval().requires_grad_(False)


def compared(scores: dict[str, pd.DataFrame], margin: float, key: list[int]) -> pd.DataFrame:
    """Compare each condition with intact on the sessions that have a score in all.

    Parameters
    ----------
    scores : by condition, what `session_scores` returns; one of them is "intact"
    margin : largest change that counts as none, as a share of the intact score above chance
    key : seed of the bootstrap, which draws the same sessions for all conditions

    Returns
    -------
    DataFrame with the columns `COMPARED`, one row a condition
    """
    values = pd.DataFrame({c: s.set_index("session_id")["value"] for c, s in scores.items()})
    values = values.dropna()
    known = scores["intact"].set_index("session_id").loc[values.index]
    margin = margin * max(0.0, (known["value"] - known["chance"]).mean()) if len(known) else np.nan
    rows = []
    for condition, value in values.items() if len(values) else ():
        delta = value - values["intact"]
        delta_low, delta_high = _interval(delta, key, coverage=0.90)
        same = condition == "intact" or (-margin <= delta_low and delta_high <= margin)
        rows.append(
            (
                condition,
                scores["intact"]["metric"].iloc[0],
                value.mean(),
                *_interval(value, key, coverage=0.95),
                delta.mean(),
                delta_low,
                delta_high,
                same,
                margin,
                len(values),
            )
        )
    return pd.DataFrame(rows, columns=COMPARED)


def _interval(values: pd.Series, key: list[int], coverage: float) -> tuple[float, float]:
    return bootstrap_mean(values.to_numpy(), np.random.default_rng(key), coverage)


@torch.inference_mode()
def _training_sample(decoder: Decoder, batches: Batches, hook: str) -> Float[Tensor, "tokens dim"]:
    """Activations on training windows spread evenly over the recordings."""
    train = np.flatnonzero(batches.trials["split"] == "train")
    mask = np.zeros(len(batches.trials), bool)
    mask[train[:: max(1, len(train) // FITTED)]] = True
    tokens = []
    for batch in batches.ordered(mask):
        with reading(decoder, hook) as seen:
            decoder(batch)
        tokens.append(seen.value.flatten(0, 1))
    return torch.cat(tokens)
