"""A grid without end: nothing is lost or interpolated, the window goes where the mass goes, and the file records what was seen."""

import copy
import dataclasses
import re

import h5py
import numpy as np
import pytest
from problems import Tanh

import wgf

SPREADING = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0 * theta[..., 0]), wgf.Gaussian([0.0], [0.2]), temperature=0.5)
DRIFTING = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: -theta[..., 0]), wgf.Gaussian([0.0, 0.0], [0.2, 0.2]))
FILE = """
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
inputs = {{ law = "uniform", nodes = 10 }}
teacher = [ {{ c = 1.0, a = 2.0 }} ]
[initial]
law = "gaussian"
mean = [0, 0]
std = [0.3, 0.3]
[domain]
{domain}
[method]
{method}
"""
NARROW = wgf.FiniteVolume(20, [-1.3], [1.3], grow=True)


@pytest.mark.coarse
@pytest.mark.parametrize("scheme", ["gibbs", "split"])
def test_heat_in_a_growing_box_is_that_of_a_large_one(scheme):
    """The variance v_0 + 2τt to the accuracy of the cells; no mass is lost; the spacing stays to the bit."""
    run = wgf.solve(SPREADING, dataclasses.replace(NARROW, diffusion=scheme, dt=0.02), until=2.0, save=5)
    first, last = run.measures[0].grid, run.measures[-1].grid
    assert last.shape[0] > first.shape[0]
    assert last.spacing == pytest.approx(first.spacing, rel=1e-12)
    assert run.measures[-1].covariance[0, 0] - last.spacing[0] ** 2 / 12 == pytest.approx(0.04 + 2.0, rel=2e-3)
    assert run.mass == pytest.approx(1, abs=1e-13)
    assert run.history["minimum"].min() >= 0
    assert run.boundary_mass.max() < 1e-5


@pytest.mark.coarse
def test_transport_grows_only_where_mass_goes():
    """To the right on the first axis, on the other one by less than a line of the caches; cells stand where they stood."""
    run = wgf.solve(DRIFTING, wgf.FiniteVolume(26, [-1.3, -1.3], [1.3, 1.3], grow=True), until=2.0, save=3)
    first, last = run.measures[0].grid, run.measures[-1].grid
    assert last.lower == pytest.approx(first.lower)
    assert last.upper[0] > first.upper[0] + 1
    assert first.upper[1] - 1e-9 < last.upper[1] < first.upper[1] + 0.8 - 1e-9
    assert last.centers[0][: first.shape[0]] == pytest.approx(first.centers[0])
    assert run.measures[-1].mean == pytest.approx([2.0, 0.0], abs=3e-3)
    assert run.mass == pytest.approx(1, abs=1e-13)
    assert run.largest_rise <= 0


def test_networks_grow_too():
    """The tanh student from a box that is too small: as in a box that is large enough, with the same cells."""
    tanh = Tanh()
    small = wgf.solve(tanh.problem, wgf.FiniteVolume((40, 40), [-1.5, -1.2], [1.9, 2.2], grow=True), until=3.0, save=4)
    grid = small.measures[-1].grid
    assert grid.shape > (40, 40)
    large = wgf.solve(tanh.problem, wgf.FiniteVolume(grid.shape, grid.lower, grid.upper), until=3.0, save=4)
    assert small.prediction == pytest.approx(large.prediction, abs=1e-5)
    assert small.mass == pytest.approx(1, abs=1e-13)


@pytest.mark.coarse
def test_the_file_records_the_boxes(tmp_path):
    path = tmp_path / "run.h5"
    stored = wgf.solve(SPREADING, dataclasses.replace(NARROW, dt=0.02), until=2.0, save=5, store=path)
    kept = wgf.solve(SPREADING, dataclasses.replace(NARROW, dt=0.02), until=2.0, save=5)
    with h5py.File(path) as file:
        lower, upper = file["box_lower"][:], file["box_upper"][:]
        assert file["density"].shape == (5, *kept.measures[-1].grid.shape)
        assert lower[-1] < lower[0]
        assert upper[-1] > upper[0]
        assert file["theta1_bounds"][0, 0] == pytest.approx(lower[-1][0])
        outside = (file["theta1"][:] < lower[0]) | (file["theta1"][:] > upper[0])
        assert not file["density"][0][outside].any()
    assert len(stored.measures) == 5
    for ours, theirs in zip(stored.measures, kept.measures, strict=True):
        assert ours.grid.shape == theirs.grid.shape
        assert ours.grid.lower == pytest.approx(theirs.grid.lower)
        assert np.array_equal(ours.values, theirs.values)
    stored.plot(tmp_path / "run.png")


