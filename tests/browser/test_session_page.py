"""The table of sessions and a session's page say the numbers of the tables."""

from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.by_session import UNITS
from tests.browser.seen import number, same, texts
from tests.browser.site import SAE, SESSIONS

pytestmark = pytest.mark.xdist_group("browser")

NAMES = {"trained": "transformer", "start": "its start", "linear": "regression"}


def shown(chromium, site, session, **changes):
    """Open a session's page; its row of each table that it is made of."""
    asked = "&".join(f"{key}={value}" for key, value in changes.items())
    chromium.open(f"{site.address}#session={quote(session)}&{asked}")
    assert texts(chromium, "h1")[0].startswith(f"Session {session} ")
    tables = {}
    for name in ("decoding", "confusion", "quality"):
        table = pd.read_csv(site.folder / f"{name}.csv")
        tables[name] = table[table["session_id"] == session]
    return tables


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_shows_the_scores_and_confusions_of_its_tables(site, chromium, session):
    tables = shown(chromium, site, session, model="start")
    scores = tables["decoding"]
    scores = scores[(scores["split"] == "test") & (scores["seed"] == 0)]
    scores = scores[scores["metric"].isin(["accuracy", "r2"])].set_index(["task", "model"])
    for task in scores.index.unique("task"):
        said = dict(
            text.split(": ", 1)
            for text in texts(chromium, f"#decoding [data-task={task}] svg rect title")
        )
        assert set(said) == {NAMES[model] for model in scores.loc[task].index}
        for model, row in scores.loc[task].iterrows():
            value, interval = said[NAMES[model]].split(" [")
            assert same(value, row["value"])
            low, high = interval.split("]")[0].split(", ")
            assert same(low, row["ci_low"]) and same(high, row["ci_high"])

    confusion = tables["confusion"]
    confusion = confusion[confusion["model"] == "start"]
    assert set(confusion["task"]) == set(
        chromium.run(
            "[...document.querySelectorAll('#confusions figure')].map(f => f.dataset.task)"
        )
    )
    for task, rows in confusion.groupby("task"):
        counts = rows.set_index(["label", "predicted"])["n"]
        of_label = rows.groupby("label")["n"].sum()
        said = texts(chromium, f"#confusions [data-task={task}] title")
        assert len(said) == len(counts)
        for text in said:
            pair, numbers = text.split(": ")
            label, predicted = map(number, pair.split(" as "))
            assert numbers == f"{counts[label, predicted]} of {of_label[label]}"
        right = rows.loc[rows["label"] == rows["predicted"], "n"].sum() / rows["n"].sum()
        caption = texts(chromium, f"#confusions [data-task={task}] figcaption")[0]
        assert same(caption.split("(")[1], 100 * right)
        assert np.isclose(right, scores.loc[(task, "start"), "value"])


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_shows_the_units_that_its_cells_drive(site, chromium, session):
    shown(chromium, site, session)
    cells = pd.read_parquet(site.place() / "cells.parquet")
    own = cells[cells["session_id"] == session]
    size = own["attribution"].abs().groupby([own["stimulus"], own["unit"]]).sum()
    total = own.groupby(["stimulus", "unit"])["attribution"].sum()
    strongest = size[size > 0].groupby(level=0).nlargest(UNITS).droplevel(0)
    said = {}
    for row in chromium.run(
        "[...document.querySelectorAll('#driven-most tbody tr')].map("
        "(r) => [...r.children].map((c) => c.textContent))"
    ):
        said[row[2].replace(" ", "_"), int(row[0])] = row
    assert set(said) == set(strongest.index)
    for key, (_, _, _, attribution, cell) in said.items():
        assert same(attribution, total[key])
        of_unit = own[(own["stimulus"] == key[0]) & (own["unit"] == key[1])]
        largest = of_unit.loc[of_unit["attribution"].abs().idxmax()]
        assert cell.split(" ")[0] == largest["cell"].split("/")[1]
        assert same(cell.split("(")[1], 100 * abs(largest["attribution"]) / size[key])


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_shows_its_cells(site, chromium, session):
    quality = shown(chromium, site, session, shade="noise")["quality"]
    used = quality[quality["used"]].sort_values("snr", ascending=False)
    facts = dict(zip(texts(chromium, ".fact dt"), texts(chromium, ".fact dd"), strict=True))
    about = site.sessions.set_index("session_id").loc[session]
    assert facts["mouse"] == about["mouse"]
    assert facts["Cre line"] == about["cre_line"]
    assert facts["cells used"] == f"{len(used)} of {len(quality)}"
    assert same(facts["signal to noise"], used["snr"].median())
    for column, name in ((3, "snr"), (4, "noise"), (5, "baseline_drift")):
        said = texts(chromium, f"#quality tbody td:nth-child({column})")[: len(used)]
        assert all(same(text, value) for text, value in zip(said, used[name], strict=True))
    assert "noise, ΔF/F" in texts(chromium, "#quality figure title")[0]
    chromium.run("""(() => {
        const choice = document.querySelector('#shade');
        choice.focus(), (choice.value = 'r'), choice.dispatchEvent(new Event('change'));
    })()""")
    chromium.wait("location.hash.includes('shade=r')")
    chromium.wait("document.documentElement.dataset.ready === location.hash")
    assert "contamination r" in texts(chromium, "#quality figure title")[0]
    assert chromium.run("document.activeElement.id") == "shade"
    left_out = quality[~quality["used"]]
    whole = texts(chromium, "#quality")[0]
    assert all(f"left out: {reason}" in whole for reason in left_out["reason"])


