"""The one error that a user's input can raise."""


class InputError(Exception):
    """Input that cannot be used: says what is wrong, where, and what to do.

    The command line prints its message as one line and exits with status 1.
    """
