"""Two runs side by side: their distances at the times that both have, and what equality would look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError, as_path
from wgf.measures.distances.axes import shared_periods
from wgf.measures.distances.register import DISTANCES, distance, further, self_distance, transport_for
from wgf.networks.untrusted import attributes_of
from wgf.registers import Shown, load
from wgf.runs.frames import common_frames, same_data
from wgf.runs.hdf5 import begin, check_target, reading, scale, variable
from wgf.runs.observers.progress import bar
from wgf.runs.run import SCHEMA_VERSION, Run, check_run, check_version

DRAWS = 8  # for each self-distance


@dataclass(frozen=True, repr=False)
class Pair(Shown):
    """Distances between two runs.

    Attributes
    ----------
    times : array (T,)
        those that both have
    distance : dict of str to array (T,)
        by name
    floor : dict of str to array (T,)
        the root mean square that would be seen if the two measures were the same (`self_distance`); zero between densities on the same
        cells, NaN where it is not known
    attributes : dict
        first, second: the two methods; first_problem, second_problem, first_file, second_file
    """

    times: np.ndarray
    distance: dict[str, np.ndarray]
    floor: dict[str, np.ndarray]
    attributes: dict[str, Any]

    @property
    def of_one_problem(self) -> bool:
        """Whether the two runs are of the same problem, as far as it can be said in one line."""
        return bool(self.attributes.get("first_problem") == self.attributes.get("second_problem"))

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame of the distances at each time, each beside what equal laws would show."""
        return load("wgf.studies.tables:pair_dataframe")(self)

    def plot(self, path: str | Path | None = None) -> Any:
        """The distances against t; returns the matplotlib figure."""
        return load("wgf.plots:draw")(self, path)

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write /time, /distance/<name> and /floor/<name> (time) into a new HDF5 file; with `overwrite` in place of another."""
        check_target(path := as_path(path), overwrite=overwrite)
        with begin(path) as file:
            file.attrs.update({**self.attributes, "kind": "pair", "schema_version": SCHEMA_VERSION, "distances": " ".join(self.distance)})
            times = scale(file, "time", self.times)
            for name in self.distance:
                variable(file.require_group("distance"), name, self.distance[name], (times,))
                variable(file.require_group("floor"), name, self.floor[name], (times,))

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.3g}" for name, values in self.distance.items())
        return f"Pair({self.attributes['first']} and {self.attributes['second']}: at t = {self.times[-1]:g}, {last})"


def open_pair(path: str | Path) -> Pair:
    """The distances between two runs in an HDF5 file.

    Parameters
    ----------
    path : str or path
        the file

    Returns
    -------
    Pair
        as `compare_runs` has returned it

    Raises
    ------
    InputError
        for what is no such file
    """
    with reading(path := as_path(path)) as file:
        if file.attrs.get("kind") != "pair":
            raise InputError(f"{path} is an HDF5 file but not a comparison of two runs")
        check_version(path, file.attrs)
        names = str(file.attrs["distances"]).split()
        found, floor = ({name: file[group][name][:] for name in names} for group in ("distance", "floor"))
        return Pair(file["time"][:], found, floor, attributes_of(file))


def compare_runs(first: Run, second: Run, distances: Sequence[str] = (), progress: bool = False) -> Pair:
    """The distances between the measures of two runs at the times that both have.

    Parameters
    ----------
    first, second : Run
        from memory or from files
    distances : sequence of str
        further ones than function and loss, where both have the same data, and sliced_w2, or w2 where an axis wraps around
    progress : bool
        whether there is a bar, on a terminal or in a notebook

    Returns
    -------
    Pair
        the series

    Raises
    ------
    InputError
        for runs whose θ are others, or that have no time in common
    """
    for run in (first, second):
        check_run(run)
    others = further(distances)
    rows = common_frames(first, second)
    same = first.data is not None and same_data(first.data, second.data)
    transport = transport_for(shared_periods(first.measures[0], second.measures[0]))
    names = tuple(dict.fromkeys((*(("function", "loss") if same else ()), transport, *others)))
    for name in ("function", "loss"):
        if name in names and not same:
            raise InputError(f"the {name} distance is for runs on the same data, and these have not the same: leave it out")
    energy = next((run.problem.energy for run in (first, second) if run.knows_problem), None)
    found: dict[str, list[float]] = {name: [] for name in names}
    floor: dict[str, list[float]] = {name: [] for name in names}
    with bar(len(rows) * len(names) * (1 + DRAWS), "distances", wanted=progress) as measured:
        for i, j in rows:
            mu, nu = first.measures[i], second.measures[j]
            for name in names:
                if name == "function":
                    value = first.data.norm(first.prediction[i] - second.prediction[j])
                elif name == "loss":
                    value = abs(first.loss[i] - second.loss[j])
                else:
                    value = distance(name, mu, nu)
                found[name].append(float(value))
                measured.update()
                unknown = DISTANCES[name].of_energy and energy is None
                floor[name].append(np.nan if unknown else self_distance(name, mu, nu, energy, DRAWS))
                measured.update(DRAWS)
    attributes = {
        "title": str(first.attributes.get("title") or second.attributes.get("title") or ""),
        "first": first.method,
        "second": second.method,
        "first_problem": first.attributes["problem_summary"],
        "second_problem": second.attributes["problem_summary"],
        "first_file": str(first.path or ""),
        "second_file": str(second.path or ""),
    }
    apart, equal = ({name: np.array(values) for name, values in table.items()} for table in (found, floor))
    return Pair(first.times[[i for i, _ in rows]], apart, equal, attributes)
