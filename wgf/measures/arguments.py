"""What calls are given, looked at before it is used: arrays of real numbers, seeds, numbers of points."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.errors import InputError, given, whole


def generator(seed: Any) -> np.random.Generator:
    """numpy.random.default_rng(seed); raises an InputError for what is no seed."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise InputError(f"seed {given(seed)}: give a whole number ≥ 0, or whatever else numpy.random.default_rng takes") from None


def drawing(m: Any, seed: Any) -> np.random.Generator:
    """The generator from which m points are drawn; raises an InputError for what is no number of points, or no seed."""
    whole(m, "the number of points", least=0)
    return generator(seed)


def real_numbers(values: Any, what: str) -> np.ndarray:
    """`values`, arrays or lists of real numbers, as an array of floats: the same one where it is one; else an InputError about `what`."""
    refuse_masked(values, what)
    try:
        array = np.asarray(values)
        if array.dtype.kind in "biufO":
            return array.astype(float, copy=False)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{what} are not real numbers in rows of one length; give an array of them") from None
    raise InputError(f"{what} are of the type {array.dtype}; give real numbers")


def refuse_masked(values: Any, what: str) -> None:
    """Raise an InputError, which begins with `what`, for an array with masked entries, which would count as what is below the mask."""
    if np.ma.is_masked(values):
        masked = int(np.ma.getmaskarray(values).sum())
        raise InputError(f"{what} are masked in {masked:,} places; say what they are there: values.filled(…)")
