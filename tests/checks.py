"""Properties that hold for every method: of a run, of its file, and of a state between two steps."""

import copy
import pickle
from dataclasses import fields

import h5py
import numpy as np
import pytest
from hypothesis import strategies as st

import wgf
from wgf.runs.run import HISTORY

COPIES = {
    "copy": lambda state: state.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda state: pickle.loads(pickle.dumps(state)),
}


def on_random_grids(make, longest, **others):
    """make(shape=…, periodic=…, seed=…, **others) on one to four axes of up to `longest` cells, each closed or periodic."""
    return st.integers(1, 4).flatmap(
        lambda p: st.builds(
            make,
            shape=st.lists(st.integers(1, longest), min_size=p, max_size=p).map(tuple),
            periodic=st.lists(st.booleans(), min_size=p, max_size=p),
            seed=st.integers(0, 2**32 - 1),
            **others,
        )
    )


def keeps_mass(run, within=1e-10):
    assert run.history["mass"] == pytest.approx(1.0, abs=within)


def keeps_sign(run):
    assert run.history["minimum"].min() >= 0


def energy_falls(run):
    """At every step, beyond rounding."""
    energy = run.history["free_energy"]
    assert energy[-1] < energy[0]
    assert np.diff(energy).max() <= 1e-13 * np.abs(energy).max()


def lands_on(run, times):
    """Frames at these times, and steps that end there, to the last bit."""
    assert run.times.tolist() == times
    assert set(times) <= set(run.history["time"].tolist())
    assert (np.diff(run.history["time"]) > 0).all()
    assert run.history["dt"][1:] == pytest.approx(np.diff(run.history["time"]))


def tells_of_its_measures(run, problem, within=1e-9):
    """Loss, prediction and mass of each frame follow from its measure by their definitions, up to a relative difference."""
    for k, measure in enumerate(run.measures):
        assert problem.energy.loss(measure) == pytest.approx(run.loss[k], rel=within)
        assert measure.predict(problem.energy.data.inputs) == pytest.approx(run.prediction[k], rel=within, abs=1e-2 * within)
        assert measure.mass == pytest.approx(run.mass[k], abs=1e-12)


def same_run(run, other):
    """Frame by frame and step by step, bit for bit, and with measures that predict."""
    assert run.status == other.status == "complete"
    assert (run.method, repr(run)) == (other.method, repr(other))
    assert np.array_equal(run.times, other.times)
    assert np.array_equal(run.prediction, other.prediction)
    for name in HISTORY[1:]:
        assert np.array_equal(getattr(run, name), getattr(other, name), equal_nan=True)
    assert run.history.keys() == other.history.keys()
    for name, column in run.history.items():
        assert np.array_equal(column, other.history[name], equal_nan=True)
    x = np.linspace(-1, 1, 5)
    for ours, theirs in zip(run.measures, other.measures, strict=True):
        assert np.array_equal(ours.points, theirs.points)
        assert np.array_equal(ours.masses, theirs.masses)
        assert np.array_equal(ours.predict(x), theirs.predict(x))


def same_numbers(first, second):
    """All variables of two files, but for the checkpoints."""
    with h5py.File(first) as one, h5py.File(second) as other:
        names = []
        one.visit(names.append)
        for name in names:
            if isinstance(one[name], h5py.Dataset) and not name.startswith("checkpoint"):
                assert np.array_equal(one[name][...], other[name][...], equal_nan=one[name].dtype.kind == "f"), name


def same_state(state, other):
    """All fields, bit for bit."""
    assert type(state) is type(other)
    for item in fields(state):
        assert np.array_equal(getattr(state, item.name), getattr(other, item.name)), item.name


def is_one_line(thing):
    assert repr(thing).startswith(type(thing).__name__ + "(")
    assert repr(thing).endswith(")")
    assert "\n" not in repr(thing)
    assert "object at 0x" not in repr(thing)


def advanced(stepper, state, steps, stop):
    """The state after this many steps, which end before `stop`."""
    for _ in range(steps):
        stepper.step(state, stop)
    assert state.time < stop, "the steps of this case are too long for what is checked"
    return state


def loss_of(stepper, state, problem):
    """L of the measure that a frame of a copy shows, by its definition."""
    return problem.energy.loss(stepper.frame(state.copy()).measure)


class Given:
    """A law of the user's own, which hands out its own arrays, the same ones every time, to be read and nothing else: a Gaussian."""

    def __init__(self, mean, std):
        self.law = wgf.Gaussian(mean, std)
        self.dim, self.handed_out = self.law.dim, {}

    def _own(self, key, arrays):
        """These arrays when they are first asked for, with copies of them, and the same ones ever after."""
        return self.handed_out.setdefault(key, (arrays, [array.copy() for array in arrays]))[0]

    def unchanged(self):
        """Whether something was handed out, and all of it is as it was."""
        pairs = [pair for arrays, before in self.handed_out.values() for pair in zip(arrays, before, strict=True)]
        return bool(pairs) and all(np.array_equal(*pair) for pair in pairs)

    def pdf(self, theta):
        return self.law.pdf(theta)

    def cell_averages(self, grid):
        return self._own(grid.shape, [0.9 * self.law.cell_averages(grid)])[0]

    def sample(self, m, rng):
        return self._own(m, [self.law.sample(m, rng)])[0]

    def quadrature(self, nodes):
        return self._own(f"{nodes} nodes", self.law.quadrature(nodes))
