"""Worlds in which the truth is known, and what a test of the pipeline decides in each.

Every function returns, of one world, which decisions are positive: units that pass, intervals that
lie above zero, changes that are called none.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from glasscortex.analysis.background import of_background
from glasscortex.analysis.behaviour import of_behaviour, of_choices
from glasscortex.analysis.bench import Condition
from glasscortex.analysis.claims.ablation import of_ablation
from glasscortex.analysis.costs import summarised
from glasscortex.analysis.hypotheses import Hypothesis
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.recognition import EVERY_KIND, recognition
from glasscortex.analysis.selectivity import rows_of
from glasscortex.analysis.shares import difference
from glasscortex.analysis.stimulus import of_movie, of_presentations, of_values
from glasscortex.config import SelectivityConfig
from glasscortex.decoder.compare import compare
from glasscortex.dictionaries.splice import compared
from glasscortex.intervals import mean_interval
from tests.analysis.worlds import autoregressive, mice_of_lines, presentations

DRAWS = 199
LEVEL = 0.05
PRESENTATIONS = 80
"""Of a session's test split, on which an accuracy rests."""

INDEPENDENT = 0.1
"""Time constant, in presentations, of responses that do not depend on each other."""


def mean_above_zero(
    rng: np.random.Generator,
    sessions: Sequence[int],
    within: float = 0.0,
    effect: float = 0.0,
    skewed: bool = False,
    columns: int = 2000,
) -> np.ndarray:
    """Whether the interval of a mean lies above 0; `sessions` of each mouse, correlated `within`.

    The `effect` is in standard deviations of a session; the skewed have a skewness of 1.
    """
    mice = np.repeat(np.arange(len(sessions)), sessions)

    def noise(n: int) -> np.ndarray:
        if skewed:
            return (4 - rng.gamma(4, size=(n, columns))) / 2
        return rng.normal(size=(n, columns))

    own, shared = noise(len(mice)), noise(len(sessions))[mice]
    low, _ = mean_interval(effect + np.sqrt(within) * shared + np.sqrt(1 - within) * own, mice)
    return low > 0


def better_decoder(rng: np.random.Generator, mice: int, sessions: int) -> np.ndarray:
    """Whether of two decoders alike one is better, over mice of `sessions` that correlate by .5."""
    names = [f"s{i}" for i in range(mice * sessions)]
    owners = np.arange(len(names)) // sessions
    gain = 0.05 * np.sqrt(0.5) * (rng.normal(size=mice)[owners] + rng.normal(size=len(names)))
    rows = [
        (model, 0, name, "direction", "test", "accuracy", 0.5 + gain[i] * (model == "trained"))
        for model in ("trained", "linear")
        for i, name in enumerate(names)
    ]
    columns = ["model", "seed", "session_id", "task", "split", "metric", "value"]
    table = compare(pd.DataFrame(rows, columns=columns), pd.Series(owners.astype(str), index=names))
    return (table.loc[table["task"] == "direction", "ci_low"] > 0).to_numpy()


def called_unchanged(rng: np.random.Generator, mice: int, drop: float = 1.0) -> np.ndarray:
    """Whether a drop, in margins, is called none; one session a mouse, accuracies of few trials."""
    chance, above = 0.125, 0.4
    names = [f"s{i}" for i in range(mice)]
    accuracy = np.clip(chance + above + 0.05 * rng.normal(size=mice), 0, 1)
    intact = rng.binomial(PRESENTATIONS, accuracy) / PRESENTATIONS
    change = -drop * 0.1 * above + 0.04 * rng.normal(size=mice)
    table = {"session_id": names, "metric": "accuracy", "chance": chance}
    scores = {
        "intact": pd.DataFrame(table | {"value": intact}),
        "spliced": pd.DataFrame(table | {"value": intact + change}),
    }
    return compared(scores, pd.Series(names, index=names), 0.1)["equivalent"].to_numpy(bool)[1:]


def stimulus_units(
    rng: np.random.Generator, tau: float, drift: float = 0.0, effect: float = 0.0, units: int = 10
) -> np.ndarray:
    """Which units pass for a direction shown in random order to six mice."""
    direction = rng.integers(8, size=(6, 40))
    responses = autoregressive(rng, tau, (6, 40, units), drift)
    responses += effect * rng.normal(size=(8, units))[direction]
    shown = presentations(6, 40, responses.reshape(240, units), direction=45.0 * direction.ravel())
    return _passing(of_presentations(shown, "direction", DRAWS, rng))


