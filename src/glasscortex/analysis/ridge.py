"""Ridge regression on all units, for many targets and penalties at once."""

import numpy as np
from jaxtyping import Float

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Candidates of the penalty, as a share of a unit's sum of squares."""


def ridge(
    spectrum: tuple[Float[np.ndarray, " units"], Float[np.ndarray, "units units"]],
    moments: Float[np.ndarray, "units targets"],
    squares: float,
) -> list[Float[np.ndarray, "units targets"]]:
    """Weights under each of the `PENALTIES`.

    Parameters
    ----------
    spectrum : tuple of ndarray
        Eigenvalues and eigenvectors of the units' Gram matrix.
    moments : ndarray, shape (units, targets)
        Products of the units with the targets.
    squares : float
        A unit's sum of squares.

    Examples
    --------
    >>> x, y = np.array([[1.0], [-1.0]]), np.array([[2.0], [-2.0]])
    >>> weights = ridge(np.linalg.eigh(x.T @ x), x.T @ y, len(x))
    >>> weights[PENALTIES.index(1.0)].tolist()
    [[1.0]]
    """
    values, vectors = spectrum
    along = vectors.T @ moments
    return [vectors @ (along / (values + squares * penalty)[:, None]) for penalty in PENALTIES]
