"""Finite volumes on several ranks are those of one process, to rounding: in every row of the history, and in the last density."""

import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from tests.ranks.finite_volume_cases import CASES, QUICK, SERIES
from tests.ranks.launching import environment, on_ranks

PROGRAM = ("-m", "tests.ranks.finite_volume_cases")
SAME = 1e-12  # relative
LOOSER = {"single precision": 1e-7}  # whose last digit may be rounded the other way


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The runs of these names on one process."""

    @cache
    def solved(names):
        file = tmp_path_factory.mktemp("alone") / "runs.npz"
        subprocess.run([sys.executable, *PROGRAM, str(file), *names], env=environment(), check=True)
        return np.load(file)

    return solved


LONG = [pytest.param(ranks, tuple(CASES), marks=pytest.mark.long) for ranks in (2, 3, 4)]


@pytest.mark.parametrize(("ranks", "names"), [(2, QUICK), (3, QUICK), *LONG])
def test_ranks_find_what_one_process_finds(alone, ranks, names, tmp_path):
    file = tmp_path / "runs.npz"
    on_ranks(ranks, *PROGRAM, file, *names)
    shared = np.load(file)
    for name in names:
        for key in (*SERIES, "density"):
            expected, found = alone(names)[f"{name}/{key}"], shared[f"{name}/{key}"]
            assert found.shape == expected.shape, (name, key)
            assert np.abs(found - expected).max() <= LOOSER.get(name, SAME) * max(np.abs(expected).max(), SAME), (name, key)
