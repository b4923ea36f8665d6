"""Draw one of the figures from its tables."""

from importlib import import_module

from glasscortex.figures.style import save
from glasscortex.stages.arguments import Inputs, Output
from glasscortex.tables import read_table


def figure(
    *,
    tables: Inputs,
    svg: Output,
    png: Output,
    figure: str,
) -> None:
    """Draw one of the figures from its tables.

    Parameters
    ----------
    tables : list of Path
        By their stems the keyword arguments of the figure's function.
    svg, png : Path
        The figure, twice.
    figure : str
        Name of its module.
    """
    draw = getattr(import_module(f"glasscortex.figures.{figure}"), f"{figure}_figure")
    save(draw(**{path.stem: read_table(path) for path in tables}), svg, png)
