"""The averages of a law over the cells of a mesh."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import spatial

from wgf.errors import InputError
from wgf.law.composed import Mixture
from wgf.law.given import FromDensity, Samples
from wgf.measure import MeshDensity
from wgf.mesh import Mesh


def mesh_averages(law: Any, mesh: Mesh) -> np.ndarray:
    """The averages over the cells, (N,), by Gauss quadrature in each; not renormalised but where a density is known up to a factor.

    On a surface the law's density is taken for one in the surface, and normalised there. A sample belongs to the cell with the nearest
    centre. Raises InputError where the dimensions differ, and where there is no mass in the mesh.
    """
    if law.dim not in (None, mesh.dim):
        raise InputError(f"the law has dimension {law.dim} but the mesh lies in dimension {mesh.dim}: they must agree")
    if isinstance(law, Mixture):
        return np.add.reduce([w * mesh_averages(part, mesh) for w, part in zip(law.weights, law.laws, strict=True)])
    if isinstance(law, MeshDensity):
        if law.mesh.cells.shape != mesh.cells.shape or not np.allclose(law.mesh.centers, mesh.centers):
            raise InputError("the initial density lies on another mesh: start from the mesh it was solved on, or from a law")
        return law.values.copy()
    if isinstance(law, Samples):
        _, nearest = spatial.cKDTree(mesh.centers).query(law.points)
        return np.bincount(nearest, minlength=mesh.size) / (len(law.points) * mesh.volumes)
    points, weights, owners = mesh.quadrature()
    averages = np.bincount(owners, weights * law.pdf(points), mesh.size) / mesh.volumes
    held = float(averages @ mesh.volumes)
    if not held > 0:
        raise InputError(f"{law!r} has no mass on the mesh: choose a mesh around the law")
    return averages / held if isinstance(law, FromDensity) or mesh.cell_dim < mesh.dim else averages
