"""Finite volumes on several ranks are those of one process, to rounding: in every row of the history, and in the last density."""

import subprocess
import sys

import numpy as np
import pytest

from tests.ranks.finite_volume_cases import CASES, SERIES
from tests.ranks.launching import environment, on_ranks

PROGRAM = ("-m", "tests.ranks.finite_volume_cases")
SAME = 1e-12  # relative


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """All runs on one process."""
    file = tmp_path_factory.mktemp("alone") / "runs.npz"
    subprocess.run([sys.executable, *PROGRAM, str(file)], env=environment(), check=True)
    return np.load(file)


@pytest.mark.parametrize("ranks", [2, 3, pytest.param(4, marks=pytest.mark.long)])
def test_ranks_find_what_one_process_finds(alone, ranks, tmp_path):
    file = tmp_path / "runs.npz"
    on_ranks(ranks, *PROGRAM, file)
    shared = np.load(file)
    for name in CASES:
        for key in (*SERIES, "density"):
            expected, found = alone[f"{name}/{key}"], shared[f"{name}/{key}"]
            assert found.shape == expected.shape, (name, key)
            assert np.abs(found - expected).max() <= SAME * max(np.abs(expected).max(), SAME), (name, key)
