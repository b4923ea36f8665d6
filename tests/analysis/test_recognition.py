"""Mice are recognised by what their units are like, and by nothing else."""

import re
from itertools import product

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.alike import (
    distances,
    exchanged,
    indicators,
    margin,
    predicted,
    score,
    similarity,
)
from glasscortex.analysis.recognition import COLUMNS, EVERY_KIND, lead, recognition
from glasscortex.tables import read_table, write_table
from tests.analysis.worlds import mice_of_lines

DRAWS = 199


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def told(found, sessions, rng, draws=DRAWS):
    return recognition(found, sessions, "drifting_gratings", draws, rng)


def whole(table):
    """Rows of all mice, by kind and what they are adjusted for."""
    return table[table["mouse"] == "all"].set_index(["kind", "adjusted"])


@pytest.mark.parametrize(
    ("kind", "carries"),
    [("rate", "mean"), ("tuning", "tuning|gain|preference"), ("kinetics", "time course")],
)
def test_what_is_planted_is_found_where_it_is(rng, kind, carries):
    rows = whole(told(*mice_of_lines(rng, (10,) * 4, kind, 1.5), rng))
    every = rows.loc[(EVERY_KIND, "nothing")]
    assert every["p"] <= 0.05
    assert every["value"] > every["chance"] + 0.15
    assert every["chance"] == pytest.approx(0.25, abs=0.03)
    single = rows.drop(EVERY_KIND, level="kind")["value"]
    assert re.fullmatch(carries, single.idxmax()[0])
    assert rows.loc[single.idxmax(), "p"] <= 0.05


def test_single_units_are_counted_where_the_lines_differ(rng):
    def counted(kind):
        found, sessions = mice_of_lines(rng, (10,) * 4, kind, 2.0)
        table = recognition(found, sessions, "drifting_gratings", 499, rng, 0.05)
        return whole(table).xs("nothing", level="adjusted")

    late = counted("kinetics")
    assert late["n_units"].eq(8).all()
    assert late["n_significant"].drop(EVERY_KIND).idxmax() == "time course"
    assert late.loc["time course", "n_significant"] >= 5
    assert late.loc[EVERY_KIND, "n_significant"] >= late.loc["time course", "n_significant"]
    assert counted(None)["n_significant"].max() <= 1


def test_what_is_not_planted_is_not_found(rng):
    """Six worlds: the smallest of six p values is below .002 in one of a hundred."""
    rows = [whole(told(*mice_of_lines(rng, (6,) * 4), rng)) for _ in range(6)]
    for adjusted in ("nothing", "running", "running and tuning"):
        assert min(row.loc[(EVERY_KIND, adjusted), "p"] for row in rows) > 0.005
    kinds = [row.drop(EVERY_KIND, level="kind")["p"].min() for row in rows]
    assert min(kinds) > 0.005


def test_mice_that_run_more_are_no_line(rng):
    """All units follow running, and one of the lines runs a lot."""
    naive, p = [], []
    for _ in range(5):
        rows = whole(told(*mice_of_lines(rng, (12, 12), running=3.0), rng))
        naive.append(rows.loc[(EVERY_KIND, "nothing"), "p"])
        p.append(rows.loc[(EVERY_KIND, "running"), "p"])
    assert np.median(naive) <= 0.05
    assert np.median(p) > 0.05


def test_a_line_that_also_runs_more_is_one(rng):
    rows = whole(told(*mice_of_lines(rng, (15, 15), "kinetics", 2.0, running=1.0), rng))
    assert rows.loc[(EVERY_KIND, "running"), "p"] <= 0.05


def test_a_row_says_what_each_mouse_is_recognised_as(rng):
    table = told(*mice_of_lines(rng, (8, 12), "tuning", 2.0), rng)
    assert list(table.columns) == COLUMNS
    mice = table[table["mouse"] != "all"]
    assert len(mice) == mice["mouse"].nunique() == 20
    right = mice["label"] == mice["recognised_as"]
    value = whole(table).loc[(EVERY_KIND, "nothing"), "value"]
    assert right.groupby(mice["label"]).mean().mean() == pytest.approx(value)


