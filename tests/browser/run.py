"""The browser of a run that is there, for the tests that hold pages against tables."""

from pathlib import Path

import pandas as pd

from benchmarks.browser_site import place
from glasscortex.tables import read_table, read_trials


class Run:
    """What `tests.browser.site.Site` tells of a small world, told of a folder of results.

    The dictionary is the one whose units were removed, of the first seed.

    Parameters
    ----------
    results : Path
        Of a run that made its browser.
    links : Path
        Folder for links to its files, laid out as those of the small world are.
    """

    def __init__(self, results: Path, links: Path):
        self._results, self._links = results.resolve(), links
        (removed, *_) = sorted(results.glob("sae/trained/seed0/*/ablation.csv"))
        self.sae = removed.parent.name
        self.trials = read_trials(results / "trials.parquet")
        self.sessions = read_table(results / "sessions.csv")
        self.alive = sorted(self.table("selectivity")["unit"].unique().tolist())
        self.address = (self._results / "browser/index.html").as_uri()

    def place(self, model: str = "trained", seed: int = 0) -> Path:
        """Folder of a dictionary."""
        folder = place(self._links, model, seed)
        if not folder.exists():
            folder.mkdir(parents=True)
            of_fit = f"{model}/seed{seed}"
            own = self._results / f"sae/{of_fit}/{self.sae}"
            (activations,) = (self._results / f"activations/{of_fit}").glob("*.zarr")
            targets = {file.name: file for file in own.iterdir()}
            targets["decoder"] = self._results / f"decoder/{of_fit}"
            targets["activations.zarr"] = activations
            for name, target in targets.items():
                (folder / name).symlink_to(target)
        return folder

    def table(self, name: str, model: str = "trained", seed: int = 0) -> pd.DataFrame:
        """A table of a dictionary; without rows where the run has none."""
        path = self.place(model, seed) / f"{name}.csv"
        if path.exists():
            return pd.read_csv(path, dtype={"preferred": str, "units": str})
        rows = read_table(self._results / f"tables/{name}.csv")
        keys = ["model", "seed", "sae"]
        return rows[(rows[keys] == [model, seed, self.sae]).all(axis=1)]
