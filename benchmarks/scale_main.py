"""Takes the place of `glasscortex.__main__` in the project of `scale_workflow.py`.

All stages but those that the workflow itself reads something of leave their outputs empty, at once,
and every one writes what it took to the file that STAGES names, a line of JSON each.
"""

import atexit
import json
import os
import sys
import time
from pathlib import Path

NEEDED = ("select", "summary")
LEFT_IN_FOLDERS = {
    "train": ("weights.safetensors", "decoder.json", "history.csv"),
    "fit-sae": ("weights.safetensors", "sae.json", "history.csv", "metrics.csv"),
}
FOLDERS = {
    "preprocess": ("store",),
    "activations": ("activations",),
    "responses": ("responses",),
    "units": ("data",),
    "session-pages": ("data",),
    "browser": ("static", "pictures"),
}
"""Outputs that are folders."""


def tell(stage: str) -> None:
    """Write the seconds that this process took."""
    with open(os.environ["STAGES"], "a") as file:
        file.write(json.dumps({"stage": stage, "cpu_s": time.process_time()}) + "\n")


def leave_empty(stage: str, options: list[str]) -> None:
    """Make the outputs that a stage is told of, without anything in them."""
    from glasscortex.workflow import arguments, dashed

    name = stage.replace("-", "_")
    given = dict(option.removeprefix("--").split("=", 1) for option in options if "=" in option)
    kinds = arguments(f"stages.{name}", name)
    outputs = {a: Path(given[dashed(a)]) for a, kind in kinds.items() if kind == "Output"}
    for argument, path in outputs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if argument in FOLDERS.get(stage, ()):
            path.mkdir(exist_ok=True)
        else:
            path.touch()
    for file in LEFT_IN_FOLDERS.get(stage, ()):
        path = Path(given["folder"], file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


if __name__ == "__main__":
    atexit.register(tell, sys.argv[1])
    if sys.argv[1] in NEEDED:
        from glasscortex.cli import main

        main()
    else:
        leave_empty(sys.argv[1], sys.argv[2:])
