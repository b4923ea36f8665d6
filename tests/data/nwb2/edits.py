"""Ways to edit an NWB 2 file, as tests do: what another laboratory may have written."""

import h5py

from tests.data.edits import both as all_of
from tests.data.edits import change

OPHYS = "processing/ophys"
DFF = f"{OPHYS}/DfOverF/DfOverF"
FLUORESCENCE = f"{OPHYS}/Fluorescence"
TIME = f"{DFF}/timestamps"
TABLE = f"{OPHYS}/ImageSegmentation/PlaneSegmentation"
SHOWN = "stimulus/presentation"
GRATINGS = f"{SHOWN}/drifting_gratings"
MOVIE = f"{SHOWN}/natural_movie_one_stimulus"
RUNNING = "processing/behavior/BehavioralTimeSeries/running_speed"
ALL_SIGNALS = (DFF, *(f"{FLUORESCENCE}/{name}" for name in ("Raw", "Neuropil")))


def without(*keys):
    def edit(file):
        for key in keys:
            del file[key]

    return edit


def declared(key, **attributes):
    return lambda file: file[key].attrs.update(attributes)


def undeclared(key, name):
    return lambda file: file[key].attrs.__delitem__(name)


def rated(key=DFF, **attributes):
    """The rate of a series in place of its timestamps."""

    def edit(file):
        for series in ALL_SIGNALS:
            del file[f"{series}/timestamps"]
        file[f"{key}/starting_time"] = 10.0
        file[f"{key}/starting_time"].attrs.update(unit="seconds", **attributes)

    return edit


def in_unit(key, unit, factor):
    """Times in another unit, and said to be."""
    return all_of(change(key, lambda t: t / factor), declared(key, unit=unit))


def second_plane(shift=0.0, frames=3000, location="VISp"):
    """Another plane of the same cells' ids, with its own times."""

    def edit(file):
        file.copy(TABLE, f"{OPHYS}/ImageSegmentation/Second")
        file.copy("general/optophysiology/ImagingPlane", "general/optophysiology/Second")
        second = file[f"{OPHYS}/ImageSegmentation/Second"]
        del second["imaging_plane"], file["general/optophysiology/Second/location"]
        second["imaging_plane"] = h5py.SoftLink("/general/optophysiology/Second")
        file["general/optophysiology/Second/location"] = location
        for key in ALL_SIGNALS:
            file.copy(file[key], f"{key}2", expand_soft=True)
            series = file[f"{key}2"]
            series["rois"].attrs["table"] = second.ref
            data, time = series["data"][:frames], series["timestamps"][:frames]
            unit = series["timestamps"].attrs["unit"]
            del series["data"], series["timestamps"]
            series["data"], series["timestamps"] = data, time + shift
            series["data"].attrs.update(conversion=1.0, unit="n.a.")
            series["timestamps"].attrs["unit"] = unit

    return edit


def column(table, name, values):
    """A further column of a table of intervals."""
    return lambda file: file[table].create_dataset(name, data=values)


def named_by_containers(file):
    """Fluorescence, neuropil and spikes as suite2p's own file names them: by their containers."""
    for name in ("Neuropil", "Deconvolved"):
        group = file.create_group(f"{OPHYS}/{name}")
        group.attrs.update(file[FLUORESCENCE].attrs)
    file.move(f"{FLUORESCENCE}/Neuropil", f"{OPHYS}/Neuropil/plane0")
    file.move(f"{FLUORESCENCE}/Raw", f"{FLUORESCENCE}/plane0")
    spikes = f"{OPHYS}/Deconvolved/plane0"
    file.copy(file[f"{FLUORESCENCE}/plane0"], spikes, expand_soft=True)
    file[f"{spikes}/data"][:] = 0
    file[f"{spikes}/rois"].attrs["table"] = file[TABLE].ref
