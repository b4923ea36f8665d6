"""What the programs that disturb a run of tiny.yaml are told alike."""

import argparse
from pathlib import Path


def disturbing(about: str) -> argparse.ArgumentParser:
    """A parser with the options of every such program, described by the first line of `about`."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--undisturbed", type=Path, help="a project in which that has run")
    parser.add_argument("--config", nargs="*", default=[], help="Snakemake's, for a smaller run")
    parser.add_argument("--target", help="a file to make in place of all, for a shorter run")
    parser.add_argument("--json", type=Path)
    return parser
