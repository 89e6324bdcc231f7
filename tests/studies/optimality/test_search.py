"""The lowest place of a landscape: bounds of cells hold everywhere in them, what is found is lowest, and what is proven is true."""

from __future__ import annotations

import numpy as np
import pytest
from optima import BOX, PROBLEMS

import wgf
from wgf.studies.optimality.domain import domain_of
from wgf.studies.optimality.landscape import Landscape, lowest_quadratic
from wgf.studies.optimality.search import Search, axis_edges


def landscape_of(problem: wgf.Problem, *box: float) -> Landscape:
    return Landscape(problem.energy, domain_of(problem.energy, problem.dim, *box))


def residual(problem: wgf.Problem, seed: int = 0) -> np.ndarray:
    """u = ρ(φ − f*) of some measure."""
    cloud = wgf.Cloud(problem.initial.sample(5, np.random.default_rng(seed)), np.full(5, 0.2))
    return problem.energy.residual(cloud)


@pytest.mark.parametrize("name", PROBLEMS)
def test_m_is_the_least_over_the_output_weight(name):
    problem = PROBLEMS[name]
    landscape, u = landscape_of(problem, *BOX), residual(problem)
    rng = np.random.default_rng(1)
    places = rng.uniform(*BOX, (20, landscape.dim))
    found = landscape.values(places, u)
    if landscape.axis is None:
        theta = places[:, None, :]
    else:
        c = np.linspace(*BOX, 2001)
        theta = np.insert(np.repeat(places[:, None, :], len(c), axis=1), landscape.axis, c, axis=2)
    values = np.array([problem.energy.neuron.value(each, problem.energy.data.inputs) @ u for each in theta])
    values += 0.5 * problem.energy.penalty.strength * np.sum(theta**2, axis=-1)
    assert (values.min(axis=1) >= found - 1e-13).all()
    assert np.abs(values.min(axis=1) - found).max() < 1e-6


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("size", [0.5, 0.05])
def test_bounds_of_cells_hold_in_them(name, size):
    problem = PROBLEMS[name]
    landscape, u = landscape_of(problem, *BOX), residual(problem)
    rng = np.random.default_rng(2)
    centres = rng.uniform(-4, 4, (60, landscape.dim))
    half = size * rng.uniform(0.3, 1.0, centres.shape)
    values, low = landscape.bounds(centres, half, u)
    inside = centres[:, None] + half[:, None] * rng.uniform(-1, 1, (60, 300, landscape.dim))
    seen = landscape.values(inside.reshape(-1, landscape.dim), u).reshape(60, 300)
    assert (low <= seen.min(axis=1) + 1e-13).all()
    assert (low <= values).all()
    if size < 0.1 and not landscape.jumps:  # of third order, but for the linear part, which is what is seen
        assert (seen.min(axis=1) - low).max() < 0.15


def test_bounds_are_of_third_order_where_the_landscape_is_convex():
    problem = PROBLEMS["tanh (a, b)"]
    landscape, u = landscape_of(problem, *BOX), residual(problem)
    search = Search(landscape, u)
    theta = search.lowest(u).theta
    errors = [float(np.subtract(*landscape.bounds(theta[None], np.full((1, 2), h), u))[0]) for h in (0.02, 0.01, 0.005)]
    inner = [k for k in range(2) if BOX[0] < theta[k] < BOX[1]]
    assert len(inner) >= 1
    assert errors[0] > 0
    assert np.log2(errors[1] / errors[2]) > 0.9


def test_lowest_quadratic_is_below_and_near():
    rng = np.random.default_rng(0)
    half = rng.uniform(0.5, 2.0, (200, 2))
    root, g = rng.normal(size=(200, 2, 2)), rng.normal(size=(200, 2))
    for a in (root @ np.swapaxes(root, 1, 2), 0.5 * (root + np.swapaxes(root, 1, 2))):
        low = lowest_quadratic(g, a, half)
        d = half[:, None] * np.stack(np.meshgrid(*[np.linspace(-1, 1, 81)] * 2), axis=-1).reshape(-1, 2)
        seen = (np.einsum("nk,ndk->nd", g, d) + 0.5 * np.einsum("ndk,nkl,ndl->nd", d, a, d)).min(axis=1)
        assert (low <= seen + 1e-12).all()
    convex = root @ np.swapaxes(root, 1, 2) + 5 * np.eye(2)
    newton = -0.5 * np.einsum("nk,nk->n", g, np.linalg.solve(convex, g[..., None])[..., 0])
    assert lowest_quadratic(g, convex, np.full_like(half, 10.0)) == pytest.approx(newton)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_lowest_place_is_found_and_proven(name):
    problem = PROBLEMS[name]
    u = residual(problem)
    search = Search(landscape_of(problem, *BOX), u)
    found = search.proven(u, 1e-8)
    random = np.random.default_rng(0).uniform(*BOX, (100_000, problem.dim))
    heights = np.concatenate([problem.energy.neuron.value(part, problem.energy.data.inputs) @ u for part in np.array_split(random, 20)])
    values = heights + 0.5 * problem.energy.penalty.strength * np.sum(random**2, axis=1)
    assert found.bound <= found.value <= values.min() + 1e-12
    assert found.value - found.bound <= 1.1e-8
    exact = problem.energy.neuron.value(found.theta[None], problem.energy.data.inputs) @ u
    exact += 0.5 * problem.energy.penalty.strength * float(found.theta @ found.theta)
    assert found.value == pytest.approx(float(exact[0]), abs=1e-12)


def test_all_theta_are_searched_where_there_is_a_penalty():
    for name in ("tanh (c, a), λ", "sigmoid (c, a, b), λ", "cosine (a, b), λ"):
        problem = PROBLEMS[name]
        u = residual(problem)
        search = Search(landscape_of(problem), u)
        box = Search(landscape_of(problem, -40.0, 40.0), u)
        assert search.lowest(u).value == pytest.approx(box.lowest(u).value, abs=1e-10)
        far = search.landscape
        directions = np.random.default_rng(0).normal(size=(2000, far.dim))
        beyond = directions / np.linalg.norm(directions, axis=1, keepdims=True) * np.linalg.norm(search.upper) * 1.5
        assert far.values(beyond, u).min() > search.lowest(u).value


def test_all_theta_are_proven_for_a_larger_residual_than_the_grid_was_made_for():
    """The grid reaches as far as a hundredth of u asks for; the proof sees the lower value that lies beyond."""
    problem = PROBLEMS["sigmoid (c, a, b), λ"]
    u = residual(problem)
    small, large = (Search(landscape_of(problem), scale * u) for scale in (0.01, 1.0))
    assert small.lowest(u).value > large.lowest(u).value + 1.0
    assert small.proven(u, 1e-6).bound <= large.lowest(u).value + 1e-12


def test_cells_grow_where_the_domain_is_wide():
    edges = axis_edges(-1000.0, 400.0, 200)
    assert (np.diff(edges) > 0).all()
    assert edges[0] == -1000
    assert edges[-1] == 400
    near = np.abs(edges) < 1
    assert np.diff(edges[near]).max() < 0.3
    assert axis_edges(-1.0, 1.0, 40) == pytest.approx(np.linspace(-1, 1, 41))
