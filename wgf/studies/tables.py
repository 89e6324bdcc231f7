"""Studies for other programs: Datasets of xarray, whose variables and dimensions are those of their files, and tables of pandas from them.

Each row of a table is one observation: a replicate at a time, a distance at a time, a network at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.registers import known
from wgf.studies.lazy.study import LazyStudy
from wgf.studies.pair import Pair
from wgf.studies.sweeps.comparison import Comparison
from wgf.studies.sweeps.over_steps import StepComparison, name_of
from wgf.studies.sweeps.rates import ESTIMATES

if TYPE_CHECKING:
    import pandas
    import xarray

UNITS = {"units": "1"}


def comparison_dataset(comparison: Comparison) -> xarray.Dataset:
    """distance_… (size, replicate, time), floor_… (size, pair, time), rate_… (time, estimate), prediction and limit_prediction."""
    cells, pairs = ("size", "replicate", "time"), ("size", "pair", "time")
    variables: dict[str, Any] = {f"distance_{name}": (cells, values, UNITS) for name, values in comparison.distance.items()}
    variables |= {f"floor_{name}": (pairs, values, UNITS) for name, values in comparison.floor.items()}
    variables |= {
        f"rate_{name}": (("time", "estimate"), np.column_stack([getattr(rate, each) for each in ESTIMATES]), UNITS)
        for name, rate in comparison.rates.items()
    }
    variables["prediction"] = ((*cells, "sample"), comparison.table.prediction, UNITS)
    variables["limit_prediction"] = (("time", "sample"), comparison.limit, UNITS)
    variables["input_weight"] = ("sample", comparison.weights, UNITS)
    variables |= {name: ("time", getattr(comparison, name), UNITS) for name in ("predicted", "resampling", "limiting_size")}
    coordinates = {"size": comparison.sizes, "replicate": np.arange(comparison.replicates), "time": comparison.times}
    return _dataset(variables, coordinates | {"estimate": list(ESTIMATES)}, comparison.attributes)


def comparison_dataframe(comparison: Comparison, of: str = "distances") -> pandas.DataFrame:
    """`distances` of each replicate from the limit, `floors`, the self-distances between two replicates, or `rates`, the fits."""
    import pandas

    prefix = {"distances": "distance_", "floors": "floor_", "rates": "rate_"}[known(of, ("distances", "floors", "rates"), "table")]
    dataset = comparison_dataset(comparison)
    if of != "rates":
        return _tidy(dataset, prefix)
    rates = {name: dataset[f"{prefix}{name}"].to_pandas() for name in comparison.rates}
    return pandas.concat(rates, names=["distance"]).rename_axis(columns=None).reset_index()


def pair_dataframe(pair: Pair) -> pandas.DataFrame:
    """time, distance (its name), value, and if_equal: what two equal laws would show."""
    import pandas

    parts = {
        name: pandas.DataFrame({"time": pair.times, "value": values, "if_equal": pair.floor[name]})
        for name, values in pair.distance.items()
    }
    return pandas.concat(parts, names=["distance", None]).reset_index("distance").reset_index(drop=True)


def lazy_dataset(study: LazyStudy) -> xarray.Dataset:
    """deviation, loss, displacement, alignment, kernel_change (scaling, size, replicate, time); relative_scale without time."""
    cell = ("scaling", "size", "replicate")
    variables: dict[str, Any] = {name: ((*cell, "time"), values, UNITS) for name, values in study.table.series.items()}
    variables["relative_scale"] = (cell, study.relative_scale, UNITS)
    variables["expected_distance"] = (("scaling", "size"), study.distance, UNITS)
    coordinates = {"exponent": ("scaling", study.exponents), "factor": ("scaling", study.factors), "size": study.sizes, "time": study.times}
    return _dataset(variables, coordinates | {"replicate": np.arange(study.replicates)}, study.attributes)


def lazy_dataframe(study: LazyStudy) -> pandas.DataFrame:
    """A row for each network at each time: exponent, factor, size, replicate, time, and what was seen of it."""
    dataset = lazy_dataset(study).drop_vars("expected_distance")
    frame: pandas.DataFrame = dataset.to_dataframe().reset_index().drop(columns="scaling")
    keys = ["exponent", "factor", "size", "replicate", "time", "relative_scale"]
    return frame[[*keys, *(name for name in frame.columns if name not in keys)]]


def steps_dataframe(found: StepComparison) -> pandas.DataFrame:
    """A row for each descent at each time: batch, step, replicate, time, distance."""
    variables = {"distance": (("batch", "step", "replicate", "time"), found.distance, UNITS)}
    coordinates = {"batch": list(map(name_of, found.batches)), "step": found.steps, "time": found.times}
    dataset = _dataset(variables, coordinates | {"replicate": np.arange(found.distance.shape[2])}, {})
    frame: pandas.DataFrame = dataset.to_dataframe().reset_index()
    return frame


def _dataset(variables: dict[str, Any], coordinates: dict[str, Any], attributes: dict[str, Any]) -> xarray.Dataset:
    import xarray

    return xarray.Dataset(variables, coordinates, attrs=dict(attributes))


def _tidy(dataset: xarray.Dataset, prefix: str) -> pandas.DataFrame:
    """The variables with this prefix, which have the same dimensions, as columns without it."""
    chosen = {str(name): str(name).removeprefix(prefix) for name in dataset.data_vars if str(name).startswith(prefix)}
    frame: pandas.DataFrame = dataset[list(chosen)].rename(chosen).to_dataframe().reset_index()
    return frame
