"""Tables such as a run leaves, with known numbers."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.tuning import tuning as tuning_of
from glasscortex.data.definitions import described
from glasscortex.tasks import ALLEN

CLASSES = {
    "direction": 8,
    "orientation": 4,
    "temporal_frequency": 5,
    "static_orientation": 6,
    "spatial_frequency": 5,
    "phase": 4,
    "scene": 118,
    "movie_one": 30,
    "movie_three": 120,
    "running_speed": 0,
    "pupil": 0,
}
STRENGTH = {"linear": 0.35, "trained": 0.45, "shuffled": 0.0, "untrained": 0.02, "template": 0.3}
FIT = {"model": "trained", "seed": 0, "sae": "topk"}
LINES = ["Cux2-CreERT2", "Rbp4-Cre_KL100", "Sst-IRES-Cre", "Vip-IRES-Cre"]


@pytest.fixture(scope="session")
def decoding() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for task, n_classes in CLASSES.items():
        metric = "r2" if ALLEN.tasks[task].is_regression else "accuracy"
        chance = 1 / n_classes if n_classes else 0.0
        for model, strength in STRENGTH.items():
            scores = chance + strength * (1 - chance) + rng.normal(scale=0.06, size=24)
            scores = scores if n_classes else np.append(scores[:-1], -3.0)
            scores = np.clip(scores, 0, 1) if n_classes else scores
            interval = scores.mean() - 0.03, scores.mean() + 0.03
            common = {"model": model, "seed": 0, "task": task, "split": "test", "metric": metric}
            common |= {"chance": chance, "n_classes": n_classes, "n": 100}
            for i, score in enumerate(scores):
                rows.append({**common, "session_id": f"00{i}", "value": score})
            rows.append(
                {
                    **common,
                    "session_id": "all",
                    "value": scores.mean(),
                    "ci_low": interval[0],
                    "ci_high": interval[1],
                }
            )
            rows.append({**rows[-1], "split": "validation", "value": 0.99})
            rows.append({**rows[-2], "metric": "balanced_accuracy", "value": 0.98})
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def splice(decoding) -> pd.DataFrame:
    scores = decoding[
        (decoding["session_id"] == "all")
        & (decoding["model"] == "trained")
        & (decoding["split"] == "test")
        & (decoding["metric"] != "balanced_accuracy")
    ]
    loss = {"intact": 0, "spliced": 0.01, "mean": 0.4, "random_sae": 0.25}
    parts = [
        scores[["model", "seed", "task", "metric"]].assign(
            sae="topk",
            condition=condition,
            value=scores["value"] - lost,
            ci_low=scores["ci_low"] - lost,
            ci_high=scores["ci_high"] - lost,
        )
        for condition, lost in loss.items()
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="session")
def ablation() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = []
    for variable in CLASSES:
        if variable == "pupil":
            continue
        for task in CLASSES:
            own = 0.22 if task == variable else 0.02 * rng.random()
            common = {**FIT, "variable": variable, "task": task, "intact": 0.5, "n_sessions": 24}
            for dose in (4, 8, 16, 32, 64):
                lost = own * (dose / 64) ** 0.5
                for method, condition in [
                    ("resample", "selective"),
                    *[("zero", "selective")] * (dose == 32),
                    *[("resample", kind) for kind in ("kept", "probe", "labels") if dose == 32],
                ]:
                    rows.append(
                        {
                            **common,
                            "n_units": dose,
                            "method": method,
                            "condition": condition,
                            "chosen": (dose, method, condition) == (32, "resample", "selective"),
                            "delta": lost if condition == "selective" else 0.1,
                            "ablated": 0.5 - lost,
                            "ci_low": lost - 0.03,
                            "ci_high": lost + 0.03,
                        }
                    )
                    if task == variable and condition == "selective":
                        rows[-1] |= {
                            "matched": 0.01,
                            "matched_low": -0.01,
                            "matched_high": 0.03,
                            "n_matched": 20,
                            "p": 1 / 21,
                            "excess": lost - 0.01,
                            "excess_low": lost - 0.04,
                        }
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def steering() -> pd.DataFrame:
    rows = [
        {**FIT, "variable": task, "task": other, "dose": dose, "condition": condition}
        | {"measure": "turned" if task == other else "lost"}
        | {"value": share * dose if task == other else 0.01}
        for task, classes in CLASSES.items()
        if classes
        for other in CLASSES
        for dose in (1, 4, 16)
        for condition, share in (("own", 0.04), ("random", 0.002))
    ]
    return pd.DataFrame(rows)


VARIABLES = {
    ("direction", "drifting_gratings"): 0.4,
    ("orientation", "drifting_gratings"): 0.35,
    ("temporal_frequency", "drifting_gratings"): 0.7,
    ("orientation", "static_gratings"): 0.3,
    ("spatial_frequency", "static_gratings"): 0.3,
    ("phase", "static_gratings"): 0.2,
    ("scene", "natural_scenes"): 0.3,
    ("movie_frame", "natural_movie_one"): 0.5,
    ("running_speed", "all"): 0.3,
    ("cre_line", "drifting_gratings"): 0.45,
}
WIDTH_OF_SAE = 40


@pytest.fixture(scope="session")
def selectivity() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = []
    for (variable, stimulus), share in VARIABLES.items():
        for model, part in {
            "trained": share,
            "untrained": share / 6,
            "shuffled": share / 3,
        }.items():
            effect = np.exp(rng.normal(np.log(0.012 + 0.05 * part), 0.8, size=WIDTH_OF_SAE))
            effect[:2] += 0.1 if model == "trained" else 0
            significant = effect >= np.quantile(effect, 1 - part)
            for unit in range(WIDTH_OF_SAE):
                rows.append(
                    {
                        "model": model,
                        "seed": 0,
                        "sae": "topk",
                        "unit": unit,
                        "variable": variable,
                        "stimulus": stimulus,
                        "index": "spearman" if variable == "running_speed" else "eta2",
                        "effect": effect[unit],
                        "preferred": "45",
                        "p": 0.001,
                        "q": 0.002 if significant[unit] else 0.4,
                        "n": 24 if variable == "cre_line" else 2400,
                        "replicate": "mouse" if variable == "cre_line" else "presentation",
                        "effect_selection": effect[unit],
                        "selected": significant[unit],
                        "significant": significant[unit],
                        "null_high": 0.015 + 0.004 * rng.random(),
                        "fraction": significant.mean(),
                        "fraction_error": 0.04,
                        "n_mice": 12,
                    }
                )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def variables() -> pd.DataFrame:
    return described(ALLEN, ALLEN.tasks)


@pytest.fixture(scope="session")
def sessions() -> pd.DataFrame:
    sessions = pd.DataFrame({"session_id": [f"s{i:02d}" for i in range(24)]})
    sessions["mouse"] = [f"m{i:02d}" for i in range(24)]
    sessions["cre_line"] = [LINES[i % 4] for i in range(24)]
    return sessions


@pytest.fixture(scope="session")
def presented(sessions) -> Presentations:
    """Presentations of the test split to tuned units.

    Unit u prefers direction (u mod 8) · 45° and grows with temporal frequency; unit 1 is twice as
    active in every second Cre line.
    """
    rng = np.random.default_rng(3)
    parts = []
    for session in sessions["session_id"]:
        n = 80
        drifting = pd.DataFrame({"session_id": session, "stimulus": "drifting_gratings"}, range(n))
        drifting["direction"] = np.arange(n) % 8 * 45.0
        drifting["orientation"] = drifting["direction"] % 180
        drifting["temporal_frequency"] = rng.choice([1.0, 2, 4, 8, 15], n)
        static = pd.DataFrame({"session_id": session, "stimulus": "static_gratings"}, range(n))
        static["orientation"] = np.arange(n) % 6 * 30.0
        static["spatial_frequency"] = rng.choice([0.02, 0.04, 0.08, 0.16, 0.32], n)
        static["phase"] = rng.choice([0, 0.25, 0.5, 0.75], n)
        movie = pd.DataFrame({"session_id": session, "stimulus": "natural_movie_one"}, range(90))
        movie["movie_frame"] = np.arange(90) % 30.0
        parts += [drifting, static, movie]
    trials = pd.concat(parts, ignore_index=True)
    trials["block"] = trials.groupby(["session_id", "stimulus"]).cumcount() // 40
    trials["split"] = "test"
    trials["scene"] = np.nan
    units = np.arange(WIDTH_OF_SAE)
    line = trials["session_id"].map(sessions.set_index("session_id")["cre_line"])
    angle = np.radians(np.nan_to_num(trials["direction"])[:, None] - units % 8 * 45)
    x = 1 + np.where(trials["direction"].notna().to_numpy()[:, None], np.cos(angle), 0)
    tilt = np.radians(2 * np.nan_to_num(trials["orientation"])[:, None] - units * 20)
    x += 0.4 * np.cos(tilt)
    x += 0.1 * np.nan_to_num(trials["temporal_frequency"])[:, None] * (units % 3)
    x += np.nan_to_num(np.sin(trials["movie_frame"].to_numpy() / 4))[:, None]
    x[:, :4] *= 1 + 0.5 * np.isin(line, LINES[::2])[:, None]
    x += rng.normal(scale=0.5, size=x.shape) + rng.normal(scale=0.1, size=(24, 1)).repeat(250, 0)
    mouse = trials["session_id"].map(sessions.set_index("session_id")["mouse"])
    return Presentations(trials.assign(mouse=mouse), x.clip(0).astype(np.float32))


@pytest.fixture(scope="session")
def tuning(presented, sessions, selectivity) -> pd.DataFrame:
    of_trained = selectivity[selectivity["model"] == "trained"]
    return tuning_of(presented, sessions, of_trained).assign(**FIT)
