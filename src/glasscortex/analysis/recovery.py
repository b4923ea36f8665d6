"""Do units recover the factors that the simulator made the recordings from?

The only stage that reads the ground truth.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.measured import Presentations
from glasscortex.analysis.selectivity import presentations
from glasscortex.data.store import verify
from glasscortex.dictionaries.topk import TopKSae
from glasscortex.files import atomic_write

DRAWS = 200
"""Permutations behind the column `null`."""

COLUMNS = [
    *("model", "seed", "sae", "factor", "stimulus", "unit", "score", "null", "p"),
    *("score_selection", "n", "n_sessions"),
]

Distance = Callable[[np.ndarray, float], np.ndarray]


def on_circle(values: np.ndarray, level: float, period: float) -> np.ndarray:
    """Distance of angles, at most half a period."""
    apart = np.abs(values - level) % period
    return np.minimum(apart, period - apart)


def in_octaves(values: np.ndarray, level: float) -> np.ndarray:
    """Distance of frequencies."""
    return np.abs(np.log2(values / level))


@dataclass(frozen=True)
class Tuning:
    """Populations of cells, by the label of a stimulus that they prefer.

    Attributes
    ----------
    stimulus, variable : where the labels come from
    parameter : of the cells, in the ground truth
    distance : from the cells' parameter to a label
    """

    stimulus: str
    variable: str
    parameter: str
    distance: Distance


TUNINGS = (
    Tuning(
        "drifting_gratings",
        "direction",
        "preferred_direction_deg",
        partial(on_circle, period=360.0),
    ),
    Tuning(
        "drifting_gratings",
        "orientation",
        "preferred_direction_deg",
        partial(on_circle, period=180.0),
    ),
    Tuning("drifting_gratings", "temporal_frequency", "temporal_frequency_hz", in_octaves),
    Tuning(
        "static_gratings",
        "orientation",
        "preferred_direction_deg",
        partial(on_circle, period=180.0),
    ),
    Tuning("static_gratings", "spatial_frequency", "spatial_frequency_cpd", in_octaves),
    Tuning("static_gratings", "phase", "preferred_phase", partial(on_circle, period=1.0)),
)

GAIN_STIMULI = ("drifting_gratings", "static_gratings", "natural_scenes")


def recover(
    *,
    sae_folder: Path,
    activations: Path,
    manifest: Path,
    trials: Path,
    sessions: Path,
    truth: Path,
    out: Path,
    model: str,
    seed: int,
    name: str,
) -> None:
    """Write the rows of the table `recovery`: for every factor the unit that follows it best.

    A factor is the mean true rate of the cells of a session that prefer one label (the nearest to
    their own preference), or the gain that all cells share. Score is Pearson's correlation of a
    unit's response with the factor over presentations, both centred within session and block and
    the factor scaled within the session. The unit, and its sign, are chosen on validation and
    scored on test; `null` is the 95 % quantile of the score when the same is done with the
    presentations permuted within session and block.

    Parameters
    ----------
    sae_folder : folder of the SAE
    activations, manifest : recorded activations and their checksums
    trials, sessions : tables
    truth : folder of `<session>.h5` with `cells/<parameter>` (cells,), `rates/<stimulus>`
        (presentations, cells) and `gain/<stimulus>` (presentations,)
    out : CSV
    model, seed, name : of the decoder, of all random numbers, and of the SAE
    """
    torch.set_num_threads(1)
    verify(activations, manifest)
    sae, table = TopKSae.load(sae_folder), pd.read_parquet(trials)
    described = pd.read_csv(sessions, dtype={"session_id": str, "mouse": str})
    splits = [
        presentations(sae, activations, table, described, split) for split in ("validation", "test")
    ]
    rows = []
    for stimulus in GAIN_STIMULI:
        shown = [p.where(p.trials["stimulus"] == stimulus) for p in splits]
        if min(len(p.trials) for p in shown) == 0:
            continue
        presented = table[table["stimulus"] == stimulus]
        values = [truth_of(p, presented, stimulus, truth) for p in shown]
        for factor in values[0]:
            key = f"recovery {name} {factor} {stimulus}"
            rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
            row = recovered(shown, [v[factor] for v in values], rng)
            if row:
                rows.append({"factor": factor, "stimulus": stimulus} | row)
    found = pd.DataFrame(rows).reindex(columns=COLUMNS)
    found = found.assign(model=model, seed=seed, sae=name)
    with atomic_write(out) as temporary:
        found.to_csv(temporary, index=False, float_format="%.9g")


def truth_of(
    shown: Presentations, presented: pd.DataFrame, stimulus: str, folder: Path
) -> dict[str, np.ndarray]:
    """True factors on the presentations of one stimulus.

    Parameters
    ----------
    shown : presentations of one split
    presented : trials of all splits, whose labels cells are sorted by
    folder : ground truth of every session

    Returns
    -------
    By factor, such as "direction=45" or "gain": (presentations,), NaN in sessions without such
    cells.
    """
    factors: dict[str, np.ndarray] = {}
    levels = {
        tuning: np.unique(presented[tuning.variable].dropna())
        for tuning in TUNINGS
        if tuning.stimulus == stimulus and presented[tuning.variable].notna().any()
    }
    for session_id, rows in shown.trials.groupby("session_id", sort=False).indices.items():
        presentation = shown.trials["presentation"].to_numpy()[rows]
        with h5py.File(folder / f"{session_id}.h5") as file:
            for factor, values in _factors(file, stimulus, levels):
                column = factors.setdefault(factor, np.full(len(shown.trials), np.nan))
                column[rows] = values[presentation]
    return factors


def _factors(
    file: h5py.File, stimulus: str, levels: dict[Tuning, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """Name and values (presentations,) of every factor in one session."""
    rates = file[f"rates/{stimulus}"][:]
    for tuning, labels in levels.items():
        own = file[f"cells/{tuning.parameter}"][:]
        nearest = np.argmin([tuning.distance(own, label) for label in labels], axis=0)
        for i, label in enumerate(labels):
            some = nearest == i
            values = rates[:, some].mean(axis=1) if some.any() else np.full(len(rates), np.nan)
            yield f"{tuning.variable}={label:g}", values
    yield "gain", file[f"gain/{stimulus}"][:]


def recovered(
    shown: list[Presentations], factor: list[np.ndarray], rng: np.random.Generator
) -> dict | None:
    """The unit that follows a factor best on validation, and how well it does on test.

    Parameters
    ----------
    shown : presentations of validation and of test
    factor : (presentations,) on each

    Returns
    -------
    unit, score, null, p, score_selection, n, n_sessions; None if the factor does not vary.
    """
    prepared = []
    for p, values in zip(shown, factor, strict=True):
        known = p.where(np.isfinite(values))
        if known.trials.empty:
            return None
        blocks = known.numbered("session_id", "block")
        sessions = known.numbered("session_id")
        own = _scaled(effects.centred(values[np.isfinite(values)][:, None], blocks), sessions)[:, 0]
        units = effects.standardised(effects.centred(known.responses.astype(np.float64), blocks))
        orders = nulls.permutations(blocks, DRAWS, rng)
        permuted = np.stack([own, *(own[order] for order in orders)])
        length = np.sqrt((own**2).sum())
        if length == 0:
            return None
        prepared.append(permuted @ units / length)
    selection, test = prepared
    unit = np.abs(selection).argmax(axis=1)
    each = np.arange(len(unit))
    chosen = selection[each, unit]
    score = test[each, unit] * np.sign(chosen)
    return {
        "unit": int(unit[0]),
        "score": score[0],
        "null": np.quantile(score[1:], 0.95),
        "p": (1 + (score[1:] >= score[0]).sum()) / len(score),
        "score_selection": chosen[0],
        "n": len(own),
        "n_sessions": int(sessions.max()) + 1,
    }


def _scaled(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Values (observations, 1) with mean square 1 in every group; 0 where they do not vary."""
    spread = np.sqrt(effects.group_means(values**2, groups))[groups]
    return np.divide(values, spread, out=np.zeros_like(values), where=spread > 1e-12)
