import numpy as np
import pandas as pd
import pytest

from glasscortex.figures.selectivity import selectivity_figure
from glasscortex.figures.style import save


@pytest.fixture(scope="module")
def figure(selectivity, tuning, variables):
    return selectivity_figure(selectivity=selectivity, tuning=tuning, variables=variables)


def panels(figure, variable):
    named = {axes.get_label(): axes for axes in figure.axes}
    return {n.split()[1]: a for n, a in named.items() if n.startswith(variable + " ")}


def test_the_units_are_those_with_the_largest_effects_on_validation(figure, selectivity):
    table = selectivity[(selectivity["model"] == "trained") & selectivity["selected"]]
    for variable in ("direction", "cre_line"):
        rows = table[table["variable"] == variable]
        best = rows.nlargest(4, "effect_selection")["unit"].astype(str)
        assert list(panels(figure, variable)) == list(best)


def test_polar_curves_are_mean_responses_by_direction(figure, presented):
    trials, codes = presented.trials, presented.responses
    drifting = (trials["stimulus"] == "drifting_gratings").to_numpy()
    for unit, axes in panels(figure, "direction").items():
        response = pd.Series(codes[drifting, int(unit)])
        expected = response.groupby(trials.loc[drifting, "direction"].to_numpy()).mean()
        (curve,) = [line for line in axes.get_lines() if line.get_label() == "mean"]
        np.testing.assert_allclose(curve.get_ydata()[:-1], expected, rtol=1e-5)
        np.testing.assert_allclose(np.degrees(curve.get_xdata()), np.arange(0, 361, 45), atol=1e-9)


def test_points_by_cre_line_are_means_of_mice(figure, presented, sessions):
    trials, codes = presented.trials, presented.responses
    sessions = sessions.set_index("session_id")
    drifting = (trials["stimulus"] == "drifting_gratings").to_numpy()
    mice = trials.loc[drifting, "session_id"].map(sessions["mouse"]).to_numpy()
    lines = sessions.set_index("mouse")["cre_line"]
    for unit, axes in panels(figure, "cre_line").items():
        by_mouse = pd.Series(codes[drifting, int(unit)]).groupby(mice).mean()
        points = {c.get_label(): np.asarray(c.get_offsets())[:, 1] for c in axes.collections}
        for line, members in by_mouse.groupby(lines):
            np.testing.assert_allclose(np.sort(points[line]), np.sort(members), rtol=1e-5)


def test_the_ranked_effects_are_the_tables(figure, selectivity):
    of_trained = selectivity["model"] == "trained"
    rows = selectivity[of_trained & (selectivity["variable"] == "cre_line")]
    (axes,) = [axes for axes in figure.axes if axes.get_label() == "effects cre_line"]
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    assert len(lines["significant"]) == rows["significant"].sum()
    drawn = np.concatenate([lines["significant"], lines["others"]])
    np.testing.assert_allclose(np.sort(drawn), np.sort(rows["effect"]))
    np.testing.assert_allclose(np.sort(lines["null"]), np.sort(rows["null_high"]))


def test_variables_that_were_not_tested_are_named(selectivity, tuning, variables):
    directions = selectivity[selectivity["variable"] == "direction"]
    figure = selectivity_figure(selectivity=directions, tuning=tuning, variables=variables)
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "Cre line: no unit was tested" in said


def test_the_same_figure_has_the_same_bytes(figure, selectivity, tuning, tmp_path, variables):
    again = selectivity_figure(selectivity=selectivity, tuning=tuning, variables=variables)
    save(figure, tmp_path / "a.svg", tmp_path / "a.png")
    save(again, tmp_path / "b.svg", tmp_path / "b.png")
    for kind in ("svg", "png"):
        first, second = ((tmp_path / f"{n}.{kind}").read_bytes() for n in ("a", "b"))
        assert first == second and len(first) > 10_000
    assert b"dc:date" not in (tmp_path / "a.svg").read_bytes()
