"""An NWB 1.0 file turned into NWB 2 by pynwb, laid out as the Allen's files on DANDI (000728)."""

import re
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
from hdmf.backends.hdf5.h5_utils import H5DataIO
from hdmf.common import DynamicTable, VectorData
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.base import Images
from pynwb.behavior import BehavioralTimeSeries, PupilTracking
from pynwb.epoch import TimeIntervals
from pynwb.file import Subject
from pynwb.image import GrayscaleImage, ImageSeries, IndexSeries
from pynwb.ophys import (
    CorrectedImageStack,
    DfOverF,
    Fluorescence,
    ImageSegmentation,
    MotionCorrection,
    OpticalChannel,
    PlaneSegmentation,
    RoiResponseSeries,
)

PIPELINE = "processing/brain_observatory_pipeline"
TRACES = f"{PIPELINE}/Fluorescence/imaging_plane_1"
GRATINGS = {
    "orientation": "orientation_in_degrees",
    "temporal_frequency": "temporal_frequency_in_hz",
    "spatial_frequency": "spatial_frequency_in_cycles_per_degree",
    "blank_sweep": "is_blank_sweep",
}


def turned(source: Path, target: Path, *, images_as_intervals=False, **storage) -> Path:
    """Write the NWB 2 file.

    Images are written as an IndexSeries, whose data have onsets only, or as intervals. `storage`
    are options of h5py for the traces, such as chunks and compression.
    """
    with h5py.File(source) as file, NWBHDF5IO(target, "w") as io:
        described = _described(file, source.stem)
        ophys = described.create_processing_module("ophys", "what was imaged")
        _add_traces(described, ophys, file, storage)
        _add_behaviour(described, file)
        for name in file.get("stimulus/presentation", ()):
            described.add_stimulus(_stimulus(described, file, name, images_as_intervals))
        io.write(described)
    return target


def _text(file: h5py.File, key: str, default: str = "unknown") -> str:
    return file[f"general/{key}"][()].decode() if f"general/{key}" in file else default


def _described(file: h5py.File, name: str) -> NWBFile:
    session_type, session_id = _text(file, "session_type"), _text(file, "session_id", name)
    age = re.sub(r"(\d+) days", r"P\1D", _text(file, "subject/age", ""))
    return NWBFile(
        session_description="turned from NWB 1.0",
        identifier=name,
        session_start_time=datetime(2016, 4, 1, tzinfo=UTC),
        session_id=session_id,
        notes=f"Container ID: {_text(file, 'experiment_container_id', session_id)}\n"
        f"Mouse ID (from genotype white paper): 1\nSession type: {session_type}",
        subject=Subject(
            subject_id=_text(file, "specimen_name"),
            strain=_text(file, "specimen_name"),
            genotype=_text(file, "subject/genotype"),
            sex={"male": "M", "female": "F"}.get(_text(file, "subject/sex"), "U"),
            age=age or None,
            species="Mus musculus",
        ),
    )


def _add_traces(described: NWBFile, ophys, file: h5py.File, storage: dict) -> None:
    plane = "general/optophysiology/imaging_plane_1"
    depth = file[f"{plane}/imaging depth"][()].decode() if f"{plane}/imaging depth" in file else ""
    imaging_plane = described.create_imaging_plane(
        name="ImagingPlane",
        description=f"imaged at a depth of {depth}.",
        optical_channel=OpticalChannel(name="green", description="light", emission_lambda=520.0),
        device=described.create_device(name="Microscope"),
        excitation_lambda=910.0,
        indicator="GCaMP6f",
        location=_text(file, "targeted_structure", _text(file, plane[8:] + "/location")),
    )
    table = PlaneSegmentation(
        name="PlaneSegmentation", description="cells", imaging_plane=imaging_plane
    )
    ids = file[f"{PIPELINE}/ImageSegmentation/cell_specimen_ids"][:]
    masks = _masks(file, len(ids))
    for cell, mask in zip(ids.tolist(), masks, strict=True):
        table.add_roi(id=cell, pixel_mask=mask)
    table.add_column("global_roi_id", "of the cell in all sessions", data=ids)
    ophys.add(ImageSegmentation(name="ImageSegmentation", plane_segmentations=table))
    rois = table.create_roi_table_region("all cells", region=list(range(len(ids))))
    first = None

    def series(name: str, key: str) -> list[RoiResponseSeries]:
        nonlocal first
        if f"{key}/data" not in file:
            return []
        data = H5DataIO(file[f"{key}/data"][:].T, **storage)
        time = first or file[f"{key}/timestamps"][:]
        found = RoiResponseSeries(name=name, data=data, timestamps=time, unit="n.a.", rois=rois)
        first = first or found
        return [found]

    dff = series("DfOverF", f"{PIPELINE}/DfOverF/imaging_plane_1")
    fluorescence = [
        *series("Corrected" if f"{TRACES}_demixed_signal" in file else "Raw", TRACES),
        *series("Demixed", f"{TRACES}_demixed_signal"),
        *series("Neuropil", f"{TRACES}_neuropil_response"),
    ]
    for container, found in ((DfOverF, dff), (Fluorescence, fluorescence)):
        if found:
            held = container(name=container.__name__)
            ophys.add(held)
            for signal in found:
                held.add_roi_response_series(signal)
    if f"{TRACES}_neuropil_response/r" in file:
        r = VectorData(
            name="ratios", description="r", data=file[f"{TRACES}_neuropil_response/r"][:]
        )
        ophys.add(DynamicTable(name="ContaminationRatios", description="r", columns=[r]))
    motion = f"{PIPELINE}/MotionCorrection/2p_image_series/xy_translation"
    if motion in file:
        moved = TimeSeries(
            name="xy_translation",
            data=file[f"{motion}/data"][:],
            timestamps=file[f"{motion}/timestamps"][:],
            unit="pixels",
        )
        ophys.add(_motion_correction(described, moved))


