"""Threads of ranks that share a machine: together as many as it has cores, where nothing else is asked for.

Libraries read how many threads they may have when they are loaded, from the environment; what is set there already stays. Under SLURM a
rank has the cores that were asked for it (--cpus-per-task); elsewhere the ranks of a machine share the cores that they may run on.
"""

from __future__ import annotations

import os
import re

from wgf.errors import warn
from wgf.ranks.launched import launched

NAMES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
BESIDE = (
    "MPI_LOCALNRANKS",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "MV2_COMM_WORLD_LOCAL_SIZE",
    "SLURM_STEP_TASKS_PER_NODE",
)  # ranks on this machine: of MPICH, Open MPI, MVAPICH; of each machine, such as 2(x3),1, of srun
CORES = "SLURM_CPUS_PER_TASK"


def share_cores() -> None:
    """Set the variables of the environment that are not set, where a launcher has started several processes."""
    if launched().size > 1:
        for name in NAMES:
            os.environ.setdefault(name, str(threads()))


def threads() -> int:
    """How many a rank has: what was asked for, or its share of the cores, at least one."""
    asked = next((value for name in (*NAMES, CORES) if (value := _number(name))), None)
    return asked or max(1, _cores() // ranks_here())


def ranks_here() -> int:
    """How many ranks are on this machine, as the launcher says; all of them where it does not."""
    for name in BESIDE:
        if found := re.findall(r"(\d+)(?:\(x\d+\))?", os.environ.get(name, "")):
            return max(map(int, found))
    return launched().size


def judge_threads() -> None:
    """Bound the threads of a linear algebra that was loaded before the environment was set; warn, on the first rank, where the ranks of
    this machine have more threads than it has cores.
    """
    from threadpoolctl import threadpool_limits

    count, ranks, cores = threads(), ranks_here(), os.cpu_count() or 1
    threadpool_limits(count, "blas")
    if launched().rank == 0 and ranks * count > cores:
        warn(
            f"{ranks} ranks on this machine with {count} threads each are more than its {cores} cores: they wait for each other; "
            f"{f'set NUMBA_NUM_THREADS={max(1, cores // ranks)}, or ' if count > 1 else ''}start fewer ranks"
        )


def _cores() -> int:
    """On which this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _number(name: str) -> int | None:
    """A positive number in the environment."""
    value = os.environ.get(name, "")
    return int(value) if value.isdigit() and int(value) > 0 else None
