import shutil

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.session_page import session_page
from glasscortex.data.store import StoredSession, write_session
from glasscortex.figures.session import session_figure
from glasscortex.figures.style import save_png

CELLS, FRAMES, RATE = 12, 12_000, 30.0
IDS = 500 + np.arange(CELLS)


def quality(**columns):
    rows = pd.DataFrame({"session_id": "7", "cell_specimen_id": IDS, "used": True, "reason": ""})
    rows["noise"], rows["snr"] = 0.1, 5.0 + np.arange(CELLS)
    rows["baseline_drift"], rows["low_baseline_fraction"] = -0.05, 0.0
    rows["r"], rows["r_at_bound"] = np.linspace(0, 0.8, CELLS), np.arange(CELLS) == 0
    return rows.assign(**columns)


@pytest.fixture
def draw(tmp_path):
    """Draw a session of noise, two blocks of gratings and one of a movie."""

    def drawn(rows=None, behaviour=("running_speed", "pupil"), motion=True, stimuli=True):
        rng = np.random.default_rng(0)
        dff = rng.normal(scale=0.1, size=(CELLS, FRAMES)).astype(np.float32)
        onset = np.append(300 + 90 * np.arange(20), 9000 + 90 * np.arange(20))
        movie = 4000 + np.arange(900)
        shown = {
            "drifting_gratings": {"start": onset, "end": onset + 60},
            "natural_movie_one": {"start": movie, "end": movie + 1},
        }
        who = {"session_id": "7", "container_id": "1", "mouse": "m", "cre_line": "unknown"}
        where = {"area": "VISp", "depth_um": None, "session_type": "three_session_A"}
        store = tmp_path / "7.zarr"
        write_session(
            store,
            attributes={**who, **where, "frame_rate_hz": RATE, "dff": "stored"},
            blocks=[{"cell_specimen_id": IDS, "dff": dff}],
            time=100 + np.arange(FRAMES) / RATE,
            behaviour={name: rng.normal(size=FRAMES).astype(np.float32) for name in behaviour},
            stimuli=shown if stimuli else {},
        )
        shift = np.tile([3.0, -4.0], (FRAMES, 1))
        shift[100] = [6.0, 0.0]
        page = session_page(
            StoredSession(store), quality() if rows is None else rows, shift if motion else None
        )
        return session_figure(page)

    return drawn


def texts(figure):
    return " | ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def lane(figure, label):
    return next(axes for axes in figure.axes if axes.get_ylabel().startswith(label))


def test_the_best_the_median_and_the_worst_cells_are_shown(draw):
    written = texts(draw())
    for cell in (511, 510, 506, 505, 501, 500):
        assert f"{cell}, SNR" in written
    assert "508, SNR" not in written


def test_cells_of_unknown_signal_to_noise_are_not_ranked(draw, tmp_path):
    figure = draw(quality(snr=np.nan, noise=0.0))
    assert "SNR unknown" in texts(figure)
    assert not any(axes.get_ylabel() == "cell, by SNR" for axes in figure.axes)
    figure.savefig(tmp_path / "figure.png", dpi=30)


def test_the_raster_holds_all_cells_from_the_best(draw):
    raster = lane(draw(), "cell, by SNR")
    assert raster.images[0].get_array().shape == (CELLS, 600)


def test_epochs_are_the_contiguous_runs_of_a_stimulus(draw):
    minutes = lane(draw(), "running").patches
    spans = sorted((p.get_x(), p.get_x() + p.get_width()) for p in minutes)
    frames = [(300, 300 + 19 * 90 + 60), (4000, 4900), (9000, 9000 + 19 * 90 + 60)]
    np.testing.assert_allclose(spans, np.array(frames) / RATE / 60, atol=1e-6)


def test_motion_is_the_distance_from_the_usual_place(draw):
    line = lane(draw(), "motion").get_lines()[0].get_ydata()
    assert line[5] == pytest.approx(5)  # frame 100: 3 pixels right of and 4 below the usual
    assert np.delete(line, 5).max() == 0


def test_what_was_not_measured_has_no_lane(draw):
    figure = draw(behaviour=(), motion=False)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert not any(label.startswith(("running", "pupil", "motion")) for label in labels)
    assert "mean ΔF/F" in labels


def test_a_session_without_stimuli(draw, tmp_path):
    draw(stimuli=False).savefig(tmp_path / "figure.png", dpi=30)


def test_one_cell_is_enough(draw, tmp_path):
    rows = quality()
    rows.loc[1:, "used"], rows.loc[1:, "reason"] = False, "not finite"
    figure = draw(rows)
    figure.savefig(tmp_path / "figure.png", dpi=30)
    assert "1 of 12 cells used (left out: not finite 11)" in figure.get_suptitle()


def test_who_and_how_are_told(draw):
    title = draw(quality(low_baseline_fraction=0.9)).get_suptitle()
    for words in ("session 7", "VISp", "Cre line unknown", "depth unknown", "12 of 12 cells used"):
        assert words in title
    assert "12,000 frames at 30.0 Hz, 7 min" in title
    assert "ΔF/F stored, baseline below noise in 12 cells" in title


def test_cells_at_a_bound_of_r_are_counted(draw):
    assert "1 at a bound" in texts(draw())


def test_the_same_session_gives_the_same_bytes(draw, tmp_path):
    figures = []
    for name in ("a.png", "b.png"):
        shutil.rmtree(tmp_path / "7.zarr", ignore_errors=True)
        save_png(draw(), tmp_path / name)
        figures.append((tmp_path / name).read_bytes())
    assert figures[0] == figures[1]
