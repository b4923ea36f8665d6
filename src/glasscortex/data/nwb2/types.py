"""Find what a file of NWB 2 holds by its neurodata types, wherever it lies."""

from collections.abc import Iterator
from dataclasses import dataclass

from glasscortex.data.tree import Tree

APART = ("specifications", "stimulus/templates")
"""Groups that nothing is looked for in; templates may hold thousands of images."""

RESULTS = "analysis/glasscortex_"
"""What keys of our own results begin with, which are no part of the recording."""


@dataclass(frozen=True)
class Typed:
    """A group of the file: its key, its neurodata type, and that of the group it lies in."""

    key: str
    type: str
    within: str

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]


def typed(tree: Tree) -> list[Typed]:
    """All groups that have a neurodata type, in order of their keys.

    Parameters
    ----------
    tree : Tree
        An open file.
    """
    return list(_within(tree, "", ""))


def _within(tree: Tree, group: str, within: str) -> Iterator[Typed]:
    for name in tree.names(group):
        key = f"{group}/{name}".strip("/")
        if key in APART or key.startswith(RESULTS):
            continue
        if tree.is_elsewhere(key) or not tree.is_group(key):
            continue
        type_ = str(tree.attributes(key).get("neurodata_type", ""))
        if type_:
            yield Typed(key, type_, within)
        yield from _within(tree, key, type_)
