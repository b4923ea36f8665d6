"""Simulated sessions as NWB 1.0 files of the Allen Brain Observatory's layout.

The layout is what AllenSDK 2.16.2 reads (`BrainObservatoryNwbDataSet`): strings are fixed-length
bytes, data that are the same are hard links. Nothing in a file depends on when it was written.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from glasscortex.data.synthetic import behaviour as eye
from glasscortex.data.synthetic.behaviour import Behaviour
from glasscortex.data.synthetic.calcium import Fluorescence
from glasscortex.data.synthetic.design import Timeline
from glasscortex.data.synthetic.images import templates
from glasscortex.data.synthetic.imaging import FIELD_PIXELS, Imaging, masks

FIRST_FRAME_S = 10.0
"""Time of the first imaging frame; as in real files, clocks start before imaging."""
START_TIME = "Fri Apr 01 09:12:03 2016"
"""One date for all sessions: the date of writing would change the bytes."""
FIELD_MICRONS = 400.0
COUNT_STEP = 1 / 16
"""Fluorescence is stored in steps of a sixteenth of a count, ΔF/F in steps of `DFF_STEP`: far
below the noise, and half the size when compressed."""
DFF_STEP = 2.0**-12
CELL_LEVEL = 160
"""Brightness of cells in the maximum projection, whose background is below 40."""
RUNNING_MISSES = (3, 5)
"""Imaging frames without running speed at the start and at the end, as in real files."""
UNCOMPRESSED_BYTES = 4096
COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


@dataclass(frozen=True)
class Recording:
    """All that the file of a session holds.

    Attributes
    ----------
    session : dict
        Row of the table of sessions.
    genotype : str
        As the Allen writes it.
    frame_rate_hz : float
        Imaging frames a second.
    cell_specimen_ids : numpy.ndarray
        (cells,)
    timeline : Timeline
        What is shown when.
    fluorescence : Fluorescence
        Of cells and of the neuropil.
    neuropil_r : numpy.ndarray
        Contamination (cells,).
    dff : numpy.ndarray
        (cells, frames)
    behaviour : Behaviour
        Running, pupil, gaze.
    imaging : Imaging
        What no trace depends on.
    """

    session: dict[str, object]
    genotype: str
    frame_rate_hz: float
    cell_specimen_ids: np.ndarray
    timeline: Timeline
    fluorescence: Fluorescence
    neuropil_r: np.ndarray
    dff: np.ndarray
    behaviour: Behaviour
    imaging: Imaging


def write_nwb(path: Path, recording: Recording) -> None:
    """Write a recording; the same recording gives the same bytes.

    Parameters
    ----------
    path : Path
        File to write.
    recording : Recording
        What it holds.
    """
    with h5py.File(path, "w") as file:
        _write_general(file, recording)
        pipeline = file.create_group("processing/brain_observatory_pipeline")
        timestamps = FIRST_FRAME_S + np.arange(recording.timeline.frames) / recording.frame_rate_hz
        _write_traces(pipeline, recording, timestamps)
        _write_segmentation(pipeline, recording.cell_specimen_ids, recording.imaging)
        _write_behaviour(pipeline, recording.behaviour, timestamps)
        _write_motion(pipeline, timestamps, recording.imaging.motion)
        _write_stimuli(file, recording.timeline, timestamps)


def _put(group: h5py.Group, name: str, data) -> None:
    """A dataset; strings become fixed-length bytes, large arrays are compressed."""
    data = np.asarray(data)
    if data.dtype.kind == "U":
        data = np.char.encode(data, "utf-8")
    options = COMPRESSION if data.nbytes > UNCOMPRESSED_BYTES else {}
    group.create_dataset(name, data=data, track_times=False, **options)


def _series(parent: h5py.Group, name: str, timestamps: np.ndarray, **datasets) -> h5py.Group:
    """A group with data over time."""
    group = parent.create_group(name)
    group.attrs["neurodata_type"] = np.bytes_("TimeSeries")
    for key, data in datasets.items():
        _put(group, key, data)
    _put(group, "timestamps", timestamps)
    return group


def _write_general(file: h5py.File, recording: Recording) -> None:
    session = recording.session
    for group in ("acquisition", "analysis", "epochs"):
        file.create_group(group)
    for name, text in {
        "nwb_version": "NWB-1.0.5",
        "identifier": f"simulated-{session['session_id']}",
        "session_description": "Simulated by glasscortex: not a recording of a mouse.",
        "session_start_time": START_TIME,
        "file_create_date": ["2016-04-01T09:12:03"],
        "general/session_id": session["session_id"],
        "general/ophys_experiment_id": session["session_id"],
        "general/experiment_container_id": session["container_id"],
        "general/session_type": session["session_type"],
        "general/specimen_name": session["mouse"],
        "general/targeted_structure": session["area"],
        "general/fov": f"{FIELD_MICRONS:.0f}x{FIELD_MICRONS:.0f} microns "
        f"({FIELD_PIXELS} x {FIELD_PIXELS} pixels)",
        "general/generated_by": ["brain_observatory_pipeline", "version", "3.0"],
        "general/devices/2-photon microscope": "Two-photon microscope. Simulated Please see "
        "session_description.",
        "general/subject/age": f"{session['age_days']} days",
        "general/subject/sex": session["sex"],
        "general/subject/species": "Mus musculus",
        "general/subject/subject_id": session["mouse"],
        "general/subject/genotype": recording.genotype,
        "general/optophysiology/imaging_plane_1/imaging depth": f"{session['depth_um']} microns",
        "general/optophysiology/imaging_plane_1/location": session["area"],
        "general/optophysiology/imaging_plane_1/excitation_lambda": "910 nanometers",
        "general/optophysiology/imaging_plane_1/indicator": "GCaMP6f",
        "general/optophysiology/imaging_plane_1/imaging_rate": f"{recording.frame_rate_hz} Hz",
    }.items():
        _put(file, name, text)


def _stored(traces: np.ndarray, step: float) -> np.ndarray:
    return (np.rint(traces / step) * step).astype(np.float32)


def _write_traces(pipeline: h5py.Group, recording: Recording, timestamps: np.ndarray) -> None:
    names = _roi_names(len(recording.cell_specimen_ids))
    seen = recording.fluorescence
    plane = "imaging_plane_1"
    group = pipeline.create_group("Fluorescence")
    measured = _series(
        group, plane, timestamps, data=_stored(seen.measured, COUNT_STEP), roi_names=names
    )
    demixed = group.create_group(f"{plane}_demixed_signal")
    demixed["data"], demixed["timestamps"] = measured["data"], measured["timestamps"]
    neuropil = group.create_group(f"{plane}_neuropil_response")
    _put(neuropil, "data", _stored(seen.neuropil, COUNT_STEP))
    _put(neuropil, "r", recording.neuropil_r)
    neuropil["timestamps"] = measured["timestamps"]
    dff = pipeline.create_group(f"DfOverF/{plane}")
    _put(dff, "data", _stored(recording.dff, DFF_STEP))
    _put(dff, "roi_names", names)
    dff["timestamps"] = measured["timestamps"]


def _roi_names(cells: int) -> list[str]:
    return [f"roi_{i:03d}" for i in range(cells)]


def _write_segmentation(pipeline: h5py.Group, ids: np.ndarray, imaging: Imaging) -> None:
    group = pipeline.create_group("ImageSegmentation")
    _put(group, "cell_specimen_ids", ids)
    _put(group, "roi_ids", [str(i) for i in ids])
    plane = group.create_group("imaging_plane_1")
    names = _roi_names(len(ids))
    _put(plane, "roi_list", names)
    projection = imaging.background.copy()
    for name, mask in zip(names, masks(imaging.places), strict=True):
        projection[mask] = CELL_LEVEL
        _put(plane, f"{name}/img_mask", mask.astype(np.uint8))
    _put(plane, "reference_images/maximum_intensity_projection_image/data", projection)


def _write_behaviour(pipeline: h5py.Group, behaviour: Behaviour, timestamps: np.ndarray) -> None:
    measured = slice(RUNNING_MISSES[0], len(timestamps) - RUNNING_MISSES[1])
    _series(
        pipeline,
        "BehavioralTimeSeries/running_speed",
        timestamps[measured],
        data=behaviour.speed[measured],
    )
    area = np.maximum(eye.PUPIL_AREA_PIXELS + eye.PUPIL_SD_PIXELS * behaviour.pupil, 0)
    gaze, angles = behaviour.gaze.copy(), np.rad2deg(np.arctan(behaviour.gaze / eye.MONITOR_CM))
    for trace in (area, gaze, angles):
        trace[behaviour.blink] = np.nan
    _series(pipeline, "PupilTracking/pupil_size", timestamps, data=area)
    _series(pipeline, "EyeTracking/pupil_location", timestamps, data=gaze[:, ::-1])
    _series(pipeline, "EyeTracking/pupil_location_spherical", timestamps, data=angles)


def _write_motion(pipeline: h5py.Group, timestamps: np.ndarray, motion: np.ndarray) -> None:
    _series(
        pipeline,
        "MotionCorrection/2p_image_series/xy_translation",
        timestamps,
        data=motion,
        feature_description=["x_motion", "y_motion"],
    )


def _write_stimuli(file: h5py.File, timeline: Timeline, timestamps: np.ndarray) -> None:
    stacks = file.create_group("stimulus/templates")
    for name, shown in timeline.presentations.items():
        frames = np.stack([shown.start, shown.stop], axis=1)
        columns = shown.columns
        extra: dict[str, list[str]] = {}
        if name == "spontaneous":
            data = np.tile([1, -1], len(frames))
            frames = np.repeat(frames.reshape(-1, 1), 2, axis=1)
        elif "index" in columns:
            data = columns["index"]
            _put(stacks, f"{name}_image_stack/data", templates(name))
        else:
            if name == "drifting_gratings":
                columns = {**columns, "blank_sweep": shown.blank.astype(float)}
            data, extra = np.stack(list(columns.values()), axis=1), {"features": list(columns)}
        _series(
            file,
            f"stimulus/presentation/{name}_stimulus",
            timestamps[frames[:, 0]],
            data=data,
            frame_duration=frames,
            **extra,
        )
