"""What decoders predict, and how sure they are of it."""

import numpy as np

PREDICTION = np.dtype([("value", np.float32), ("confidence", np.float32)])
"""Of a presentation: the most likely class, or the value, in the label's unit; and the probability
that the class is given, NaN for a value. Both are NaN where nothing was predicted."""


def predictions(value: np.ndarray | float, confidence: np.ndarray | float = np.nan) -> np.ndarray:
    """Array of `PREDICTION`, with the shape of `value`.

    Examples
    --------
    >>> predictions(np.array([90, 45]), np.array([0.5, 1]))["confidence"].tolist()
    [0.5, 1.0]
    """
    made = np.empty(np.shape(value), PREDICTION)
    made["value"], made["confidence"] = value, confidence
    return made


def unpredicted(presentations: int) -> np.ndarray:
    """As many predictions, of which each says nothing."""
    return predictions(np.full(presentations, np.nan))