def behaviour_units(
    rng: np.random.Generator,
    kinds: Sequence[str],
    trend: float = 0.0,
    of_mouse: float = 0.0,
    effect: float = 0.0,
    units: int = 10,
) -> np.ndarray:
    """Which units pass for running: `kinds` of sessions by mouse, such as "ABC".

    Responses and running follow the course of the session by a `trend` that all share, and by one
    of the mouse.
    """
    course, parts, responses = np.linspace(-1, 1, 40), [], []
    for mouse, sessions in enumerate(kinds):
        slopes, slope = rng.normal(size=units), rng.normal()
        for number, kind in enumerate(sessions):
            running = autoregressive(rng, 20, (1, 40))[0] + (trend + of_mouse * slope) * course
            own = autoregressive(rng, 20, (1, 40, units))[0]
            own += course[:, None] * (trend + of_mouse * slopes)
            responses.append(own + effect * running[:, None])
            names = {"session_id": f"{mouse}-{number}", "mouse": f"m{mouse}", "stimulus": kind}
            parts.append(pd.DataFrame({"running_speed": running, "block": 0} | names))
    shown = Presentations(
        pd.concat(parts, ignore_index=True), np.concatenate(responses).astype(np.float32)
    )
    return _passing(of_behaviour(shown, "running_speed", DRAWS, rng))


def value_units(
    rng: np.random.Generator, tau: float, drift: float = 0.0, units: int = 10
) -> np.ndarray:
    """Which units pass for a continuous variable of the stimulus, drawn anew every time."""
    responses = autoregressive(rng, tau, (6, 40, units), drift)
    values = rng.normal(size=240).astype(np.float32)
    shown = presentations(6, 40, responses.reshape(240, units), loudness=values)
    return _passing(of_values(shown, "loudness", DRAWS, rng))


def choice_units(
    rng: np.random.Generator,
    mice: int,
    sessions: int = 1,
    stay: float = 0.5,
    trend: float = 0.0,
    effect: float = 0.0,
    units: int = 10,
) -> np.ndarray:
    """Which units pass for choices that `stay` as they were, with a bias that a `trend` moves.

    Responses are autocorrelated over 20 trials, and follow the trend of the session too.
    """
    shape, course = (mice * sessions, 80), np.linspace(-1, 1, 80)
    drawn = rng.random(shape) < 1 / (1 + np.exp(-trend * course))
    kept = rng.random(shape) < 2 * stay - 1
    last = np.where(kept, 0, np.arange(80))
    choices = np.take_along_axis(drawn, np.maximum.accumulate(last, axis=1), axis=1)
    responses = autoregressive(rng, 20, (*shape, units)) + trend * course[:, None]
    responses += effect * choices[:, :, None]
    flat = responses.reshape(-1, units)
    shown = presentations(*shape, flat, choice=choices.ravel().astype(np.float32))
    names = shown.trials["session_id"].str[1:].astype(int) // sessions
    trials = shown.trials.assign(mouse="m" + names.astype(str))
    return _passing(of_choices(Presentations(trials, shown.responses), "choice", DRAWS, rng))


def movie_units(
    rng: np.random.Generator,
    sessions: int,
    bins: int,
    tau: float,
    trend: float = 0.0,
    effect: float = 0.0,
    units: int = 10,
) -> np.ndarray:
    """Which units pass for the frame of a movie of two repeats; a `trend` runs in every repeat."""
    responses = autoregressive(rng, tau, (sessions, 2 * bins, units))
    responses += trend * np.tile(np.linspace(-1, 1, bins), 2)[:, None]
    responses += effect * np.tile(autoregressive(rng, 2, (1, bins, units))[0], (2, 1))
    flat = responses.reshape(-1, units)
    frames = np.tile(np.arange(float(bins)), 2 * sessions)
    shown = presentations(sessions, 2 * bins, flat, movie_frame=frames)
    return _passing(of_movie(shown, DRAWS, rng))


def background_units(
    rng: np.random.Generator,
    sizes: Sequence[int],
    sessions: Sequence[int],
    spread: Sequence[float],
    effect: float = 0.0,
    units: int = 10,
) -> np.ndarray:
    """Which units pass for the Cre line: mice a line, sessions of its mice, their deviation.

    The `effect` is on the first line, in deviations of its mice.
    """
    lines = np.repeat(np.arange(len(sizes)), sizes)
    of_line = np.array(spread)[lines][:, None]
    means = of_line * (rng.normal(size=(len(lines), units)) + effect * (lines == 0)[:, None])
    shown_to = np.repeat(np.arange(len(lines)), np.array(sessions)[lines])
    noise = np.repeat(of_line[shown_to], 10, axis=0) * rng.normal(size=(10 * len(shown_to), units))
    shown = presentations(len(shown_to), 10, np.repeat(means[shown_to], 10, axis=0) + 4 * noise)
    mouse = np.repeat(shown_to, 10).astype(str)
    labels = pd.Series({f"s{i}": f"line{lines[m]}" for i, m in enumerate(shown_to)})
    trials = shown.trials.assign(mouse=mouse)
    return _passing(of_background(Presentations(trials, shown.responses), labels, DRAWS, rng))


