"""One simulated session, from the seed to what its two files hold."""

import numpy as np

from glasscortex.config import SimulateConfig
from glasscortex.data.dff.methods import windowed_median
from glasscortex.data.synthetic.behaviour import behave, running_trait
from glasscortex.data.synthetic.calcium import fluorescence
from glasscortex.data.synthetic.cells import LINES, draw
from glasscortex.data.synthetic.design import timeline
from glasscortex.data.synthetic.imaging import image
from glasscortex.data.synthetic.mice import generator, sessions
from glasscortex.data.synthetic.nwb import Recording
from glasscortex.data.synthetic.responses import rates
from glasscortex.data.synthetic.truth import Truth
from glasscortex.errors import InputError


def simulate(session_id: str, config: SimulateConfig) -> tuple[Recording, Truth]:
    """Simulate one session.

    It depends on the configuration's seed, sizes and frame rate, on the mouse and on the
    session, not on which other sessions are simulated.

    Parameters
    ----------
    session_id : str
        One of `sessions(config)`.
    config : SimulateConfig
        Seed, sizes and frame rate.

    Returns
    -------
    recording : Recording
        What a microscope would give.
    truth : Truth
        What it does not show.

    Raises
    ------
    InputError
        The configuration has no session of this id.
    """
    table = sessions(config).set_index("session_id", drop=False)
    if session_id not in table.index:
        raise InputError(
            f"session {session_id} is not one of the {len(table)} that config key simulate gives: "
            "take an id from sessions.csv, or write that file anew"
        )
    session = table.loc[session_id].to_dict()
    mouse = generator(config.seed, session["mouse"])
    running_fraction = running_trait(mouse)
    cells = draw(session["cre_line"], config.cells, mouse)
    ids = 1000 * int(session["container_id"]) + np.arange(len(cells["baseline_hz"]))

    rate_hz, rng = config.frame_rate_hz, generator(config.seed, session_id)
    shown = timeline(session["session_type"], config.length, rate_hz, rng, config.without)
    behaviour = behave(running_fraction, shown.frames, rate_hz, rng)
    responses = rates(cells, shown, behaviour, rate_hz, rng)
    seen = fluorescence(responses.rate, cells, rate_hz, rng)
    corrected = seen.measured - cells["neuropil_r"][:, None] * seen.neuropil
    recording = Recording(
        session=session,
        genotype=LINES[session["cre_line"]].genotype,
        frame_rate_hz=rate_hz,
        cell_specimen_ids=ids,
        timeline=shown,
        fluorescence=seen,
        neuropil_r=cells["neuropil_r"],
        dff=windowed_median(corrected, rate_hz).dff,
        behaviour=behaviour,
        imaging=image(len(ids), shown.frames, rng),
    )
    attributes = {**session, "seed": config.seed, "running_fraction": running_fraction}
    return recording, Truth(attributes, {"cell_specimen_id": ids, **cells}, responses)
