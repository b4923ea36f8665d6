import numpy as np
import pandas as pd
import pytest
import torch

from glasscortex.config import AdaptConfig, BaselineConfig, DecoderConfig
from glasscortex.data.batches import Batches
from glasscortex.data.windows import SessionWindows, WindowsFolder
from glasscortex.decoder.adapt import PER_SESSION, adapt, adapted, first_repeats
from glasscortex.decoder.evaluate import predict
from glasscortex.decoder.scores import session_scores
from glasscortex.decoder.train import train
from glasscortex.errors import InputError

SIZES = {"dim": 32, "depth": 1, "heads": 2}
TRAIN = {"epochs": 5, "batch": 16, "weight_decay": 0.01}
CONFIG = DecoderConfig.model_validate({"model": SIZES, "train": TRAIN})
POYO_PLUS = CONFIG.model_validate(
    {
        "architecture": "poyo_plus",
        "poyo_plus": {"dim": 16, "depth": 1, "heads": 2, "head_dim": 8, "latents_per_step": 2},
        "train": TRAIN | {"epochs": 1},
    }
)
SCRATCH = CONFIG.model_copy(update={"train": CONFIG.train.model_copy(update={"epochs": 1})})
LEARNING = AdaptConfig(repeats=(1, 2), steps=30)
LABELS = ["label_direction", "label_orientation", "label_running_speed"]
LINEAR = BaselineConfig(inverse_regularisation=(0.01, 0.1))


def of_session(world, session):
    trials = world[0]
    return trials[trials["session_id"] == session].reset_index(drop=True)


def train_on_a(world, config):
    return train(of_session(world, "a"), WindowsFolder(world[2]), config)


@pytest.fixture(scope="module")
def trained(world):
    """A decoder that was trained on session a, and its start."""
    return train_on_a(world, CONFIG)


def adapted_to(world, trained, trials, **changes):
    learning = LEARNING.model_copy(update=changes)
    reader = SessionWindows(world[2] / f"{trials['session_id'].iloc[0]}.h5")
    return adapted(trained.decoder, trained.projection, trials, reader, learning, {}, seed=0)


def accuracy(world, new, trials, task="direction"):
    batches = Batches(WindowsFolder(world[2]), trials, new.vocabulary, size=64)
    prediction = predict(new, batches, (trials["split"] == "test").to_numpy())[task]
    return session_scores(task, trials, prediction)["value"].item()


def shared(decoder):
    return {n: w for n, w in decoder.state_dict().items() if not n.startswith(PER_SESSION)}


def assert_same(left, right):
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert torch.equal(value, right[name]), name


def test_only_embeddings_of_cells_and_session_are_learnt(world, trained):
    trials = of_session(world, "b")
    begun, learnt = (adapted_to(world, trained, trials, steps=n) for n in (0, 30))
    assert_same(shared(learnt), shared(trained.decoder))
    moved = [n for n, w in begun.state_dict().items() if not torch.equal(w, learnt.state_dict()[n])]
    assert moved == ["cell_embeddings.0", "session_embedding.weight"]


def test_an_adapted_decoder_reads_a_session_that_it_never_saw(world, trained):
    trials = of_session(world, "b")
    assert accuracy(world, adapted_to(world, trained, trials), trials) > 0.5


def test_the_start_alone_beats_chance(world, trained):
    trials = of_session(world, "b")
    assert accuracy(world, adapted_to(world, trained, trials, steps=0), trials) > 0.4


def test_with_labels_of_other_trials_nothing_is_read(world, trained):
    trials = of_session(world, "b")
    rows = trials.index[(trials["split"] == "train") & trials["direction"].notna()]
    found = []
    for seed in range(10):
        shuffled = trials.copy()
        permuted = np.random.default_rng(seed).permutation(rows)
        shuffled.loc[rows, LABELS] = trials.loc[permuted, LABELS].to_numpy()
        new = adapted_to(world, trained, shuffled, steps=10)
        found.append(accuracy(world, new, trials))
    assert abs(np.mean(found) - 1 / 8) < 3 * np.std(found) / np.sqrt(10)


