"""One implicit Euler stage of ∂_t μ = div(μ ∇G(θ; μ)) + div(D ∇μ) − κ G μ by FiPy's terms, with what is ours around them.

Speed. The convection has the speed −∂_n G, with G at the centres (problems/point_potential.py), in the two parts of faces.py. FiPy's
DiffusionTerm knows the part across only, to which D/⟨e, n⟩ makes it equal; what is missing is −D⟨∇μ, t⟩ = −μ⟨∇(τ log μ + U'(μ)), t⟩, a
convection again, and is taken as one: upwind, by a term of its own. Without it, errors on skewed triangles do not fall with h.
With ExponentialConvectionTerm (Scharfetter–Gummel) the tangential part of G is in that term, too, so that all parts vanish where
G + τ log μ is constant: e^{−G/τ} does not move.

Limiters. FiPy has VanLeerConvectionTerm in explicit form only; on triangles it extrapolates over three quarters of the way to the face,
and may take mass from an empty cell. Its limiter is used here, over the whole way and on to the middle of the face, and the value at the
face as a multiple ψ of that of the cell upwind, bounded by 0 ≤ ψ ≤ 2, which is no restriction on boxes, where all is as in FiPy. The flux
speed·ψ·μ_upwind is an implicit upwind flux with the speed multiplied by ψ, and ψ follows μ in sweeps.

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

from wgf.measures.mesh import Mesh
from wgf.methods.fipy.bridge import load_fipy
from wgf.methods.fipy.faces import Faces

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
ROUNDING = 1e-14  # of the mass: a sweep that moves less has converged
LONELY = 1e-15  # of the largest density: emptier cells have no gradient of log μ
LEAST_DIFFUSION = 1e-30  # of a porous medium in empty cells: FiPy divides speeds by it
DIAGONAL = 0.5  # share of the off-diagonal entries in the diagonal ones up to which the system is solved by iteration
ROUNDS = 60  # of that iteration, which gains a digit in at most four


class Refused(Exception):
    """A step cannot be taken with this length; says why, and what helps where shorter ones do not."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


