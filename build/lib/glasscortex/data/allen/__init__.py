"""The Allen Brain Observatory, Visual Coding (two-photon), as a source of recordings."""
