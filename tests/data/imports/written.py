"""Results of suite2p and CaImAn, laid out as these programs lay them out."""

import datetime
import pathlib
import pickle
from pathlib import Path

import h5py
import numpy as np

ROIS, CELLS, FRAMES, RATE, HEIGHT, WIDTH = 6, [0, 2, 3, 5], 3000, 12.5, 40, 60
R = 0.6


def traces(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Fluorescence and that of the neuropil, float32 (ROIs, frames)."""
    rng = np.random.default_rng(seed)
    f = rng.normal(100, 5, (ROIS, FRAMES)).astype(np.float32)
    return f, (f * 0.1).astype(np.float32)


def rois() -> list[dict]:
    """What `stat.npy` holds: ROI `n` is a row of three pixels that begins at column `n`."""
    return [
        {
            "ypix": np.full(3, 2 * n, np.int32),
            "xpix": np.arange(n, n + 3, dtype=np.int32),
            "lam": np.array([0.2, 0.5, 0.3], np.float32),
            "med": [np.float64(2 * n), n + 1],
            "npix": np.int64(3),
            "overlap": np.array([True, False, False]),
            "neuropil_mask": np.arange(9),
        }
        for n in range(ROIS)
    ]


def settings() -> dict[str, dict]:
    """The settings of a plane, by file: as versions to 0.14 have them, and from 1.0 on."""
    when = datetime.datetime(2024, 3, 1, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    return {
        "ops.npy": {
            "fs": RATE,
            "neucoeff": R,
            "Ly": HEIGHT,
            "Lx": WIDTH,
            "date_proc": when,
            "save_path": pathlib.PosixPath("/data"),
            "meanImg": np.ones((HEIGHT, WIDTH), np.float32),
            "timing": {"detection": np.float32(1.5)},
            "filelist": np.array(["a.tif", "b.tif"]),
        },
        "settings.npy": {
            "fs": RATE,
            "extraction": {"neuropil_coefficient": np.float64(R)},
            "date_proc": when,
        },
        "db.npy": {"Ly": HEIGHT, "Lx": WIDTH, "data_path": [pathlib.PosixPath("/data")]},
    }


def old_pickle(path: Path, value) -> None:
    """`np.save` of a NumPy before 2, whose modules had other names."""
    array = np.array(value, dtype=object)
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": array.shape}
        )
        file.write(pickle.dumps(array, 3).replace(b"cnumpy._core", b"cnumpy.core"))


def suite2p(folder: Path, planes: int = 1, new: bool = False) -> Path:
    """A folder of results of version 1 (`new`) or of one before."""
    for number in range(planes):
        place = folder / f"plane{number}"
        place.mkdir(parents=True)
        f, neuropil = traces(number)
        np.save(place / "F.npy", f)
        np.save(place / "Fneu.npy", neuropil)
        np.save(place / "spks.npy", f)
        np.save(place / "iscell.npy", np.stack([np.isin(np.arange(ROIS), CELLS), f[:, 0]], axis=1))
        if new:
            np.save(place / "stat.npy", np.array(rois()))
            for name in ("settings.npy", "db.npy"):
                np.save(place / name, settings()[name])
        else:
            old_pickle(place / "stat.npy", rois())
            old_pickle(place / "ops.npy", settings()["ops.npy"])
    return folder


def caiman(path: Path) -> Path:
    """A file as `cnm.save` writes it; component `n` is the ROI `n` of suite2p's."""
    f, _ = traces()
    masks = [roi["xpix"] * HEIGHT + roi["ypix"] for roi in rois()]
    with h5py.File(path, "w") as file:
        file["dims"] = [HEIGHT, WIDTH]
        file["params/data/fr"] = RATE
        file["estimates/F_dff"] = f.astype(np.float64) / 100 - 1
        file["estimates/C"] = f
        file["estimates/idx_components"] = np.array(CELLS)
        file["estimates/A/data"] = np.tile([0.2, 0.5, 0.3], ROIS)
        file["estimates/A/indices"] = np.concatenate(masks).astype(np.int32)
        file["estimates/A/indptr"] = np.arange(ROIS + 1, dtype=np.int32) * 3
        file["estimates/A/shape"] = [HEIGHT * WIDTH, ROIS]
    return path


SESSION = """
session: tank_1
start: 2024-03-01T09:30:00+01:00
mouse: mouse 7
age: P90D
sex: F
genotype: Cux2-CreERT2/wt;Ai93/wt
area: VISp
indicator: GCaMP6f
depth_um: 175
"""

STIMULI = "start_time,stop_time,stimulus,contrast,animal,rewarded\n" + "".join(
    f"{5 * row + 1},{5 * row + 3},{'gratings' if row % 2 else 'pictures'},"
    + (f"{row % 4},," if row % 2 else f",{'cat' if row % 4 else 'dog'},{row % 3 == 0}")
    + "\n"
    for row in range(40)
)

RUNNING = "time,running_speed\n" + "".join(f"{t / 2},{t}\n" for t in range(480))


def beside(folder: Path) -> Path:
    """The user's own files: a session, what was shown, and running; the path of the stimuli."""
    (folder / "session.yaml").write_text(SESSION)
    (folder / "running.csv").write_text(RUNNING)
    (folder / "stimuli.csv").write_text(STIMULI)
    return folder / "stimuli.csv"
