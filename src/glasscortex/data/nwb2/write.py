"""Write an NWB 2 file, by pynwb."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from glasscortex.data.nwb2.contents import PIXEL, Contents, Measured, PlaneContents, Session
from glasscortex.errors import InputError

try:
    from hdmf.backends.hdf5.h5_utils import H5DataIO
    from hdmf.common import DynamicTable, VectorData, VectorIndex
    from pynwb import NWBHDF5IO, NWBFile, ProcessingModule, TimeSeries
    from pynwb.behavior import BehavioralTimeSeries, PupilTracking
    from pynwb.device import Device
    from pynwb.epoch import TimeIntervals
    from pynwb.file import Subject
    from pynwb.ophys import (
        DfOverF,
        Fluorescence,
        ImageSegmentation,
        ImagingPlane,
        OpticalChannel,
        PlaneSegmentation,
        RoiResponseSeries,
    )
except ModuleNotFoundError as error:
    raise InputError(
        f"writing NWB needs {error.name}: pip install 'glasscortex[nwb]', or pip install pynwb"
    ) from None

CHUNK = 2**18
"""Values of a signal in a chunk: a mebibyte."""

NO_MASK = np.zeros(1, PIXEL)
"""A pixel without weight: NWB has no table of cells without masks."""

KEPT = {"compression": "gzip", "compression_opts": 1, "shuffle": True}

SIGNALS = {"dff": "ΔF/F", "fluorescence": "fluorescence", "neuropil": "neuropil's fluorescence"}

BEHAVIOUR = {
    "running_speed": (BehavioralTimeSeries, "running_speed", "cm/s"),
    "pupil": (PupilTracking, "pupil_size", "a.u."),
}
"""The container, name and unit of each trace of behaviour."""


def write(path: Path, contents: Contents) -> None:
    """Write a file that this package reads, and that pynwb and nwbinspector find in order.

    Parameters
    ----------
    path : Path
        File to write.
    contents : Contents
        What it holds.
    """
    with quiet(), NWBHDF5IO(path, "w") as io:
        file = _described(contents.session)
        ophys = file.create_processing_module("ophys", "cells and their activity")
        _add_planes(file, ophys, contents)
        if contents.behaviour:
            module = file.create_processing_module("behavior", "what the animal did")
            for name, measured in contents.behaviour.items():
                module.add(_behaviour(name, measured))
        for name, table in contents.intervals.items():
            about = f"when {name} was shown"
            file.add_time_intervals(
                TimeIntervals(name=name, description=about, columns=list(columns(table)))
            )
        io.write(file)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what hdmf warns of: the order in which parts are joined, and names of columns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"hdmf\.")
        yield


def columns(table: pd.DataFrame) -> Iterator[VectorData]:
    """The columns of a table as NWB has them; text that is missing is empty.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns of numbers, truth values or text.
    """
    for name, values in table.items():
        data = values.to_numpy()
        if data.dtype.kind not in "biuf":
            data = values.fillna("").astype(str).to_numpy(object)
        yield VectorData(name=str(name), description=str(name).replace("_", " "), data=data)


def _described(session: Session) -> NWBFile:
    told = {"Container ID": session.container, "Session type": session.session_type}
    return NWBFile(
        session_description=session.description,
        identifier=session.session,
        session_start_time=session.start,
        session_id=session.session,
        notes="\n".join(f"{what}: {said}" for what, said in told.items() if said) or None,
        subject=Subject(
            subject_id=session.mouse,
            species=session.species,
            sex=session.sex,
            age=session.known_age,
            genotype=session.genotype,
        ),
    )


def _add_planes(file: NWBFile, ophys: ProcessingModule, contents: Contents) -> None:
    session, dated = contents.session, _dated(contents.time)
    device = file.create_device(name="Microscope", description="two-photon microscope")
    segmentation = ImageSegmentation(name="ImageSegmentation")
    ophys.add(segmentation)
    ratios, fluorescence = DfOverF(name="DfOverF"), Fluorescence(name="Fluorescence")
    for plane, depth_um in zip(contents.planes, contents.depths_um, strict=True):
        cells = PlaneSegmentation(
            name=f"cells_{plane.name}",
            description=f"cells of {plane.name}",
            imaging_plane=_imaged(file, device, session, plane.name, depth_um),
            id=plane.ids,
            columns=list(_masks(plane)),
        )
        segmentation.add_plane_segmentation(cells)
        rois = cells.create_roi_table_region("all cells", region=list(range(len(plane.ids))))
        for name, signal in plane.signals.items():
            series = RoiResponseSeries(
                name=f"{name}_{plane.name}",
                description=f"{SIGNALS[name]} of the cells of {plane.name}",
                data=H5DataIO(signal.T, chunks=_chunks(signal.T), **KEPT),
                unit="a.u.",
                rois=rois,
                **dated,
            )
            held = ratios if name == "dff" else fluorescence
            held.add_roi_response_series(series)
            dated = dated if "rate" in dated else {"timestamps": series}
    for held in (ratios, fluorescence):
        if held.roi_response_series:
            ophys.add(held)
    r = [plane.neuropil_r for plane in contents.planes if plane.neuropil_r is not None]
    if r:
        column = VectorData(name="ratios", description="r of each cell", data=np.concatenate(r))
        about = "share of the neuropil that is in the cells' fluorescence"
        ophys.add(DynamicTable(name="ContaminationRatios", description=about, columns=[column]))


def _imaged(
    file: NWBFile, device: Device, session: Session, name: str, depth_um: float | None
) -> ImagingPlane:
    return file.create_imaging_plane(
        name=f"imaging_{name}",
        description=name + (f", at a depth of {depth_um:g} µm" if depth_um else ""),
        optical_channel=OpticalChannel(
            name="OpticalChannel",
            description=f"light of {session.indicator}",
            emission_lambda=session.emission_nm or np.nan,
        ),
        device=device,
        excitation_lambda=session.excitation_nm or np.nan,
        indicator=session.indicator,
        location=session.area,
    )


def _masks(plane: PlaneContents) -> Iterator[VectorData]:
    masks = [pixels if len(pixels) else NO_MASK for pixels in plane.pixels]
    mask = VectorData(
        name="pixel_mask", description="pixels of each cell", data=np.concatenate(masks)
    )
    ends = np.cumsum([len(pixels) for pixels in masks])
    yield mask
    yield VectorIndex(name="pixel_mask_index", target=mask, data=ends)


def _chunks(data: np.ndarray) -> tuple[int, int]:
    cells = min(data.shape[1], 64)
    return min(data.shape[0], CHUNK // cells), cells


def _dated(time: np.ndarray) -> dict[str, object]:
    """How a series tells its times: by a rate if that gives them exactly."""
    rate = (len(time) - 1) / (time[-1] - time[0])
    for exact in (float(round(rate)), round(rate, 6), rate):
        if exact and np.array_equal(time[0] + np.arange(len(time)) / exact, time):
            return {"starting_time": float(time[0]), "rate": exact}
    return {"timestamps": time}


def _behaviour(name: str, measured: Measured) -> BehavioralTimeSeries | PupilTracking:
    container, own, unit = BEHAVIOUR[name]
    series = TimeSeries(
        name=own,
        description=own.replace("_", " "),
        data=measured.values,
        unit=unit,
        **_dated(measured.time),
    )
    return container(time_series=series)
