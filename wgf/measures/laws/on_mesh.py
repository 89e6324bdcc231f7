"""The averages of a law over the cells of a mesh, and what of it lies outside."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.measures.laws.composed import Mixture
from wgf.measures.laws.given import Samples
from wgf.measures.measure import MeshDensity
from wgf.measures.mesh import Mesh

NODES = {1: 200, 2: 64, 3: 32}  # per axis, of the rule that finds out how much of a law a mesh leaves out


def mesh_averages(law: Any, mesh: Mesh) -> np.ndarray:
    """The averages over the cells, (N,), by Gauss quadrature in each; not renormalised but for a density without a support.

    On a surface the law's density is taken for one in the surface, and normalised there (but one that knows its mass), and samples have to
    lie on it. Raises InputError where the dimensions differ, and where there is no mass in the mesh.
    """
    if law.dim not in (None, mesh.dim):
        raise InputError(f"the law has dimension {law.dim} but the mesh lies in dimension {mesh.dim}: they must agree")
    on_surface = mesh.cell_dim < mesh.dim
    if isinstance(law, Mixture) and not on_surface:
        result: np.ndarray = np.add.reduce([w * mesh_averages(part, mesh) for w, part in zip(law.weights, law.laws, strict=True)])
        return result
    if isinstance(law, MeshDensity):
        if law.mesh.cells.shape != mesh.cells.shape or not np.allclose(law.mesh.centers, mesh.centers):
            raise InputError("the initial density lies on another mesh: start from the mesh it was solved on, or from a law")
        own: np.ndarray = law.values / law.mass
        return own
    if isinstance(law, Samples):
        cells = mesh.locate(law.points)
        if on_surface and (cells < 0).any():
            raise InputError(
                f"{np.count_nonzero(cells < 0):,} of the {len(cells):,} samples do not lie on the {mesh.title}: divide them by their size, "
                "or give a law with a density"
            )
        counts: np.ndarray = np.bincount(cells[cells >= 0], minlength=mesh.size) / (len(cells) * mesh.volumes)
        return counts
    points, weights, owners = mesh.quadrature()
    averages = np.bincount(owners, weights * law.pdf(points), mesh.size) / mesh.volumes
    held = float(averages @ mesh.volumes)
    if not held > 0:
        raise InputError(f"{law!r} has no mass on the mesh: choose a mesh around the law")
    normalised = law.dim is None or (on_surface and not hasattr(law, "mass"))
    whole: np.ndarray = averages / held if normalised else averages
    return whole


def outside_of(mesh: Mesh, law: Any) -> float:
    """About the probability of all but the mesh: that of the quadrature nodes which no cell holds.

    Zero for densities without a support, which are normalised on the mesh, as on a box.
    """
    if isinstance(law, MeshDensity) or law.dim is None:
        return 0.0
    if isinstance(law, Mixture):
        return float(np.dot(law.weights, [outside_of(mesh, part) for part in law.laws]))
    points, weights = law.quadrature(NODES[mesh.dim])
    return float(weights[mesh.locate(points) < 0].sum())
