"""When in a window units are active, against codes of each window by hand."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.timecourses import coded_windows, timecourses
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.dictionaries.tokens import Tokens
from tests.dictionaries.recordings import random_topk, write_activations


@pytest.fixture(params=[5, 8, 1000])
def recorded(request, tmp_path, monkeypatch):
    """Twelve windows of six tokens, then three of two, however few tokens a chunk holds."""
    monkeypatch.setattr(Tokens, "chunk", request.param)
    rng = np.random.default_rng(0)
    long = rng.normal(size=(12, 6, 6)).astype(np.float32)
    path = write_activations(tmp_path, {"test": long})
    return RecordedTokens(path, "test"), long


def test_windows_come_whole_whatever_the_chunk(recorded):
    tokens, windows = recorded
    sae = random_topk()
    found = list(coded_windows(sae, tokens, 1))
    assert np.concatenate([trial for trial, _ in found]).tolist() == list(range(12))
    import torch

    expected = sae.encode(torch.from_numpy(windows)).numpy()
    np.testing.assert_allclose(np.concatenate([codes for _, codes in found]), expected, rtol=1e-6)


def test_means_are_of_the_preferred_label_and_of_the_others(recorded):
    import torch

    tokens, windows = recorded
    sae = random_topk()
    direction = np.tile([0.0, 90.0, np.nan], 4)
    trials = pd.DataFrame({"stimulus": "drifting_gratings", "direction": direction})
    found = pd.DataFrame({"unit": [2, 5], "preferred": ["0", "90"]})
    found = found.assign(variable="direction", stimulus="drifting_gratings")
    wanted = pd.DataFrame({"trial": [7, 1, 7], "unit": [5, 3, 2]})
    courses, followed = timecourses(sae, tokens, trials, found, wanted, 2)
    codes = sae.encode(torch.from_numpy(windows)).numpy().reshape(12, 3, 2, -1).mean(axis=2)
    for row, trace in zip(wanted.itertuples(), followed, strict=True):
        np.testing.assert_allclose(trace, codes[row.trial, :, row.unit], rtol=1e-6)
    for row in courses.itertuples():
        label = {2: 0.0, 5: 90.0}[row.unit]
        rows = direction == label if row.preferred else direction == 90.0 - label
        values = codes[rows, row.step, row.unit]
        assert row.n == 4
        assert row.mean == pytest.approx(values.mean(), abs=1e-6)
        assert row.error == pytest.approx(values.std(ddof=1) / 2, abs=1e-5)
    assert len(courses) == 2 * 2 * 3


def test_tokens_that_are_no_times_are_one_step(recorded):
    tokens, _ = recorded
    trials = pd.DataFrame({"stimulus": ["natural_scenes"] * 12, "scene": np.arange(12.0) % 2})
    found = pd.DataFrame({"unit": [0], "preferred": "1", "variable": "scene"})
    found["stimulus"] = "natural_scenes"
    none = pd.DataFrame({"trial": [], "unit": []}, dtype=int)
    courses, _ = timecourses(random_topk(), tokens, trials, found, none, None)
    assert courses["step"].tolist() == [0, 0]
    empty, _ = timecourses(random_topk(), tokens, trials, found[:0], none, 2)
    assert empty.empty
