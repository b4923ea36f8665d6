"""What drives a unit: which cells, and which times of the window."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from glasscortex.data.batches import Batch, Batches
from glasscortex.decoder.hooks import activations
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import Dictionary

TOLERANCE = 0.05
"""Share of the responses that integrated gradients may miss without a warning."""

AT_ONCE = 512
"""Windows that are followed back together, each for one unit."""

PLACES = {"cell": pa.string(), "time_s": pa.float32()}
"""What attributions are summed to, and its type in a table."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drive:
    """What drove units in one session, while one stimulus was shown."""

    session_id: str
    stimulus: str
    cells: tuple[str, ...]
    """Names, "container_id/cell_specimen_id"."""
    times_s: Float[np.ndarray, " samples"]
    """Middle of each sample, from the start of the window."""
    units: Int64[np.ndarray, " units"]
    """Those that were active."""
    attribution: Float32[np.ndarray, "units cells samples"]
    """What each sample of each cell adds to the unit's response, on average."""

    def by_cell(self) -> pa.Table:
        """A row a unit and cell, summed over samples; see `schema`."""
        return self._table("cell", self.cells, self.attribution.sum(2))

    def by_time(self) -> pa.Table:
        """A row a unit and sample, summed over cells; see `schema`."""
        return self._table("time_s", self.times_s, self.attribution.sum(1))

    def _table(self, place: str, places, attribution: np.ndarray) -> pa.Table:
        rows = {
            "session_id": self.session_id,
            "stimulus": self.stimulus,
            "unit": np.repeat(self.units, len(places)),
            place: np.tile(places, len(self.units)),
            "attribution": attribution.ravel(),
        }
        return pa.Table.from_pandas(pd.DataFrame(rows), schema(place), preserve_index=False)


def schema(place: str) -> pa.Schema:
    """Columns of a table of attributions: to cells by name (`cell`), or to times (`time_s`)."""
    columns = {"session_id": pa.string(), "stimulus": pa.string(), "unit": pa.int32()}
    return pa.schema({**columns, place: PLACES[place], "attribution": pa.float32()})


def drives(
    decoder: Decoder,
    dictionary: Dictionary,
    hook: str,
    batches: Batches,
    mask: np.ndarray,
    presentations: int,
    nodes: int,
) -> Iterator[Drive]:
    """Attribute each unit's strongest responses to the cells' activity, batch by batch.

    Integrated gradients (Sundararajan et al. 2017) along the straight way from silence, every
    cell at its mean, to the window: attribution = x ⊙ ∫₀¹ ∂y/∂x (αx) dα, by Gauss–Legendre
    quadrature. Which units are active can jump on that way, so y is the response by the linear
    piece of the dictionary's encoder that holds at the window itself: the attributions add up to
    the response less what this piece gives in silence. What the quadrature misses is told in the
    log, with a warning above `TOLERANCE` (root mean square over responses).

    Time grows with units × presentations × nodes of each session and stimulus, memory with a
    batch and `AT_ONCE` windows.

    Parameters
    ----------
    decoder : Decoder
        In evaluation mode.
    dictionary : Dictionary
        Its encoder must be differentiable.
    hook : str
        The place in the transformer that the dictionary encodes.
    batches : Batches
        Windows of the presentations.
    mask : ndarray of bool, shape (presentations,)
        Which of them.
    presentations : int
        How many of a batch are followed back for a unit: those to which it responds most.
    nodes : int
        Points of the quadrature.

    Yields
    ------
    Drive
        Of each batch in which some unit is active.

    References
    ----------
    Sundararajan et al. 2017 (arXiv 1703.01365).
    """
    missed, changed = 0.0, 0.0
    for batch in batches.ordered(mask):
        windows, units = strongest(responses(decoder, dictionary, hook, batch), presentations)
        total = torch.zeros(dictionary.d_sae, *batch.values.shape[1:])
        for first in range(0, len(units), AT_ONCE):
            unit = units[first : first + AT_ONCE]
            rows = replace(batch, values=batch.values[windows[first : first + AT_ONCE]])
            attribution, change = integrated_gradients(decoder, dictionary, hook, rows, unit, nodes)
            total.index_add_(0, unit, attribution)
            missed += (attribution.sum((1, 2)) - change).square().sum().item()
            changed += change.square().sum().item()
        active, counts = units.unique(return_counts=True)
        if len(active):
            yield Drive(
                session_id=batch.session_id,
                stimulus=batch.stimulus,
                cells=decoder.vocabulary.cells[batch.session_id],
                times_s=(np.arange(total.shape[2]) + 0.5) / decoder.sample_rate_hz,
                units=active.numpy(),
                attribution=(total[active] / counts[:, None, None]).numpy(),
            )
    gap = (missed / changed) ** 0.5 if changed else 0.0
    level, advice = logging.INFO, ""
    if gap > TOLERANCE:
        level, advice = logging.WARNING, ": raise attribution.nodes"
    log.log(level, "attributions miss %.1f %% of the units' responses%s", 100 * gap, advice)


