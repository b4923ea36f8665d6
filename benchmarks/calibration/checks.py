"""Which tests are calibrated, in which worlds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.calibration import worlds

Decide = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Check:
    """A test in one kind of world.

    Attributes
    ----------
    test, world : str
        In words.
    decide : callable
        What it decides in one world.
    nominal : float, optional
        Rate of positive decisions that it promises; None where an effect is planted.
    number : int
        Of worlds.
    """

    test: str
    world: str
    decide: Decide
    nominal: float | None = worlds.LEVEL
    number: int = 200

    def __str__(self) -> str:
        return f"{self.test}: {self.world}"


CATALOGUE = (44, 40, 36, 24, 20, 18, 14, 12, 10, 8, 7, 6, 4)
"""Mice a line: 13 lines and 243 mice, as de Vries et al. 2020 count them; how they are spread over
lines was not at hand and is assumed, from many to few."""

VARYING = tuple(np.linspace(1, 1.5, len(CATALOGUE)))

BOTH = {"trend": 1.0, "of_mouse": 1.0}
UNEQUAL = ((20, 12, 6, 4), (3, 3, 1, 1))
"""Mice of four lines, and sessions of each of their mice."""


RUNS = {"running": 2.0, "adjusted": "running"}
"""One line runs two deviations of its mice more, and all units follow running; by the test that
makes mice equal in running."""
TUNED = {"adjusted": "running and tuning"}


def _nulls() -> list[Check]:
    mean, splice = "a mean lies above 0", "unchanged when spliced, at the margin"
    running, movie, line = "running, pupil", "movie frame", "Cre line"
    stimulus, ablation = "stimulus", "ablation of random units"
    w = worlds
    told = "mice are recognised"
    return [
        *(
            Check(mean, f"{mice} mice", partial(w.mean_above_zero, sessions=(1,) * mice), 0.025, 1)
            for mice in (3, 4, 6, 8, 12, 40)
        ),
        *(
            Check(
                mean,
                f"{mice} mice, skewed by 1",
                partial(w.mean_above_zero, sessions=(1,) * mice, skewed=True),
                0.025,
                1,
            )
            for mice in (4, 8, 40)
        ),
        *(
            Check(
                mean,
                f"mice of {', '.join(map(str, sessions))} sessions that correlate by .3",
                partial(w.mean_above_zero, sessions=sessions, within=0.3),
                0.025,
                1,
            )
            for sessions in ((3, 3, 1, 1), (4, 4, 4, 1, 1, 1, 1, 1), (8, 1, 1, 1, 1, 1, 1, 1))
        ),
        Check(
            "a decoder is better",
            "22 mice of 2 sessions that correlate by .5",
            partial(w.better_decoder, mice=22, sessions=2),
            0.025,
            500,
        ),
        *(
            Check(splice, f"{mice} mice", partial(w.called_unchanged, mice=mice), number=1000)
            for mice in (4, 8, 12, 40)
        ),
        Check(stimulus, "independent", partial(w.stimulus_units, tau=w.INDEPENDENT)),
        Check(stimulus, "autocorrelated, drifting", partial(w.stimulus_units, tau=200, drift=3)),
        Check("values of a stimulus", "independent", partial(w.value_units, tau=w.INDEPENDENT)),
        Check(
            "values of a stimulus",
            "autocorrelated, drifting",
            partial(w.value_units, tau=200, drift=3),
        ),
        *(
            Check("choices", name, partial(w.choice_units, **how))
            for name, how in (
                ("6 mice, at random", {"mice": 6}),
                ("6 mice, in runs of 20", {"mice": 6, "stay": 0.95}),
                (
                    "12 mice, in runs of 20, a bias that moves",
                    {"mice": 12, "stay": 0.95, "trend": 2},
                ),
                ("12 mice of 3 sessions, in runs of 20", {"mice": 12, "sessions": 3, "stay": 0.95}),
            )
        ),
        *(
            Check(running, name, partial(w.behaviour_units, kinds=kinds, **trends))
            for name, kinds, trends in (
                ("6 mice, no trend", ["A"] * 6, {}),
                ("6 mice, a trend of all", ["A"] * 6, {"trend": 1.5}),
                ("12 mice of 3 sessions, a trend of the mouse", ["ABC"] * 12, {"of_mouse": 1.5}),
                ("8 mice of 3 alike, a trend of the mouse", ["AAA"] * 8, {"of_mouse": 1.5}),
                ("12 mice of 1 to 3 sessions, both", ["A", "AB", "ABC"] * 4, BOTH),
                ("40 mice, both", ["A"] * 40, BOTH),
            )
        ),
        *(
            Check(
                movie,
                f"{name}, {s} session{'s' * (s > 1)} of {b} bins",
                partial(w.movie_units, sessions=s, bins=b, **how),
            )
            for name, how in (
                ("independent", {"tau": w.INDEPENDENT}),
                ("autocorrelated (20 bins)", {"tau": 20}),
                ("autocorrelated (200 bins), a trend of all", {"tau": 200, "trend": 1.0}),
            )
            for s, b in ((1, 120), (4, 32), (17, 32))
        ),
        *(
            Check(line, name, partial(w.background_units, sizes=z, sessions=s, spread=d), number=n)
            for name, z, s, d, n in (
                ("4 lines of 3 mice", (3,) * 4, (1,) * 4, (1,) * 4, 200),
                ("4 lines of 10 mice", (10,) * 4, (1,) * 4, (1,) * 4, 200),
                ("20, 12, 6, 4 mice of 3, 3, 1, 1 sessions", *UNEQUAL, (1,) * 4, 200),
                ("4 mice that vary twice as much as 16", (4, 16), (1, 1), (2, 1), 200),
                ("13 lines, 4 to 44 mice", CATALOGUE, (1,) * 13, (1,) * 13, 200),
                ("13 lines, small ones vary by half more", CATALOGUE, (1,) * 13, VARYING, 200),
            )
        ),
        Check("area", "12 mice of 2", partial(w.nested_units, ordered=False)),
        Check("depth", "12 mice of 2", partial(w.nested_units, ordered=True)),
        Check("all units together", "24 mice, units alike", w.together),
        Check(told, "4 lines of 3 mice", partial(w.recognised, sizes=(3,) * 4), number=1000),
        *(
            Check(told, name, partial(w.recognised, sizes=sizes, **how))
            for name, sizes, how in (
                ("4 lines of 6 mice", (6,) * 4, {}),
                ("4 lines of 10 mice", (10,) * 4, {}),
                ("lines of 20, 12, 6 and 4 mice", (20, 12, 6, 4), {}),
                ("13 lines, 4 to 44 mice", CATALOGUE, {}),
                ("4 lines of 10 mice, by any one kind", (10,) * 4, {"single": True}),
                ("12 mice of 2 areas", (12, 12), {"variable": "area"}),
                ("24 mice of 3 depths", (8,) * 3, {"variable": "depth_um"}),
                ("2 lines of 12, one runs more, made equal", (12, 12), RUNS),
                ("4 lines of 10, one runs more, made equal", (10,) * 4, RUNS | TUNED),
            )
        ),
        *(
            Check(
                "units tell more than others",
                f"{mice} mice that differ",
                partial(w.tells_more, mice=mice),
                0.025,
                300,
            )
            for mice in (4, 8, 24)
        ),
        *(
            Check(
                ablation,
                f"{mice} mice, 20 matched sets that differ",
                partial(w.costly_units, mice=mice, draws=20),
                number=300,
            )
            for mice in (8, 40)
        ),
    ]


def _planted() -> list[Check]:
    w, none = worlds, None
    equal = {"sessions": (1,) * 4, "spread": (1,) * 4}
    return [
        *(
            Check(
                "a mean lies above 0",
                f"{effect:g} deviations, {mice} mice",
                partial(w.mean_above_zero, sessions=(1,) * mice, effect=effect),
                none,
                1,
            )
            for mice in (3, 4, 8, 12, 40)
            for effect in (0.5, 1.0, 2.0)
        ),
        *(
            Check(
                "unchanged when spliced",
                f"{drop:g} of the margin, {mice} mice",
                partial(w.called_unchanged, mice=mice, drop=drop),
                none,
            )
            for mice in (4, 8, 12, 40)
            for drop in (0.0, 0.5)
        ),
        *(
            Check(
                "running, pupil",
                f"{effect:g} of running, {mice} mice",
                partial(w.behaviour_units, kinds=["A"] * mice, effect=effect),
                none,
                100,
            )
            for mice in (6, 12, 40)
            for effect in (0.1, 0.2, 0.4)
        ),
        *(
            Check(
                "choices",
                f"{effect:g} deviations, {mice} mice, in runs of 5",
                partial(w.choice_units, mice=mice, stay=0.8, effect=effect),
                none,
                100,
            )
            for mice in (6, 12, 40)
            for effect in (0.2, 0.5)
        ),
        *(
            Check(
                "movie frame",
                f"{effect:g} of the response, {s} session{'s' * (s > 1)} of {b} bins",
                partial(w.movie_units, sessions=s, bins=b, tau=20, effect=effect),
                none,
                100,
            )
            for s, b in ((1, 120), (4, 32), (17, 32))
            for effect in (0.1, 0.2, 0.4)
        ),
        *(
            Check(
                "Cre line",
                f"{effect:g} deviations, 4 lines of {mice // 4}, {mice} mice",
                partial(w.background_units, sizes=(mice // 4,) * 4, effect=effect, **equal),
                none,
                50,
            )
            for mice in (12, 24, 40, 240)
            for effect in (0.5, 1.0, 2.0)
        ),
        *(
            Check(
                f"mice are recognised, lines differ in {kind}",
                f"{effect:g} deviations, {name}",
                partial(w.recognised, sizes=sizes, kind=kind, effect=effect),
                none,
                number,
            )
            for kind in ("rate", "tuning", "kinetics")
            for name, sizes, number in (
                ("12 mice", (3,) * 4, 60),
                ("24 mice", (6,) * 4, 60),
                ("40 mice", (10,) * 4, 60),
                ("243 mice of 13 lines", CATALOGUE, 20),
            )
            for effect in (0.5, 1.0)
        ),
        Check(
            "mice are recognised, one line runs more",
            "24 mice of 2 lines, made equal in nothing",
            partial(w.recognised, sizes=(12, 12), running=RUNS["running"]),
            none,
            60,
        ),
        Check(
            "mice are recognised, lines differ in kinetics",
            "1 deviation, 24 mice of 2 lines, one runs 1 more, made equal in running",
            partial(w.recognised, sizes=(12, 12), kind="kinetics", running=1.0, adjusted="running"),
            none,
            60,
        ),
        *(
            Check(
                "ablation of random units",
                f"{excess:g} more, {mice} mice, 20 matched sets",
                partial(w.costly_units, mice=mice, draws=20, excess=excess),
                none,
                100,
            )
            for mice in (8, 40)
            for excess in (0.05, 0.1)
        ),
    ]


NULLS = _nulls()
PLANTED = _planted()
