import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss

from glasscortex.data.vocabulary import has_label
from glasscortex.decoder.evaluate import predict
from glasscortex.decoder.hooks import reading
from glasscortex.decoder.start import (
    HEAD_FACTORS,
    HEAD_SHRINKAGES,
    SHRINKAGE,
    Projection,
    cell_embeddings,
    linear_weights,
    start,
    start_cells,
    start_heads,
)


@pytest.fixture
def seen(world, reader):
    """Means of session a's training windows, less their mean, and its rows of the table."""
    trials = world[0]
    rows = trials.index[(trials["session_id"] == "a") & (trials["split"] == "train")]
    x = reader.read("drifting_gratings", trials.loc[rows, "presentation"])
    x = x.mean(axis=2, dtype=np.float64)
    return x - x.mean(axis=0), trials.loc[rows]


def columns(vocabulary, task):
    names = list(vocabulary.tasks)
    ends = np.cumsum([vocabulary.tasks[name].outputs for name in names])
    end = ends[names.index(task)]
    return slice(end - vocabulary.tasks[task].outputs, end)


def expected_weights(x, y):
    """scikit-learn's ridge regression with the same shrinkage, in standard errors of the label."""
    variance = np.mean(np.square(x))
    penalty = SHRINKAGE / (1 - SHRINKAGE) * variance * len(x)
    ridge = Ridge(alpha=penalty, fit_intercept=False).fit(x, y)
    return len(x) * ridge.coef_ / (1 - SHRINKAGE) / np.sqrt(np.sum(y**2))


def test_weights_are_those_of_a_ridge_regression_of_each_class(batches, vocabulary, seen):
    x, rows = seen
    found = linear_weights(batches)[vocabulary.sessions.index("a")]
    found = found[:, columns(vocabulary, "direction")]
    for column, direction in enumerate(vocabulary.tasks["direction"].classes):
        y = (rows["direction"].to_numpy() == direction).astype(float)
        np.testing.assert_allclose(found[:, column], expected_weights(x, y), rtol=1e-3, atol=1e-3)


def test_weights_are_those_of_a_ridge_regression_of_a_speed(batches, vocabulary, seen):
    x, rows = seen
    y = rows["running_speed"].to_numpy(float)
    y = y - y.mean()
    found = linear_weights(batches)[0][:, columns(vocabulary, "running_speed")][:, 0]
    np.testing.assert_allclose(found, expected_weights(x, y), rtol=1e-3, atol=1e-3)


def test_labels_of_the_test_split_are_not_seen(decoder, batches, world):
    start(decoder, batches, seed=0)
    before = {name: value.clone() for name, value in decoder.state_dict().items()}
    held_out = (world[0]["split"] == "test").to_numpy()
    for target in batches.targets.values():
        target[held_out] = target[held_out][::-1]
    start(decoder, batches, seed=0)
    for name, value in decoder.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_cells_of_like_tuning_start_alike_whatever_their_session(batches):
    (first, second), _ = cell_embeddings(batches, dim=16, seed=0)

    def cosine(a, b):
        return torch.nn.functional.cosine_similarity(a, b, dim=0).item()

    same = np.mean([cosine(first[i], second[i]) for i in range(8)])
    opposite = np.mean([cosine(first[i], second[(i + 4) % 8]) for i in range(8)])
    assert same > 0.3 > 0 > opposite


def test_embeddings_have_unit_variance_and_come_from_the_seed(batches):
    embeddings = torch.cat(cell_embeddings(batches, dim=16, seed=0)[0])
    assert embeddings.std(correction=0).item() == pytest.approx(1, rel=1e-5)
    assert torch.equal(embeddings, torch.cat(cell_embeddings(batches, dim=16, seed=0)[0]))
    assert not torch.equal(embeddings, torch.cat(cell_embeddings(batches, dim=16, seed=1)[0]))


def readouts(decoder, batches, trials, split):
    """What the head of direction reads of each window, (windows, features), and the labels."""
    read, labels = [], []
    for batch in batches.ordered((trials["split"] == split).to_numpy()):
        if batch.stimulus == "drifting_gratings":
            with reading(decoder, "readout") as seen:
                decoder(batch)
            task = batch.tasks.index("direction")
            read.append(seen.value[:, task :: len(batch.tasks)].flatten(1).detach().double())
            labels.append(batches.targets["direction"][batch.trials])
    return torch.cat(read).numpy(), np.concatenate(labels)


def discriminant(x, y, shrinkage):
    """Weights and biases of a linear discriminant; means are scikit-learn's.

    Ours shrinks the covariance itself, scikit-learn's that of standardised features.
    """
    shares = np.bincount(y) / len(y)
    within = sum(np.cov(x[y == k].T, bias=True) * share for k, share in enumerate(shares))
    sphere = np.trace(within) / len(within) * np.eye(len(within))
    means = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0).fit(x, y).means_
    centres = means - x.mean(axis=0)
    weight = np.linalg.solve((1 - shrinkage) * within + shrinkage * sphere, centres.T).T
    return weight, np.log(shares) - weight @ x.mean(axis=0) - 0.5 * np.sum(weight * centres, axis=1)


def test_a_head_is_the_linear_discriminant_that_validation_prefers(decoder, batches, world):
    target = batches.targets["direction"]
    shown = (world[0]["split"] == "validation").to_numpy() & has_label(target)
    some = np.flatnonzero(shown)[::3]
    target[some] = (target[some] + 1) % 8  # so that certainty does not pay
    start_heads(decoder, batches)
    x, y = readouts(decoder, batches, world[0], "train")
    held_out, labels = readouts(decoder, batches, world[0], "validation")
    found = {}
    for shrinkage in HEAD_SHRINKAGES:
        weight, bias = discriminant(x, y, shrinkage)
        for factor in HEAD_FACTORS:
            guess = softmax(factor * (held_out @ weight.T + bias), axis=1)
            loss = log_loss(labels, guess, labels=range(8))
            found[loss] = factor, factor * (x @ weight.T + bias)
    factor, logits = found[min(found)]
    assert HEAD_FACTORS[-1] < factor < 1
    steps = x.shape[1] // decoder.config.dim
    head = decoder.heads["direction"](torch.from_numpy(x).float().unflatten(1, (steps, -1)))
    np.testing.assert_allclose(head.detach(), logits, rtol=1e-3, atol=1e-2)


def test_the_start_decodes_before_any_training(decoder, batches, world):
    trials = world[0]
    start(decoder, batches, seed=0)
    test = (trials["split"] == "test").to_numpy()
    predicted = predict(decoder, batches, test)["direction"][test]
    label = trials["direction"].to_numpy()[test]
    shown = np.isfinite(label)
    assert np.mean(predicted[shown] == label[shown]) > 0.6


def test_the_stored_projection_gives_cells_the_start_that_they_had(decoder, batches, tmp_path):
    start(decoder, batches, seed=0).save(tmp_path)
    begun = [cells.detach().clone() for cells in decoder.cell_embeddings]
    for cells in decoder.cell_embeddings:
        torch.nn.init.zeros_(cells)
    start_cells(decoder, batches, Projection.load(tmp_path))
    for cells, before in zip(decoder.cell_embeddings, begun, strict=True):
        torch.testing.assert_close(cells.detach(), before, rtol=0, atol=1e-5)
