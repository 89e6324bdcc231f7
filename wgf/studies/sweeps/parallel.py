"""The same function for many tasks, in parallel processes of one thread each: new ones on this machine, or the ranks of MPI (crew.py), or
this process alone.

The results do not depend on the number of processes: there is one thread in each case, so that sums are taken in one order.

A new process first runs the script of the first one again, but for what is below `if __name__ == "__main__":`, to have its functions.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from typing import Any, TypeVar

from wgf.errors import InputError, RunError, whole_if_given
from wgf.studies.sweeps.crew import crew_size, pool

THREADS = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
KILLED = "a worker process was killed, perhaps for want of memory: use fewer workers, or smaller sizes"

Task = TypeVar("Task")
Answer = TypeVar("Answer")


@contextlib.contextmanager
def answering(function: Callable[[Task], Answer], tasks: Sequence[Task], workers: int) -> Iterator[Iterator[tuple[Task, Answer]]]:
    """Each task with function(task), in the order in which they are done; the processes work from the start of the context.

    `function` is sent to every process once. Raises InputError where it cannot be sent, RunError where a process was killed or could not
    begin.
    """
    with _one_thread():
        if len(tasks) < 2 or (workers == 1 and not crew_size()):
            yield ((task, function(task)) for task in tasks)
            return
        _require_portable(function)
        if crew_size():
            with pool(_keep, (function,)) as ranks:
                futures = {ranks.submit(_answer_in_one_thread, task): task for task in tasks}
                try:
                    yield _with_the_others(function, futures)
                finally:
                    for future in futures:
                        future.cancel()
            return
        others, spawning = set(multiprocessing.active_children()), multiprocessing.get_context("spawn")
        begun = spawning.Event()
        with ProcessPoolExecutor(min(workers, len(tasks)), spawning, _prepare, (function, begun)) as processes:
            try:
                with _deaf_children(), _one_thread_each():
                    futures = {processes.submit(_answer, task): task for task in tasks}
                yield ((futures[future], future.result()) for future in as_completed(futures))
            except BaseException as error:
                for child in set(multiprocessing.active_children()) - others:
                    child.terminate()
                processes.shutdown(cancel_futures=True)  # which waits until they have ended
                if isinstance(error, BrokenProcessPool):
                    raise RunError(KILLED if begun.is_set() else _why_none_began()) from None
                raise


def _with_the_others(function: Callable[[Task], Answer], futures: dict[Future[Answer], Task]) -> Iterator[tuple[Task, Answer]]:
    """The answers of the other ranks, and those of this one, which takes the last task that none of them has begun while it has nothing to
    hand on.
    """
    while futures:
        done = [future for future in futures if future.done()]
        for future in done:
            yield futures.pop(future), future.result()
        if done:
            continue
        if (own := next((future for future in reversed(futures) if future.cancel()), None)) is not None:
            task = futures.pop(own)
            yield task, function(task)
        else:
            wait(futures, return_when=FIRST_COMPLETED)


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes that are started inside do not hear Ctrl-C, not even before they have come to `_prepare`; this one hears it at the end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_first_process(workers: int | None) -> None:
    """End, without a message, a new process that runs a script again up to the call of this sweep: the first process says why (RunError).

    multiprocessing refuses to start processes from there, but only once they are started, after the limit was solved again in each.
    """
    whole_if_given(workers, "workers")
    if workers is not None and crew_size():
        raise InputError(f"workers = {workers}: under MPI the {crew_size()} ranks are the workers: leave it out (--workers)")
    if workers != 1 and getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)


def _why_none_began() -> str:
    """What kept the processes from beginning: a script that they would run from its first to its last line, or functions in no file."""
    if os.path.isfile(getattr(sys.modules["__main__"], "__file__", None) or ""):
        return (
            "no worker process could begin, as each of them first runs the script again: put what the script does below "
            'if __name__ == "__main__": and leave its functions above that line, or use workers=1'
        )
    return (
        "no worker process could begin, as functions typed at a prompt or in a notebook cannot be sent to them: "
        "put these into a module and import it, or use workers=1"
    )


def _require_portable(function: Any) -> None:
    """Refuse what cannot be sent to another process, before one is started."""
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"the problem cannot be sent to other processes ({error}): define its functions at the top of a module, or use workers=1"
        ) from None


_function: Callable[[Any], Any]


def _prepare(function: Callable[[Any], Any], begun: Event) -> None:
    """In a new process: say that it has begun, keep the function, leave Ctrl-C to the first process, and do not outlive it."""
    _keep(function)
    begun.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _keep(function: Callable[[Any], Any]) -> None:
    global _function
    _function = function


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(task: Any) -> Any:
    return _function(task)


def _answer_in_one_thread(task: Any) -> Any:
    """On another rank, which may have more of them."""
    with _one_thread():
        return _function(task)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """One thread in this process. Numba is set by a call, not by its variable: while that differs from the threads it has, it refuses
    to compile.
    """
    import numba
    from threadpoolctl import threadpool_limits

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        numba.set_num_threads(before)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """One thread in processes that are started inside."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
