"""Lazy studies: κ and the crossover against m, files that are taken up again, the command, the figure, messages."""

import h5py
import matplotlib as mpl
import numpy as np
import pytest
from commands import wgf_says

import wgf
from wgf.studies.lazy.study import lazy
from wgf.studies.lazy.table import ResumableLazyTable
from wgf.studies.open import open_result

mpl.use("agg")
DATA = wgf.Data.quadrature(lambda x: np.sin(2 * x), nodes=12)
TANH = wgf.Neuron("tanh", ("c", "a"))
PROBLEM = wgf.Problem(wgf.RegressionEnergy(TANH, DATA), wgf.Uniform([-1.0, -1.0], [1.0, 1.0]))
GAS = wgf.Problem(wgf.InteractionEnergy(W=lambda z: np.sum(z**2, axis=-1)), wgf.Gaussian([0, 0], [1, 1]))
SMALL = {"sizes": (8, 32), "replicates": 5, "until": 1.0, "save": 3, "workers": 1}
PROBLEM_FILE = """
title = "pay $5"
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
inputs = { law = "uniform", nodes = 12 }
teacher = [{ c = 1.0, a = 2.0 }]
[initial]
law = "uniform"
lower = -1
upper = 1
[time]
end = 0.5
save = 3
"""


@pytest.fixture(scope="module")
def study():
    return wgf.lazy(PROBLEM, exponents=(0.5, 1.0), scales=(1.0, 3.0), **SMALL)


def slope(x, y):
    return np.polyfit(np.log(x), np.log(y), 1)[0]


