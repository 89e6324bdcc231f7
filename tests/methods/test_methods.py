"""METHODS × what every method has to keep. A method to come is one more entry of CASES: without it, a test below fails."""

import dataclasses
import importlib
import pkgutil
import re
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from checks import (
    COPIES,
    Given,
    advanced,
    energy_falls,
    is_one_line,
    keeps_mass,
    keeps_sign,
    lands_on,
    loss_of,
    same_numbers,
    same_run,
    same_state,
    tells_of_its_measures,
)
from interrupting import Interrupting

import wgf
import wgf.methods
from wgf.methods import METHODS, method_class
from wgf.methods.base import Stepper
from wgf.methods.geometry.exchange import Exchange
from wgf.methods.grid_stepper import GridStepper
from wgf.methods.particles.cloud import CloudStepper
from wgf.methods.pushforward.forward import ForwardStepper
from wgf.runs.signals import Stopped, handled_by, restore, stop

pytestmark = pytest.mark.coarse
DATA = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, 20)
PLANE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), DATA, 0.1), wgf.Gaussian((0.2, 0.5), (0.4, 0.4)))
NOISY = dataclasses.replace(PLANE, temperature=0.1)
NARROW = wgf.Gaussian((0.2, 0.5), (0.2, 0.2))  # none of it lies beyond WALLS
BOUNDED = dataclasses.replace(PLANE, energy=wgf.RegressionEnergy(wgf.Neuron("cosine", ("a", "b")), DATA, 0.1))  # G is kept on all cells
LINE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("a",)), DATA, 0.1), wgf.Gaussian((0.5,), (0.4,)))
BOX = ((16, 14), (-3, -2.5), (3.5, 4))
FINE = ((28, 28), (-3, -2.5), (4, 4.5))
SMALL = ((8, 7), *BOX[1:])
TIGHT = dict(zip(("cells", "lower", "upper"), ((12, 12), (-1.2, -0.9), (1.6, 1.9)), strict=True))  # a box that has to grow at once
WALLS = {"lower": (-1.0, -1.0), "upper": (1.5, 1.5)}


@dataclasses.dataclass(frozen=True)
class Case:
    """A method and a problem.

    falls, loss   whether the free energy is known and falls, and whether steps tell the loss of all data
    changed       of the values of a state, others that it could have: half of a density, points moved away; None where they follow from a
                  path, and others are refused
    cells, mass   how far the loss told may be, relatively, from that of the measure shown, whose cells are averages of what is known
                  better, and the mass from one, where it is not enforced
    seam          how far the last loss may be from that of a run without a seam, relative to its fall: a draw is another one
    """

    method: object
    problem: wgf.Problem = PLANE
    falls: bool = True
    loss: bool = True
    changed: Callable | None = lambda averages: 0.5 * averages
    cells: float = 1e-9
    mass: float = 1e-10
    seam: float = 1e-3

    def stepper(self):
        return self.method.bind(self.problem, 2.0)

    def solved(self, **options):
        return wgf.solve(self.problem, self.method, **{"until": 0.4, "save": 3} | options)


def moved(points):
    """Away from where they were."""
    return points + 5.0


