import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge

from glasscortex.config import BaselineConfig, MlpConfig
from glasscortex.data.windows import SessionWindows, WindowsFolder
from glasscortex.decoder.baselines import baselines
from glasscortex.decoder.baselines.candidates import best_predictions
from glasscortex.decoder.baselines.lda import discriminant
from glasscortex.decoder.baselines.linear import regression
from glasscortex.decoder.baselines.mlp import perceptron
from glasscortex.decoder.baselines.problems import Problem, problems
from glasscortex.decoder.baselines.template import template
from glasscortex.tasks import ALLEN
from glasscortex.words import BASELINES
from glasscortex.workflow import sources

CONFIG = BaselineConfig(inverse_regularisation=(0.01, 0.1), shrinkage=(0.3, 0.7))
MODELS = ("linear", "lda", "mlp", "template")


def run(world, name="linear", **changes):
    trials, _, windows, _ = world
    return baselines(trials, WindowsFolder(windows), name, CONFIG, **changes)


@pytest.fixture(scope="module")
def scores(world):
    table = pd.concat(run(world, name).assign(model=name) for name in MODELS)
    return table[(table["split"] == "test") & (table["session_id"] != "all")]


def problem(n_classes=3, presentations=60, features=100, seed=0) -> Problem:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(presentations) % (n_classes or presentations))
    signal = rng.normal(size=(labels.max() + 1, features))[labels]
    values = signal + rng.normal(size=(presentations, features))
    train = np.arange(presentations) < 40
    values = (values - values[train].mean(axis=0)) / values[train].std(axis=0)
    if not n_classes:
        labels, classes = values[:, 0] + 0.1 * rng.normal(size=presentations), None
    else:
        classes = np.arange(n_classes) * 45.0
    return Problem(values, labels, classes, train, ~train)


@pytest.mark.parametrize("model", MODELS)
def test_it_reads_planted_tuning(scores, model):
    scores = scores[scores["model"] == model]
    accuracy = scores[scores["metric"] == "accuracy"].groupby("task")["value"].min()
    assert accuracy["direction"] > 0.6
    assert accuracy["movie_one"] > 0.8
    assert (scores.loc[scores["task"] == "running_speed", "value"] > 0.5).all()


def test_a_task_is_scored_where_it_applies(scores):
    classified = {"direction": ["a", "b"], "orientation": ["a", "b"], "movie_one": ["b"]}
    for model, of_model in scores.groupby("model"):
        sessions = of_model.groupby("task")["session_id"].unique().map(sorted).to_dict()
        also = {"running_speed": ["a", "b"]} if model in ("linear", "mlp") else {}
        assert sessions == classified | also


@pytest.mark.parametrize("name", BASELINES)
def test_another_baseline_is_no_source_of_its_scores(name):
    files = sources("stages.baselines", f"decoder.baselines.{name}")
    own = {path.stem for path in files if path.parent.name == "baselines"}
    assert own & set(BASELINES) == {name}


def test_two_processes_give_the_same_numbers(world):
    pd.testing.assert_frame_equal(run(world), run(world, processes=2), check_exact=True)


@settings(max_examples=20)
@given(st.integers(0, 99), st.sampled_from([20, 100]), st.sampled_from([3, None]))
def test_compact_features_have_the_same_products(seed, features, n_classes):
    given = problem(n_classes, features=features, seed=seed)
    train = given.train
    expected = given.features @ given.features[train].T
    np.testing.assert_allclose(given.compact @ given.compact[train].T, expected, atol=1e-8)
    assert given.compact.shape[1] <= min(train.sum(), features)


