"""Simulated mice: sessions as the Allen records them, with the truth beside them."""

from glasscortex.data.synthetic.mice import sessions
from glasscortex.data.synthetic.nwb import write_nwb
from glasscortex.data.synthetic.session import simulate
from glasscortex.data.synthetic.truth import write_truth

__all__ = ["sessions", "simulate", "write_nwb", "write_truth"]