def test_the_table_of_sessions_leads_to_pages_and_back(site, chromium):
    chromium.open(f"{site.address}#table=sessions&s.sort=-accuracy&sort=unit")
    decoding = pd.read_csv(site.folder / "decoding.csv")
    test = decoding[(decoding["split"] == "test") & (decoding["metric"] == "accuracy")]
    test = test[(test["model"] == "trained") & (test["seed"] == 0) & (test["session_id"] != "all")]
    accuracy = test.groupby("session_id")["value"].mean().sort_values(ascending=False)
    assert texts(chromium, ".listing tbody td:first-child") == list(accuracy.index)
    place = texts(chromium, ".listing thead th").index("accuracy ▼") + 1
    said = texts(chromium, f".listing tbody td:nth-child({place})")
    assert all(same(text, value) for text, value in zip(said, accuracy, strict=True))

    for _ in range(80):
        chromium.press("Tab")
        if chromium.run("document.activeElement.closest('tbody') !== null"):
            break
    chromium.press("Enter")
    first, second = accuracy.index
    chromium.wait(f"document.querySelector('h1').textContent.startsWith({('Session ' + first)!r})")
    chromium.press("j")
    chromium.wait(f"document.querySelector('h1').textContent.startsWith({('Session ' + second)!r})")
    chromium.press("Escape")
    chromium.wait("document.title.startsWith('Sessions')")
    chromium.press("u")
    chromium.wait("document.title.startsWith('Units')")
    assert chromium.run("location.hash.includes('s.sort=-accuracy')")
    chromium.press("t")
    chromium.wait("document.title.startsWith('Sessions')")


def test_a_unit_leads_to_its_sessions_and_a_session_to_its_units(site, chromium):
    chromium.open(f"{site.address}#unit={site.alive[0]}&sae={SAE}")
    chromium.run("document.querySelector('#cells a').click()")
    chromium.wait("document.title.startsWith('Session ')")
    unit = texts(chromium, "#driven tbody a")[0]
    chromium.run("document.querySelector('#driven tbody a').click()")
    chromium.wait(f"document.title.startsWith('Unit {unit} ')")
    assert not chromium.run("location.hash.includes('session=')")


def test_of_other_decoders_no_drive_is_shown(site, chromium):
    shown(chromium, site, next(iter(SESSIONS)), model="start")
    assert "measured for the trained decoder only" in texts(chromium, "#driven-most")[0]
