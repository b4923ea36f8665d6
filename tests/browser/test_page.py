"""The page in a real browser, opened from its folder."""

import csv
import io
import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr
from safetensors.numpy import load_file

from tests.browser.site import SAE, SESSIONS, WIDTH

pytestmark = pytest.mark.xdist_group("browser")

AXE = os.environ.get("AXE")


def number(text: str) -> float:
    """What the page says, as a number."""
    found = re.search(r"[−-]?[\d.,]+(e[−+]?\d+)?", text)
    assert found, text
    return float(found[0].replace("−", "-").replace(",", ""))


def same(said: str, expected: float) -> bool:
    """Whether the page says a number, to three digits (two where it is tiny)."""
    if pd.isna(expected):
        return said.strip() == "–"
    return math.isclose(number(said), expected, rel_tol=0.006 if abs(expected) > 1e-3 else 0.06)


def texts(chromium, selector: str) -> list[str]:
    code = f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)"
    return chromium.run(code)


@pytest.fixture
def responses(site):
    """Test responses of the trained decoder's first seed, and what was presented."""
    root = zarr.open_group(site.place() / "responses.zarr", mode="r")
    return np.asarray(root["test/response"]), site.trials.iloc[np.asarray(root["test/trial"])]


def test_ten_units_show_the_numbers_of_the_tables(site, chromium, responses):
    tables = {name: site.table(name) for name in ("selectivity", "effects", "reuse", "ablation")}
    cells = pd.read_parquet(site.place() / "cells.parquet")
    values, shown = responses
    atoms = load_file(site.place() / "weights.safetensors")["W_dec"]
    checked = dict.fromkeys(("tuning", "outputs", "ablation"), 0)
    for unit in site.alive[:10]:
        chromium.open(f"{site.address}#unit={unit}")
        assert texts(chromium, "h1")[1].startswith(f"Unit {unit} ")
        facts = dict(zip(texts(chromium, ".fact dt"), texts(chromium, ".fact dd"), strict=True))
        assert same(facts["active on"], 100 * (values[:, unit] != 0).mean())
        assert same(facts["mean response"], values[:, unit].mean())

        own = {
            name: table[table["unit"] == unit] for name, table in tables.items() if "unit" in table
        }
        for row in own["selectivity"].itertuples():
            place = f"#verdicts [data-key='{row.variable}|{row.stimulus}']"
            for name in ("effect", "p", "q"):
                assert same(*texts(chromium, f"{place} [data-name={name}]"), getattr(row, name))
            verdict = texts(chromium, f"{place} td:last-child")
            assert (verdict == ["selective"]) == (row.significant and row.selected)
            assert ("not significant" in verdict[0]) <= (not row.significant)

        gratings = (shown["stimulus"] == "drifting_gratings").to_numpy()
        means = pd.Series(values[gratings, unit]).groupby(shown["direction"][gratings].to_numpy())
        block = "#tuning [data-key='direction|drifting_gratings'] figure:first-child circle title"
        for said, (label, mean) in zip(texts(chromium, block), means.mean().items(), strict=True):
            assert number(said) == label
            assert same(said.split(":")[1], mean)
            assert same(said.split("±")[1], means.sem()[label])
            checked["tuning"] += 1

        strongest = own["reuse"].set_index("task")["size"]
        said = dict(t.split(": ") for t in texts(chromium, "#outputs figure:first-child title"))
        assert all(same(said[task.replace("_", " ")], size) for task, size in strongest.items())
        checked["outputs"] += len(said)

        removed = tables["ablation"]
        removed = removed[removed["chosen"]]
        for heading, panel in zip(
            texts(chromium, "#ablation h3"),
            chromium.run(
                "[...document.querySelectorAll('#ablation .figures')].map((f) => "
                "[...f.querySelectorAll('figure:first-child title')].map((t) => t.textContent))"
            ),
            strict=True,
        ):
            of_set = removed[removed["variable"] == heading.split(":")[0].replace(" ", "_")]
            of_set = of_set.set_index("task")
            for line in panel:
                task = line.split(":")[0].replace(" ", "_")
                assert same(line.split(": ")[1], of_set.loc[task, "delta"])
                checked["ablation"] += 1

        of_unit = cells[cells["unit"] == unit]
        largest = of_unit.loc[of_unit["attribution"].abs().sort_values().index[::-1], "attribution"]
        said = texts(chromium, "#cells tbody td:nth-child(4)")
        assert all(same(text, value) for text, value in zip(said, largest, strict=False))

        cosine = np.delete(atoms @ atoms[unit] / np.linalg.norm(atoms, axis=1), unit)
        cosine = np.sort(cosine / np.linalg.norm(atoms[unit]))[::-1]
        said = texts(chromium, "#neighbours table:first-child tbody td:last-child")
        assert all(same(text, value) for text, value in zip(said, cosine, strict=False))
        kinds = texts(chromium, "#presentations .card > b")
        top = np.sort(np.abs(values[:, unit]))[::-1]
        assert same(kinds[0], top[0])
    assert all(checked.values()), checked