@pytest.mark.coarse
def test_a_copied_state_goes_on_bit_for_bit():
    method = dataclasses.replace(NARROW, dt=0.02)
    first = method.bind(SPREADING, 2.0)
    state = first.start()
    for _ in range(30):
        first.step(state, 2.0)
    ends = []
    for stepper, at in ((method.bind(SPREADING, 2.0), copy.deepcopy(state)), (first, copy.deepcopy(state))):
        while at.time < 2.0:
            stepper.step(at, 2.0)
        ends.append(stepper.frame(at).measure)
    assert ends[0].grid.shape == ends[1].grid.shape
    assert np.array_equal(ends[0].values, ends[1].values)


def test_a_box_that_cuts_the_law_grows_before_it_begins():
    """A tenth of the law lies outside the box that was given; nothing is scaled, and nothing warned of."""
    run = wgf.solve(SPREADING, wgf.FiniteVolume(20, [-0.3], [0.3], grow=True), until=0.01, save=2)
    first = run.measures[0]
    assert first.grid.spacing == pytest.approx([0.03])
    assert first.grid.lower[0] < -1
    assert first.values == pytest.approx(SPREADING.initial.cell_averages(first.grid), rel=1e-6)


def test_periodic_axes_do_not_grow():
    problem = dataclasses.replace(SPREADING, initial=wgf.Uniform([-1.3], [1.3]))
    run = wgf.solve(problem, dataclasses.replace(NARROW, boundary="periodic"), until=0.5, save=2)
    assert run.measures[-1].grid.shape == (20,)


@pytest.mark.coarse
def test_a_problem_file_can_ask_for_it(tmp_path):
    from wgf.runs.task import read_task

    text = FILE.format(
        domain="lower = [-1.5, -1.5]\nupper = [1.5, 1.5]\ncells = 16\ngrow = true\n[noise]\ntemperature = 0.1",
        method='diffusion = "gibbs"\ndt = 0.05',
    )
    (tmp_path / "problem.toml").write_text(text, encoding="utf-8")
    task = read_task(tmp_path / "problem.toml")
    assert task.method.grow
    assert task.method.dt == 0.05
    assert task.problem.noise == 0.1
    assert "growing" in repr(task.method)
    run = wgf.solve(task.problem, task.method, 1.0, save=2)
    assert run.measures[-1].grid.size > 16 * 16


def test_a_law_that_never_ends_is_refused():
    """One that is known up to a factor only fills any box."""
    tanh = Tanh()
    problem = wgf.Problem(tanh.problem.energy, wgf.FromDensity(lambda theta: np.ones(theta.shape[:-1])))
    with pytest.raises(wgf.InputError, match=r"the box has grown 12 times, and the initial law .* still reaches its edges"):
        wgf.solve(problem, wgf.FiniteVolume(8, tanh.lower, tanh.upper, grow=True), 1.0)


@pytest.mark.parametrize("speed", [1.0, -1.0])
def test_a_spacing_is_all_that_a_law_on_its_way_needs(speed):
    """A Gaussian that travels fifty times its width: the window stays as small as it is, and it moves as in a box that holds all.

    By the cut of its tails it lags behind; after two hundred cells, a fortieth of one at most.
    """
    energy = wgf.InteractionEnergy(V=lambda theta: -speed * theta[..., 0])
    problem = wgf.Problem(energy, wgf.Gaussian([0.0, 0.0], [0.2, 0.2]))
    stepper = wgf.FiniteVolume(spacing=(0.05, 0.05)).bind(problem, 10.0)
    state = stepper.start()
    while state.time < 10.0:
        diagnostics = stepper.step(state, 10.0)
        assert state.array.size < 150 * 110
        assert diagnostics.boundary_mass == 0
    frame = stepper.frame(state)
    grid = frame.measure.grid
    assert grid.shape[0] > 200
    boxed = wgf.solve(problem, wgf.FiniteVolume(grid.shape, grid.lower, grid.upper, edge_tolerance=1), until=10.0, save=2).measures[-1]
    assert frame.measure.values == pytest.approx(boxed.values, abs=1e-3 * boxed.values.max())
    assert frame.measure.mean == pytest.approx([10.0 * speed, 0.0], abs=0.05 / 40)
    assert frame.measure.mass == pytest.approx(1, abs=1e-12)
    assert np.abs(np.array(grid.lower) / 0.05 - np.rint(np.array(grid.lower) / 0.05)).max() < 1e-9


