"""How much of the neuropil's fluorescence is in a cell's: the contamination ratio r."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

SMOOTHNESS, FOLDS = 0.05, 4
STEPS = (0.1, 0.01, 0.001)
LARGEST_R = 2.0
"""λ, folds, the grid's steps and the end of its first round, as AllenSDK has them."""


def contamination_ratios(
    measured: np.ndarray, neuropil: np.ndarray, *, threads: int = 1
) -> np.ndarray:
    """The r of each cell, see `contamination_ratio`; NaN where a value is not finite.

    Allen's pipeline sets r to 0 there; such a cell has no corrected trace here.

    Parameters
    ----------
    measured, neuropil : numpy.ndarray
        F_M, F_N (cells, frames).
    threads : int
        Cells that are fitted at a time; the result is the same for any number.

    Returns
    -------
    numpy.ndarray
        (cells,)
    """

    def one(cell: int) -> float:
        if np.isfinite(measured[cell]).all() and np.isfinite(neuropil[cell]).all():
            return contamination_ratio(measured[cell], neuropil[cell])
        return np.nan

    with ThreadPoolExecutor(threads) as pool:
        return np.fromiter(pool.map(one, range(len(measured))), float, len(measured))


def contamination_ratio(measured: np.ndarray, neuropil: np.ndarray) -> float:
    """The r of one cell, fitted by cross-validation as AllenSDK does.

    With F_M = F_C + r F_N, r makes F_M - r F_N closest to what is smooth in it,
    F_C = (I + λ LᵀL)⁻¹ (F_M - r F_N), where L takes differences of neighbouring frames and
    λ = 0.05. The error of r is the mean over four folds (quarters of the recording; up to three
    last frames are left over) of the root mean square of F_C - (F_M - r F_N), over the mean of F_M.
    The least error is looked for on a grid from 0 to 2 in steps of 0.1, refined to 0.01 and 0.001
    between the neighbours of the best; a best at the grid's end extends the grid, so r can be above
    2, and never below 0.

    F_C is linear in r, so the squared error of a fold is a quadratic: one solution for F_M and one
    for F_N give it on any grid, where AllenSDK solves for every r. As in Allen's pipeline r is 0
    where F_M - r F_N has no positive mean. A neuropil or a cell that is constant tells nothing:
    r is 0.

    Parameters
    ----------
    measured, neuropil : numpy.ndarray
        F_M, F_N (frames,), finite, at least 8 frames.

    References
    ----------
    AllenSDK, `allensdk.brain_observatory.r_neuropil.estimate_contamination_ratios` and
    `allensdk.internal.pipeline_modules.run_neuropil_correction`.
    """
    measured, neuropil = measured.astype(np.float64), neuropil.astype(np.float64)
    length = len(measured) // FOLDS
    folds = np.stack([measured, neuropil])[:, : FOLDS * length].reshape(2, FOLDS, length)
    mean = np.abs(folds[0].mean(axis=1))
    if not mean.all():
        return 0.0
    # The smooth part of a constant is itself, so constants leave no error.
    folds -= folds.mean(axis=2, keepdims=True)
    rough = folds - _smooth(folds)
    (a, b), c = (rough[0] * rough).sum(axis=2), (rough[1] ** 2).sum(axis=1)
    r = _best(a, b, c, length, mean)
    return r if measured.mean() > r * neuropil.mean() else 0.0


def _smooth(folds: np.ndarray) -> np.ndarray:
    """(I + λ LᵀL)⁻¹ along the last axis of (2, folds, frames)."""
    from scipy.linalg import solveh_banded  # slow to import, and only some configurations fit r

    frames = folds.shape[2]
    bands = np.empty((2, frames))
    bands[0], bands[1] = -SMOOTHNESS, 1 + 2 * SMOOTHNESS
    bands[1, [0, -1]] = 1 + SMOOTHNESS
    return solveh_banded(bands, folds.reshape(-1, frames).T, check_finite=False).T.reshape(
        folds.shape
    )


def _best(a: np.ndarray, b: np.ndarray, c: np.ndarray, length: int, mean: np.ndarray) -> float:
    """The r on the refined grid with the least mean of sqrt((a - 2 b r + c r²) / length) / mean."""
    start, stop, least, best = 0.0, LARGEST_R, np.inf, 0.0
    steps = list(STEPS)
    while steps:
        grid = np.arange(start, stop, steps[0])
        square = a - 2 * b * grid[:, None] + c * grid[:, None] ** 2
        error = (np.sqrt(np.maximum(square, 0) / length) / mean).mean(axis=1)
        lowest = int(np.argmin(error))
        if error[lowest] < least:
            least, best = error[lowest], grid[lowest]
        if lowest == len(grid) - 1:
            start, stop = grid[-1], 2 * grid[-1] - grid[0]
        else:
            start, stop = grid[max(lowest - 1, 0)], grid[lowest + 1]
            steps.pop(0)
    return float(best)
