"""The page in a real browser, opened from its folder."""

import csv
import io
import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browser.seen import number, same, texts
from tests.browser.site import SAE, SESSIONS, WIDTH

pytestmark = pytest.mark.xdist_group("browser")

AXE = os.environ.get("AXE")


def test_the_table_shows_every_unit_and_its_best_variable(site, chromium):
    chromium.open(site.address)
    chromium.wait(f"document.querySelectorAll('.listing tbody tr').length === {len(site.alive)}")
    table = site.table("selectivity").sort_values(
        ["selected", "explained_selection"], ascending=False, kind="stable"
    )
    table = table[~table["variable"].isin(["cre_line", "area", "depth_um"])]
    best = table.drop_duplicates("unit").set_index("unit")
    for unit, variable, effect in zip(
        texts(chromium, ".listing tbody td:nth-child(1)"),
        texts(chromium, ".listing tbody td:nth-child(2)"),
        texts(chromium, ".listing tbody td:nth-child(5)"),
        strict=True,
    ):
        row = best.loc[int(unit)]
        assert variable.removesuffix(" (n.s.)") == row["variable"].replace("_", " ")
        assert variable.endswith(" (n.s.)") != row["significant"]
        assert same(effect, row["effect"])
    effects = [number(text) for text in texts(chromium, ".listing tbody td:nth-child(5)")]
    assert effects == sorted(effects, reverse=True)


def test_hostile_names_are_text(site, chromium):
    chromium.run("window.alert = () => console.error('alert was called')")
    seen = ""
    sessions = [f"session={quote(name)}" for name in SESSIONS]
    for asked in ["table=sessions", *sessions, *(f"unit={unit}" for unit in site.alive[:6])]:
        chromium.open(f"{site.address}#{asked}")
        assert (
            chromium.run(
                "document.querySelectorAll('img, main script, td td, main b').length - "
                "document.querySelectorAll('#presentations b, #tuning b').length"
            )
            == 0
        )
        seen += chromium.run("document.body.textContent + document.body.innerHTML.length")
        seen += "".join(texts(chromium, "title"))
        assert chromium.run("document.documentElement.scrollWidth") <= 1280
    for session, line in SESSIONS.items():
        assert session in seen
        assert line in seen


def test_the_address_carries_what_is_seen(site, chromium):
    chromium.open(f"{site.address}#sort=unit&f.rate=>0&search=direction&x=mean&y=purity")
    units = [int(text) for text in texts(chromium, ".listing tbody td:nth-child(1)")]
    assert units == sorted(units)
    assert set(texts(chromium, ".listing tbody td:nth-child(2)")) <= {
        "direction",
        "direction (n.s.)",
    }
    assert chromium.run("document.querySelector('[data-axis=x]').value") == "mean"
    assert chromium.run("document.querySelector('#search').value") == "direction"
    chromium.run("document.querySelector('[data-column=unit]').click()")
    chromium.wait("location.hash.includes('sort=-unit')")
    chromium.wait("document.documentElement.dataset.ready === location.hash")
    turned = [int(text) for text in texts(chromium, ".listing tbody td:nth-child(1)")]
    assert turned == units[::-1]
    chromium.open(f"{site.address}#model=start&seed=0&sae={SAE}&unit={site.alive[0]}")
    assert "on its start, seed 0" in texts(chromium, "h1")[0]
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
    kept = texts(chromium, ".listing tbody td:nth-child(1)")
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
    chromium.wait("document.querySelectorAll('.listing tbody tr').length < 20")
    assert str(second) in texts(chromium, ".listing tbody td:nth-child(1)")
    chromium.run("document.querySelector('#search').value = ''; document.activeElement.blur()")


def test_csv_and_svg_of_what_is_seen(site, chromium):
    chromium.open(f"{site.address}#sort=unit&search=direction")
    chromium.run(
        "window.kept = []; const make = URL.createObjectURL.bind(URL);"
        "URL.createObjectURL = (blob) => { kept.push(blob); return make(blob); }; 0"
    )
    chromium.press("c")
    lines = chromium.run("kept[0].text()").splitlines()
    shown = texts(chromium, ".listing tbody td:nth-child(1)")
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
@pytest.mark.parametrize(
    "shown", ["", "unit={unit}", "table=sessions", "session={session}", "help"]
)
def test_accessible_by_the_rules_of_axe(site, chromium, shown):
    asked = shown.format(unit=site.alive[3], session=quote(next(iter(SESSIONS))))
    chromium.open(site.address + ("" if shown in ("", "help") else f"#{asked}"))
    chromium.run(Path(AXE).read_text() + "; 0")
    if shown == "help":
        chromium.press("?")
    found = chromium.run("axe.run({preload: false}).then((r) => (window.report = r).violations)")
    assert chromium.run("report.passes.length") > 10
    if shown == "help":
        chromium.press("Escape")
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found] == []
