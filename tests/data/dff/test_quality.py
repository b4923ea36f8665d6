import numpy as np
import pytest

from glasscortex.data.dff.methods import Change
from glasscortex.data.dff.quality import describe, usable


def described(fluorescence, *, r=None, reason=None, is_estimate=True, noise=0.1):
    cells = len(fluorescence)
    reason = np.array([""] * cells if reason is None else reason, object)
    used = fluorescence[reason == ""]
    change = Change(used / 100 - 1, np.full(len(used), noise), np.full(len(used), 0.25))
    return describe(
        cell_specimen_id=np.arange(cells) + 500,
        reason=reason,
        nan_fraction=np.zeros(cells),
        change=change,
        fluorescence=used,
        r=r,
        is_estimate=is_estimate,
    )


def test_cells_that_cannot_be_used_have_a_reason():
    traces = np.arange(40.0).reshape(4, 10)
    traces[1, :3] = [np.nan, np.inf, np.nan]
    traces[2] = -3.5
    reason, lost = usable(traces)
    assert list(reason) == ["", "not finite", "flat", ""]
    np.testing.assert_allclose(lost, [0, 0.3, 0, 0])


@pytest.mark.parametrize("loss", [0.0, 0.2, -0.3])
def test_drift_is_the_change_from_first_to_last_tenth(loss):
    fluorescence = 100 * np.linspace(1, 1 - loss / 0.9, 1000)[None]
    middle = 1 - loss / 1.8
    drift = described(fluorescence)["baseline_drift"][0]
    assert drift == pytest.approx(-loss / middle, abs=0.003)


def test_transients_are_no_drift():
    fluorescence = np.full((1, 1000), 100.0)
    fluorescence[0, 950:990] += 400
    assert described(fluorescence)["baseline_drift"][0] == 0


def test_a_fluorescence_around_zero_has_no_drift():
    assert np.isnan(described(np.tile([-1.0, 1.0], 500)[None])["baseline_drift"][0])


def test_signal_to_noise_of_noise_alone():
    fluorescence = 100 + np.random.default_rng(0).normal(0, 10, (3, 100_000))
    np.testing.assert_allclose(described(fluorescence)["snr"], 3.09, atol=0.15)


def test_signal_to_noise_grows_with_transients():
    fluorescence = 100 + np.random.default_rng(0).normal(0, 10, (1, 10_000))
    fluorescence[0, 5000:5020] += 300
    assert described(fluorescence)["snr"][0] > 25


def test_a_cell_without_noise_has_no_signal_to_noise():
    assert np.isnan(described(np.arange(100.0)[None], noise=0.0)["snr"][0])


def test_an_estimated_r_is_held_against_its_bounds():
    r = np.array([0, 0.7, 2.0, 2.5, np.nan])
    fluorescence = np.random.default_rng(0).normal(size=(5, 50))
    flags = described(fluorescence, r=r)["r_at_bound"]
    assert list(flags) == ["True", "False", "True", "True", ""]
    chosen = described(fluorescence, r=r, is_estimate=False)["r_at_bound"]
    assert list(chosen) == ["False"] * 4 + [""]


def test_of_a_cell_that_is_left_out_only_the_reason_is_known():
    fluorescence = 100 + np.random.default_rng(0).normal(size=(3, 500))
    table = described(fluorescence, reason=["", "flat", ""], r=np.array([0.5, 0.6, 0.7]))
    assert table["cell_specimen_id"].tolist() == [500, 501, 502]
    assert table["used"].tolist() == [True, False, True]
    numbers = table.columns[table.columns.get_loc("nan_fraction") + 1 :]
    assert numbers.tolist() == [
        "noise",
        "snr",
        "baseline_drift",
        "low_baseline_fraction",
        "r",
        "r_at_bound",
    ]
    assert (table.loc[1, numbers].isna() | (table.loc[1, numbers] == "")).all()
    assert table["r"].tolist()[::2] == [0.5, 0.7]


def test_an_r_that_is_not_known_has_no_bound():
    table = described(100 + np.random.default_rng(0).normal(size=(1, 500)))
    assert table["r"].isna().all()
    assert table["r_at_bound"].tolist() == [""]
