"""Kills and faults at random moments of tiny.yaml: the same command ends with the same bytes.

    python -m benchmarks.chaos [--kills 100] [--gap 20] [--without FOLDER …] [--json FILE]

Each kill strikes the whole process group, Snakemake alone or one job, with SIGKILL or SIGTERM; then
the same command runs again. Whenever it ends, every file of the results is compared with those of
an undisturbed run, and all begins anew until there were as many kills as asked for. Then come
the faults: half of the results deleted, a table and a decoder's weights changed under their names,
and, up to the table of presentations, a full disk, a read-only one (both on a tmpfs, which root may
mount), two runs at once, a clock that is set back, and a recording that another takes the place of.

With --without, runs begin with all results but these, kills strike what makes them again, and no
fault follows.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.disturbances import disturbing
from benchmarks.faults import FROM_THE_START, ON_RESULTS
from benchmarks.kills import Chaos, kills
from tests.workflow.project import TINY, Project

PRESENTATIONS = "results/tiny/trials.parquet"


def main() -> None:
    """Strike, print what came of it, and fail where bytes differ."""
    parser = disturbing(__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--gap", type=float, default=20.0, help="mean seconds until a kill")
    parser.add_argument(
        "--without", nargs="+", default=[], help="results that runs begin without, not all"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if given.undisturbed:
            shutil.copytree(given.undisturbed, Path(scratch) / "project", symlinks=True)
            project, undisturbed = Project(Path(scratch) / "project"), Project(given.undisturbed)
        else:
            project = undisturbed = Project.copied_to(Path(scratch) / "project")
        arguments = ("--cores=2", *TINY, "--config", "results=results/tiny", *given.config)
        if not given.undisturbed and project.snakemake(*arguments).returncode:
            sys.exit("the undisturbed run failed")
        rng = np.random.default_rng(given.seed)
        whole = Chaos(project, arguments, undisturbed.digests(), rng)
        short = Chaos(
            project, (*arguments, "--", given.target or PRESENTATIONS), whole.expected, rng, True
        )
        struck = short if given.target else whole
        found: dict[str, object] = {"kills": kills(struck, given.kills, given.gap, given.without)}
        faults = [(short, name, fault) for name, fault in FROM_THE_START.items()]
        if not given.target:
            faults = [(whole, name, fault) for name, fault in ON_RESULTS.items()] + faults
        for disturbed, name, fault in [] if given.without else faults:
            found[name] = fault(disturbed)
            print(f"{name}: {found[name]}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    bad = [name for name in found if name != "kills" and found[name] not in ("same bytes", "told")]
    bad += found["kills"]["differing"]
    sys.exit(f"not the same: {bad}" if bad else 0)


if __name__ == "__main__":
    main()