def test_sessions_of_a_mouse_are_one(rng):
    """Twelve mice, of which four were recorded twice."""
    found, sessions = mice_of_lines(rng, (8, 8))
    twins = sessions["mouse"].replace({"m4": "m0", "m5": "m1", "m12": "m8", "m13": "m9"})
    table = told(found, sessions.assign(mouse=twins), rng)
    assert whole(table)["n_mice"].eq(12).all()


def areas(rng, effect, mice=12):
    """Sessions of two areas in every mouse, which differ in rate; mice differ more."""
    found, sessions = mice_of_lines(rng, (mice, mice), "rate", effect)
    line = sessions["cre_line"]
    same = {f"m{mice + i}": f"m{i}" for i in range(mice)}
    sessions = sessions.assign(mouse=sessions["mouse"].replace(same), area=line)
    return found, sessions.drop(columns="cre_line")


def test_areas_are_told_apart_within_mice(rng):
    rows = whole(told(*areas(rng, 4.0), rng))
    assert rows.loc[(EVERY_KIND, "nothing"), "n_mice"] == 12
    assert rows.loc[("mean", "nothing"), "p"] <= 0.05
    assert min(
        whole(told(*areas(rng, 0.0), rng)).loc[(EVERY_KIND, "nothing"), "p"] for _ in range(4)
    ) > 0.01  # fmt: skip


def test_depth_is_predicted(rng):
    found, sessions = mice_of_lines(rng, (8,) * 3, "kinetics", 2.0)
    depth = sessions["cre_line"].map({"line0": 175.0, "line1": 275.0, "line2": 375.0})
    rows = whole(told(found, sessions.drop(columns="cre_line").assign(depth_um=depth), rng))
    every = rows.loc[(EVERY_KIND, "nothing")]
    assert every["measure"] == "spearman"
    assert every["p"] <= 0.05
    assert every["ci_low"] < every["value"] < every["ci_high"]
    shuffled = depth.to_numpy()[rng.permutation(24)]
    noise = whole(told(found, sessions[["session_id", "mouse"]].assign(depth_um=shuffled), rng))
    assert noise.loc[(EVERY_KIND, "nothing"), "p"] > 0.01


def test_too_few_mice_of_a_line_do_not_count(rng):
    found, sessions = mice_of_lines(rng, (5, 5, 2))
    assert whole(told(found, sessions, rng))["n_labels"].eq(2).all()
    found, sessions = mice_of_lines(rng, (5, 2))
    assert told(found, sessions, rng).empty


def test_few_ways_to_deal_allow_no_small_p(rng):
    """Six mice of two lines can be dealt in ten ways up to names."""
    rows = whole(told(*mice_of_lines(rng, (3, 3), "rate", 5.0), rng, draws=999))
    assert rows["p_min"].eq(rows["p_min"].iloc[0]).all()
    assert rows["p_min"].iloc[0] == pytest.approx(0.1, abs=0.03)
    assert (rows["p"] >= rows["p_min"]).all()


def test_one_dictionary_leads_another_in_the_mice_of_both(rng):
    mice = [f"m{i}" for i in range(8)]
    own = pd.DataFrame({"mouse": mice, "label": ["a"] * 4 + ["b"] * 4, "measure": "accuracy"})
    own = own.assign(recognised_as=own["label"])
    other = own.assign(recognised_as=["a", "a", "b", "b", "b", "b", "a", "a"]).iloc[::-1]
    estimate, low, high, number = lead(own, other)
    assert (estimate, number) == (pytest.approx(0.5), 8)
    assert low < 0.5 < high
    assert lead(own, own)[:3] == (0, 0, 0)
    assert lead(own, other.assign(mouse="elsewhere"))[3] == 0


