"""Who and where was recorded, as a file of NWB 2 says it."""

import logging
import re
from datetime import datetime

from glasscortex.data.metadata import UNKNOWN, Metadata, Written, understood
from glasscortex.data.nwb2.types import Typed
from glasscortex.data.tree import Tree

ALLEN_ID = re.compile(r"(\d+)-Stim(A|B|C2?)")
"""Session of the Visual Coding set on DANDI (000728): the experiment, and what was shown."""

NOTES = {
    "container_id": re.compile(r"^Container ID: *(\S+)", re.MULTILINE),
    "session_type": re.compile(r"^Session type: *(\S+)", re.MULTILINE),
}
"""What that set says in its notes."""

DEPTH = re.compile(r"(\d+(?:\.\d+)?) *(um|µm|μm|microns?|micromet(?:er|re)s?|mm)\b")
"""A depth in the description of an imaging plane, which has no field of its own for it."""

logger = logging.getLogger(__name__)


def metadata(tree: Tree, groups: list[Typed], planes: list[str]) -> Metadata:
    """The metadata of a recording; see `glasscortex.data.metadata.understood`.

    Parameters
    ----------
    tree : Tree
        An open file.
    groups : list of Typed
        What it holds.
    planes : list of str
        Keys of the PlaneSegmentations that its cells are of.

    Raises
    ------
    InputError
        A text cannot be read, or an id cannot be part of a file's name.
    """

    def text(key: str) -> str:
        said = tree.texts(key)[0].strip() if key in tree and tree.texts(key) else ""
        return said if said and said.lower() != UNKNOWN else UNKNOWN

    notes, session_id = text("general/notes"), text("general/session_id")
    noted = {name: found[1] for name, how in NOTES.items() if (found := how.search(notes))}
    if allen := ALLEN_ID.fullmatch(session_id):
        session_id = allen[1]
        noted.setdefault("session_type", f"three_session_{allen[2]}")
    imaged = [f"{plane}/imaging_plane" for plane in planes]
    written = Written(
        session_id=session_id,
        mouse=text("general/subject/subject_id"),
        genotype=text("general/subject/genotype"),
        specimen=text("general/subject/strain"),
        area=_common(tree, "area", [text(f"{plane}/location") for plane in imaged]),
        depth=_common(tree, "depth", [_depth(text(f"{plane}/description")) for plane in imaged]),
        sex=text("general/subject/sex"),
        age=_age(
            text("general/subject/age"),
            text("general/subject/date_of_birth"),
            text("session_start_time"),
        ),
        **noted,
    )
    return understood(tree.path, written)


def _common(tree: Tree, what: str, said: list[str]) -> str:
    """What is said of all planes alike."""
    if len(set(said)) == 1:
        return said[0]
    logger.warning(
        "%s: its planes differ in %s (%s), which counts as unknown",
        tree.path,
        what,
        ", ".join(said),
    )
    return UNKNOWN


def _depth(description: str) -> str:
    """The one length that a description tells, or of several that which follows "depth"."""
    found = [match[0] for match in DEPTH.finditer(description)]
    if len(found) != 1:
        _, _, after = description.partition("depth")
        found = [match[0] for match in DEPTH.finditer(after)]
    return found[0] if found else UNKNOWN


def _age(age: str, born: str, start: str) -> str:
    """The age, or the days from birth to the session."""
    if age != UNKNOWN or born == UNKNOWN:
        return age
    try:
        birth, session = (datetime.fromisoformat(date).date() for date in (born, start))
    except ValueError:
        return UNKNOWN
    return f"{(session - birth).days} days"
