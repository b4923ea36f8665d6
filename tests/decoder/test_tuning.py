import numpy as np
import pytest
import torch

from glasscortex.decoder.tuning import responses, tuned_embeddings


def test_responses_are_class_means_in_standard_errors(batches, world, vocabulary):
    trials = world[0]
    session = vocabulary.sessions.index("a")
    rows = trials.index[(trials["session_id"] == "a") & (trials["split"] == "train")]
    x = batches._windows["a"].read("drifting_gratings", trials.loc[rows, "presentation"])
    x = x.mean(axis=2, dtype=np.float64)
    label = trials.loc[rows, "direction"].to_numpy()
    found = responses(batches)[session]
    for column, direction in enumerate(vocabulary.tasks["direction"].classes):
        shown = label == direction
        expected = (x[shown].mean(axis=0) - x.mean(axis=0)) * np.sqrt(shown.sum())
        np.testing.assert_allclose(found[:, column], expected, atol=1e-5)


def test_a_regression_gives_the_covariance_in_standard_errors(batches, world, vocabulary):
    trials = world[0]
    rows = trials.index[(trials["session_id"] == "a") & (trials["split"] == "train")]
    x = batches._windows["a"].read("drifting_gratings", trials.loc[rows, "presentation"])
    x = x.mean(axis=2, dtype=np.float64)
    head = vocabulary.tasks["running_speed"]
    y = (trials.loc[rows, "running_speed"].to_numpy(float) - head.mean) / head.sd
    column = sum(h.outputs for name, h in vocabulary.tasks.items() if name != "running_speed")
    expected = (x - x.mean(axis=0)).T @ y / np.sqrt(np.sum(y**2))
    np.testing.assert_allclose(responses(batches)[0][:, column], expected, atol=1e-4)


def test_labels_outside_the_training_split_are_not_seen(batches, world):
    before = responses(batches)
    held_out = (world[0]["split"] != "train").to_numpy()
    for target in batches.targets.values():
        target[held_out] = target[held_out][::-1]
    for old, new in zip(before, responses(batches)):
        torch.testing.assert_close(new, old, rtol=0, atol=0)


def test_cells_of_like_tuning_start_alike_whatever_their_session(batches):
    first, second = tuned_embeddings(batches, dim=16, seed=0)

    def cosine(a, b):
        return torch.nn.functional.cosine_similarity(a, b, dim=0).item()

    same = np.mean([cosine(first[i], second[i]) for i in range(8)])
    opposite = np.mean([cosine(first[i], second[(i + 4) % 8]) for i in range(8)])
    assert same > 0.5 > 0 > opposite


def test_embeddings_have_unit_variance_and_come_from_the_seed(batches):
    embeddings = torch.cat(tuned_embeddings(batches, dim=16, seed=0))
    assert embeddings.std(correction=0).item() == pytest.approx(1, rel=1e-5)
    assert torch.equal(embeddings, torch.cat(tuned_embeddings(batches, dim=16, seed=0)))
    assert not torch.equal(embeddings, torch.cat(tuned_embeddings(batches, dim=16, seed=1)))
