import h5py
import numpy as np
import pytest

from glasscortex.data.metadata import Metadata
from glasscortex.data.nwb import read, read_metadata
from glasscortex.data.nwb1 import layout
from glasscortex.errors import InputError

PIPELINE = layout.PIPELINE


def deleting(*keys):
    def edit(file):
        for key in keys:
            del file[key]

    return edit


def replacing(key, value):
    def edit(file):
        if key in file:
            del file[key]
        file[key] = value

    return edit


def fails(path, *words):
    """The one line of the error that reading `path` gives."""
    with pytest.raises(InputError) as error:
        read(path)
    message = str(error.value)
    assert "\n" not in message
    assert path.name in message
    for word in words:
        assert word in message
    return message


def test_metadata(nwb):
    found = read_metadata(nwb("100.nwb"))
    assert found == Metadata(
        session_id="100",
        container_id="7",
        mouse="Cux2-CreERT2;Ai93-1",
        cre_line="Cux2-CreERT2",
        area="VISp",
        depth_um=275.0,
        session_type="three_session_A",
        sex="male",
        age_days=103.0,
    )


@pytest.mark.parametrize(
    ("genotype", "cre_line"),
    [
        ("Rbp4-Cre_KL100/wt;Camk2a-tTA/wt", "Rbp4-Cre_KL100"),
        ("Ai148/wt;Sst-IRES-Cre/wt", "Sst-IRES-Cre"),
        ("Scnn1a-Tg3-Cre/wt", "Scnn1a-Tg3-Cre"),
        ("Slc17a7-IRES2-Cre/wt;Ai93", "Slc17a7-IRES2-Cre"),
        ("unknown", "unknown"),
    ],
)
def test_cre_line_of_a_genotype(nwb, genotype, cre_line):
    def edit(file):
        replacing("general/subject/genotype", np.bytes_(genotype))(file)
        replacing("general/specimen_name", np.bytes_("mouse 3"))(file)

    assert read_metadata(nwb(edit=edit)).cre_line == cre_line


def test_cre_line_from_the_specimen_where_the_genotype_is_unknown(nwb):
    path = nwb(edit=replacing("general/subject/genotype", np.bytes_("unknown")))
    assert read_metadata(path).cre_line == "Cux2-CreERT2"


@pytest.mark.parametrize(
    ("key", "text", "field", "expected"),
    [
        ("sex", "F", "sex", "female"),
        ("sex", "Male", "sex", "male"),
        ("sex", "U", "sex", "unknown"),
        ("age", "P98D", "age_days", 98),
        ("age", "120 days", "age_days", 120),
    ],
)
def test_sex_and_age(nwb, key, text, field, expected):
    path = nwb(edit=replacing(f"general/subject/{key}", np.bytes_(text)))
    assert getattr(read_metadata(path), field) == expected


def test_metadata_of_a_row():
    row = {
        **dict.fromkeys(("session_id", "container_id", "mouse", "cre_line", "area"), "x"),
        "session_type": "three_session_A",
        "sex": "male",
        "depth_um": "175",
        "age_days": "",
        "source": "not a field",
    }
    found = Metadata.of_row(row)
    assert (found.mouse, found.depth_um) == ("x", 175.0)
    assert np.isnan(found.age_days)
    for broken in ({**row, "depth_um": "deep"}, {"session_id": "x"}):
        with pytest.raises(InputError, match=r"sessions\.csv cannot be used .*remove"):
            Metadata.of_row(broken)


def test_what_a_file_does_not_say(nwb):
    found = read_metadata(nwb("55.nwb", deleting("general")))
    assert found.session_id == found.container_id == found.mouse == "55"
    assert found.cre_line == found.area == found.session_type == found.sex == "unknown"
    assert np.isnan(found.depth_um)
    assert np.isnan(found.age_days)


