"""What a YAML file says and its values no longer tell."""

from pathlib import Path

import yaml

from glasscortex.errors import InputError


def check_keys(path: Path) -> None:
    """Check that no key stands twice in one mapping, of which the last would count.

    Parameters
    ----------
    path : Path
        A YAML file.

    Raises
    ------
    InputError
        Names the file, the line and the key.
    """
    _check(yaml.compose(Path(path).read_text(), yaml.SafeLoader), path, "")


def _check(node: yaml.Node | None, path: Path, prefix: str) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check(item, path, prefix)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = f"{prefix}{key.value}"
            if name in seen:
                raise InputError(
                    f"{path}, line {key.start_mark.line + 1}: {name} stands there twice: remove one"
                )
            seen.add(name)
            _check(value, path, f"{name}.")
