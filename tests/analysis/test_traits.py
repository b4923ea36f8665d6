"""What units are like in a session, told from sums."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.traits import KINDS, Sums, labels_of, over_cells, summed

COUNT, STEPS, UNITS = 60, 3, 4
DIRECTIONS = np.arange(0.0, 360, 45)


@pytest.fixture
def shown():
    """Activity (presentations, steps, units) and its trials; some blank, some without speed."""
    rng = np.random.default_rng(0)
    direction = rng.permutation(np.arange(COUNT) % 9) * 45.0
    trials = pd.DataFrame(
        {
            "session_id": "a",
            "stimulus": "drifting_gratings",
            "direction": np.where(direction == 360, np.nan, direction).astype(np.float32),
            "orientation": np.where(direction == 360, np.nan, direction % 180).astype(np.float32),
            "temporal_frequency": np.nan,
            "running_speed": np.where(np.arange(COUNT) < 5, np.nan, rng.gamma(2, 3, COUNT)),
        }
    )
    for name in ("spatial_frequency", "phase", "scene", "movie_frame"):
        trials[name] = np.nan
    activity = rng.gamma(1, 1, (COUNT, STEPS, UNITS)) * np.linspace(0.5, 2, STEPS)[:, None]
    activity[:, :, 0] += np.cos(np.radians(direction))[:, None]
    activity[5:, :, 1] += 0.2 * trials["running_speed"].to_numpy()[5:, None]
    activity[:, :, 3] = 0
    return activity.astype(np.float32), trials


def of(activity, trials):
    sums = Sums(labels_of(trials, "drifting_gratings"))
    sums.add(activity, trials)
    return sums


def test_traits_are_the_statistics_of_the_responses(shown):
    activity, trials = shown
    traits = of(activity, trials).traits()
    response = activity.astype(float).mean(axis=1)
    assert tuple(traits) == KINDS
    np.testing.assert_allclose(traits["mean"][0], response.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(traits["gain"][0], response.std(axis=0), rtol=1e-5, atol=1e-6)
    known = trials["running_speed"].notna().to_numpy()
    speed = trials["running_speed"][known]
    expected = [np.corrcoef(response[known, u], speed)[0, 1] for u in range(3)]
    np.testing.assert_allclose(traits["running"][0, :3], expected, rtol=1e-4)
    assert np.nanargmax(traits["running"][0]) == 1
    at_90 = (trials["direction"] == 90).to_numpy()
    likes = (response[at_90].mean(axis=0) - response.mean(axis=0)) / response.std(axis=0).clip(1e-9)
    np.testing.assert_allclose(traits["preference"][2, :3], likes[:3], rtol=1e-4, atol=1e-5)
    course = activity.astype(float).mean(axis=0) - response.mean(axis=0)
    np.testing.assert_allclose(
        traits["time course"][:, :3], (course / response.std(axis=0).clip(1e-9))[:, :3], rtol=1e-4
    )


def test_tuning_has_no_bias(shown):
    """Of noise it is zero on average; of the first unit it is not."""
    _, trials = shown
    rng = np.random.default_rng(1)
    noise = of(rng.normal(size=(COUNT, 1, 2000)).astype(np.float32), trials).traits()["tuning"]
    assert noise.shape == (2, 2000)
    np.testing.assert_allclose(noise.mean(axis=1), 0, atol=4 * noise[0].std() / np.sqrt(2000))
    assert of(*shown).traits()["tuning"][0, 0] > 0.2


def test_a_unit_that_never_responds_has_no_shape(shown):
    traits = of(*shown).traits()
    assert traits["mean"][0, 3] == traits["gain"][0, 3] == 0
    for kind in ("tuning", "preference", "time course", "running"):
        assert np.isnan(traits[kind][:, 3]).all()


def test_sums_come_in_any_order_and_from_any_splits(shown):
    activity, trials = shown
    whole = of(activity, trials).traits()
    other = trials.assign(stimulus="natural_scenes")
    both = pd.concat([trials, other, trials.assign(session_id="b")], ignore_index=True)
    rng = np.random.default_rng(2)
    order = rng.permutation(3 * COUNT)
    parts = ((rows, np.tile(activity, (3, 1, 1))[rows]) for rows in np.array_split(order, 7))
    found = summed(parts, both, "drifting_gratings")
    assert set(found) == {"a", "b"}
    for sums in found.values():
        for kind, values in sums.traits().items():
            np.testing.assert_allclose(values, whole[kind], rtol=1e-6, atol=1e-9)


def test_cells_are_summarised_whichever_and_however_many(shown):
    activity, trials = shown
    some = over_cells(of(activity, trials).traits())
    twice = over_cells(of(np.tile(activity, (1, 1, 2))[:, :, ::-1], trials).traits())
    for kind, values in some.items():
        assert values.shape[1] == 1
        np.testing.assert_allclose(values, twice[kind], rtol=1e-5, atol=1e-9)
    assert some["mean"][0, 0] == pytest.approx(activity.mean(), rel=1e-5)


def test_without_running_nothing_follows_it(shown):
    activity, trials = shown
    sums = of(activity, trials.assign(running_speed=np.nan))
    assert np.isnan(sums.traits()["running"]).all()
    assert np.isnan(sums.behaviour).all()
