"""Interaction energies: the potential against plain sums, flows with known solutions, and what they leave in a file."""

import numpy as np
import pytest
from scipy import integrate
from scripts import SOLVERS, imported

import wgf
from wgf.cli import main


def tilted(theta):
    return 0.3 * theta[..., 0] + np.sum(theta**2, axis=-1)


def uneven(z):
    """Not even, so that only half of it counts."""
    return np.exp(-np.sum(z**2, axis=-1)) + 0.4 * np.sin(z[..., 0]) + 0.1 * np.cos(z).sum(axis=-1)


def logarithm(z):
    return 0.5 * np.log(np.sum(z**2, axis=-1))


def attraction(z):
    return 0.5 * np.sum(z**2, axis=-1)


GRIDS = {
    "a line": wgf.Grid([-1], [2], 17),
    "a plane": wgf.Grid([-1, 0], [1, 1.5], (9, 14)),
    "a torus": wgf.Grid([0, 0], [2 * np.pi, 2 * np.pi], (8, 9), boundary="periodic"),
    "a cylinder": wgf.Grid([0, 0], [2 * np.pi, 1], (8, 5), boundary=("periodic", "no-flux")),
    "a box": wgf.Grid([0, 0, 0], [1, 1, 2], (4, 3, 5)),
}


@pytest.mark.parametrize("name", GRIDS)
def test_the_potential_is_its_double_sum(name):
    """Every pair of cells, the nearest image on periodic axes, and the mean over a cell where they are the same."""
    grid = GRIDS[name]
    energy = wgf.InteractionEnergy(V=tilted, W=uneven, U=wgf.PorousMedium(0.7, 3))
    values = np.random.default_rng(1).exponential(size=grid.shape)
    potential = energy.on(grid)
    loss = potential.update(potential.arranged(values), None)
    points, masses = grid.points(), values.ravel() * grid.cell_volume
    z = points[:, None] - points[None]
    extent = np.array(grid.upper) - np.array(grid.lower)
    z = np.where(grid.periodic(), (z + 0.5 * extent) % extent - 0.5 * extent, z)
    kernel = 0.5 * (uneven(z) + uneven(-z))
    nodes = np.stack(np.meshgrid(*(h * np.linspace(-0.495, 0.495, 100) for h in grid.spacing[:2]), indexing="ij"), -1)
    if grid.dim == 2:
        np.fill_diagonal(kernel, uneven(nodes).mean())
    else:
        np.fill_diagonal(kernel, kernel[0, 0])
    spread = kernel @ masses
    expected = tilted(points) + spread + 0.7 * 3 / 2 * values.ravel() ** 2
    assert potential.values().ravel() == pytest.approx(expected, rel=1e-3 if grid.dim != 2 else 1e-5)
    assert loss == pytest.approx(2 * masses @ tilted(points) + masses @ spread, rel=1e-3 if grid.dim != 2 else 1e-5)
    assert potential.internal_energy == pytest.approx(0.7 / 2 * np.sum(values**3) * grid.cell_volume)


def test_at_difference_zero_the_mean_over_a_cell_is_taken():
    """Finite for the logarithm: against adaptive quadrature."""
    grid = wgf.Grid([0, 0], [1, 1], (4, 8))
    potential = wgf.InteractionEnergy(W=logarithm).on(grid)
    values = np.zeros(grid.shape)
    values[1, 3] = 1 / grid.cell_volume
    potential.update(potential.arranged(values), None)
    h, k = grid.spacing / 2
    inner = integrate.dblquad(lambda y, x: 0.5 * np.log(x * x + y * y), 0, h, 0, k)[0] / (h * k)
    assert potential.values()[1, 3] == pytest.approx(inner, rel=1e-5)


@pytest.mark.parametrize("own", [False, True])
def test_the_velocity_is_the_gradient_of_the_loss(own):
    """−∇G(θ_j) = −(1/2m_j) ∂L/∂θ_j by differences; a point does not act on itself."""

    class Kernel:
        def __call__(self, z):
            return uneven(z)

        def gradient(self, z):
            slope = -2 * z * np.exp(-np.sum(z**2, axis=-1, keepdims=True)) - 0.1 * np.sin(z)
            slope[..., 0] += 0.4 * np.cos(z[..., 0])
            return slope

    energy = wgf.InteractionEnergy(V=tilted, W=Kernel() if own else uneven)
    rng = np.random.default_rng(2)
    points, masses = rng.normal(size=(12, 2)), rng.uniform(0.05, 0.1, 12)

    def loss(points):
        return energy.velocity(points, masses)[1]

    by_hand = 2 * masses @ tilted(points)
    for i in range(12):
        by_hand += sum(masses[i] * masses[j] * uneven(points[i] - points[j]) for j in range(12) if j != i)
    assert loss(points) == pytest.approx(by_hand)
    velocity, step = energy.velocity(points, masses)[0], 1e-5
    for j in range(12):
        for k in range(2):
            up, down = points.copy(), points.copy()
            up[j, k] += step
            down[j, k] -= step
            assert velocity[j, k] == pytest.approx(-(loss(up) - loss(down)) / (4 * step * masses[j]), rel=1e-6, abs=1e-8)
    assert energy.loss(wgf.Cloud(points, masses)) == pytest.approx(by_hand)


