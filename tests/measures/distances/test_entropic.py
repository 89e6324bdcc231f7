"""The kernel of entropic transport, axis by axis, against dense matrices; and the Gaussian sums in the log domain."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from wgf.kernels.exponential import fill_exponentials
from wgf.kernels.gaussian import fill_products
from wgf.measures.distances.entropic import Logarithms, Scalings
from wgf.measures.grid import Grid
from wgf.measures.layout import Layout
from wgf.methods.jko.method import mobility

SHAPES = st.lists(st.integers(1, 19), min_size=1, max_size=3).filter(lambda shape: math.prod(shape) <= 1000)  # of dense matrices


def dense_gaps(layout, epsilon):
    """|θ_i − θ_j|²/ε for all pairs of cells in the order of the layout, (N, N)."""
    grid = layout.grid
    order = np.transpose(np.arange(grid.size).reshape(grid.shape), layout.axes).ravel()
    points = grid.points()[order]
    difference = np.abs(points[:, None] - points[None])
    lengths = np.array(grid.upper) - np.array(grid.lower)
    wrapped = np.where(grid.periodic(), np.minimum(difference, lengths - difference), difference)
    return np.sum(wrapped**2, axis=-1) / epsilon


@given(shape=SHAPES, periodic=st.booleans(), last=st.integers(0, 2), epsilon=st.sampled_from([0.05, 1.0, 20.0]), seed=st.integers(0, 99))
def test_both_domains_apply_the_dense_kernel(shape, periodic, last, epsilon, seed):
    grid = Grid([0.0] * len(shape), [0.3 * n for n in shape], shape, boundary="periodic" if periodic else "no-flux")
    layout = Layout(grid, last % len(shape))
    v = np.random.default_rng(seed).exponential(size=(layout.rows, layout.columns))
    gaps = dense_gaps(layout, epsilon)
    expected = (np.exp(-gaps) @ v.ravel()).reshape(v.shape)
    assert Scalings(layout, epsilon).smooth(v, np.empty_like(v)) == pytest.approx(expected, rel=1e-12)
    assert Logarithms(layout, epsilon).smooth(np.log(v), np.empty_like(v)) == pytest.approx(np.log(expected), rel=1e-12, abs=1e-13)


def test_a_short_kernel_is_cut_off_without_loss():
    layout = Layout(Grid([0.0, 0.0], [1.0, 1.0], [300, 20]), 1)
    domain = Scalings(layout, 2e-5)
    assert len(domain.parts[0]) > 1
    v = np.random.default_rng(0).exponential(size=(300, 20))
    expected = domain.matrices[0] @ v @ domain.matrices[1]
    assert domain.smooth(v, np.empty_like(v)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("curvature", [1e-3, 1.0, 40.0])
def test_log_sums_of_any_range(curvature):
    """Entries over thousands of natural units, kernels wider and narrower than a cell, −∞ among them."""
    n = 61
    layout = Layout(Grid([0.0], [float(n)], [n]), 0)
    w = 2000.0 * np.random.default_rng(1).normal(size=(1, n))
    w[0, 5:11] = -np.inf
    gaps = np.subtract.outer(np.arange(n), np.arange(n)) ** 2 * curvature
    expected = logsumexp(w - gaps, axis=1)
    assert Logarithms(layout, 1 / curvature).smooth(w, np.empty_like(w))[0] == pytest.approx(expected, rel=1e-14)


def test_cells_without_mass_stay_without_and_are_reached():
    """A single cell with mass: its own kernel, and no NaN."""
    layout = Layout(Grid([0.0, 0.0], [1.0, 1.0], [12, 9]), 1)
    mass = np.zeros((12, 9))
    mass[3, 4] = 1.0
    domain = Logarithms(layout, 0.01)
    with np.errstate(divide="ignore"):
        given_masses = domain.given(mass, np.empty_like(mass))
    found = domain.smooth(given_masses, np.empty_like(mass))
    assert found.ravel() == pytest.approx(-dense_gaps(layout, 0.01)[3 * 9 + 4], abs=1e-9)


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=40))
def test_exponentials_are_exact_to_rounding(entries):
    x = np.array(entries)
    out, bits = np.empty_like(x), np.empty_like(x)
    fill_exponentials(out, x, bits)
    assert out == pytest.approx(np.exp(x), rel=1e-15)
    fill_products(out, np.full_like(x, 3.0), x, x.max(), bits)
    assert out == pytest.approx(3.0 * np.exp(np.maximum(x - x.max(), -700)), rel=1e-15)


def test_the_lattice_holds_back_what_it_does_not_resolve():
    assert mobility(20.0) == pytest.approx(1, abs=1e-12)
    assert mobility(2.0) == pytest.approx(1, abs=1e-6)
    assert 0.2 < mobility(0.25) < 0.4
