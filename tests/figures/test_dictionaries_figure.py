import numpy as np
import pandas as pd
import pytest

from glasscortex.figures.dictionaries import BEYOND, ROWS, SPREAD, dictionaries_figure

NAMES = ["axes", "topk", "pca"]


@pytest.fixture
def dictionaries():
    rows = [
        {"model": model, "seed": seed, "sae": name, "basis": name != "topk", "tasks": 9}
        | {"l0": 8.0 if name == "topk" else 64.0, "kept": 0.9, "purity_chance": 0.2}
        | {"probed": "all gratings"}
        | {
            f"{measure}{end}": 0.5 + 0.1 * i + by
            for measure in ("purity", "auroc_1")
            for end, by in (("", 0.0), ("_low", -0.05), ("_high", 0.05))
        }
        for model in ("trained", "shuffled", "untrained")
        for seed in (0, 1)
        for i, name in enumerate(NAMES)
    ]
    return pd.DataFrame(rows)


def marks(figure, model, measure):
    """By dictionary, (L0, value, filling) of its first mark."""
    (axes,) = [a for a in figure.axes if a.get_label() == f"{model} {measure}"]
    lines = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    return {
        line.get_label(): (line.get_xdata()[0], line.get_ydata()[0], line.get_markerfacecolor())
        for line in lines
    }


def test_every_decoder_has_a_column_and_every_measure_a_row(dictionaries):
    figure = dictionaries_figure(dictionaries=dictionaries)
    labels = [axes.get_label() for axes in figure.axes]
    assert labels == [f"{model} {m}" for m in ROWS for model in ("trained", "untrained")]
    shown = marks(figure, "untrained", "purity")
    assert [shown[name][1] for name in NAMES] == pytest.approx([0.5, 0.6, 0.7])
    assert shown["topk"][0] == 8
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == NAMES


def test_what_the_cells_reach_is_a_line_in_the_row_of_one_unit(dictionaries):
    cells = {"model": "cells", "seed": 0, "sae": "cells", "basis": False, "auroc_1": 0.61}
    table = pd.concat([dictionaries, pd.DataFrame([cells])])
    figure = dictionaries_figure(dictionaries=table)
    lines = {axes.get_label(): axes.get_lines() for axes in figure.axes}
    for name, drawn in lines.items():
        of_cells = [line.get_ydata()[0] for line in drawn if line.get_label() == "cells"]
        assert of_cells == ([0.61] if "auroc_1" in name else [])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [*NAMES, "cells"]


def test_bases_are_hollow_and_apart(dictionaries):
    shown = marks(dictionaries_figure(dictionaries=dictionaries), "trained", "auroc_1")
    assert shown["axes"][2] == shown["pca"][2] == "white" != shown["topk"][2]
    assert shown["axes"][0] < 64 < shown["pca"][0] == pytest.approx(SPREAD * shown["axes"][0])
    assert shown["axes"][0] * shown["pca"][0] == pytest.approx(64**2)


def test_many_bases_stay_near_their_number_of_units_and_names_in_the_figure(dictionaries):
    more = [
        dictionaries[dictionaries["sae"] == "axes"].assign(sae=f"axes_of_another_place_{i}")
        for i in range(10)
    ]
    figure = dictionaries_figure(dictionaries=pd.concat([dictionaries, *more]))
    shown = marks(figure, "trained", "auroc_1")
    places = [shown[name][0] for name in shown if name != "topk"]
    assert len(set(places)) == 12 and max(places) == pytest.approx(SPREAD * min(places))
    figure.canvas.draw()
    legend = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= legend.x0 and legend.x1 <= figure.bbox.x1


def test_what_is_kept_of_hardly_anything_is_drawn_at_the_edge(dictionaries):
    wild = dictionaries["model"] == "untrained"
    dictionaries.loc[wild, "kept"] = dictionaries.loc[wild, "sae"].map(
        {"axes": 7.0, "topk": -3.0, "pca": np.nan}
    )
    shown = marks(dictionaries_figure(dictionaries=dictionaries), "untrained", "kept")
    assert shown["axes"][1] == pytest.approx(1 + BEYOND)
    assert shown["topk"][1] == pytest.approx(0.9 - BEYOND)


def test_a_table_without_probes_is_drawn(dictionaries):
    dictionaries[["kept", "purity", "auroc_1", "purity_chance"]] = np.nan
    dictionaries["probed"] = np.nan
    assert len(dictionaries_figure(dictionaries=dictionaries).axes) == 6