def test_the_window_reaches_further_where_the_mass_goes():
    """Where it has come to an edge there is twice the room beyond it, so that windows are moved less often."""
    stepper = wgf.FiniteVolume(spacing=(0.05, 0.05)).bind(DRIFTING, 2.0)
    state = stepper.start()
    first = state.window.copy()
    while np.array_equal(state.window, first):
        stepper.step(state, 2.0)
    values = stepper.stepper.potential.own_cells(state.array)
    held = np.argwhere(values > 0)
    behind, ahead = held[:, 0].min(), values.shape[0] - 1 - held[:, 0].max()
    assert ahead > 1.5 * behind


@pytest.mark.parametrize(("theta", "columns"), [(("c", "a"), 0), (("a", "c"), 1)])
def test_rows_of_a_window_begin_with_a_line_of_the_caches(theta, columns):
    """As c lies along the columns, wherever it is among the axes; no further than the lattice goes."""
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", theta), wgf.Data.quadrature(np.tanh, -1, 1, 10))
    problem = wgf.Problem(energy, wgf.Gaussian([0.5, 0.5], [0.3, 0.3]))
    stepper = wgf.FiniteVolume(spacing=0.125).bind(problem, 1.0)
    state, widths = stepper.start(), set()
    while state.time < 1.0:
        stepper.step(state, 1.0)
        widths |= {int(np.diff(state.window[columns]).item())}
        assert stepper.stepper.potential.columns in widths
    assert all(width % 8 == 0 for width in widths)
    narrow = wgf.FiniteVolume((37, 40), -2.0, 3.0) if columns == 0 else wgf.FiniteVolume((40, 37), -2.0, 3.0)
    assert np.diff(narrow.bind(problem, 1.0).start().window[columns]) == 37


@pytest.mark.parametrize(("shift", "kept"), [([4, 0], True), ([4, 1], False), ([0, -3], False)])
@pytest.mark.parametrize("averages", [False, True])
def test_a_potential_on_other_cells_is_that_of_these_cells(shift, kept, averages):
    """To the last bit, as a run that goes on binds them anew; where only c has moved, the features are taken as they are."""
    box = wgf.Grid([-2.0, -1.0], [2.0, 3.0], (32, 32), ("c", "a"))
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh"), wgf.Data.quadrature(np.tanh, -1, 1, 10), 0.1)
    ends = np.array([[3, 20], [5, 25]])
    first, other = (box.of_cells(each) for each in (ends, ends + np.array(shift)[:, None]))
    before = energy.on(first, 1e-12, averages)
    moved, fresh = before.moved_to(other), energy.on(other, 1e-12, averages)
    assert (moved.features is before.features) == kept
    values = fresh.arranged(wgf.Gaussian([0.2, 0.4], 0.5).cell_averages(other))
    sums = np.stack([values.sum(axis=1), values @ fresh.multiplier, values @ fresh.along])
    assert moved.update(values, sums) == fresh.update(values, sums)
    assert np.array_equal(moved.values(), fresh.values())
    assert np.array_equal(moved.prediction, fresh.prediction)


def test_without_a_box_the_cells_are_those_of_a_tight_one():
    """The same cells, the same steps, the same density, wherever there is mass: at most that is handed over elsewhere."""
    tanh = Tanh()
    endless = wgf.solve(tanh.problem, wgf.FiniteVolume(spacing=0.125), until=2.0, save=3)
    grid = endless.measures[-1].grid
    tight = wgf.solve(tanh.problem, wgf.FiniteVolume(grid.shape, grid.lower, grid.upper), until=2.0, save=3)
    assert len(endless.history["time"]) == len(tight.history["time"])
    assert endless.measures[-1].values == pytest.approx(tight.measures[-1].values, abs=1e-10)
    assert endless.prediction == pytest.approx(tight.prediction, abs=1e-10)
    assert endless.mass == pytest.approx(1, abs=1e-13)
    assert endless.largest_rise <= 0
    assert 0 < endless.attributes["handed_over"] < 1e-12