def test_regression_is_scikit_learns_on_the_features_themselves():
    given = problem()
    x, y, train = given.features, given.labels, given.train
    for strength, found in zip(CONFIG.inverse_regularisation, regression(given, CONFIG)):
        peer = LogisticRegression(C=strength, max_iter=1000).fit(x[train], y[train])
        np.testing.assert_array_equal(found.argmax(axis=1), peer.predict(x))
        np.testing.assert_allclose(found, peer.predict_log_proba(x), atol=0.01)
    given = problem(n_classes=None)
    x, y, train = given.features, given.labels, given.train
    for strength, found in zip(CONFIG.inverse_regularisation, regression(given, CONFIG)):
        peer = Ridge(alpha=1 / strength).fit(x[train], y[train])
        np.testing.assert_allclose(found, peer.predict(x), atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_discriminant_is_scikit_learns(seed):
    given = problem(features=20, seed=seed)
    x, y, train = given.features, given.labels, given.train
    for shrinkage, found in zip(CONFIG.shrinkage, discriminant(given, CONFIG)):
        peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
        peer.fit(x[train], y[train])
        np.testing.assert_array_equal(found.argmax(axis=1), peer.predict(x))
        np.testing.assert_allclose(softmax(found, axis=1), peer.predict_proba(x), atol=1e-6)


def test_a_template_is_the_class_that_correlates_most():
    given = problem()
    x, y, train = given.features, given.labels, given.train
    means = [x[train][y[train] == c].mean(axis=0) for c in range(3)]
    expected = [[np.corrcoef(row, mean)[0, 1] for mean in means] for row in x]
    (found,) = template(given, CONFIG)
    np.testing.assert_array_equal(found.argmax(axis=1), np.argmax(expected, axis=1))
    np.testing.assert_allclose(found / 10, expected, atol=1e-6)  # of 100 features


def test_a_temperature_undoes_what_a_fit_is_too_sure_of(world):
    trials, _, windows, _ = world
    rows, reader = trials[trials["session_id"] == "a"].copy(), SessionWindows(windows / "a.h5")
    some = rows.index[rows["split"] == "validation"][::3]  # so that certainty does not pay
    rows.loc[some, "label_direction"] = (rows.loc[some, "label_direction"] + 45) % 360

    def predicted(factor):
        def fit(problem, config):
            return (factor * scores for scores in template(problem, config))

        return best_predictions(fit, rows, reader, CONFIG, ("direction",), 0)["direction"]

    usual = predicted(1)
    assert usual["confidence"].min() > 1 / 8 and usual["confidence"].max() < 1
    for factor in (0.25, 4):
        np.testing.assert_array_equal(predicted(factor)["value"], usual["value"])
        np.testing.assert_allclose(predicted(factor)["confidence"], usual["confidence"], rtol=1e-5)


def test_values_have_no_confidence(world):
    trials, _, windows, _ = world
    rows, reader = trials[trials["session_id"] == "a"], SessionWindows(windows / "a.h5")
    made = best_predictions(regression, rows, reader, CONFIG, ("running_speed",), 0)
    assert np.isfinite(made["running_speed"]["value"]).all()
    assert np.isnan(made["running_speed"]["confidence"]).all()


@pytest.mark.parametrize("n_classes", [3, None])
def test_the_perceptron_does_not_see_test_labels(n_classes):
    given = problem(n_classes, presentations=90)
    held_out = np.arange(90) >= 60
    given = Problem(given.features, given.labels, given.classes, given.train, ~held_out)
    blind = Problem(
        given.features,
        np.where(held_out, 0 * given.labels, given.labels),
        *(given.classes, given.train, given.validation),
    )
    for found, expected in zip(perceptron(blind, CONFIG), perceptron(given, CONFIG)):
        np.testing.assert_array_equal(found, expected)


def test_networks_side_by_side_learn_what_each_learns_alone():
    """But for dropout, which draws one number after the other."""
    given = problem()
    decays = (0.0, 3.0)

    def fitted(*weight_decay):
        mlp = MlpConfig(weight_decay=weight_decay, dropout=0, steps=30)
        return list(perceptron(given, BaselineConfig(mlp=mlp)))

    for together, decay in zip(fitted(*decays), decays):
        np.testing.assert_array_equal(together, fitted(decay)[0])


def test_features_are_means_and_then_samples_scaled_on_training(world):
    trials, _, windows, _ = world
    rows = trials[(trials["session_id"] == "a") & trials["direction"].notna()]
    reader = SessionWindows(windows / "a.h5")
    labels = rows["label_direction"].to_numpy()
    found = list(problems(ALLEN.tasks["direction"], rows, reader))
    assert [p.features.shape[1] for p in found] == [12, 12 * 20]
    for each in found:
        fitted = each.features[each.train]
        np.testing.assert_allclose(fitted.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(fitted.std(axis=0), 1, atol=1e-6)
        np.testing.assert_array_equal(each.values(each.labels), labels)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_without_labels_to_choose_by_the_first_candidate_stands(world):
    trials, _, windows, _ = world
    rows = trials[trials["session_id"] == "a"].reset_index(drop=True)
    rows.loc[rows["split"] == "validation", "label_direction"] = np.nan
    reader = SessionWindows(windows / "a.h5")
    made, first = (
        best_predictions(discriminant, rows, reader, config, ("direction",), 0)["direction"][
            "value"
        ]
        for config in (CONFIG, BaselineConfig(shrinkage=CONFIG.shrinkage[:1]))
    )
    np.testing.assert_array_equal(made, first)
    known = rows["label_direction"].notna()
    assert np.isfinite(made[known]).all()


def test_a_class_that_training_lacks_judges_nothing(world):
    trials, _, windows, _ = world
    rows = trials[(trials["session_id"] == "a") & trials["direction"].notna()]
    lacking = rows[~((rows["split"] == "train") & (rows["direction"] == 90))]
    reader = SessionWindows(windows / "a.h5")
    labels = lacking["label_direction"].to_numpy()
    (means, _) = problems(ALLEN.tasks["direction"], lacking, reader)
    assert 90 not in means.classes and len(means.classes) == 7
    assert not means.validation[labels == 90].any()
    assert means.validation.sum() == ((lacking["split"] == "validation") & (labels != 90)).sum()
