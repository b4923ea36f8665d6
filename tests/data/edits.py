"""Edits of a recording: functions of an open HDF5 file that change it."""

import h5py
import numpy as np

from glasscortex.data.nwb1 import layout

PIPELINE = layout.PIPELINE
TIME = f"{layout.STORED_DFF}/timestamps"
IDS = f"{PIPELINE}/ImageSegmentation/cell_specimen_ids"
RUNNING = layout.RUNNING_SPEED
SHOWN = "stimulus/presentation"
GRATINGS = f"{SHOWN}/drifting_gratings_stimulus"
MOVIE = f"{SHOWN}/natural_movie_one_stimulus"
PLANE = "general/optophysiology/imaging_plane_1"
FREQUENCY, DIRECTION = 0, 1


def put(key, value, **options):
    def edit(file):
        if key in file:
            del file[key]
        file.create_dataset(key, data=value, **options)

    return edit


def change(key, how):
    """Replace the values of a dataset by a function of them."""
    return lambda file: put(key, how(file[key][()]))(file)


def text(key, value):
    return put(f"general/{key}", np.bytes_(value.encode()) if isinstance(value, str) else value)


def both(*edits):
    def edit(file):
        for one in edits:
            one(file)

    return edit


def empty_of(key, shape, dtype="f8", **options):
    """A dataset that declares a shape and stores nothing."""

    def edit(file):
        if key in file:
            del file[key]
        file.create_dataset(key, shape=shape, dtype=dtype, **options)

    return edit


def group_at(key):
    def edit(file):
        del file[key]
        file.create_group(key)

    return edit


def link(key, to):
    def edit(file):
        del file[key]
        file[key] = to

    return edit


def external_storage(file):
    del file[TIME]
    file.create_dataset(TIME, (3000,), "f8", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])


def virtual(file):
    layout = h5py.VirtualLayout((3000,), "f8")
    layout[:1500] = h5py.VirtualSource("elsewhere.h5", "x", (1500,))
    del file[TIME]
    file.create_virtual_dataset(TIME, layout, fillvalue=0)


def labels(column, how):
    def edited(data):
        data = data.copy()
        data[:, column] = how(data[:, column])
        return data

    return change(f"{GRATINGS}/data", edited)


def jittered(values, by):
    return values + by * np.linspace(-1, 1, len(values))


def named(*names):
    return put(f"{GRATINGS}/features", np.array(names, dtype="S"))


def frames(how, key=GRATINGS):
    return change(f"{key}/frame_duration", how)


def shown_alone(frame_duration, name="natural_scenes"):
    """One stimulus of images, and nothing else."""

    def edit(file):
        del file[SHOWN]
        file[f"{SHOWN}/{name}_stimulus/frame_duration"] = np.array(frame_duration)
        file[f"{SHOWN}/{name}_stimulus/data"] = np.arange(len(frame_duration))

    return edit


def whole_recording(pairs):
    pairs = pairs.copy()
    pairs[3] = 0, 3000
    return pairs