def nested_units(rng: np.random.Generator, ordered: bool, units: int = 10) -> np.ndarray:
    """Which units pass for the area (the depth) of sessions of mice that have two."""
    of_mouse = np.repeat(3 * rng.normal(size=(12, units)), 20, axis=0)
    shown = presentations(24, 10, of_mouse + rng.normal(size=(240, units)))
    names = [f"s{i}" for i in range(24)]
    values = [175.0 + 100 * (i % 2) for i in range(24)] if ordered else ["VISp", "VISl"] * 12
    mouse = [f"m{int(name[1:]) // 2}" for name in shown.trials["session_id"]]
    shown = Presentations(shown.trials.assign(mouse=mouse), shown.responses)
    return _passing(of_background(shown, pd.Series(values, names), DRAWS, rng, ordered))


def recognised(
    rng: np.random.Generator,
    sizes: Sequence[int],
    variable: str = "cre_line",
    adjusted: str = "nothing",
    single: bool = False,
    **planted,
) -> np.ndarray:
    """Whether mice are recognised by all kinds of statistics together, or by any `single` one.

    What is `planted` goes to `mice_of_lines`. Areas are two of every mouse, depths each a line's.
    """
    found, sessions = mice_of_lines(rng, sizes, **planted)
    line = sessions["cre_line"]
    if variable == "area":
        mouse = sessions.groupby("cre_line").cumcount().astype(str)
        sessions = sessions.drop(columns="cre_line").assign(mouse=mouse, area=line)
    elif variable == "depth_um":
        depth = 175 + 100 * line.factorize()[0]
        sessions = sessions.drop(columns="cre_line").assign(depth_um=depth)
    table = recognition(found, sessions, "drifting_gratings", DRAWS, rng)
    whole = table[(table["mouse"] == "all") & (table["adjusted"] == adjusted)]
    p = whole.loc[(whole["kind"] == EVERY_KIND) != single, "p"]
    return np.array([p.min() <= LEVEL])


def together(rng: np.random.Generator, units: int = 20) -> np.ndarray:
    """Whether units that share most of their noise pass together for the Cre line."""
    means = rng.normal(size=(24, 1)) + 0.5 * rng.normal(size=(24, units))
    shown = presentations(24, 1, means)
    labels = pd.Series({f"s{i}": f"line{i % 4}" for i in range(24)})
    result = of_background(shown, labels, DRAWS, rng)
    assert result is not None
    return np.array([result.p_together <= LEVEL])


def tells_more(rng: np.random.Generator, mice: int, more: float = 0.0) -> np.ndarray:
    """Whether of two dictionaries alike the units of one tell more of a direction."""
    config = SelectivityConfig(min_active=1)
    tested = Hypothesis(
        "direction", "drifting_gratings", lambda p, g: of_presentations(p, "direction", 49, g)
    )
    direction = rng.integers(8, size=(mice, 40))
    rows = []
    for strength in (1 + more, 1):
        # Mice differ in how strongly all units follow the stimulus.
        tuned = strength * np.exp(0.5 * rng.normal(size=(mice, 1, 1)))
        tuning = 0.3 * rng.normal(size=(8, 20))
        responses = rng.normal(size=(mice, 40, 20)) + tuned * tuning[direction]
        labels = 45.0 * direction.ravel()
        shown = presentations(mice, 40, responses.reshape(-1, 20), direction=labels)
        rows.append(rows_of(tested, shown, shown, config, rng))
    return np.array([difference(*rows)[1] > 0])


def costly_units(
    rng: np.random.Generator, mice: int, draws: int, excess: float = 0.0
) -> np.ndarray:
    """Whether a random set of units is said to cost more than matched random sets.

    Sets differ in what they cost, by .03, more than mice do in the mean.
    """
    conditions = [Condition("direction", "zero", (0, 1), draw) for draw in range(-1, draws)]
    names = [f"s{i}" for i in range(mice)]
    scores = pd.DataFrame({"session_id": names, "task": "direction", "intact": 0.5})
    costs = 0.05 + 0.03 * rng.normal(size=draws + 1) + excess * (np.arange(draws + 1) == 0)
    for number, cost in enumerate(costs):
        scores[number] = 0.5 - cost - 0.05 * rng.normal(size=mice)
    owners = pd.Series(names, index=names)
    table = summarised(conditions, ["direction"], scores, owners)
    table = table.assign(model="trained", seed=0, sae="random", overlap=0.0, chosen=True)
    return np.array([next(iter(of_ablation(table))).verdict == "holds"])


def _passing(result) -> np.ndarray:
    return np.zeros(0, bool) if result is None else result.p <= LEVEL
