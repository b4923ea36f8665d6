"""Who and where was recorded, as a file of the Allen layout says it."""

from glasscortex.data.metadata import UNKNOWN, Metadata, Written, understood
from glasscortex.data.tree import Tree


def metadata(file: Tree) -> Metadata:
    """The metadata of a recording; see `glasscortex.data.metadata.understood`.

    Parameters
    ----------
    file : Tree
        An open recording.

    Raises
    ------
    InputError
        A text cannot be read, or an id cannot be part of a file's name.
    """

    def text(*keys: str) -> str:
        """The first of the named strings that says something."""
        for key in (f"general/{key}" for key in keys):
            said = file.texts(key)[0].strip() if key in file and file.texts(key) else ""
            if said and said.lower() != UNKNOWN:
                return said
        return UNKNOWN

    plane = "optophysiology/imaging_plane_1"
    written = Written(
        session_id=text("session_id", "ophys_experiment_id"),
        container_id=text("experiment_container_id"),
        mouse=text("specimen_name", "subject/subject_id"),
        genotype=text("subject/genotype"),
        specimen=text("specimen_name"),
        area=text("targeted_structure", f"{plane}/location"),
        depth=text(f"{plane}/imaging depth", f"{plane}/imaging_depth"),
        session_type=text("session_type"),
        sex=text("subject/sex"),
        age=text("subject/age"),
    )
    return understood(file.path, written)