CASES = {
    "finite-volume": {
        "transport": Case(wgf.FiniteVolume(*BOX)),
        "transport, every cell": Case(wgf.FiniteVolume(*BOX, negligible=0.0)),
        "transport, no box": Case(wgf.FiniteVolume(spacing=0.2)),
        "transport, G on all cells": Case(wgf.FiniteVolume(*BOX, edge_tolerance=1), BOUNDED),
        "gibbs": Case(wgf.FiniteVolume(*BOX, diffusion="gibbs", edge_tolerance=1), NOISY),
        "split": Case(wgf.FiniteVolume(*BOX, diffusion="split", edge_tolerance=1), NOISY),
        "chosen along the run": Case(wgf.FiniteVolume(*BOX, edge_tolerance=1), NOISY),
        "growing": Case(wgf.FiniteVolume(**TIGHT, grow=True)),
        "growing, gibbs": Case(wgf.FiniteVolume(**TIGHT, grow=True, diffusion="gibbs"), NOISY),
        "growing, split": Case(wgf.FiniteVolume(**TIGHT, grow=True, diffusion="split"), NOISY),
    },
    "jko": {
        "scaling": Case(wgf.JKO(*BOX, dt=0.1, edge_tolerance=1), NOISY),
        "log": Case(wgf.JKO(*SMALL, dt=0.2, domain="log", edge_tolerance=1)),
        "second order": Case(wgf.JKO(*SMALL, dt=0.2, order=2, edge_tolerance=1)),
    },
    "quantile-jko": {"": Case(wgf.QuantileJKO(60, [-3], [4], dt=0.1), LINE, changed=moved)},
    "fipy": {
        "flow": Case(wgf.FiPyMesh(wgf.Box(*SMALL), edge_tolerance=1, dt=0.1)),
        "noise": Case(wgf.FiPyMesh(wgf.Box(*SMALL), convection="exponential", edge_tolerance=1, dt=0.1), NOISY),
    },
    "characteristics": {"": Case(wgf.Characteristics(nodes=6), changed=moved)},
    "pushforward": {
        "": Case(wgf.Pushforward(*FINE, nodes=12, tolerance=1e-5), changed=None, cells=1e-2, mass=1e-5),
    },
    "mirror-descent": {
        "kl": Case(wgf.MirrorDescent(*BOX)),
        "kl, noise": Case(wgf.MirrorDescent(*BOX), NOISY),
        "kl, G on all cells": Case(wgf.MirrorDescent(*BOX), BOUNDED),
        "euclidean": Case(wgf.MirrorDescent(**TIGHT, bregman="euclidean"), dataclasses.replace(PLANE, initial=NARROW)),
    },
    "wasserstein-fisher-rao": {
        "transport": Case(wgf.WassersteinFisherRao(*BOX)),
        "noise": Case(wgf.WassersteinFisherRao(*BOX, edge_tolerance=1), NOISY),
        "injection": Case(wgf.WassersteinFisherRao(*BOX, injection=wgf.Uniform((-2, -2), (2, 2)), edge_tolerance=1)),
    },
    "particles": {
        "flow": Case(wgf.Particles(20, seed=1), changed=moved),
        "flow, walls": Case(wgf.Particles(20, seed=1, **WALLS), dataclasses.replace(PLANE, initial=NARROW)),
        "descent": Case(wgf.Particles(20, seed=1, step=0.05), changed=moved),
        "noise": Case(wgf.Particles(20, seed=1, step=0.05), NOISY, falls=False, changed=moved),
        "noise, walls": Case(
            wgf.Particles(20, seed=1, step=0.05, scheme="euler-maruyama", **WALLS), dataclasses.replace(NOISY, initial=NARROW), falls=False
        ),
        "batches": Case(wgf.Particles(20, seed=1, step=0.05, batch=3), falls=False, loss=False, changed=moved),
        "births and deaths": Case(wgf.Particles(20, seed=1, birth_death=1.0), falls=False, changed=moved, seam=0.5),
        "births and deaths, descent": Case(wgf.Particles(20, seed=1, step=0.05, birth_death=1.0), falls=False, changed=moved),
        "births and deaths, walls": Case(
            wgf.Particles(20, seed=1, step=0.05, birth_death=1.0, injection=wgf.Uniform(*WALLS.values()), **WALLS),
            dataclasses.replace(PLANE, initial=NARROW),
            falls=False,
        ),
    },
}
ALL = {" ".join(filter(None, (name, variant))): case for name, variants in CASES.items() for variant, case in variants.items()}


@pytest.fixture(params=ALL.values(), ids=ALL.keys())
def case(request):
    return request.param


def test_every_method_has_a_case():
    assert CASES.keys() == METHODS.keys()
    for name, variants in CASES.items():
        assert {type(case.method) for case in variants.values()} == {method_class(name)}


def test_every_stepper_has_a_case():
    """Classes that can step, wherever they are under wgf/methods/, but for those that others are made of."""
    found = set()
    for module in pkgutil.walk_packages(wgf.methods.__path__, "wgf.methods."):
        names = vars(importlib.import_module(module.name)).values()
        found |= {each for each in names if isinstance(each, type) and {"start", "step", "frame"} <= set(dir(each))}
    bound = {type(case.stepper()) for case in ALL.values()}
    assert found - {Stepper, GridStepper, Exchange, CloudStepper, ForwardStepper} == bound


def test_methods_are_frozen_and_say_in_one_line_what_they_are(case):
    assert type(case.method).__dataclass_params__.frozen
    for thing in (case.method, case.problem, state := case.stepper().start()):
        is_one_line(thing)
    token = state.token
    repr(state)
    assert state.token is token


def test_mass_sign_and_energy(case):
    run = case.solved()
    keeps_mass(run, case.mass)
    keeps_sign(run)
    if case.falls:
        energy_falls(run)
    tells_of_its_measures(run, case.problem, case.cells)


def test_steps_land_on_save_times(case):
    lands_on(case.solved(save=[0.07, 0.3]), [0.0, 0.07, 0.3, 0.4])


