"""Windows of ΔF/F: averaged to one rate, z-scored, compressed; one HDF5 file a session."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import h5py
import numpy as np
import pandas as pd

from glasscortex.files import verified

BLOCK_ROWS, BLOCK_CELLS = 256, 32

Frames = Callable[[int, int], np.ndarray]


def frames_of(window_s: float, rate_hz: float) -> int:
    """Frames or samples of a window, at least one."""
    return max(1, round(window_s * rate_hz))


def averaging_matrix(frames: int, samples: int) -> np.ndarray:
    """Weights that average equally long frames to equally long samples, by shared time.

    Parameters
    ----------
    frames : int
        Frames of a window.
    samples : int
        Samples of a window.

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
    dff: Frames,
    trials: pd.DataFrame,
    samples: Mapping[str, int],
    sample_rate_hz: float,
) -> None:
    """Write the windows of all presentations of a session.

    ΔF/F is z-scored by cell with the mean and standard deviation over all samples of the
    windows of the train split (a standard deviation of 0 counts as 1). Calcium events reach
    dozens of these; asinh, about linear below one and logarithmic above, keeps a few of them
    from drowning the rest.

    Memory holds 256 windows of all cells, or all windows of 32 cells.

    Parameters
    ----------
    path : Path
        HDF5 file: attributes session_id, cells, sample_rate_hz; a contiguous float32 dataset
        (presentations, cells, samples) a stimulus, in the order of `trials`.
    session_id : str
        Name of the session.
    cells : list of str
        Names, "container_id/cell_specimen_id".
    dff : callable
        ΔF/F of the frames from one to before another, float32 (cells, frames).
    trials : pandas.DataFrame
        Columns stimulus, window_start, window_stop, split; windows of one stimulus are
        equally long.
    samples : mapping of str to int
        Samples of a window by stimulus.
    sample_rate_hz : float
        Rate of the samples.
    """
    with h5py.File(path, "w") as file:
        file.attrs["session_id"] = session_id
        file.attrs["cells"] = np.array(cells, dtype="S")
        file.attrs["sample_rate_hz"] = sample_rate_hz
        train = {}
        for stimulus, rows in trials.groupby("stimulus"):
            shape = len(rows), len(cells), samples[stimulus]
            windows = file.create_dataset(stimulus, shape, np.float32)
            _average(windows, dff, rows["window_start"].to_numpy(), rows["window_stop"].to_numpy())
            train[stimulus] = (rows["split"] == "train").to_numpy()
        for first in range(0, len(cells), BLOCK_CELLS):
            block = slice(first, first + BLOCK_CELLS)
            averaged = {stimulus: file[stimulus][:, block] for stimulus in train}
            mean, sd = _moments([averaged[stimulus][train[stimulus]] for stimulus in train])
            for stimulus, values in averaged.items():
                values -= mean[:, None]
                values /= sd[:, None]
                file[stimulus][:, block] = np.arcsinh(values)


def _average(windows: h5py.Dataset, dff: Frames, start: np.ndarray, stop: np.ndarray) -> None:
    """Fill (windows, cells, samples) with the averages of the windows from start to stop."""
    frames = int(stop[0] - start[0])
    weights = averaging_matrix(frames, windows.shape[2])
    for row in range(0, len(windows), BLOCK_ROWS):
        block = slice(row, row + BLOCK_ROWS)
        traces = np.stack([dff(a, b).T for a, b in zip(start[block], stop[block], strict=True)])
        # einsum, not matmul: the same bytes whatever the number of BLAS threads
        windows[block] = np.einsum("wfc,fs->wcs", traces, weights)


