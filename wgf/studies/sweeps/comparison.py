"""What a sweep found: distances of m neurons from the limit, their rates, and what limits them; in memory or in one HDF5 file.

Two errors add up in what is seen, E‖φ_m − φ_h‖² ≈ v/m + ‖φ_h − φ‖²: the fluctuation of m neurons, and the error of the computed limit,
which no m makes smaller. They are separated twice, by independent means:

discretisation   the error of the limit from a second, coarser solve (studies/theory/discretisation.py), which knows nothing of the neurons;
bias             ‖E φ_m − φ_h‖² from the replicates: with δ_r = φ_m^{(r)} − φ_h, the mean of ⟨δ_r, δ_s⟩ over r ≠ s is unbiased for it.

`limiting_size` is the m = v/‖φ_h − φ‖² at which the two are equal: from there on the grid, not the neurons, limits the distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError, as_path
from wgf.networks.untrusted import attributes_of
from wgf.registers import Shown, load
from wgf.runs.hdf5 import begin, check_target, reading, scale, variable
from wgf.runs.run import check_version
from wgf.studies.sweeps.rates import ESTIMATES, Rate
from wgf.studies.sweeps.resumable import OfTable, require_complete
from wgf.studies.sweeps.table import SweepTable


@dataclass(frozen=True, repr=False)
class Comparison(OfTable, Shown):
    """The sweep over the number of neurons; S sizes, R replicates, T times, n data.

    Attributes
    ----------
    table : SweepTable
        sizes, times, distance[name] (S, R, T), floor[name] (S, R // 2, T), prediction (S, R, T, n)
    rates : dict of str to Rate
        the fit for each distance
    limit : array (T, n)
        φ of the limit
    weights : array (n,)
        those of the data
    resampling : array (T,)
        ∫‖g‖² dμ_t − ‖φ_t‖², m·E‖φ_m − φ‖² of neurons drawn afresh from μ_t
    discretisation : dict of str to array (T,)
        estimated errors of the limit: function, loss
    attributes : dict
        what the limit's run says of itself
    """

    table: SweepTable
    rates: dict[str, Rate]
    limit: np.ndarray
    weights: np.ndarray
    resampling: np.ndarray
    discretisation: dict[str, np.ndarray]
    attributes: dict[str, Any]

    @property
    def distance(self) -> dict[str, np.ndarray]:
        """Between each replicate and the limit: name → (S, R, T)."""
        return self.table.distance

    @property
    def floor(self) -> dict[str, np.ndarray]:
        """The self-distance, between two independent replicates of the same size, by sampling alone: name → (S, R // 2, T)."""
        return self.table.floor

    @property
    def main(self) -> str:
        """The first distance: function where there is a network."""
        return next(iter(self.distance))

    @property
    def theory(self) -> float:
        """∫‖g‖² dμ_0 − ‖φ_0‖², which is m·E‖φ_m − φ‖² at t = 0."""
        return float(self.resampling[0])

    @property
    def predicted(self) -> np.ndarray:
        """Its limit for m → ∞ at each time, (T,), from theory/fluctuation.py; NaN where the neurons do not follow the gradient flow."""
        return self.rates[self.main].expected_constant

    def mean_square(self, name: str = "function") -> np.ndarray:
        """E d² over the replicates, (S, T)."""
        result: np.ndarray = np.mean(self.distance[name] ** 2, axis=1)
        return result

    def standard_error(self, name: str = "function") -> np.ndarray:
        """The standard error of `mean_square`, (S, T)."""
        squares = self.distance[name] ** 2
        result: np.ndarray = squares.std(axis=1, ddof=1) / np.sqrt(squares.shape[1])
        return result

    def mean_square_floor(self, name: str = "function") -> np.ndarray:
        """E d² of two independent replicates of the same size, (S, T)."""
        result: np.ndarray = np.mean(self.floor[name] ** 2, axis=1)
        return result

    def excess(self, name: str = "function") -> np.ndarray:
        """E d² less half that of the self-distance, (S, T): the distance without the sampling error.

        For function, mean and energy it is unbiased for the squared distance of the limit from the mean of the replicates, from pairs of
        replicates; `squared_bias` says the same of function with less scatter, from all of them. For transport it is the same idea as
        that of the Sinkhorn divergence.
        """
        return self.mean_square(name) - 0.5 * self.mean_square_floor(name)

    def squared_bias(self) -> tuple[np.ndarray, np.ndarray]:
        """‖E φ_m − φ_h‖² and its standard error (jackknife), each (S, T); unbiased, so that it may come out below zero."""
        difference = (self.table.prediction - self.limit) * np.sqrt(self.weights)
        total, count = difference.sum(axis=1), self.replicates
        own = np.sum(difference**2, axis=-1)

        def pairs(total: np.ndarray, own: np.ndarray, count: int) -> np.ndarray:
            result: np.ndarray = (np.sum(total**2, axis=-1) - own) / (count * (count - 1))
            return result

        estimate = pairs(total, own.sum(axis=1), count)
        if count < 3:
            return estimate, np.full(estimate.shape, np.nan)
        without = pairs(total[:, None] - difference, own.sum(axis=1)[:, None] - own, count - 1)
        return estimate, np.sqrt((count - 1) * without.var(axis=1))

    @property
    def limiting_size(self) -> np.ndarray:
        """The m from which on the error of the computed limit exceeds the fluctuation, v/‖φ_h − φ‖² at each time, (T,).

        v is the predicted constant or, where there is none, the measured one; NaN where the limit's error is not known.
        """
        error, rate = self.discretisation[self.main], self.rates[self.main]
        measured = self.mean_square(self.main)[0] * self.sizes[0]
        constant = np.where(np.isfinite(rate.expected_constant), rate.expected_constant, measured)
        result: np.ndarray = constant / np.maximum(error**2, np.finfo(float).tiny)
        return result

    def to_xarray(self) -> Any:
        """An xarray.Dataset with the variables and dimensions of the file, and its attributes."""
        return load("wgf.studies.tables:comparison_dataset")(self)

    def to_dataframe(self, of: str = "distances") -> Any:
        """A pandas.DataFrame of `distances` (size, replicate, time), `floors` (size, pair, time) or `rates` (distance, time)."""
        return load("wgf.studies.tables:comparison_dataframe")(self, of)

    def plot(self, path: str | Path | None = None) -> Any:
        """Distances against m with the fitted slopes; returns the matplotlib figure."""
        return load("wgf.plots:draw")(self, path)

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the comparison into a new HDF5 file (layout: docs/design.md); with `overwrite` in place of another."""
        check_target(path := as_path(path), overwrite=overwrite)
        with begin(path) as file:
            file.attrs.update({**self.attributes, "kind": "comparison", "theory": self.theory, "estimates": " ".join(ESTIMATES)})
            times, sample = self.table.write(file, self.limit)
            estimates = scale(file, "estimate", np.arange(len(ESTIMATES)))
            variable(file, "input_weight", self.weights, (sample,))
            variable(file, "resampling", self.resampling, (times,))
            variable(file, "predicted", self.predicted, (times,))
            variable(file, "limiting_size", self.limiting_size, (times,))
            for name, error in self.discretisation.items():
                variable(file.require_group("discretisation_error"), name, error, (times,))
            for name, rate in self.rates.items():
                values = np.column_stack([getattr(rate, estimate) for estimate in ESTIMATES])
                variable(file.require_group("rate"), name, values, (times, estimates))

    def __repr__(self) -> str:
        rate = self.rates[self.main]
        what = "‖φ_m − φ‖²" if self.main == "function" else f"{self.main}²"
        return (
            f"Comparison(m = {', '.join(map(str, self.sizes))}; {self.replicates} replicates; slope of E{what} at "
            f"t = {self.times[-1]:g}: {rate.slope[-1]:.3f} [{rate.lower[-1]:.3f}, {rate.upper[-1]:.3f}])"
        )


def open_comparison(path: str | Path) -> Comparison:
    """The comparison in an HDF5 file.

    Parameters
    ----------
    path : str or path
        the file

    Returns
    -------
    Comparison
        as `compare` has returned it

    Raises
    ------
    InputError
        for what is no such file
    """
    with reading(path := as_path(path)) as file:
        if file.attrs.get("kind") != "comparison":
            raise InputError(f"{path} is an HDF5 file but not a comparison of wgf")
        check_version(path, file.attrs)
        if "done" not in file:
            raise InputError(f"{path} was written by an earlier wgf, whose comparisons had less in them: make it again")
        require_complete(file, path, "comparison")
        rates = {name: Rate(*item[:].T) for name, item in file["rate"].items()}
        errors = {name: item[:] for name, item in file["discretisation_error"].items()}
        limit, weights, resampling = (file[name][:] for name in ("limit_prediction", "input_weight", "resampling"))
        return Comparison(SweepTable.read(file), rates, limit, weights, resampling, errors, attributes_of(file))