def test_the_file_and_the_memory_hold_the_same_run(case, tmp_path):
    """And so it does when the file is opened later, with the problem, which was built in Python."""
    kept, stored = case.solved(), case.solved(store=tmp_path / "run.h5")
    opened = wgf.open_run(tmp_path / "run.h5", case.problem)
    for run in (stored, opened):
        same_run(run, kept)
        assert run.problem is case.problem


def test_a_run_goes_on_from_its_last_frame(case):
    """With the same measure, loss and cells; it ends where a run without a seam does, to the error of its steps, or the last bit."""
    first, whole = case.solved(until=0.2, save=2), case.solved(until=0.4, save=3)
    if isinstance(case.method, wgf.Pushforward):
        with pytest.raises(wgf.InputError, match="Pushforward follows densities from t = 0 on, and cannot go on from a frame"):
            wgf.solve(first, case.method, 0.4)
        return
    later = wgf.solve(first, case.method, 0.4, 2)
    assert later.times.tolist() == [0.2, 0.4]
    assert later.history["time"][0] == 0.2
    assert later.loss[0] == pytest.approx(first.loss[-1], rel=1e-13)
    assert np.array_equal(later.measures[0].points, first.measures[-1].points)
    assert later.measures[0].masses == pytest.approx(first.measures[-1].masses, rel=1e-13, abs=1e-13)
    assert later.method.split("(")[0] == first.method.split("(")[0]
    assert repr(later).split(": ")[1].startswith("t = 0.2 … 0.4, 2 frames")
    if getattr(case.method, "step", None):
        assert np.array_equal(later.measures[-1].points, whole.measures[-1].points)
    fallen = abs(whole.loss[0] - whole.loss[-1])
    assert abs(later.loss[-1] - whole.loss[-1]) <= case.seam * fallen


def test_the_callers_arrays_are_only_read(case):
    """Those of the data, and of a law that hands out its own arrays; what it hands out need not have mass one on a grid."""
    data, initial = case.problem.energy.data, case.problem.initial
    law = Given(initial.mean, initial.std)
    before = [array.copy() for array in (data.inputs, data.targets, data.weights)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wgf.BoundaryWarning)  # the law is cut
        stepper = case.method.bind(dataclasses.replace(case.problem, initial=law), 2.0)
        advanced(stepper, stepper.start(), 3, 2.0)
    assert law.unchanged()
    assert all(np.array_equal(*pair) for pair in zip(before, (data.inputs, data.targets, data.weights), strict=True))


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copied_state_goes_on_bit_for_bit(case, copied):
    """With its own stepper, after that has moved the other one, and with a new one that has seen nothing."""
    stepper = case.stepper()
    state = advanced(stepper, stepper.start(), 3, 2.0)
    first, second = copied(state), copied(state)
    same_state(first, state)
    advanced(stepper, state, 2, 2.0)
    same_state(advanced(stepper, first, 2, 2.0), state)
    same_state(advanced(case.stepper(), second, 2, 2.0), state)


def is_refused(case, stepper, state):
    """Values that the path of a state does not lead to, by steps and by frames."""
    for call in (lambda: stepper.step(state, 2.0), lambda: stepper.frame(state), lambda: case.stepper().frame(state.copy())):
        with pytest.raises(wgf.InputError, match="moved by hand: the density is that of their path, and none is known for others"):
            call()


def _in_place(case, stepper, state):
    array = state.values
    array[...] = (case.changed or moved)(array)


def _replaced(case, stepper, state):
    state.values = (case.changed or moved)(state.values)


def _after_a_frame(case, stepper, state):
    """Taken out, shown, and only then changed."""
    array = state.values
    stepper.frame(state)
    array[...] = (case.changed or moved)(array)


def _with_an_operator(case, stepper, state):
    state.values *= 0.5


def _back_in_time(case, stepper, state):
    state.time = 0.0


CHANGES = [_in_place, _replaced, _after_a_frame, _with_an_operator, _back_in_time]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_state_is_taken_as_it_is(case, change):
    """The step tells of the values as they are, and goes where one goes that has never seen others."""
    stepper = case.stepper()
    state = advanced(stepper, stepper.start(), 3, 2.0)
    change(case, stepper, state)
    if case.changed is None and change is not _back_in_time:
        is_refused(case, stepper, state)
        return
    other, expected = state.copy(), loss_of(case.stepper(), state, case.problem)
    before = state.copy()
    diagnostics = stepper.step(state, 2.0)
    assert diagnostics.time == before.time
    if case.loss:
        assert diagnostics.loss == pytest.approx(expected, rel=case.cells)
    assert stepper.frame(other).diagnostics.loss == pytest.approx(expected, rel=case.cells)
    case.stepper().step(other, 2.0)
    same_state(state, other)
    assert not np.array_equal(state.values, before.values)


