"""What ranks tell each other, under a real mpiexec; and a process alone, which needs no MPI."""

import subprocess
import sys

import numpy as np
import pytest
from launching import environment, launch, python_on_ranks

from wgf.errors import RunError
from wgf.ranks.communicator import ALONE, alone, current, world
from wgf.ranks.launched import Launched, launched


def test_alone_nothing_changes():
    assert current() is ALONE
    values = np.array([1.0, 2.0])
    ALONE.sum(values)
    assert values.tolist() == [1, 2]
    assert (ALONE.rank, ALONE.size, ALONE.first) == (0, 1, True)
    assert (ALONE.highest(2.0), ALONE.lowest(2.0), ALONE.any(True), ALONE.share("a"), ALONE.gather("a")) == (2, 2, True, "a", ["a"])


def test_alone_no_mpi_is_loaded():
    code = "import sys, wgf.ranks.communicator as c; c.current(); print('mpi4py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_sums_and_extremes_are_those_of_all_ranks_on_all_of_them(ranks):
    code = """
        import numpy as np
        from wgf.ranks.communicator import alone, current, ALONE
        ranks = current()
        mine = np.random.default_rng(ranks.rank).standard_normal((7, 3))
        total = mine.copy()
        ranks.sum(total)
        expected = sum(np.random.default_rng(rank).standard_normal((7, 3)) for rank in range(ranks.size))
        assert np.allclose(total, expected, rtol=0, atol=1e-14), (total, expected)
        assert len(set(ranks.gather(total.tobytes()))) == 1
        assert ranks.highest(float(ranks.rank)) == ranks.size - 1
        assert ranks.lowest(float(ranks.rank)) == 0
        assert ranks.any(ranks.rank == 1) and not ranks.any(False)
        assert ranks.share(f"of {ranks.rank}") == "of 0"
        assert ranks.gather(ranks.rank) == list(range(ranks.size))
        for bad in range(ranks.size):  # wherever it is
            value = np.nan if ranks.rank == bad else np.inf
            assert np.isnan(ranks.highest(value)) and np.isnan(ranks.lowest(value))
        assert ranks.highest(-np.inf) == -np.inf and ranks.lowest(np.inf) == np.inf
        with alone():
            assert current() is ALONE
        assert current() is ranks
        print(f"well {ranks.size}")
    """
    assert python_on_ranks(ranks, code) == f"well {ranks}\n" * ranks


def test_one_rank_is_alone():
    assert python_on_ranks(1, "from wgf.ranks.communicator import *; print(current() is ALONE)") == "True\n"


def test_an_exception_on_one_rank_ends_all():
    """The others wait in a sum that never comes."""
    code = "from wgf.ranks.communicator import *; ranks = current(); 1 / (ranks.rank - 1); ranks.any(True)"
    process = launch(3, "-c", code)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.count("ZeroDivisionError") == 1


def test_where_mpi4py_is_missing_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PMI_RANK", "1")
    monkeypatch.setenv("PMI_SIZE", "4")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    world.cache_clear()
    with pytest.raises(RunError, match=r"4 processes were started together.* pip install mpi4py mpich"):
        current()
    with alone():
        assert current() is ALONE


def test_the_mpiexec_of_another_mpi_is_recognised():
    """Each of its processes would be a world of its own, and write the same file."""
    code = "from wgf.ranks.communicator import current; current()"
    words = environment(OMPI_COMM_WORLD_RANK="0", OMPI_COMM_WORLD_SIZE="4")
    err = subprocess.run([sys.executable, "-c", code], env=words, capture_output=True, text=True).stderr
    assert "4 processes were started together, but the MPI of mpi4py (MPICH" in err
    assert "sees 1: start them by the mpiexec of the same MPI" in err


@pytest.mark.parametrize(
    "words",
    [
        {"PMI_RANK": "2", "PMI_SIZE": "5"},
        {"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "5"},
        {"MV2_COMM_WORLD_RANK": "2", "MV2_COMM_WORLD_SIZE": "5"},
        {"PMIX_RANK": "2", "SLURM_STEP_NUM_TASKS": "5"},
    ],
)
def test_launchers_are_known_by_what_they_say(words, monkeypatch):
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    assert launched() == Launched(2, 5)


def test_a_batch_script_without_srun_is_one_process(monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_NTASKS", "8")
    assert launched() == Launched(0, 1)


def test_workers_of_a_pool_are_alone():
    """They inherit the environment of the rank that began them."""
    code = """
        import concurrent.futures, multiprocessing
        from wgf.ranks.communicator import current
        def size(_):
            return current().size
        if __name__ == "__main__":
            ranks = current()
            with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
                print(f"{ranks.size} {list(pool.map(size, [0]))[0]}")
    """
    assert python_on_ranks(2, code) == "2 1\n" * 2
