"""Whole simulated sessions: their table, their files and what the files hold."""

import h5py
import numpy as np
import pytest

from glasscortex.config import SimulateConfig
from glasscortex.data import synthetic
from glasscortex.data.synthetic import sessions, write_nwb, write_truth
from glasscortex.errors import InputError
from glasscortex.files import sha256

CONFIG = SimulateConfig(
    cre_lines=("Cux2-CreERT2", "Sst-IRES-Cre"),
    mice_per_line=2,
    sessions={"three_session_A": 2, "three_session_B": 1, "three_session_C": 1},
    cells=6,
    length=0.04,
)
PIPELINE = "processing/brain_observatory_pipeline"


def of_type(letter, config=CONFIG):
    table = sessions(config)
    return table[table["session_type"] == f"three_session_{letter}"].iloc[0]


def simulate(session_id, config, nwb, truth):
    recording, known = synthetic.simulate(session_id, config)
    write_nwb(nwb, recording)
    write_truth(truth, known)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(NWB, truth) of the first session of each type."""
    folder = tmp_path_factory.mktemp("simulated")
    paths = {}
    for letter in "ABC":
        paths[letter] = folder / f"{letter}.nwb", folder / f"{letter}.h5"
        nwb, truth = paths[letter]
        simulate(of_type(letter).session_id, CONFIG, nwb, truth)
    return paths


def test_sessions_of_one_mouse_share_its_container():
    table = sessions(CONFIG)
    assert len(table) == 2 * (2 + 1 + 1)
    assert table["session_id"].is_unique
    assert (table.groupby("mouse")["container_id"].nunique() == 1).all()
    assert (table.groupby("container_id")["mouse"].nunique() == 1).all()
    assert (table.groupby("mouse")["cre_line"].nunique() == 1).all()
    assert set(table["source"]) == {"simulated"}


def test_ids_do_not_depend_on_what_else_is_simulated():
    fewer = CONFIG.model_copy(
        update={"cre_lines": ("Sst-IRES-Cre",), "sessions": {"three_session_A": 1}}
    )
    row = sessions(fewer).iloc[0]
    whole = sessions(CONFIG).set_index("session_id")
    assert (whole.loc[row.session_id] == row.drop("session_id")).all()


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"cre_lines": ("Cux2",)}, "Cux2 is not simulated: choose from Cux2-CreERT2, "),
        ({"cre_lines": ("Sst-IRES-Cre",) * 2}, "names a line twice"),
        ({"sessions": {"three_session_A": 0}}, "gives no session"),
    ],
)
def test_bad_configuration_is_named(update, message):
    with pytest.raises(InputError, match=message):
        sessions(CONFIG.model_copy(update=update))


def test_unknown_session_is_named():
    with pytest.raises(InputError, match="session 12 is not one of the 8"):
        synthetic.simulate("12", CONFIG)


def test_the_same_bytes_whatever_else_is_simulated(files, tmp_path):
    other = CONFIG.model_copy(update={"mice_per_line": 1, "sessions": {"three_session_B": 1}})
    session_id = of_type("B").session_id
    simulate(session_id, other, tmp_path / "b.nwb", tmp_path / "b.h5")
    for first, again in zip(files["B"], (tmp_path / "b.nwb", tmp_path / "b.h5")):
        assert sha256(first) == sha256(again)


def test_another_seed_gives_other_cells(files, tmp_path):
    other = CONFIG.model_copy(update={"seed": 1})
    simulate(of_type("C").session_id, other, tmp_path / "c.nwb", tmp_path / "c.h5")
    with h5py.File(files["C"][1]) as first, h5py.File(tmp_path / "c.h5") as second:
        assert first["cells/grating_hz"][0] != second["cells/grating_hz"][0]


def test_sessions_of_one_mouse_have_the_same_cells(files):
    with h5py.File(files["A"][1]) as a, h5py.File(files["B"][1]) as b:
        assert a.attrs["session_id"] != b.attrs["session_id"]
        for name in a["cells"]:
            np.testing.assert_array_equal(a["cells"][name], b["cells"][name])


@pytest.mark.parametrize("letter", "ABC")
def test_traces_fit_together(files, letter):
    with h5py.File(files[letter][0]) as file, h5py.File(files[letter][1]) as truth:
        pipeline = file[PIPELINE]
        dff = pipeline["DfOverF/imaging_plane_1/data"]
        cells, frames = dff.shape
        assert np.isfinite(dff[()]).all()
        for name in ("", "_neuropil_response", "_demixed_signal"):
            assert pipeline[f"Fluorescence/imaging_plane_1{name}/data"].shape == (cells, frames)
        ids = pipeline["ImageSegmentation/cell_specimen_ids"][()]
        np.testing.assert_array_equal(ids, truth["cells/cell_specimen_id"])
        r = pipeline["Fluorescence/imaging_plane_1_neuropil_response/r"][()]
        np.testing.assert_array_equal(r, truth["cells/neuropil_r"])
        for roi in pipeline["ImageSegmentation/imaging_plane_1/roi_list"][()]:
            mask = pipeline[f"ImageSegmentation/imaging_plane_1/{roi.decode()}/img_mask"]
            assert mask.shape == (512, 512)
            assert 100 < mask[()].sum() < 300
        timestamps = pipeline["DfOverF/imaging_plane_1/timestamps"][()]
        running = pipeline["BehavioralTimeSeries/running_speed/timestamps"][()]
        first = int(np.flatnonzero(timestamps == running[0])[0])
        np.testing.assert_array_equal(running, timestamps[first : first + len(running)])


@pytest.mark.parametrize("letter", "ABC")
def test_strings_are_fixed_length_and_links_are_hard(files, letter):
    """What AllenSDK's reader trips over."""

    def check(name, node):
        if isinstance(node, h5py.Dataset):
            assert h5py.check_string_dtype(node.dtype) is None or node.dtype.kind == "S", name
        else:
            for key in node:
                assert isinstance(node.get(key, getlink=True), h5py.HardLink), key

    with h5py.File(files[letter][0]) as file:
        file.visititems(check)


