"""What an NWB 2 file of another laboratory may hold is read as it is meant."""

import numpy as np
import pytest

from glasscortex.data.nwb import read, read_metadata
from tests.data.edits import both as all_of
from tests.data.edits import change, put
from tests.data.nwb2.edits import (
    DFF,
    GRATINGS,
    MOVIE,
    OPHYS,
    RUNNING,
    SHOWN,
    TABLE,
    TIME,
    column,
    declared,
    in_unit,
    named_by_containers,
    rated,
    second_plane,
    without,
)
from tests.data.nwb2.zarr_written import as_zarr


def rate(recording):
    return round(recording.frame_rate_hz, 6)


def first_grating(recording):
    shown = recording.stimuli["drifting_gratings"]
    return [shown[column][0].item() for column in ("start", "end", "orientation")]


def running(recording):
    return recording.behaviour["running_speed"][250].item()


def dff(recording):
    return round(recording.stored_dff(slice(0, 1))[0, 0].item(), 6)


PLAIN = 0.006287  # the first value of ΔF/F

AS_MEANT = {
    "a rate in place of times": (rated(rate=30.0), rate, 30.0),
    "12.3 Hz": (rated(rate=12.3), rate, 12.3),
    "times in minutes": (in_unit(TIME, "minutes", 60), rate, 30.0),
    "times in milliseconds": (in_unit(TIME, "ms", 1e-3), rate, 30.0),
    "intervals in minutes": (
        all_of(*(in_unit(f"{GRATINGS}/{e}_time", "min", 60) for e in ("start", "stop"))),
        first_grating,
        [0, 60, 0.0],
    ),
    "running in m/s": (
        all_of(
            change(f"{RUNNING}/data", lambda d: d / 100), declared(f"{RUNNING}/data", unit="m/s")
        ),
        running,
        50.0,
    ),
    "running with a factor": (declared(f"{RUNNING}/data", conversion=0.5), running, 25.0),
    "ΔF/F in percent": (declared(f"{DFF}/data", unit="percent"), dff, round(PLAIN / 100, 6)),
    "ΔF/F with a factor": (declared(f"{DFF}/data", conversion=2.0), dff, 0.012573),
    "cells in rows": (change(f"{DFF}/data", lambda d: d.T), dff, PLAIN),
    "signals in 64 bits": (change(f"{DFF}/data", lambda d: d.astype("f8")), dff, PLAIN),
    "no ids across sessions": (
        without(f"{TABLE}/global_roi_id"),
        lambda recording: recording.cell_specimen_ids.tolist(),
        [500, 501, 502, 503, 504],
    ),
    "ids of rows alone": (
        all_of(put(f"{TABLE}/id", np.arange(5)), put(f"{TABLE}/global_roi_id", -np.ones(5))),
        lambda recording: recording.cell_specimen_ids.tolist(),
        [0, 1, 2, 3, 4],
    ),
    "two planes": (
        second_plane(shift=0.02),
        lambda recording: recording.cell_specimen_ids[4:7].tolist(),
        [504, 1_000_500, 1_000_501],
    ),
    "cells of two planes": (
        second_plane(),
        lambda recording: (
            recording.stored_dff(slice(3, 7))[2:] == recording.stored_dff(slice(0, 2))
        ).all(),
        True,
    ),
    "blanks that say a direction": (
        change(f"{GRATINGS}/orientation_in_degrees", lambda d: np.nan_to_num(d, nan=45.0)),
        lambda recording: np.isnan(recording.stimuli["drifting_gratings"]["orientation"]).sum(),
        2,
    ),
    "a column that varies is kept": (
        change(f"{GRATINGS}/contrast", lambda c: np.where(np.arange(24) % 2, c, 0.2)),
        lambda recording: recording.stimuli["drifting_gratings"]["contrast"][:2].tolist(),
        [0.2, 0.8],
    ),
    "a column that does not is left out": (
        None,
        lambda recording: sorted(recording.stimuli["drifting_gratings"]),
        ["blank_sweep", "end", "orientation", "start", "temporal_frequency"],
    ),
    "a column of words is kept": (
        column(GRATINGS, "sound", np.array([b"high", b"low"] * 12)),
        lambda recording: recording.stimuli["drifting_gratings"]["sound"][:2].tolist(),
        ["high", "low"],
    ),
    "another table": (
        lambda file: file.move(GRATINGS, f"{SHOWN}/tones"),
        lambda recording: sorted(recording.stimuli["tones"]),
        [
            "contrast",
            "end",
            "is_blank_sweep",
            "orientation_in_degrees",
            "start",
            "temporal_frequency_in_hz",
        ],
    ),
    "epochs that hold numbers": (
        lambda file: file.move(GRATINGS, "intervals/epochs"),
        lambda recording: len(recording.stimuli["epochs"]["contrast"]),
        24,
    ),
    "epochs that name blocks": (
        all_of(
            lambda file: file.copy(GRATINGS, "intervals/epochs"),
            without(
                *(f"intervals/epochs/{name}" for name in ("contrast", "is_blank_sweep")),
                "intervals/epochs/orientation_in_degrees",
                "intervals/epochs/temporal_frequency_in_hz",
            ),
            column("intervals/epochs", "stimulus_type", np.array([b"gratings"] * 24)),
        ),
        lambda recording: sorted(recording.stimuli),
        ["drifting_gratings", "natural_movie_one", "spontaneous"],
    ),
    "neuropil's r beside the cells": (
        all_of(
            column(TABLE, "neuropil_r", np.linspace(0.0, 0.5, 5)),
            without(f"{OPHYS}/ContaminationRatios"),
        ),
        lambda recording: recording.neuropil_r(slice(3, 5)).tolist(),
        [0.375, 0.5],
    ),
    "a table of no use beside": (
        all_of(
            lambda file: file.copy(GRATINGS, "intervals/licks"),
            put("intervals/licks/stop_time", np.zeros(24)),
        ),
        lambda recording: sorted(recording.stimuli),
        ["drifting_gratings", "natural_movie_one", "spontaneous"],
    ),
    "signals named by containers": (
        named_by_containers,
        lambda r: (sorted(r.signals), r.fluorescence(slice(0, 1)).min() > 0),
        (["dff", "fluorescence", "neuropil", "neuropil_r"], True),
    ),
    "no behaviour": (without("processing/behavior"), lambda r: r.behaviour, {}),
}


