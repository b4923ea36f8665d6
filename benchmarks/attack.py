"""Recordings and settings that are broken in every way, and what comes of each.

    python -m benchmarks.attack [--list] [--json FILE]

Clear: refused in one line that names the file or the key. Warned: read otherwise than the whole
one, with a warning. Same: what was broken is not read. Silent: read otherwise without a word, such
as a value that could be one, or an optional key that is not there. Settings that are taken count
as silent.
"""

import argparse
import json
import logging
import tempfile
from collections import Counter
from pathlib import Path

from tests.attacks import outcomes as of_settings
from tests.data.attacks import outcomes as of_recordings

KINDS = ("clear", "warned", "same", "silent", "unclear", "traceback")


def main() -> None:
    """Break, count, and fail where anything but a line came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="what is taken without a word, too")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    logging.getLogger("glasscortex").propagate = False
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "recordings": list(of_recordings(Path(folder))),
            "configurations": list(of_settings()),
        }
    counts = {}
    print(f"| | tried | {' | '.join(KINDS)} |\n|{'---|' * (len(KINDS) + 2)}")
    for name, lines in found.items():
        kinds = Counter(what.partition(":")[0] for _, _, what in lines)
        counts[name] = {"tried": len(lines), **{kind: kinds[kind] for kind in KINDS}}
        print(f"| {name} | {' | '.join(map(str, counts[name].values()))} |")
    shown = {"unclear", "traceback"} | ({"silent"} if given.list else set())
    for lines in found.values():
        for key, way, what in lines:
            if what.partition(":")[0] in shown:
                print(f"{key}: {way}: {what}")
    if given.json:
        given.json.write_text(json.dumps(counts, indent=1) + "\n")
    raise SystemExit(any(c["unclear"] + c["traceback"] for c in counts.values()))


if __name__ == "__main__":
    main()
