"""The initial law of θ. One law gives the averages over the cells of a grid, i.i.d. neurons, and quadrature nodes.

Every law answers the same calls; p is its dimension `dim`:

    cell_averages(grid)   probability of each cell / its volume, (n_1, …, n_p); not renormalised, so that the part of the
                          law that the box leaves out is what is missing from one
                          (a density known only up to a factor is normalised on the box)
    pdf(theta)            the density at theta (…, p), (…,); laws of points have none
    sample(m, rng)        m independent points, (m, p)
    quadrature(nodes)     points (N, p) and weights (N,), Σ = 1, with about `nodes` points per axis; spectrally accurate
                          for smooth integrands (Gauss rules)
"""

from __future__ import annotations

from wgf.measures.laws.base import Law, OnAxes
from wgf.measures.laws.composed import Mixture, Product
from wgf.measures.laws.given import FromDensity, Samples
from wgf.measures.laws.on_mesh import mesh_averages, outside_of
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
    "Ball",
    "FromDensity",
    "Gaussian",
    "Law",
    "Mixture",
    "OnAxes",
    "Product",
    "Samples",
    "Uniform",
    "mesh_averages",
    "outside_of",
]