def test_labels_outside_the_training_split_are_not_seen(world, trained):
    trials = of_session(world, "b")
    changed = trials.copy()
    held_out = changed.index[changed["split"] != "train"]
    changed.loc[held_out, LABELS] = changed.loc[held_out[::-1], LABELS].to_numpy()
    assert not changed.equals(trials)
    ours, theirs = (adapted_to(world, trained, table).state_dict() for table in (trials, changed))
    assert_same(ours, theirs)


def test_without_a_start_cells_are_learnt_from_random_embeddings(world):
    trained = train_on_a(world, POYO_PLUS)
    assert trained.projection is None
    trials = of_session(world, "b")
    begun, learnt = (adapted_to(world, trained, trials, steps=n) for n in (0, 3))
    assert_same(shared(learnt), shared(trained.decoder))
    assert not torch.equal(begun.cell_embeddings[0], learnt.cell_embeddings[0])


def test_a_session_without_anything_to_decode_is_an_error(world, trained):
    trials = of_session(world, "b")
    movie = trials[trials["stimulus"] == "natural_movie_one"].reset_index(drop=True)
    with pytest.raises(InputError, match=r"session b shows nothing to learn from.*held_out$"):
        adapted_to(world, trained, movie)


def test_a_session_of_the_training_is_an_error(world, trained):
    with pytest.raises(InputError, match="was trained on session a"):
        adapted_to(world, trained, of_session(world, "a"))


@pytest.mark.parametrize("repeats", [1, 2])
def test_the_first_repeats_of_every_class_are_kept(world, repeats):
    trials = world[0].sample(frac=1, random_state=0).reset_index(drop=True)
    few = first_repeats(trials, repeats)
    train, kept = (table[table["split"] == "train"] for table in (trials, few))
    columns = ["session_id", "stimulus", "direction", "orientation", "movie_frame"]
    assert (kept.groupby(columns, dropna=False).size() == repeats).all()
    ranks = train.groupby(columns, dropna=False)["start_s"].rank()
    pd.testing.assert_frame_equal(
        kept.reset_index(drop=True), train[ranks <= repeats].reset_index(drop=True)
    )
    others = (table[table["split"] != "train"] for table in (few, trials))
    pd.testing.assert_frame_equal(*(table.reset_index(drop=True) for table in others))


def test_presentations_without_a_label_are_a_class(world):
    trials = of_session(world, "a")
    blank = trials.index[:20]
    trials.loc[blank, ["direction", "orientation"]] = np.nan
    train = first_repeats(trials, 3).query("split == 'train'")
    assert train["direction"].isna().sum() == 3
    assert (train["direction"].value_counts() == 3).all()


def adaptation(world, trained, trials, config=LEARNING, **changes):
    windows = WindowsFolder(world[2])
    made_of = trained.decoder, trained.projection, trials, windows, config, SCRATCH, LINEAR
    return adapt(*made_of, **changes)


@pytest.fixture(scope="module")
def table(world, trained):
    """The table of adaptation to session b."""
    return adaptation(world, trained, of_session(world, "b"))


def test_every_method_is_scored_at_every_number_of_repeats(table):
    rows = table.query("metric == 'accuracy'")
    asked = pd.MultiIndex.from_product(
        [["direction", "orientation"], [1, 2, "all"], ["adapted", "scratch", "linear"]]
    )
    for session in ("b", "all"):
        shown = rows[rows["session_id"] == session]
        found = pd.MultiIndex.from_frame(shown[["task", "repeats", "method"]])
        assert set(found) == set(asked) and len(found) == len(asked)
    assert (rows["n"] == 40).all()
    assert (rows.query("task == 'direction'")["chance"] == 1 / 8).all()
    learnt_from = rows.query("task == 'direction'").groupby("repeats")["n_train"].unique()
    assert learnt_from.map(list).to_dict() == {1: [8], 2: [16], "all": [96]}


def test_more_repeats_than_there_are_add_no_rows(world, trained):
    trials = first_repeats(of_session(world, "b"), 2)
    table = adaptation(world, trained, trials, AdaptConfig(repeats=(2, 5), steps=0))
    assert table["repeats"].unique().tolist() == ["all"]


def test_the_same_seed_gives_the_same_numbers_in_two_processes(world, trained, table):
    again = adaptation(world, trained, of_session(world, "b"), processes=2)
    pd.testing.assert_frame_equal(again, table, check_exact=True)
