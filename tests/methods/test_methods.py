"""METHODS × what every method has to keep, by its CASES (method_cases.py)."""

import dataclasses
import importlib
import pkgutil
import re
import warnings

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
from method_cases import ALL, CASES, moved

import wgf
import wgf.methods
from wgf.methods import METHODS, method_class
from wgf.methods.base import Stepper
from wgf.methods.finite_volume.shared_stepper import SharedStepper
from wgf.methods.geometry.exchange import Exchange
from wgf.methods.grid_stepper import GridStepper
from wgf.methods.particles.base import ParticleStepper
from wgf.methods.pushforward.forward import ForwardStepper
from wgf.runs.signals import Stopped, handled_by, restore, stop

pytestmark = pytest.mark.coarse


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
    assert found - {Stepper, GridStepper, SharedStepper, Exchange, ParticleStepper, ForwardStepper} == bound


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


@pytest.mark.parametrize("after", [1, pytest.param(2, marks=pytest.mark.long)])
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
