"""Sparse autoencoders on the transformer's activations."""
