"""One function for many sessions, in one process or in several."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from threadpoolctl import threadpool_limits

Given = TypeVar("Given")
Found = TypeVar("Found")


def side_by_side(
    function: Callable[[Given], Found], sessions: Iterable[Given], processes: int
) -> Iterator[Found]:
    """What the function finds for each session, in their order.

    Every process uses one thread for linear algebra, so that the numbers are the same however
    many processes there are.
    """
    if processes == 1:
        with threadpool_limits(1):
            yield from map(function, sessions)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), threadpool_limits, (1,)) as pool:
        yield from pool.map(function, sessions)