class Equation:
    """FiPy's variables and terms on a mesh.

    potential   G of masses (problems/point_potential.py)
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
        self.exponential = convection == "exponential"
        self.balanced = self.exponential and bool(noise or medium)
        self.completed = bool(noise or medium) and diffusion == "two-point" and not faces.straight
        self._build(load_fipy(), fipy_mesh, convection, diffusion)

    def _build(self, fipy: Any, mesh: Any, convection: str, diffusion: str) -> None:
        """FiPy's variables and equation."""
        self.density = fipy.CellVariable(mesh=mesh, value=0.0, hasOld=True)
        self.velocity, self.completion = (fipy.FaceVariable(mesh=mesh, rank=1, value=0.0) for _ in range(2))
        name = CONVECTION[convection]
        self.limiter: Any = fipy.VanLeerConvectionTerm(coeff=self.velocity) if convection == "van-leer" else None
        term = getattr(fipy, name if self.limiter is None else CONVECTION["upwind"])
        self.equation = fipy.TransientTerm() + self._unconstrained(term(coeff=self.velocity))
        self.diffusion = fipy.FaceVariable(mesh=mesh, value=LEAST_DIFFUSION)
        if self.noise or self.medium:
            self.equation = self.equation + self._unconstrained(-getattr(fipy, DIFFUSION[diffusion])(coeff=self.diffusion))
        if self.completed:
            self.equation = self.equation + self._unconstrained(fipy.UpwindConvectionTerm(coeff=self.completion))
        self.source = fipy.CellVariable(mesh=mesh, value=0.0)
        if self.growth:
            self.equation = self.equation - fipy.ImplicitSourceTerm(coeff=self.source)
        self.solver = exact_solver()

    def _unconstrained(self, term: Any) -> Any:
        """The term, unconstrained at the outer faces: else FiPy works out in every sweep that this adds zeros."""
        nothing = load_fipy().CellVariable(mesh=self.density.mesh, value=0.0)
        for name in ("constraintL", "constraintB"):
            if hasattr(term, name):  # of diffusion, by variable
                getattr(term, name)[self.density] = nothing
            else:
                setattr(term, name, nothing)
        return term

    def stage(self, base: np.ndarray, guess: np.ndarray, dt: float, sweeps: int, accuracy: float) -> tuple[np.ndarray, int]:
        """The μ with μ = base + dt·R(μ), by sweeps from a guess until one moves less than `accuracy` of μ − base, and their number.

        Raises Refused where `sweeps` of them are not enough, or give numbers that are none.
        """
        self.density.setValue(guess)
        self.density.old.setValue(base)
        values, rounding = guess, ROUNDING * float(base @ self.mesh.volumes)
        moved = math.inf
        for count in range(1, sweeps + 1):
            self._express(values)
            with np.errstate(all="ignore"):  # FiPy divides by speeds that are zero; what comes of it is looked at below
                self.equation.solve(var=self.density, dt=dt, solver=self.solver)
            found = np.array(self.density.value)
            moved = float(np.abs(found - values) @ self.mesh.volumes)
            if not math.isfinite(moved):
                raise Refused(
                    "a sweep gave infinite or undefined values", "look at the values of the neuron, the penalty and the law on the mesh"
                )
            values = found
            if moved <= max(accuracy * float(np.abs(found - base) @ self.mesh.volumes), rounding):
                return values, count
        reason = f"{sweeps} sweeps did not converge, the last one still moved {moved:.1e} of the mass"
        raise Refused(reason, "allow more sweeps, or a larger accuracy")

    def _express(self, values: np.ndarray) -> None:
        """Put speeds, diffusion and growth of the density `values`, which `density` holds, into FiPy's variables."""
        g = self.potential.update(values * self.mesh.volumes)
        speeds = self.speeds(g)
        if self.limiter is not None:
            speeds = speeds * self._limited(values, speeds)
        self._set(self.velocity, speeds * self.faces.normals[:, self.faces.inner])
        if self.noise or self.medium:
            coefficients = self.coefficients(values)
            self._set(self.diffusion, coefficients / self.faces.cosine if self.completed else coefficients)
        if self.completed:
            self._set(self.completion, self._completing(values, g) * self.faces.normals[:, self.faces.inner])
        if self.growth:
            self.source.setValue(-self.growth * g)

    def _set(self, variable: Any, inner: np.ndarray) -> None:
        """A FiPy variable at the inner faces; the outer ones are closed."""
        values = np.array(variable.value)
        values[..., self.faces.inner] = inner
        variable.setValue(values)

    def speeds(self, g: np.ndarray) -> np.ndarray:
        """−∂_n G at each inner face; only the normal part where the tangential one is in another term. See the module's text."""
        across = -self.faces.across(g)
        return across if self.balanced and self.completed else across - self.faces.beside(g, at_face=not self.balanced)

    def _completing(self, values: np.ndarray, g: np.ndarray) -> np.ndarray:
        """−⟨∇(τ log μ + U'(μ)), t⟩, and with exponential fluxes −⟨∇G, t⟩, at the inner faces between cells that are not empty.

        Times the mean of μ in both cells, in multiples of that of the cell upwind.
        """
        least = LONELY * float(values.max())
        force = self.forces(np.maximum(values, least)) + (g if self.exponential else 0.0)
        speeds = -self.faces.beside(force)
        first, second = values[self.faces.first], values[self.faces.second]
        multiples = _multiples(0.5 * (first + second), np.where(speeds > 0, first, second))
        return np.where((first > least) & (second > least), speeds * multiples, 0.0)

    def forces(self, values: np.ndarray) -> np.ndarray:
        """τ log μ + U'(μ) in each cell, (N,), for μ > 0: what drives the diffusion."""
        found = self.noise * np.log(values) if self.noise else np.zeros_like(values)
        return found + self.medium.derivative(values) if self.medium else found

    def _limited(self, values: np.ndarray, speeds: np.ndarray) -> np.ndarray:
        """ψ at each inner face: the cell upwind extrapolated to the middle of the face, in multiples of that cell.

        By FiPy's limited gradient along the line between the centres, by the plain one along the face.
        """
        directions, gradient = self.faces.directions, self.faces.gradient(values)
        jump = (values[self.faces.second] - values[self.faces.first]) / self.faces.distance
        slopes = [np.einsum("pf,pf->f", gradient[:, side], directions) for side in (self.faces.first, self.faces.second)]
        ahead = values[self.faces.first] + self.faces.from_first * np.asarray(self.limiter._getGradient(slopes[0], jump))
        back = values[self.faces.second] + self.faces.from_second * np.asarray(self.limiter._getGradient(-slopes[1], -jump))
        forward = speeds > 0
        giver = np.where(forward, self.faces.first, self.faces.second)
        along = np.einsum("pf,pf->f", gradient[:, giver], self.faces.aside)
        return _multiples(np.where(forward, ahead, back) + along, values[giver])

    def coefficients(self, values: np.ndarray) -> np.ndarray:
        """D at each inner face: τ, and μU''(μ) at the mean of the two cells."""
        if not self.medium:
            return np.full(len(self.faces.inner), self.noise)
        mean = 0.5 * (values[self.faces.first] + values[self.faces.second])
        result: np.ndarray = np.maximum(self.noise + self.medium.kappa * self.medium.q * mean ** (self.medium.q - 1), LEAST_DIFFUSION)
        return result


