"""Every panel of a unit's page says the numbers of the tables."""

import numpy as np
import pandas as pd
import pytest
import zarr
from safetensors.numpy import load_file

from tests.browser.seen import number, same, texts

pytestmark = pytest.mark.xdist_group("browser")


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
        assert texts(chromium, "h1")[0].startswith(f"Unit {unit} ")
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
