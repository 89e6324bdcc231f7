"""Which process writes a run, and whether it is still there."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

import psutil

SAME_BEGINNING = 1.0  # seconds
WRITTEN_HERE: set[str] = set()  # the identities of the runs that this process writes now


def this_process() -> str:
    """What distinguishes our process from all others: its machine, its number, and when it began."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_running(attributes: Mapping[str, Any]) -> bool:
    """Whether the run with these attributes is being written, as far as is known."""
    process = str(attributes.get("process", ""))
    if str(attributes.get("status")) != "running":
        return False
    return str(attributes.get("identity")) in WRITTEN_HERE if process == this_process() else _alive(process)


def _alive(process: str) -> bool:
    """Whether a process is still there, as far as is known: one on another machine may be."""
    host, _, rest = process.partition(":")
    number, _, begun = rest.partition(":")
    if host != socket.gethostname():
        return bool(host)
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(begun)) < SAME_BEGINNING)
    except (psutil.Error, ValueError):
        return False
