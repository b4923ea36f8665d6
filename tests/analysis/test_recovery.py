"""Recovery of planted factors, and none of noise."""

import numpy as np
import pytest

from glasscortex.analysis.recovery import (
    COLUMNS,
    Truth,
    distance,
    factors_of,
    recovered,
    recovery,
)
from tests.analysis.worlds import presentations


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_distances():
    angles = np.array([350.0, 10, 180])
    np.testing.assert_allclose(distance("direction", angles, 0.0), [10, 10, 180])
    np.testing.assert_allclose(distance("orientation", np.array([350.0, 185]), 0.0), [10, 5])
    np.testing.assert_allclose(distance("spatial_frequency", np.array([2.0, 16.0]), 4.0), [1, 2])


def test_the_unit_that_follows_a_factor_is_found(rng):
    factor = [rng.normal(size=120), rng.normal(size=200)]
    shown = [presentations(4, len(f) // 4, rng.normal(size=(len(f), 50))) for f in factor]
    for p, f in zip(shown, factor, strict=True):
        p.responses[:, 7] -= f
    row = recovered(shown, factor, rng)
    assert row["unit"] == 7
    assert row["score"] > 0.5 > row["null"]
    assert row["score_selection"] < 0
    assert row["p"] == pytest.approx(1 / 201)
    assert (row["n"], row["n_sessions"]) == (200, 4)


def test_the_best_of_many_noise_units_is_not_inflated(rng):
    rows = []
    for _ in range(40):
        shown = [presentations(4, n // 4, rng.normal(size=(n, 100))) for n in (80, 120)]
        rows.append(recovered(shown, [rng.normal(size=80), rng.normal(size=120)], rng))
    scores = np.array([row["score"] for row in rows])
    assert abs(scores.mean()) < 3 / np.sqrt(40 * 120)
    assert np.mean([row["p"] <= 0.05 for row in rows]) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40)


def test_sessions_that_differ_are_no_recovery(rng):
    offset = np.repeat(10 * rng.normal(size=4), 30)
    shown = [presentations(4, 30, rng.normal(size=(120, 20)) + offset[:, None]) for _ in range(2)]
    row = recovered(shown, [offset + rng.normal(size=120) for _ in range(2)], rng)
    assert abs(row["score"]) < 0.4


def test_a_factor_that_no_session_has_gives_no_row(rng):
    shown = [presentations(2, 10, rng.normal(size=(20, 3)))] * 2
    assert recovered(shown, [np.full(20, np.nan)] * 2, rng) is None
    assert recovered(shown, [np.ones(20)] * 2, rng) is None


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


def test_the_table_has_a_row_a_factor(splits, world, truth):
    table = recovery(*splits, world[0], truth)
    assert list(table.columns) == COLUMNS
    assert len(table) == 13
    assert table["score"].between(-1, 1).all()
    assert table["null"].between(-1, 1).all()