def test_the_mouse_falls_back_to_the_subject(nwb):
    def edit(file):
        replacing("general/specimen_name", np.bytes_("unknown"))(file)
        replacing("general/subject/subject_id", np.bytes_("m1"))(file)

    assert read_metadata(nwb(edit=edit)).mouse == "m1"


def test_depth_zero_is_unknown(nwb):
    key = "general/optophysiology/imaging_plane_1/imaging depth"
    assert np.isnan(read_metadata(nwb(edit=replacing(key, np.bytes_("0 microns")))).depth_um)


def test_a_recording(nwb):
    recording = read(nwb())
    assert recording.frame_rate_hz == pytest.approx(30)
    np.testing.assert_array_equal(recording.cell_specimen_ids, np.arange(500, 505))
    gratings = recording.stimuli["drifting_gratings"]
    np.testing.assert_array_equal(gratings["start"], 90 * np.arange(24))
    np.testing.assert_array_equal(gratings["end"], 90 * np.arange(24) + 60)
    assert gratings["orientation"][:3].tolist() == [0, 45, 90]
    assert recording.stimuli["spontaneous"]["start"].tolist() == [2500]
    assert recording.stimuli["spontaneous"]["end"].tolist() == [2700]


def test_presentations_are_put_in_order_of_time(nwb):
    def edit(file):
        group = file["stimulus/presentation/drifting_gratings_stimulus"]
        for key in ("data", "frame_duration"):
            group[key][...] = group[key][:][::-1]

    recording, expected = read(nwb(edit=edit)), read(nwb("1.nwb"))
    for column, values in expected.stimuli["drifting_gratings"].items():
        np.testing.assert_array_equal(recording.stimuli["drifting_gratings"][column], values)


def test_behaviour_is_put_on_imaging_frames(nwb):
    behaviour = read(nwb()).behaviour
    running = behaviour["running_speed"]
    np.testing.assert_array_equal(running[200:300], np.arange(100))
    assert np.isnan(running[:199]).all()
    assert np.isnan(running[301:]).all()
    # the pupil has half the frames: frame 2i shows sample i
    np.testing.assert_array_equal(behaviour["pupil"][::2], np.arange(1500))
    assert np.isfinite(behaviour["pupil"]).all()


def test_corrected_fluorescence_subtracts_the_neuropil(nwb):
    path = nwb()
    recording = read(path)
    with h5py.File(path) as file:
        raw = file[f"{layout.FLUORESCENCE}/data"][:]
    np.testing.assert_allclose(
        recording.corrected_fluorescence(slice(1, 3)), raw[1:3] - 5, rtol=1e-6
    )


def test_corrected_fluorescence_starts_from_the_demixed_signal(nwb):
    demixed = np.full((5, 3000), 50, np.float32)
    recording = read(nwb(edit=replacing(f"{layout.DEMIXED}/data", demixed)))
    np.testing.assert_allclose(recording.corrected_fluorescence(slice(0, 5)), 45)


def test_fluorescence_without_neuropil_is_used_as_it_is(nwb):
    path = nwb(edit=deleting(layout.NEUROPIL))
    with h5py.File(path) as file:
        raw = file[f"{layout.FLUORESCENCE}/data"][:]
    np.testing.assert_array_equal(read(path).corrected_fluorescence(slice(0, 5)), raw)


def test_running_and_pupil_may_be_missing(nwb):
    path = nwb(edit=deleting(layout.RUNNING_SPEED, layout.PUPIL[0]))
    assert read(path).behaviour == {}


def test_no_file(tmp_path):
    fails(tmp_path / "none.nwb", "no such file")


def test_not_an_nwb_file(tmp_path):
    path = tmp_path / "1.nwb"
    path.write_text("<html>not found</html>")
    fails(path, "not an NWB file", "download it again")


def test_another_hdf5_file(tmp_path):
    path = tmp_path / "1.nwb"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    fails(path, "Allen NWB 1.0", "remove it")


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated_file(nwb, keep):
    path = nwb()
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    fails(path, "truncated or damaged", "copy it again")


