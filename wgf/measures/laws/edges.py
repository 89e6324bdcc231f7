"""Laws with edges, which no flow smooths without noise."""

from __future__ import annotations

from wgf.measures.laws.base import Law
from wgf.measures.laws.composed import Mixture, Product
from wgf.measures.laws.simple import Ball, Uniform


def has_edges(law: Law) -> bool:
    """Whether the density of a law jumps."""
    parts = law.laws if isinstance(law, Mixture | Product) else ()
    return isinstance(law, Uniform | Ball) or any(has_edges(part) for part in parts)
