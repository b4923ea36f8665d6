"""Every panel of ten units' pages says the numbers of the tables.

Of a small world; of a run's own pages with the folder of its results in RESULTS:

    RESULTS=results pytest tests/browser/test_unit_page.py
"""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.profiles import purities
from glasscortex.analysis.timecourses import coded_windows
from glasscortex.analysis.tuning import tuning
from glasscortex.data.responses import read_responses
from glasscortex.dictionaries import Dictionary
from glasscortex.dictionaries.activations import RecordedTokens
from tests.browser.run import Run
from tests.browser.seen import number, same

pytestmark = pytest.mark.xdist_group("browser")

READ = """(() => {
  const all = (root, what) => [...root.querySelectorAll(what)];
  const said = (root, what) => all(root, what).map((e) => e.textContent);
  const panel = (p) => ({
    heads: said(p, "h3"),
    rows: all(p, "tbody tr").map((row) => ({
      key: row.dataset.key, of: said(row.closest("table"), "caption")[0],
      cells: said(row, "th, td"),
      drawn: all(row, "svg").map((s) => s.getAttribute("aria-label")),
    })),
    figures: all(p, "figure").map((f) => ({
      about: f.querySelector("svg").getAttribute("aria-label"), titles: said(f, "title"),
      caption: said(f, "figcaption")[0], key: f.closest("[data-key]")?.dataset.key,
    })),
    cards: all(p, ".card").map((c) => ({
      value: said(c, "b")[0], where: c.querySelector(".where").title, cells: said(c, ".cell"),
      about: c.querySelector(".card > svg").getAttribute("aria-label"),
      kind: c.closest("ul").previousElementSibling.textContent,
    })),
  });
  const facts = Object.fromEntries(
    all(document, "[data-fact]").map((f) => [f.dataset.fact, f.textContent]));
  return {title: said(document, "main h1")[0], facts,
    ...Object.fromEntries(all(document, ".panel").map((p) => [p.id, panel(p)]))};
})()"""
"""What the page says, by panel: of each figure the titles of its marks, and the rows of tables."""

START = "start"


@pytest.fixture(scope="module")
def run(request, tmp_path_factory):
    if results := os.environ.get("RESULTS"):
        return Run(Path(results), tmp_path_factory.mktemp("links"))
    return request.getfixturevalue("site")


@pytest.fixture(scope="module")
def pages(run, shared_chromium):
    """What the pages of ten units say, those that were removed first."""
    costs = run.table("ablation")
    removed = [int(unit) for units in costs.loc[costs["chosen"], "units"] for unit in units.split()]
    found = {}
    for unit in list(dict.fromkeys([*removed, *run.alive]))[:10]:
        shared_chromium.open(f"{run.address}#unit={unit}&sae={run.sae}&model=trained&seed=0")
        found[unit] = shared_chromium.run(READ)
    return found


class World:
    """Tables and test responses of a dictionary."""

    def __init__(self, run, model="trained"):
        names = ["selectivity", "consensus"]
        names += ["effects", "reuse", "ablation"] if model == "trained" else []
        self.tables = {name: run.table(name, model) for name in names}
        self.found = self.tables["selectivity"]
        self.place = run.place(model)
        responses = read_responses(self.place / "responses.zarr", "test")
        self.test = Presentations.joined(responses, run.trials, run.sessions)
        self.values, self.shown = self.test.responses, self.test.trials
        self.curves = tuning(self.test, run.sessions, self.found, most=len(run.alive))
        self.curves = self.curves[self.curves["mouse"].isna()]

    def of(self, name, unit):
        table = self.tables[name]
        return table[table["unit"] == unit]


@pytest.fixture(scope="module")
def world(run):
    return World(run)


@pytest.fixture(scope="module")
def start(run):
    return World(run, START)


def is_said(said, numbers):
    """Whether texts are these numbers, one by one."""
    assert len(said) == len(numbers)
    for text, value in zip(said, numbers, strict=True):
        assert same(text, value), (text, value)


def marks(figure):
    """Titles of a figure's marks: what they name, and what they say of it."""
    return [title.rsplit(": ", 1) for title in figure["titles"]]