def test_unreadable_data(nwb):
    noise = np.random.default_rng(0).normal(size=(5, 3000)).astype(np.float32)

    def edit(file):
        del file[f"{layout.STORED_DFF}/data"]
        file.create_dataset(f"{layout.STORED_DFF}/data", data=noise, compression="gzip")

    path = nwb(edit=edit)
    with h5py.File(path) as file:
        chunk = file[f"{layout.STORED_DFF}/data"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    with pytest.raises(InputError, match="truncated or damaged"):
        read(path).stored_dff(slice(0, 5))


def test_without_dff(nwb):
    path = nwb(edit=deleting(layout.STORED_DFF))
    with pytest.raises(InputError, match=r"100\.nwb holds no .*DfOverF.*windowed_median"):
        read(path).stored_dff(slice(0, 5))


def test_without_fluorescence(nwb):
    path = nwb(edit=deleting(layout.FLUORESCENCE))
    with pytest.raises(InputError, match=r"100\.nwb holds no .*Fluorescence.*stored"):
        read(path).corrected_fluorescence(slice(0, 5))


def test_without_any_trace(nwb):
    fails(nwb(edit=deleting(layout.FLUORESCENCE, layout.STORED_DFF)), "neither", "remove")


def test_traces_that_do_not_fit_the_cells(nwb):
    path = nwb(edit=replacing(f"{layout.STORED_DFF}/data", np.zeros((4, 3000))))
    with pytest.raises(InputError, match=r"shape \(4, 3000\).*5 cells and 3000 timestamps"):
        read(path).stored_dff(slice(0, 5))


def test_timestamps_that_do_not_rise(nwb):
    path = nwb(edit=replacing(f"{layout.STORED_DFF}/timestamps", np.zeros(3000)))
    fails(path, "timestamps", "do not rise")


def test_repeated_cells(nwb):
    key = f"{PIPELINE}/ImageSegmentation/cell_specimen_ids"
    fails(nwb(edit=replacing(key, np.zeros(5, np.int64))), "cell_specimen_ids", "repeats")


@pytest.mark.parametrize("frames", [[2990, 3001], [-1, 5], [40, 30]])
def test_presentations_outside_the_recording(nwb, frames):
    def edit(file):
        file["stimulus/presentation/drifting_gratings_stimulus/frame_duration"][7] = frames

    fails(nwb(edit=edit), "drifting_gratings presentation 7", "3000")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("drifting_gratings_stimulus/frame_duration", np.zeros((24, 3))),
        ("drifting_gratings_stimulus/data", np.zeros((24, 2))),
        ("natural_movie_one_stimulus/data", np.zeros(7)),
        ("spontaneous_stimulus/data", np.array([1, 1])),
    ],
)
def test_broken_stimulus_tables(nwb, key, value):
    name = key.split("/")[0]
    fails(nwb(edit=replacing(f"stimulus/presentation/{key}", value)), name, "broken")


def test_a_stimulus_without_frames(nwb):
    key = "stimulus/presentation/drifting_gratings_stimulus"
    fails(nwb(edit=deleting(f"{key}/frame_duration")), "drifting_gratings", "missing")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda time: time[::-1], "its timestamps do not rise"),
        (lambda time: 1000 * time, "is measured on 0 % of the imaging frames"),
        (lambda time: time + 1e6, "is measured on 0 % of the imaging frames"),
    ],
)
def test_running_speed_that_cannot_be_used_is_warned_of(nwb, caplog, edit, words):
    def change(file):
        timestamps = file[f"{layout.RUNNING_SPEED}/timestamps"]
        timestamps[:] = edit(timestamps[:])

    path = nwb(edit=change)
    read(path)
    lines = [line for line in caplog.messages if "running_speed" in line]
    assert any(words in line and path.name in line for line in lines)


def test_a_pupil_that_is_measured_throughout_is_not_warned_of(nwb, caplog):
    read(nwb())
    assert not any("PupilTracking" in line for line in caplog.messages)
