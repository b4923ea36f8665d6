"""Sentences: what they claim, and what the score says of claims that hold and that do not."""

import re

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.descriptions import NOTHING, claims_of, describe, preferred_labels
from tests.analysis.worlds import presentations


def world(rng, true: float, runs: float = 0.0):
    """One unit that prefers 90°, and whose responses grow by a factor with running."""
    n = 800
    direction = rng.integers(0, 4, n) * 45.0
    speed = np.where(rng.random(n) < 0.5, 0.0, 20.0)
    response = true * (direction == 90) + 1 + runs * (speed > 1) + 0.5 * rng.normal(size=n)
    return presentations(
        4, n // 4, response[:, None], direction=direction, running_speed=speed, pupil=np.nan
    )


def found(**changes) -> pd.DataFrame:
    rows = [
        ("direction", "drifting_gratings", "90", True, 0.5),
        ("orientation", "drifting_gratings", "90", True, 0.4),
        ("temporal_frequency", "drifting_gratings", "2", True, 0.01),
        ("running_speed", "all", "increasing", True, 0.3),
        ("cre_line", "drifting_gratings", "x", True, 0.9),
        ("scene", "natural_scenes", "7", False, 0.8),
    ]
    columns = ["variable", "stimulus", "preferred", "selected", "explained_selection"]
    return pd.DataFrame(rows, columns=columns).assign(unit=0, **changes)


def test_claims_are_selected_strong_and_say_a_thing_once():
    validation = world(np.random.default_rng(0), 2)
    claims = claims_of(found(), validation.responses[:, 0], validation.trials)
    said = [(claim.variable, claim.labels) for claim in claims]
    assert said == [("direction", (90.0,)), ("running_speed", ())]


def test_of_pictures_one_is_preferred_and_of_directions_all_that_stand_out():
    rng = np.random.default_rng(0)
    response = 2.0 + 2.0 * np.isin(np.arange(800) % 8, [2, 6]) + 0.1 * rng.normal(size=800)
    labels = np.arange(800) % 8
    validation = presentations(4, 200, response[:, None], direction=45.0 * labels, scene=labels)
    given = response, validation.trials
    both = preferred_labels("direction", "drifting_gratings", *given)
    assert sorted(both) == [90.0, 270.0]
    assert len(preferred_labels("scene", "drifting_gratings", *given)) == 1


def test_a_claim_that_holds_predicts_what_it_explains():
    rng = np.random.default_rng(0)
    given = found()[:1]
    table = describe(world(rng, 2), world(rng, 2), given)
    assert table["description"].tolist() == ["Prefers direction 90° (drifting gratings)."]
    share = 4 * 3 / 16 / (4 * 3 / 16 + 0.25)  # between presentations, over all
    assert table["r2"].iloc[0] == pytest.approx(share, abs=0.03)
    assert table["n"].tolist() == [800]


def test_a_claim_that_does_not_hold_on_test_scores_nothing():
    rng = np.random.default_rng(0)
    assert describe(world(rng, 2), world(rng, 0), found()[:1])["r2"].iloc[0] < 0
    noise = describe(world(rng, 0), world(rng, 0), found()[:1])["r2"].iloc[0]
    assert noise == pytest.approx(0, abs=0.01)


def test_running_is_told_as_a_ratio_and_adds_to_the_score():
    rng = np.random.default_rng(0)
    given = found().iloc[[0, 3]]
    table = describe(world(rng, 2, runs=1.5), world(rng, 2, runs=1.5), given)
    text = table["description"].iloc[0]
    said = re.fullmatch(r"Prefers .*; ([\d.]+) times as strong while the mouse runs\.", text)
    assert said and float(said[1]) == pytest.approx(2, abs=0.2)
    alone = describe(world(rng, 2, runs=1.5), world(rng, 2, runs=1.5), given[:1])
    assert table["r2"].iloc[0] > alone["r2"].iloc[0] + 0.2


def test_nothing_is_claimed_where_nothing_was_selected():
    rng = np.random.default_rng(0)
    table = describe(world(rng, 2), world(rng, 2), found(selected=False))
    assert table["description"].tolist() == [NOTHING]
    assert table["r2"].isna().all()
