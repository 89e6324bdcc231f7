"""The same function for many tasks, in parallel processes of one thread each, or in this process.

The results do not depend on the number of processes: there is one thread in each case, so that sums are taken in one order.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from wgf.errors import InputError, RunError

THREADS = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

Task = TypeVar("Task")
Answer = TypeVar("Answer")


@contextlib.contextmanager
def answering(function: Callable[[Task], Answer], tasks: Sequence[Task], workers: int) -> Iterator[Iterator[tuple[Task, Answer]]]:
    """Each task with function(task), in the order in which they are done; the processes work from the start of the context.

    `function` is sent to every process once. Raises InputError where it cannot be sent, RunError where a process was killed.
    """
    with _one_thread():
        if workers == 1 or len(tasks) < 2:
            yield ((task, function(task)) for task in tasks)
            return
        _require_portable(function)
        others = set(multiprocessing.active_children())
        with ProcessPoolExecutor(min(workers, len(tasks)), multiprocessing.get_context("spawn"), _prepare, (function,)) as pool:
            try:
                futures = {pool.submit(_answer, task): task for task in tasks}
                yield ((futures[future], future.result()) for future in as_completed(futures))
            except BaseException as error:
                for child in set(multiprocessing.active_children()) - others:
                    child.terminate()
                pool.shutdown(cancel_futures=True)  # which waits until they have ended
                if isinstance(error, BrokenProcessPool):
                    raise RunError("a worker process was killed, perhaps for want of memory: use fewer workers, or smaller sizes") from None
                raise


def _require_portable(function: Any) -> None:
    """Refuse what cannot be sent to another process, before one is started."""
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"the problem cannot be sent to other processes ({error}): define its functions at the top of a module, or use workers=1"
        ) from None


_function: Callable[[Any], Any]


def _prepare(function: Callable[[Any], Any]) -> None:
    """In a new process: keep the function, leave Ctrl-C to the first process, and do not outlive it."""
    global _function
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(task: Any) -> Any:
    return _function(task)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """One thread in this process, and in processes that are started inside."""
    from threadpoolctl import threadpool_limits

    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        with threadpool_limits(1):
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
