"""A run for other programs: a Dataset of xarray, whose variables and dimensions are those of the run's file, and tables of pandas.

All numbers are dimensionless (units "1"), as θ, x and t are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.measures.measure import Cloud, Density
from wgf.registers import known
from wgf.runs.run import HISTORY, Run

if TYPE_CHECKING:
    import pandas
    import xarray

LONG_NAMES = {
    "time": "time t of the flow",
    "density": "density of the law of θ, average over a cell",
    "position": "position of a particle",
    "weight": "weight of a particle",
    "mean": "mean of θ",
    "input": "input x",
    "input_weight": "weight of a sample",
    "target": "target f*(x)",
    "prediction": "output φ(x) of the network",
    "loss": "loss L[μ]",
    "free_energy": "free energy E[μ]",
    "dissipation": "dissipation, the rate at which E falls",
    "mass": "mass ∫ dμ",
    "minimum": "smallest cell average, or weight",
    "boundary_mass": "largest mass in an outermost layer of cells",
    "dt": "step that led to a state",
}
Variable = tuple[Any, ...]  # dimensions, values, and attributes


def run_dataset(run: Run) -> xarray.Dataset:
    """The run as a Dataset.

    density (time, axes…) with the centres of the cells as coordinates, or (time, cell) with the mesh, or position (time, particle,
    coordinate) and weight (particle); the diagnostics (time); input, target, input_weight, prediction; history_… (step).
    """
    import xarray

    measures = list(run.measures)
    last = measures[-1]
    variables = (
        _of_particles(measures) if isinstance(last, Cloud) else _of_grid(measures) if isinstance(last, Density) else _of_mesh(measures)
    )
    variables["mean"] = (("time", "coordinate"), np.array([measure.mean for measure in measures]))
    variables["coordinate"] = ("coordinate", list(_names(run)))
    variables |= {name: ("time", getattr(run, "times" if name == "time" else name)) for name in HISTORY}
    variables |= {f"history_{name}": ("step", values) for name, values in run.history.items()}
    if run.data is not None:
        data = {"input": run.data.inputs, "target": run.data.targets, "input_weight": run.data.weights}
        variables |= {name: (("sample", "dim")[: values.ndim], values) for name, values in data.items()}
        variables["prediction"] = (("time", "sample"), run.prediction)
    described = {name: _described(name, *variable) for name, variable in variables.items()}
    coordinates = {name: variable for name, variable in described.items() if name in COORDINATES or variable[0] == (name,)}
    rest = {name: variable for name, variable in described.items() if name not in coordinates}
    return xarray.Dataset(
        rest, coordinates, attrs={name: int(value) if isinstance(value, bool) else value for name, value in run.attributes.items()}
    )


COORDINATES = ("time", "coordinate", "centre", "volume")


def _described(name: str, dims: str | tuple[str, ...], values: Any, attributes: dict[str, Any] | None = None) -> Variable:
    """With what it is, and its units."""
    described = {"long_name": LONG_NAMES[name.removeprefix("history_")]} if name.removeprefix("history_") in LONG_NAMES else {}
    units = {} if name == "coordinate" else {"units": "1"}
    return (dims,) if isinstance(dims, str) else dims, values, described | units | (attributes or {})


def _names(run: Run) -> tuple[str, ...]:
    """The names of the axes of θ."""
    last: Any = run.measures[-1]
    if not isinstance(last, Cloud):
        return tuple(last.names)
    p = last.positions.shape[1]
    named = run.problem if run.knows_problem else last.neuron
    return tuple(named.axis_names(p)) if hasattr(named, "axis_names") else tuple(f"theta{k + 1}" for k in range(p))


def _of_grid(measures: list[Any]) -> dict[str, Variable]:
    """Earlier frames of a grid without an end are zero outside their box."""
    grid = measures[-1].grid
    values = np.zeros((len(measures), *grid.shape))
    for k, measure in enumerate(measures):
        values[(k, *measure.grid.place_in(grid))] = measure.values
    averages = {"averages": int(measures[-1].averages)}  # netCDF has no truth values
    axes = {
        name: (name, centres, {"long_name": f"{name}, at the centres of the cells", "boundary": boundary})
        for name, centres, boundary in zip(grid.names, grid.centers, grid.boundary, strict=True)
    }
    return {"density": (("time", *grid.names), values, averages), **axes}


def _of_mesh(measures: list[Any]) -> dict[str, Variable]:
    mesh = measures[-1].mesh
    place = {"long_name": "centre of a cell"}
    return {
        "density": (("time", "cell"), np.array([measure.values for measure in measures])),
        "centre": (("cell", "coordinate"), mesh.centers, place),
        "volume": ("cell", mesh.volumes, {"long_name": "volume of a cell"}),
    }


def _of_particles(measures: list[Any]) -> dict[str, Variable]:
    positions = np.array([measure.positions for measure in measures])
    return {"position": (("time", "particle", "coordinate"), positions), "weight": ("particle", measures[-1].weights)}


def run_dataframe(run: Run, of: str = "frames") -> pandas.DataFrame:
    """A table of the run: `frames`, `history`, `measures` or `predictions`, one observation a row."""
    result: pandas.DataFrame = TABLES[known(of, TABLES, "table of a run")](run)
    return result


def _frames(run: Run) -> Any:
    import pandas

    return pandas.DataFrame({name: getattr(run, "times" if name == "time" else name) for name in HISTORY})


def _history(run: Run) -> Any:
    import pandas

    columns = ["time", "dt", *(name for name in run.history if name not in ("time", "dt"))]
    return pandas.DataFrame({name: run.history[name] for name in columns}).rename_axis("step").reset_index()


def _measures(run: Run) -> Any:
    """A row for each cell, or particle, of each frame: its place, and its density and mass, or its weight."""
    import pandas

    parts, names = [], _names(run)
    measure: Any
    for time, measure in zip(run.times, run.measures, strict=True):
        particles = isinstance(measure, Cloud)
        points = measure.positions if particles else measure.points
        columns = {"time": time, "particle" if particles else "cell": np.arange(len(points)), **dict(zip(names, points.T, strict=True))}
        columns |= {"weight": measure.weights} if particles else {"density": measure.values.ravel(), "mass": measure.masses}
        parts.append(pandas.DataFrame(columns))
    return pandas.concat(parts, ignore_index=True)


def _predictions(run: Run) -> Any:
    """A row for each sample at each time; no rows without data."""
    import pandas

    if run.data is None:
        return pandas.DataFrame(columns=["time", "sample", "weight", "target", "prediction"])
    data, frames = run.data, len(run.times)
    inputs = {"x" if data.dim == 1 else f"x{k + 1}": np.tile(column, frames) for k, column in enumerate(data.inputs.T)}
    places = {"time": np.repeat(run.times, data.size), "sample": np.tile(np.arange(data.size), frames)}
    results = {"weight": np.tile(data.weights, frames), "target": np.tile(data.targets, frames), "prediction": run.prediction.ravel()}
    return pandas.DataFrame(places | inputs | results)


TABLES: dict[str, Callable[[Run], Any]] = {"frames": _frames, "history": _history, "measures": _measures, "predictions": _predictions}