def strongest(
    responses: Float[Tensor, "windows units"], most: int
) -> tuple[Int64[Tensor, " pairs"], Int64[Tensor, " pairs"]]:
    """Pairs of a window and a unit: of each unit the windows of its largest absolute responses.

    Examples
    --------
    >>> windows, units = strongest(torch.tensor([[0.0, 1.0], [0.0, -3.0], [2.0, 0.5]]), 2)
    >>> windows.tolist(), units.tolist()
    ([2, 1, 0], [0, 1, 1])
    """
    size, window = responses.abs().topk(min(most, len(responses)), dim=0)
    units, rank = torch.nonzero(size.T > 0, as_tuple=True)
    return window[rank, units], units


def integrated_gradients(
    decoder: Decoder,
    dictionary: Dictionary,
    hook: str,
    batch: Batch,
    units: Int64[Tensor, " windows"],
    nodes: int,
) -> tuple[Float[Tensor, "windows cells samples"], Float[Tensor, " windows"]]:
    """Attribute the response to each window, of one unit each.

    Parameters
    ----------
    decoder : Decoder
        In evaluation mode.
    dictionary : Dictionary
        Its encoder must be differentiable.
    hook : str
        The place in the transformer that the dictionary encodes.
    batch : Batch
        The windows.
    units : Tensor of int, shape (windows,)
        The unit that is asked for in each window.
    nodes : int
        Points of the quadrature.

    Returns
    -------
    attribution : Tensor, shape (windows, cells, samples)
    change : Tensor, shape (windows,)
        What they have to add up to: the response by the linear piece at the window, less that in
        silence.
    """
    with torch.no_grad():
        x = activations(decoder, hook, batch)
        silent = activations(
            decoder, hook, replace(batch, values=torch.zeros_like(batch.values[:1]))
        )
    x.requires_grad_()
    response = dictionary.encode(x).mean(1)[torch.arange(len(units)), units]
    (piece,) = torch.autograd.grad(response.sum(), x)
    change = (piece * (x.detach() - silent)).sum((1, 2))
    slope = torch.zeros_like(batch.values)
    points, weights = np.polynomial.legendre.leggauss(nodes)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        values = (float(point) * batch.values).requires_grad_()
        passed = activations(decoder, hook, replace(batch, values=values))
        (gradient,) = torch.autograd.grad((piece * passed).sum(), values)
        slope += float(weight) * gradient
    return slope * batch.values, change


@torch.no_grad()
def responses(
    decoder: Decoder, dictionary: Dictionary, hook: str, batch: Batch
) -> Float[Tensor, "windows units"]:
    """Mean activation of every unit over the tokens of each window."""
    return dictionary.encode(activations(decoder, hook, batch)).mean(1)
