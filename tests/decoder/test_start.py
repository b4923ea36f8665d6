import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge

from glasscortex.decoder.evaluate import predict
from glasscortex.decoder.hooks import reading
from glasscortex.decoder.start import (
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
    head = vocabulary.tasks["running_speed"]
    y = (rows["running_speed"].to_numpy(float) - head.mean) / head.sd
    found = linear_weights(batches)[0][:, columns(vocabulary, "running_speed")][:, 0]
    np.testing.assert_allclose(found, expected_weights(x, y), rtol=1e-3, atol=1e-3)


def test_labels_outside_the_training_split_are_not_seen(decoder, batches, world):
    start(decoder, batches, seed=0)
    before = {name: value.clone() for name, value in decoder.state_dict().items()}
    held_out = (world[0]["split"] != "train").to_numpy()
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


def test_a_head_is_the_linear_discriminant_of_its_readout(decoder, batches, vocabulary, world):
    start_heads(decoder, batches)
    readouts, labels = [], []
    for batch in batches.ordered((world[0]["split"] == "train").to_numpy()):
        if batch.stimulus != "drifting_gratings":
            continue
        with reading(decoder, "readout") as seen:
            decoder(batch)
        task = batch.tasks.index("direction")
        readouts.append(seen.value[:, task :: len(batch.tasks)].flatten(1).detach().double())
        labels.append(batches.targets["direction"][batch.trials])
    x, y = torch.cat(readouts).numpy(), np.concatenate(labels)
    # ours shrinks the covariance itself, scikit-learn's that of standardised features
    scale = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0).fit(x, y)
    within = sum(np.cov(x[y == k].T, bias=True) * np.mean(y == k) for k in range(8))
    shrunk = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / len(within) * np.eye(
        len(within)
    )
    centres = scale.means_ - x.mean(axis=0)
    weight = np.linalg.solve(shrunk, centres.T).T
    logits = (x - x.mean(axis=0)) @ weight.T - 0.5 * np.sum(weight * centres, axis=1)
    logits += np.log([np.mean(y == k) for k in range(8)])
    steps = x.shape[1] // decoder.config.dim
    found = decoder.heads["direction"](torch.from_numpy(x).float().unflatten(1, (steps, -1)))
    np.testing.assert_allclose(found.detach(), logits, rtol=1e-3, atol=1e-2)


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
