"""The inner faces of a FiPy mesh, and derivatives across them.

The line between the centres of two neighbours, of direction e and length d, may miss the normal n of the face between them. With ∇f of both
cells,

    ∂_n f = (f_2 − f_1)/(d ⟨e, n⟩) + ⟨∇f, t⟩,    t = n − e/⟨e, n⟩,

in two parts: `across`, of the two values only, and `beside`, which vanishes on boxes. This is the derivative midway between the centres.
Where the cells differ in size, the line meets the face elsewhere, δ from the middle, and there a third part is to be added to `beside`,

    δ ⟨∇f_2 − ∇f_1, e⟩/(d ⟨e, n⟩).

Gradients are those of weighted least squares,

    ∇f = argmin_v Σ (f_j − f_i − ⟨v, θ_j − θ_i⟩)²/|θ_j − θ_i|³    over the neighbours j of a cell i,

exact for linear functions on any mesh (FiPy's own, from values at faces that are interpolated along e, are not on tetrahedra and skewed
triangles), with these weights for quadratic ones, too, where neighbours lie on lines, and on a surface in space the one that lies in it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from wgf.errors import InputError, ResolutionWarning, warn
from wgf.measures.mesh import Mesh

FLAT, STEEP = 1e-10, 0.05  # share of the largest eigenvalue below which there are no neighbours in a direction; on a surface
OBLIQUE, TOO_OBLIQUE = 0.2, 0.05  # ⟨e, n⟩ at a face: below it there is a warning, or the mesh is refused
STRAIGHT = 1e-9  # |t| of faces that the line between the centres crosses at a right angle, and δ/d of those that it crosses in its middle


class Faces:
    """The inner faces, F of all: between cells `first` and `second` (F,), with `area`, at the distance `distance` = d of the centres.

    directions        e (p, F) of the module's text;   cosine, tilt   ⟨e, n⟩ and t (p, F)
    aside             from where the line between the centres meets the face to the face's middle (p, F)
    straight, even    whether t, δ of the module's text are zero everywhere
    from_first        the way from the centre of the first cell to the face, from_second that from the second one, off_middle δ
    inner             their numbers among all faces, whose normals are `normals` (p, all)
    edge              the cells at the boundary
    """

    def __init__(self, mesh: Any) -> None:
        self.inner = np.flatnonzero(np.asarray(mesh.interiorFaces.value))
        self.first, self.second = (np.asarray(ids)[self.inner] for ids in mesh._adjacentCellIDs)
        self.distance, self.area = (np.asarray(lengths, dtype=float)[self.inner] for lengths in (mesh._cellDistances, mesh._faceAreas))
        self.normals = np.asarray(mesh.faceNormals, dtype=float)
        normals = self.normals[:, self.inner]
        lines = np.asarray(getattr(mesh, "_cellDistanceVectors", self.normals), dtype=float)[:, self.inner]  # uniform grids have none
        directions = lines / np.linalg.norm(lines, axis=0)
        self.directions = directions * np.sign(np.einsum("pf,pf->f", directions, normals))  # −1 across a periodic seam
        self.cosine = np.einsum("pf,pf->f", self.directions, normals)
        share, self.aside = self._crossings(mesh, normals)
        self.from_first, self.from_second = share * self.distance, (1.0 - share) * self.distance
        self.off_middle = self.from_first - 0.5 * self.distance
        self.even = bool(np.abs(self.off_middle / self.distance).max(initial=0.0) <= STRAIGHT)
        self.tilt = normals - self.directions / self.cosine
        self.straight = bool(np.abs(self.tilt).max(initial=0.0) <= STRAIGHT)
        # the outer faces that a cell has: those that FiPy has joined with others across a seam are no cell's
        outer = np.intersect1d(np.flatnonzero(np.asarray(mesh.exteriorFaces.value)), np.ma.compressed(mesh.cellFaceIDs))
        self.edge = np.unique(np.asarray(mesh._adjacentCellIDs[0])[outer])
        self.cells = mesh.numberOfCells
        products = self.directions[:, None] * self.directions / self.distance  # (p, p, F)
        normal_equations = np.stack([[self._gathered(entry, entry) for entry in row] for row in products])  # (p, p, N)
        on_surface = len(normals) == 3 and np.shape(mesh.faceVertexIDs)[0] == 2
        self._inverse = np.linalg.pinv(normal_equations.transpose(2, 0, 1), rcond=STEEP if on_surface else FLAT, hermitian=True)

    def judge(self, mesh: Mesh) -> None:
        """Warn of cells so thin that the line between the centres of two neighbours nearly lies in their face; refuse still thinner ones.

        There 1/⟨e, n⟩ and t of the module's text are large, and a small error of the gradient is a large one of the flux: steps become
        short and E may rise. On meshes of good quality ⟨e, n⟩ ≥ ½ everywhere.
        """
        least, oblique = float(self.cosine.min(initial=1.0)), np.flatnonzero(self.cosine < OBLIQUE)
        if not oblique.size:
            return
        place = mesh.centers[self.first[int(np.argmin(self.cosine))]]
        text = (
            f"the {mesh.title} is too thin in places: at {oblique.size:,} of {len(self.cosine):,} faces the line between the centres of "
            f"two cells is almost parallel to the face, the worst by {math.degrees(math.asin(least)):.1f}° near "
            f"({', '.join(f'{x:.3g}' for x in place)})"
        )
        if least < TOO_OBLIQUE:
            raise InputError(
                f"{text}: make cells about as long as they are thick there, or thin layers of wedges or hexahedra (Extrude … Layers)"
            )
        warn(f"{text}: expect short steps and a large error there, or make the cells thicker", ResolutionWarning)

    def _crossings(self, mesh: Any, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The share of the line between the centres up to the plane of the face, (F,), and the way from there to the face's middle, (p, F).

        FiPy's own share is that of the way to the middle, which on thin cells is far from the line. It is taken on uniform grids, as one
        half, and across periodic seams, where it is right, and the centres lie at both ends of the mesh.
        """
        share = np.asarray(mesh._faceToCellDistanceRatio, dtype=float)[self.inner]
        ways = getattr(mesh, "_cellToFaceDistanceVectors", None)
        if ways is None:
            return share, np.zeros_like(normals)
        to_middle, from_second = (np.asarray(ways[:, side])[:, self.inner] for side in (0, 1))
        before, behind = (np.einsum("pf,pf->f", way, normals) for way in (to_middle, from_second))
        between = (before > 0) & (behind < 0)
        share = np.where(between, before / np.where(between, before - behind, 1.0), share)
        return share, np.where(between, to_middle - share * self.distance * self.directions, 0.0)

    def _gathered(self, to_first: np.ndarray, to_second: np.ndarray) -> np.ndarray:
        """The sum over the faces of each cell, (N,), of what each gives its first and its second one."""
        return np.bincount(self.first, to_first, self.cells) + np.bincount(self.second, to_second, self.cells)

    def gradient(self, f: np.ndarray) -> np.ndarray:
        """∇f in each cell, (p, N), for f (N,)."""
        slopes = (f[self.second] - f[self.first]) / self.distance**2
        right = np.stack([self._gathered(slopes * e, slopes * e) for e in self.directions])
        result: np.ndarray = np.einsum("npq,qn->pn", self._inverse, right)
        return result

    def across(self, f: np.ndarray) -> np.ndarray:
        """(f_2 − f_1)/(d ⟨e, n⟩), (F,)."""
        result: np.ndarray = (f[self.second] - f[self.first]) / (self.distance * self.cosine)
        return result

    def beside(self, f: np.ndarray, at_face: bool = False) -> np.ndarray:
        """⟨∇f, t⟩ with the mean of both cells, (F,); `at_face` with δ ⟨∇f_2 − ∇f_1, e⟩/(d ⟨e, n⟩)."""
        uneven = at_face and not self.even
        if self.straight and not uneven:
            return np.zeros(len(self.inner))
        gradient = self.gradient(f)
        first, second = gradient[:, self.first], gradient[:, self.second]
        found = np.einsum("pf,pf->f", 0.5 * (first + second), self.tilt)
        if uneven:
            found += self.off_middle / (self.distance * self.cosine) * np.einsum("pf,pf->f", second - first, self.directions)
        result: np.ndarray = found
        return result

    def parts(self) -> int:
        """Of how many pieces, between which there is no face, the mesh consists."""
        pairs = sparse.coo_matrix((np.ones(len(self.inner)), (self.first, self.second)), shape=(self.cells, self.cells))
        return int(csgraph.connected_components(pairs, directed=False, return_labels=False))

    def outgoing(self, flux: np.ndarray) -> np.ndarray:
        """What leaves each cell, (N,), by the flux from first to second cells, (F,)."""
        return self._gathered(np.maximum(flux, 0.0), np.maximum(-flux, 0.0))
