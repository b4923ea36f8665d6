"""Which units lie beside one another: by their atoms, and by what they respond to."""

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from glasscortex.analysis import effects

NUMBER = 6
"""Neighbours of each kind."""


def neighbours(
    atoms: Float32[np.ndarray, "width d_in"],
    responses: Float32[np.ndarray, "presentations width"],
    units: Int64[np.ndarray, " units"],
) -> pd.DataFrame:
    """Find the units next to each unit.

    Parameters
    ----------
    atoms : ndarray, shape (width, d_in)
    responses : ndarray, shape (presentations, width)
    units : ndarray of int, shape (units,)
        Those that are described, and among which neighbours are sought.

    Returns
    -------
    pandas.DataFrame
        One row a unit, `kind` and neighbour, the closest first (`NUMBER`): the `value` is the
        cosine of the atoms (kind *cosine*), or the correlation of the responses (*coactivation*).

    Examples
    --------
    >>> found = neighbours(np.eye(2, dtype="f4"), np.array([[1.0, 0], [0, 1]]), np.arange(2))
    >>> found[found["unit"] == 0].to_dict("list")
    {'unit': [0, 0], 'kind': ['cosine', 'coactivation'], 'neighbour': [1, 1], 'value': [0.0, -1.0]}
    """
    length = np.linalg.norm(atoms[units], axis=1, keepdims=True)
    normed = atoms[units] / np.where(length > 0, length, 1)
    alike = effects.standardised(responses[:, units])
    kinds = {"cosine": normed @ normed.T, "coactivation": alike.T @ alike}
    parts = [pd.DataFrame(columns=["unit", "kind", "neighbour", "value"])] * (not len(units))
    for row, unit in enumerate(units):
        for kind, values in kinds.items():
            value = np.delete(values[row], row)
            closest = np.argsort(-value, kind="stable")[:NUMBER]
            others = np.delete(units, row)[closest]
            found = {"unit": unit, "kind": kind, "neighbour": others}
            parts.append(pd.DataFrame(found | {"value": value[closest].round(7)}))
    return pd.concat(parts, ignore_index=True)
