"""Methods of points: the same numbers, to the last bit, on any number of ranks."""

from pathlib import Path

import numpy as np
import pytest
import solving
from checks import same_numbers
from launching import on_ranks
from solving import CASES, STORED, file_name


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """The folder with all cases, solved on so many ranks."""
    folders = {}

    def on(ranks):
        if ranks not in folders:
            folders[ranks] = tmp_path_factory.mktemp(f"on_{ranks}")
            on_ranks(ranks, Path(solving.__file__), folders[ranks])
        return folders[ranks]

    return on


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ranks", [2, 3])
def test_the_same_on_any_number_of_ranks(name, ranks, solved):
    one, several = (np.load(solved(number) / f"{file_name(name)}.npz") for number in (1, ranks))
    assert one.files == several.files
    for key in one.files:
        assert np.array_equal(one[key], several[key], equal_nan=True), key
    assert len(one["time"]) > 3
    if name in STORED:
        same_numbers(*(solved(number) / f"{file_name(name)}.h5" for number in (1, ranks)))