def _multiples(values: np.ndarray, upwind: np.ndarray) -> np.ndarray:
    """Values at faces in multiples of those upwind, within bounds; one where the cell upwind is empty."""
    with np.errstate(over="ignore"):  # of what is next to nothing
        ratio = np.divide(values, upwind, out=np.ones_like(values), where=upwind > 0)
    result: np.ndarray = np.clip(ratio, 0.0, LARGEST_MULTIPLE)
    return result


class Entries:
    """A sparse matrix as FiPy's terms fill it: the entries of each term, in four parts, are summed once, and then the terms.

    FiPy's own are summed anew at each part, which took most of the time of a sweep. Terms stay apart as long as they differ in size: a
    small flux is added to a large V/dt in one piece, with one rounding.
    """

    def __init__(self, mesh: Any, **_sizes: Any) -> None:
        self.shape = (mesh.numberOfCells,) * 2
        self.zeroEntries()

    def zeroEntries(self) -> None:
        """Begin anew."""
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.terms: list[Any] = []

    def addAt(self, vector: np.ndarray, id1: np.ndarray, id2: np.ndarray) -> None:
        """Values, rows and columns."""
        self.parts.append((np.asarray(vector, dtype=float), id1, id2))

    def __iadd__(self, other: Entries) -> Entries:
        self.terms.append(other.matrix)
        return self

    @property
    def matrix(self) -> Any:
        """By columns."""
        if self.terms:  # a sum of terms has no entries of its own
            return sum(self.terms[1:], self.terms[0])
        values, rows, columns = (np.concatenate(arrays) for arrays in zip(*self.parts, strict=True))
        return sparse.csc_matrix((values, (rows, columns)), shape=self.shape)


def exact_solver() -> Any:
    """A solver for FiPy whose results have no sign but that of the matrix' inverse; see the module's text.

    For off-diagonal entries that are small beside the diagonal, x ← (b + what comes from the neighbours)/diagonal, from x ≥ 0;
    else elimination along the diagonal. FiPy's own solvers correct a first guess, which leaves rounding of either sign in empty cells.
    """
    load_fipy()
    from fipy.solvers.scipy import LinearLUSolver

    class ExactSolver(LinearLUSolver):  # type: ignore[misc]  # FiPy has no types
        """Elimination along the diagonal, or iteration where that is dominant."""

        _matrixClass = Entries

        def _solve_(self, L: Any, x: np.ndarray, b: np.ndarray) -> np.ndarray:
            if not (np.isfinite(L.data).all() and np.isfinite(b).all()):
                return np.full_like(b, np.nan)
            diagonal = L.diagonal()
            others = sparse.csr_matrix(sparse.diags(diagonal) - L)
            if (diagonal > 0).all() and (np.abs(others).sum(axis=0) <= DIAGONAL * diagonal).all():
                return _iterated(others, diagonal, np.maximum(x, 0.0), b)
            options = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
            result: np.ndarray = linalg.splu(L, **options).solve(b)
            return result

    return ExactSolver()


def _iterated(others: Any, diagonal: np.ndarray, x: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The x with diagonal·x = b + others·x, by iteration until it does not change."""
    for _ in range(ROUNDS):
        found = (b + others @ x) / diagonal
        change = float(np.abs(found - x).sum())
        x = found
        if change <= np.finfo(float).eps * float(np.abs(x).sum()):
            break
    return x