def test_the_head(pages, world, run):
    rate = (world.values != 0).mean(axis=0)
    purity = purities(world.test, world.found)
    for unit, page in pages.items():
        assert page["title"].startswith(f"Unit {unit} of {run.sae} on trained, seed 0")
        facts = page["facts"]
        is_said([facts["active on"], facts["share of L0"]], 100 * rate[unit] / [1, rate.sum()])
        assert same(facts["mean response"], world.values[:, unit].mean())
        own = world.of("selectivity", unit)
        assert same(facts["significant for"], own["significant"].sum())
        best = own[~own["variable"].isin(["cre_line", "area", "depth_um"])]
        best = best.sort_values(["selected", "explained_selection"], ascending=False).index[0]
        assert same(facts["purity"], purity[best])
        alike = world.of("consensus", unit)["correlation"]
        assert same(facts["stability"], alike.mean()) if len(alike) else "stability" not in facts
        most = world.of("reuse", unit).nlargest(1, "size").iloc[0]
        task, size = facts["most effect on"].split(" (")
        assert task == most["task"].replace("_", " ") and same(size, most["size"])


def test_verdicts(pages, world):
    purity = purities(world.test, world.found)
    for unit, page in pages.items():
        own = world.of("selectivity", unit)
        said = {row["key"]: row for row in page["verdicts"]["rows"]}
        assert set(said) == {f"{r.variable}|{r.stimulus}" for r in own.itertuples()}
        for row in own.itertuples():
            line = said[f"{row.variable}|{row.stimulus}"]
            _, effect, _, p, q, n, preferred, auroc, pure, verdict = line["cells"]
            numbers = [row.effect, row.p, row.q, row.n, row.auroc, purity[row.Index]]
            is_said([effect, p, q, n, auroc, pure], numbers)
            if row.index in ("eta2",) and row.variable != "cre_line":
                assert same(preferred, float(row.preferred))
            drawn = line["drawn"][0].split(", 95 % of the null below ")
            is_said(drawn, [row.effect, row.null_high])
            assert (verdict == "selective") == (row.significant and row.selected)
            assert ("not significant" in verdict) <= (not row.significant)


def test_tuning_and_the_best_rivals(pages, world, start, run):
    checked = 0
    ranked = start.found.sort_values(["selected", "explained_selection"], ascending=False)
    for unit, page in pages.items():
        for figure in page["tuning"]["figures"]:
            if figure["caption"].startswith("in the window"):
                continue
            variable, stimulus = figure["key"].split("|")
            keys = {"variable": variable, "stimulus": stimulus}
            of, which = world, unit
            if figure["caption"] != "this unit":
                best = ranked[(ranked[list(keys)] == list(keys.values())).all(axis=1)].iloc[0]
                of, which = start, best["unit"]
                rival, about = figure["caption"].split(": ")
                if rival == "best unit of untrained":
                    continue
                assert rival == "best unit of its start"
                assert about.startswith(f"{which}, ") and same(about.split(", ")[1], best["effect"])
            curve = of.curves[of.curves["unit"] == which]
            curve = curve[(curve[list(keys)] == list(keys.values())).all(axis=1)]
            assert len(curve) == len(figure["titles"])
            rows = (of.shown["stimulus"] == stimulus).to_numpy()
            if variable in of.shown:  # means by hand; of mice the curve's own
                labels = of.shown.loc[rows, variable].to_numpy()
                of_label = pd.Series(of.values[rows, which]).groupby(labels)
                np.testing.assert_allclose(curve["mean"], of_label.mean(), rtol=1e-4)
                np.testing.assert_allclose(curve["error"], of_label.sem(), rtol=1e-4)
            for (label, said), row in zip(marks(figure), curve.itertuples(), strict=True):
                if variable != "cre_line":
                    assert np.float32(number(label)) == np.float32(row.label)
                mean, rest = said.split(" ± ")
                error, rest = rest.split(", permuted ")
                is_said(
                    [mean, error, *rest.split(" to ")], [row.mean, row.error, row.low, row.high]
                )
                checked += of is world
    assert checked > 100


def test_when_in_the_window_it_is_active(pages, world, run):
    about = json.loads((world.place / "decoder/decoder.json").read_text())
    each = about["model"]["latents_per_step"]
    step_s = about["model"]["patch_frames"] / about["sample_rate_hz"]
    dictionary = Dictionary.load(world.place)
    tokens = RecordedTokens(world.place / "activations.zarr", "test")
    codes = {}
    for trial, steps in coded_windows(dictionary, tokens, each):
        codes.update(zip(trial, steps))
    checked = 0
    for unit, page in pages.items():
        own = world.of("selectivity", unit).set_index(["variable", "stimulus"])
        for figure in page["tuning"]["figures"]:
            if not figure["caption"].startswith("in the window"):
                continue
            variable, stimulus = figure["key"].split("|")
            shown = run.trials.loc[sorted(codes)]
            shown = shown[(shown["stimulus"] == stimulus) & shown[variable].notna()]
            preferred = shown[variable] == float(own.loc[(variable, stimulus), "preferred"])
            expected = {
                (name, step): mean
                for name, rows in (("preferred label", preferred), ("other labels", ~preferred))
                for step, mean in enumerate(
                    np.mean([codes[t][:, unit] for t in shown.index[rows]], 0)
                )
            }
            assert len(figure["titles"]) == len(expected)
            for place, said in marks(figure):
                name, seconds = place.split(", ")
                step = round(number(seconds) / step_s - 0.5)
                assert same(said, expected[name, step])
                checked += 1
    assert checked > 100