def test_the_table_shows_every_unit_and_its_best_variable(site, chromium):
    chromium.open(site.address)
    chromium.wait(f"document.querySelectorAll('.units tbody tr').length === {len(site.alive)}")
    table = site.table("selectivity").sort_values(
        ["selected", "explained_selection"], ascending=False, kind="stable"
    )
    table = table[~table["variable"].isin(["cre_line", "area", "depth_um"])]
    best = table.drop_duplicates("unit").set_index("unit")
    for unit, variable, effect in zip(
        texts(chromium, ".units tbody td:nth-child(1)"),
        texts(chromium, ".units tbody td:nth-child(2)"),
        texts(chromium, ".units tbody td:nth-child(5)"),
        strict=True,
    ):
        row = best.loc[int(unit)]
        assert variable.removesuffix(" (n.s.)") == row["variable"].replace("_", " ")
        assert variable.endswith(" (n.s.)") != row["significant"]
        assert same(effect, row["effect"])
    effects = [number(text) for text in texts(chromium, ".units tbody td:nth-child(5)")]
    assert effects == sorted(effects, reverse=True)


def test_hostile_names_are_text(site, chromium):
    chromium.run("window.alert = () => console.error('alert was called')")
    seen = ""
    for unit in site.alive[:6]:
        chromium.open(f"{site.address}#unit={unit}")
        assert chromium.run("document.querySelectorAll('img, main script, td td').length") == 0
        seen += chromium.run("document.body.textContent + document.body.innerHTML.length")
        seen += "".join(texts(chromium, "title"))
    for session, line in SESSIONS.items():
        assert session in seen
        assert line in seen
    assert chromium.run("document.documentElement.scrollWidth") <= 1280


def test_the_address_carries_what_is_seen(site, chromium):
    chromium.open(f"{site.address}#sort=unit&f.rate=>0&search=direction&x=mean&y=purity")
    units = [int(text) for text in texts(chromium, ".units tbody td:nth-child(1)")]
    assert units == sorted(units)
    assert set(texts(chromium, ".units tbody td:nth-child(2)")) <= {"direction", "direction (n.s.)"}
    assert chromium.run("document.querySelector('[data-axis=x]').value") == "mean"
    assert chromium.run("document.querySelector('#search').value") == "direction"
    chromium.run("document.querySelector('[data-column=unit]').click()")
    chromium.wait("location.hash.includes('sort=-unit')")
    chromium.wait("document.documentElement.dataset.ready === location.hash")
    turned = [int(text) for text in texts(chromium, ".units tbody td:nth-child(1)")]
    assert turned == units[::-1]
    chromium.open(f"{site.address}#model=start&seed=0&sae={SAE}&unit={site.alive[0]}")
    assert "on its start, seed 0" in texts(chromium, "h1")[1]
    assert chromium.run("document.querySelector('#model').value") == "start"
    assert "trained decoder only" in texts(chromium, "#ablation")[0]