def test_a_window_in_a_box_stops_at_its_walls():
    """Mass that is driven against a wall stays there, as where all cells are moved."""
    box = ((26, 26), [-1.3, -1.3], [1.3, 1.3])
    runs = [wgf.solve(DRIFTING, wgf.FiniteVolume(*box, negligible=share, edge_tolerance=1), until=3.0, save=2) for share in (1e-14, 0.0)]
    ours, all_cells = (run.measures[-1] for run in runs)
    assert ours.grid.shape == (26, 26)
    assert ours.values == pytest.approx(all_cells.values, abs=1e-6 * all_cells.values.max())
    assert ours.values[-1].sum() > 0.9 * ours.values.sum()


def test_half_the_resolution_without_a_box():
    tanh = Tanh()
    by_spacing, by_cells = (method.coarser(tanh.problem, 1.0) for method in (wgf.FiniteVolume(spacing=0.1, dt=0.1), wgf.FiniteVolume(64)))
    assert by_spacing == wgf.FiniteVolume(spacing=0.2, dt=0.2)
    assert by_cells.cells == (32, 32)
    assert by_cells.grow
    grid = wgf.FiniteVolume(64).grid(tanh.problem, 1.0)
    assert (by_cells.lower, by_cells.upper) == (grid.lower, grid.upper)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cells": 8, "spacing": 0.1}, "give either cells (with a box, or without one) or spacing, the length of a cell"),
        ({"spacing": -0.1}, "spacing = -0.1: it must be a positive number"),
        ({"spacing": [0.1, np.nan]}, "spacing = nan: it must be a positive number"),
        ({"spacing": "wide"}, "spacing = 'wide'"),
        (
            {"spacing": 0.1, "lower": [0], "upper": [1]},
            "spacing is for a grid without end: leave out lower and upper, or give cells for the box",
        ),
        ({"spacing": 0.1, "boundary": "periodic"}, "spacing is for a grid without end, but boundary = 'periodic'"),
        ({"spacing": [0.1, 0.1, 0.1]}, "spacing has 3 entries for 2 axes"),
        ({"spacing": 1e-9}, "cells needs about"),
    ],
)
def test_what_makes_no_grid_is_refused(options, message):
    with pytest.raises(wgf.InputError, match=re.escape(message)):
        wgf.solve(Tanh().problem, wgf.FiniteVolume(**options), 1.0)


def test_a_problem_file_can_ask_for_a_spacing(tmp_path):
    """`--cells` comes before it; for methods that need a box it is refused."""
    from wgf.runs.task import read_task

    path = tmp_path / "problem.toml"
    spacing = "spacing = [0.1, 0.2]"
    path.write_text(FILE.format(domain=spacing, method='name = "finite-volume"'), encoding="utf-8")
    assert read_task(path).method == wgf.FiniteVolume(spacing=[0.1, 0.2])
    assert read_task(path, cells=(16,)).method == wgf.FiniteVolume(16)
    assert "cells of 0.1 × 0.2" in repr(read_task(path).method)
    for name, message in (("jko", "give JKO cells, lower and upper"), ("fipy", "give cells, lower and upper")):
        path.write_text(FILE.format(domain=spacing, method=f'name = "{name}"'), encoding="utf-8")
        with pytest.raises(wgf.InputError, match=f"spacing is for finite-volume.*{message}"):
            read_task(path)


@pytest.mark.parametrize("grow", [False, True])
@pytest.mark.parametrize("law", [wgf.Gaussian([0.0, 0.0], [0.1, 0.1]), wgf.Uniform([-1.0, -1.0], [1.0, 1.0]), wgf.Ball([0.0, 0.0], 1.0)])
def test_a_box_without_anything_of_the_law_is_refused(law, grow):
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), wgf.Data([[-0.5], [0.5]], [0.0, 1.0])), law)
    with pytest.raises(wgf.InputError, match=r"the box \[10, 12\] × \[10, 12\] holds only 0.00% of the initial law"):
        wgf.solve(problem, wgf.FiniteVolume(32, [10.0, 10.0], [12.0, 12.0], grow=grow), 0.1)
