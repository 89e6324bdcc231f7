"""How kernels are compiled, in ways that are named for what they allow.

pointwise       inlined where it is called: the body of a loop
summing         the same, with sums that may change their order, which is what vectorises them
compiled_once   called by other kernels, from several places
serial          called from Python, and cached on disk
threaded        the same, with its outer loop over blocks in threads (numba.prange); threaded_sums may reorder the sums of a block,
                threaded_finite takes for granted that no NaN occurs

NaN and infinity keep their meaning in all others, and a division by zero gives infinity, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Truth = NDArray[np.bool_]
Kernel = TypeVar("Kernel", bound=Callable[..., Any])
CONTRACTED = frozenset({"contract"})  # a·b + c in one instruction
REORDERED = CONTRACTED | {"reassoc"}


def pointwise(kernel: Kernel) -> Kernel:
    """The body of a loop, inlined."""
    return _compiled(kernel, CONTRACTED, forceinline=True)


def summing(kernel: Kernel) -> Kernel:
    """The body of a loop with a sum, inlined."""
    return _compiled(kernel, REORDERED, forceinline=True)


def compiled_once(kernel: Kernel) -> Kernel:
    """A kernel that others call."""
    return _compiled(kernel, CONTRACTED)


def serial(kernel: Kernel) -> Kernel:
    """A kernel that Python calls."""
    return _compiled(kernel, cache=True)


def threaded(kernel: Kernel) -> Kernel:
    """A kernel that Python calls, with threads over its blocks."""
    return _compiled(kernel, cache=True, parallel=True)


def threaded_sums(kernel: Kernel) -> Kernel:
    """The same, with sums that may change their order inside a block."""
    return _compiled(kernel, REORDERED, cache=True, parallel=True)


def threaded_finite(kernel: Kernel) -> Kernel:
    """The same, where no NaN occurs."""
    return _compiled(kernel, CONTRACTED | {"nnan"}, cache=True, parallel=True)


def _compiled(kernel: Kernel, allowed: frozenset[str] = frozenset(), **options: bool) -> Kernel:
    return cast("Kernel", numba.njit(error_model="numpy", fastmath=set(allowed) or False, **options)(kernel))
