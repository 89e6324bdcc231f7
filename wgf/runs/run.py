"""What a solver returns: frames and history, in memory or in one HDF5 file."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError, OtherVersion, brief, instance, number
from wgf.measures.measure import Measure
from wgf.methods.base import SERIES, Diagnostics, options
from wgf.ranks.communicator import current
from wgf.registers import Shown, load
from wgf.runs.hdf5 import opened

SCHEMA_VERSION = 1
HISTORY = ("time", *SERIES)  # the columns of the history, besides dt
UNBALANCED, FEWEST_STEPS = 0.3, 10  # of the fall of E, where the trapezoidal rule has enough steps: right runs were seen to 0.2
TINY, SMALL, UNLIKE = 1e-6, 1e-2, 0.1  # of the size of E, twice, and of its change: where that is one of the errors of cells and steps

LIKELY = "a derivative that was given is wrong, or steps are too long: check it, or take shorter ones, and see what changes"


class Run(Shown):
    """What `solve` returns: frames at the save times, and a history of every step, in memory or from a file.

    Parameters
    ----------
    frames : dict of str to array (frames, …)
        the series at the save times, by the names of the properties below
    measures : sequence of Density, MeshDensity or Cloud
        μ at each save time
    history : dict of str to array (steps + 1,)
        time, dt, the same series and those that a method adds: each row is a state, dt (and, for JKO, transport, residual, iterations)
        belong to the step that led to it
    data : Data or None
        inputs, weights and targets of the problem; None for energies without data
    attributes : dict
        the root attributes of the file: status, method, kernel_rank, kernel_error, …
    problem : Problem, optional
        what was solved
    path : path, optional
        the file that it is kept in

    Notes
    -----
    Times, losses and energies are dimensionless, as all that the equation relates. Where data to test with were kept aside there are
    test_prediction (frames, n') and test_loss (frames,) as well; predict(x) is in the units of the data.
    """

    def __init__(
        self,
        frames: dict[str, np.ndarray],
        measures: Sequence[Measure],
        history: dict[str, np.ndarray],
        data: Any,
        attributes: dict[str, Any],
        problem: Any = None,
        path: Path | None = None,
    ) -> None:
        self._frames, self.measures, self.history = frames, measures, history
        self.data, self.attributes, self._problem, self.path = data, attributes, problem, path

    @property
    def problem(self) -> Any:
        """The wgf.Problem that was solved; raises InputError where its file does not hold all of it (`knows_problem`)."""
        if self._problem is None:
            raise InputError(not_held(self.path, self.attributes))
        return self._problem

    @property
    def knows_problem(self) -> bool:
        """Whether there is a `problem`."""
        return self._problem is not None

    @property
    def times(self) -> np.ndarray:
        """The save times, (frames,)."""
        return self._frames["time"]

    @property
    def prediction(self) -> np.ndarray:
        """φ_μ at the data, (frames, n)."""
        return self._frames["prediction"]

    @property
    def test_prediction(self) -> np.ndarray:
        """φ_μ at the data to test with, (frames, n'); raises InputError where there are none."""
        return self._tested("test_prediction")

    @property
    def test_loss(self) -> np.ndarray:
        """‖φ_μ − f*‖² on the data to test with, without the penalty, (frames,); raises InputError where there are none."""
        return self._tested("test_loss")

    @property
    def has_test(self) -> bool:
        """Whether data to test with were kept aside."""
        return self.data is not None and self.data.test is not None

    def _tested(self, name: str) -> np.ndarray:
        if not self.has_test:
            raise InputError("the run has no data to test with: split them before, data.split(0.2), or test = 0.2 in [data]")
        return self._frames[name]

    def predict(self, x: np.ndarray, frame: int = -1) -> np.ndarray:
        """φ_μ at a frame, (n,), for inputs x (n, d), or (n,) where d = 1: both in the units of the data, standardised or not."""
        if self.data is None:
            raise InputError("the run's energy has no data, and no network that predicts")
        result: np.ndarray = self.data.in_units(self.measures[frame].predict(self.data.in_network_units(x)))
        return result

    @property
    def loss(self) -> np.ndarray:
        """L[μ], (frames,)."""
        return self._frames["loss"]

    @property
    def free_energy(self) -> np.ndarray:
        """E = ½L[μ] + τ∫μ log μ (+ ∫U(μ)), (frames,); NaN for particles with noise, whose measure has no entropy."""
        return self._frames["free_energy"]

    @property
    def dissipation(self) -> np.ndarray:
        """∫|∇(G + τ log μ)|² dμ, (frames,); for particles ∫|∇G|² dμ."""
        return self._frames["dissipation"]

    @property
    def mass(self) -> np.ndarray:
        """∫ dμ, (frames,)."""
        return self._frames["mass"]

    @property
    def minimum(self) -> np.ndarray:
        """The smallest cell average or weight, (frames,)."""
        return self._frames["minimum"]

    @property
    def boundary_mass(self) -> np.ndarray:
        """The largest mass in an outermost layer of cells, (frames,)."""
        return self._frames["boundary_mass"]

    @property
    def status(self) -> str:
        """running, complete, interrupted or failed."""
        return str(self.attributes["status"])

    @property
    def method(self) -> str:
        """The method in one line."""
        return str(self.attributes["method_summary"])

    @property
    def options(self) -> dict[str, Any]:
        """The options of the method, by name."""
        result: dict[str, Any] = json.loads(str(self.attributes["method_options"]))
        return result

    @property
    def has_free_energy(self) -> bool:
        """Whether E is known, and more than ½L of a network."""
        return bool(np.isfinite(self.free_energy).all()) and (self.data is None or self.attributes["temperature"] > 0)

    @property
    def energy_scale(self) -> float:
        """What E is measured by, since E itself may vanish: the largest of |E| over the history, τ, and ½‖f*‖²; 1 where all are zero."""
        data, energy = self.data, self.history["free_energy"]
        target = 0.0 if data is None else 0.5 * data.norm(data.targets) ** 2
        return max(float(np.abs(energy).max(initial=0.0)), float(self.attributes["temperature"]), target) or 1.0

    @property
    def dissipated(self) -> np.ndarray:
        """∫₀ᵗ∫|∇(G + τ log μ)|² dμ dt at every step, by the trapezoidal rule."""
        time, rate = self.history["time"], self.history["dissipation"]
        return np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(time))])

    @property
    def dissipation_defect(self) -> float:
        """Largest defect of E(t) − E(0) = −∫₀ᵗ∫|∇(G + τ log μ)|² dμ dt over the history, relative to the whole change of E; 0 without one.

        It says something where E changed by more than its errors, not at rest (`stands_still`).
        """
        energy = self.history["free_energy"]
        if len(energy) < 2 or energy[0] == energy[-1]:
            return 0.0
        return float(np.abs(energy - energy[0] + self.dissipated).max() / abs(energy[0] - energy[-1]))

    @property
    def stands_still(self) -> bool:
        """Whether E changed by nothing that can be distinguished from its errors: the run began at rest, or has not left its start yet.

        So it is where E, and what it should have lost, changed by no more than TINY of `energy_scale`; or by no more than SMALL of it, and
        differ by more than UNLIKE of the change.
        """
        energy = self.history["free_energy"]
        if len(energy) < 2:
            return False
        change = max(float(np.abs(energy - energy[0]).max()), float(np.abs(self.dissipated).max())) / self.energy_scale
        return change <= TINY or (change <= SMALL and self.dissipation_defect > UNLIKE)

    @property
    def out_of_balance(self) -> bool:
        """Whether E of particles fell at quite another rate than its dissipation: a derivative is wrong, or steps are too long.

        The balance is that of the flow: not of gradient descent, nor of births and deaths, which are random.
        Schemes on cells need no derivatives, and have balances of their own.
        """
        from wgf.measures.measure import Cloud

        chosen = self.options
        follows = chosen.get("step") is chosen.get("birth_death") is None and len(self.history["time"]) > FEWEST_STEPS
        unbalanced = follows and self.dissipation_defect > UNBALANCED and not self.stands_still
        return unbalanced and issubclass(self.measure_kind, Cloud)

    @property
    def measure_kind(self) -> type[Measure]:
        """Density, MeshDensity or Cloud; that of a stored run is known without reading a measure."""
        kind: type[Measure] = getattr(self.measures, "kind", None) or type(self.measures[-1])
        return kind

    @property
    def largest_rise(self) -> float:
        """The largest rise of the free energy E in one step, relative to its size, `energy_scale`; ≤ 0 where it never rises."""
        energy = self.history["free_energy"]
        return float(np.diff(energy).max() / self.energy_scale) if len(energy) > 1 else 0.0

    def note(self, facts: dict[str, Any]) -> None:
        """Further attributes, here and in the run's file.

        Parameters
        ----------
        facts : dict of str to str or number
            by name
        """
        self.attributes.update(facts)
        if self.path is not None and current().first:
            with opened(self.path.resolve()) as file:
                file.attrs.update(facts)

    def to_xarray(self) -> Any:
        """An xarray.Dataset with the variables and dimensions of the file, and its attributes."""
        return load("wgf.runs.tables:run_dataset")(self)

    def to_dataframe(self, of: str = "frames") -> Any:
        """A pandas.DataFrame of `frames` (their diagnostics), `history` (every step), `measures` (cells or particles) or `predictions`."""
        return load("wgf.runs.tables:run_dataframe")(self, of)

    def plot(self, path: str | Path | None = None) -> Any:
        """The run in one figure: the measure at four times, the loss, and the fit.

        Parameters
        ----------
        path : str or path, optional
            a .png, .pdf or .svg file to write

        Returns
        -------
        matplotlib.figure.Figure
            the figure
        """
        return load("wgf.plots:draw")(self, path)

    def __repr__(self) -> str:
        name, values = ("E", self.free_energy) if self.has_free_energy else ("loss", self.loss)
        fall = f"{name} {values[0]:.4g} → {values[-1]:.4g}"
        return f"Run({self.method}: t = {self.times[0]:g} … {self.times[-1]:g}, {len(self.times)} frames, {fall}, {self.status})"


