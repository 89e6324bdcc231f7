"""Whether a density has become narrower than its cells: the mass of a cluster that the cells do not resolve.

Around the fullest cell, at θ_0, of side h (on a mesh h = volume^{1/d}), are the cells i with |θ_i − θ_0|_∞ ≤ REACH h, with the nearest
images on periodic axes. With their masses p_i, scaled to sum one, the variance of the cluster along axis k is, by Sheppard's correction,

    σ_k² = Σ_i p_i (x_ik − x̄_k)² − 1/12,      x = (θ − θ_0)/h.

A cluster with σ_k < NARROW along every axis is narrower than a cell (a Gaussian of that width has four fifths of its mass in two cells):
its width, and all that depends on it, is that of the cells. Mass that gathers on a curve is not meant, nor a small part of it: the cluster
counts from SHARE of the mass on.
"""

from __future__ import annotations

import numpy as np

from wgf.measures.grid import nearest_image
from wgf.measures.measure import Density, MeshDensity

REACH = 2.5  # sides of a cell
NARROW = 0.75  # of the side of a cell: standard deviation
SHARE = 0.5  # of the mass
FULLEST = 0.3  # of a cluster that is narrow, along each axis: what its fullest cell holds at least


def narrow_cluster(measure: Density | MeshDensity) -> tuple[float, np.ndarray]:
    """The share of the mass that lies in a cluster narrower than a cell, zero if there is none, and its place (p,)."""
    if isinstance(measure, Density):
        fullest = int(np.argmax(measure.values))
        dim, sides = measure.grid.dim, measure.grid.spacing
        index = np.unravel_index(fullest, measure.grid.shape)
        held = float(measure.values[index]) * measure.grid.cell_volume
        place = np.array([centers[k] for centers, k in zip(measure.grid.centers, index, strict=True)])  # the points of all cells take long
    else:
        fullest = int(np.argmax(measure.masses))
        dim, held = measure.mesh.cell_dim, float(measure.values[fullest] * measure.mesh.volumes[fullest])
        sides = np.full(measure.mesh.dim, measure.mesh.volumes[fullest] ** (1.0 / dim))
        place = measure.points[fullest]
    total = measure.mass
    if held < SHARE * FULLEST**dim * total:
        return 0.0, place
    masses = measure.masses
    x = nearest_image(measure.points - place, np.array(measure.periods)) / sides
    near = np.abs(x).max(axis=1) <= REACH
    share, x = float(masses[near].sum()), x[near]
    p = masses[near] / share
    variance = p @ (x - p @ x) ** 2 - 1.0 / 12.0
    return (share / total if share >= SHARE * total and variance.max() < NARROW**2 else 0.0), place
