"""Ask how well a simulated session could be decoded at most."""

import h5py

from glasscortex.config import SimulateConfig
from glasscortex.data.synthetic import observer
from glasscortex.data.synthetic.mice import generator
from glasscortex.files import verified
from glasscortex.stages.arguments import Input, Output
from glasscortex.tables import write_table


def observe(
    *,
    truth: Input,
    table: Output,
    session: str,
    window_s: dict[str, float],
    config: SimulateConfig,
) -> None:
    """Ask how well a simulated session could be decoded at most.

    Parameters
    ----------
    truth : Path
        What the session was simulated from: `cells/<parameter>` (cells,), and the attributes
        session_type and running_fraction.
    table : Path
        The session's `limits`.
    session : str
        Its id.
    window_s : dict
        Length of the windows that are decoded, by stimulus.
    config : SimulateConfig
        How sessions are simulated.
    """
    rng = generator(config.seed, session, "observer")
    with h5py.File(verified(truth)) as file:
        cells = {parameter: values[:] for parameter, values in file["cells"].items()}
        about = dict(file.attrs)
    drawn = observer.Session.drawn(
        about["session_type"], cells, about["running_fraction"], config, rng
    )
    write_table(observer.limits(drawn, window_s, rng), table, session_id=session)
