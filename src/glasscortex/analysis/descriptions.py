"""A sentence for each unit, whose claims are scored on presentations that they were not made on.

What a sentence claims was found on validation. It is put to the test as a prediction: the response
is a mean a stimulus, plus a step for each claim that holds on the presentation (and one where all
claims on a stimulus hold). The steps are fitted on validation; the score is the share of the
variance within stimuli that they explain on test.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from glasscortex.analysis.presentations import Presentations
from glasscortex.tasks import ALLEN, Definitions

MOST = 2
"""Claims on one stimulus, and on behaviour."""

LABELS = 3
"""Preferred labels of one variable."""

WEAKEST = 0.1
"""A claim explains at least this share of what the strongest does."""

RUNS_CM_S = 1.0
"""Speed above which a mouse runs."""

NOTHING = "Selective for nothing that was tested."


@dataclass(frozen=True)
class Claim:
    """That a unit responds more, or less, under some condition."""

    variable: str
    stimulus: str
    labels: tuple[float, ...] = ()
    """Any of which is preferred; none where units follow it by rank: it is high or low."""

    def holds(
        self, trials: pd.DataFrame, thresholds: dict[str, float]
    ) -> Bool[np.ndarray, " presentations"]:
        """On which presentations the condition is met."""
        values = trials[self.variable].to_numpy(np.float64)
        if self.variable in thresholds:
            return values > thresholds[self.variable]
        shown = (trials["stimulus"] == self.stimulus).to_numpy()
        return shown & np.isclose(values[:, None], self.labels).any(axis=1)


def describe(
    validation: Presentations, test: Presentations, selectivity: pd.DataFrame
) -> pd.DataFrame:
    """Describe every unit in a sentence, and score it.

    Parameters
    ----------
    validation, test : Presentations
        Responses of all units.
    selectivity : pandas.DataFrame
        What `selectivity` found in them: claims are rows that validation selected, the strongest
        (`explained_selection`) of each stimulus and of behaviour. Variables of mice are left out:
        the mice of both splits are the same.

    Returns
    -------
    pandas.DataFrame
        One row a unit: `description`; `r2`, the share of the variance on test that its claims
        predict (NaN without a claim), and `n`, the presentations it is predicted on.
    """
    known = validation.definitions
    thresholds = {
        name: float(validation.trials[name].median())
        for name in known.at("stimulus", "behaviour")
        if known.variables[name].is_ranked and validation.knows(name)
    } | {"running_speed": RUNS_CM_S}
    rows = []
    for unit, found in selectivity.groupby("unit"):
        y, y_test = (split.responses[:, unit].astype(np.float64) for split in (validation, test))
        claims = claims_of(found, y, validation.trials, known)
        r2 = np.nan
        if claims:
            x, base = _design(validation.trials, validation.trials, claims, thresholds)
            x_test, base_test = _design(validation.trials, test.trials, claims, thresholds)
            left = y_test - x_test @ np.linalg.lstsq(x, y)[0]
            total = y_test - base_test @ np.linalg.lstsq(base, y)[0]
            r2 = 1 - (left @ left) / (total @ total) if total.any() else np.nan
        text = sentence(claims, y, validation.trials, thresholds, known)
        rows.append({"unit": unit, "description": text, "r2": r2, "n": len(y_test)})
    return pd.DataFrame(rows, columns=["unit", "description", "r2", "n"])


def claims_of(
    found: pd.DataFrame,
    responses: Float[np.ndarray, " presentations"],
    trials: pd.DataFrame,
    definitions: Definitions = ALLEN,
) -> list[Claim]:
    """What is claimed of one unit, the strongest of each stimulus first.

    Of variables that name the same (the direction of a grating tells its orientation) on one
    stimulus, that which explains more is claimed. Preferred are the label with the largest mean
    response, and where labels are ordered or turn in a circle the (at most `LABELS`) strongest of
    those above the middle between the least mean and the largest.

    Parameters
    ----------
    found : pandas.DataFrame
        Its rows of the table `selectivity`.
    responses : ndarray, shape (presentations,)
        Those that the rows were selected on.
    trials : pandas.DataFrame
        What was presented.
    definitions : Definitions
        What the variables are.
    """
    known = definitions.variables
    levels = found["variable"].map(lambda name: known[name].level)
    rows = found[found["selected"].astype(bool) & levels.isin(["stimulus", "behaviour"])]
    rows = rows.sort_values("explained_selection", ascending=False, kind="stable")
    strongest = rows["explained_selection"].max()
    claims: list[Claim] = []
    for row in rows.itertuples():
        here = [claim for claim in claims if claim.stimulus == row.stimulus]
        names = {known[claim.variable].names for claim in here} - {""}
        weak = row.explained_selection < WEAKEST * strongest
        if len(here) < MOST and not weak and known[row.variable].names not in names:
            shown = row.variable, row.stimulus
            labels = preferred_labels(*shown, responses, trials, definitions)
            claims.append(Claim(row.variable, row.stimulus, labels))
    return claims


def preferred_labels(
    variable: str,
    stimulus: str,
    responses: Float[np.ndarray, " presentations"],
    trials: pd.DataFrame,
    definitions: Definitions = ALLEN,
) -> tuple[float, ...]:
    """The labels that a unit prefers, see `claims_of`, the strongest first.

    Examples
    --------
    >>> trials = pd.DataFrame({"stimulus": "drifting_gratings", "direction": [0, 90, 180, 270]})
    >>> shown = "direction", "drifting_gratings"
    >>> preferred_labels(*shown, np.array([0.0, 2.0, 0.5, 3.0]), trials)
    (270.0, 90.0)
    """
    if definitions.variables[variable].is_ranked:
        return ()
    shown = (trials["stimulus"] == stimulus) & trials[variable].notna()
    means = pd.Series(responses[shown]).groupby(trials.loc[shown, variable].to_numpy()).mean()
    strong = means[means >= (means.min() + means.max()) / 2].sort_values(ascending=False)
    most = 1 if definitions.variables[variable].kind == "categorical" else LABELS
    return tuple(map(float, strong.index[:most]))


def sentence(
    claims: list[Claim],
    responses: Float[np.ndarray, " presentations"],
    trials: pd.DataFrame,
    thresholds: dict[str, float],
    definitions: Definitions = ALLEN,
) -> str:
    """Say what is claimed of a unit.

    Parameters
    ----------
    claims : list of Claim
    responses : ndarray, shape (presentations,)
        Those that ratios are taken from.
    trials : pandas.DataFrame
    thresholds : dict of float
        Above which a variable that units follow by rank is high.
    definitions : Definitions
        What the variables are.

    Examples
    --------
    >>> trials = pd.DataFrame({"running_speed": [0.0, 9.0], "stimulus": "drifting_gratings"})
    >>> claims = [
    ...     Claim("direction", "drifting_gratings", (90.0, 270.0)),
    ...     Claim("running_speed", "all"),
    ... ]
    >>> sentence(claims, np.array([1.0, 2.0]), trials, {"running_speed": 1.0})
    'Prefers direction 90° or 270° (drifting gratings); 2.0 times as strong while the mouse runs.'
    """
    if not claims:
        return NOTHING
    preferences: dict[str, list[str]] = {}
    parts = []
    for claim in claims:
        if claim.variable in thresholds:
            high = claim.holds(trials, thresholds)
            low = trials[claim.variable].notna().to_numpy() & ~high
            still = responses[low].mean() if low.any() else np.nan
            ratio = responses[high].mean() / still if high.any() and still else np.nan
            if np.isfinite(ratio):
                high_is = f"where {claim.variable.replace('_', ' ')} is above its median"
                when = WHEN_HIGH.get(claim.variable, high_is)
                parts.append(f"{ratio:.1f} times as strong {when}")
        else:
            preferences.setdefault(claim.stimulus, []).append(labelled(claim, definitions))
    prefers = ", ".join(
        f"{' and '.join(labels)} ({stimulus.replace('_', ' ')})"
        for stimulus, labels in preferences.items()
    )
    text = "; ".join([*([f"prefers {prefers}"] if prefers else []), *parts])
    return f"{text[0].upper()}{text[1:]}." if text else NOTHING


WHEN_HIGH = {
    "running_speed": "while the mouse runs",
    "pupil": "while the pupil is wider than its median",
}


def labelled(claim: Claim, definitions: Definitions = ALLEN) -> str:
    """The variable and its preferred labels.

    Examples
    --------
    >>> labelled(Claim("temporal_frequency", "drifting_gratings", (2.0, 4.0)))
    'temporal frequency 2 or 4 Hz'
    """
    variable = definitions.variables[claim.variable]
    unit = variable.unit
    if claim.variable == "movie_frame":
        unit = ""
    own = unit if unit == "°" else ""
    *others, last = (f"{variable.written(label)}{own}" for label in claim.labels)
    labels = f"{', '.join(others)} or {last}" if others else last
    return f"{claim.variable.replace('_', ' ')} {labels} {unit.removeprefix('°')}".rstrip()


def _design(
    fitted: pd.DataFrame, trials: pd.DataFrame, claims: list[Claim], thresholds: dict[str, float]
) -> tuple[Float[np.ndarray, "presentations steps"], Float[np.ndarray, "presentations stimuli"]]:
    """A mean a stimulus and the steps of claims, and the means alone."""
    stimuli = fitted["stimulus"].unique()
    base = np.column_stack([trials["stimulus"] == stimulus for stimulus in stimuli])
    columns = [claim.holds(trials, thresholds) for claim in claims]
    for stimulus in {claim.stimulus for claim in claims}:
        of_stimulus = [c for c, claim in zip(columns, claims) if claim.stimulus == stimulus]
        if len(of_stimulus) > 1:
            columns = [*columns, np.logical_and.reduce(of_stimulus)]
    return np.column_stack([base, *columns]).astype(np.float64), base.astype(np.float64)
