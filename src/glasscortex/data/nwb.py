"""Read a recording, whatever the format of its file."""

from glasscortex.data.nwb1.recording import read, read_metadata, read_motion

__all__ = ["read", "read_metadata", "read_motion"]
