"""Where messages go."""

import logging
import sys


def log_to_stderr() -> None:
    """Show what is logged, in this process."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
