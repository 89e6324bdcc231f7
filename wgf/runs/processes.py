"""Which process writes a run, and whether it is still there."""

from __future__ import annotations

import os
import socket

import psutil

SAME_BEGINNING = 1.0  # seconds


def this_process() -> str:
    """What tells our process from all others: its machine, its number, and when it began."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def alive(process: str) -> bool:
    """Whether a process is still there, as far as can be told: one on another machine may be."""
    host, _, rest = process.partition(":")
    number, _, begun = rest.partition(":")
    if host != socket.gethostname():
        return bool(host)
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(begun)) < SAME_BEGINNING)
    except (psutil.Error, ValueError):
        return False
