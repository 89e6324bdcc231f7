"""Features on a plane as products of factors of one axis: beside the features of every cell."""

import numba
import numpy as np
import pytest

import wgf
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.separable import separate
from wgf.problems import grid_potential

DATA = wgf.Data.quadrature(lambda x: np.sin(3 * x), -1, 1.2, 25)
SMOOTH = [name for name, sigma in ACTIVATIONS.items() if not sigma.kinks]
QUARTIC = (0.3, lambda theta: np.sum(theta**4, axis=-1) + theta[..., 0])


class Bump:
    """g(θ; x) = e^{−(x − θ₁)² − θ₂²}."""

    def value(self, theta, x):
        return np.exp(-((x[:, 0] - theta[..., :1]) ** 2) - theta[..., 1:] ** 2)


def bound(neuron, cells=(300, 260), penalty=0.0, tolerance=1e-12):
    """The potential on the plane, for a density that is not symmetric."""
    energy, grid = wgf.RegressionEnergy(neuron, DATA, penalty), wgf.Grid([-2, -2.5], [3, 2], cells)
    potential = energy.on(grid, tolerance)
    values = potential.arranged(wgf.Gaussian([0.5, -0.3], [0.6, 0.4]).cell_averages(grid))
    sums = np.stack([values.sum(axis=1), values @ potential.multiplier, values @ potential.along])
    return potential, values, sums


@pytest.mark.parametrize("neuron", [*(wgf.Neuron(name, ("a", "b")) for name in SMOOTH), wgf.Neuron("tanh", ("b", "a"), {"c": 2.0}), Bump()])
@pytest.mark.parametrize("penalty", [0.0, 0.2, QUARTIC])
def test_moments_potential_and_loss_are_those_of_the_neuron(neuron, penalty):
    potential, values, sums = bound(neuron, penalty=penalty)
    assert potential.separable is not None
    assert potential.error <= 1e-12
    points, grid = potential.grid.points(), potential.grid
    loss, g = potential.update(values, sums), potential.energy.neuron.value(points, DATA.inputs)
    phi = values.ravel() @ g * grid.cell_volume
    half = 0.5 * potential.energy.penalty.strength * potential.energy.penalty.value(points)
    assert potential.prediction == pytest.approx(phi, abs=2e-11)
    assert np.abs(potential.values().ravel() - g @ (DATA.weights * (phi - DATA.targets)) - half).max() <= 2e-11
    assert loss == pytest.approx(DATA.norm(phi - DATA.targets) ** 2 + 2 * grid.cell_volume * half @ values.ravel(), rel=1e-11)


@pytest.mark.parametrize(
    "neuron", [wgf.Neuron("relu", ("a", "b")), wgf.Neuron("ramp", ("a", "b")), wgf.Neuron("tanh", ("a", "b"), {"c": 1.0})]
)
def test_what_has_full_rank_or_few_cells_has_features_on_the_cells(neuron):
    """relu and ramp by their measured error; tanh on 100 cells, which 32 Chebyshev points hardly are fewer than."""
    potential, values, sums = bound(neuron, (100, 100) if neuron.activation == "tanh" else (300, 300))
    assert potential.separable is None
    potential.update(values, sums)
    assert potential.prediction == pytest.approx(
        values.ravel() @ neuron.value(potential.grid.points(), DATA.inputs) * potential.grid.cell_volume
    )


def test_a_plane_beside_an_axis_c_is_factored_as_before():
    potential = wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a", "b")), DATA).on(wgf.Grid([-1] * 3, [1] * 3, (3, 140, 140)))
    assert potential.factored
    assert potential.separable is None


def test_features_are_written_out_for_the_response(monkeypatch):
    """∫∇Φᵀ∇Φ dμ for the data, beside that of features that have been compressed on the cells."""
    both = []
    for way in (separate, lambda *given: None):
        monkeypatch.setattr(grid_potential, "separate", way)
        potential, values, _ = bound(wgf.Neuron("tanh", ("a", "b")), (140, 130), tolerance=1e-7)
        basis = potential.readout * np.sqrt(DATA.weights)[:, None]
        both.append(basis @ potential.response(values) @ basis.T)
        assert potential.features.shape == (140 * 130, potential.rank)
        assert (potential.separable is None) == (way is not separate)
    assert np.abs(both[0] - both[1]).max() <= 1e-5 * np.abs(both[1]).max()


def test_no_array_of_features_is_kept():
    """At most 40 bytes a cell: G itself is eight of them."""
    potential, _, _ = bound(wgf.Neuron("tanh", ("a", "b")), (512, 512))
    factors = potential.separable
    kept = sum(array.nbytes for array in (factors.left, factors.right, factors.core, factors.basis, potential.offset))
    assert kept <= 40 * 512**2 / 2
    assert "features" not in vars(potential)
    assert potential.energy.entries(potential.grid) <= 5 * 512**2


def test_ranks_and_error_follow_the_tolerance():
    coarse, fine = (bound(wgf.Neuron("tanh", ("a", "b")), tolerance=tolerance)[0].separable for tolerance in (1e-6, 1e-12))
    assert coarse.core.shape < fine.core.shape
    assert fine.error < coarse.error <= 1e-6


def test_the_potential_is_the_same_to_the_last_bit_for_any_number_of_threads():
    potential, values, sums = bound(wgf.Neuron("sigmoid", ("a", "b")), (303, 261))
    found = []
    for threads in (1, numba.config.NUMBA_NUM_THREADS):
        numba.set_num_threads(threads)
        found.append((potential.update(values, sums), potential.values().copy()))
    assert found[0][0] == found[1][0]
    assert np.array_equal(found[0][1], found[1][1])


def test_a_narrow_feature_is_not_missed():
    """A bump of width 1/20 between the Chebyshev points of the plane: no factors, or such as have it."""
    found = separate(
        lambda points: np.exp(-400 * np.sum((points - 0.123) ** 2, axis=1))[:, None],
        (np.linspace(-1, 1, 300), np.linspace(-1, 1, 300)),
        1,
        1e-12,
    )
    assert found is None or found.error <= 1e-12
