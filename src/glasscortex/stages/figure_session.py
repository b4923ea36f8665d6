"""Draw one session, to look at before it is trusted."""

from glasscortex.figures.session import session_figure
from glasscortex.figures.style import save_png
from glasscortex.stages.arguments import Input, Output


def figure_session(
    *,
    nwb: Input,
    store: Input,
    manifest: Input,
    quality: Input,
    png: Output,
) -> None:
    """Draw one session, to look at before it is trusted."""
    drawn = session_figure(quality=quality, store=store, manifest=manifest, nwb=nwb)
    save_png(drawn, png)
