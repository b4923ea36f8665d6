"""Simulated mice: sessions as the Allen records them, with the truth beside them."""

from glasscortex.data.synthetic.mice import sessions
from glasscortex.data.synthetic.session import simulate

__all__ = ["sessions", "simulate"]
