"""The charts of the measures of a run, which move with its frames: planes with marginals, lines, and the cells of a mesh."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wgf.measures.grid import Grid
from wgf.measures.measure import Cloud, Density, MeshDensity
from wgf.networks.waiting import reported
from wgf.plots.cells import picture_of
from wgf.plots.measures import BINS, View, counted_in_plane, curve_of, names_in_run, views_of
from wgf.plots.report.parts import BLUE, GREY, MARGIN, SHADES, Cells, Chart, Moving, empty_figure, shown
from wgf.plots.style import ORANGE
from wgf.runs.run import Run

MOST_FRAMES = 40
NUMBERS = 2**20  # of all frames of a measure: two bytes each
MOST_CELLS, MOST_OF_THREE = 128, 72  # that are shown along an axis, in one plane and in three
POINTS = 1500  # of an empirical measure
SPREAD = 2**16  # points that represent the cells of a mesh in its marginals
FEW = 5  # frames of which limits are those of all
MAIN = 0.84  # of a chart with marginals: the part of the plane itself
FILLED = {
    "mode": "lines",
    "line": {"color": BLUE, "width": 1.5},
    "fillcolor": "rgba(47, 143, 208, 0.35)",
    "hoverinfo": "skip",
    "showlegend": False,
}


def spread(count: int, most: int) -> list[int]:
    """The numbers of at most so many of the frames, the first and the last among them."""
    result: list[int] = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
    return result


def frames_of(run: Run) -> list[int]:
    """The frames that are shown: fewer where each holds much."""
    measure = run.measures[-1]
    size = measure.mesh.size if isinstance(measure, MeshDensity) else 3 * POINTS
    if isinstance(measure, Density):
        size = sum(math.prod(min(measure.grid.shape[k], _most(measure)) for k in axes) for axes in _pairs(measure))
    return spread(len(run.times), max(2, min(MOST_FRAMES, NUMBERS // max(size, 1))))


def _pairs(measure: Any) -> list[tuple[int, ...]]:
    return [view.axes for view in views_of(measure.names, [measure], places=False)]


def _most(measure: Any) -> int:
    return MOST_OF_THREE if measure.points.shape[1] == 3 else MOST_CELLS


def measure_charts(run: Run, frames: Sequence[int], wanted: np.ndarray | None) -> list[Chart]:
    """A chart for each view of the measures; `wanted` (frames, p) is where a certificate says that mass is missing."""
    some = [run.measures[frames[k]] for k in spread(len(frames), FEW)]
    names = names_in_run(run, some[-1])
    views = views_of(names, some, places=run.data is None)
    stream = [_Lines(view, names, some[-1]) if not view.plane else _plane(view, names, some, wanted) for view in views]
    for k in reported(frames, "frames"):
        measure = run.measures[k]
        for chart in stream:
            chart.take(measure)
    return [chart.chart(run.times[list(frames)]) for chart in stream]


def _plane(view: View, names: Sequence[str], some: Sequence[Any], wanted: np.ndarray | None) -> Any:
    last = some[-1]
    if isinstance(last, MeshDensity) and last.mesh.cell_dim < 3:
        return _OfCells(view, names, last, wanted)
    return (_Dots if isinstance(last, Cloud) else _Image)(view, names, last, wanted)


def shown_grid(grid: Grid, axes: Sequence[int], limits: Sequence[tuple[float, float]], most: int) -> tuple[Grid, list[int]]:
    """The cells of the axes between limits, in groups where they are more than `most`; and how many are in a group, along each."""
    lower, upper, cells, groups = [], [], [], []
    for axis, (low, high) in zip(axes, limits, strict=True):
        h = float(grid.spacing[axis])
        first = max(math.floor((low - grid.lower[axis]) / h + 1e-9), 0)
        last = min(math.ceil((high - grid.lower[axis]) / h - 1e-9), grid.shape[axis])
        group = -(-(last - first) // most)
        count = -(-(last - first) // group)
        begin = float(grid.lower[axis]) + first * h
        lower.append(begin)
        upper.append(begin + count * group * h)
        cells.append(count)
        groups.append(group)
    return Grid(lower, upper, cells), groups


def _marginal(density: Density, axes: Sequence[int]) -> Density:
    """The measure of some coordinates."""
    grid = density.grid
    part = Grid([grid.lower[k] for k in axes], [grid.upper[k] for k in axes], [grid.shape[k] for k in axes])
    return Density(part, density.marginal(*axes))


def _grouped(groups: Sequence[int]) -> str:
    """The note that says so."""
    return f"Each cell shown is the mean of {' × '.join(map(str, groups))} cells. " if max(groups) > 1 else ""


class _Lines:
    """The density of one coordinate."""

    def __init__(self, view: View, names: Sequence[str], last: Any) -> None:
        self.view, self.name = view, names[view.axes[0]]
        self.rows: list[tuple[np.ndarray, np.ndarray]] = []
        self.note = ""
        if isinstance(last, Density):
            self.grid, groups = shown_grid(last.grid, view.axes, view.limits, 4 * MOST_CELLS)
            self.note = _grouped(groups)

    def take(self, measure: Any) -> None:
        axis = self.view.axes[0]
        if isinstance(measure, Density):
            self.rows.append((self.grid.centers[0], _marginal(measure, (axis,)).averages_over(self.grid)))
        else:
            self.rows.append(curve_of(measure, axis))

    def chart(self, times: np.ndarray) -> Chart:
        """The curve at a time over that of the start."""
        x, y = (np.array(values) for values in zip(*self.rows, strict=True))
        figure = empty_figure(
            xaxis={"title": shown(self.name), "range": self.view.limits[0]},
            yaxis={"title": "density", "range": [0, 1.05 * float(np.nanmax(y))]},
        )
        figure.add_scatter(x=x[0], y=y[0], mode="lines", line={"color": GREY, "width": 1.5, "dash": "dot"}, name=f"t = {times[0]:.4g}")
        figure.add_scatter(x=x[-1], y=y[-1], **(FILLED | {"fill": "tozeroy", "showlegend": True, "name": "at this time"}))
        alt = f"The density of {self.name}: its largest value is {y[0].max():.3g} at first and {y[-1].max():.3g} at last."
        return Chart(f"The law of {self.name}", alt, figure, [Moving(1, "x", x), Moving(1, "y", y)], note=self.note)


class _Plane:
    """The plane of two coordinates with a marginal above and one to the right; what is in it, subclasses say."""

    def __init__(self, view: View, names: Sequence[str], last: Any, wanted: np.ndarray | None) -> None:
        self.view, self.wanted = view, None if wanted is None else wanted[:, list(view.axes)]
        self.names = [names[k] for k in view.axes]
        self.marginals: list[list[np.ndarray]] = [[], []]

    def figure(self) -> Any:
        """The axes."""
        (left, right), (low, high) = self.view.limits
        hidden = {"visible": False, "fixedrange": True}
        equal = {"scaleanchor": "x"} if self.view.equal else {}
        return empty_figure(
            margin=MARGIN | {"b": 104},
            xaxis={"title": shown(self.names[0]), "range": [left, right], "domain": [0, MAIN], "showgrid": False, "zeroline": False},
            yaxis={"title": shown(self.names[1]), "range": [low, high], "domain": [0, MAIN], "showgrid": False, "zeroline": False, **equal},
            xaxis2={**hidden, "domain": [MAIN + 0.02, 1.0], "rangemode": "tozero"},
            yaxis2={**hidden, "domain": [MAIN + 0.02, 1.0], "rangemode": "tozero"},
        )

    def add_marginals(self, figure: Any, places: Sequence[np.ndarray]) -> list[Moving]:
        """Above and to the right; one scale for all times."""
        above, beside = (np.array(rows) for rows in self.marginals)
        figure.add_scatter(x=places[0], y=above[-1], yaxis="y2", **FILLED, fill="tozeroy")
        figure.add_scatter(x=beside[-1], y=places[1], xaxis="x2", **FILLED, fill="tozerox")
        figure.update_layout(yaxis2_range=[0, 1.02 * above.max()], xaxis2_range=[0, 1.02 * beside.max()])
        return [Moving(len(figure.data) - 2, "y", above), Moving(len(figure.data) - 1, "x", beside)]

    def add_wanted(self, figure: Any) -> list[Moving]:
        """Where mass is missing, as a star; nothing, where that is never in the picture."""
        if self.wanted is None or not self._in_picture(self.wanted).any():
            return []
        look = {"symbol": "star", "size": 15, "color": ORANGE, "line": {"color": "white", "width": 1}}
        x, y = self.wanted[-1]
        figure.add_scatter(x=[x], y=[y], mode="markers", marker=look, name="lowest G: mass is missing there")
        return [Moving(len(figure.data) - 1, "xy"[k], self.wanted[:, [k]]) for k in (0, 1)]

    def _in_picture(self, points: np.ndarray) -> np.ndarray:
        low, high = np.array(self.view.limits).T
        result: np.ndarray = ((points >= low) & (points <= high)).all(axis=1)
        return result

    def title(self) -> str:
        """The law of which coordinates it shows."""
        return f"The law of ({', '.join(self.names)})"

    def alt(self, what: str, times: np.ndarray) -> str:
        return f"{what} in the space of {', '.join(self.names)}, at t = {times[-1]:.4g}; the slider shows other times."


class _Image(_Plane):
    """A density, cell by cell."""

    def __init__(self, view: View, names: Sequence[str], last: Any, wanted: np.ndarray | None) -> None:
        super().__init__(view, names, last, wanted)
        self.note = ""
        if isinstance(last, Density):
            self.grid, groups = shown_grid(last.grid, view.axes, view.limits, _most(last))
            self.note = _grouped(groups)
        else:
            self.grid = counted_in_plane(last, view.axes).grid
            self.note = "The marginal of a mesh in space, counted in cells of the plane. "
        self.images: list[np.ndarray] = []

    def take(self, measure: Any) -> None:
        plane = _marginal(measure, self.view.axes) if isinstance(measure, Density) else counted_in_plane(measure, self.view.axes)
        values = plane.averages_over(self.grid)
        self.images.append(values.T)
        for axis in (0, 1):
            self.marginals[axis].append(values.sum(axis=1 - axis) * float(self.grid.spacing[1 - axis]))

    def chart(self, times: np.ndarray) -> Chart:
        """The image with its colours, marginals and star."""
        figure, images = self.figure(), np.array(self.images)
        x, y = self.grid.centers
        says = f"{shown(self.names[0])} %{{x:.3g}}, {shown(self.names[1])} %{{y:.3g}}: %{{z:.3g}}<extra></extra>"
        figure.add_heatmap(x=x, y=y, z=images[-1].astype("f4"), coloraxis="coloraxis", hovertemplate=says)
        figure.update_layout(coloraxis=colours(float(images.max())))
        moving = [Moving(0, "z", images), *self.add_marginals(figure, (x, y)), *self.add_wanted(figure)]
        note = f"{self.note}Largest value {images[0].max():.3g} at t = {times[0]:.4g}, {images[-1].max():.3g} at t = {times[-1]:.4g}."
        return Chart(self.title(), self.alt("The density", times), figure, moving, note=note, shape="tall")


class _Dots(_Plane):
    """Neurons, the same ones at all times."""

    def __init__(self, view: View, names: Sequence[str], last: Any, wanted: np.ndarray | None) -> None:
        super().__init__(view, names, last, wanted)
        masses = last.masses
        count = len(masses)
        equal = np.ptp(masses) <= 1e-12 * masses.max()
        rng = np.random.default_rng(0)
        self.chosen = np.arange(count) if count <= POINTS and equal else np.sort(rng.choice(count, POINTS, p=masses / masses.sum()))
        self.note = (
            f"{len(self.chosen):,} of {count:,} neurons are shown, drawn by weight. "
            if count > POINTS or not equal
            else f"{count:,} neurons. "
        )
        self.places: list[np.ndarray] = []

    def take(self, measure: Any) -> None:
        points = measure.points[:, list(self.view.axes)]
        self.places.append(points[self.chosen])
        for axis in (0, 1):
            heights, edges = np.histogram(points[:, axis], BINS, self.view.limits[axis], weights=measure.masses)
            self.marginals[axis].append(heights / np.diff(edges))

    def chart(self, times: np.ndarray) -> Chart:
        """The neurons with their histograms."""
        figure, places = self.figure(), np.array(self.places)
        opacity = max(0.25, min(0.8, 200 / len(self.chosen)))
        x, y = places[-1].astype("f4").T
        figure.add_scatter(
            x=x, y=y, mode="markers", marker={"color": BLUE, "size": 5, "opacity": opacity}, name="neurons", showlegend=False
        )
        centres = [low + (np.arange(BINS) + 0.5) * (high - low) / BINS for low, high in self.view.limits]
        moving = [Moving(0, "xy"[k], places[:, :, k]) for k in (0, 1)]
        moving += [*self.add_marginals(figure, centres), *self.add_wanted(figure)]
        return Chart(self.title(), self.alt("The neurons", times), figure, moving, note=self.note, shape="tall")


class _OfCells(_Plane):
    """The cells of a mesh; a closed surface as a map of its halves, a closed line as a ring."""

    def __init__(self, view: View, names: Sequence[str], last: MeshDensity, wanted: np.ndarray | None) -> None:
        super().__init__(view, names, last, wanted)
        self.mesh = last.mesh
        self.names = self.names if self.mesh.cell_dim == 2 == self.mesh.dim else list(names)
        self.picture = picture_of(self.mesh)
        self.flat = self.mesh.cell_dim == self.mesh.dim
        if self.flat:
            self.points, self.shares, self.owners = self.mesh.scattered(SPREAD)
        self.values: list[np.ndarray] = []

    def take(self, measure: Any) -> None:
        self.values.append(measure.values)
        if self.flat:
            masses = self.shares * measure.masses[self.owners]
            for axis in (0, 1):
                heights, edges = np.histogram(self.points[:, axis], BINS, self.view.limits[axis], weights=masses)
                self.marginals[axis].append(heights / np.diff(edges))

    def chart(self, times: np.ndarray) -> Chart:
        """Polygons in the colours of their values."""
        figure, values = self.figure(), np.array(self.values)
        top = float(values.max()) or 1.0
        for shade in range(SHADES):
            between = f"density {top * shade / SHADES:.3g} … {top * (shade + 1) / SHADES:.3g}"
            figure.add_scatter(
                x=[], y=[], mode="lines", fill="toself", hoveron="fills", text=between, hoverinfo="text", showlegend=False, line_width=0.5
            )
        figure.add_scatter(x=[None], y=[None], mode="markers", marker={"color": [0.0], "coloraxis": "coloraxis"}, showlegend=False)
        figure.update_layout(coloraxis=colours(top))
        lines, labels = self.picture.lines, self.picture.labels
        figure.add_scatter(x=lines[:, 0], y=lines[:, 1], mode="lines", line={"color": GREY, "width": 1}, hoverinfo="skip", showlegend=False)
        for x, y, text in labels:
            figure.add_annotation(x=x, y=y, text=shown(text), showarrow=False)
        shades = np.minimum((values * (SHADES / top)).astype(int), SHADES - 1)
        cells = Cells(self.picture.corners[..., 0], self.picture.corners[..., 1], shades[:, self.picture.owners])
        moving: list[Moving] = []
        if self.flat:
            centres = [low + (np.arange(BINS) + 0.5) * (high - low) / BINS for low, high in self.view.limits]
            moving = [*self.add_marginals(figure, centres), *self.add_wanted(figure)]
        else:
            figure.update_xaxes(domain=[0, 1], selector=0)
            figure.update_yaxes(domain=[0, 1], selector=0)
            if self.mesh.dim == 3:
                figure.update_xaxes(visible=False)
                figure.update_yaxes(visible=False)
        note = f"{self.mesh.size:,} cells, in {SHADES} shades. " + (
            "" if self.flat or self.mesh.dim < 3 else "Both halves of the surface, in Lambert's equal-area map. "
        )
        return Chart(self.title(), self.alt("The density on the cells of a mesh", times), figure, moving, cells, note, "tall")


def colours(top: float) -> dict[str, Any]:
    """The scale of a density from zero to its largest value; the page's script puts in the colours of light and dark."""
    place = {"x": 0, "xanchor": "left", "len": MAIN, "yref": "container", "y": 0.01, "yanchor": "bottom"}
    bar = {"orientation": "h", "thickness": 10, "title": {"text": "density", "side": "bottom"}, **place}
    return {"cmin": 0.0, "cmax": top or 1.0, "colorbar": bar}
