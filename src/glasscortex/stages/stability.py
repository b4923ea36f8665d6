"""Compare the dictionaries of all seeds."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from glasscortex.analysis import stability as agreement
from glasscortex.analysis.presentations import Presentations
from glasscortex.config import SelectivityConfig
from glasscortex.data.responses import read_presented, read_responses
from glasscortex.data.store import verify
from glasscortex.errors import InputError
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_definitions, read_table, read_trials, write_table


def stability(
    *,
    folder: Folder,
    trials: Input,
    sessions: Input,
    table: Output,
    consensus: Output,
    model: str,
    sae: str,
    seeds: list[int],
    config: SelectivityConfig,
) -> None:
    """Compare the dictionaries of all seeds.

    Parameters
    ----------
    folder : Path
        Of the model: `seed<n>/<sae>/` holds the responses and their checksums.
    trials, sessions : Path
        Tables.
    table, consensus : Path
        What `stability` returns.
    model, sae : str
        Of the decoders, and of the dictionaries.
    seeds : list of int
        Two at least.
    config : SelectivityConfig
        What makes a living unit.

    Raises
    ------
    InputError
        Responses are damaged, or of other presentations than those of the first seed.
    """
    paths = {seed: folder / f"seed{seed}" / sae / "responses.zarr" for seed in seeds}
    for path in paths.values():
        verify(path, path.with_suffix(".manifest.json"))
    presented, definitions = read_trials(trials), read_definitions(trials)
    mice = read_table(sessions)
    session_id = presented["session_id"].to_numpy()
    parts = {split: _parts(paths, split, session_id) for split in ("validation", "test")}

    def read(seed: int, split: str) -> Iterator[Presentations]:
        for rows in parts[split]:
            responses = read_responses(paths[seed], split, rows)
            yield Presentations.joined(responses, presented, mice, definitions)

    rows, units = agreement.stability(read, seeds, config.min_active, sae)
    for frame, path in ((rows, table), (units, consensus)):
        write_table(frame, path, model=model, sae=sae)


def _parts(paths: dict[int, Path], split: str, session_id: np.ndarray) -> list[slice]:
    """Where each session's presentations lie in all of the responses."""
    first, *others = paths.values()
    trial = read_presented(first, split)
    for path in others:
        if not np.array_equal(read_presented(path, split), trial):
            raise InputError(
                f"{path} and {first} hold different {split} presentations: remove both and run "
                "the same command again"
            )
    session = session_id[trial]
    cuts = np.flatnonzero(session[1:] != session[:-1]) + 1
    return [slice(*ends) for ends in pairwise([0, *cuts, len(trial)])]
