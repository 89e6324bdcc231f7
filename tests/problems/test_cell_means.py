"""W at the differences of cells: means against primitives and adaptive quadrature, the order that they give, and what stays as it is."""

import numpy as np
import pytest
from scipy import integrate, special

import wgf
from wgf.problems.cell_means import box_means, kernel


def power(exponent):
    """|z|^exponent on a line, and its primitive."""
    return (
        lambda z: np.abs(z[..., 0]) ** exponent,
        lambda z: np.sign(z) * np.abs(z) ** (exponent + 1) / (exponent + 1),
    )


def logarithm(z):
    with np.errstate(divide="ignore"):
        return 0.5 * np.log(np.sum(z**2, axis=-1))


ON_A_LINE = {
    "log|z|": (logarithm, lambda z: z * np.log(np.abs(z)) - z),
    **{f"|z|^{a}": power(a) for a in (-0.9, -0.5, 0.3, 1.0, 1.5)},
}


@pytest.mark.parametrize("name", ON_A_LINE)
def test_on_a_line_the_means_are_those_of_the_primitive(name):
    function, primitive = ON_A_LINE[name]
    h, steps = 0.05, np.arange(-40, 41)
    z = h * steps
    exact = (primitive(z + h / 2) - primitive(z - h / 2)) / h
    assert kernel(function, [steps], np.array([h])) == pytest.approx(exact, rel=2e-6, abs=2e-6)


@pytest.mark.parametrize("sides", [(0.1, 0.1), (0.1, 0.17), (0.02, 0.3)], ids=str)
@pytest.mark.parametrize("function", [logarithm, lambda z: np.sum(z**2, axis=-1) ** -0.5], ids=["log r", "1/r"])
def test_in_the_plane_they_are_those_of_adaptive_quadrature(function, sides):
    """Of cells at zero, beside it and further away, long and short ones."""
    h, k = sides
    for i, j in ((0, 0), (1, 0), (0, 1), (2, 1)):
        x, y = (max(0.0, (n - 0.5) * side) for n, side in ((i, h), (j, k)))  # by symmetry a half of a cell on an axis is enough
        found = box_means(function, np.array([[i * h, j * k]]), np.array(sides))[0]
        area = ((i + 0.5) * h - x) * ((j + 0.5) * k - y)
        exact = (
            integrate.dblquad(lambda b, a: float(function(np.array([a, b]))), x, (i + 0.5) * h, y, (j + 0.5) * k, epsabs=1e-10)[0] / area
        )
        assert found == pytest.approx(exact, rel=1e-4)


def test_in_space_the_mean_over_a_cube_at_zero_is_the_known_one():
    """∫ 1/r over the unit cube around zero is 2.38008 (its potential at the centre)."""
    exact = 3 * np.log((np.sqrt(3) + 1) / (np.sqrt(3) - 1)) - np.pi / 2
    found = box_means(lambda z: np.sum(z**2, axis=-1) ** -0.5, np.zeros((1, 3)), np.ones(3))
    assert found == pytest.approx([exact], rel=1e-6)


