"""FiPy as a second opinion: ∂_t μ = div(μ ∇G(θ; μ)) + div(D ∇μ) − κ G μ by its finite volumes, on any of its meshes.

The discretisation in space is FiPy's: a cell's balance of the fluxes of a ConvectionTerm and a DiffusionTerm that are chosen by name,
no flux through the outer faces, an ImplicitSourceTerm for growth (problems/problem.py); see equation.py.

Time. Each step is that of a singly diagonally implicit Runge–Kutta method of order two, stable for stiff problems [Alexander, SIAM J.
Numer. Anal. 14 (1977) 1006]: with γ = 1 − 1/√2 and the right-hand side R(μ),

    μ_1 = μ_0 + γ dt R(μ_1),    μ_+ = μ_0 + ((1 − γ)/γ)(μ_1 − μ_0) + γ dt R(μ_+):

two implicit Euler steps, each swept, with G, ψ and D following μ, until a sweep moves less than `accuracy` of what the stage moves.

Positivity. Every sweep solves a system with a matrix of non-negative inverse (but for central differences, and fluxes corrected for
oblique faces) and, as long as the second stage begins with μ_0 + ((1 − γ)/γ)(μ_1 − μ_0) ≥ 0, with a right-hand side ≥ 0, so that no cell
becomes negative. Mass is kept by every sweep, since fluxes cancel in pairs; where it grows (G < 0), FiPy puts the growth on the right-hand
side, which stays ≥ 0. A step with a negative cell, or whose sweeps do not converge, is taken again, half as long; where that does not help,
the run ends and says why.
"""

from __future__ import annotations

import dataclasses
import numbers
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError, positive, positive_if_given
from wgf.measures.measure import Measure, MeshDensity
from wgf.methods.box_search import find_box
from wgf.methods.domain_table import on_axis, read_box
from wgf.methods.fipy.bridge import checked, described
from wgf.methods.fipy.domains import SHAPES, Box
from wgf.methods.fipy.equation import CONVECTION, DIFFUSION
from wgf.methods.fipy.stepper import MeshStepper
from wgf.problems.poisson import REMEDY
from wgf.problems.problem import Problem
from wgf.problems.schema import TomlTable
from wgf.registers import known, listed

ALIASES = {"ConvectionTerm": "power-law", "DiffusionTerm": "two-point", "ImplicitDiffusionTerm": "two-point"}  # in FiPy, the same