def _motion_correction(described: NWBFile, moved: TimeSeries) -> MotionCorrection:
    stack = {"data": np.zeros((1, 2, 2)), "rate": 1.0, "unit": "n.a."}
    original = ImageSeries(name="original", **stack)
    described.add_acquisition(original)
    return MotionCorrection(
        corrected_image_stacks=CorrectedImageStack(
            name="CorrectedImageStack",
            corrected=ImageSeries(name="corrected", **stack),
            original=original,
            xy_translation=moved,
        )
    )


def _masks(file: h5py.File, cells: int) -> list[list[tuple[int, int, float]]]:
    """Pixels (x, y, weight) of each cell; one pixel each where the file has no masks."""
    plane = f"{PIPELINE}/ImageSegmentation/imaging_plane_1"
    if f"{plane}/roi_list" not in file:
        return [[(cell, cell, 1.0)] for cell in range(cells)]
    images = (file[f"{plane}/{roi.decode()}/img_mask"][:] for roi in file[f"{plane}/roi_list"][:])
    return [[(x, y, 1.0) for y, x in np.argwhere(image).tolist()] for image in images]


def _add_behaviour(described: NWBFile, file: h5py.File) -> None:
    kinds = {
        "BehavioralTimeSeries/running_speed": (BehavioralTimeSeries, "cm/s"),
        "PupilTracking/pupil_size": (PupilTracking, "px"),
    }
    found = {key: kind for key, kind in kinds.items() if f"{PIPELINE}/{key}/data" in file}
    module = described.create_processing_module("behavior", "what the mouse did") if found else None
    for key, (kind, unit) in found.items():
        series = file[f"{PIPELINE}/{key}"]
        data, stamps = series["data"][:], series["timestamps"][:]
        measured = TimeSeries(
            name=series.name.split("/")[-1], data=data, timestamps=stamps, unit=unit
        )
        module.add(kind(time_series=measured))


def _stimulus(described: NWBFile, file: h5py.File, key: str, images_as_intervals: bool):
    """Gratings and spontaneous activity as intervals, images as an index over time."""
    group, time = file[f"stimulus/presentation/{key}"], _imaged(file)
    frames = group["frame_duration"][:]
    start, stop = time[frames[:, 0]], time[frames[:, 1]]
    name = key.removesuffix("_stimulus")
    if name == "spontaneous":
        table = TimeIntervals(name=key, description="grey")
        sign = group["data"][:].ravel()
        for begin, end in zip(start[sign > 0], stop[sign < 0], strict=True):
            table.add_interval(start_time=begin, stop_time=end)
        return table
    if "features" in group:
        features = [feature.decode() for feature in group["features"][:]]
        table = TimeIntervals(name=name, description="gratings")
        for feature in features:
            table.add_column(GRATINGS.get(feature, feature), feature)
        table.add_column("contrast", "of all alike")
        for begin, end, row in zip(start, stop, group["data"][:], strict=True):
            named = {GRATINGS.get(f, f): v for f, v in zip(features, row.tolist(), strict=True)}
            table.add_interval(start_time=begin, stop_time=end, contrast=0.8, **named)
        if "is_blank_sweep" in table.colnames:
            column = table["is_blank_sweep"]
            column.data[:] = [bool(value) for value in column.data]
        return table
    index = group["data"][:].ravel()
    if images_as_intervals:
        table = TimeIntervals(name=name, description="images")
        table.add_column("frame", "number of the image")
        for begin, end, image in zip(start, stop, index.tolist(), strict=True):
            table.add_interval(start_time=begin, stop_time=end, frame=image)
        return table
    shown = Images(
        name=f"{name}_template",
        description="the first picture",
        images=[GrayscaleImage(name="0", data=np.zeros((2, 3), np.uint8))],
    )
    described.add_stimulus_template(shown)
    return IndexSeries(
        name=key,
        data=index.astype(np.uint32),  # -1 is 2**32 - 1
        timestamps=start,
        indexed_images=shown,
        unit="N/A",
    )


def _imaged(file: h5py.File) -> np.ndarray:
    """Times of the imaging frames, and of the end of the last one."""
    groups = (f"{PIPELINE}/DfOverF/imaging_plane_1", TRACES)
    time = next(file[f"{g}/timestamps"][:] for g in groups if f"{g}/timestamps" in file)
    return np.append(time, time[-1] + np.median(np.diff(time)))
