"""Dictionaries of the transformer's activations: one family behind one interface.

A module an architecture; what is imported here can be named in the configuration and loaded.
"""

from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.batch_topk import BatchTopK
from glasscortex.dictionaries.topk import TopK

__all__ = ["BatchTopK", "Dictionary", "TopK"]
