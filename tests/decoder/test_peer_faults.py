"""What the literature's decoders got wrong about labels and losses, and this one must not."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.config import DecoderConfig, TrialsConfig
from glasscortex.data.labels import task_labels, with_labels
from glasscortex.data.synthetic.design import timeline
from glasscortex.data.trials import tabulate
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.predictions import predictions
from glasscortex.decoder.scores import score_table
from glasscortex.decoder.train import train
from glasscortex.tasks import ALLEN
from glasscortex.words import SESSION_STIMULI

RATE = 30.0


class Session:
    """What `tabulate` reads of a stored session; stimuli as the simulator plans them."""

    session_id = "1"
    frame_rate_hz = RATE

    def __init__(self, session_type: str, length: float):
        self.plan = timeline(session_type, length, RATE, np.random.default_rng(0))
        self.time = np.arange(self.plan.frames) / RATE

    def stimuli(self):
        return {
            name: {"start": shown.start, "end": shown.stop, **shown.columns}
            for name, shown in self.plan.presentations.items()
        }

    def behaviour(self):
        return {}


@pytest.fixture(scope="module")
def gratings_and_movies() -> pd.DataFrame:
    return tabulate(Session("three_session_A", 0.4), TrialsConfig())[0]


@pytest.fixture(scope="module")
def static_and_scenes() -> pd.DataFrame:
    return tabulate(Session("three_session_B", 0.5), TrialsConfig())[0]


def scored(task, trials, prediction):
    table = score_table(task, trials, predictions(prediction), "test", seed=0)
    return table[table["session_id"] == "1"].set_index("metric")


def test_phase_has_four_classes(static_and_scenes):
    labels = task_labels(static_and_scenes, ALLEN.tasks["phase"])
    assert set(labels[np.isfinite(labels)]) == {0, 0.25, 0.5, 0.75}
    row = scored("phase", static_and_scenes, np.zeros(len(labels))).loc["accuracy"]
    assert (row["n_classes"], row["chance"]) == (4, 1 / 4)


def test_blanks_are_no_scene_and_no_grating(static_and_scenes):
    trials = static_and_scenes
    shown = trials["stimulus"] == "natural_scenes"
    labels = task_labels(trials, ALLEN.tasks["scene"])
    assert np.isnan(labels[shown]).sum() > 10, "the session shows blanks"
    assert set(labels[np.isfinite(labels)]) == set(range(118))
    row = scored("scene", trials, np.zeros(len(trials))).loc["accuracy"]
    assert (row["n_classes"], row["chance"]) == (118, 1 / 118)
    assert row["n"] == (shown & (trials["split"] == "test") & (trials["scene"] >= 0)).sum()
    for task in ("static_orientation", "spatial_frequency", "phase"):
        assert np.array_equal(
            np.isfinite(task_labels(trials, ALLEN.tasks[task])),
            (trials["stimulus"] == "static_gratings") & trials["spatial_frequency"].notna(),
        )


def test_noise_of_4_and_of_8_degrees_are_different_stimuli():
    names = [name for name in SESSION_STIMULI["three_session_C2"] if "noise" in name]
    config = TrialsConfig(window_s=dict.fromkeys(names, 0.25))
    trials = tabulate(Session("three_session_C2", 0.01), config)[0]
    assert sorted(trials["stimulus"].unique()) == [
        "locally_sparse_noise_4deg",
        "locally_sparse_noise_8deg",
    ]
    for rows in trials.groupby("stimulus").groups.values():
        assert trials.loc[rows, "presentation"].tolist() == list(range(len(rows)))
    for task in ALLEN.tasks.values():
        assert np.isnan(task_labels(trials, task)).all(), "no task takes one for the other"


def test_the_window_sees_the_whole_grating_and_no_other(gratings_and_movies, static_and_scenes):
    """A static grating takes .25 s, to which calcium answers late: its window is longer."""
    whole = {"drifting_gratings": gratings_and_movies, "static_gratings": static_and_scenes}
    for stimulus, trials in whole.items():
        rows = trials[trials["stimulus"] == stimulus]
        seconds = (rows["window_stop"] - rows["window_start"]) / RATE
        np.testing.assert_allclose(rows["window_start"] / RATE, rows["start_s"], atol=1e-6)
        assert (rows["window_start"] / RATE + seconds >= rows["end_s"] - 1e-6).all()
    rows = gratings_and_movies[gratings_and_movies["stimulus"] == "drifting_gratings"]
    following = rows["window_start"].to_numpy()[1:]
    assert (rows["window_stop"].to_numpy()[:-1] <= following).all()


def test_movies_are_scored_in_the_bin_and_within_a_second(gratings_and_movies):
    trials = gratings_and_movies
    late = trials["movie_frame"] + 1
    for task, bins in {"movie_one": 30, "movie_three": 120}.items():
        rows = scored(task, trials, late)
        assert rows.loc["accuracy", "value"] == 0
        assert rows.loc["within_1_bin", "value"] == 1
        assert rows.loc["accuracy", "chance"] == 1 / bins
        assert rows.loc["within_1_bin", "chance"] == pytest.approx((3 * bins - 2) / bins**2)
        assert (rows["n_classes"] == bins).all()


def test_a_guess_that_ignores_the_cells_is_in_the_table(gratings_and_movies):
    """Where classes are out of balance, naming the most frequent one beats chance."""
    trials = gratings_and_movies.copy()
    rare = trials["direction"].notna() & (trials["direction"] > 90)
    trials.loc[rare & (np.arange(len(trials)) % 4 > 0), "direction"] = 90.0
    trials = with_labels(trials)
    guess = np.where(trials["direction"].notna(), 90.0, np.nan)
    rows = scored("direction", trials, guess)
    assert (rows["constant"] == rows["value"]).all()
    assert rows.loc["accuracy", "constant"] > 3 * rows.loc["accuracy", "chance"]
    shown = trials.loc[trials["split"] == "test", "direction"].dropna().nunique()
    assert rows.loc["balanced_accuracy", "constant"] == pytest.approx(1 / shown)


def test_the_weight_of_a_task_multiplies_its_mean_loss(world):
    """In Σ w l / Σ w the weights of a batch with one task cancel."""
    trials, _, windows, _ = world

    def loss(direction: float, orientation: float) -> float:
        config = DecoderConfig.model_validate(
            {
                "model": {"dim": 16, "depth": 1, "heads": 2},
                "train": {
                    "epochs": 1,
                    "learning_rate": 1e-12,  # all runs stay where they start
                    "task_weights": {"direction": direction, "orientation": orientation},
                },
            }
        )
        tasks = "direction", "orientation"  # of other trials: those of this world cost nothing
        result = train(trials, WindowsFolder(windows), config, tasks, "shuffled")
        return result.history["validation_loss"].iloc[-1]

    alone, both = loss(1, 0), loss(1, 1)
    assert loss(3, 1) == pytest.approx(both + 2 * alone, rel=1e-5)
    assert loss(3, 0) == pytest.approx(3 * alone, rel=1e-5)
    assert both > 1.2 * alone
