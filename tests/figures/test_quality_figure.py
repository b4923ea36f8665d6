import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from glasscortex.figures.quality import CELLS, USED, fence, quality_figure

COLUMNS = ["snr", "baseline_drift", "r"]


def table(sessions, cells=20):
    """Alike sessions; of each, one cell in twenty is left out."""
    rng = np.random.default_rng(0)
    n = sessions * cells
    rows = pd.DataFrame({"session_id": np.repeat([f"00{i}" for i in range(sessions)], cells)})
    rows["cell_specimen_id"] = np.arange(n)
    rows["used"] = np.arange(n) % cells > 0
    rows["reason"] = np.where(rows["used"], "", "not finite")
    rows["snr"] = np.exp(rng.normal(2, 0.3, n))
    rows["baseline_drift"] = rng.normal(-0.05, 0.02, n)
    rows["r"] = rng.uniform(0.5, 0.9, n)
    rows["r_at_bound"] = "False"
    rows.loc[~rows["used"], [*COLUMNS, "r_at_bound"]] = np.nan
    return rows


def points(axes):
    """(session, value) of every point of a panel, from the left."""
    parts = [part for part in axes.collections if isinstance(part, PathCollection)]
    drawn = np.concatenate([part.get_offsets() for part in parts])
    return drawn[np.argsort(drawn[:, 0])]


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_points_are_the_medians_of_the_used_cells():
    rows = table(12)
    left = quality_figure(quality=rows).axes[::2]
    np.testing.assert_allclose(points(left[0])[:, 1], 0.95)
    for axes, column in zip(left[1:], COLUMNS, strict=True):
        expected = rows[rows["used"]].groupby("session_id", sort=False)[column].median()
        np.testing.assert_allclose(points(axes)[:, 1], expected)


def test_left_out_cells_are_counted_by_reason():
    rows = table(3)
    rows.loc[0, "reason"] = "flat"
    assert "3 of 60 cells left out (not finite 2, flat 1)" in texts(quality_figure(quality=rows))


@pytest.mark.parametrize(("column", "factor"), [("snr", 0.2), ("baseline_drift", 20), ("r", 0.3)])
def test_an_outlying_session_is_named(column, factor):
    rows = table(30)
    assert "0017" not in texts(quality_figure(quality=rows))
    rows.loc[rows["session_id"] == "0017", column] *= factor
    written = texts(quality_figure(quality=rows))
    assert "0017" in written
    assert "1 outlying" in written


def test_the_farthest_of_many_outliers_are_named():
    rows = table(100)
    for i in range(9):
        rows.loc[rows["session_id"] == f"00{i}", "snr"] *= 10 * 2**i
    written = texts(quality_figure(quality=rows))
    assert "9 outlying" in written
    assert [name for name in written if name.startswith("00")] == [
        f"00{i}" for i in range(8, 3, -1)
    ]


def test_few_sessions_have_no_outlier():
    assert fence(np.array([1.0, 1, 1, 1, 100]), CELLS[0]) == (-np.inf, np.inf)


def test_the_fence_of_alike_sessions_has_a_width():
    low, high = fence(np.full(20, 1.0), USED)
    assert low == pytest.approx(0.94) and high == pytest.approx(1.06)


def test_the_fence_of_signal_to_noise_is_made_of_ratios():
    low, high = fence(np.geomspace(5, 20, 21), CELLS[0])
    assert low * high == pytest.approx(100)


@pytest.mark.parametrize("sessions", [1, 40, 1300])
def test_from_one_session_to_a_thousand(sessions, tmp_path):
    figure = quality_figure(quality=table(sessions, cells=4))
    assert len(points(figure.axes[0])) == sessions
    figure.savefig(tmp_path / "figure.png", dpi=30)


def test_what_is_known_of_no_cell_has_no_panel():
    rows = table(10)
    rows[["baseline_drift", "r"]] = np.nan
    assert len(quality_figure(quality=rows).axes) == 4


def test_no_used_cell_at_all():
    rows = table(3)
    rows["used"] = False
    assert points(quality_figure(quality=rows).axes[0])[:, 1].tolist() == [0, 0, 0]


def test_cells_at_a_bound_of_r_are_counted():
    rows = table(3)
    rows.loc[rows.index[5:8], "r_at_bound"] = "True"
    assert "3 of 57 cells at a bound" in texts(quality_figure(quality=rows))
