"""The processes that share a run, and what they tell each other: sums, extremes, objects.

Every call but those of `ALONE` is collective: all ranks make it, in the same order, or all wait for ever. What it returns is the same on
every rank to the last bit, which MPI demands of a reduction to all, so that a decision made of it is made by all alike.
"""

from __future__ import annotations

import contextlib
import functools
import math
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from wgf.errors import RunError
from wgf.ranks.launched import launched
from wgf.ranks.threads import judge_threads

if TYPE_CHECKING:
    import numpy as np

INSTALL = "pip install mpi4py mpich"
NAP = 0.002  # seconds, in which a rank that waits for another one leaves it the processor
PATIENCE = 10.0  # seconds, in which the others have to fail, too, where one fails
Result = TypeVar("Result")


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
        self._leaving = None if communicator is None else communicator.Dup()  # where nothing else is waited for
        self.rank: int = 0 if communicator is None else communicator.Get_rank()
        self.size: int = 1 if communicator is None else communicator.Get_size()

    @property
    def first(self) -> bool:
        """Whether this is the one that speaks for all: it writes to the terminal, and what is stored once."""
        return self.rank == 0

    @functools.cached_property
    def here(self) -> int:
        """How many of them are on this machine, where they share its memory."""
        if self.communicator is None:
            return 1
        from mpi4py import MPI

        neighbours = self.communicator.Split_type(MPI.COMM_TYPE_SHARED)
        count: int = neighbours.Get_size()
        neighbours.Free()
        return count

    def sum(self, array: np.ndarray) -> None:
        """array ← Σ_ranks array, element by element, in place; a contiguous array of the same shape and type on all."""
        if self.communicator is not None:
            from mpi4py import MPI

            self.communicator.Allreduce(MPI.IN_PLACE, array, op=MPI.SUM)

    def highest(self, value: float) -> float:
        """max_ranks value; NaN where it is NaN on any rank, which MPI's maximum does not promise."""
        return self.highest_begun(value)()

    def highest_begun(self, value: float) -> Callable[[], float]:
        """The same as a function that waits for it: until it is called, other work may be done."""
        if self.communicator is None:
            return lambda: value
        import array

        from mpi4py import MPI

        none = math.isnan(value)
        both = array.array("d", [-math.inf if none else value, none])
        request = self.communicator.Iallreduce(MPI.IN_PLACE, both, op=MPI.MAX)

        def found() -> float:
            request.Wait()
            return math.nan if both[1] else both[0]

        return found

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

    def by_first(self, action: Callable[[], Result]) -> Result:
        """What the action returns on the first rank, on all; what it raises there is raised on all. The others sleep meanwhile."""
        if self.communicator is None:
            return action()
        found: Any = None
        error: BaseException | None = None
        if self.first:
            try:
                with alone():
                    found = action()
            except Exception as raised:
                error = raised
        self._met(math.inf, self.communicator)
        found, failed = self.share((None if error else found, None if error is None else carried(error)))
        if error is not None:
            raise error
        if failed is not None:
            raise failed
        result: Result = found
        return result

    def agreed(self, check: Callable[[], None]) -> None:
        """What the first of them raises whose check raises, on all; each makes its own."""
        error: BaseException | None = None
        try:
            check()
        except Exception as raised:
            error = raised
        if self.any(error is not None):
            raise next(each for each in self.gather(None if error is None else carried(error)) if each is not None)

    def leave_together(self) -> bool:
        """Where a rank has failed: whether all the others have, too, within PATIENCE; else they wait for it, and would for ever."""
        return self.communicator is None or self._met(PATIENCE, self._leaving)

    def abort(self, status: int) -> None:
        """End all ranks, wherever they are."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.communicator.Abort(status)

    def _met(self, seconds: float, communicator: Any) -> bool:
        """Whether all ranks come here within so many seconds."""
        request, last = communicator.Ibarrier(), time.monotonic() + seconds
        while not request.Test():
            if time.monotonic() > last:
                return False
            time.sleep(NAP)
        return True


def carried(error: BaseException) -> BaseException:
    """An exception that another process can read: itself, or its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RunError(f"{type(error).__name__}: {error}")
    return error


ALONE = Ranks()
_FORCED: ContextVar[Ranks | None] = ContextVar("ranks", default=None)


def current() -> Ranks:
    """The processes that a launcher such as mpiexec has started together; `ALONE` if it has started one, or inside of `alone`.

    Raises
    ------
    RunError
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
        raise RunError(f"{size} processes were started together, which needs mpi4py, and that {cause}: {INSTALL}") from None
    if size != MPI.COMM_WORLD.Get_size():
        library = MPI.Get_library_version().splitlines()[0].strip("\0 ")
        raise RunError(
            f"{size} processes were started together, but the MPI of mpi4py ({library}) sees {MPI.COMM_WORLD.Get_size()}: "
            "start them by the mpiexec of the same MPI (`wgf doctor` names it)"
        )
    judge_threads()
    ranks = Ranks(MPI.COMM_WORLD.Dup())
    sys.excepthook = functools.partial(_end_all, ranks, sys.excepthook)
    return ranks


def met() -> Ranks:
    """The processes of the launcher, if they have spoken to each other yet; `ALONE` if not: where one of them may end by itself."""
    return world() if world.cache_info().currsize else ALONE


def _end_all(ranks: Ranks, show: Any, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """As `sys.excepthook`: show an exception as before, then end all ranks."""
    show(kind, error, traceback)
    ranks.abort(1)
