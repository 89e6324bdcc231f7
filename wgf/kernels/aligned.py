"""Large arrays for kernels that begin at the beginning of a line of the caches.

Otherwise, as NumPy's own arrays may begin at any multiple of 16 bytes, half of all the loads and stores of a vector of 32 bytes touch two
lines: a stage of transport takes up to 1.5 times as long, the more so the more threads there are (64⁴ cells with limited slopes on two
threads of an EPYC processor: 8.0 ns a cell in place of 5.2).

Arrays of LARGE bytes and more lie in large pages, where the system has such: to touch a page of 4 KB for the first time takes as long as a
thousand sums (2.2 µs on a virtual machine, 4 ms for an array of 7 MB, which then is written in 0.2; 0.8 with large pages). NumPy asks for
them, too, but an array that does not begin with one has small ones at both ends.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

LINE = 64  # bytes
NUMBERS = LINE // 8  # of double precision in a line
LARGE, PAGE = 2**22, 2**21  # bytes: of an array, and of a large page


def zeros(shape: Sequence[int], kind: Any = float) -> np.ndarray:
    """Like numpy.zeros."""
    size = _size(shape, kind)
    return _within(np.zeros(size, np.uint8) if size < LARGE else _in_large_pages(size), shape, kind)


def empty(shape: Sequence[int], kind: Any = float) -> np.ndarray:
    """Like numpy.empty."""
    size = _size(shape, kind)
    return _within(np.empty(size, np.uint8) if size < LARGE else _in_large_pages(size), shape, kind)


def copied(values: Any, kind: Any = None) -> np.ndarray:
    """The values in an array of their own, in C order, of the kind that they have or of this one."""
    given = np.asarray(values, kind)
    result = empty(given.shape, given.dtype)
    result[...] = given
    return result


def _in_large_pages(size: int) -> np.ndarray:
    """So many bytes, which are zero."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.zeros(size, np.uint8)
    try:
        mapped = mmap.mmap(-1, size + PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        raise MemoryError(f"there is no memory for an array of {size:,} bytes") from None
    with suppress(OSError):  # a system that has been told not to have any
        mapped.madvise(mmap.MADV_HUGEPAGE)
    memory = np.frombuffer(mapped, np.uint8)
    start = -memory.ctypes.data % PAGE
    return memory[start : start + size]


def _size(shape: Sequence[int], kind: Any) -> int:
    """The bytes of an array, and as many more as it may have to be shifted by."""
    each: int = np.dtype(kind).itemsize
    return math.prod(shape) * each + LINE


def _within(memory: np.ndarray, shape: Sequence[int], kind: Any) -> np.ndarray:
    """An array of this shape and kind in the memory."""
    start = -memory.ctypes.data % LINE
    result: np.ndarray = memory[start : start + len(memory) - LINE].view(kind).reshape(shape)
    return result
