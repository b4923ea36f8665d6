"""How far training has come: a bar on a terminal, a line now and then in a log."""

import logging
import time
from contextlib import ExitStack

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

LINE_S = 60.0
"""Seconds between two lines of a log."""

log = logging.getLogger(__name__)


class Progress:
    """Loss, windows a second and the time that is left, if training does not stop early.

    Parameters
    ----------
    total : int
        Windows of the whole training.
    done : int
        Windows of these that a killed run has done.
    show : bool
        False in all processes but one.
    """

    def __init__(self, total: int, done: int, show: bool):
        self._bar = tqdm(total=total, initial=done, unit="window", disable=None if show else True)
        self._lines = show and self._bar.disable
        self._total, self._first, self._done = total, done, done
        self._began = self._told = time.monotonic()

    def __enter__(self) -> "Progress":
        with ExitStack() as stack:
            stack.callback(self._bar.close)
            if not self._bar.disable:
                stack.enter_context(logging_redirect_tqdm())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *raised) -> None:
        self._stack.close()

    def add(self, windows: int, epoch: int, loss: float) -> None:
        """A step is done."""
        self._done += windows
        self._bar.set_postfix(epoch=epoch, loss=f"{loss:.4f}", refresh=False)
        self._bar.update(windows)
        now = time.monotonic()
        if self._lines and now - self._told >= LINE_S:
            self._told = now
            rate = (self._done - self._first) / (now - self._began)
            log.info(
                "epoch %d: loss %.4f, %.0f windows/s, at most %.0f min left",
                *(epoch, loss, rate, (self._total - self._done) / rate / 60),
            )
