"""The quality table: one row a cell that says whether its trace can be trusted.

Columns; a number that is not known is empty (of a cell that is left out: all after `nan_fraction`;
of ΔF/F taken as stored: the last four):

- session_id, cell_specimen_id
- used: whether the cell is in the store
- reason: why it is not, `not finite` (a value), `flat` (all values are the same) or
  `baseline` (zero or negative somewhere, and the method needs a positive one)
- nan_fraction: share of frames whose value is not finite
- noise: standard deviation of ΔF/F from frame to frame, robust to transients (`noise_sd`)
- snr: 99.9th percentile less median of ΔF/F in the middle half of the session, over the noise;
  about 3.1 for noise alone (near the ends `windowed_median` lifts ΔF/F)
- baseline_drift: median fluorescence of the last tenth of the session less that of the first, over
  that of the whole; -0.1 is the loss of a tenth
- low_baseline_fraction: share of frames whose baseline is not above the noise of the
  fluorescence (zero and negative ones are among them), where ΔF/F is divided by that noise
- r: contamination by the neuropil
- r_at_bound: whether a fitted or stored r is 0 or at least 2, the ends of the range of the fit
"""

import numpy as np
import pandas as pd

from glasscortex.data.dff.methods import Change
from glasscortex.data.dff.neuropil import LARGEST_R


def usable(traces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Why each cell cannot be used, "" where it can, and its nan_fraction, (cells,) each.

    Parameters
    ----------
    traces : numpy.ndarray
        (cells, frames)
    """
    lost = 1 - np.isfinite(traces).mean(axis=1)
    flat = (traces == traces[:, :1]).all(axis=1)
    return np.select([lost > 0, flat], ["not finite", "flat"], "").astype(object), lost


def describe(
    *,
    cell_specimen_id: np.ndarray,
    reason: np.ndarray,
    nan_fraction: np.ndarray,
    change: Change,
    fluorescence: np.ndarray | None,
    r: np.ndarray | None,
    is_estimate: bool,
) -> pd.DataFrame:
    """All columns but session_id, a row a cell.

    Parameters
    ----------
    cell_specimen_id, reason, nan_fraction : numpy.ndarray
        (cells,) each; the cells that are used have no reason.
    change : Change
        ΔF/F of the used cells.
    fluorescence : numpy.ndarray
        What it was computed from (used cells, frames); none where it was stored.
    r : numpy.ndarray, optional
        Contamination (cells,); none where it is not known.
    is_estimate : bool
        Whether r comes from the data; a number that the user chose has no bound.
    """
    used = reason == ""

    def of_used(values: np.ndarray | None) -> np.ndarray:
        column = np.full(len(used), np.nan)
        column[used] = np.nan if values is None else values
        return column

    quarter = change.dff.shape[1] // 4
    inner = change.dff[:, quarter : change.dff.shape[1] - quarter]
    peak, middle = np.percentile(inner, [99.9, 50], axis=1)
    r = of_used(None if r is None else r[used])
    at_bound = is_estimate & ((r <= 0) | (r >= LARGEST_R))
    columns = {
        "cell_specimen_id": cell_specimen_id,
        "used": used,
        "reason": reason,
        "nan_fraction": nan_fraction,
        "noise": of_used(change.noise),
        "snr": of_used(_ratio(peak - middle, change.noise)),
        "baseline_drift": of_used(None if fluorescence is None else _drift(fluorescence)),
        "low_baseline_fraction": of_used(change.low_baseline),
        "r": r,
        "r_at_bound": np.where(np.isnan(r), "", at_bound.astype(str)),
    }
    return pd.DataFrame(columns)


def _drift(fluorescence: np.ndarray) -> np.ndarray:
    tenth = max(1, fluorescence.shape[1] // 10)
    first, last, middle = (
        np.median(part, axis=1)
        for part in (fluorescence[:, :tenth], fluorescence[:, -tenth:], fluorescence)
    )
    return _ratio(last - first, middle)


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b; NaN where b is not above 0."""
    return np.divide(a, b, out=np.full(len(a), np.nan), where=b > 0)
