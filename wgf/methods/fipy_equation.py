"""One implicit Euler stage of ∂_t μ = div(μ ∇G(θ; μ)) + div(D ∇μ) − κ G μ by FiPy's terms, with what is ours around them.

Speed. With noise, it is −(G_2 − G_1)/d at the face between cells 1 and 2 at distance d, from G at the centres (point_potential.py): the
same quotient that FiPy's DiffusionTerm takes of μ, so that with ExponentialConvectionTerm (Scharfetter–Gummel) e^{−G/τ} does not move.
Without noise it is the derivative along the normal n, which the line e between the centres may miss: with the mean ∇G of both cells, as
FiPy takes it from their faces,

    −∂_n G = −(G_2 − G_1)/(d ⟨e, n⟩) − ⟨∇G, n − e/⟨e, n⟩⟩,

the same on boxes; on triangles, without the second part neighbouring cells differ visibly where the density should be smooth.

Limiters. FiPy has VanLeerConvectionTerm in explicit form only; on triangles it extrapolates over three quarters of the way to the face,
and may take mass from an empty cell. Its limited gradient is used here, over the whole way, and the value at the face as a multiple ψ of
that of the cell upwind, bounded by 0 ≤ ψ ≤ 2, which is no restriction on boxes, where all is as in FiPy. The flux speed·ψ·μ_upwind is
an implicit upwind flux with the speed multiplied by ψ, and ψ follows μ in sweeps.

Solver. The matrix of a sweep has an inverse without negative entries, but for central differences and for fluxes corrected for oblique
faces. Elimination along its diagonal then only adds non-negative numbers to a right-hand side ≥ 0, and no cell becomes negative, not even
by rounding. FiPy's own solvers correct a first guess, which leaves rounding of either sign in empty cells.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from wgf.fipy_bridge import load_fipy
from wgf.mesh import Mesh

CONVECTION = {
    "van-leer": "VanLeerConvectionTerm",
    "upwind": "UpwindConvectionTerm",
    "exponential": "ExponentialConvectionTerm",
    "power-law": "PowerLawConvectionTerm",
    "hybrid": "HybridConvectionTerm",
    "central": "CentralDifferenceConvectionTerm",
}
DIFFUSION = {"two-point": "DiffusionTermNoCorrection", "corrected": "DiffusionTermCorrection"}
LARGEST_MULTIPLE = 2.0  # of the value upwind, at a face
LEAST_DIFFUSION = 1e-30  # of a porous medium in empty cells: FiPy divides speeds by it
DIAGONAL = 0.5  # share of the off-diagonal entries in the diagonal ones up to which the system is solved by iteration
ROUNDS = 60  # of that iteration, which gains a digit in at most four


class Refused(Exception):
    """A step cannot be taken with this length; says why."""


class Faces:
    """The inner faces of a FiPy mesh, F of all: between cells `first` and `second` (F,), at `distance`, with `area`.

    oblique, missed   d⟨e, n⟩ and n − e/⟨e, n⟩ (p, F) of the module's text
    from_first        the way from the centre of the first cell to the face, from_second that from the second one
    inner             their numbers among all faces, whose normals are `normals` (p, all)
    edge              the cells at the boundary
    """

    def __init__(self, mesh: Any) -> None:
        self.inner = np.flatnonzero(np.asarray(mesh.interiorFaces.value))
        self.first, self.second = (np.asarray(ids)[self.inner] for ids in mesh._adjacentCellIDs)
        self.distance, self.area = (np.asarray(lengths, dtype=float)[self.inner] for lengths in (mesh._cellDistances, mesh._faceAreas))
        self.normals = np.asarray(mesh.faceNormals, dtype=float)
        share = np.asarray(mesh._faceToCellDistanceRatio, dtype=float)[self.inner]
        lines = np.asarray(getattr(mesh, "_cellDistanceVectors", self.normals), dtype=float)[:, self.inner]  # uniform grids have none
        lines = lines / np.linalg.norm(lines, axis=0)
        cosines = np.einsum("pf,pf->f", lines, self.normals[:, self.inner])  # −1 across a periodic seam
        self.oblique, self.missed = self.distance * np.abs(cosines), self.normals[:, self.inner] - lines / cosines
        self.from_first, self.from_second = share * self.distance, (1.0 - share) * self.distance
        outer = np.asarray(mesh.exteriorFaces.value)
        self.edge = np.unique(np.asarray(mesh._adjacentCellIDs[0])[outer])


class Equation:
    """FiPy's variables and terms on a mesh.

    potential   G of masses (point_potential.py)
    noise       τ;   medium   a PorousMedium or None;   growth   κ
    """

    def __init__(
        self,
        fipy_mesh: Any,
        mesh: Mesh,
        faces: Faces,
        potential: Any,
        convection: str,
        diffusion: str,
        noise: float = 0.0,
        medium: Any = None,
        growth: float = 0.0,
    ) -> None:
        self.mesh, self.faces, self.potential, self.noise, self.medium, self.growth = mesh, faces, potential, noise, medium, growth
        self._build(load_fipy(), fipy_mesh, convection, diffusion)

    def _build(self, fipy: Any, mesh: Any, convection: str, diffusion: str) -> None:
        """FiPy's variables and equation."""
        self.density = fipy.CellVariable(mesh=mesh, value=0.0, hasOld=True)
        self.velocity = fipy.FaceVariable(mesh=mesh, rank=1, value=0.0)
        name = CONVECTION[convection]
        self.limiter: Any = fipy.VanLeerConvectionTerm(coeff=self.velocity) if convection == "van-leer" else None
        term = getattr(fipy, name if self.limiter is None else CONVECTION["upwind"])
        self.equation = fipy.TransientTerm() + term(coeff=self.velocity)
        self.diffusion = fipy.FaceVariable(mesh=mesh, value=self.noise)
        if self.noise or self.medium:
            self.equation = self.equation - getattr(fipy, DIFFUSION[diffusion])(coeff=self.diffusion)
        self.level, self.source = fipy.CellVariable(mesh=mesh, value=0.0), fipy.CellVariable(mesh=mesh, value=0.0)
        if self.growth:
            self.equation = self.equation - fipy.ImplicitSourceTerm(coeff=self.source)
        self.solver = exact_solver()

    def stage(self, base: np.ndarray, guess: np.ndarray, dt: float, sweeps: int, accuracy: float) -> tuple[np.ndarray, int]:
        """The μ with μ = base + dt·R(μ), by sweeps from a guess until one moves less than `accuracy` of the mass, and their number.

        Raises Refused where `sweeps` of them are not enough, or give numbers that are none.
        """
        self.density.setValue(guess)
        self.density.old.setValue(base)
        values, allowed = guess, accuracy * float(base @ self.mesh.volumes)
        moved = math.inf
        for count in range(1, sweeps + 1):
            self._express(values)
            with np.errstate(all="ignore"):  # FiPy divides by speeds that are zero; what comes of it is looked at below
                self.equation.solve(var=self.density, dt=dt, solver=self.solver)
            found = np.array(self.density.value)
            moved = float(np.abs(found - values) @ self.mesh.volumes)
            if not math.isfinite(moved):
                raise Refused("a sweep gave infinite or undefined values")
            values = found
            if moved <= allowed:
                return values, count
        raise Refused(f"{sweeps} sweeps did not converge, the last one still moved {moved:.1e} of the mass")

    def _express(self, values: np.ndarray) -> None:
        """Put speeds, diffusion and growth of the density `values`, which `density` holds, into FiPy's variables."""
        g = self.potential.update(values * self.mesh.volumes)
        speeds = self.speeds(g)
        if self.limiter is not None:
            speeds = speeds * self._multiples(values, speeds)
        self._set_velocity(speeds)
        if self.medium:
            coefficients = np.full(self.faces.normals.shape[1], LEAST_DIFFUSION)
            coefficients[self.faces.inner] = self.coefficients(values)
            self.diffusion.setValue(coefficients)
        if self.growth:
            self.source.setValue(-self.growth * g)

    def _set_velocity(self, speeds: np.ndarray) -> None:
        """The inner faces' speeds along their normals; the outer faces are closed."""
        along = np.zeros(self.faces.normals.shape[1])
        along[self.faces.inner] = speeds
        self.velocity.setValue(along * self.faces.normals)

    def speeds(self, g: np.ndarray) -> np.ndarray:
        """−∂G along the normal of each inner face; see the module's text."""
        if self.noise:
            return (g[self.faces.first] - g[self.faces.second]) / self.faces.distance
        self.level.setValue(g)
        gradient = np.asarray(self.level.grad.value)
        mean = 0.5 * (gradient[:, self.faces.first] + gradient[:, self.faces.second])
        return (g[self.faces.first] - g[self.faces.second]) / self.faces.oblique - np.einsum("pf,pf->f", mean, self.faces.missed)

    def _multiples(self, values: np.ndarray, speeds: np.ndarray) -> np.ndarray:
        """ψ at each inner face: the cell upwind extrapolated to the face by FiPy's limited gradient, in multiples of that cell."""
        normals, gradient = self.faces.normals[:, self.faces.inner], np.asarray(self.density.grad.value)
        jump = (values[self.faces.second] - values[self.faces.first]) / self.faces.distance
        slopes = [np.einsum("pf,pf->f", gradient[:, side], normals) for side in (self.faces.first, self.faces.second)]
        ahead = values[self.faces.first] + self.faces.from_first * np.asarray(self.limiter._getGradient(slopes[0], jump))
        back = values[self.faces.second] + self.faces.from_second * np.asarray(self.limiter._getGradient(-slopes[1], -jump))
        forward = speeds > 0
        upwind = np.where(forward, values[self.faces.first], values[self.faces.second])
        ratio = np.divide(np.where(forward, ahead, back), upwind, out=np.ones_like(upwind), where=upwind > 0)
        return np.clip(ratio, 0.0, LARGEST_MULTIPLE)

    def coefficients(self, values: np.ndarray) -> np.ndarray:
        """D at each inner face: τ, and μU''(μ) at the mean of the two cells."""
        if not self.medium:
            return np.full(len(self.faces.inner), self.noise)
        mean = 0.5 * (values[self.faces.first] + values[self.faces.second])
        return np.maximum(self.noise + self.medium.kappa * self.medium.q * mean ** (self.medium.q - 1), LEAST_DIFFUSION)


