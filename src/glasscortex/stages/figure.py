"""Draw one of the figures from its tables."""

from importlib import import_module

from glasscortex.figures.style import save
from glasscortex.stages.arguments import Inputs, Output


def figure(
    *,
    tables: Inputs,
    svg: Output,
    png: Output,
    figure: str,
) -> None:
    """Draw one of the figures from its tables."""
    draw = getattr(import_module(f"glasscortex.figures.{figure}"), f"{figure}_figure")
    save(draw(**{path.stem: path for path in tables}), svg, png)