def test_moved_points_stay_where_they_were_put(case):
    """Nor does the mass of a density come back that was taken out."""
    stepper = case.stepper()
    state = advanced(stepper, stepper.start(), 3, 2.0)
    if case.changed:
        _in_place(case, stepper, state)
    put = stepper.frame(state).measure
    stepper.step(state, state.time + 1e-3)
    moved = stepper.frame(state).measure
    assert moved.mass == pytest.approx(put.mass, abs=1e-12 if case.changed else case.mass)
    assert moved.mean == pytest.approx(put.mean, abs=1e-2)


def test_two_states_are_moved_in_turn_by_one_stepper(case):
    """Each goes on as if it were alone."""
    stepper = case.stepper()
    first = advanced(stepper, stepper.start(), 1, 2.0)
    second = advanced(stepper, first.copy(), 1, 2.0)
    alone = [advanced(case.stepper(), state.copy(), 3, 2.0) for state in (first, second)]
    for _ in range(3):
        stepper.step(first, 2.0)
        stepper.step(second, 2.0)
    same_state(first, alone[0])
    same_state(second, alone[1])


def test_to_look_at_a_state_changes_nothing(case):
    """Frames, and values that are read and left as they are."""
    seen, unseen = case.stepper(), case.stepper()
    state, other = seen.start(), unseen.start()
    for _ in range(4):
        seen.frame(state)
        state.values.sum()
        seen.step(state, 2.0)
        unseen.step(other, 2.0)
    same_state(state, other)


def test_no_step_writes_into_the_arrays_of_others(case):
    """Neither into those that a state was given, nor into those that it has handed out."""
    stepper = case.stepper()
    state = advanced(stepper, stepper.start(), 1, 2.0)
    given = state.values.copy()
    state.values = given
    kept = []
    for _ in range(3):
        kept += [(array := state.values, array.copy())]
        stepper.step(state, 2.0)
    for array, before in kept:
        assert np.array_equal(array, before)
    assert np.array_equal(given, kept[0][1])


def test_a_state_takes_a_copy_and_keeps_its_shape(case):
    state = case.stepper().start()
    made = type(state)(0.0, array := state.values)
    made.values[...] = 7.0
    assert not (array == 7.0).any()
    with pytest.raises(wgf.InputError, match=r"the values of a state have shape \(.*\), and cannot be replaced by some of shape \(3,\)"):
        state.values = np.zeros(3)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda value: wgf.FiniteVolume(8, dt=value), "dt"),
        (lambda value: wgf.FiniteVolume(8, courant=value), "courant"),
        (lambda value: wgf.FiniteVolume(8, edge_tolerance=value), "edge_tolerance"),
        (lambda value: wgf.JKO(8, dt=value), "dt"),
        (lambda value: wgf.JKO(8, epsilon=value), "epsilon"),
        (lambda value: wgf.QuantileJKO(8, dt=value), "dt"),
        (lambda value: wgf.FiPyMesh(wgf.Circle(8), dt=value), "dt"),
        (lambda value: wgf.Particles(8, step=value), "step"),
        (lambda value: wgf.Characteristics(rtol=value), "rtol"),
        (lambda value: wgf.Pushforward(8, tolerance=value), "tolerance"),
    ],
)
@pytest.mark.parametrize("value", [[0.1, 0.2], "0.1"])
def test_an_option_that_is_not_one_number_is_refused(make, name, value):
    with pytest.raises(wgf.InputError, match=re.escape(f"{name} = {value!r}")):
        make(value)


@pytest.mark.parametrize("after", [1, 2])
def test_a_run_that_was_ended_goes_on_bit_by_bit(case, after, tmp_path):
    """The file is, number by number, that of a run without an end between."""
    whole = case.solved(store=tmp_path / "whole.h5")
    before = handled_by(stop)
    try:
        with pytest.raises(Stopped):
            case.solved(store=tmp_path / "ended.h5", observers=[Interrupting(after)])
    finally:
        restore(before)
    assert wgf.open_run(tmp_path / "ended.h5", case.problem).status == "interrupted"
    resumed = case.solved(store=tmp_path / "ended.h5", resume=True)
    assert resumed.status == "complete"
    same_numbers(tmp_path / "whole.h5", tmp_path / "ended.h5")
    assert len(whole.times) == len(resumed.times)
