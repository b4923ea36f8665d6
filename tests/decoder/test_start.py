import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import cosine_similarity

from glasscortex.data.batches import Batches
from glasscortex.data.labels import with_labels
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.data.windows import ArrayWindows, SessionWindows
from glasscortex.decoder.choice import FACTORS, SHRINKAGES
from glasscortex.decoder.evaluate import predict
from glasscortex.decoder.hooks import reading
from glasscortex.decoder.labelled import parts
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.scores import r2
from glasscortex.decoder.start import Projection, start, start_cells
from glasscortex.decoder.tuning import Evidence, Tuning


@pytest.fixture
def wide(decoder, vocabulary) -> Decoder:
    """A decoder with room for all principal axes of both stimuli."""
    config = decoder.config.model_copy(update={"dim": 128})
    return Decoder(config, vocabulary, decoder.sample_rate_hz).eval()


def test_labels_of_the_test_split_are_not_seen(decoder, batches, world):
    start(decoder, batches, seed=0)
    before = {name: value.clone() for name, value in decoder.state_dict().items()}
    held_out = (world[0]["split"] == "test").to_numpy()
    for target in batches.targets.values():
        target[held_out] = target[held_out][::-1]
    start(decoder, batches, seed=0)
    for name, value in decoder.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_outputs_are_those_of_a_discriminant_of_the_session(wide, batches, world):
    """By hand: C⁻¹ m for each class, C shrunk, m likely given all sessions' cells."""
    projection = start(wide, batches, seed=0)
    shrinkage, factor, signals = projection["direction"].chosen
    assert shrinkage in SHRINKAGES and factor in FACTORS
    trials = world[0]
    tunings = []
    for session in ("a", "b"):
        shown = (trials["session_id"] == session) & (trials["stimulus"] == "drifting_gratings")
        rows = trials[shown & (trials["split"] == "train")]
        values = [b.values.numpy() for b in batches.ordered(np.isin(trials.index, rows.index))]
        activity = np.concatenate(values)
        read = [activity, np.abs(activity)][: int(signals)]
        x = np.concatenate([parts(signal, 2, 5) for signal in read], axis=1)
        label = np.eye(8)[(rows["direction"].to_numpy() / 45).astype(int)]
        tunings.append((Tuning.of(x, label), x))
    evidence = Evidence()
    for tuning, _ in tunings:
        evidence.add(tuning)
    prior, (tuning, x) = evidence.prior(), tunings[0]
    likely = prior.posterior(tuning)
    variance = np.trace(tuning.noise) / len(tuning.noise)
    noise = (1 - shrinkage) * tuning.noise + shrinkage * variance * np.eye(len(tuning.noise))
    weight = np.linalg.solve(noise, likely.reshape(len(likely), -1)).reshape(likely.shape)
    weight = weight @ prior.time_weight
    logits = np.einsum("nct,ckt->nk", x - x.mean(axis=0), weight)
    logits += np.log(tuning.weight / tuning.windows) - 0.5 * np.einsum("ckt,ckt->k", likely, weight)
    rows = (trials["session_id"] == "a") & (trials["split"] == "train")
    found = [wide(batch)["direction"].detach() for batch in batches.ordered(rows.to_numpy())]
    logits *= factor
    np.testing.assert_allclose(torch.cat(found), logits, rtol=0, atol=1e-3 * np.abs(logits).max())


def test_cells_of_like_tuning_start_alike_whatever_their_session(decoder, batches):
    start(decoder, batches, seed=0)
    first, second = (cells.chunk(2, dim=1)[0] for cells in decoder.cell_embeddings)

    same = np.mean([cosine_similarity(first[i], second[i], dim=0).item() for i in range(8)])
    opposite = np.mean(
        [cosine_similarity(first[i], second[(i + 4) % 8], dim=0).item() for i in range(8)]
    )
    assert same > 0.3 > 0 > opposite


