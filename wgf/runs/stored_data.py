"""The data of a run in its file: those learned from, those tested with, and the units and names they came with.

/input (sample, dim), /input_weight, /target (sample)    as the network sees them, standardised where they are
/test_input (test_sample, dim), /test_weight, /test_target (test_sample)   in the same units
/input_name, /input_shift, /input_scale (dim); attributes name, shift and scale of /target
    where they are known: an input in its own unit is /input · scale + shift, a target or a prediction likewise
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from wgf.errors import InputError
from wgf.measures.measure import Measure
from wgf.networks.data import Data
from wgf.networks.standardisation import Standardisation
from wgf.runs.hdf5 import growing, scale, variable


def write_data(file: h5py.File, data: Data, times: h5py.Dataset) -> None:
    """Into a new file, with the predictions at the frames, none of which is there yet."""
    sample, dim = scale(file, "sample", np.arange(data.size)), scale(file, "dim", np.arange(data.dim))
    variable(file, "input", data.inputs, (sample, dim))
    variable(file, "input_weight", data.weights, (sample,))
    variable(file, "target", data.targets, (sample,))
    growing(file, "prediction", (data.size,), (times, sample))
    if data.input_names:
        variable(file, "input_name", np.array(data.input_names, dtype=h5py.string_dtype()), (dim,))
    if data.target_name:
        file["target"].attrs["name"] = data.target_name
    if units := data.standardisation:
        variable(file, "input_shift", units.input_shift, (dim,))
        variable(file, "input_scale", units.input_scale, (dim,))
        file["target"].attrs.update({"shift": units.target_shift, "scale": units.target_scale})
    if data.test is not None:
        held = scale(file, "test_sample", np.arange(data.test.size))
        variable(file, "test_input", data.test.inputs, (held, dim))
        variable(file, "test_weight", data.test.weights, (held,))
        variable(file, "test_target", data.test.targets, (held,))
        growing(file, "test_prediction", (data.test.size,), (times, held))
        growing(file, "test_loss", (), (times,))


def read_data(file: h5py.File) -> Data | None:
    """The data in a run's file; None where its energy has none."""
    if "input" not in file:
        return None
    names = tuple(file["input_name"].asstr()[:].tolist()) if "input_name" in file else ()
    target, units = file["target"], _units(file)
    name = str(target.attrs.get("name", ""))
    test = None
    if "test_input" in file:
        inputs, targets, weights = (file[f"test_{part}"][:] for part in ("input", "target", "weight"))
        test = Data(inputs, targets, weights, names, name, None, units)
    return Data(file["input"][:], target[:], file["input_weight"][:], names, name, test, units)


def tested(data: Data, measure: Measure) -> dict[str, Any]:
    """φ_μ at the inputs to test with, and the loss there, Σ_i w_i (φ_μ(x_i) − y_i)²; nothing where there are none."""
    return {} if data.test is None else tested_by(data, measure.predict(data.test.inputs))


def tested_by(data: Data, prediction: np.ndarray) -> dict[str, Any]:
    """The same of a prediction at the inputs to test with."""
    assert data.test is not None
    return {"test_prediction": prediction, "test_loss": data.test.norm(prediction - data.test.targets) ** 2}


def _units(file: h5py.File) -> Standardisation | None:
    if "input_shift" not in file:
        return None
    shift, size, ends = file["input_shift"][:], file["input_scale"][:], file["target"].attrs
    units = Standardisation(shift, size, float(ends["shift"]), float(ends["scale"]))
    numbers = np.array([*shift, *size, units.target_shift, units.target_scale])
    if shift.shape != size.shape or len(shift) != file["input"].shape[-1] or not np.isfinite(numbers).all():
        raise InputError("the file is damaged: the units of its data are not those of its inputs")
    return units