def test_stimuli_are_written_as_the_allen_writes_them(files):
    with h5py.File(files["A"][0]) as file:
        shown = file["stimulus/presentation"]
        gratings = shown["drifting_gratings_stimulus"]
        features = [b"temporal_frequency", b"orientation", b"blank_sweep"]
        assert gratings["features"][()].tolist() == features
        data = gratings["data"][()]
        np.testing.assert_array_equal(np.isnan(data[:, 1]), data[:, 2] == 1)
        spontaneous = shown["spontaneous_stimulus"]
        assert spontaneous["data"][()].tolist() == [1, -1]
        assert (spontaneous["frame_duration"][:, 0] == spontaneous["frame_duration"][:, 1]).all()
        movie = shown["natural_movie_one_stimulus"]
        stack = file["stimulus/templates/natural_movie_one_image_stack/data"]
        assert movie["data"].dtype.kind == "i"
        assert movie["data"][()].max() < len(stack)
    with h5py.File(files["B"][0]) as file:
        scenes = file["stimulus/presentation/natural_scenes_stimulus/data"][()]
        assert scenes.min() == -1
        assert len(file["stimulus/templates/natural_scenes_image_stack/data"]) == 118
    with h5py.File(files["C"][0]) as file:
        stack = file["stimulus/templates/locally_sparse_noise_image_stack/data"]
        assert stack.shape[1:] == (16, 28)
        assert set(np.unique(stack[()])) == {0, 127, 255}


@pytest.mark.parametrize("letter", "ABC")
def test_truth_is_not_in_the_recording(files, letter):
    """No name of a parameter, no rates, no gain: only what a microscope would give."""
    names = []
    with h5py.File(files[letter][0]) as file, h5py.File(files[letter][1]) as truth:
        file.visit(names.append)
        hidden = set(truth["cells"]) - {"cell_specimen_id"} | {"rates", "gain"}
    assert not hidden & {part for name in names for part in name.split("/")}


def test_true_rates_stand_beside_the_presentations(files):
    for letter, stimuli in {
        "A": ["drifting_gratings"],
        "B": ["natural_scenes", "static_gratings"],
        "C": ["locally_sparse_noise"],
    }.items():
        with h5py.File(files[letter][0]) as file, h5py.File(files[letter][1]) as truth:
            cells = len(truth["cells/cell_specimen_id"])
            assert set(truth["rates"]) == {*stimuli, "spontaneous"}
            for name in stimuli:
                rows = len(file[f"stimulus/presentation/{name}_stimulus/data"])
                assert truth[f"rates/{name}"].shape == (rows, cells)
                assert truth[f"gain/{name}"].shape == (rows,)
                assert (truth[f"rates/{name}"][()] >= 0).all()


def test_dff_follows_the_true_rates_and_peaks_at_the_preferred_direction(tmp_path):
    config = SimulateConfig(
        cre_lines=("Sst-IRES-Cre",),
        mice_per_line=1,
        sessions={"three_session_A": 1},
        cells=30,
        length=0.2,
    )
    nwb, truth = tmp_path / "a.nwb", tmp_path / "a.h5"
    simulate(sessions(config).session_id[0], config, nwb, truth)
    with h5py.File(nwb) as file:
        gratings = file["stimulus/presentation/drifting_gratings_stimulus"]
        start = gratings["frame_duration"][:, 0]
        direction = gratings["data"][:, 1]
        dff = file[f"{PIPELINE}/DfOverF/imaging_plane_1/data"][()]
    responses = np.stack([dff[:, s + 6 : s + 66].mean(1) for s in start])
    with h5py.File(truth) as file:
        rates = file["rates/drifting_gratings"][()]
        cells = {name: values[()] for name, values in file["cells"].items()}
    correlation = [np.corrcoef(*pair)[0, 1] for pair in zip(responses.T, rates.T)]
    assert np.median(np.array(correlation)[cells["grating_hz"] > 0]) > 0.6
    directions = np.arange(0, 360, 45.0)
    for signal, least in ((rates, 0.85), (responses, 0.7)):
        tuning = np.stack([signal[direction == d].mean(0) for d in directions])
        clear = (cells["grating_hz"] > 3) & (cells["direction_index"] > 0.3)
        error = directions[tuning.argmax(0)] - cells["preferred_direction_deg"]
        error = np.abs((error + 180) % 360 - 180)[clear]
        assert len(error) >= 5
        assert np.mean(error <= 45) >= least
