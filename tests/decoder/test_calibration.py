import numpy as np
import pytest
import torch

from glasscortex.decoder.calibration import GAINS, calibrate, sessions_agree
from glasscortex.decoder.start import start


def gains(decoder, task):
    return decoder.own.gain[:, decoder.own.tasks[task]].tolist()


def test_what_says_nothing_on_validation_falls_back_on_the_mean(decoder, batches, world):
    start(decoder, batches, seed=0)
    held_out = (world[0]["split"] == "validation").to_numpy()
    target = batches.targets["running_speed"]
    rows = np.flatnonzero(held_out & np.isfinite(target))
    target[rows] = -target[rows]  # against what training shows
    calibrate(decoder, batches)
    assert gains(decoder, "running_speed") == [0.0, 0.0]
    batch = next(batches.ordered(held_out))
    assert not decoder(batch)["running_speed"].any()


def test_outputs_that_are_too_sure_are_tempered_and_name_the_same_class(decoder, batches, world):
    target = batches.targets["direction"]
    shown = (world[0]["split"] == "validation").to_numpy() & (target >= 0)
    some = np.flatnonzero(shown)[::3]
    target[some] = (target[some] + 1) % 8  # so that certainty does not pay
    start(decoder, batches, seed=0)
    calibrate(decoder, batches)
    batch = next(batches.ordered((world[0]["split"] == "test").to_numpy()))
    before, usual = decoder(batch)["direction"], gains(decoder, "direction")
    with torch.no_grad():
        decoder.heads["direction"].weight *= 4
        decoder.own.bias[:, decoder.own.columns["direction"]] *= 4
    calibrate(decoder, batches)
    np.testing.assert_allclose(np.divide(usual, gains(decoder, "direction")), 4, rtol=1e-5)
    assert torch.equal(decoder(batch)["direction"].argmax(1), before.argmax(1))
    assert set(gains(decoder, "direction")) <= {float(np.float32(gain)) for gain in GAINS}


def test_gains_of_regressions_may_be_left(decoder, batches):
    start(decoder, batches, seed=0)
    calibrate(decoder, batches, regressions=False)
    assert gains(decoder, "running_speed") == [1.0, 1.0]


@pytest.mark.parametrize("gained, keeps", [([3, 2, 4, 3, 3], True), ([9, 0, 0, 0, 0], False)])
def test_sessions_have_to_agree_that_a_regression_beats_the_mean(gained, keeps):
    assert sessions_agree(np.array(gained)) == keeps
