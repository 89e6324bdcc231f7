"""A screen that tests can read."""

import io


class Terminal(io.StringIO):
    """A screen that keeps what was written on it."""

    def isatty(self):
        return True
