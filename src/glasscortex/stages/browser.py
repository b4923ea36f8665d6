"""Write the page that the units are looked at with."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.image import imsave

from glasscortex.browser.catalogue import catalogue as described
from glasscortex.browser.planes import sheet
from glasscortex.browser.scripts import script
from glasscortex.data.trials import MOVIE_RATE_HZ
from glasscortex.data.views import read_pictures, shown_pictures
from glasscortex.files import atomic_write
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_definitions, read_table
from glasscortex.words import MOVIES


def browser(
    *,
    sae: Input,
    sessions: Input,
    trials: Input,
    recordings: Folder,
    page: Output,
    static: Output,
    catalogue: Output,
    pictures: Output,
    opened: list[str],
    movie_bin_s: float,
) -> None:
    """Write the page that the units are looked at with.

    Parameters
    ----------
    sae, sessions, trials : Path
        Tables.
    recordings : Path
        Folder of the sessions' NWB files, whose pictures are shown.
    page : Path
        The HTML to open.
    static : Path
        Folder of its scripts and its style.
    catalogue : Path
        Script that tells it what there is.
    pictures : Path
        Folder of what was shown.
    opened : list of str
        Names of the dictionaries whose units are shown.
    movie_bin_s : float
        Length of a bin of a movie, s.
    """
    recorded = read_table(sessions)
    recorded = recorded[~recorded["held_out"]]
    with atomic_write(pictures) as temporary:
        temporary.mkdir()
        sprites = _write_sheets(temporary, recorded, recordings, movie_bin_s)
    for about in sprites.values():
        about["file"] = f"{pictures.name}/{about['file']}"
    with atomic_write(catalogue) as temporary:
        about = described(read_table(sae), recorded, opened, sprites, read_definitions(trials))
        temporary.write_text(script("catalogue", about))
    with as_file(files("glasscortex.browser") / "static") as source:
        with atomic_write(static) as temporary:
            shutil.copytree(source, temporary, ignore=shutil.ignore_patterns("*.html"))
        with atomic_write(page) as temporary:
            shutil.copyfile(Path(source) / "index.html", temporary)


def _write_sheets(
    folder: Path, sessions: pd.DataFrame, recordings: Path, movie_bin_s: float
) -> dict[str, dict[str, Any]]:
    """A sheet a stimulus, from the first session that holds its pictures."""
    sheets: dict[str, dict[str, Any]] = {}
    for session in sessions["session_id"]:
        recording = recordings / f"{session}.nwb"
        for stimulus, number in shown_pictures(recording).items():
            if stimulus in sheets or stimulus not in ("natural_scenes", *MOVIES):
                continue
            step = round(movie_bin_s * MOVIE_RATE_HZ) if stimulus in MOVIES else 1
            which = list(range(step // 2, number, step))
            image, about = sheet(read_pictures(recording, stimulus, which))
            if image.min() == image.max():
                continue  # an empty place of pictures that were left out
            file = f"{stimulus}.png"
            imsave(folder / file, image, cmap="gray", vmin=0, vmax=255)
            sheets[stimulus] = {"file": file, **about}
    return sheets
