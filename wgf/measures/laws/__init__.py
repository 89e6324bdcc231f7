"""The initial law of θ. One law gives the averages over the cells of a grid, i.i.d. neurons, and quadrature nodes.

Every law answers the same calls; p is its dimension `dim`:

    cell_averages(grid)   probability of each cell / its volume, (n_1, …, n_p); on periodic axes the law wraps around; not
                          renormalised, so that the part of the law beyond closed edges is what is missing from one
                          (a density without a support is one on the box, normalised there, and does not wrap around)
    pdf(theta)            the density at theta (…, p), (…,); laws of points have none
    sample(m, rng)        m independent points, (m, p)
    quadrature(nodes)     points (N, p) and weights (N,), Σ = 1, with about `nodes` points per axis; spectrally accurate
                          for smooth integrands (Gauss rules)
"""

from __future__ import annotations

from wgf.measures.laws.base import Law, OnAxes
from wgf.measures.laws.composed import Mixture, Product
from wgf.measures.laws.edges import has_edges
from wgf.measures.laws.given import FromDensity, Samples
from wgf.measures.laws.in_box import LEFT_OUT, InBox, box_title, judge_box
from wgf.measures.laws.on_mesh import mesh_averages, outside_of
from wgf.measures.laws.resolution import judge_mesh_resolution, judge_resolution
from wgf.measures.laws.simple import Ball, Gaussian, Uniform

LAWS: dict[str, type] = {
    "gaussian": Gaussian,
    "uniform": Uniform,
    "ball": Ball,
    "mixture": Mixture,
    "product": Product,
    "samples": Samples,
}

__all__ = [
    "LAWS",
    "LEFT_OUT",
    "Ball",
    "FromDensity",
    "Gaussian",
    "InBox",
    "Law",
    "Mixture",
    "OnAxes",
    "Product",
    "Samples",
    "Uniform",
    "box_title",
    "has_edges",
    "judge_box",
    "judge_mesh_resolution",
    "judge_resolution",
    "mesh_averages",
    "outside_of",
]
