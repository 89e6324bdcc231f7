"""Problem files: interaction energies in [energy], numbers that serve for all axes, and files that say nothing sensible."""

import numpy as np
import pytest

import wgf
from wgf.methods import METHODS
from wgf.problems.problem import TAKEN
from wgf.runs.task import read_task

pytestmark = pytest.mark.coarse

SWARM = """
[energy]
kind = "interaction"
axes = ["x"]
V = "5*(x^2 - 1)^2"
W = { potential = "quadratic", strength = 0.5 }
U = { kind = "entropy", temperature = 0.3 }

[initial]
law = "gaussian"
mean = 0.2
std = 0.3

[domain]
lower = -3
upper = 3
cells = 32

[time]
end = 0.1
save = 2
"""
NETWORK = """
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
inputs = { law = "uniform", lower = -1, upper = 1, nodes = 8 }
teacher = [ { c = 1.0, a = 2.0 } ]
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = [0.4, 0.4]
"""


@pytest.fixture
def read(tmp_path):
    """The task in a text."""

    def read(text, **options):
        path = tmp_path / "file.toml"
        path.write_text(text, encoding="utf-8")
        return read_task(path, **options)

    return read


ON_A_LINE = {
    "network": NETWORK.replace('"c", "a"', '"a"').replace("0.2, 0.5", "0.5").replace("0.4, 0.4", "0.4"),
    "interaction": '[energy]\nkind = "interaction"\naxes = ["x"]\nV = "x^2"\n[initial]\nlaw = "gaussian"\nmean = 0.5\nstd = 0.4\n',
}
OF_NETWORKS = ("mirror-descent",)
EDGES = ("lower = -3\nupper = 3", "lower = -3.0\nupper = [3.0]", "lower = [-3]\nupper = 3")


@pytest.mark.parametrize(
    ("problem", "method"),
    [(problem, method) for problem in ON_A_LINE for method in METHODS if problem == "network" or method not in OF_NETWORKS],
)
def test_one_axis_takes_plain_numbers_for_its_edges(problem, method, read):
    """The box is that of lists of one number, for every method."""
    runs = []
    for edges in (*EDGES, "lower = [-3]\nupper = [3]"):
        task = read(f"{ON_A_LINE[problem]}[domain]\n{edges}\ncells = 32\n[time]\nend = 0.1\nsave = 2\n", method=method)
        runs.append(wgf.solve(task.problem, task.method, task.until, task.save))
    for run in runs[:-1]:
        assert run.status == "complete"
        assert np.array_equal(run.measures[-1].points, runs[-1].measures[-1].points)
        assert np.array_equal(run.measures[-1].masses, runs[-1].measures[-1].masses)


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("domain", [lambda n, *box: wgf.FiPyMesh(wgf.Box(n, *box)), wgf.FiniteVolume])
def test_plain_edges_and_cells_stand_for_all_axes_of_what_is_made_of_them(domain, axes):
    """The coarser selves, by which errors are estimated, are on the same box as that of lists."""
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("a", "c")[:axes]), wgf.Data.quadrature(np.sin, -1, 1, 8))
    problem = wgf.Problem(energy, wgf.Gaussian(0.5, 0.5))
    plain, lists = (
        wgf.discretisation_error(problem, domain(*box), 0.1, 2) for box in ((12, -3, 3), ([12] * axes, [-3] * axes, [3] * axes))
    )
    assert np.array_equal(plain["function"], lists["function"])


def test_a_byte_order_mark_is_no_part_of_a_file(read, tmp_path):
    task = read("\ufeff" + SWARM)
    assert task.problem.source == SWARM
    (tmp_path / "file.toml").write_bytes(SWARM.encode("utf-16"))
    with pytest.raises(wgf.InputError, match=r"file.toml is no text in UTF-8: save it in that encoding"):
        read_task(tmp_path / "file.toml")


def test_the_energy_of_a_file_is_that_of_python(read):
    energy = read(SWARM).problem.energy
    ours = wgf.InteractionEnergy(
        V=lambda theta: 5 * (theta[..., 0] ** 2 - 1) ** 2, W=lambda z: 0.25 * np.sum(z**2, axis=-1), U=wgf.Entropy(0.3)
    )
    points, masses = np.linspace(-1.5, 2, 9)[:, None], np.full(9, 1 / 9)
    for found, expected in zip(energy.velocity(points, masses), ours.velocity(points, masses), strict=True):
        assert found == pytest.approx(expected, rel=1e-7)
    assert energy.U == ours.U
    assert energy.axis_names(1) == ("x",)


