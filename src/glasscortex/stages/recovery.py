"""Compare units with the ground truth of the simulation."""

import h5py

from glasscortex.analysis import recovery as units
from glasscortex.analysis.factors import Truth
from glasscortex.files import verified
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.stages.presented import read_presentations
from glasscortex.tables import read_table, read_trials, write_table


def recovery(
    *,
    responses: Input,
    manifest: Input,
    trials: Input,
    sessions: Input,
    truth: Folder,
    table: Output,
    model: str,
    seed: int,
    sae: str,
) -> None:
    """Compare units with the ground truth of the simulation.

    Parameters
    ----------
    responses, manifest : Path
        Responses of the autoencoder's units, and their checksums.
    trials, sessions : Path
        Tables.
    truth : Path
        Folder of `<session>.h5` with `cells/<parameter>` (cells,), `rates/<stimulus>`
        (presentations, cells) and `gain/<stimulus>` (presentations,).
    table : Path
        What `recovery` returns.
    model, seed, sae : str, int
        Of the decoder, of all random numbers, and of the autoencoder.
    """
    train, validation, test = read_presentations(responses, manifest, trials, read_table(sessions))

    def read_truth(session_id: str, stimulus: str) -> Truth:
        with h5py.File(verified(truth / f"{session_id}.h5")) as file:
            return Truth(
                cells={parameter: values[:] for parameter, values in file["cells"].items()},
                rates=file[f"rates/{stimulus}"][:],
                gain=file[f"gain/{stimulus}"][:],
            )

    rows = units.recovery(train, validation, test, read_trials(trials), read_truth, sae, seed)
    write_table(rows, table, model=model, seed=seed, sae=sae)
