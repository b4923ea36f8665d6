"""Scores under many edits at once, against one edit at a time."""

import numpy as np
import pytest
import torch

from glasscortex.analysis.edits import Series, session_scores
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.evaluate import predict_under
from glasscortex.decoder.scores import metrics
from glasscortex.tasks import ALLEN, label_column

HOOKS = ("latents.0", "attention.1", "mlp.0", "latents.2", "readout")


@pytest.fixture
def session(world, decoder):
    trials = world[0][world[0]["session_id"] == "b"].reset_index(drop=True)
    return Batches(WindowsFolder(world[2]), trials, decoder.vocabulary, 32)


@pytest.mark.parametrize("hook", HOOKS)
@torch.no_grad()
def test_together_edits_score_as_each_alone(decoder, session, hook, monkeypatch):
    monkeypatch.setattr("glasscortex.analysis.edits.AT_ONCE", 64)
    edits = [lambda x, batch, by=by: x * by for by in (1.0, 0.5, -1.0, 0.0, 2.0)]
    mask = (session.trials["split"] == "test").to_numpy()
    tasks = tuple(decoder.vocabulary.tasks)
    everything, one = session_scores(
        decoder, hook, session, mask, [Series(tasks, edits), Series(("direction",), edits[1:2])]
    )
    alone = predict_under(decoder, session, mask, hook, dict(enumerate(edits)))
    assert set(everything) == set(tasks)
    for task, found in everything.items():
        labels = session.trials[label_column(task)].to_numpy()
        known = mask & np.isfinite(labels)
        metric = next(iter(metrics(ALLEN.tasks[task]).values()))
        expected = [
            metric(labels[known], alone[i][task]["value"][known]) for i in range(len(edits))
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(one["direction"], everything["direction"][1:2])


@torch.no_grad()
def test_the_loss_of_a_silent_readout_is_that_of_guessing(decoder, session):
    for head in decoder.heads.values():
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    mask = (session.trials["split"] == "test").to_numpy()
    (found,) = session_scores(
        decoder, "readout", session, mask, [Series(("direction",), [lambda x, batch: x])], "loss"
    )
    np.testing.assert_allclose(found["direction"], np.log(8), rtol=1e-5)


@torch.no_grad()
def test_a_single_edit_may_have_several_goals(decoder, session):
    mask, goals = (session.trials["split"] == "test").to_numpy(), [5, 0, 3]

    def same(x, batch):
        return x

    series = [Series(("direction",), [same] * n, goals) for n in (1, 3)]
    once, each = session_scores(decoder, "readout", session, mask, series)
    assert once["direction"].shape == (3,)
    np.testing.assert_array_equal(once["direction"], each["direction"])
    assert once["direction"].sum() > 0


@torch.no_grad()
def test_a_task_without_labels_has_no_score(decoder, session, world):
    none = np.zeros(len(session.trials), bool)
    assert session_scores(decoder, "readout", session, none, [Series(("direction",), [])]) == [{}]
