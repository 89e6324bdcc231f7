"""The processes that share a run, and what they tell each other: sums, extremes, objects.

Every call but those of `ALONE` is collective: all ranks make it, in the same order, or all wait for ever. What it returns is the same on
every rank to the last bit, which MPI demands of a reduction to all, so that a decision made of it is made by all alike.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.ranks.launched import launched

INSTALL = "pip install 'mean-field-networks[mpi]'"


class Ranks:
    """The processes of an MPI communicator, or this one alone (`communicator` is None), where every call does nothing.

    Attributes
    ----------
    communicator : mpi4py.MPI.Intracomm or None
        What further exchange goes through.
    rank, size : int
        Which of them this process is, from 0 on, and how many they are.
    """

    def __init__(self, communicator: Any = None) -> None:
        self.communicator = communicator
        self.rank: int = 0 if communicator is None else communicator.Get_rank()
        self.size: int = 1 if communicator is None else communicator.Get_size()

    @property
    def first(self) -> bool:
        """Whether this is the one that speaks for all: it writes to the terminal, and what is stored once."""
        return self.rank == 0

    def sum(self, array: np.ndarray) -> None:
        """array ← Σ_ranks array, element by element, in place; a contiguous array of the same shape and type on all."""
        if self.communicator is not None:
            from mpi4py import MPI

            self.communicator.Allreduce(MPI.IN_PLACE, array, op=MPI.SUM)

    def highest(self, value: float) -> float:
        """max_ranks value; NaN where it is NaN on any rank, which MPI's maximum does not promise."""
        if self.communicator is None:
            return value
        from mpi4py import MPI

        none = np.isnan(value)
        both = np.array([-np.inf if none else value, none], dtype=float)
        self.communicator.Allreduce(MPI.IN_PLACE, both, op=MPI.MAX)
        return float(np.nan if both[1] else both[0])

    def lowest(self, value: float) -> float:
        """min_ranks value; NaN where it is NaN on any rank."""
        return value if self.communicator is None else -self.highest(-value)

    def any(self, value: bool) -> bool:
        """Whether it is so on any rank."""
        return value if self.communicator is None else self.highest(float(value)) > 0

    def share(self, value: Any) -> Any:
        """The object of rank 0, on all."""
        return value if self.communicator is None else self.communicator.bcast(value, root=0)

    def gather(self, value: Any) -> list[Any]:
        """The objects of all ranks in their order, on all."""
        return [value] if self.communicator is None else list(self.communicator.allgather(value))


ALONE = Ranks()
_FORCED: ContextVar[Ranks | None] = ContextVar("ranks", default=None)


def current() -> Ranks:
    """The processes that a launcher such as mpiexec has started together; `ALONE` if it has started one, or inside of `alone`.

    Raises
    ------
    InputError
        Where mpi4py is missing, or was built for another MPI than that of the launcher.
    """
    return _FORCED.get() or (world() if launched().size > 1 else ALONE)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Inside, this process shares no run: `current` is `ALONE`. For many runs at a time, each of which is one process's."""
    token = _FORCED.set(ALONE)
    try:
        yield
    finally:
        _FORCED.reset(token)


@functools.cache
def world() -> Ranks:
    """All processes of the launcher, in a communicator of our own, in which no message of another library is met.

    From then on, an exception that nobody catches ends all of them: those that wait for this one would wait for ever.
    """
    size = launched().size
    try:
        from mpi4py import MPI
    except ImportError as error:
        cause = "is not installed" if isinstance(error, ModuleNotFoundError) else f"does not load ({error})"
        raise InputError(f"{size} processes were started together, which needs mpi4py, and that {cause}: {INSTALL}") from None
    if size != MPI.COMM_WORLD.Get_size():
        library = MPI.Get_library_version().splitlines()[0].strip("\0 ")
        raise InputError(
            f"{size} processes were started together, but the MPI of mpi4py ({library}) sees {MPI.COMM_WORLD.Get_size()}: "
            "start them by the mpiexec of the same MPI (`wgf doctor` names it)"
        )
    sys.excepthook = functools.partial(_end_all, sys.excepthook)
    return Ranks(MPI.COMM_WORLD.Dup())


def _end_all(show: Any, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """As `sys.excepthook`: show an exception as before, then end all ranks."""
    from mpi4py import MPI

    show(kind, error, traceback)
    sys.stdout.flush()
    sys.stderr.flush()
    MPI.COMM_WORLD.Abort(1)
