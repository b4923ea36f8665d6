"""Windows of ΔF/F: averaged to one rate, z-scored, compressed; one HDF5 file a session."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

BLOCK_ROWS = 256


def frames_of(window_s: float, rate_hz: float) -> int:
    """Frames or samples of a window, at least one."""
    return max(1, round(window_s * rate_hz))


def averaging_matrix(frames: int, samples: int) -> np.ndarray:
    """Weights that average equally long frames to equally long samples, by shared time.

    Returns
    -------
    numpy.ndarray
        float32 (frames, samples); columns sum to 1, rows to samples / frames.
    """
    frame_edges = np.arange(frames + 1) / frames
    sample_edges = np.arange(samples + 1) / samples
    begins = np.maximum(frame_edges[:-1, None], sample_edges[None, :-1])
    ends = np.minimum(frame_edges[1:, None], sample_edges[None, 1:])
    return (samples * np.clip(ends - begins, 0, None)).astype(np.float32)


def write_windows(
    path: Path,
    *,
    session_id: str,
    cells: list[str],
    dff: np.ndarray,
    trials: pd.DataFrame,
    samples: Mapping[str, int],
    sample_rate_hz: float,
) -> None:
    """Write the windows of all presentations of a session.

    ΔF/F is z-scored by cell with the mean and standard deviation over all samples of the
    windows of the train split (a standard deviation of 0 counts as 1). Calcium events reach
    dozens of these; asinh, about linear below one and logarithmic above, keeps a few of them
    from drowning the rest.

    Parameters
    ----------
    path
        HDF5 file: attributes session_id, cells, sample_rate_hz; a contiguous float32 dataset
        (presentations, cells, samples) a stimulus, in the order of `trials`.
    session_id, cells
        Names; cells are "container_id/cell_specimen_id".
    dff
        (cells, frames)
    trials
        Columns stimulus, window_start, window_stop, split; windows of one stimulus are
        equally long.
    samples
        Samples of a window by stimulus.
    sample_rate_hz
        Rate of the samples.
    """
    windows, train = {}, []
    for stimulus, rows in trials.groupby("stimulus"):
        values = _averaged(dff, rows["window_start"], rows["window_stop"], samples[stimulus])
        windows[stimulus] = values
        train.append(values[(rows["split"] == "train").to_numpy()])
    mean, sd = _moments(train)
    with h5py.File(path, "w") as file:
        file.attrs["session_id"] = session_id
        file.attrs["cells"] = np.array(cells, dtype="S")
        file.attrs["sample_rate_hz"] = sample_rate_hz
        for stimulus, values in windows.items():
            values -= mean[:, None]
            values /= sd[:, None]
            file.create_dataset(stimulus, data=np.arcsinh(values))


def _averaged(dff: np.ndarray, start: pd.Series, stop: pd.Series, samples: int) -> np.ndarray:
    """Float32 (windows, cells, samples)."""
    first = start.to_numpy()
    frames = int(stop.iloc[0] - start.iloc[0])
    weights = averaging_matrix(frames, samples)
    averaged = np.empty((len(first), len(dff), samples), np.float32)
    for row in range(0, len(first), BLOCK_ROWS):
        window = first[row : row + BLOCK_ROWS, None] + np.arange(frames)
        # einsum, not matmul: the same bytes whatever the number of BLAS threads
        averaged[row : row + BLOCK_ROWS] = np.einsum("cwf,fs->wcs", dff[:, window], weights)
    return averaged


def _moments(windows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation by cell over windows and samples, float32 (cells,) each."""
    count = sum(values.shape[0] * values.shape[2] for values in windows)
    mean = sum(values.sum(axis=(0, 2), dtype=np.float64) for values in windows) / count
    squares = sum(
        np.square(values - mean[:, None], dtype=np.float64).sum(axis=(0, 2)) for values in windows
    )
    sd = np.sqrt(squares / count)
    return mean.astype(np.float32), np.where(sd > 0, sd, 1).astype(np.float32)


class SessionWindows:
    """Reader of one session's windows.

    Attributes
    ----------
    session_id : str
    cells : list of str
        "container_id/cell_specimen_id", in the order of the second axis.
    sample_rate_hz : float
    shapes : dict
        (presentations, cells, samples) by stimulus.
    """

    def __init__(self, path: Path):
        self._path = Path(path)
        self._offsets = {}
        self.shapes: dict[str, tuple[int, int, int]] = {}
        with h5py.File(path, "r") as file:
            self.session_id: str = file.attrs["session_id"]
            self.cells: list[str] = [name.decode() for name in file.attrs["cells"]]
            self.sample_rate_hz: float = float(file.attrs["sample_rate_hz"])
            for stimulus, dataset in file.items():
                self._offsets[stimulus] = dataset.id.get_offset()
                self.shapes[stimulus] = dataset.shape

    @property
    def stimuli(self) -> list[str]:
        """Names of the stimuli shown."""
        return list(self.shapes)

    def read(self, stimulus: str, rows: np.ndarray) -> np.ndarray:
        """Windows of the named presentations, float32 (rows, cells, samples).

        Each call maps the file into memory and lets go of it, so that what was read before
        does not stay resident, however many sessions are read in turn.
        """
        windows = np.memmap(
            self._path,
            dtype="<f4",
            mode="r",
            offset=self._offsets[stimulus],
            shape=self.shapes[stimulus],
        )
        return np.array(windows[rows])
