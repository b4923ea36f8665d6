"""Open a neural decoder: recordings, transformer, sparse autoencoders, selectivity, ablation."""

__version__ = "0.1.0"