def test_a_run_of_a_file_is_that_of_python(read):
    """The same density as from functions, bit for bit but for the rounding of the formula."""
    task = read(SWARM)
    ours = wgf.InteractionEnergy(
        V=lambda theta: 5 * (theta[..., 0] ** 2 - 1) ** 2, W=lambda z: 0.25 * np.sum(z**2, axis=-1), U=wgf.Entropy(0.3)
    )
    found = wgf.solve(task.problem, task.method, task.until, task.save)
    expected = wgf.solve(wgf.Problem(ours, wgf.Gaussian([0.2], [0.3])), wgf.FiniteVolume(32, [-3], [3]), 0.1, 2)
    assert found.measures[-1].values == pytest.approx(expected.measures[-1].values, rel=1e-9, abs=1e-12)


def test_a_list_is_a_sum_of_formulas_and_potentials(read):
    text = SWARM.replace('"5*(x^2 - 1)^2"', '["x", { potential = "double-well", strength = 5.0 }, "-x/2"]')
    points = np.linspace(-1.5, 2, 9)[:, None]
    assert read(text).problem.energy.confinement(points) == pytest.approx(0.5 * points[:, 0] + 5 * (points[:, 0] ** 2 - 1) ** 2)


def test_a_porous_medium(read):
    text = SWARM.replace('kind = "entropy", temperature = 0.3', 'kind = "porous-medium", kappa = 0.5, q = 2')
    internal = read(text).problem.energy.U
    assert (internal.kappa, internal.q) == (0.5, 2)


@pytest.mark.parametrize("method", ["finite-volume", "particles", "fipy", "jko", "characteristics"])
def test_every_method_reads_numbers_for_all_axes(read, method):
    """One number each for two axes, in the file and after --method; what a method cannot do it says itself."""
    text = SWARM.replace('axes = ["x"]', 'axes = ["x", "y"]').replace("cells = 32", "cells = 8")
    text = text.replace("[domain]", "[method]\nlinearised = true\n[domain]") if method == "jko" else text
    text = text.replace("[method]", '[method]\nname = "jko"')
    task = read(text, method=None if method == "jko" else method)
    assert task.problem.initial == wgf.Gaussian([0.2, 0.2], [0.3, 0.3])
    if method == "characteristics":
        with pytest.raises(wgf.InputError, match="without diffusion"):
            wgf.solve(task.problem, task.method, 0.01)
        return
    measure = wgf.solve(task.problem, task.method, 0.01, 2).measures[0]
    assert measure.points.shape[1] == 2


def test_numbers_for_all_axes_of_a_network(read):
    text = NETWORK.replace("[0.2, 0.5]", "0.5").replace("[0.4, 0.4]", "0.4") + "[domain]\nlower = -3\nupper = [3, 4]\ncells = 8\n"
    task = read(text)
    assert task.problem.initial == wgf.Gaussian([0.5, 0.5], [0.4, 0.4])
    assert task.method.grid(task.problem, 1.0).upper == (3, 4)
    assert task.method.grid(task.problem, 1.0).lower == (-3, -3)
    assert "on [-3, 3] × [-3, 4]" in repr(task.method)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "interaction"', "", r"\[energy\]: axes is for kind = \"interaction\"; that of a network has \[neuron\]"),
        (
            'kind = "interaction"',
            'kind = "interactions"',
            r"\[energy\]: kind = 'interactions' is not known \(did you mean 'interaction'\?\)",
        ),
        ("[initial]", "[neuron]\n[initial]", r"file.toml: \[neuron\] is for networks, but \[energy\] has kind = \"interaction\""),
        ("[initial]", '[data]\nfile = "a.csv"\n[initial]', r"\[data\] is for networks"),
        ("[initial]", "[penalty]\nstrength = 1\n[initial]", r"\[penalty\] is for networks"),
        ('axes = ["x"]', "", r"\[energy\]: axes is missing"),
        ('axes = ["x"]', 'axes = "x"', r"\[energy\]: axes = 'x' is not a list of strings"),
        ('axes = ["x"]', 'axes = ["r"]', r"\[energy\]: axes: 'r' has a meaning in formulas already"),
        ("^2 - 1)^2", "^2 - 1)^2)", r"\[energy\]: V = '5\*\(x\^2 - 1\)\^2\)': unexpected '\)' at character 14"),
        ('V = "5*(x^2 - 1)^2"', "V = 3", r"\[energy\]: V = 3: give a formula, \"…\", a table \{ potential = \"…\" \}, or a list"),
        ('V = "5*(x^2 - 1)^2"', "V = []", r"\[energy\]: V = \[\]: give a formula"),
        ('"quadratic", strength', '"quadrati", strength', r"\[energy.W\]: potential = 'quadrati' is not known \(did you mean 'quadratic'"),
        ('"quadratic", strength', '"quadratic", strenght', r"\[energy.W\]: unknown key 'strenght' \(did you mean 'strength'\?\)"),
        ("strength = 0.5", "center = 0.5", r"\[energy\]: W = quadratic\(center = 0.5\) is a function of differences"),
        ('"quadratic", strength = 0.5', '"power-law", exponent = -1', r"\[energy\]: exponent = -1: r\^exponent has no integral in 1 dim"),
        ('"quadratic", strength = 0.5', '"morse", repulsion = 1', r"\[energy.W\]: repulsion_length is missing"),
        (
            'kind = "entropy"',
            'kind = "entrpy"',
            r"\[energy.U\]: kind = 'entrpy' is not known \(did you mean 'entropy'\?\); allowed: entropy, por",
        ),
        ("temperature = 0.3", "temperature = -1", r"\[energy.U\]: entropy: τ = -1"),
        ("U = {", "UU = {", r"\[energy\]: unknown key 'UU' \(did you mean 'U'\?\); allowed: kind, axes, V, W, U"),
        ("[energy]", "reduced = true\n[energy]", r"only the problem of a network of wgf.Neuron can be reduced to a sphere"),
        ('axes = ["x"]', 'axes = ["x", "y"]\nmore = 1', r"\[energy\]: unknown key 'more'"),
        ("mean = 0.2", "mean = [0.2, 0.1]", r"theta has 1 coordinate \(x\) but the initial law has 2"),
        ("lower = -3", "lower = [-3, -3]", r"\[domain\]: the box has 2 axes but theta has 1 coordinates"),
    ],
)
def test_an_energy_that_cannot_be_says_where(read, old, new, message):
    assert old in SWARM
    with pytest.raises(wgf.InputError, match=message):
        read(SWARM.replace(old, new))


