"""A study under MPI: rank 0 leads it, the others answer what it asks, until it is done.

Under `mpiexec -n P` all processes call the same study. On rank 0 it is done as in a single process, but that its tasks are answered by all
ranks (`pool`, parallel.py); the others do nothing else than answer them. What it returns, or why it fails, is then told to all, which go on
alike. Files and screens are those of rank 0.

Who waits, sleeps (`Ranks.by_first`): MPI's own waiting would keep a core busy that another rank may need.

An interruption of rank 0 ends all ranks at once: a task in another rank would have to be waited for.
"""

from __future__ import annotations

import contextlib
import functools
import pickle
import signal
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

from wgf.errors import RunError
from wgf.ranks.communicator import Ranks, alone, carried, current
from wgf.runs.signals import handled_by, restore

SIGNALLED = 128  # and the number of the signal: the exit status

Given = ParamSpec("Given")
Result = TypeVar("Result")
Outcome = tuple[Any, BaseException | None]  # what a study returned, or what it raised

_crew: Ranks | None = None  # of the study that this process leads


def led(study: Callable[Given, Result]) -> Callable[Given, Result]:
    """The study, led by rank 0 where several processes call it together; inside of another one that is led, and alone, as it is."""

    @functools.wraps(study)
    def shared(*arguments: Given.args, **options: Given.kwargs) -> Result:
        ranks = current()
        if ranks.size == 1:
            return study(*arguments, **options)
        with alone():
            result, error = _lead(ranks, lambda: study(*arguments, **options)) if ranks.first else _serve(ranks)
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    return shared


def crew_size() -> int:
    """How many ranks answer the tasks of the study that this process leads; 0 where it leads none."""
    return 0 if _crew is None else _crew.size


@contextlib.contextmanager
def pool(prepare: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[Any]:
    """An executor (concurrent.futures) of the other ranks, each of which has called prepare(*arguments). On rank 0."""
    from mpi4py.futures import MPICommExecutor

    assert _crew is not None
    _tell(_crew, None)
    with contextlib.ExitStack() as stack:
        others = stack.enter_context(MPICommExecutor(_crew.communicator, 0, initializer=prepare, initargs=arguments))
        assert others is not None
        try:
            yield others
        except KeyboardInterrupt:
            stack.pop_all()  # which waits for no task
            raise


def _lead(ranks: Ranks, study: Callable[[], Any]) -> Outcome:
    """On rank 0: the study, and what came of it to all."""
    global _crew
    _crew = ranks
    outcome: Outcome = None, None
    try:
        outcome = study(), None
    except KeyboardInterrupt as end:
        ranks.abort(SIGNALLED + getattr(end, "number", signal.SIGINT))
    except BaseException as error:
        outcome = None, error
    finally:
        _crew = None
    _tell(ranks, _portable(outcome))
    return outcome


def _serve(ranks: Ranks) -> Outcome:
    """On another rank: answer until rank 0 says what came of it. A signal that ends the program is for rank 0, which has had it, too."""
    from mpi4py.futures import MPICommExecutor

    before = handled_by(lambda number, frame: None)
    try:
        while (outcome := _tell(ranks, None)) is None:
            with MPICommExecutor(ranks.communicator, 0):
                pass
    finally:
        restore(before)
    return outcome  # type: ignore[no-any-return]


def _tell(ranks: Ranks, outcome: Outcome | None) -> Any:
    """What rank 0 says, on all: the outcome of the study, or None, which asks for answers."""
    return ranks.by_first(lambda: outcome)


def _portable(outcome: Outcome) -> Outcome:
    """The outcome as the other ranks can be told it."""
    result, error = outcome
    if error is not None:
        return None, carried(error)
    try:
        pickle.dumps(result)
    except Exception as reason:
        return None, RunError(f"what came of the study on rank 0 cannot be sent to the other ranks ({reason})")
    return outcome
