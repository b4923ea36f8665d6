"""Events: the firing behind ΔF/F, by OASIS."""

import numpy as np

from glasscortex.errors import InputError


def infer_events(dff: np.ndarray) -> np.ndarray:
    """Events of each cell, non-negative and sparse.

    With dff = c + b + noise and c_t = g c_(t-1) + s_t, the events s ≥ 0 have the least sum for
    which the residual's variance is that of the noise. The noise (from the power spectrum), the
    decay g (from the autocovariance) and the offset b are estimated for each cell, as the library
    does by default, so that no indicator or frame rate is assumed.

    Parameters
    ----------
    dff : numpy.ndarray
        ΔF/F (cells, frames), finite, no cell constant.

    Returns
    -------
    numpy.ndarray
        s, float32 (cells, frames), in ΔF/F: the rise that an event adds.

    Raises
    ------
    InputError
        The library is not installed.

    References
    ----------
    J. Friedrich, P. Zhou, L. Paninski. Fast online deconvolution of calcium imaging data. PLoS
    Computational Biology 13, e1005423 (2017). Library: oasis-deconv.
    """
    try:
        from oasis.functions import deconvolve
    except ImportError:
        raise InputError(
            "preprocess.events needs the library oasis-deconv: pip install glasscortex[events]"
        ) from None
    events = np.empty(dff.shape, np.float32)
    for cell, trace in enumerate(dff):
        inferred = deconvolve(trace.astype(np.float64), b_nonneg=False).s
        events[cell] = np.maximum(inferred, 0)  # rounding leaves some just below
    return events
