"""What a page consists of: parts with verdicts, facts, charts and tables; and numbers of many frames, packed for the page's script."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.plots.report.reproduce import Recipe
from wgf.plots.style import GREEN, ORANGE, PLUM

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

STEPS = 2**16 - 1  # of a number of many: two bytes each
BLUE = "#2f8fd0"  # like GREEN, ORANGE and PLUM distinguishable with any colour vision
GREY, BAND = "#7a8794", "rgba(128, 128, 128, 0.25)"  # seen on light and on dark
COLOURS = (BLUE, ORANGE, GREEN, PLUM, GREY)
LIGHT = ("#ffffff", "#d3e5f3", "#8fc1e0", "#3f93c6", "#14609e", "#08306b", "#031a3d")  # of densities, from none to the largest
DARK = ("#161c22", "#0d3a66", "#14609e", "#3f93c6", "#8fc1e0", "#d3e5f3", "#ffffff")
MARGIN = {"l": 56, "r": 12, "t": 36, "b": 48}  # of a chart, in pixels
SHADES = 32  # of the cells of a mesh
GOOD, FAIR, POOR, UNKNOWN, PLAIN = "good", "fair", "poor", "unknown", "plain"  # what a verdict is; plain: neither good nor poor
AXIS = re.compile(r"[xy]axis\d*")


@dataclass(frozen=True)
class Verdict:
    """Whether a run keeps what it should: one of GOOD … PLAIN, the number behind it, and what it means; `label` in place of the word."""

    name: str
    word: str
    number: str
    meaning: str
    label: str = ""


@dataclass(frozen=True)
class Moving:
    """Numbers of a chart that change with the frame: `attribute` of a trace, as values (frames, size) or rows (frames, n, columns)."""

    trace: int
    attribute: str
    values: np.ndarray

    def packed(self) -> dict[str, Any]:
        """For the page's script."""
        columns = self.values.shape[2] if self.values.ndim == 3 else 0
        return {"trace": self.trace, "attribute": self.attribute, "columns": columns, **packed(self.values)}


@dataclass(frozen=True)
class Cells:
    """The cells of a mesh, each in one of SHADES traces by its value: corners (N, k) in the plane of the picture, shades (frames, N)."""

    x: np.ndarray
    y: np.ndarray
    shades: np.ndarray

    def packed(self) -> dict[str, Any]:
        """For the page's script."""
        shades = {"kind": "shades", "size": self.shades.shape[1], "data": _text(self.shades.astype("u1"))}
        return {"corners": self.x.shape[1], "x": packed(self.x.reshape(1, -1)), "y": packed(self.y.reshape(1, -1)), "shades": shades}


@dataclass(frozen=True)
class Chart:
    """A figure of plotly with what moves in it, what it shows in words, and a note below it."""

    title: str
    alt: str
    figure: Figure
    moving: Sequence[Moving] = ()
    cells: Cells | None = None
    note: str = ""
    shape: str = ""  # tall, or wide

    def data(self) -> dict[str, Any]:
        """For the page's script, but for the figure itself."""
        return {"moving": [each.packed() for each in self.moving], "cells": None if self.cells is None else self.cells.packed()}


@dataclass(frozen=True)
class Table:
    """Rows of words under a header."""

    title: str
    rows: Sequence[Sequence[str]]
    header: Sequence[str]


@dataclass(frozen=True)
class Part:
    """All that a page says of one result.

    story      the problem in sentences; formulas: in MathML, each with what it is
    frames     what the slider says at each frame; none where nothing moves
    recipe     what makes the result again
    """

    title: str
    kind: str
    story: Sequence[str]
    formulas: Sequence[tuple[str, Any]]
    verdicts: Sequence[Verdict]
    facts: Mapping[str, str]
    charts: Sequence[Chart]
    frames: Sequence[str]
    recipe: Recipe
    settings: Mapping[str, str]
    tables: Sequence[Table] = field(default=())


def packed(values: np.ndarray) -> dict[str, Any]:
    """Numbers (frames, …): few as they are, in four bytes each; many in STEPS from the least to the largest, in two."""
    rows = np.asarray(values, dtype=float).reshape(len(values), -1)
    size, finite = rows.shape[1], rows[np.isfinite(rows)]
    if size <= 1024 or not finite.size or finite.size < rows.size:
        return {"kind": "numbers", "size": size, "data": _text(rows.astype("<f4"))}
    low, high = float(finite.min()), float(finite.max())
    step = (high - low) / STEPS or 1.0
    return {"kind": "steps", "size": size, "low": low, "step": step, "data": _text(np.rint((rows - low) / step).astype("<u2"))}


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def empty_figure(**layout: Any) -> Any:
    """A figure without traces in the page's look, as large as its place: no ground of its own, lines that are seen on light and on dark."""
    from plotly import graph_objects as go

    axis = {"gridcolor": BAND, "zerolinecolor": BAND, "linecolor": GREY, "ticks": "outside", "tickcolor": GREY, "automargin": True}
    axes = {name: axis | layout.pop(name, {}) for name in {"xaxis", "yaxis", *filter(AXIS.fullmatch, layout)}}
    return go.Figure(
        layout={
            "template": "none",
            "margin": MARGIN,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": COLOURS,
            "font": {"family": "system-ui, sans-serif", "size": 13},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "bgcolor": "rgba(0,0,0,0)"},
            "hovermode": "closest",
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": GREY, "activecolor": ORANGE},
            **axes,
            **layout,
        }
    )


def shown(name: object) -> str:
    """A name in a chart: plotly takes text for HTML."""
    return html.escape(str(name), quote=False)


def logarithmic(*values: np.ndarray) -> dict[str, Any]:
    """An axis for positive numbers: of many decades powers of ten are marked, of few 1, 2 and 5, too."""
    seen = np.concatenate([np.ravel(each) for each in values])
    seen = seen[np.isfinite(seen) & (seen > 0)]
    decades = float(np.ptp(np.log10(seen))) if seen.size else 0.0
    return {"type": "log", "exponentformat": "power", "dtick": max(1, math.ceil(decades / 8)) if decades > 2 else "D2"}


def scale_of(colours: Sequence[str]) -> list[list[Any]]:
    """A colour scale of plotly."""
    return [[k / (len(colours) - 1), colour] for k, colour in enumerate(colours)]
