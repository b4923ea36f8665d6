"""`glasscortex <stage> …`: parse, call one function, nothing else.

Heavy imports stand inside the commands, so that a command loads only what it needs.
"""

import sys

from glasscortex.cli import analysis, data, decoder, report, sae  # noqa: F401  (add commands)
from glasscortex.cli.options import app
from glasscortex.errors import InputError
from glasscortex.logs import log_to_stderr


def main() -> None:
    """Run the command line; bad input ends in one line and exit status 1."""
    log_to_stderr()
    try:
        app()
    except InputError as error:
        sys.exit(f"error: {error}")
