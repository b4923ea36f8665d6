"""`python -m glasscortex` is the command line."""

from glasscortex.cli import main

main()
