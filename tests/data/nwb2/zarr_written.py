"""An HDF5 file of NWB 2 as the Zarr folder that hdmf-zarr makes of it.

hdmf-zarr itself needs zarr-python 2; `.ci/check-nwb2` lets it write, in an environment of its own.
"""

import json
from pathlib import Path

import h5py
import numcodecs
import numpy as np
import zarr

DATES = ("/session_start_time", "/timestamps_reference_time", "/file_create_date")
"""What hdmf-zarr writes as bytes, with a fill value that is none."""


def as_zarr(source: Path, folder: Path) -> Path:
    with h5py.File(source) as file:
        _group(file, folder, file)
    return folder


def _group(group: h5py.Group, folder: Path, file: h5py.File) -> None:
    folder.mkdir(parents=True)
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    attributes, links = _attributes(group, file), []
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            links.append({"name": name, "path": link.path, "source": "."})
        elif isinstance(group[name], h5py.Group):
            if group[name].name != "/specifications":
                _group(group[name], folder / name, file)
        else:
            _array(group[name], folder / name, file)
    if links:
        attributes["zarr_link"] = links
    (folder / ".zattrs").write_text(json.dumps(attributes))


def _array(dataset: h5py.Dataset, folder: Path, file: h5py.File) -> None:
    values = np.atleast_1d(dataset[()])
    if h5py.check_ref_dtype(dataset.dtype):
        return
    if dataset.name in DATES:
        _dates(values, folder)
        return
    if values.dtype.kind == "O":
        values = np.array([v.decode() for v in values.ravel()], np.dtypes.StringDType())
    array = zarr.create_array(
        folder,
        shape=values.shape,
        dtype=values.dtype,
        chunks=dataset.chunks or tuple(max(1, n) for n in values.shape),
        zarr_format=2,
        config={"write_empty_chunks": True},
    )
    array[...] = values
    attributes = _attributes(dataset, file)
    (folder / ".zattrs").write_text(json.dumps(attributes))


def _dates(values: np.ndarray, folder: Path) -> None:
    folder.mkdir()
    about = {"shape": values.shape, "chunks": values.shape, "dtype": "|O", "fill_value": 0}
    about |= {"compressor": numcodecs.Blosc().get_config(), "filters": [{"id": "vlen-bytes"}]}
    about |= {"order": "C", "zarr_format": 2}
    (folder / ".zarray").write_text(json.dumps(about))
    (folder / "0").write_bytes(numcodecs.Blosc().encode(numcodecs.VLenBytes().encode(values)))


def _attributes(item: h5py.Group | h5py.Dataset, file: h5py.File) -> dict:
    found = {}
    for name, value in item.attrs.items():
        if isinstance(value, h5py.Reference):
            path = {"path": file[value].name, "source": "."}
            found[name] = {"value": path, "zarr_dtype": "object"}
        elif isinstance(value, np.ndarray):
            if not h5py.check_ref_dtype(value.dtype):
                found[name] = value.tolist()
        else:
            found[name] = value.item() if isinstance(value, np.generic) else value
    return found