def test_brushing_a_chart_keeps_its_units(site, chromium):
    chromium.open(f"{site.address}#x=rate&y=effect")
    box = chromium.run(
        "(({left, top, width, height}) => [left, top, width, height])"
        "(document.querySelectorAll('.charts figure svg')[1].getBoundingClientRect())"
    )
    left, top, width, height = box
    corners = (left + 47, top + 10), (left + 120, top + 60), (left + width / 2, top + height - 38)
    chromium.drag(*corners)
    chromium.wait("location.hash.includes('brushy')")
    chromium.wait("document.documentElement.dataset.ready === location.hash")
    asked = dict(pair.split("=") for pair in chromium.run("location.hash.slice(1)").split("&"))
    low, high = map(float, asked["brushx"].split(".."))
    kept = texts(chromium, ".units tbody td:nth-child(1)")
    rates = chromium.run(
        f"glasscortex.load('trained/seed0/{SAE}').then(({{table}}) => "
        "Object.fromEntries(table.unit.map((u, i) => [u, table.rate[i]])))"
    )
    assert 0 < len(kept) < len(site.alive)
    assert all(low <= rates[unit] <= high for unit in kept)


def test_keys_alone_suffice(site, chromium):
    chromium.open(f"{site.address}#sort=unit")
    first, second = site.alive[:2]
    for _ in range(80):
        chromium.press("Tab")
        if chromium.run("document.activeElement.closest('tbody') !== null"):
            break
    chromium.press("Enter")
    chromium.wait(f"document.title.startsWith('Unit {first} ')")
    chromium.press("j")
    chromium.wait(f"document.title.startsWith('Unit {second} ')")
    chromium.press("ArrowLeft")
    chromium.wait(f"document.title.startsWith('Unit {first} ')")
    chromium.press("u")
    chromium.wait("document.title.startsWith('Units')")
    chromium.press("?")
    chromium.wait("document.querySelector('#help').open")
    chromium.press("Escape")
    chromium.wait("!document.querySelector('#help').open")
    chromium.press("/")
    for letter in str(second):
        chromium.press(letter)
    chromium.wait("document.querySelectorAll('.units tbody tr').length < 20")
    assert str(second) in texts(chromium, ".units tbody td:nth-child(1)")
    chromium.run("document.querySelector('#search').value = ''; document.activeElement.blur()")


def test_csv_and_svg_of_what_is_seen(site, chromium):
    chromium.open(f"{site.address}#sort=unit&search=direction")
    chromium.run(
        "window.kept = []; const make = URL.createObjectURL.bind(URL);"
        "URL.createObjectURL = (blob) => { kept.push(blob); return make(blob); }; 0"
    )
    chromium.press("c")
    lines = chromium.run("kept[0].text()").splitlines()
    shown = texts(chromium, ".units tbody td:nth-child(1)")
    assert lines[0].startswith("unit,variable,stimulus")
    assert [line.split(",")[0] for line in lines[1:]] == shown
    chromium.press("s")
    assert chromium.run(
        "Promise.all(kept.slice(1).map((b) => b.text())).then((all) => all.length === 2 && all."
        "every((t) => !new DOMParser().parseFromString(t, 'image/svg+xml')"
        ".querySelector('parsererror')))"
    )


def test_a_csv_is_read_back_and_no_text_is_a_formula(site, chromium):
    chromium.open(site.address)
    rows = [{"name": 'a, "b"\nc', "text": "=1+1", "value": -0.5, "trace": [1, 2], "none": None}]
    written = chromium.run(f"glasscortex.csv({json.dumps(rows)}, {json.dumps(list(rows[0]))})")
    (read,) = csv.DictReader(io.StringIO(written, newline=""))
    expected = {"name": 'a, "b"\nc', "text": "'=1+1", "value": "-0.5", "trace": "1 2", "none": ""}
    assert read == expected


def test_a_unit_that_is_not_there_is_told(site, chromium):
    chromium.open(f"{site.address}#unit={WIDTH + 1}")
    assert "is missing" in texts(chromium, "[role=alert]")[0]
    assert len(chromium.said) == 1
    chromium.said.clear()


@pytest.mark.skipif(not AXE, reason="AXE does not name axe-core's axe.min.js")
@pytest.mark.parametrize("shown", ["", "#unit={unit}", "help"])
def test_accessible_by_the_rules_of_axe(site, chromium, shown):
    chromium.open(site.address + ("" if shown == "help" else shown.format(unit=site.alive[3])))
    chromium.run(Path(AXE).read_text() + "; 0")
    if shown == "help":
        chromium.press("?")
    found = chromium.run("axe.run({preload: false}).then((r) => (window.report = r).violations)")
    assert chromium.run("report.passes.length") > 10
    if shown == "help":
        chromium.press("Escape")
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found] == []