def error_on_a_line(function, cells, boundary="no-flux"):
    """Of W ∗ μ in the cells, μ = N(.2, .5²), beside adaptive quadrature at one of the centres."""
    grid = wgf.Grid([-3.0], [3.0], cells, boundary=boundary)
    law = wgf.Gaussian([0.2], [0.5])
    potential = wgf.InteractionEnergy(W=function).on(grid)
    potential.update(potential.arranged(law.cell_averages(grid)), None)
    place = grid.centers[0][cells // 2]
    pdf = lambda x: np.exp(-2 * (x - 0.2) ** 2) / np.sqrt(0.5 * np.pi)  # noqa: E731
    sides = [(place, 6.0, 1), (place, -6.0, -1)]
    exact = sum(s * integrate.quad(lambda x: pdf(x) * float(function(np.array([place - x]))), a, b, limit=400)[0] for a, b, s in sides)
    return abs(potential.values()[cells // 2] - exact)


@pytest.mark.parametrize("function", [logarithm, power(-0.5)[0], power(0.5)[0]], ids=["log", "-1/2", "1/2"])
def test_the_order_on_a_line_is_the_second(function):
    errors = np.log2([error_on_a_line(function, cells) for cells in (50, 100, 200, 400)])
    assert (errors[:-1] - errors[1:]).min() >= 1.9


def test_the_order_in_the_plane_is_the_second():
    """W = 1/r beside a Gaussian of standard deviation σ: √(π/2)/σ e^{−s} I₀(s), s = r²/4σ²; on cells that are not square."""
    sigma, errors = 0.5, []
    for cells in (40, 80, 160):
        grid = wgf.Grid([-3, -3], [3, 3], (cells, 2 * cells))
        potential = wgf.InteractionEnergy(W=lambda z: np.sum(z**2, axis=-1) ** -0.5).on(grid)
        potential.update(potential.arranged(wgf.Gaussian([0, 0], [sigma] * 2).cell_averages(grid)), None)
        exact = np.sqrt(np.pi / 2) / sigma * special.ive(0, np.sum(grid.points() ** 2, axis=1) / (4 * sigma**2))
        errors.append(np.log2(np.abs(potential.values().ravel() - exact).max()))
    assert min(errors[0] - errors[1], errors[1] - errors[2]) >= 1.9


def test_a_log_gas_has_its_variance():
    """W = z²/2 − log|z|: the variance is ½ + (v₀ − ½)e^{−2t} exactly."""

    def repulsion(z):
        return 0.5 * z[..., 0] ** 2 - logarithm(z)

    problem, errors = wgf.Problem(wgf.InteractionEnergy(W=repulsion), wgf.Gaussian([0.3], [0.4])), []
    for cells in (100, 400):
        run = wgf.solve(problem, wgf.FiniteVolume(cells, lower=[-2.2], upper=[2.8]), until=0.5, save=2)
        errors.append(abs(run.measures[-1].covariance[0, 0] - (0.5 + (0.16 - 0.5) * np.exp(-1.0))))
    assert np.log2(errors[0] / errors[1]) >= 2 * 1.9


SMOOTH = {
    "gaussian": lambda z: np.exp(-np.sum(z**2, axis=-1)),
    "cosine": lambda z: np.cos(z).sum(axis=-1),
    "quartic": lambda z: np.sum(z**2, axis=-1) ** 2,
    "far from zero": lambda z: 1e6 + np.sum(z**2, axis=-1),
    "constant": lambda z: np.full(z.shape[:-1], -3.0),
    "nothing": lambda z: np.zeros(z.shape[:-1]),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("cells", [(60,), (24, 15), (10, 8, 9)], ids=str)
def test_a_smooth_w_keeps_its_values(name, cells):
    """To the last digit, but for difference zero, where it is a mean as it always was."""
    steps, spacing = [np.arange(1 - n, n) for n in cells], 4.0 / np.array(cells)
    found = kernel(SMOOTH[name], steps, spacing)
    places = np.stack(np.meshgrid(*(j * h for j, h in zip(steps, spacing, strict=True)), indexing="ij"), axis=-1)
    zero = tuple(n - 1 for n in cells)
    expected = SMOOTH[name](places)
    assert found[zero] == pytest.approx(expected[zero], rel=0.2, abs=0.2)
    expected[zero] = found[zero]
    assert np.array_equal(found, expected)


def test_around_a_circle_the_nearest_image_counts():
    """A logarithm on a periodic axis of 7 cells: each mean is that of the shorter difference, and the matrix is that of a circle."""
    grid = wgf.Grid([0.0], [1.0], 7, boundary="periodic")
    potential = wgf.InteractionEnergy(W=logarithm).on(grid)
    found = []
    for place in range(7):
        values = np.zeros(7)
        values[place] = 7.0
        potential.update(potential.arranged(values), None)
        found.append(np.roll(potential.values().ravel(), -place))
    primitive = ON_A_LINE["log|z|"][1]
    z = np.array([0, 1, 2, 3, 3, 2, 1]) / 7
    exact = (primitive(np.minimum(z + 1 / 14, 0.5)) - primitive(z - 1 / 14)) / (np.minimum(z + 1 / 14, 0.5) - z + 1 / 14)
    assert np.array(found) == pytest.approx(np.tile(exact, (7, 1)), rel=1e-4)


@pytest.mark.parametrize(
    ("function", "dim"),
    [
        (lambda z: 1 / np.abs(z[..., 0]), 1),
        (lambda z: 1 / np.sum(z**2, axis=-1), 2),
        (lambda z: np.sum(z**2, axis=-1) ** -1.5, 3),
        (wgf.InteractionEnergy(W="exp(1/r)", axes=["x"]).interaction, 1),  # infinite already where z is not zero
    ],
    ids=["1/|z|", "1/r^2", "1/r^3", "exp(1/|z|)"],
)
def test_what_has_no_integral_is_refused(function, dim):
    steps = [np.arange(-3, 4)] * dim
    with pytest.raises(
        wgf.InputError,
        match=rf"W grows too fast at zero: its integral over a cell does not exist; it has to grow more slowly than 1/r\^{dim}",
    ):
        kernel(function, steps, np.full(dim, 0.1))


def test_what_is_infinite_elsewhere_is_refused():
    with (
        pytest.raises(wgf.InputError, match=r"W is not finite at some difference of two cells other than zero"),
        np.errstate(divide="ignore"),
    ):
        kernel(lambda z: 1 / (np.abs(z[..., 0]) - 0.2), [np.arange(-3, 4)], np.array([0.1]))
