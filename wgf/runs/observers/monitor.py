"""Watches that a run stays meaningful: finite numbers, steps that get somewhere, mass inside the box and wider than a cell."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from wgf.errors import BoundaryWarning, NotFinite, ResolutionWarning, StepCollapse, warn
from wgf.measures.clusters import narrow_cluster
from wgf.measures.measure import Density, Measure, MeshDensity
from wgf.methods.base import Diagnostics, Frame
from wgf.problems.problem import Problem
from wgf.problems.undefined import named, undefined_at

SMALLEST_STEP = 1e-13  # of the whole time: below it, time does not advance any more
WINDOW = 1000  # steps after which it is looked how many would be left
SHORTER = 0.5  # than what was asked for: steps that something else bounds
MANY_STEPS, MOST_STEPS = 1e5, 1e8  # minutes, as a rule; hours, at best
FASTER = (
    'as the fastest rates of the flow bound them, whether anything still moves or not: end earlier, or at rest (until = "rest"), or take '
    "implicit steps (fipy or jko)"
)


class Monitor:
    """Raises NotFinite where the loss is no number, StepCollapse where steps lead nowhere; warns where mass reaches the edge of the box,
    where a frame shows it in a cluster that is narrower than a cell (clusters.py), and where steps are so short that the run will be long.

    edge_tolerance   mass in the outermost layer of cells from which on there is a warning, once for each side
    fixed_step       of neurons that move in steps of one size, which nothing makes shorter where they are too long
    longest_step     the longest one that was asked for, if any
    problem          in which it is looked for the place where the loss is no number
    """

    def __init__(
        self,
        until: float,
        edge_tolerance: float,
        fixed_step: float | None = None,
        longest_step: float | None = None,
        problem: Problem | None = None,
    ) -> None:
        self.problem = problem
        self.measure: Measure | None = None  # of the last frame
        self.last_frame = math.nan
        self.before = 0  # steps, of a run that goes on
        self.until, self.edge_tolerance, self.fixed_step = until, edge_tolerance, fixed_step
        self.asked_step = fixed_step or longest_step or math.inf
        self.names: tuple[str, ...] = ()
        self.mesh = ""
        self.last_time: float | None = None
        self.steps, self.window_start = 0, math.nan  # the time of the first frame, later that of the last look
        self.slow = False  # whether that was said
        self.warned: set[tuple[int, int]] = set()
        self.wide = False  # whether a frame has shown the density wider than a cell
        self.facts: dict[str, Any] = {}  # for the run's attributes

    def frame(self, frame: Frame) -> None:
        if isinstance(frame.measure, Density):
            self.names = tuple(frame.measure.grid.names)
        elif isinstance(frame.measure, MeshDensity):
            self.mesh = frame.measure.mesh.title
        self.measure = frame.measure
        self._check(frame.diagnostics)
        self.last_frame = frame.diagnostics.time
        if math.isnan(self.window_start):
            self.window_start = frame.diagnostics.time
        if isinstance(frame.measure, Density | MeshDensity) and frame.whole is None:
            self._resolve(frame.measure, frame.diagnostics.time)

    def _resolve(self, measure: Density | MeshDensity, time: float) -> None:
        """Note, and say once, that the density has become narrower than its cells; of an initial law that is so it is said elsewhere."""
        share, place = narrow_cluster(measure)
        self.wide = self.wide or not share
        if not (share and self.wide):
            return
        if not self.facts:
            where = ", ".join(f"{coordinate:.3g}" for coordinate in place)
            warn(
                f"at t = {time:.4g}, {share:.0%} of the mass lies around ({where}) in a cluster that is narrower than a cell: its width, "
                "and all that depends on it, is that of the cells, as after a blow-up; take more cells and see what changes, or end before",
                ResolutionWarning,
            )
            self.facts["unresolved_time"] = time
        self.facts["unresolved_share"] = share

    def step(self, diagnostics: Diagnostics) -> None:
        self._check(diagnostics)
        if self.last_time is not None and diagnostics.time - self.last_time < SMALLEST_STEP * self.until:
            raise StepCollapse(
                f"the time step fell to {diagnostics.time - self.last_time:.2g} at t = {diagnostics.time:.6g}: "
                "the velocity grows without bound there; choose a smaller box, a milder neuron or an earlier end"
            )
        self.last_time = diagnostics.time
        self._require_progress(diagnostics.time)

    def _require_progress(self, time: float) -> None:
        """Raise StepCollapse where the last WINDOW steps were so short that more than MOST_STEPS would be left; say once that there are
        many, of steps whose length was not asked for.
        """
        self.steps += 1
        if math.isnan(self.window_start):  # of a run that goes on
            self.window_start = time
        if self.steps % WINDOW:
            return
        step, self.window_start = (time - self.window_start) / WINDOW, time
        left, come = self.until - time, f"{self.steps:,} steps have come to t = {time:.3g} of {self.until:g}, and with steps of {step:.2g}"
        if left > MOST_STEPS * step:
            raise StepCollapse(f"{come} there are {left / step:.1g} left: the problem is stiff; {FASTER}")
        if left > MANY_STEPS * step and step < SHORTER * self.asked_step and not self.slow:
            self.slow = True
            warn(f"{come} about {left / step:.1g} are left, which takes long, {FASTER}")

    def close(self, error: BaseException | None) -> None:
        pass

    @contextlib.contextmanager
    def at_step(self) -> Iterator[None]:
        """NotFinite from inside is raised with the number of the step, and the last frame that is good."""
        try:
            yield
        except NotFinite as error:
            raise NotFinite(f"after {self._steps()}, {error}{self._kept()}") from None

    def _steps(self) -> str:
        return f"{self.before + self.steps:,} steps"

    def _kept(self) -> str:
        """Which frame is the last good one."""
        return "" if math.isnan(self.last_frame) else f"; the last good frame is that at t = {self.last_frame:.6g}"

    def _place(self) -> str:
        """Where the problem has no finite values, among the points of the last frame."""
        point = None if self.problem is None or self.measure is None else undefined_at(self.problem.energy, self.measure.points)
        if point is None or self.problem is None:
            return ""
        return f", as the problem has no finite values at {named(self.problem.axis_names(len(point)), point)}"

    def _reason(self, time: float) -> str:
        """Why a number may not be finite, and what to do."""
        if self.fixed_step is not None and time > 0:
            return (
                f"the neurons diverge, as steps of {self.fixed_step:g} are too long for the slopes that they meet, or the energy is "
                "infinite or undefined where they are; choose a smaller step, or look at its values there"
            )
        return (
            "the neuron, the penalty or the law gives infinite or undefined values in the box; choose a smaller box, or look at "
            "their values there"
        )

    def _check(self, diagnostics: Diagnostics) -> None:
        for name, value in (("loss", diagnostics.loss), ("mass", diagnostics.mass)):
            if not math.isfinite(value):
                raise NotFinite(
                    f"after {self._steps()}, the {name} is {value} at t = {diagnostics.time:.6g}{self._place()}: "
                    f"{self._reason(diagnostics.time)}{self._kept()}"
                )
        if diagnostics.boundary is None or diagnostics.boundary_mass <= self.edge_tolerance:
            return
        places = [
            ((axis, side), f"outermost cells at the {end} end of axis {name}: the box is too small there; move its {end} edge outwards")
            for axis, name in enumerate(self.names)
            for side, end in enumerate(("lower", "upper"))
        ] or [((0, 0), f"cells at the edge of the mesh ({self.mesh}): take a larger one, or edge_tolerance = 1 where walls are meant")]
        for place, advice in places:
            fraction = diagnostics.boundary[place] / diagnostics.mass
            if fraction > self.edge_tolerance and place not in self.warned:
                self.warned.add(place)
                text = f"at t = {diagnostics.time:.4g}, {fraction:.2g} of the mass lies in the {advice}"
                warn(text, BoundaryWarning)
