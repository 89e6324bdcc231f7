"""Derivatives by differences, and whether those that users give are the derivatives of their functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from wgf.errors import InputError

Array = np.ndarray
WRONG = 1e-2  # of the largest derivative at the points: more is a mistake, and no rounding, not even in single precision
STEPS = (1e-3, 2e-3)  # of two differences, which agree where there is neither a kink nor a jump nor a singularity


def differences(function: Callable[[Array], Array], theta: Array, step: float = 1e-3) -> Array:
    """∇_θ of a function (…, p) → (…, k…), by five-point central differences of fourth order; (…, k…, p)."""
    theta = np.asarray(theta, dtype=float)
    columns = []
    for axis in range(theta.shape[-1]):
        shift = np.zeros(theta.shape[-1])
        shift[axis] = step
        with np.errstate(over="ignore", invalid="ignore"):  # where points have diverged to, which the method that moves them finds
            near = function(theta + shift) - function(theta - shift)
            far = function(theta + 2 * shift) - function(theta - 2 * shift)
        columns.append((8.0 * near - far) / (12.0 * step))
    return np.stack(columns, axis=-1)


def check_derivative(what: str, function: Callable[[Array], Array], found: Array, points: Array, names: Sequence[str] = ()) -> None:
    """Raise an InputError where `found` (N, k…, p) is not the derivative of a function (N, p) → (N, k…) at the points (N, p).

    `what` is what errors call it, `names` are those of the p coordinates. Where differences with two steps do not agree it is not known.
    """
    with np.errstate(all="ignore"):
        fine, coarse = (differences(function, points, step) for step in STEPS)
    if np.shape(found) != fine.shape:
        raise InputError(f"{what} has shape {np.shape(found)} at {len(points)} points; expected {fine.shape}")
    known = np.isfinite(fine) & np.isfinite(coarse)
    scale = WRONG * float(np.abs(fine[known]).max(initial=0.0))
    with np.errstate(invalid="ignore"):
        wrong = known & (np.abs(coarse - fine) <= scale) & ~(np.abs(found - fine) <= scale)
    if wrong.any():
        place = tuple(np.argwhere(wrong)[0])
        axis = f" in coordinate {names[place[-1]] if names else place[-1] + 1}" if points.shape[1] > 1 else ""
        at = ", ".join(f"{coordinate:.4g}" for coordinate in points[place[0]])
        raise InputError(
            f"{what} is {found[place]:.4g}{axis} at ({at}), but differences of the function give {fine[place]:.4g} there: "
            "correct it, or the function"
        )
