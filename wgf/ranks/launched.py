"""How many processes a launcher has started, as the environment says it, and which of them this one is: before MPI is loaded."""

from __future__ import annotations

import multiprocessing
import os
from typing import NamedTuple

# of MPICH, Intel MPI and srun --mpi=pmi2; Open MPI; MVAPICH; srun with PMIx
VARIABLES = (
    ("PMI_RANK", "PMI_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
    ("PMIX_RANK", "SLURM_STEP_NUM_TASKS"),
)


class Launched(NamedTuple):
    """One of `size` processes."""

    rank: int
    size: int


def launched() -> Launched:
    """What the launcher said to this process. The workers of a pool inherit its words, which do not mean them."""
    if multiprocessing.parent_process() is None:
        for rank, size in VARIABLES:
            if os.environ.get(rank, "").isdigit() and os.environ.get(size, "").isdigit():
                return Launched(int(os.environ[rank]), int(os.environ[size]))
    return Launched(0, 1)
