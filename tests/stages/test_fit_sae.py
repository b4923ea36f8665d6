import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from glasscortex.config import BatchTopKConfig, SaeConfig, TopKConfig
from glasscortex.data.store import write_manifest
from glasscortex.dictionaries import BatchTopK, Dictionary, TopK
from glasscortex.dictionaries.activations import write_activations as record
from glasscortex.errors import InputError
from glasscortex.stages.fit_sae import fit_sae
from tests.dictionaries.recordings import HOOK, write_activations

CONFIG = TopKConfig(hook=HOOK, width=20, k=2, steps=20, batch=64)
FILES = "weights.safetensors", "sae.json", "history.csv", "metrics.csv"


@pytest.fixture
def activations(tmp_path):
    rng = np.random.default_rng(0)
    sizes = {"train": 200, "validation": 0, "test": 50}
    windows = {split: rng.normal(size=(n, 2, 6)) for split, n in sizes.items()}
    windows = {split: x.astype(np.float32) for split, x in windows.items()}
    return write_activations(tmp_path, windows)


@pytest.fixture
def run(activations, tmp_path, world, decoder):
    """A function that fits a dictionary, to the activations made by hand or to others."""
    (tmp_path / "decoder").mkdir()
    decoder.save(tmp_path / "decoder")

    def fit(folder, config=CONFIG, seed=0, path=activations):
        fit_sae(
            activations=path,
            manifest=path.with_suffix(".json"),
            decoder=tmp_path / "decoder",
            trials=world[1],
            windows=world[2],
            folder=folder,
            model="trained",
            seed=seed,
            sae="mine",
            config=config,
        )
        return folder

    return fit


def test_metrics_name_the_dictionary_and_its_splits(run, tmp_path):
    rows = pd.read_csv(run(tmp_path / "sae") / "metrics.csv").set_index("split")
    assert list(rows.index) == ["train", "test"]
    assert rows.loc["test", ["model", "seed", "sae", "hook", "architecture"]].tolist() == [
        *("trained", 0, "mine", HOOK, "topk")
    ]
    assert rows.loc["test", ["width", "k"]].tolist() == [20, 2]
    assert rows["fvu"].between(0, 1).all()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(run, tmp_path):
    first, again, other = (
        [(run(tmp_path / name, seed=seed) / file).read_bytes() for file in FILES]
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first == again and first[0] != other[0]


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (CONFIG, TopK),
        (BatchTopKConfig(architecture="batch_topk", **CONFIG.model_dump(exclude={"architecture"})),
         BatchTopK),
    ],
)  # fmt: skip
def test_the_configuration_chooses_the_architecture(run, tmp_path, config, kind):
    assert type(Dictionary.load(run(tmp_path / "sae", config))) is kind


def test_activations_of_another_hook_are_an_error(run, tmp_path):
    config = CONFIG.model_copy(update={"hook": "readout"})
    with pytest.raises(InputError, match=r"holds hook latents\.1, but sae\.mine\.hook is readout"):
        run(tmp_path / "sae", config)


def test_damaged_activations_are_an_error(run, activations, tmp_path):
    (activations / "train" / "x" / "c" / "0" / "0").write_bytes(b"")
    with pytest.raises(InputError, match="damaged"):
        run(tmp_path / "sae")


def test_a_fit_that_diverges_is_an_error_and_leaves_nothing(run, tmp_path):
    config = CONFIG.model_copy(update={"learning_rate": 100.0})
    with pytest.raises(InputError, match=r"^sae\.mine\.learning_rate 100 is too high: .*lower it"):
        run(tmp_path / "sae", config)
    assert not (tmp_path / "sae").exists()


@pytest.mark.parametrize("architecture", ["pca", "frozen", "semi_nmf"])
def test_what_has_no_learning_rate_is_fitted_and_measured_as_well(run, tmp_path, architecture):
    settings = {"frozen": {"width": 20, "k": 2}, "semi_nmf": {"width": 5}}.get(architecture, {})
    config = TypeAdapter(SaeConfig).validate_python(
        {"architecture": architecture, "hook": HOOK, **settings}
    )
    folder = run(tmp_path / "sae", config)
    rows = pd.read_csv(folder / "metrics.csv")
    assert rows["k"].isna().all() == (architecture != "frozen")
    assert rows["fvu"].between(-1e-6, 1).all() and (rows["l0"] <= rows["width"]).all()
    assert "step" in pd.read_csv(folder / "history.csv")


@pytest.mark.parametrize(
    "settings", [{"architecture": "threshold", "k": 3}, {"architecture": "readout"}]
)
def test_what_the_decoder_reads_is_fitted_to_the_decoder(run, batches, decoder, tmp_path, settings):
    path = tmp_path / "real" / f"{HOOK}.zarr"
    record(path, decoder, batches, HOOK)
    write_manifest(path, path.with_suffix(".json"))
    fast = {"steps": 20, "objective": {"decoding": 1, "windows": 16}}
    config = TypeAdapter(SaeConfig).validate_python(
        settings | {"hook": HOOK} | (fast if "k" in settings else {})
    )
    first, again = (run(tmp_path / name, config, path=path) for name in "ab")
    rows = pd.read_csv(first / "metrics.csv").set_index("split")
    assert list(rows.index) == ["train", "validation", "test"]
    assert (rows["width"] == 24).all()  # 8 directions, 4 orientations, 10 frames, ± running
    for file in FILES:
        assert (first / file).read_bytes() == (again / file).read_bytes()