@pytest.mark.parametrize(("edit", "what", "expected"), AS_MEANT.values(), ids=AS_MEANT)
def test_a_recording_is_read_as_it_is_meant(nwb2, edit, what, expected):
    assert what(read(nwb2(edit))) == expected


ANOTHER_LABORATORY = all_of(
    change(TIME, lambda t: (10 + (t - 10) * 30 / 12.3) / 60),
    declared(TIME, unit="minutes"),
    second_plane(location="VISl"),
    without("general/subject/genotype", "general/subject/strain", "general/notes"),
    lambda file: file.move(GRATINGS, "intervals/tones"),
    put("intervals/tones/pitch", np.arange(24) % 3),
    put("intervals/tones/choice", np.array([b"left", b"right"] * 12)),
)


def test_a_recording_of_another_laboratory(nwb2):
    """12.3 Hz, two planes, minutes, no genotype, tables and columns of its own."""
    recording = read(nwb2(ANOTHER_LABORATORY))
    assert rate(recording) == 12.3
    assert recording.stored_dff(slice(None)).shape == (10, 3000)
    assert recording.metadata.cre_line == recording.metadata.area == "unknown"
    tones = recording.stimuli["tones"]
    assert {"pitch", "choice"} < tones.keys()
    assert tones["choice"][:2].tolist() == ["left", "right"]
    np.testing.assert_array_equal(tones["start"], np.rint(3 * np.arange(24) * 12.3))