@pytest.mark.parametrize("p", [0.5, 0.75, 1.0])
def test_kappa_falls_with_the_width(p):
    """As m^{−min(½, 1 − p)} for a bounded law with φ_{μ_0} = 0 and a smooth neuron, m = 2⁴ … 2¹⁴."""
    sizes = 2 ** np.arange(4, 15, 2)
    draws = [[PROBLEM.initial.sample(m, np.random.default_rng([m, r])) for r in range(max(8, 1024 // m))] for m in sizes]
    kappa = [np.mean([wgf.Network(TANH, theta, f"m^-{p}").relative_scale(DATA) for theta in group]) for group in draws]
    found = slope(sizes, kappa)
    print(f"p = {p}: slope {found:.3f}")
    assert found == pytest.approx(-min(0.5, 1 - p), abs=0.05)


def test_the_expected_distance_is_the_mean_square_of_the_draws():
    found = wgf.lazy(PROBLEM, (16, 64), (0.5, 1.0), replicates=64, until=0.01, save=2, workers=1)
    measured = np.sqrt(found.loss[:, :, :, 0].mean(axis=2))
    assert measured == pytest.approx(found.distance, rel=0.1)


def test_an_unbounded_law_has_a_larger_neuron_in_a_wider_network():
    """‖D²φ‖/α is the largest of m draws of ‖D²g‖: for relu and a Gaussian a it stays, for c·x-curved tanh it grows like √(2 log m)."""
    law, draws = wgf.Gaussian([0, 0], [1, 1]), np.random.default_rng(0)
    norms = [[wgf.Network(TANH, law.sample(m, draws), 1.0).curvature_norm(DATA) for _ in range(8)] for m in (2**4, 2**8, 2**12)]
    mean = np.mean(norms, axis=1)
    largest = [np.mean([np.abs(draws.standard_normal(m)).max() for _ in range(200)]) for m in (2**4, 2**8, 2**12)]
    assert (np.diff(mean) > 0).all()
    assert mean[2] / mean[1] == pytest.approx(largest[2] / largest[1], rel=0.15)


@pytest.mark.long
@pytest.mark.parametrize("centred", ["pairs", "subtracted"])
def test_the_crossover_falls_like_the_root_of_the_width(centred):
    found = wgf.crossover(PROBLEM, (64, 256, 1024, 4096), 0.1, 10.0, replicates=16, centred=centred, tolerance=1e-3)
    print(f"{centred}: A ~ m^{found.slope:.3f}, κ = {found.relative_scales.mean(axis=1)}")
    assert found.slope == pytest.approx(-0.5, abs=0.03)


# ---- the study, its table and its file


def test_all_scalings_start_from_the_same_neurons(study):
    start = study.table.parameters[..., 0]
    assert np.array_equal(start, np.broadcast_to(start[0], start.shape))
    assert not np.array_equal(study.table.parameters[0, ..., 1], study.table.parameters[3, ..., 1])


def test_the_exponent_one_is_the_run_of_particles(study):
    neurons = wgf.Particles(8, np.random.SeedSequence(0, spawn_key=(8, 0)), solver="DOP853", rtol=1e-9, atol=1e-11)
    run = wgf.solve(PROBLEM, neurons, 1.0, 3)
    assert np.array_equal(study.loss[2, 0, 0], run.loss)
    assert np.array_equal(study.table.parameters[2, ..., 1], run.measures[-1].positions)


def test_a_larger_scale_is_lazier(study):
    assert study.exponents.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert study.factors.tolist() == [1.0, 3.0, 1.0, 3.0]
    for first, second in ((0, 1), (2, 3), (2, 0)):
        assert (study.deviation[second, :, :, -1].mean(axis=1) < study.deviation[first, :, :, -1].mean(axis=1)).all()
        assert (study.displacement[second, :, :, -1] < study.displacement[first, :, :, -1]).all()


def test_workers_do_not_matter(study):
    other = wgf.lazy(PROBLEM, exponents=(0.5, 1.0), scales=(1.0, 3.0), **(SMALL | {"workers": 2}))
    assert np.array_equal(study.deviation, other.deviation)


def test_a_study_that_is_left_goes_on_and_ends_the_same(study, tmp_path, monkeypatch):
    """Left after five networks, called again: the same numbers, and the five are not trained again."""
    path, options = tmp_path / "lazy.h5", SMALL | {"exponents": (0.5, 1.0), "scales": (1.0, 3.0)}
    record, count = ResumableLazyTable.record, []

    def interrupted(self, table, cell):
        record(self, table, cell)
        count.append(cell)
        if len(count) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(ResumableLazyTable, "record", interrupted)
    with pytest.raises(KeyboardInterrupt):
        wgf.lazy(PROBLEM, **options, store=path)
    with h5py.File(path) as file:
        assert (file.attrs["status"], file["done"][:].sum()) == ("running", 5)
    with pytest.raises(wgf.InputError, match="5 of 40 cells are done: call the same sweep again"):
        wgf.open_lazy(path)
    with pytest.raises(wgf.InputError, match="holds another sweep, a lazy study, of which 5 of 40 cells are done"):
        wgf.lazy(PROBLEM, **(options | {"seed": 1}), store=path)
    wgf.lazy(PROBLEM, **options, store=path)
    assert len(count) == len(set(count)) == 40
    again = wgf.open_lazy(path)
    assert np.array_equal(again.deviation, study.deviation)
    assert np.array_equal(again.relative_scale, study.relative_scale)
    assert np.array_equal(again.table.parameters, study.table.parameters)
    for name, rate in study.rates.items():
        assert np.array_equal(again.rates[name], rate)


def test_the_layout_of_the_file_is_that_of_the_design(study, tmp_path):
    study.save(tmp_path / "lazy.h5")
    with h5py.File(tmp_path / "lazy.h5") as file:
        assert file.attrs["kind"] == "lazy"
        found = {name: ", ".join(dim[0].name.strip("/") for dim in file[name].dims) for name in ("relative_scale", "deviation", "loss")}
        assert found == {"relative_scale": "exponent, size, replicate"} | dict.fromkeys(
            ("deviation", "loss"), "exponent, size, replicate, time"
        )
        for name in ("displacement", "alignment", "kernel_change"):
            assert file[name].shape == study.deviation.shape
        assert set(file["rate"]) == {"relative_scale", "deviation", "displacement", "kernel_change"}
    assert repr(open_result(tmp_path / "lazy.h5")) == repr(study)


def test_the_figure_shows_what_the_study_holds(study):
    figure = study.plot()
    deviation, kappa, losses, *neurons = figure.get_axes()
    assert [len(points.get_offsets()) for points in deviation.collections] == [10] * 4
    assert kappa.get_xscale() == kappa.get_yscale() == "log"
    lines = [line.get_ydata() for line in losses.get_lines()]
    assert np.allclose(lines, study.loss[:, -1].mean(axis=1))
    assert len(neurons) == 3
    assert np.allclose(neurons[-1].collections[-1].get_offsets(), study.table.parameters[-1, :, :2, 1])


# ---- the command


def test_the_command_writes_its_file_and_figure_and_is_read_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(PROBLEM_FILE)
    code, out, err = wgf_says(
        capsys, "lazy", "p.toml", "--sizes", "8", "16", "--exponents", "0.5", "1", "--replicates", "5", "--workers", "1"
    )
    assert code == 0, err
    assert "slope of κ in m" in out
    assert {path.name for path in tmp_path.iterdir()} == {"p.toml", "p-lazy.h5", "p-lazy.png"}
    code, again, _ = wgf_says(capsys, "info", "p-lazy.h5")
    assert code == 0
    assert out.splitlines()[-8:] == again.splitlines()[-8:]
    assert wgf_says(capsys, "plot", "p-lazy.h5", "-o", "again.png")[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--exponents", "1.5"], "p = 1.5 of α"),
        (["--exponents", "0"], "p = 0 of α"),
        (["--scales", "-1"], "the factor A of α = A·m^(−p) = -1: it must be a positive number"),
        (["--sizes", "0"], "m = 0: give a whole number"),
        (["--sizes", "7", "--centred", "pairs"], "give even numbers of neurons"),
        (["--replicates", "1"], "replicates = 1: at least two"),
        (["-o", "found.png"], "the figure beside it will have that name; end the name of the HDF5 file in .h5"),
    ],
)
def test_wrong_words_are_answered_in_a_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(PROBLEM_FILE)
    code, out, err = wgf_says(capsys, "lazy", "p.toml", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["p.toml"]


def test_problems_that_have_no_tangent_model_are_refused():
    noisy = wgf.Problem(PROBLEM.energy, PROBLEM.initial, temperature=0.1)
    penalised = wgf.Problem(wgf.RegressionEnergy(TANH, DATA, (0.1, lambda theta: theta[..., 0] ** 4)), PROBLEM.initial)
    for problem, message in ((GAS, "is not the energy of a network"), (noisy, "training without noise"), (penalised, "knows the penalty")):
        with pytest.raises(wgf.InputError, match=message):
            lazy(problem, **SMALL)
    with pytest.raises(wgf.InputError, match="is not the energy of a network"):
        wgf.crossover(GAS, (8, 16))
    with pytest.raises(wgf.RunError, match="no scale changes the tangent kernel of 16 neurons by"):
        wgf.crossover(
            wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c",), {"a": 1.0}), DATA), wgf.Uniform([-1.0], [1.0])), (8, 16), workers=1
        )
