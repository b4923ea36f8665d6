"""Draw one session, to look at before it is trusted."""

from glasscortex.analysis.session_page import session_page
from glasscortex.data.nwb import read_motion
from glasscortex.data.store import StoredSession, verify
from glasscortex.figures.session import session_figure
from glasscortex.figures.style import save_png
from glasscortex.stages.arguments import Input, Output
from glasscortex.tables import read_table


def figure_session(
    *,
    nwb: Input,
    store: Input,
    manifest: Input,
    quality: Input,
    png: Output,
) -> None:
    """Draw one session, to look at before it is trusted."""
    verify(store, manifest)
    page = session_page(StoredSession(store), read_table(quality), read_motion(nwb))
    save_png(session_figure(page), png)