def exact_solver() -> Any:
    """A solver for FiPy whose results have no sign but that of the matrix' inverse; see the module's text.

    For off-diagonal entries ≤ 0 that are small beside the diagonal, x ← (b + what comes from the neighbours)/diagonal, from x ≥ 0;
    else elimination along the diagonal. FiPy's own solvers correct a first guess, which leaves rounding of either sign in empty cells.
    """
    load_fipy()
    from fipy.solvers.scipy import LinearLUSolver

    class ExactSolver(LinearLUSolver):
        """Elimination along the diagonal, or iteration where that is dominant."""

        def _solve_(self, L: Any, x: np.ndarray, b: np.ndarray) -> np.ndarray:
            matrix = sparse.csc_matrix(L)
            if not (np.isfinite(matrix.data).all() and np.isfinite(b).all()):
                return np.full_like(b, np.nan)
            diagonal = matrix.diagonal()
            others = sparse.csr_matrix(sparse.diags(diagonal) - matrix)
            if (diagonal > 0).all() and (np.abs(others).sum(axis=0) <= DIAGONAL * diagonal).all():
                return _iterated(others, diagonal, np.maximum(x, 0.0), b)
            options = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
            return linalg.splu(matrix, **options).solve(b)

    return ExactSolver()


def _iterated(others: Any, diagonal: np.ndarray, x: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The x with diagonal·x = b + others·x, by iteration until it stands still."""
    for _ in range(ROUNDS):
        found = (b + others @ x) / diagonal
        change = float(np.abs(found - x).sum())
        x = found
        if change <= np.finfo(float).eps * float(np.abs(x).sum()):
            break
    return x
