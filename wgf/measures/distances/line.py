"""Distances on a line, exact for points and for densities that are constant on their cells.

With the distribution functions F of μ and G of ν, and their inverses, the quantile functions,

    W_q^q = ∫₀¹ |F⁻¹(u) − G⁻¹(u)|^q du,     W₁ = ∫ |F − G| dx,     energy² = 2 ∫ (F − G)² dx.

The first holds since the increasing coupling is optimal for a convex cost; W₁ is the area between F and G, whichever of their axes it
is swept along. For the energy distance put |x − y| = ∫ (1{x ≤ t} − 1{y ≤ t})² dt: with σ = μ − ν, whose mass is zero,

    2 E|X − Y| − E|X − X'| − E|Y − Y'| = −∬ |x − y| dσ dσ = 2 ∫ σ(−∞, t]² dt = 2 ∫ (F − G)² dt.

F − G and F⁻¹ − G⁻¹ are linear between the places, or levels, at which one of the two has a kink or a jump: on a step of width w on which
a function goes from s to e, its square has the integral w (s² + s e + e²)/3, and its size w |s + e|/2, or w (s² + e²)/(2|s − e|) if it
changes its sign.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from wgf.measures.measure import Density, Measure

Pieces = tuple[np.ndarray, np.ndarray, np.ndarray]  # levels (k + 1,), and the quantile function at both ends of each piece (k,)
Steps = tuple[np.ndarray, np.ndarray, np.ndarray]  # of a piecewise linear function: the widths, and its values at both ends of each
Coupling = tuple[np.ndarray, np.ndarray, np.ndarray]  # levels (k + 1,), and two quantile functions at both ends of each step, (2, k) each


def pieces(measure: Measure) -> Pieces:
    """The quantile function of a measure on a line: linear on each piece, which is a cell or a point with its mass."""
    if not isinstance(measure, Density):
        return atoms(measure.points[:, 0], measure.masses)
    full, edges = measure.masses > 0, measure.grid.edges[0]
    return levels_of(measure.masses[full]), edges[:-1][full], edges[1:][full]


def atoms(places: np.ndarray, masses: np.ndarray) -> Pieces:
    """The quantile function of points on a line."""
    order = np.argsort(places, kind="stable")
    return levels_of(masses[order]), places[order], places[order]


def levels_of(masses: np.ndarray) -> np.ndarray:
    """The values of the distribution function between masses (k,), scaled to the sum one, (k + 1,)."""
    sums = np.cumsum(masses)
    return np.concatenate([[0.0], sums / sums[-1]])


def line_w1(first: Pieces, second: Pieces) -> float:
    """W₁ = ∫|F − G| dx."""
    return size_of(distribution_gaps(first, second))


def line_w2(first: Pieces, second: Pieces) -> float:
    """W₂ = (∫(F⁻¹ − G⁻¹)² du)^½."""
    return cost_of(line_coupling(first, second))


def line_coupling(first: Pieces, second: Pieces) -> Coupling:
    """The increasing coupling, F⁻¹(u) with G⁻¹(u)."""
    levels = np.union1d(first[0], second[0])
    return levels, np.stack(quantiles(first, levels)), np.stack(quantiles(second, levels))


def cost_of(coupling: Coupling) -> float:
    """(∫|x − y|² du)^½."""
    levels, x, y = coupling
    return float(np.sqrt(square_of((np.diff(levels), *(x - y)))))


def line_energy(first: Pieces, second: Pieces) -> float:
    """(2 ∫(F − G)² dx)^½."""
    return float(np.sqrt(2.0 * square_of(distribution_gaps(first, second))))


def distribution_gaps(first: Pieces, second: Pieces) -> Steps:
    """F − G, from the first to the last place at which one of them is not constant."""
    places = np.unique(np.concatenate([*first[1:], *second[1:]]))
    start = distribution(first, places[:-1], "right") - distribution(second, places[:-1], "right")
    end = distribution(first, places[1:], "left") - distribution(second, places[1:], "left")
    return np.diff(places), start, end


def distribution(pieces: Pieces, x: np.ndarray, side: Literal["left", "right"]) -> np.ndarray:
    """F at the places x (n,), or its limits from the left, (n,)."""
    levels, left, right = pieces
    begun = np.searchsorted(left, x, side=side)  # pieces that begin before x, or there
    last = np.maximum(begun - 1, 0)
    width = right[last] - left[last]
    share = np.where(width > 0, np.clip((x - left[last]) / np.where(width > 0, width, 1.0), 0.0, 1.0), 1.0)
    return np.where(begun > 0, levels[last] + share * (levels[last + 1] - levels[last]), 0.0)


def quantiles(pieces: Pieces, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The quantile function at the starts and the ends of the steps between `levels`, none of which holds a level of its own."""
    own, left, right = pieces
    piece = np.clip(np.searchsorted(own, 0.5 * (levels[1:] + levels[:-1]), side="right") - 1, 0, len(left) - 1)
    width = own[piece + 1] - own[piece]
    start, end = (np.clip((edge - own[piece]) / np.where(width > 0, width, 1.0), 0.0, 1.0) for edge in (levels[:-1], levels[1:]))
    return left[piece] + start * (right[piece] - left[piece]), left[piece] + end * (right[piece] - left[piece])


def size_of(steps: Steps) -> float:
    """∫|f| of a piecewise linear function."""
    width, start, end = steps
    total = np.abs(start) + np.abs(end)
    crossing = (start**2 + end**2) / np.where(total > 0, total, 1.0)
    return float(np.sum(width * np.where(start * end >= 0, total, crossing)) / 2.0)


def square_of(steps: Steps) -> float:
    """∫f² of a piecewise linear function."""
    width, start, end = steps
    return float(np.sum(width * (start**2 + start * end + end**2)) / 3.0)