def _moments(windows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation by cell over windows and samples, float32 (cells,) each."""
    count = sum(values.shape[0] * values.shape[2] for values in windows)
    mean = sum(values.sum(axis=(0, 2), dtype=np.float64) for values in windows) / count
    squares = sum(
        np.square(values - mean[:, None], dtype=np.float64).sum(axis=(0, 2)) for values in windows
    )
    sd = np.sqrt(squares / count)
    return mean.astype(np.float32), np.where(sd > 0, sd, 1).astype(np.float32)


class WindowsReader(Protocol):
    """What reads the windows of one session, wherever they lie."""

    @property
    def session_id(self) -> str:
        """Name of the session."""

    @property
    def cells(self) -> list[str]:
        """Names, "container_id/cell_specimen_id", in the order of the second axis."""

    @property
    def sample_rate_hz(self) -> float:
        """Rate of the samples."""

    @property
    def shapes(self) -> dict[str, tuple[int, int, int]]:
        """(presentations, cells, samples) by stimulus."""

    def read(self, stimulus: str, rows: np.ndarray) -> np.ndarray:
        """Windows of the named presentations, float32 (rows, cells, samples)."""


class SessionWindows:
    """Reader of one session's windows in a file.

    Parameters
    ----------
    path : Path
        File of `write_windows`.

    Attributes
    ----------
    session_id : str
        Name of the session.
    cells : list of str
        "container_id/cell_specimen_id", in the order of the second axis.
    sample_rate_hz : float
        Rate of the samples.
    shapes : dict
        (presentations, cells, samples) by stimulus.

    Raises
    ------
    InputError
        The file is not as it was written.
    """

    def __init__(self, path: Path):
        self._path = Path(path)
        self._offsets: dict[str, int] = {}
        self.shapes: dict[str, tuple[int, int, int]] = {}
        with h5py.File(verified(path), "r") as file:
            self.session_id: str = file.attrs["session_id"]
            self.cells: list[str] = [name.decode() for name in file.attrs["cells"]]
            self.sample_rate_hz: float = float(file.attrs["sample_rate_hz"])
            for stimulus, dataset in file.items():
                self._offsets[stimulus] = dataset.id.get_offset()
                self.shapes[stimulus] = dataset.shape

    def read(self, stimulus: str, rows: np.ndarray) -> np.ndarray:
        """Windows of the named presentations.

        Each call maps the file into memory and lets go of it, so that what was read before
        does not stay resident, however many sessions are read in turn.

        Parameters
        ----------
        stimulus : str
            Name of the stimulus.
        rows : numpy.ndarray
            Integer (rows,), presentations of the stimulus.

        Returns
        -------
        numpy.ndarray
            float32 (rows, cells, samples).
        """
        windows = np.memmap(
            self._path,
            dtype="<f4",
            mode="r",
            offset=self._offsets[stimulus],
            shape=self.shapes[stimulus],
        )
        return np.array(windows[rows])


class ArrayWindows:
    """Windows of one session in memory, read as those of a file are.

    Parameters
    ----------
    session_id : str
        Name of the session.
    cells : list of str
        "container_id/cell_specimen_id".
    windows : mapping of str to numpy.ndarray
        (presentations, cells, samples) by stimulus.
    sample_rate_hz : float
        Rate of the samples.

    Examples
    --------
    >>> scenes = np.arange(12.0).reshape(3, 2, 2)
    >>> session = ArrayWindows("a", ["7/1", "7/2"], {"natural_scenes": scenes}, 10.0)
    >>> session.shapes
    {'natural_scenes': (3, 2, 2)}
    >>> session.read("natural_scenes", np.array([2])).tolist()
    [[[8.0, 9.0], [10.0, 11.0]]]
    """

    def __init__(
        self,
        session_id: str,
        cells: list[str],
        windows: Mapping[str, np.ndarray],
        sample_rate_hz: float,
    ):
        self.session_id = session_id
        self.cells = cells
        self.sample_rate_hz = sample_rate_hz
        self._windows = {name: np.asarray(w, np.float32) for name, w in windows.items()}
        self.shapes = {name: _shape(w) for name, w in self._windows.items()}

    def read(self, stimulus: str, rows: np.ndarray) -> np.ndarray:
        """Windows of the named presentations, float32 (rows, cells, samples)."""
        return self._windows[stimulus][rows]


class WindowsFolder(Mapping[str, SessionWindows]):
    """The windows of many sessions, by the session's name; each is opened when it is asked for.

    Parameters
    ----------
    folder : Path
        Folder of `<session>.h5`, files of `write_windows`.
    """

    def __init__(self, folder: Path):
        self._folder = Path(folder)
        self._readers: dict[str, SessionWindows] = {}

    def __getitem__(self, session_id: str) -> SessionWindows:
        if session_id not in self._readers:
            path = self._folder / f"{session_id}.h5"
            if not path.is_file():
                raise KeyError(f"{path} does not exist")
            self._readers[session_id] = SessionWindows(path)
        return self._readers[session_id]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self._folder.glob("*.h5")))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _shape(windows: np.ndarray) -> tuple[int, int, int]:
    presentations, cells, samples = windows.shape
    return presentations, cells, samples
