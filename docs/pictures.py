"""Draw the documentation's pictures of the browser again, from the results of a run.

    make pictures ARGS="--results results"

The unit is the one that validation likes best for the direction of a grating, the session the one
of median accuracy; both of the trained decoder's first seed.
"""

import argparse
from pathlib import Path

from benchmarks.chromium import Chromium
from glasscortex.tables import read_table

WIDTH = 1280
FIT = {"model": "trained", "seed": 0}


def unit(results: Path) -> str:
    """Address of the unit of the pictures."""
    found = read_table(results / "tables/selectivity.csv")
    own = found[(found["model"] == FIT["model"]) & (found["seed"] == FIT["seed"])]
    own = own[(own["variable"] == "direction") & own["selected"]]
    best = own.nlargest(1, "explained_selection").iloc[0]
    return f"unit={best['unit']}&sae={best['sae']}"


def session(results: Path) -> str:
    """Address of the session of the pictures."""
    scores = read_table(results / "tables/decoding.csv")
    own = scores[(scores["model"] == FIT["model"]) & (scores["seed"] == FIT["seed"])]
    own = own[(own["split"] == "test") & (own["task"] == "direction")]
    own = own[(own["metric"] == "accuracy") & (own["session_id"] != "all")]
    middle = own.sort_values(["value", "session_id"])["session_id"].iloc[len(own) // 2]
    return f"session={middle}"


def main() -> None:
    """Draw each of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    page = (arguments.results / "browser/index.html").resolve().as_uri()
    of_unit, of_session = unit(arguments.results), session(arguments.results)
    shown = {
        "browser_units": ("", None, 720),
        "browser_unit": (of_unit, None, 1000),
        "browser_cells": (of_unit, "presentations", 1000),
        "browser_outputs": (of_unit, "outputs", 720),
        "browser_sessions": ("table=sessions", None, 720),
        "browser_session": (of_session, None, 1000),
    }
    for name, (address, panel, height) in shown.items():
        with Chromium(WIDTH, height) as chromium:
            chromium.open(f"{page}#{address}&" + "&".join(f"{k}={v}" for k, v in FIT.items()))
            if panel:
                chromium.run(f"document.getElementById({panel!r}).scrollIntoView()")
            chromium.picture(arguments.folder / f"{name}.webp")


if __name__ == "__main__":
    main()