@pytest.mark.parametrize("tau", [0.0, 0.3])
@pytest.mark.parametrize("dim", [1, 2])
def test_quadratic_attraction_is_exact(tau, dim):
    """W = ½|z|²: the mean stays, var' = −2 var + 2τ, as density, and as neurons without noise."""
    law = wgf.Gaussian([0.2] * dim, [0.6] * dim)
    problem = wgf.Problem(wgf.InteractionEnergy(W=attraction, U=wgf.Entropy(tau) if tau else None), law)
    variance = np.exp(-2.0) * 0.36 + tau * (1 - np.exp(-2.0))
    errors = []
    for n in (40, 80):
        run = wgf.solve(problem, wgf.FiniteVolume(n, [-4.0] * dim, [4.4] * dim), until=1.0, save=2)
        last = run.measures[-1]
        errors.append(abs(last.covariance[0, 0] - (8.4 / n) ** 2 / 12 - variance))
        assert last.mean == pytest.approx([0.2] * dim, abs=1e-10)
        assert run.largest_rise <= 0
    assert errors[1] < 0.3 * errors[0]
    assert errors[1] < 2e-3
    if tau == 0:
        cloud = wgf.solve(problem, wgf.Particles(50, rtol=1e-9, atol=1e-11), until=1.0, save=2)
        first, last = (measure.positions - measure.mean for measure in cloud.measures)
        assert last == pytest.approx(np.exp(-1.0) * first, rel=1e-6)


def test_confinement_alone_carries_points_along_its_characteristics():
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * theta[..., 0] ** 2), wgf.Gaussian([1.0], [0.3]))
    run = wgf.solve(problem, wgf.Characteristics(nodes=9), until=2.0, save=2)
    assert run.measures[-1].mean == pytest.approx([np.exp(-2.0)], rel=1e-6)
    assert run.prediction.shape == (2, 0)


def test_barenblatt(tmp_path, monkeypatch, capsys):
    """L¹ ≤ 5e-3 at 128² and order ≥ 1, mass to rounding, no cell below zero: as the solver script prints it."""
    monkeypatch.chdir(tmp_path)
    script = imported(SOLVERS / "barenblatt.py")
    script.main()
    out = capsys.readouterr().out
    errors = [float(line.split("L¹ error ")[1].split()[0]) for line in out.splitlines() if "L¹" in line]
    assert errors[-1] <= 5e-3
    assert np.log2(errors[0] / errors[1]) >= 1
    assert np.log2(errors[1] / errors[2]) >= 1
    run = wgf.open_run("barenblatt.h5")
    assert run.mass == pytest.approx(1, abs=1e-13)
    assert run.history["minimum"].min() >= 0
    assert run.largest_rise <= 0


def test_a_cubic_medium_on_a_line():
    """μ = t^{−1/4}(C − x²/(12·√t))₊^{1/2} for q = 3, κ = 1, with a steeper edge; C from ∫√(C − x²/12)₊ dx = (π/2)·√12·C = 1."""

    def exact(theta, t):
        return t**-0.25 * np.sqrt(np.maximum(2 / (np.pi * np.sqrt(12)) - theta[..., 0] ** 2 / (12 * np.sqrt(t)), 0))

    problem = wgf.Problem(
        wgf.InteractionEnergy(U=wgf.PorousMedium(1.0, 3)), wgf.FromDensity(lambda theta: exact(theta, 0.1), lower=[-2], upper=[2])
    )
    errors = []
    for n in (100, 200):
        last = wgf.solve(problem, wgf.FiniteVolume(n, [-2], [2]), until=0.3, save=2).measures[-1]
        cells = wgf.FromDensity(lambda theta: exact(theta, 0.4)).cell_averages(last.grid)
        errors.append(np.abs(last.values - cells).sum() * last.grid.cell_volume)
    assert errors[1] < 6e-3
    assert errors[1] < 0.6 * errors[0]


def test_the_second_moment_law_of_keller_segel():
    """d/dt ∫|θ|² dμ = 4(1 − χ/8π), below and at the critical mass."""
    script = imported(SOLVERS / "keller_segel.py")
    for strength in (0.5, 1.0):
        run = wgf.solve(script.case(strength), wgf.FiniteVolume(96, [-5, -5], [5, 5], diffusion="gibbs"), until=0.1, save=2)
        first, last = (measure.integrate(script.second_moment) for measure in run.measures)
        assert last - first == pytest.approx(0.4 * (1 - strength), abs=3e-3)