def test_predictions_lead_after_they_were_written(rng, tmp_path):
    """Lines are text and depths are numbers, in one column."""
    found, sessions = mice_of_lines(rng, (8,) * 3, "kinetics", 2.0)
    depth = sessions["cre_line"].map({"line0": 175.0, "line1": 275.0, "line2": 375.0})
    noise, _ = mice_of_lines(rng, (8,) * 3)
    tables = []
    for name, of_sessions in (("own", found), ("other", noise)):
        write_table(told(of_sessions, sessions.assign(depth_um=depth), rng), tmp_path / name)
        rows = read_table(tmp_path / name)
        tables.append(rows[rows["variable"] == "depth_um"])
    estimate, low, high, number = lead(*tables)
    values = [whole(rows).loc[(EVERY_KIND, "nothing"), "value"] for rows in tables]
    assert (estimate, number) == (pytest.approx(values[0] - values[1], abs=1e-6), 24)
    assert low < estimate < high


@pytest.mark.parametrize("mice", [np.arange(12), np.arange(12) // 2, np.array([0, 1, 2, 0] * 3)])
@pytest.mark.parametrize("covariates", [0, 2])
def test_exchanged_sums_are_those_of_the_whole_matrix(rng, mice, covariates):
    z, columns = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
    basis = np.linalg.qr(rng.normal(size=(12, covariates)))[0]
    left = np.eye(12) - basis @ basis.T
    alike = left @ z @ z.T @ left
    orders = np.stack([np.arange(12), *(rng.permutation(12) for _ in range(4))])
    found = exchanged(alike, orders, basis, mice, columns)
    for order, sums in zip(orders, found, strict=True):
        whole = left @ alike[np.ix_(order, order)] @ left
        np.testing.assert_allclose(sums, (whole * (mice[:, None] != mice)) @ columns, atol=1e-9)


def test_distances_leave_the_mouse_out(rng):
    """Against the same by hand: means of the other mice, squared distances without bias."""
    z = rng.normal(size=(9, 5))
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
    expected = np.empty((9, 2))
    for i, label in product(range(9), range(2)):
        others = z[(codes == label) & (np.arange(9) != i)]
        products, n = others @ others.T, len(others)
        own = (products.sum() - np.trace(products)) / (n * (n - 1))
        expected[i, label] = own - 2 * z[i] @ others.mean(axis=0)
    toward = (z @ z.T * ~np.eye(9, dtype=bool)) @ indicators(codes)
    found = distances(toward[None], np.arange(9), codes)[0]
    np.testing.assert_allclose(found, expected)
    nearer = (expected[:, ::-1] - expected)[np.arange(9), codes]
    wide = (nearer[:4].mean() + nearer[4:].mean()) / 2
    np.testing.assert_allclose(margin(found[None], codes), wide)


def test_a_prediction_is_that_of_the_other_mice(rng):
    z = rng.normal(size=(7, 3))
    ranks = rng.normal(size=7)
    expected = [
        sum(z[i] @ z[j] * (ranks[j] - np.delete(ranks, i).mean()) for j in range(7) if j != i)
        for i in range(7)
    ]
    weight = z @ z.T * ~np.eye(7, dtype=bool)
    toward = np.column_stack([weight @ ranks, weight.sum(axis=1)])
    np.testing.assert_allclose(predicted(toward[None], np.arange(7), ranks)[0], expected)


def test_labels_weigh_alike():
    codes = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    assert score(np.zeros((1, 8), int), codes, np.zeros(8, int), False) == pytest.approx(0.5)


def test_kinds_of_traits_weigh_alike(rng):
    one, many = rng.normal(size=(10, 1)), rng.normal(size=(10, 50))
    whole = similarity([one, many])
    np.testing.assert_allclose(similarity([7 * one, many]), whole)
    np.testing.assert_allclose(similarity([one, np.tile(many, 4)]), whole)
    assert similarity([np.zeros((10, 3))]) is None
