"""Dictionaries of the transformer's activations: one family behind one interface.

A module an architecture; what is imported here can be named in the configuration and loaded.
"""

from glasscortex.dictionaries.aligned import Aligned
from glasscortex.dictionaries.archetypal import Archetypal
from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.bases import Axes, Ica, Pca, Random, Readout
from glasscortex.dictionaries.batch_topk import BatchTopK
from glasscortex.dictionaries.decoding import Decoding
from glasscortex.dictionaries.frozen import Frozen
from glasscortex.dictionaries.gated import Gated
from glasscortex.dictionaries.jump_relu import JumpRelu
from glasscortex.dictionaries.matching_pursuit import MatchingPursuit
from glasscortex.dictionaries.matryoshka import Matryoshka
from glasscortex.dictionaries.relu import Relu
from glasscortex.dictionaries.semi_nmf import SemiNmf
from glasscortex.dictionaries.threshold import Threshold
from glasscortex.dictionaries.topk import TopK
from glasscortex.dictionaries.transcoder import Pairs, Transcoder

__all__ = [
    "Aligned",
    "Archetypal",
    "Axes",
    "BatchTopK",
    "Decoding",
    "Dictionary",
    "Frozen",
    "Gated",
    "Ica",
    "JumpRelu",
    "MatchingPursuit",
    "Matryoshka",
    "Pairs",
    "Pca",
    "Random",
    "Readout",
    "Relu",
    "SemiNmf",
    "Threshold",
    "TopK",
    "Transcoder",
]
