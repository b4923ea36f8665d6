"""When within a window units are active: on their preferred label, on others, and one by one."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, Int64

from glasscortex.dictionaries import Dictionary
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.tasks import ALLEN, Definitions

COLUMNS = ["unit", "variable", "stimulus", "preferred", "step", "mean", "error", "n"]


def timecourses(
    dictionary: Dictionary,
    tokens: RecordedTokens,
    trials: pd.DataFrame,
    selectivity: pd.DataFrame,
    wanted: pd.DataFrame,
    each: int | None,
    definitions: Definitions = ALLEN,
) -> tuple[pd.DataFrame, list[Float32[np.ndarray, " steps"]]]:
    """Tell how activations go on in the window, in one pass over the tokens of a split.

    Memory holds a chunk of tokens and the codes of its units.

    Parameters
    ----------
    dictionary : Dictionary
        What encodes the activations.
    tokens : RecordedTokens
        Those of the split.
    trials : pandas.DataFrame
        All presentations.
    selectivity : pandas.DataFrame
        Whose rows name each unit's preferred label, as validation says.
    wanted : pandas.DataFrame
        The `trial` and `unit` of windows that are followed one by one.
    each : int, optional
        Tokens of one step of time, which are averaged; None: all of a window.
    definitions : Definitions
        What the variables are.

    Returns
    -------
    courses : pandas.DataFrame
        One row a unit, variable of a stimulus, `preferred` (whether its preferred label was shown,
        or another) and `step`: the `mean` activation, its standard `error` over `n` presentations.
    followed : list of ndarray, shape (steps,)
        The unit's activation in each window of `wanted`.
    """
    names = definitions.at("stimulus", "behaviour", classes=True)
    names = [name for name in names if not definitions.variables[name].is_ranked]
    found = selectivity[selectivity["variable"].isin(names)]
    means = []
    for (variable, stimulus), rows in found.groupby(["variable", "stimulus"], sort=False):
        preferred = rows["preferred"].map(definitions.variables[variable].label)
        means.append(_Mean(variable, stimulus, rows["unit"].to_numpy(), preferred.to_numpy()))
    followed: list[np.ndarray] = [np.empty(0, np.float32)] * len(wanted)
    by_trial = wanted["trial"].to_numpy().argsort(kind="stable")
    sought, unit = wanted["trial"].to_numpy()[by_trial], wanted["unit"].to_numpy()[by_trial]
    stimuli = trials["stimulus"].to_numpy()
    for trial, codes in coded_windows(dictionary, tokens, each):
        for mean in means:
            rows = stimuli[trial] == mean.stimulus
            if rows.any():
                mean.add(codes[rows], trials[mean.variable].to_numpy()[trial[rows]])
        first, last = (np.searchsorted(sought, trial, side) for side in ("left", "right"))
        for window in np.flatnonzero(last > first):
            for place in range(first[window], last[window]):
                followed[by_trial[place]] = codes[window, :, unit[place]]
    parts = [mean.rows() for mean in means if mean.n is not None]
    courses = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return courses, followed


def coded_windows(
    dictionary: Dictionary, tokens: RecordedTokens, each: int | None
) -> Iterator[tuple[Int64[np.ndarray, " windows"], Float32[np.ndarray, "windows steps units"]]]:
    """The trials and codes of whole windows, those of one length together.

    Parameters
    ----------
    dictionary : Dictionary
        What encodes the activations.
    tokens : RecordedTokens
        Those of a split.
    each : int, optional
        Tokens of one step of time, which are averaged; None: all of a window.

    Yields
    ------
    trials : ndarray of int, shape (windows,)
        Rows in the table of trials.
    codes : ndarray, shape (windows, steps, units)
    """
    x, trial = torch.empty(0, tokens.d_in), np.empty(0, np.int64)
    for block in tokens.blocks():
        x, trial = torch.cat([x, block.x]), np.concatenate([trial, block.trial])
        stop = np.flatnonzero(np.diff(trial, prepend=-1))[-1]
        yield from _by_length(dictionary, x[:stop], trial[:stop], each)
        x, trial = x[stop:], trial[stop:]
    yield from _by_length(dictionary, x, trial, each)


@torch.no_grad()
def _by_length(dictionary: Dictionary, x: torch.Tensor, trial: np.ndarray, each: int | None):
    first = np.flatnonzero(np.diff(trial, prepend=-1))
    lengths = np.diff(first, append=len(trial))
    for length in np.unique(lengths):
        starts = first[lengths == length]
        rows = (starts[:, None] + np.arange(length)).ravel()
        codes = dictionary.encode(x[rows]).numpy()
        steps = codes.reshape(len(starts), -1, each or length, codes.shape[1]).mean(axis=2)
        yield trial[starts], steps


class _Mean:
    """Mean activation by step, on the preferred label of each unit and on the others."""

    def __init__(self, variable: str, stimulus: str, units: np.ndarray, preferred: np.ndarray):
        self.variable, self.stimulus = variable, stimulus
        self.units, self.preferred = units, preferred
        self.n: np.ndarray | None = None

    def add(self, codes: Float32[np.ndarray, "windows steps units"], labels: np.ndarray) -> None:
        known = np.isfinite(labels)
        codes, labels = codes[known][:, :, self.units], labels[known]
        if self.n is None:
            self.n = np.zeros((2, len(self.units)))
            self.sums, self.squares = np.zeros((2, 2, codes.shape[1], len(self.units)))
        is_preferred = np.isclose(labels[:, None], self.preferred)
        for place, mask in enumerate((is_preferred, ~is_preferred)):
            self.n[place] += mask.sum(axis=0)
            self.sums[place] += np.einsum("wu,wsu->su", mask, codes)
            self.squares[place] += np.einsum("wu,wsu->su", mask, np.square(codes, dtype="f8"))

    def rows(self) -> pd.DataFrame:
        assert self.n is not None
        n = self.n[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self.sums / n
            error = np.sqrt((self.squares / n - mean**2).clip(0) / (n - 1))
        kinds, steps, units = mean.shape
        return pd.DataFrame(
            {
                "unit": np.tile(self.units, kinds * steps),
                "variable": self.variable,
                "stimulus": self.stimulus,
                "preferred": np.repeat([True, False], steps * units),
                "step": np.tile(np.repeat(np.arange(steps), units), kinds),
                "mean": mean.ravel(),
                "error": error.ravel(),
                "n": np.repeat(self.n, steps, axis=0).ravel().astype(int),
            }
        )
