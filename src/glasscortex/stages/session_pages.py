"""Write what the browser shows of the recordings."""

from glasscortex.browser.planes import plane
from glasscortex.browser.scripts import script
from glasscortex.browser.sessions import overview, pages
from glasscortex.browser.sessions import scores as scored
from glasscortex.data.views import read_masks
from glasscortex.files import atomic_write
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_table


def session_pages(
    *,
    sessions: Input,
    quality: Input,
    decoding: Input,
    confusion: Input,
    recordings: Folder,
    table: Output,
    data: Output,
) -> None:
    """Write what the browser shows of the recordings.

    Parameters
    ----------
    sessions, quality, decoding, confusion : Path
        Tables.
    recordings : Path
        Folder of the sessions' NWB files, whose masks are shown.
    table : Path
        Script of the table of sessions.
    data : Path
        Folder of a script a session; of one without masks it says so.
    """
    used = read_table(sessions)
    used = used[~used["held_out"]]
    cells, scores = read_table(quality), read_table(decoding)
    with atomic_write(table) as written:
        about = {"about": overview(used, cells), "scores": scored(scores)}
        written.write_text(script("sessions", about))
    with atomic_write(data) as written:
        written.mkdir()
        for session, page in pages(used, cells, scores, read_table(confusion)):
            name = session["session_id"]
            masks = plane(session["container_id"], read_masks(recordings / f"{name}.nwb"))
            (written / f"{name}.js").write_text(script(f"sessions/{name}", page | {"plane": masks}))
