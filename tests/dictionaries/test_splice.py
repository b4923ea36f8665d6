import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import ttest_1samp

from glasscortex.dictionaries import TopK
from glasscortex.dictionaries.splice import compared, random_dictionary, spliced_scores

MICE = pd.Series({str(i): f"m{i}" for i in range(40)})

CONDITIONS = ["intact", "spliced", "mean", "random_sae"]


def scores(values, metric="accuracy"):
    sessions = [str(i) for i in range(len(values))]
    return pd.DataFrame({"session_id": sessions, "metric": metric, "value": values, "chance": 0.1})


def test_a_small_shift_in_every_session_is_equivalent_and_a_large_one_is_not():
    rng = np.random.default_rng(0)
    intact = rng.uniform(0.3, 0.9, size=40)
    table = compared(
        {
            "intact": scores(intact),
            "spliced": scores(intact - 0.01 + rng.normal(scale=0.01, size=40)),
            "mean": scores(intact - 0.2),
        },
        MICE,
        margin=0.06,
    ).set_index("condition")
    assert table["equivalent"].to_dict() == {"intact": True, "spliced": True, "mean": False}
    assert table.loc["spliced", "delta"] == pytest.approx(-0.01, abs=0.005)
    assert table.loc["mean", "delta_low"] == pytest.approx(-0.2)
    assert table.loc["intact", "value"] == pytest.approx(intact.mean())
    assert (table["ci_high"] - table["ci_low"] > 0.05).all()
    assert (table["n_sessions"] == 40).all()
    np.testing.assert_allclose(table["margin"], 0.06 * (intact.mean() - 0.1))
    width = (table["ci_high"] - table["ci_low"]).to_numpy()
    assert width[2] == pytest.approx(width[0])


def test_the_interval_of_a_change_is_students_over_mice():
    """Of two sessions each: four mice are four replicates, not eight."""
    intact, change = np.full(8, 0.5), np.repeat([0.01, 0.03, -0.02, 0.0], 2)
    mice = pd.Series({str(i): f"m{i // 2}" for i in range(8)})
    table = compared({"intact": scores(intact), "spliced": scores(intact + change)}, mice, 0.06)
    expected = ttest_1samp(change[::2], 0).confidence_interval(0.90)
    assert table.loc[1, ["delta_low", "delta_high"]].tolist() == pytest.approx(list(expected))
    assert table["n_mice"].tolist() == [4, 4]


def test_a_noisy_change_around_zero_is_not_equivalent():
    change = np.tile([0.2, -0.2], 10)
    table = compared(
        {"intact": scores(np.full(20, 0.5)), "spliced": scores(0.5 + change)},
        MICE,
        margin=0.06,
    )
    assert abs(table["delta"].iloc[1]) < 1e-12 and not table["equivalent"].iloc[1]


def test_sessions_without_a_score_in_all_conditions_are_left_out():
    table = compared(
        {"intact": scores([0.5, 0.7, 0.9]), "spliced": scores([0.5, np.nan, 0.8])},
        MICE,
        margin=0.06,
    )
    assert table["value"].tolist() == pytest.approx([0.7, 0.65])
    assert (table["n_sessions"] == 2).all()


def test_one_session_has_no_interval_and_shows_no_equivalence():
    one = compared({"intact": scores([0.5]), "spliced": scores([0.5])}, MICE, 0.03)
    assert one["delta_low"].isna().all()
    assert one["equivalent"].tolist() == [True, False]
    assert compared({"intact": scores([]), "spliced": scores([])}, MICE, 0.03).empty


def test_the_random_sae_keeps_the_shape_and_has_the_best_gain():
    sae = TopK(width=32, k=4).build(8).requires_grad_(False)
    sae.mean.fill_(2.0)
    sae.scale.fill_(3.0)
    x = 2 + 3 * torch.randn(500, 8, generator=torch.Generator().manual_seed(0))
    random = random_dictionary(sae, x, np.random.default_rng(0))
    torch.testing.assert_close(random.W_dec.norm(dim=1), torch.ones(32))
    assert ((random.encode(x) > 0).sum(1) <= 4).all()

    def error(gain):
        other = random_dictionary(sae, x, np.random.default_rng(0))
        other.W_enc.mul_(gain)
        return (x - other.splice(x)).square().sum()

    assert error(1) < error(0.98) and error(1) < error(1.02)


@pytest.fixture
def spliced(decoder, batches):
    mice = batches.trials.set_index("session_id").index.to_series().groupby(level=0).first()
    sae = TopK(width=32, k=16, hook="latents.1").build(16).requires_grad_(False)
    basis = torch.eye(16)
    sae.W_dec.copy_(torch.cat([basis, -basis]))
    sae.W_enc.copy_(sae.W_dec.T)

    def run(**changes):
        for name, value in changes.items():
            getattr(sae, name).copy_(value)
        return spliced_scores(decoder, sae, batches, mice, margin=0.1, seed=[0])

    return run


def test_a_perfect_sae_changes_nothing_and_every_task_has_its_conditions(spliced, decoder):
    table = spliced()
    assert set(table["task"]) == set(decoder.vocabulary.tasks)
    for _, rows in table.groupby("task"):
        assert rows["condition"].tolist() == CONDITIONS
    perfect = table[table["condition"] == "spliced"]
    assert perfect["delta"].abs().max() < 1e-6
    assert perfect.loc[perfect["n_sessions"] > 1, "equivalent"].all()
    assert table.set_index(["task", "condition"])["metric"]["running_speed", "mean"] == "r2"


def test_the_mean_leaves_one_answer_a_session(spliced, world):
    table = spliced(mean=torch.linspace(-1, 1, 16)).set_index(["task", "condition"])
    trials = world[0]
    shown = trials[(trials["split"] == "test") & (trials["stimulus"] == "natural_movie_one")]
    shares = shown["movie_frame"].value_counts(normalize=True)
    value = table.loc[("movie_one", "mean"), "value"]
    assert np.isclose(shares, value).any() or value == 0


def test_splicing_twice_gives_the_same_scores(spliced):
    pd.testing.assert_frame_equal(spliced(), spliced(), check_exact=True)
