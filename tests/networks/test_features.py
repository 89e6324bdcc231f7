"""Compressed features: the low-rank potential is the potential of the full N × N kernel."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import Tanh

import wgf
from wgf.networks import features
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.features import compress, project, row_space
from wgf.networks.neuron import coordinate_names
from wgf.networks.waiting import reporting_to
from wgf.ranks.communicator import ALONE

WEIGHTS = {"c": 1.3, "b": -0.2, "a": 0.7, "a1": 0.7, "a2": -0.4, "a3": 1.1}
THETAS = {
    1: [("c",), ("a",), ("b",), ("c", "a"), ("a", "c"), ("a", "b"), ("c", "a", "b"), ("a", "c", "b"), ("b", "a", "c")],
    2: [("a1", "a2"), ("a1", "a2", "c"), ("c", "a2", "a1"), ("a1", "c", "a2"), ("a1", "b", "c", "a2"), ("a2", "a1", "b")],
    3: [("a3", "c", "a1", "a2"), ("a2",), ("a1", "a2", "a3", "b")],
}
CASES = [(dim, theta) for dim, thetas in THETAS.items() for theta in thetas]
NODES = {1: 12, 2: 4, 3: 3}


def quartic(theta):
    """A penalty that treats no two coordinates alike."""
    return np.sum(theta**4 * np.arange(1, theta.shape[-1] + 1), axis=-1) + theta[..., 0]


PENALTIES = {"no penalty": 0.0, "λ|θ|²": 0.3, "λV": (0.3, quartic)}


class Bump:
    """A custom neuron of a place and a width: g(θ; x) = e^{−(x − θ₁)²θ₂²}."""

    def value(self, theta, x):
        return np.exp(-((x[:, 0] - theta[..., :1]) ** 2) * theta[..., 1:] ** 2)


def energy_with(activation, theta, dim, penalty):
    """The other coordinates are fixed at WEIGHTS; the target is not in reach of one neuron."""
    fixed = {name: WEIGHTS[name] for name in coordinate_names(dim) if name not in theta}
    neuron = wgf.Neuron(activation, theta, fixed, dim)
    place = ([-1.0] * dim, [1.2] * dim) if dim > 1 else (-1.0, 1.2)
    return wgf.RegressionEnergy(
        neuron, wgf.Data.quadrature(lambda x: np.sin(3 * x.reshape(len(x), -1).sum(axis=1)), *place, NODES[dim]), penalty
    )


def grid_of(axes):
    """Another number of cells, and another box, on each axis."""
    return wgf.Grid([-1.0, -0.8, -1.5, -0.5][:axes], [1.5, 1.0, 0.7, 2.0][:axes], (6, 5, 4, 3)[:axes])


def density_on(grid, seed=9):
    """A random density of mass one, with its neuron left out."""
    values = np.random.default_rng(seed).uniform(size=grid.shape)
    return wgf.Density(grid, values / (values.sum() * grid.cell_volume))


def full_kernel(energy, density):
    """G, L and φ with F(θ) = ⟨g, f*⟩ − ½λV and K(θ, θ') = ⟨g(θ), g(θ')⟩ as arrays: the definition, O(N²)."""
    data, theta, masses = energy.data, density.points, density.masses
    g = energy.neuron.value(theta, data.inputs)
    field = g @ (data.weights * data.targets) - 0.5 * energy.penalty.strength * energy.penalty.value(theta)
    kernel = (g * data.weights) @ g.T
    loss = data.norm(data.targets) ** 2 - 2 * field @ masses + masses @ kernel @ masses
    return (kernel @ masses - field).reshape(density.grid.shape), loss, masses @ g


def update(potential, density):
    """Fill the potential as the transport does, and return the loss."""
    values = potential.arranged(density.values)
    sums = np.stack([values.sum(axis=1), values @ potential.multiplier, values @ potential.along])
    return potential.update(values, sums)


def assert_equals_full_kernel(energy, grid):
    potential, density = energy.on(grid), density_on(grid)
    expected, expected_loss, prediction = full_kernel(energy, density)
    loss = update(potential, density)
    assert np.abs(potential.values() - expected).max() <= 1e-10 * np.abs(expected).max()
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    assert potential.prediction == pytest.approx(prediction, abs=1e-10)
    assert 1 <= potential.rank <= energy.data.size
    assert potential.error <= 1e-12


# ---- the potential


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
@pytest.mark.parametrize(("dim", "theta"), CASES)
def test_the_potential_is_that_of_the_full_kernel(activation, penalty, dim, theta):
    assert_equals_full_kernel(energy_with(activation, theta, dim, penalty), grid_of(len(theta)))


@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
@pytest.mark.parametrize("cells", [(1, 5), (5, 1), (1, 1)])
def test_axes_of_one_cell_are_no_exception(cells, penalty):
    assert_equals_full_kernel(energy_with("tanh", ("c", "a"), 1, penalty), wgf.Grid([-1.0, -0.8], [1.5, 1.0], cells))


@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
def test_the_potential_of_a_custom_neuron_is_that_of_the_full_kernel(penalty):
    data = wgf.Data.quadrature(np.sin, -1, 1, 15)
    assert_equals_full_kernel(wgf.RegressionEnergy(Bump(), data, penalty), grid_of(2))


@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
@pytest.mark.parametrize("theta", [("c", "a"), ("a", "c", "b"), ("a", "b"), ("c",)])
def test_the_potential_does_not_remember_the_density_before(penalty, theta):
    energy, grid = energy_with("tanh", theta, 1, penalty), grid_of(len(theta))
    potential, fresh = energy.on(grid), energy.on(grid)
    update(potential, density_on(grid, seed=1))
    loss = update(potential, density_on(grid, seed=2))
    assert loss == update(fresh, density_on(grid, seed=2))
    assert np.array_equal(potential.values(), fresh.values())


@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
@pytest.mark.parametrize("theta", [("c", "a"), ("a", "c", "b"), ("a", "b"), ("c",)])
def test_the_loss_of_the_update_is_the_loss_of_the_density(penalty, theta):
    """‖φ_μ − f*‖² + λ∫V dμ by Density.predict and Density.integrate."""
    energy, grid = energy_with("softplus", theta, 1, penalty), grid_of(len(theta))
    bare = density_on(grid)
    density = wgf.Density(grid, bare.values, energy.neuron)
    potential = energy.on(grid)
    penalised = energy.penalty.strength * density.integrate(energy.penalty.value)
    phi = density.predict(energy.data.inputs)
    assert update(potential, density) == pytest.approx(energy.data.norm(phi - energy.data.targets) ** 2 + penalised, rel=1e-12)
    assert potential.prediction == pytest.approx(phi, abs=1e-11)


@pytest.mark.parametrize("theta", [("c", "a", "b"), ("a", "c", "b"), ("a", "b", "c"), ("a", "b"), ("c",), ("a1", "c", "a2", "b")])
def test_restored_is_the_inverse_of_arranged(theta):
    dim = 2 if "a1" in theta else 1
    grid = grid_of(len(theta))
    potential, values = energy_with("tanh", theta, dim, 0.0).on(grid), np.random.default_rng(3).normal(size=grid.shape)
    arranged = potential.arranged(values)
    assert arranged.shape == (potential.rows, potential.columns)
    assert arranged.flags.c_contiguous
    assert np.array_equal(potential.restored(arranged), values)
    assert np.shares_memory(potential.restored(arranged), arranged)
    assert np.array_equal(potential.arranged(potential.restored(arranged)), arranged)


@pytest.mark.parametrize("theta", [("c", "a", "b"), ("a", "c", "b"), ("a", "b", "c")])
def test_features_are_needed_on_the_other_axes_only_where_c_is_an_axis(theta):
    grid, axis = grid_of(3), theta.index("c")
    potential = energy_with("tanh", theta, 1, 0.2).on(grid)
    assert len(potential.features) == potential.rows == grid.size // grid.shape[axis]
    assert potential.axes[-1] == axis
    assert np.array_equal(potential.multiplier, grid.centers[axis])
    assert potential.offset.shape == (potential.rows, 1)


def test_the_features_of_the_tanh_student_have_a_small_rank():
    tanh = Tanh()
    potential = tanh.problem.energy.on(wgf.Grid(tanh.lower, tanh.upper, 128))
    assert potential.rank < tanh.data.size / 2
    assert potential.error <= 1e-12


@given(tolerance=st.sampled_from([1e-12, 1e-9, 1e-6, 1e-3, 1e-1]))
def test_the_error_of_the_potential_is_within_the_tolerance(tolerance):
    tanh = Tanh()
    grid = wgf.Grid(tanh.lower, tanh.upper, 24)
    potential, density = tanh.problem.energy.on(grid, tolerance), density_on(grid)
    expected, _, _ = full_kernel(tanh.problem.energy, density)
    update(potential, density)
    assert potential.error <= tolerance
    assert np.abs(potential.values() - expected).max() <= 20 * tolerance * np.abs(expected).max()


# ---- the compression


def smooth_matrix(size=60, samples=25):
    """The tanh on a grid of weights and inputs: singular values that fall fast."""
    return np.tanh(np.multiply.outer(np.linspace(-2, 3, size), np.linspace(-1, 1, samples)))


def rows_of(matrix):
    return lambda part: matrix[part].copy()


def loss_of(matrix, compressed):
    return np.linalg.norm(matrix - compressed.values @ compressed.basis.T) / np.linalg.norm(matrix)


@pytest.mark.parametrize("tolerance", [1e-12, 1e-8, 1e-4, 1e-2, 0.5])
def test_the_rank_is_the_smallest_that_meets_the_tolerance(tolerance):
    """By Eckart and Young it is read off the singular values."""
    matrix = smooth_matrix()
    singular = np.linalg.svd(matrix, compute_uv=False)
    lost = [np.linalg.norm(singular[k:]) / np.linalg.norm(singular) for k in range(1, 26)]
    compressed = compress(rows_of(matrix), 60, 25, tolerance)
    assert compressed.rank == 1 + int(np.argmax(np.array(lost) <= tolerance))
    assert compressed.error <= tolerance
    assert compressed.error == pytest.approx(loss_of(matrix, compressed), rel=1e-2, abs=1e-15)


@pytest.mark.parametrize("shape", [(60, 25), (7, 25), (1, 25), (25, 1), (1, 1)])
def test_the_basis_is_orthonormal_and_the_values_are_the_projection(shape):
    matrix = smooth_matrix(*shape)
    compressed = compress(rows_of(matrix), *shape, 1e-12)
    assert compressed.rank <= min(shape)
    assert compressed.basis.T @ compressed.basis == pytest.approx(np.eye(compressed.rank), abs=1e-14)
    assert compressed.values == pytest.approx(matrix @ compressed.basis, abs=1e-13)
    assert loss_of(matrix, compressed) <= 1e-12


def test_a_matrix_of_low_rank_is_recovered():
    rng = np.random.default_rng(4)
    matrix = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 40))
    compressed = compress(rows_of(matrix), 200, 40, 1e-12)
    assert compressed.rank == 3
    assert compressed.values @ compressed.basis.T == pytest.approx(matrix, abs=1e-12)


def test_features_that_vanish_have_one_direction_and_no_error():
    compressed = compress(rows_of(np.zeros((6, 4))), 6, 4, 1e-12)
    assert (compressed.rank, compressed.error) == (1, 0.0)


@pytest.mark.parametrize("block", [1, 25, 26, 100, 10**6])
def test_the_compression_does_not_depend_on_the_blocks(block, monkeypatch):
    matrix = smooth_matrix()
    expected = compress(rows_of(matrix), 60, 25, 1e-9)
    monkeypatch.setattr(features, "BLOCK", block)
    compressed = compress(rows_of(matrix), 60, 25, 1e-9)
    assert compressed.rank == expected.rank
    assert compressed.error == pytest.approx(expected.error, rel=1e-4, abs=0)
    assert compressed.values @ compressed.basis.T == pytest.approx(expected.values @ expected.basis.T, abs=1e-9)


@pytest.mark.parametrize("sampled", [4, 9, 30, 60])
def test_a_row_that_the_spread_of_rows_misses_is_found_by_its_error(sampled, monkeypatch):
    monkeypatch.setattr(features, "SAMPLED_ROWS", sampled)
    matrix = smooth_matrix()
    matrix[59] = np.cos(40 * np.linspace(-1, 1, 25))
    compressed = compress(rows_of(matrix), 60, 25, 1e-10)
    assert compressed.error <= 1e-10
    assert loss_of(matrix, compressed) <= 1.01e-10


@pytest.mark.parametrize("few", [False, True])
def test_the_spread_of_rows_is_enough_where_it_spans_the_others(few, monkeypatch):
    """Every fourth row is asked for once, then each row once more for the error; rows that are few are asked for once."""
    monkeypatch.setattr(features, "SAMPLED_ROWS", 15)
    monkeypatch.setattr(features, "AT_ONCE", 60 * 25 if few else 1)
    rng, asked = np.random.default_rng(4), []
    matrix = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 25))

    def rows(part):
        asked.extend(range(*part.indices(60)))
        return matrix[part].copy()

    assert compress(rows, 60, 25, 1e-12).rank == 3
    assert sorted(asked) == sorted([*range(60)] if few else [*range(0, 60, 4), *range(60)])


def relu_matrix(size, samples):
    """max(0, x − θ): as many directions as there are kinks between the inputs, none of which is small."""
    return np.maximum(0.0, np.linspace(-1, 1, samples) - np.linspace(-0.95, 0.95, size)[:, None])


@pytest.mark.parametrize("shape", [(40, 3000), (300, 700), (900, 30)])
@pytest.mark.parametrize("make", [smooth_matrix, relu_matrix])
def test_many_data_and_few_rows_are_compressed_as_well(make, shape):
    matrix = make(*shape)
    singular = np.linalg.svd(matrix, compute_uv=False)
    lost = np.sqrt(np.cumsum(singular[::-1] ** 2))[::-1] / np.linalg.norm(singular)
    for tolerance in (1e-11, 1e-3):
        compressed = compress(rows_of(matrix), *shape, tolerance)
        assert compressed.rank == np.count_nonzero(lost > tolerance)
        assert compressed.error <= tolerance
        assert compressed.basis.T @ compressed.basis == pytest.approx(np.eye(compressed.rank), abs=1e-13)
        assert loss_of(matrix, compressed) == pytest.approx(compressed.error, rel=1e-2, abs=1e-14)


def test_memory_does_not_grow_with_data_times_rows(monkeypatch):
    """A few blocks, and the basis a few times: Φ itself, of 41 MB, never exists."""
    monkeypatch.setattr(features, "LARGEST", 2**15)
    theta, x = np.linspace(-2, 3, 256)[:, None], np.linspace(-1, 1, 20_000)
    asked = []

    def rows(part):
        asked.append(len(range(*part.indices(256))) * len(x))
        return np.tanh(theta[part] * x)

    tracemalloc.start()
    try:
        compressed = compress(rows, 256, len(x), 1e-9)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert compressed.error <= 1e-9
    assert max(asked) <= 2**15
    assert peak < 8 * (8 * 2**15 + 5 * (len(x) + 256) * (compressed.rank + 8))


def test_a_listener_hears_how_far_the_compression_is():
    heard = []
    with reporting_to(lambda *news: heard.append(news)):
        compress(rows_of(relu_matrix(400, 700)), 400, 700, 1e-9)
    for what in ("looking for features", "compressing features"):
        parts = [(done, count) for word, done, count in heard if word == what]
        assert parts == [(done, len(parts) - 1) for done in range(len(parts))]
        assert len(parts) > 1
    heard.clear()
    compress(rows_of(smooth_matrix()), 60, 25, 1e-9)
    assert not heard


def test_a_compression_can_be_interrupted_between_blocks():
    def hang_up(what, done, parts):
        if done:
            raise KeyboardInterrupt

    asked = []
    with pytest.raises(KeyboardInterrupt), reporting_to(hang_up):
        compress(lambda part: asked.append(part) or relu_matrix(300, 700)[part], 300, 700, 1e-9)
    assert len(asked) == 1


def test_the_error_is_measured_on_all_rows():
    """A basis from every tenth row, judged on all of them."""
    matrix = smooth_matrix()
    matrix[5] += np.cos(40 * np.linspace(-1, 1, 25))
    basis = row_space(rows_of(matrix), 60, 25, 1e-12, 10)
    judged = project(rows_of(matrix), np.ones(60, dtype=bool), basis, ALONE)
    assert judged.error > 0.01
    assert judged.error == pytest.approx(loss_of(matrix, judged), rel=1e-10)