def test_presentations(pages, world, run):
    cells = pd.read_parquet(world.place / "cells.parquet")
    place = {
        f"session {row.session_id}, presentation {row.presentation}": i
        for i, row in enumerate(world.shown.itertuples())
        if row.stimulus == "drifting_gratings"
    }
    checked = 0
    for unit, page in pages.items():
        values, cards = world.values[:, unit], page["presentations"]["cards"]
        top = [card for card in cards if card["kind"] == "Strongest"]
        is_said([card["value"] for card in top], -np.sort(-np.abs(values))[: len(top)])
        for card in cards:
            mean = card["about"].split("mean ")[1]
            assert mean == card["value"]
            # a movie's presentation may have the number of a grating's
            if card["where"] in place and card["kind"] != "Strongest":
                shown = world.shown.iloc[place[card["where"]]]
                same_number = (
                    world.shown[["session_id", "presentation"]]
                    == list(shown[["session_id", "presentation"]])
                ).all(axis=1)
                assert any(same(card["value"], v) for v in values[same_number.to_numpy()])
                checked += 1
        of_unit = cells[cells["unit"] == unit]
        for card in top:
            for shown in card["cells"]:
                share = abs(number(shown)) / 100
                size = of_unit["attribution"].abs()
                total = size.groupby([of_unit["session_id"], of_unit["stimulus"]]).transform("sum")
                assert (np.abs(size / total - share) <= 0.0051).any()
                checked += 1
    assert checked > 50


def test_cells_that_drive_it(pages, world):
    cells = pd.read_parquet(world.place / "cells.parquet")
    times = pd.read_parquet(world.place / "times.parquet")
    for unit, page in pages.items():
        own = cells[cells["unit"] == unit].copy()
        own["size"] = own["attribution"].abs()
        group = own.groupby(["session_id", "stimulus"])["size"]
        own["share"] = own["attribution"] / group.transform("sum")
        said = [row["cells"] for row in page["cells"]["rows"]]
        largest = own.sort_values("size", ascending=False)[: len(said)]
        is_said([row[3] for row in said], largest["attribution"])
        is_said([row[4] for row in said], 100 * largest["share"])
        field, course = page["cells"]["figures"]
        session, stimulus = group.sum().idxmax()
        assert f"session {session}, " in field["caption"]
        mapped = own[(own["session_id"] == session) & (own["stimulus"] == stimulus)]
        mapped = mapped.set_index("cell")["attribution"]
        drawn = {title.split(": ")[0]: title.split(": ")[1] for title in field["titles"]}
        assert set(drawn) == set(mapped.index)
        is_said([drawn[cell] for cell in mapped.index], mapped)
        of_unit = times[times["unit"] == unit].groupby(["stimulus", "time_s"])["attribution"].mean()
        assert len(course["titles"]) == len(of_unit)
        for place, value in marks(course):
            name, seconds = place.split(", ")
            near = of_unit[name.replace(" ", "_")]
            assert same(value, near.iloc[np.abs(near.index - number(seconds)).argmin()])


def test_mice_and_sessions(pages, world, run):
    gratings = (world.shown["stimulus"] == "drifting_gratings").to_numpy()
    for unit, page in pages.items():
        answered = pd.Series(world.values[gratings, unit])
        lines, depths = page["background"]["figures"]
        for figure, column, noun in (
            (lines, "mouse", "mouse "),
            (depths, "session_id", "session "),
        ):
            groups = answered.groupby(world.shown.loc[gratings, column].to_numpy())
            said = {place.removeprefix(noun): text for place, text in marks(figure)}
            assert set(said) == set(groups.groups)
            for name, text in said.items():
                mean, n = text.split(", ")
                is_said([mean, n], [groups.mean()[name], groups.size()[name]])