def test_how_strongly_cells_fluctuate_is_read_where_their_level_tells_nothing(
    world, vocabulary, decoder
):
    """The faster the mouse, the larger the fluctuations of all cells; levels stay."""
    rng = np.random.default_rng(0)
    trials = world[0]
    speed = rng.uniform(size=len(trials)).astype(np.float32)
    trials = with_labels(trials.assign(running_speed=speed))
    windows = {}
    for session, of_session in trials.groupby("session_id"):
        values = {}
        for stimulus, rows in of_session.groupby("stimulus"):
            noise = rng.normal(size=(len(rows), 12, 10)).astype(np.float32)
            noise = np.stack([noise, -noise], axis=3).reshape(len(rows), 12, 20)
            values[stimulus] = (0.5 + speed[rows.index])[:, None, None] * noise
        cells = list(vocabulary.cells[session])
        windows[session] = ArrayWindows(session, cells, values, 10.0)
    projection = start(decoder, Batches(windows, trials, vocabulary, 32), seed=0)
    assert projection["running_speed"].signals == 2
    predicted = predict(
        decoder, Batches(windows, trials, vocabulary, 32), (trials["split"] == "test").to_numpy()
    )["running_speed"]["value"]
    test = trials["split"] == "test"
    assert r2(speed[test], predicted[test]) > 0.7


def test_embeddings_are_as_long_as_they_are_wide_and_come_from_the_seed(decoder, batches):
    def begun(seed):
        start(decoder, batches, seed)
        return torch.cat([cells.detach().clone() for cells in decoder.cell_embeddings])

    length = begun(0).square().sum(dim=1).mean().item()
    assert length == pytest.approx(decoder.config.dim, rel=1e-4)
    assert torch.equal(begun(0), begun(0))
    assert not torch.equal(begun(0), begun(1))


def test_sessions_of_one_container_share_the_mean_of_their_starts(world, samples, decoder):
    """The same recording twice, under two names, starts as once."""
    trials, _, windows, cells = world
    once = trials[trials["session_id"] == "a"].reset_index(drop=True)
    twice = pd.concat([once, once.assign(session_id="again")], ignore_index=True)
    reader = SessionWindows(windows / "a.h5")
    readers = {"a": reader, "again": reader}
    begun = []
    for table in (once, twice):
        names = dict.fromkeys(table["session_id"].unique(), cells["a"])
        vocabulary = Vocabulary.of(table, names, samples, "all")
        made = Decoder(decoder.config, vocabulary, decoder.sample_rate_hz).eval()
        start(made, Batches(readers, table, vocabulary, 32), seed=0)
        begun.append(made.cell_embeddings[0].detach())
    torch.testing.assert_close(*begun, rtol=1e-3, atol=1e-3)


def test_cells_that_are_silent_throughout_start_at_nothing(decoder, batches, monkeypatch):
    read = Batches._batch

    def silent(self, piece):
        batch = read(self, piece)
        batch.values.zero_()
        return batch

    monkeypatch.setattr(Batches, "_batch", silent)
    start(decoder, batches, seed=0)
    assert not any(cells.any() for cells in decoder.cell_embeddings)
    output = decoder(next(batches.ordered(np.ones(len(batches.trials), bool))))
    assert all(value.isfinite().all() for value in output.values())


def test_what_is_told_apart_is_told_apart_in_the_latents(decoder, batches, world):
    """With the latents at their mean over windows no output varies."""
    start(decoder, batches, seed=0)
    batch = next(batches.ordered((world[0]["split"] == "test").to_numpy()))
    last = f"latents.{decoder.config.depth}"
    with reading(decoder, last) as seen:
        decoder(batch)
    mean = seen[last].mean(dim=0, keepdim=True).expand_as(seen[last])
    output = decoder.since(last, mean, batch)["direction"]
    torch.testing.assert_close(output, output[:1].expand_as(output))


def test_the_start_decodes_before_any_training(decoder, batches, world):
    trials = world[0]
    start(decoder, batches, seed=0)
    test = (trials["split"] == "test").to_numpy()
    predicted = predict(decoder, batches, test)["direction"]["value"][test]
    label = trials["direction"].to_numpy()[test]
    shown = np.isfinite(label)
    assert np.mean(predicted[shown] == label[shown]) > 0.6


def test_the_stored_projection_gives_cells_the_start_that_they_had(decoder, batches, tmp_path):
    start(decoder, batches, seed=0).save(tmp_path)
    begun = [cells.detach().clone() for cells in decoder.cell_embeddings]
    for cells in decoder.cell_embeddings:
        torch.nn.init.zeros_(cells)
    bias = decoder.own.bias.clone()
    start_cells(decoder, batches, Projection.load(tmp_path))
    torch.testing.assert_close(decoder.own.bias, bias, rtol=0, atol=1e-4)
    for cells, before in zip(decoder.cell_embeddings, begun, strict=True):
        torch.testing.assert_close(cells.detach(), before, rtol=0, atol=1e-5)
