"""The DANDI archive as a source of recordings."""
