"""How many threads ranks have: what was asked for, else their share of the cores; and a word where these are too many."""

import ast
import os

import pytest

from tests.ranks.launching import python_on_ranks
from wgf.ranks import threads as module
from wgf.ranks.threads import BESIDE, CORES, NAMES, judge_threads, ranks_here, share_cores, threads

SEEN = """
    import os, warnings
    for name in NAMES:
        os.environ.pop(name, None)
    import numpy  # first, as scripts have it
    import wgf
    from wgf.ranks.communicator import current
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ranks = current()
    import numba
    from threadpoolctl import threadpool_info
    algebra = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}
    lines = ranks.gather((numba.get_num_threads(), sorted(algebra), [str(one.message) for one in said]))
    if ranks.first:
        print(lines)
"""


@pytest.fixture
def machine(monkeypatch):
    """Eight cores, four ranks, and nothing in the environment."""
    for name in (*NAMES, *BESIDE, CORES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "4")
    monkeypatch.setattr(module, "_cores", lambda: 8)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    return monkeypatch


def test_ranks_share_the_cores(machine):
    assert (ranks_here(), threads()) == (4, 2)
    share_cores()
    assert {os.environ[name] for name in NAMES} == {"2"}
    for name in NAMES:
        machine.delenv(name)
    machine.setenv("PMI_SIZE", "12")
    assert threads() == 1
    machine.setenv("MPI_LOCALNRANKS", "2")
    assert (ranks_here(), threads()) == (2, 4)


@pytest.mark.parametrize(("told", "ranks"), [("2(x3),1", 2), ("1,4(x2)", 4), ("3", 3)])
def test_srun_says_how_many_are_on_each_machine(machine, told, ranks):
    machine.setenv("SLURM_STEP_TASKS_PER_NODE", told)
    assert ranks_here() == ranks


def test_what_is_asked_for_stays(machine):
    machine.setenv(CORES, "3")
    assert threads() == 3
    machine.setenv("OMP_NUM_THREADS", "5")
    assert threads() == 5
    machine.setenv("MKL_NUM_THREADS", "7")
    share_cores()
    assert [os.environ[name] for name in NAMES] == ["5", "5", "5", "7"]


def test_a_process_alone_is_left_alone(machine):
    machine.setenv("PMI_SIZE", "1")
    share_cores()
    assert not set(NAMES) & set(os.environ)


def test_too_many_threads_are_said(machine):
    judge_threads()
    machine.setenv("NUMBA_NUM_THREADS", "3")
    with pytest.warns(
        UserWarning, match="4 ranks on this machine with 3 threads each are more than its 8 cores: .* NUMBA_NUM_THREADS=2, or"
    ):
        judge_threads()
    machine.setenv("NUMBA_NUM_THREADS", "1")
    machine.setenv("PMI_SIZE", "16")
    with pytest.warns(UserWarning, match="16 ranks .* with 1 threads each .*: they wait for each other; start fewer ranks"):
        judge_threads()


def test_under_mpiexec():
    cores = len(os.sched_getaffinity(0))
    lines = ast.literal_eval(python_on_ranks(2, SEEN.replace("NAMES", repr(NAMES))))
    share = max(1, cores // 2)
    assert [line[:2] for line in lines] == [(share, [share])] * 2
    assert [bool(line[2]) for line in lines] == [2 * share > (os.cpu_count() or 1), False]
