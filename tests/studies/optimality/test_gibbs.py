"""With noise: Newton's method on the dual, and the identities that hold on cells exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from scipy.special import logsumexp, xlogy

import wgf
from wgf.studies.optimality.gibbs import OnCells

TAU = 0.05


@pytest.fixture(scope="module")
def cells():
    data = wgf.Data.quadrature(lambda x: np.sin(3 * x), nodes=12)
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data, 0.1)
    grid = wgf.Grid([-3, -3], [3, 3], [24, 20])
    return energy, grid, OnCells(energy, grid.points(), np.full(grid.size, grid.cell_volume), TAU)


def random_masses(grid, seed=0):
    weights = np.random.default_rng(seed).exponential(size=grid.size) ** 2
    return weights / weights.sum()


def test_the_free_energy_is_that_of_its_definition(cells):
    energy, grid, on_cells = cells
    masses = random_masses(grid)
    density = wgf.Density(grid, (masses / grid.cell_volume).reshape(grid.shape), energy.neuron)
    expected = 0.5 * energy.loss(density) + TAU * np.sum(xlogy(masses, masses / grid.cell_volume))
    assert on_cells.energy(masses) == pytest.approx(expected, abs=1e-12)


def test_the_best_density_is_the_gibbs_measure_of_its_own_potential(cells):
    energy, grid, on_cells = cells
    best = on_cells.minimum()
    density = wgf.Density(grid, (best.masses / grid.cell_volume).reshape(grid.shape), energy.neuron)
    exponent = -energy.potential(grid.points(), density) / TAU
    assert np.log(best.masses) == pytest.approx(exponent - logsumexp(exponent), abs=1e-9)
    assert np.abs(best.masses - np.exp(exponent - logsumexp(exponent))).max() < 1e-12
    assert on_cells.energy(best.masses) == pytest.approx(best.energy, abs=1e-12)
    assert best.prediction == pytest.approx(energy.predict(density), abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_left_is_a_divergence_and_a_distance(cells, seed):
    """E(μ) − E* = τKL(μ | μ*) + ½‖φ − φ*‖², and E(μ) − D(φ − f*) = τKL(μ | p_μ), which is no less."""
    energy, grid, on_cells = cells
    masses, best = random_masses(grid, seed), on_cells.minimum()
    left = on_cells.energy(masses) - best.energy
    features = energy.neuron.value(grid.points(), energy.data.inputs)
    distance = energy.data.norm(masses @ features - best.masses @ features)
    divergence = float(np.sum(masses * np.log(masses / best.masses)))
    assert left == pytest.approx(TAU * divergence + 0.5 * distance**2, abs=1e-12)
    z = on_cells.moments(masses) - on_cells.target
    assert on_cells.gap(masses) == pytest.approx(on_cells.energy(masses) - on_cells.dual(z), abs=1e-12)
    assert on_cells.gap(masses) >= left


def test_the_dual_is_maximal_where_another_method_says(cells):
    _, _, on_cells = cells
    found = optimize.minimize(lambda zeta: -on_cells.dual(zeta), np.zeros(len(on_cells.target)), method="BFGS", options={"gtol": 1e-9})
    assert on_cells.minimum().energy == pytest.approx(-found.fun, abs=1e-9)


def test_a_linear_neuron_has_the_gaussian_that_is_known():
    """With g = ax and ridge λ the best law is N(m, τ/λ), m = E xy/(E x² + λ)."""
    data = wgf.Data.quadrature(lambda x: np.sin(2 * x) + 0.3, lower=-1, upper=2)
    energy = wgf.RegressionEnergy(wgf.Neuron("identity", ("a",)), data, 0.5)
    grid = wgf.Grid([-4.0], [5.0], [2000])
    best = OnCells(energy, grid.points(), np.full(grid.size, grid.cell_volume), 0.1).minimum()
    x, y, w = data.inputs[:, 0], data.targets, data.weights
    mean, variance = w @ (x * y) / (w @ x**2 + 0.5), 0.1 / 0.5
    a = grid.points()[:, 0]
    assert best.masses @ a == pytest.approx(mean, abs=1e-9)
    assert best.masses @ (a - mean) ** 2 == pytest.approx(variance, abs=1e-9)
    exact = 0.5 * (w @ (y - mean * x) ** 2 + 0.5 * (mean**2 + variance)) - 0.1 * 0.5 * np.log(2 * np.pi * np.e * variance)
    assert best.energy == pytest.approx(exact, abs=1e-9)
