"""How kernels are compiled, in ways that are named for what they allow.

pointwise       inlined where it is called: the body of a loop
summing         the same, with sums that may change their order, which is what vectorises them
compiled_once   called by other kernels, from several places
serial          called from Python, by several threads at a time if they like, and cached on disk, where there is a place for it;
                serial_sums may reorder sums
threaded        the same, with its outer loop over blocks in threads (numba.prange); threaded_sums may reorder the sums of a block,
                threaded_finite takes for granted that no NaN occurs

A loop with a sum writes nothing: where it does, and small arrays happen to lie side by side in memory, it is not vectorised, and then its
sum has another order, and other digits, in one run than in the next.

The first three allocate nothing, and do not count who refers to an array: each part of a row that they take would cost as much as a few
cells otherwise.

Where nothing can be written beside the package, nor in the home folder, nor in NUMBA_CACHE_DIR, kernels are compiled in every process: a
warning says so once.

NaN and infinity keep their meaning in all others, and a division by zero gives infinity, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from wgf.errors import warn

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Truth = NDArray[np.bool_]
Kernel = TypeVar("Kernel", bound=Callable[..., Any])
FEW = 2**15  # cells, to pass over which once takes less time than to wake another thread
CONTRACTED = frozenset({"contract"})  # a·b + c in one instruction
REORDERED = CONTRACTED | {"reassoc"}


def pointwise(kernel: Kernel) -> Kernel:
    """The body of a loop, inlined."""
    return _compiled(kernel, CONTRACTED, forceinline=True, _nrt=False)


def summing(kernel: Kernel) -> Kernel:
    """The body of a loop with a sum, inlined."""
    return _compiled(kernel, REORDERED, forceinline=True, _nrt=False)


def compiled_once(kernel: Kernel) -> Kernel:
    """A kernel that others call."""
    return _compiled(kernel, CONTRACTED, _nrt=False)


def serial(kernel: Kernel) -> Kernel:
    """A kernel that Python calls."""
    return _kept(kernel, nogil=True)


def serial_sums(kernel: Kernel) -> Kernel:
    """The same, with sums that may change their order."""
    return _kept(kernel, REORDERED, nogil=True)


def threaded(kernel: Kernel) -> Kernel:
    """A kernel that Python calls, with threads over its blocks."""
    return _kept(kernel, parallel=True)


def threaded_sums(kernel: Kernel) -> Kernel:
    """The same, with sums that may change their order inside a block."""
    return _kept(kernel, REORDERED, parallel=True)


def threaded_finite(kernel: Kernel) -> Kernel:
    """The same, where no NaN occurs."""
    return _kept(kernel, CONTRACTED | {"nnan"}, parallel=True)


def _kept(kernel: Kernel, allowed: frozenset[str] = frozenset(), **options: bool) -> Kernel:
    """The kernel, cached on disk if Numba finds a place for that."""
    try:
        kept = _compiled(kernel, allowed, cache=True, **options)
        _forget_outdated(cast("Any", kept).stats.cache_path)
        return kept
    except RuntimeError:  # raised for a cache without a place, and for nothing else before the kernel is called
        _say_that_nothing_is_kept()
        return _compiled(kernel, allowed, **options)


@lru_cache
def _forget_outdated(folder: str) -> None:
    """Take kernels out of their cache that are older than any of these files. Numba compares a kernel with its own file, but not with those
    of the others that it inlines: it would go on with them as they were.
    """
    newest = max(path.stat().st_mtime for path in Path(__file__).parent.glob("*.py"))
    for index in Path(folder).glob("*.nbi"):
        with suppress(OSError):  # another process was faster
            if index.stat().st_mtime < newest:
                index.unlink()


@lru_cache(maxsize=1)
def _say_that_nothing_is_kept() -> None:
    """The warning, once."""
    text = "compiled code cannot be kept, so that each start takes longer: set NUMBA_CACHE_DIR to a folder that can be written to"
    warn(text, RuntimeWarning)


def _compiled(kernel: Kernel, allowed: frozenset[str] = frozenset(), **options: bool) -> Kernel:
    return cast("Kernel", numba.njit(error_model="numpy", fastmath=set(allowed) or False, **options)(kernel))
