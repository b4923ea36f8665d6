"""A copy of the project whose stages leave their outputs empty."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
LINES = ["Cux2-CreERT2", "Vip-IRES-Cre"]


def configuration(sessions: int) -> dict:
    """Of so many small simulated sessions, one a mouse."""
    mice = sessions // len(LINES)
    shown = {"three_session_A": mice, "three_session_B": 0}
    small = {"cells": 8, "length": 0.1}
    return {"cre_lines": LINES, "mice_per_line": mice, "sessions": shown, **small}


class Project:
    """A copy of the project in a folder of its own.

    Parameters
    ----------
    folder : Path
    sessions : int
        That it simulates.
    """

    def __init__(self, folder: Path, sessions: int):
        self.folder, self.told = folder, folder / "stages.jsonl"
        for name in ("src", "workflow", "envs"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy2(ROOT / name, folder)
        main = folder / "src/glasscortex/__main__.py"
        shutil.copyfile(Path(__file__).with_name("scale_main.py"), main)
        (folder / "small.yaml").write_text(yaml.safe_dump({"simulate": configuration(sessions)}))

    def snakemake(self, *arguments: str) -> dict[str, float]:
        """Run Snakemake; the seconds of the processor and the memory that it and its jobs took."""
        command = [sys.executable, "-m", "snakemake", "--cores=1", "--configfile=small.yaml"]
        with (self.folder / "said").open("w") as said:
            process = subprocess.Popen(
                [*command, *arguments],
                cwd=self.folder,
                env={**os.environ, "STAGES": str(self.told)},
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit((self.folder / "said").read_text()[-3000:])
        return {"cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024}

    def stages(self) -> pd.DataFrame:
        """What every stage that ran took."""
        return pd.read_json(self.told, lines=True)
