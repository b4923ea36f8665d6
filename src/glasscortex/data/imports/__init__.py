"""What programs that find cells leave on disk, and what is written beside it, for an NWB 2 file."""
