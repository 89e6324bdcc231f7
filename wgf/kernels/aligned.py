"""Large arrays for kernels that begin at the beginning of a line of the caches.

Otherwise, as NumPy's own arrays may begin at any multiple of 16 bytes, half of all the loads and stores of a vector of 32 bytes touch two
lines: a stage of transport takes up to 1.5 times as long, the more so the more threads there are (64⁴ cells with limited slopes on two
threads of an EPYC processor: 8.0 ns a cell in place of 5.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

LINE = 64  # bytes
NUMBERS = LINE // 8  # of double precision in a line


def zeros(shape: Sequence[int], kind: Any = float) -> np.ndarray:
    """Like numpy.zeros."""
    return _within(np.zeros(_size(shape, kind), np.uint8), shape, kind)


def empty(shape: Sequence[int], kind: Any = float) -> np.ndarray:
    """Like numpy.empty."""
    return _within(np.empty(_size(shape, kind), np.uint8), shape, kind)


def copied(values: Any, kind: Any = None) -> np.ndarray:
    """The values in an array of their own, in C order, of the kind that they have or of this one."""
    given = np.asarray(values, kind)
    result = empty(given.shape, given.dtype)
    result[...] = given
    return result


def _size(shape: Sequence[int], kind: Any) -> int:
    """The bytes of an array, and as many more as it may have to be shifted by."""
    each: int = np.dtype(kind).itemsize
    return math.prod(shape) * each + LINE


def _within(memory: np.ndarray, shape: Sequence[int], kind: Any) -> np.ndarray:
    """An array of this shape and kind in the memory."""
    start = -memory.ctypes.data % LINE
    result: np.ndarray = memory[start : start + len(memory) - LINE].view(kind).reshape(shape)
    return result
