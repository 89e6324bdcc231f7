"""An operating system whose n-th change of a file goes wrong."""

import errno
import os
import signal


class Faulty:
    """os, of which the n-th call that changes a file goes wrong, or none where n is 0.

    once           it fails with an error, the disk being full for a moment
    on             it fails, and so do all that follow
    torn           it writes the half of its bytes, and fails
    kill, killed   the process ends before it, or after it
    signal         the process is sent SIGTERM, and goes on
    """

    CALLS = ("open", "write", "ftruncate", "fsync", "replace", "link")

    def __init__(self, position: int, how: str) -> None:
        self.position, self.how, self.calls = position, how, 0

    def __getattr__(self, name):
        real = getattr(os, name)
        return (lambda *words: self.call(real, *words)) if name in self.CALLS else real

    def call(self, real, *words):
        self.calls += 1
        if self.calls != self.position and not (self.how == "on" and 0 < self.position < self.calls):
            return real(*words)
        match self.how:
            case "signal":
                signal.raise_signal(signal.SIGTERM)
                return real(*words)
            case "kill":
                os._exit(9)
            case "killed":
                real(*words)
                os._exit(9)
            case "torn" if real is os.write:
                os.write(words[0], words[1][: len(words[1]) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