@dataclass(frozen=True)
class FiPyMesh:
    """μ as cell averages on a mesh of FiPy, moved by FiPy's terms.

    Parameters
    ----------
    mesh : Box, Disc, Annulus, Sphere, Circle, GmshFile or mesh of FiPy
        Grid1D … Grid3D, Gmsh2D, Gmsh3D, Gmsh2DIn3DSpace, … of FiPy, or one of our domains
    convection : str
        "van-leer", "upwind", "exponential" (which keeps the discrete Gibbs state), "power-law", "hybrid" or "central", or FiPy's name
    diffusion : str
        "two-point", completed on oblique faces, or "corrected", FiPy's way; or FiPy's name of the term
    cells_per_step : float
        cells by which the mass moves in a step, in the root mean square
    dt : float, optional
        the longest time step; by default what `cells_per_step` and the change of the dissipation ask for
    sweeps : int
        the most that a stage of a step may take
    accuracy : float
        fraction of what a stage moves that its last sweep may still move
    tolerance : float
        relative error to which the neuron's features, or W, are compressed
    edge_tolerance : float
        mass in the cells at the boundary from which on there is a warning; 1 where walls are meant

    References
    ----------
    Guyer, Wheeler & Warren, "FiPy: partial differential equations with Python", Computing in Science & Engineering 11 (2009) 6.
    """

    mesh: Any
    convection: str = "van-leer"
    diffusion: str = "two-point"
    cells_per_step: float = 0.5
    dt: float | None = None
    sweeps: int = 60
    accuracy: float = 3e-4
    tolerance: float = 1e-12
    edge_tolerance: float = 1e-4

    handles_growth = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "convection", _key(self.convection, CONVECTION, "convection term"))
        object.__setattr__(self, "diffusion", _key(self.diffusion, DIFFUSION, "diffusion term"))
        for name in ("cells_per_step", "accuracy", "edge_tolerance"):
            positive(getattr(self, name), name)
        positive_if_given(self.dt, "dt")
        if self.accuracy >= 1:
            raise InputError(f"accuracy = {self.accuracy:g}: the fraction of a stage that a sweep may still move is less than one")
        if not isinstance(self.sweeps, numbers.Integral) or self.sweeps < 2:
            raise InputError(f"sweeps = {self.sweeps!r}: a whole number, at least 2, for it takes one more to see that nothing moves")
        if not isinstance(self.tolerance, numbers.Real) or not 0 <= self.tolerance < 1:
            raise InputError(f"tolerance = {self.tolerance!r}: the relative error of the compressed features lies in [0, 1)")
        if not self._is_domain:
            object.__setattr__(self, "mesh", checked(self.mesh))

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> FiPyMesh:
        """From the tables of a problem file: the mesh is that of the shape which [domain] names, with what belongs to it."""
        shape = domain.choice("shape", list(SHAPES), "box")
        if shape != "box" and cells:
            raise InputError(f"--cells is for boxes; how fine the mesh is for shape = {shape!r} is set in [domain]")
        if shape != "box":
            beside = {"file": str(domain.path("file", Path(domain.file).parent))} if shape == "gmsh" else {}  # the problem file
            return table.build(cls, mesh=domain.build(SHAPES[shape], **beside))
        box = read_box(domain, problem, cells)
        if box.pop("grow", False):
            raise domain.error("grow", "= true is for finite-volume: a mesh does not grow")
        if "spacing" in box:
            raise domain.error("spacing", "is for finite-volume, and for other shapes than a box: give cells, lower and upper")
        with domain.located():
            mesh = Box(**{"cells": on_axis(problem)} | box)
        return table.build(cls, mesh=mesh)

    def bind(self, problem: Problem, until: float) -> MeshStepper:
        """Make the mesh, and check that the problem fits it."""
        domain = self.mesh
        if getattr(problem.energy, "poisson", None) is not None:
            raise InputError(f"W = poisson is solved for on a grid, which a mesh of FiPy is not: {REMEDY}")
        if isinstance(domain, Box) and domain.lower is None:
            domain = Box(domain.cells, *find_box(problem, until), boundary=domain.boundary)
        if isinstance(domain, Box) and problem.dim is not None:
            domain = domain.on_axes(problem.dim)
        fipy_mesh, mesh = domain.build() if self._is_domain else (domain, described(domain))
        if problem.dim not in (None, mesh.dim):
            names = listed(problem.axis_names(problem.dim))
            raise InputError(f"the {mesh.title} lies in dimension {mesh.dim} but theta has {problem.dim} coordinates ({names})")
        if problem.growth and not np.allclose(np.linalg.norm(mesh.vertices, axis=1), 1.0):
            raise InputError(f"the problem was reduced to the unit sphere: take wgf.Sphere or wgf.Circle of radius 1, not the {mesh.title}")
        if not self._is_domain and type(domain).__name__.startswith("Periodic") and getattr(problem.energy, "W", None) is not None:
            raise InputError('on a periodic mesh an interaction W takes the nearest image of a cell: give wgf.Box(…, boundary="periodic")')
        grid = domain.grid() if isinstance(domain, Box) else None  # the same cells
        return MeshStepper(self, problem, fipy_mesh, mesh.named(problem.axis_names(mesh.dim)), grid)

    def on_cells_of(self, problem: Problem, measure: Measure) -> FiPyMesh:
        """Itself on the box of a density, where its own would have to be found."""
        if not isinstance(self.mesh, Box) or self.mesh.lower is not None or not isinstance(measure, MeshDensity):
            return self
        lower, upper = measure.mesh.lower.tolist(), measure.mesh.upper.tolist()
        return dataclasses.replace(self, mesh=dataclasses.replace(self.mesh, lower=lower, upper=upper))

    @property
    def _is_domain(self) -> bool:
        """Whether the mesh is still to be made."""
        return isinstance(self.mesh, tuple(SHAPES.values()))

    @property
    def order(self) -> int:
        """That on triangles; on regular meshes it is two, and the change from half the resolution is a safe bound.

        It is not where mass gathers on the kinks of G of a few data, without a density (problems/sphere.py): there it is half the error.
        """
        return 1

    def coarser(self, problem: Problem, until: float) -> FiPyMesh | None:
        """Itself with cells, and time steps where they are given, twice as large; None for a mesh made elsewhere."""
        if not hasattr(self.mesh, "coarser"):
            return None
        options = {"mesh": self.mesh.coarser(), "dt": None if self.dt is None else 2 * self.dt}
        return dataclasses.replace(self, **options)

    def __repr__(self) -> str:
        mesh = repr(self.mesh) if self._is_domain else described(self.mesh).title
        return f"FiPyMesh({mesh}, {self.convection})"


def _key(word: object, register: dict[str, str], what: str) -> str:
    """A name in the register, from itself or from FiPy's name of the term, in full or without its ending."""
    theirs = {name: key for key, term in register.items() for name in (term, term.removesuffix("ConvectionTerm"))}
    return known(({**ALIASES, **theirs}).get(word, word) if isinstance(word, str) else word, register, what)