def not_held(path: Path | None, attributes: dict[str, Any]) -> str:
    """What a file could not keep of the problem of its run, and what to do."""
    missing = attributes.get("problem_missing") or "a problem that was built in Python"
    return f"{path} cannot hold {missing}: open it together with its problem, wgf.open_run(path, problem)"


def check_run(run: object, what: str = "run") -> None:
    """Raise an InputError for what is no run."""
    instance(run, Run, what, "a run, which wgf.solve and wgf.open_run return")


def check_version(path: Path, attributes: Any) -> None:
    """Raise OtherVersion where a file has a layout that came later; all earlier ones are read."""
    from wgf import __version__

    found = attributes.get("schema_version", SCHEMA_VERSION)
    if not number(found) <= SCHEMA_VERSION:
        raise OtherVersion(
            f"{path} has version {brief(_plain(found))} of the layout, written by wgf {brief(str(attributes.get('wgf_version', '?')))}; "
            f"wgf {__version__} reads versions up to {SCHEMA_VERSION}: open it with that wgf, or a later one"
        )


def run_attributes(problem: Any, method: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """What a run says of itself, in memory and as the root attributes of its file."""
    from wgf import __version__

    return {
        "title": problem.title,
        "problem": problem.source,
        "problem_summary": repr(problem),
        "method": type(method).__name__,
        "method_summary": repr(method),
        "method_options": json.dumps(plain_options(method)),
        "wgf_version": __version__,
        "schema_version": SCHEMA_VERSION,
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
        "seed": _plain(getattr(method, "seed", "")),
        "temperature": problem.noise,
        "growth": problem.growth,
        "kernel_rank": 0,
        "kernel_error": 0.0,
        **facts,
        "status": "running",
    }


def plain_options(method: Any) -> dict[str, Any]:
    """The options of a method as JSON knows them."""
    result: dict[str, Any] = json.loads(json.dumps(options(method), default=_plain))
    return result


def columns(found: Sequence[Diagnostics]) -> dict[str, np.ndarray]:
    """Diagnostics as columns: those of HISTORY, and what the method adds."""
    numbers = {name: np.array([getattr(each, name) for each in found]) for name in HISTORY}
    return numbers | {name: np.array([each.extra[name] for each in found]) for name in found[0].extra}


def history_columns(found: Sequence[Diagnostics], last: float | None = None) -> dict[str, np.ndarray]:
    """Those of states that followed one at time `last` (None: of the first ones) as columns, with dt, the step that led to each."""
    numbers = columns(found)
    return numbers | {"dt": np.diff(numbers["time"], prepend=numbers["time"][0] if last is None else last)}


def ending(error: BaseException | None) -> str:
    """The `status` of a run that ended with this error, or without one."""
    if error is None:
        return "complete"
    return "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, np.random.SeedSequence):
        return f"{value.entropy} {value.spawn_key}"
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return value if isinstance(value, int | float | str) else repr(value)
