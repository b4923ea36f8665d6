"""Recordings that look like another laboratory's, from their tables to figures and pages.

Four mice at 12.3 Hz see two tables that Allen's recordings do not have. Cells follow contrast and
pictures; nothing follows the licks, which come in runs, nor the loudness of the fan.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pynwb import NWBHDF5IO

from glasscortex.analysis.session_page import session_page
from glasscortex.browser import report as page
from glasscortex.browser.catalogue import catalogue
from glasscortex.config import (
    AblationConfig,
    AdaptConfig,
    BaselineConfig,
    DecoderConfig,
    SelectivityConfig,
    validated,
)
from glasscortex.data.definitions import variables_of
from glasscortex.data.responses import read_responses
from glasscortex.data.store import StoredSession, write_manifest, write_session
from glasscortex.decoder.model import Decoder
from glasscortex.errors import InputError
from glasscortex.figures.ablation import ablation_figure
from glasscortex.figures.selectivity import selectivity_figure
from glasscortex.stages.ablate import ablate
from glasscortex.stages.activations import activations
from glasscortex.stages.adapt import adapt
from glasscortex.stages.baselines import baselines
from glasscortex.stages.combine import combine
from glasscortex.stages.evaluate import evaluate
from glasscortex.stages.export_nwb import export_nwb
from glasscortex.stages.fit_sae import fit_sae
from glasscortex.stages.responses import responses
from glasscortex.stages.selectivity import selectivity
from glasscortex.stages.splice import splice
from glasscortex.stages.train import train
from glasscortex.stages.trials import trials
from glasscortex.stages.units import units
from glasscortex.tables import read_definitions, read_table, read_trials, write_table
from tests.data.nwb2.little import little

RATE, SHOWN, APART, CELLS = 12.3, 144, 25, 16
MICE = ("ann", "bob", "cid", "dan")
PICTURES = np.array(["cat", "dog", "owl"])
WRITTEN = {
    "decoder": {"model": {"dim": 16, "depth": 1}, "train": {"epochs": 1}},
    "sae": {"few": {"architecture": "topk", "hook": "latents.1", "width": 32, "k": 4}},
    "trials": {
        "window_s": {"drifting_contrast": 1.5, "pictures": 0.5},
        "variables": {
            "contrast": {"table": "drifting_contrast", "kind": "ordered", "unit": "%"},
            "loudness": {"table": "drifting_contrast", "kind": "continuous", "unit": "dB"},
            "image": {
                "table": "pictures",
                "column": "image_name",
                "kind": "categorical",
                "blanks": ["omitted"],
            },
            "lick": {"table": "pictures", "kind": "categorical", "level": "behaviour"},
        },
    },
}
CONFIG = validated(WRITTEN)
ABOUT = {"model": "trained", "seed": 0}


def record(folder: Path, mouse: str, rng: np.random.Generator, known=PICTURES) -> None:
    """What is read of one session: its store, its table of presentations and its windows."""
    frames = 2 * SHOWN * APART + 50
    start = 20 + APART * np.arange(SHOWN)
    contrast = rng.permutation(np.arange(SHOWN) % 4) + 1.0
    number = rng.permutation(np.arange(SHOWN) % 4)
    image = np.array([*known, *["omitted"] * 4])[number % 4]
    dff = rng.normal(scale=0.3, size=(CELLS, frames)).astype(np.float32)
    for first, level, name in zip(start, contrast, image, strict=True):
        dff[:5, first : first + 18] += 0.12 * level
        later = first + SHOWN * APART
        for cell in np.flatnonzero(name == PICTURES):
            dff[5 + cell :: 4, later : later + 6] += 0.5
    runs = np.cumsum(rng.random(SHOWN) > 0.9) % 2
    stimuli = {
        "drifting_contrast": {
            "contrast": np.where(rng.random(SHOWN) < 0.1, np.nan, 10 * 2**contrast),
            "loudness": rng.normal(60, 5, size=SHOWN),
        },
        "pictures": {"image_name": image, "lick": np.array(["left", "right"])[runs]},
    }
    for shift, columns in enumerate(stimuli.values()):
        first = start + shift * SHOWN * APART
        columns.update(start=first, end=first + 20)
    write_session(
        folder / f"{mouse}.zarr",
        attributes={"session_id": mouse, "container_id": mouse, "frame_rate_hz": RATE},
        blocks=[{"cell_specimen_id": np.arange(CELLS), "dff": dff}],
        time=np.arange(frames) / RATE,
        behaviour={},
        stimuli=stimuli,
    )
    write_manifest(folder / f"{mouse}.zarr", folder / f"{mouse}.json", session_id=mouse)
    trials(
        store=folder / f"{mouse}.zarr",
        manifest=folder / f"{mouse}.json",
        trials=folder / f"{mouse}.parquet",
        windows=folder / f"windows/{mouse}.h5",
        config=CONFIG.trials,
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Path:
    """A folder of what the stages leave."""
    lab, rng = tmp_path_factory.mktemp("lab"), np.random.default_rng(0)
    (lab / "windows").mkdir()
    for mouse in MICE:
        record(lab, mouse, rng, PICTURES[:2] if mouse == "ann" else PICTURES)
    sessions = pd.DataFrame({"session_id": MICE, "container_id": MICE, "mouse": MICE})
    write_table(sessions.assign(held_out=False), lab / "sessions.csv")
    combine(
        sessions=lab / "sessions.csv",
        parts=lab,
        trials=lab / "trials.parquet",
        variables=lab / "variables.csv",
        tasks="all",
    )
    shared = {"trials": lab / "trials.parquet", "windows": lab / "windows"}
    train(
        folder=lab / "decoder",
        checkpoint=lab / "checkpoint.pt",
        config=CONFIG.decoder,
        tasks="all",
        **shared,
        **ABOUT,
    )
    evaluate(
        decoder=lab / "decoder",
        scores=lab / "decoding.csv",
        confusion=lab / "confusion.csv",
        threads=1,
        **shared,
        **ABOUT,
    )
    recorded = {"activations": lab / "latents.zarr", "manifest": lab / "latents.json"}
    activations(decoder=lab / "decoder", hook="latents.1", **recorded, **shared)
    fitted = {"decoder": lab / "decoder", "folder": lab / "sae", "sae": "few", **shared, **ABOUT}
    fit_sae(config=CONFIG.sae["few"].model_copy(update={"steps": 200}), **recorded, **fitted)
    answers = {"responses": lab / "responses.zarr", "manifest": lab / "responses.json"}
    responses(
        folder=lab / "sae",
        checksums=answers["manifest"],
        responses=answers["responses"],
        **recorded,
    )
    tables = {"sessions": lab / "sessions.csv"}
    selectivity(
        **answers,
        **tables,
        trials=shared["trials"],
        table=lab / "selectivity.csv",
        tuning=lab / "tuning.csv",
        sae="few",
        config=SelectivityConfig(permutations=99, min_active=5),
        **ABOUT,
    )
    splice(**fitted, **tables, table=lab / "splice.csv", config=CONFIG.splice)
    ablate(
        **fitted,
        **tables,
        **answers,
        table=lab / "ablation.csv",
        steering=lab / "steering.csv",
        interactions=lab / "interactions.csv",
        config=AblationConfig(units=3, doses=(1, 2), draws=3, dose_draws=2, methods=("resample",)),
    )
    units(
        **(fitted | {"decoder": lab / "decoder/decoder.json"}),
        **tables,
        **answers,
        activations=recorded["activations"],
        recorded=recorded["manifest"],
        selectivity=lab / "selectivity.csv",
        ablation=lab / "ablation.csv",
        data=lab / "pages",
        config=SelectivityConfig(),
    )
    return lab


def scores(lab: Path, table: str = "decoding") -> pd.DataFrame:
    rows = read_table(lab / f"{table}.csv")
    rows = rows[(rows["split"] == "test") & rows["metric"].isin(["accuracy", "r2"])]
    return rows[rows["session_id"] == "all"].set_index("task")


def test_planted_tasks_are_decoded_and_the_others_are_not(lab):
    found = scores(lab)
    for task in ("contrast", "image"):
        assert found.loc[task, "ci_low"] > found.loc[task, "chance"] + 0.1
    assert found.loc["loudness", "value"] < 0.1
    assert found.loc["lick", "ci_low"] < found.loc["lick", "chance"] + 0.1
    assert found["chance"].round(3).to_dict() == {
        "contrast": 0.25,
        "loudness": 0,
        "image": round((1 / 2 + 3 / 3) / 4, 3),
        "lick": 0.5,
    }


def test_text_has_the_same_label_in_all_sessions(lab):
    definitions = read_definitions(lab / "trials.parquet")
    assert definitions.variables["image"].categories == ("cat", "dog", "owl")
    assert read_definitions(lab / "ann.parquet").variables["image"].categories == ("cat", "dog")
    table = read_trials(lab / "trials.parquet")
    for mouse in MICE:
        rows = table[(table["session_id"] == mouse) & (table["stimulus"] == "pictures")]
        image = StoredSession(lab / f"{mouse}.zarr").stimuli()["pictures"]["image_name"]
        labels = rows["label_image"].fillna(3).astype(int)
        assert np.array([*PICTURES, "omitted"])[labels].tolist() == image[: len(rows)].tolist()


def test_units_follow_what_was_planted_and_nothing_else(lab):
    table = read_table(lab / "selectivity.csv")
    found = table.groupby("variable")["significant"].sum()
    assert found["contrast"] >= 3
    assert found["image"] >= 3
    assert found["loudness"] <= 1
    assert found["lick"] == 0, "with 4 mice no unit can be shown to"
    assert set(table.loc[table["variable"] == "image", "preferred"]) <= set(PICTURES)
    by_index = table.drop_duplicates("variable").set_index("variable")[["index", "replicate"]]
    assert by_index.T.to_dict("list") == {
        "contrast": ["eta2", "presentation"],
        "loudness": ["spearman", "presentation"],
        "image": ["eta2", "presentation"],
        "lick": ["eta2", "session"],
    }


def test_ablation_and_splice_hold_own_tasks_against_each_other(lab):
    assert set(read_table(lab / "splice.csv")["task"]) == set(WRITTEN["trials"]["variables"])
    chosen = read_table(lab / "ablation.csv")
    chosen = chosen[chosen["chosen"] & (chosen["variable"] == chosen["task"])].set_index("task")
    assert {"contrast", "image"} <= set(chosen.index)
    assert (chosen.loc[["contrast", "image"], "delta"] > 0).all()


def test_a_decoder_says_what_its_tasks_are(lab):
    vocabulary = Decoder.load(lab / "decoder").vocabulary
    assert vocabulary.definitions == read_definitions(lab / "trials.parquet")
    assert vocabulary.tasks["image"].classes == (0, 1, 2)
    assert vocabulary.tasks["loudness"].classes is None


def test_a_baseline_decodes_them_too(lab):
    asked = {"trials": lab / "trials.parquet", "windows": lab / "windows", "threads": 1}
    config = BaselineConfig(inverse_regularisation=(0.01, 0.1))
    out = lab / "linear.csv"
    baselines(**asked, scores=out, baseline="linear", tasks=("image", "loudness"), config=config)
    found = scores(lab, "linear")
    assert found.loc["image", "value"] > found.loc["image", "chance"] + 0.1
    assert found.loc["loudness", "metric"] == "r2"


def test_a_session_with_pictures_never_seen_is_adapted_to(lab):
    record(lab, "eve", np.random.default_rng(1), np.array(["ant", "owl"]))
    few = {"train": {"epochs": 1}, "model": {"dim": 16, "depth": 1}}
    new = pd.DataFrame({"session_id": ["eve"], "held_out": [True]})
    write_table(new, lab / "new.csv")
    adapt(
        sessions=lab / "new.csv",
        trials=lab,
        decoder=lab / "decoder",
        windows=lab / "windows",
        scores=lab / "adaptation.csv",
        seed=0,
        config=AdaptConfig(repeats=(), steps=20),
        scratch=DecoderConfig.model_validate(few),
        linear=BaselineConfig(inverse_regularisation=(0.1,)),
        threads=1,
    )
    table = read_table(lab / "adaptation.csv")
    found = table[(table["task"] == "image") & (table["metric"] == "balanced_accuracy")]
    found = found[found["session_id"] == "eve"].set_index("method")["value"]
    assert found["adapted"] == 0.5, "owls alone are known, by the place that they have elsewhere"
    assert found["linear"] > 0.9


def test_figures_write_names_and_units(lab):
    tables = {
        name: read_table(lab / f"{name}.csv")
        for name in ("selectivity", "tuning", "variables", "ablation", "steering")
    }
    drawn = selectivity_figure(**{n: tables[n] for n in ("selectivity", "tuning", "variables")})
    panels = {axes.get_label().split()[0]: axes for axes in drawn.axes if axes.get_label()}
    assert {"contrast", "image", "lick"} <= set(panels)
    ticks = [tick.get_text() for tick in panels["image"].get_xticklabels()]
    assert ticks == list(PICTURES)
    assert panels["contrast"].get_xlabel().startswith("%; n = ")
    band = tables["tuning"].set_index("variable")[["low", "high"]]
    assert band.loc["lick"].isna().all(axis=None)
    assert band.loc["image"].notna().all(axis=None)
    removed = ablation_figure(ablation=tables["ablation"], steering=tables["steering"])
    assert {"contrast", "image"} <= set(" ".join(a.get_label() for a in removed.axes).split())


def test_pages_write_names(lab):
    definitions = read_definitions(lab / "trials.parquet")
    sessions, sae = read_table(lab / "sessions.csv"), read_table(lab / "sae/metrics.csv")
    told = catalogue(sae, sessions, ["few"], {}, definitions)
    assert told["variables"]["image"]["categories"] == ("cat", "dog", "owl")
    assert told["tasks"]["image"] == {"name": "image", "variable": "image", "stimulus": "pictures"}
    said = "".join(path.read_text() for path in (lab / "pages").glob("*.js"))
    assert "image owl" in said
    assert "contrast 160 %" in said
    known = variables_of(read_table(lab / "variables.csv"))
    written = page.units(read_table(lab / "selectivity.csv"), known)
    assert any(name in written for name in PICTURES)


def test_the_page_of_a_session_shows_its_tables(lab):
    quality = pd.DataFrame({"session_id": "ann", "used": [True] * CELLS})
    epochs = session_page(StoredSession(lab / "ann.zarr"), quality).epochs
    assert epochs["stimulus"].tolist() == ["drifting_contrast", "pictures"]


def exported(lab, nwb, session) -> Path:
    target = nwb.with_name("exported.nwb")
    export_nwb(
        nwb=nwb,
        decoder=lab / "decoder",
        windows=lab / "windows",
        trials=lab / "trials.parquet",
        responses=lab / "responses.zarr",
        manifest=lab / "responses.json",
        selectivity=lab / "selectivity.csv",
        exported=target,
        session=session,
        sae="few",
        **ABOUT,
    )
    return target


def test_what_is_exported_is_what_was_scored(lab, tmp_path):
    """The accuracy that others compute from the exported labels is that of the table."""
    with NWBHDF5IO(exported(lab, little(tmp_path / "bob.nwb", "bob"), "bob"), "r") as io:
        file = io.read()
        shown = file.analysis["glasscortex_presentations"].to_dataframe()
        units = file.analysis["glasscortex_units"].to_dataframe()
    assert shown["start_time"].is_monotonic_increasing
    table = read_table(lab / "decoding.csv")
    test = shown[shown["split"] == "test"]
    for task in ("image", "contrast"):
        asked = test[test[task].notna() & (test[task] != "")]
        of_task = table[(table["task"] == task) & (table["split"] == "test")]
        row = of_task[(of_task["session_id"] == "bob") & (of_task["metric"] == "accuracy")].iloc[0]
        accuracy = (asked[task] == asked[f"{task}_decoded"]).mean()
        assert (len(asked), accuracy) == (row["n"], pytest.approx(row["value"]))
    assert set(shown["image_decoded"]) <= {"", *PICTURES}
    answers = read_responses(lab / "responses.zarr", "test")
    own = read_trials(lab / "trials.parquet").iloc[answers.trial]
    first = own["start_s"].where(own["session_id"] == "bob").argmin()
    np.testing.assert_array_equal(
        test["responses"].iloc[0], answers.values[first][units.index.to_numpy()]
    )
    selective = read_table(lab / "selectivity.csv")
    rows = selective[selective["variable"] == "image"].set_index("unit")
    expected = rows["preferred"].reindex(units.index, fill_value="")
    assert units["image_pictures_preferred"].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("held", "asked", "words"),
    [("ann", "bob", "is session ann, not bob"), ("eve", "eve", "was not trained on session eve")],
)
def test_another_session_is_not_exported(lab, tmp_path, held, asked, words):
    with pytest.raises(InputError, match=words):
        exported(lab, little(tmp_path / "one.nwb", held), asked)
    assert not (tmp_path / "exported.nwb").exists()