METADATA = {
    "all": (None, {"session_id": "100", "container_id": "7", "sex": "male", "age_days": 103.0}),
    "where": (None, {"area": "VISp", "depth_um": 275.0, "cre_line": "Cux2-CreERT2"}),
    "the Visual Coding set": (
        all_of(put("general/session_id", "501574836-StimC2"), put("general/notes", "none")),
        {"session_id": "501574836", "session_type": "three_session_C2"},
    ),
    "no genotype": (
        without("general/subject/genotype", "general/subject/strain"),
        {"cre_line": "unknown", "mouse": "Cux2-CreERT2;Ai93-1"},
    ),
    "nothing": (
        without("general/subject", "general/session_id", "general/notes"),
        {"session_id": "100", "container_id": "100", "mouse": "100", "sex": "unknown"},
    ),
    "a date of birth": (
        all_of(
            without("general/subject/age"),
            put("general/subject/date_of_birth", "2016-01-01T00:00:00+00:00"),
        ),
        {"age_days": 91.0},
    ),
    "a depth among other lengths": (
        put(
            "general/optophysiology/ImagingPlane/description",
            "a field of 400 um at a depth of 0.35 mm",
        ),
        {"depth_um": 350.0},
    ),
    "lengths, none a depth": (
        put("general/optophysiology/ImagingPlane/description", "400 um x 300 um"),
        {"depth_um": pytest.approx(np.nan, nan_ok=True)},
    ),
    "planes in two areas": (second_plane(location="VISl"), {"area": "unknown", "depth_um": 275.0}),
}


@pytest.mark.parametrize(("edit", "expected"), METADATA.values(), ids=METADATA)
def test_metadata(nwb2, edit, expected):
    found = read_metadata(nwb2(edit))
    assert {name: getattr(found, name) for name in expected} == expected


def scenes_with_hidden_blanks(file):
    """As the files on DANDI: blanks are written as scene 0."""
    index = np.tile(np.r_[np.arange(6), 0], 30).astype(np.uint32)
    del file[GRATINGS]
    file.move(MOVIE, f"{SHOWN}/natural_scenes_stimulus")
    scenes = file[f"{SHOWN}/natural_scenes_stimulus"]
    del scenes["data"], scenes["timestamps"]
    scenes["data"], scenes["timestamps"] = index, 12 + 0.25 * np.arange(len(index))


WARNED = {
    "rows beyond imaging": (
        change(f"{GRATINGS}/stop_time", lambda t: np.where(np.arange(24) == 23, 500, t)),
        "1 of 24 rows of /stimulus/presentation/drifting_gratings are not within imaging",
    ),
    "running in no known unit": (
        declared(f"{RUNNING}/data", unit="a.u."),
        "running_speed is in 'a.u.' and taken for cm/s",
    ),
    "no label of one kind": (
        without(f"{GRATINGS}/temporal_frequency_in_hz"),
        "drifting_gratings has no labels of temporal_frequency",
    ),
    "blanks among scene 0": (
        scenes_with_hidden_blanks,
        "shows scene 0 60 times, others 30 times: blanks seem to be written as scene 0",
    ),
    "a table of no use": (
        all_of(
            lambda file: file.copy(GRATINGS, "intervals/licks"),
            put("intervals/licks/stop_time", np.zeros(24)),
        ),
        "/intervals/licks row 0 ends at 0 s, before 10 s: remove the file or mend its table (until",
    ),
    "gaps": (change(TIME, lambda t: t + 100 * (np.arange(3000) > 2900)), "has 1 gaps"),
}


@pytest.mark.parametrize(("edit", "words"), WARNED.values(), ids=WARNED)
def test_what_is_odd_is_warned_of(nwb2, caplog, edit, words):
    read(nwb2(edit))
    assert any(words in line and "100.nwb" in line for line in caplog.messages)


def test_scenes_whose_blanks_are_hidden_have_no_scene_0(nwb2):
    index = read(nwb2(scenes_with_hidden_blanks)).stimuli["natural_scenes"]["index"]
    assert np.unique(index).tolist() == [-1, 1, 2, 3, 4, 5]


def test_a_date_of_birth_in_a_folder(nwb2, tmp_path):
    """hdmf-zarr writes the date of the session as bytes, with a fill value that is none."""
    source = nwb2(METADATA["a date of birth"][0], "source.nwb")
    assert read_metadata(as_zarr(source, tmp_path / "1.nwb.zarr")).age_days == 91.0
