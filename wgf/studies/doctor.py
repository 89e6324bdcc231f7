"""What a report of a fault has to say of the machine, and a short run whose answer is known.

One datum x = f* = 1 for the neuron g(a; x) = ax, and the penalty |a|²: each neuron moves with −∇G(a; μ) = 1 − m − a, m = ∫a dμ, so that

    μ_t = N(m, s² e^{−2t}),      m = (1 − e^{−2t})/2      from μ₀ = N(0, s²).

On N and on 2N cells the errors e_N = ∫|μ_N − μ| da give the order log₂(e_N/e_2N); mass and sign are those of every step. Paths are shown
without the name of the user.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import h5py
import numba
import numpy as np
import psutil
import threadpoolctl
from scipy import special

from wgf.kernels.sums import fill_sums
from wgf.measures.laws import Gaussian
from wgf.methods.finite_volume.method import FiniteVolume
from wgf.networks.data import Data
from wgf.networks.neuron import Neuron
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.runs.run import Run
from wgf.runs.solve import solve

PACKAGES = ("numpy", "scipy", "numba", "h5py", "fipy", "matplotlib")
VARIABLES = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")  # which bound the threads
CELLS, WIDTH, END, BOX = 128, 0.5, 1.0, ([-4.0], [4.0])
LEAST_ORDER, LARGEST_ERROR = 4.0, 1e-3  # where 4.9 and 4e-4 are seen
ROUNDING = 1e-12  # of the mass
LONGEST = 70  # letters of a path
TOGETHER, LONG = 2, 30.0  # processes that are to meet, and seconds in which they do
LAUNCHERS = ("PMI", "OMPI_", "MV2_", "HYDRA", "MPI_LOCAL")  # beginnings of the variables by which processes of MPI know each other
MEETING = """
from mpi4py import MPI
words = MPI.Get_library_version().replace("Version:", " ").split()
if MPI.COMM_WORLD.rank == 0:
    print(MPI.COMM_WORLD.size, *words[:2], flush=True)
"""


@dataclass(frozen=True)
class SelfCheck:
    """What the short run has found.

    mass_error   the largest |∫dμ − 1| of all steps
    minimum      the smallest cell average of all steps
    error        ∫|μ_h − μ| da at the end, on the finer cells
    order        see the module's text
    seconds      the time it took, that of a compilation included
    """

    mass_error: float
    minimum: float
    error: float
    order: float
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all of them are as they should be."""
        return self.mass_error <= ROUNDING and self.minimum >= 0 and self.error <= LARGEST_ERROR and self.order >= LEAST_ORDER

    def __str__(self) -> str:
        return (
            f"{'passed' if self.passed else 'FAILED'}: mass {self.mass_error:.0e}, minimum {self.minimum:.0e}, error {self.error:.1e}, "
            f"order {self.order:.2f} ({self.seconds:.1f} s)"
        )


def self_check() -> SelfCheck:
    """The short run on N and on 2N cells."""
    begun = time.perf_counter()
    energy = RegressionEnergy(Neuron("identity", theta=("a",)), Data([1.0], [1.0]), penalty=1.0)
    problem = Problem(energy, Gaussian(0.0, WIDTH))
    runs = [solve(problem, FiniteVolume(cells, *BOX), END, 2) for cells in (CELLS, 2 * CELLS)]
    coarse, fine = (error_of(run) for run in runs)
    mass = max(float(np.abs(run.history["mass"] - 1).max()) for run in runs)
    minimum = min(float(run.history["minimum"].min()) for run in runs)
    return SelfCheck(mass, minimum, fine, float(np.log2(coarse / fine)), time.perf_counter() - begun)


def error_of(run: Run) -> float:
    """∫|μ_h − μ| da at the end: both as averages over the cells."""
    density: Any = run.measures[-1]
    mean, std = 0.5 * -np.expm1(-2 * END), WIDTH * np.exp(-END)
    exact = np.diff(special.ndtr((density.grid.edges[0] - mean) / std))
    return float(np.abs(density.masses - exact).sum())


def machine_facts() -> dict[str, str]:
    """Versions, threads, caches, free memory and disk, and the optional parts, each in a line."""
    from wgf import __version__

    return {
        "wgf": __version__,
        "Python": f"{platform.python_version()} ({platform.python_implementation()}), {platform.system()} {platform.machine()}",
        **{name: version(name) for name in PACKAGES},
        "HDF5": h5py.version.hdf5_version,
        "threads": f"{numba.get_num_threads()} of {os.cpu_count()} cores; Numba {threading_layer()}",
        **{name: os.environ[name] for name in VARIABLES if name in os.environ},
        "BLAS": blas(),
        "Numba cache": numba_cache(),
        "memory": "{:.1f} of {:.1f} GiB free".format(*(size / 2**30 for size in memory())),
        "disk": f"{shutil.disk_usage('.').free / 2**30:.1f} GiB free here, {writable(Path.cwd())}",
        "Gmsh": version("gmsh"),
        "ffmpeg": "found" if shutil.which("ffmpeg") else "none",
        "MPI": mpi(),
    }


def version(package: str) -> str:
    """That of an installed package, which is not imported for it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none" if importlib.util.find_spec(package) is None else "unknown"


def mpi() -> str:
    """mpi4py, the MPI that it has, and whether two processes of an mpiexec meet in it."""
    if (found := version("mpi4py")) == "none":
        return "none: one process runs a problem"
    program = mpiexec()
    command = [sys.executable, "-c", MEETING]
    words = _said([program, "-n", str(TOGETHER), *command] if program else command)
    if words is None:
        return f"mpi4py {found}; {'mpiexec FAILS' if program else 'its MPI is not found'}"
    size, _, library = words.partition(" ")
    works = "no mpiexec" if not program else "mpiexec works" if size == str(TOGETHER) else "mpiexec is ANOTHER MPI's"
    return f"mpi4py {found}, {library}, {works}"


def mpiexec() -> str | None:
    """That beside Python, or the one that the shell finds."""
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else shutil.which("mpiexec")


def _said(command: Sequence[str | None]) -> str | None:
    """The first line of what a program writes; None where it fails. It does not take itself for a process of ours."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    try:
        found = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True, timeout=LONG, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(found.stdout.splitlines()), None)


def threading_layer() -> str:
    """What runs Numba's threads, once it has run some."""
    try:
        return str(numba.threading_layer())
    except ValueError:
        return "has not used them"


def blas() -> str:
    """Each library of linear algebra with its version and threads."""
    libraries = [each for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"]
    found = {f"{each['internal_api']} {each['version']}, {each['num_threads']} threads" for each in libraries}
    return "; ".join(sorted(found)) or "none"


def numba_cache() -> str:
    """Where compiled code is kept, and whether it can be."""
    kernel: Any = fill_sums
    path = kernel.stats.cache_path
    return "none: each start compiles anew" if path is None else f"{shown_path(Path(path))}, {writable(Path(path))}"


def writable(folder: Path) -> str:
    """Whether files can be made in it, in words."""
    return "writable" if os.access(folder, os.W_OK) else "READ-ONLY"


def memory() -> tuple[float, float]:
    """Bytes that are free, and all."""
    found = psutil.virtual_memory()
    return float(found.available), float(found.total)


def shown_path(path: Path) -> str:
    """A path with ~ for the home folder, its beginning left out where it is long."""
    text = str(Path("~") / path.relative_to(Path.home())) if path.is_relative_to(Path.home()) else str(path)
    return text if len(text) <= LONGEST else f"…{text[-LONGEST:]}"