def test_keys_of_an_interaction_beside_a_network(read):
    with pytest.raises(wgf.InputError, match=r"\[energy\]: V is for kind = \"interaction\"; that of a network has \[neuron\]"):
        read(NETWORK + '[energy]\nV = "x"\n')
    assert read(NETWORK + '[energy]\nkind = "network"\n').problem.dim == 2


@pytest.mark.parametrize("method", [wgf.FiniteVolume(8, -2, 2), wgf.Particles(4), wgf.FiPyMesh(wgf.Box(8, -2, 2))], ids=repr)
def test_no_axis_has_the_name_of_something_else_in_the_file(method, tmp_path):
    """All names in the root of a run's file, but for those of its axes, are taken; such an axis is refused before a file is there."""
    import h5py

    data = wgf.Data([0.0, 1.0], [0.0, 1.0])
    problems = [
        wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("a",)), data), wgf.Gaussian([0.0], 0.2)),
        wgf.Problem(wgf.InteractionEnergy(V="a^2", axes=["a"]), wgf.Gaussian([0.0], 0.2)),
    ]
    for k, problem in enumerate(problems):
        wgf.solve(problem, method, 0.01, 2, store=tmp_path / f"{k}.h5")
        with h5py.File(tmp_path / f"{k}.h5") as file:
            assert set(file) - {"a", "a_bounds"} <= set(TAKEN)
    for name in (*TAKEN, "a_bounds"):
        with pytest.raises(wgf.InputError, match=f"an axis is named '{name}', as something else in the file of a run is"):
            wgf.Problem(wgf.InteractionEnergy(V="1", axes=[name]), wgf.Gaussian([0.0], 0.2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = " + "[" * 5000 + "]" * 5000, r"file.toml is nested too deeply"),
        ("[" + ".".join("a" * 3000) + "]", r"file.toml is nested too deeply"),
        (
            NETWORK.replace("[0.2, 0.5]", f"[{10**399}, 0.5]"),
            r"file.toml: the whole number 100000000000… is too large: those of TOML have 64 bits",
        ),
        (NETWORK.replace("[0.2, 0.5]", f"[{'9' * 5000}, 0.5]"), r"file.toml is not valid TOML"),
        (NETWORK.replace("nodes = 8", f"nodes = {10**30}"), r"the whole number 100000000000… is too large"),
        (NETWORK.replace("nodes = 8", f"nodes = {10**12}"), r"\[data.inputs\]: nodes = 1000000000000: at most 10,000"),
        (NETWORK.replace('"uniform"', '"samples"').replace("nodes = 8", f"count = {10**15}"), r"\[data.inputs\]: count = 10+: from one to"),
        (
            NETWORK.replace('"gaussian"', '"samples"').split("mean")[0] + "points = [[0.1, 0.2], [0.3]]",
            r"\[initial\]: samples: points must be",
        ),
        (
            NETWORK.replace("upper = 1,", "upper = [1, 1, 1],").replace("lower = -1", "lower = [-1, 1]"),
            r"the law of x: uniform: lower has 2, upp",
        ),
        (NETWORK.replace("upper = 1,", "std = 1,"), r"\[data.inputs\]: unknown key 'std'"),
    ],
    ids=range(10),
)
def test_a_file_that_cannot_be_is_an_input_error(read, text, message):
    with pytest.raises(wgf.InputError, match=message):
        read(text)
