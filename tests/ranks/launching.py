"""Programs under a real mpiexec, that of the MPI which mpi4py has."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

MPIEXEC = str(Path(sys.executable).with_name("mpiexec"))
SECONDS = 300  # after which a program hangs
ROOT = Path(__file__).resolve().parents[2]


def environment(**changes):
    """Our environment with one thread a rank, wgf and the tests from this checkout, and lines that are written whole."""
    return {
        **os.environ,
        "NUMBA_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "PYTHONUNBUFFERED": "",
        **changes,
    }


def file_name(name):
    """The name of a case as that of its file."""
    return re.sub(r"\W+", "_", name)


def launch(ranks, *arguments, cwd=None, **changes):
    """`mpiexec -n ranks python arguments`, begun."""
    return subprocess.Popen(
        [MPIEXEC, "-n", str(ranks), sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def on_ranks(ranks, *arguments, cwd=None, **changes):
    """The same to its end: its output, if it ends well."""
    process = launch(ranks, *arguments, cwd=cwd, **changes)
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, err
    return out


def python_on_ranks(ranks, code, cwd=None):
    """The output of a piece of Python on each of so many ranks."""
    return on_ranks(ranks, "-c", textwrap.dedent(code), cwd=cwd)