def test_a_run_without_data_is_stored_shown_and_drawn(tmp_path, capsys):
    problem = wgf.Problem(
        wgf.InteractionEnergy(V=tilted, W=attraction, U=wgf.Entropy(0.1)), wgf.Gaussian([0, 0], [0.5, 0.5]), title="no net"
    )
    run = wgf.solve(problem, wgf.FiniteVolume(24), until=0.5, save=3, store=tmp_path / "run.h5")
    again = wgf.open_run(tmp_path / "run.h5")
    assert again.data is None
    assert again.prediction.shape == (3, 0)
    assert again.attributes["temperature"] == 0.1
    assert np.array_equal(again.measures[-1].values, run.measures[-1].values)
    assert again.free_energy == pytest.approx(0.5 * again.loss + 0.1 * entropy(again), rel=1e-12)
    figure = again.plot(tmp_path / "run.png")
    assert any("free energy" in text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts())
    main(["info", str(tmp_path / "run.h5")])
    out = capsys.readouterr().out
    assert "free energy" in out
    assert "ΔE = −∫∫|∇(G + τ log μ)|² dμ dt" in out
    assert "kernel" not in out
    assert repr(problem.energy) == "InteractionEnergy(V = tilted, W = attraction, U = 0.1 μ log μ)"


def entropy(run):
    return np.array([np.sum(m.values * np.log(m.values)) * m.grid.cell_volume for m in run.measures])


def test_messages():
    with pytest.raises(wgf.InputError, match=r"an energy needs at least one of V, W and U"):
        wgf.InteractionEnergy()
    with pytest.raises(wgf.InputError, match=r"V = 3: give a function of arrays"):
        wgf.InteractionEnergy(V=3)
    with pytest.raises(wgf.InputError, match=r"U = 0.1: give wgf.Entropy\(tau\), wgf.PorousMedium\(kappa, q\), or None"):
        wgf.InteractionEnergy(U=0.1)
    with pytest.raises(wgf.InputError, match=r"q = 1; it must be greater than 1 \(for q → 1, use Entropy\)"):
        wgf.PorousMedium(1.0, 1)
    with pytest.raises(wgf.InputError, match=r"κ = -1: it must be a positive number"):
        wgf.PorousMedium(-1.0, 2)
    with pytest.raises(wgf.InputError, match=r"entropy: τ = 0: it must be a positive number"):
        wgf.Entropy(0)
    law, box = wgf.Gaussian([0, 0], [0.3, 0.3]), {"lower": [-2, -2], "upper": [2, 2]}
    with pytest.raises(wgf.InputError, match=r"V gave shape \(64, 2\) for theta \(64, 2\); expected \(64,\)"):
        wgf.solve(wgf.Problem(wgf.InteractionEnergy(V=lambda theta: theta), law), wgf.FiniteVolume(8, **box), 1.0)
    with (
        pytest.raises(wgf.InputError, match=r"V is not finite everywhere on the box"),
        np.errstate(invalid="ignore"),
    ):
        wgf.solve(wgf.Problem(wgf.InteractionEnergy(V=lambda theta: np.log(theta[..., 0])), law), wgf.FiniteVolume(8, **box), 1.0)
    medium = wgf.Problem(wgf.InteractionEnergy(U=wgf.PorousMedium(1.0, 2)), law)
    with pytest.raises(wgf.InputError, match=r"particles have no density, which U = 1 μ\^2 needs: take FiniteVolume"):
        wgf.solve(medium, wgf.Particles(10), 1.0)
    with pytest.raises(wgf.InputError, match=r"no box can be found for U = 1 μ\^2.*give lower and upper"):
        wgf.solve(medium, wgf.FiniteVolume(8), 1.0)
    with pytest.raises(wgf.InputError, match=r"particles have no density, which U = 1 μ\^2 needs: take FiniteVolume"):
        wgf.compare(medium, wgf.FiniteVolume(8, **box), 1.0)
    with pytest.raises(wgf.InputError, match=r"Characteristics solves the flow without diffusion, but the problem has U = 1 μ\^2"):
        wgf.solve(medium, wgf.Characteristics(), 1.0)


@pytest.mark.filterwarnings("error")
def test_an_interaction_that_is_infinite_both_ways_is_one_line():
    """W = 1/x in the plane: ∞ on one side of the axis, −∞ on the other."""
    energy = wgf.InteractionEnergy(W="1/x", axes=["x", "y"])
    with pytest.raises(wgf.InputError, match="W is not finite at some difference of two cells other than zero"):
        energy.on(wgf.Grid([-1, -1], [1, 1], 4))
