"""Memory is foreseen: what would not fit into that which is free is refused before anything is allocated."""

from __future__ import annotations

import psutil

from wgf.errors import NoMemory

SHARE = 0.8  # of the free memory that one thing may ask for
LITTLE = 2**20  # numbers: to ask how much memory is free takes longer than what is done with so few


def require_memory_for(numbers: float, what: str, remedy: str) -> None:
    """Raise NoMemory where so many numbers, which `what` needs, would not fit; `remedy` says what to choose instead."""
    if numbers <= LITTLE:
        return
    needed, free = 8.0 * numbers, float(psutil.virtual_memory().available)
    if needed > SHARE * free:
        raise NoMemory(f"{what} needs about {needed / 2**30:,.1f} GiB, and {free / 2**30:,.1f} GiB are free: {remedy}")
