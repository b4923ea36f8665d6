"""Second moments of activations, against the edits that they speak of."""

import numpy as np
import pytest
import torch

from glasscortex.analysis.bench import Bench, evenly
from glasscortex.analysis.moments import Moments
from glasscortex.analysis.removal import EncodedBatch, Exchange, Removal
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.hooks import activations
from glasscortex.errors import InputError


@pytest.fixture
def sessions(world, decoder):
    trials = world[0]
    batches = Batches(WindowsFolder(world[2]), trials, decoder.vocabulary, 32)
    return [(batches, evenly(trials, 20, "validation"))]


@pytest.fixture
def moments(decoder, sae, sessions):
    with torch.no_grad():
        return Moments(decoder, sae, sessions, seed=0)


@torch.no_grad()
def changed(decoder, sae, sessions, edit_of):
    """Root mean square change of a token under an edit."""
    encoded, squares = EncodedBatch(sae), []
    for batches, mask in sessions:
        for batch in batches.ordered(mask & batches.decodable):
            x = activations(decoder, sae.hook, batch)
            squares.append((edit_of(encoded)(x, batch) - x).square().sum(-1).flatten())
    return float(torch.cat(squares).mean().sqrt())


def test_change_is_that_of_resampling_the_units(decoder, sae, sessions, moments):
    units = (1, 5, 9, 20)
    found = changed(
        decoder,
        sae,
        sessions,
        lambda encoded: Removal(encoded, units, "resample", torch.zeros(48), None, 0),
    )
    assert moments.change(units) == pytest.approx(found, rel=1e-4)


@pytest.mark.parametrize("probe", [True, False])
def test_a_projection_has_its_rank_and_the_change_that_is_asked_for(
    decoder, sae, sessions, moments, probe
):
    onto = moments.projection("direction", 3, 0.7, probe)
    assert int(torch.linalg.matrix_rank(onto)) == 3
    found = changed(decoder, sae, sessions, lambda encoded: Exchange(encoded, onto, None, 0))
    assert found == pytest.approx(0.7, rel=1e-3)


def test_directions_are_those_that_the_labels_move(moments):
    """Along one axis activations follow the value; a probe discounts the noise on it."""
    moments.covariance = torch.diag(torch.arange(1.0, 17) ** 2)
    moments.tuning["running_speed"] = torch.eye(16)[:, :1] + torch.eye(16)[:, 9:10]
    moved, read = (
        torch.linalg.eigh(moments.projection("running_speed", 4, 1.0, probe)).eigenvectors[:, -1]
        for probe in (False, True)
    )
    assert abs(moved[0]) == pytest.approx(abs(moved[9]), rel=1e-4)
    assert abs(read[0]) > 10 * abs(read[9])


def test_a_dictionary_without_a_hook_is_refused(decoder, sae, world):
    sae.hook = None
    with pytest.raises(InputError, match="says no hook"):
        Bench(decoder, sae, world[0], WindowsFolder(world[2]), np.zeros(48), 20, 0)
