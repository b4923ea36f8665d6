"""Recovery of planted factors, and none of noise."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from glasscortex.analysis.factors import Truth, distance, factors_of
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.recovery import COLUMNS, followed, recovery
from glasscortex.analysis.ridge import PENALTIES
from tests.analysis.worlds import presentations


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_distances():
    angles = np.array([350.0, 10, 180])
    np.testing.assert_allclose(distance("direction", angles, 0.0), [10, 10, 180])
    np.testing.assert_allclose(distance("orientation", np.array([350.0, 185]), 0.0), [10, 5])
    np.testing.assert_allclose(distance("spatial_frequency", np.array([2.0, 16.0]), 4.0), [1, 2])


def follow(shown: list[Presentations], rng, **factors) -> pd.DataFrame:
    """Factors have a list of values: on train, validation and test."""
    of_splits = [dict(zip(factors, values, strict=True)) for values in zip(*factors.values())]
    return followed(shown, of_splits, lambda factor: rng)


def noises(rng, sizes, units=None) -> list[np.ndarray]:
    """Noise on train, validation and test."""
    return [rng.normal(size=n if units is None else (n, units)) for n in sizes]


def of_sessions(responses: list[np.ndarray], sessions=4) -> list[Presentations]:
    return [presentations(sessions, len(values) // sessions, values) for values in responses]


def test_the_unit_that_follows_a_factor_is_found(rng):
    sizes = (160, 120, 200)
    factor, shown = noises(rng, sizes), of_sessions(noises(rng, sizes, 50))
    for p, f in zip(shown, factor, strict=True):
        p.responses[:, 7] -= f
    row = follow(shown, rng, f=factor).iloc[0]
    assert row["unit"] == 7
    assert row["score"] > 0.5 > row["null"]
    assert row["score_selection"] < 0
    assert row["p"] == pytest.approx(1 / 201)
    assert (row["n"], row["n_sessions"]) == (200, 4)
    assert (row["matched_unit"], row["matched_score"]) == (7, row["score"])


def test_the_best_of_many_noise_units_is_not_inflated(rng):
    rows = []
    for _ in range(40):
        shown = of_sessions(noises(rng, (80, 80, 120), 100))
        rows.append(follow(shown, rng, f=noises(rng, (80, 80, 120))).iloc[0])
    scores = np.array([row["score"] for row in rows])
    assert abs(scores.mean()) < 3 / np.sqrt(40 * 120)
    most = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40)
    assert np.mean([row["p"] <= 0.05 for row in rows]) <= most
    assert np.mean([row["recovered"] for row in rows]) <= most
    ceilings = np.array([row["ceiling"] for row in rows])
    assert abs(ceilings.mean()) < 3 / np.sqrt(40 * 120)


def test_sessions_that_differ_are_no_recovery(rng):
    offset = np.repeat(10 * rng.normal(size=4), 30)
    shown = of_sessions([units + offset[:, None] for units in noises(rng, [120] * 3, 20)])
    row = follow(shown, rng, f=[offset + noise for noise in noises(rng, [120] * 3)]).iloc[0]
    assert abs(row["score"]) < 0.4
    assert abs(row["ceiling"]) < 0.4


def test_a_factor_that_no_session_has_gives_no_row(rng):
    shown = of_sessions(noises(rng, [20] * 3, 3), sessions=2)
    table = follow(shown, rng, unknown=[np.full(20, np.nan)] * 3, constant=[np.ones(20)] * 3)
    assert table.empty
    assert list(table.columns) == COLUMNS


SIZES = (400, 240, 320)


def test_factors_with_a_unit_each_are_recovered(rng):
    factors = {name: noises(rng, SIZES) for name in "abc"}
    responses = noises(rng, SIZES, 20)
    for unit, of_splits in zip((11, 3, 8), factors.values(), strict=True):
        for values, factor in zip(responses, of_splits, strict=True):
            values[:, unit] = 0.5 * values[:, unit] - factor
    table = follow(of_sessions(responses), rng, **factors)
    assert table["matched_unit"].tolist() == table["unit"].tolist() == [11, 3, 8]
    assert table["recovered"].all()
    np.testing.assert_allclose(table["ceiling"], np.sqrt(0.8), atol=0.05)


def test_of_factors_that_share_a_unit_one_is_recovered(rng):
    factors = {name: noises(rng, SIZES) for name in "ab"}
    responses = noises(rng, SIZES, 20)
    for values, a, b in zip(responses, *factors.values(), strict=True):
        values[:, 5] = a + b
    table = follow(of_sessions(responses), rng, **factors)
    assert table["unit"].tolist() == [5, 5]
    assert table["recovered"].sum() == 1
    assert table["matched_unit"].nunique() == 2
    np.testing.assert_allclose(table["ceiling"], np.sqrt(0.5), atol=0.1)


def test_units_go_where_they_say_most_together(rng):
    """Unit 0 follows `a` better than unit 1 does, which is all that `b` leaves to it."""
    factors = {name: noises(rng, SIZES) for name in "ab"}
    responses = noises(rng, SIZES, 2)
    for values, a, b in zip(responses, *factors.values(), strict=True):
        values[:, 0] = a + 0.8 * b
        values[:, 1] = a + values[:, 1]
    table = follow(of_sessions(responses), rng, **factors)
    assert table["unit"].tolist() == [0, 0]
    assert table["matched_unit"].tolist() == [1, 0]


def test_without_units_enough_some_factors_have_none(rng):
    factors = {name: noises(rng, SIZES) for name in "abc"}
    responses = [np.stack(values, axis=1) for values in zip(factors["c"], factors["a"])]
    table = follow(of_sessions(responses), rng, **factors)
    assert table["matched_unit"].tolist() == [1, pd.NA, 0]
    assert table["matched_score"].isna().tolist() == [False, True, False]
    assert table["recovered"].tolist() == [True, False, True]


@pytest.fixture
def mixed(rng):
    """Factors of which every unit has a share, and one that two of four sessions know."""
    factors = {name: noises(rng, SIZES) for name in "ab"}
    factors["rare"] = [values.copy() for values in noises(rng, SIZES)]
    mixing = rng.normal(size=(3, 12))
    responses = [
        np.stack(values, axis=1) @ mixing + 2 * noise
        for *values, noise in zip(*factors.values(), noises(rng, SIZES, 12), strict=True)
    ]
    for values in factors["rare"]:
        values[: len(values) // 2] = np.nan
    return of_sessions(responses), factors


@pytest.mark.parametrize("factor", ["a", "rare"])
def test_the_ceiling_is_that_of_ridge_regression(mixed, rng, factor):
    shown, factors = mixed
    for part in shown:
        part.responses[:, 4] = 0.1
    ceiling = follow(shown, rng, **factors).set_index("factor").loc[factor, "ceiling"]
    x, y = [], []
    for part, values in zip(shown, factors[factor], strict=True):
        own = values.reshape(4, -1)
        own = own[np.isfinite(own).all(axis=1)]
        units = part.responses.reshape(4, -1, 12)[-len(own) :].astype(float)
        x.append((units - units.mean(axis=1, keepdims=True)).reshape(-1, 12))
        y.append(((own.T - own.mean(axis=1)) / own.std(axis=1)).T.flatten())
    live = np.arange(12) != 4
    x = [values[:, live] / x[0][:, live].std(axis=0) for values in x]
    fits = [Ridge(alpha=len(x[0]) * p, fit_intercept=False).fit(x[0], y[0]) for p in PENALTIES]
    _, validation, test = (
        [np.corrcoef(fit.predict(units), own)[0, 1] for fit in fits]
        for units, own in zip(x, y, strict=True)
    )
    assert ceiling == pytest.approx(test[np.argmax(validation)])
    assert ceiling > 0.5


def test_the_order_of_units_changes_nothing(mixed):
    shown, factors = mixed
    order = np.random.default_rng(1).permutation(12)
    one, other = (
        follow(parts, np.random.default_rng(2), **factors)
        for parts in (shown, [part.of_units(order) for part in shown])
    )
    for column in ("unit", "matched_unit"):
        other[column] = order[other[column].astype(int)]
        one[column] = one[column].astype(int)
    pd.testing.assert_frame_equal(one, other)


@pytest.fixture
def truth(world):
    """Cells prefer directions 0, 45 … or a TF; rates rise at the preferred direction."""
    trials = world[0]

    def read(session_id, stimulus):
        assert stimulus == "drifting_gratings"
        rows = trials[(trials["session_id"] == session_id) & (trials["stimulus"] == stimulus)]
        preferred = np.arange(12) % 8 * 45.0 + 10
        direction = rows["direction"].to_numpy()[:, None]
        return Truth(
            cells={
                "preferred_direction_deg": preferred,
                "temporal_frequency_hz": np.full(12, 2.0),
            },
            rates=1.0 + (np.abs(direction - preferred + 10) < 1),
            gain=np.linspace(0, 1, len(rows)),
        )

    return read


def test_factors_are_mean_rates_of_cells_by_preference(truth, world):
    trials = world[0]
    gratings = trials[trials["stimulus"] == "drifting_gratings"].reset_index(drop=True)
    labels = {"direction": np.arange(8) * 45.0, "orientation": np.arange(4) * 45.0}
    factors = factors_of(gratings, "drifting_gratings", labels, truth)
    np.testing.assert_allclose(factors["direction=45"], 1.0 + (gratings["direction"] == 45))
    assert set(factors) == {
        *(f"direction={d}" for d in range(0, 360, 45)),
        *(f"orientation={d}" for d in range(0, 180, 45)),
        "gain",
    }


def test_the_table_has_a_row_a_factor(noise, splits, world, truth):
    table = recovery(noise("train"), *splits, world[0], truth)
    assert list(table.columns) == COLUMNS
    assert len(table) == 13
    assert table["score"].between(-1, 1).all()
    assert table["null"].between(-1, 1).all()
