import sys

import numpy as np
import pytest

from glasscortex.data.dff.events import infer_events
from glasscortex.errors import InputError


def test_a_missing_library_is_one_line_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "oasis.functions", None)
    with pytest.raises(InputError, match=r"pip install glasscortex\[events\]$"):
        infer_events(np.zeros((1, 500), np.float32))


def test_events_stand_where_the_transients_begin():
    pytest.importorskip("oasis")
    rng = np.random.default_rng(0)
    onsets = np.sort(rng.choice(np.arange(50, 2900, 60), 30, replace=False))
    spikes = np.zeros(3000)
    spikes[onsets] = 1
    dff = np.convolve(spikes, 0.9 ** np.arange(80))[:3000] + rng.normal(0, 0.1, 3000)
    events = infer_events(np.stack([dff, dff + 0.5]).astype(np.float32))
    assert events.shape == (2, 3000)
    assert events.dtype == np.float32
    assert (events >= 0).all()
    near = (onsets[:, None] + np.arange(-1, 3)).ravel()
    assert events[0, near].sum() > 0.8 * events[0].sum()
    assert events[0, near].sum() == pytest.approx(30, rel=0.25)