def test_running(pages, world):
    speed = world.shown["running_speed"].to_numpy()
    known = np.isfinite(speed)
    order = np.flatnonzero(known)[np.argsort(speed[known], kind="stable")]
    parts = [order[np.arange(len(order)) * 8 // len(order) == part] for part in range(8)]
    for unit, page in pages.items():
        figure, *others = page["behaviour"]["figures"]
        assert len(others) == world.shown["pupil"].notna().any()
        said = marks(figure)
        is_said([place for place, _ in said], [speed[part].mean() for part in parts])
        is_said([text for _, text in said], [world.values[part, unit].mean() for part in parts])


def test_outputs(pages, world):
    for unit, page in pages.items():
        sizes, *of_tasks = page["outputs"]["figures"]
        reuse = world.of("reuse", unit).sort_values("size", ascending=False)
        assert [name.replace(" ", "_") for name, _ in marks(sizes)] == list(reuse["task"])
        is_said([text for _, text in marks(sizes)], reuse["size"])
        assert same(sizes["caption"].removeprefix("serves "), reuse["tasks"].iloc[0])
        effects = world.of("effects", unit)
        assert len(of_tasks) == len(reuse)
        for figure, task in zip(of_tasks, reuse["task"], strict=True):
            own = effects[effects["task"] == task]
            own = own.loc[
                own["direct"].abs().sort_values(ascending=False, kind="stable").index[:12]
            ]
            own = own.sort_values("label", kind="stable")
            said = [text.split(", attribution ") for _, text in marks(figure)]
            is_said([direct for direct, _ in said], own["direct"])
            is_said([attribution for _, attribution in said], own["attribution"])


def test_ablation(pages, world):
    costs = world.tables["ablation"]
    costs = costs[
        (costs["condition"] == "selective") & (costs["method"] == costs["method"].iloc[0])
    ]
    held = 0
    for unit, page in pages.items():
        chosen = costs[costs["chosen"] & (costs["variable"] == costs["task"])]
        sets = chosen[[str(unit) in units.split() for units in chosen["units"]]]
        heads = [head.split(":")[0].replace(" ", "_") for head in page["ablation"]["heads"]]
        assert heads == list(sets["task"])
        figures = page["ablation"]["figures"]
        for row in sets.itertuples():
            whole = costs[(costs["variable"] == row.task) & (costs["n_units"] == row.n_units)]
            whole = whole.set_index("task")
            for name, rest in (title.split(": ", 1) for title in figures.pop(0)["titles"]):
                own = whole.loc[name.replace(" ", "_")]
                lost, rest = rest.split(" [")
                ends, rest = rest.split("], matched ")
                matched, p = rest.split(", p ")
                numbers = own[["delta", "ci_low", "ci_high", "matched", "p"]]
                is_said([lost, *ends.split(", "), matched, p], numbers)
                held += 1
            doses = costs[(costs["variable"] == row.task) & (costs["task"] == row.task)]
            if len(doses) > 1:
                doses = doses.sort_values("n_units")
                said = marks(figures.pop(0))
                is_said([text for _, text in said], [*doses["delta"], *doses["matched"]])
    assert held


def test_neighbours(pages, world, run):
    atoms = load_file(world.place / "weights.safetensors")["W_dec"][run.alive]
    atoms = atoms / np.linalg.norm(atoms, axis=1, keepdims=True)
    kinds = {"closest atoms": atoms @ atoms.T}
    kinds["most alike responses"] = np.corrcoef(world.values[:, run.alive].T)
    for unit, page in pages.items():
        row = run.alive.index(unit)
        for caption, alike in kinds.items():
            said = [r["cells"] for r in page["neighbours"]["rows"] if r["of"] == caption]
            closest = np.argsort(-np.delete(alike[row], row), kind="stable")[: len(said)]
            is_said([value for _, value in said], np.delete(alike[row], row)[closest])
            names = [int(name) for name, _ in said]
            np.testing.assert_allclose(
                alike[row, [run.alive.index(name) for name in names]],
                np.delete(alike[row], row)[closest],
                atol=1e-6,
            )
        matches = [r["cells"] for r in page["neighbours"]["rows"] if "other seeds" in r["of"]]
        columns = ["other_seed", "other_unit", "correlation"]
        same_unit = world.of("consensus", unit)[columns].dropna()
        names = same_unit[columns[:2]].astype(int).astype(str).to_numpy().tolist()
        assert [said[:2] for said in matches] == names
        is_said([said[2] for said in matches], same_unit["correlation"])
