"""Methods of points: the same numbers, to the last bit, on any number of ranks."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import solving
from checks import same_numbers
from launching import file_name, on_ranks
from method_cases import CASES as CASES_OF
from solving import CASES, STORED

import wgf
from wgf.methods import METHODS
from wgf.methods.base import check_ranks


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


@pytest.mark.long
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


@pytest.mark.parametrize("name", METHODS)
def test_a_method_shares_its_work_or_is_refused(name):
    shares = name in ("finite-volume", "particles", "characteristics", "pushforward")
    method = next(iter(CASES_OF[name].values())).method
    check_ranks(method, SimpleNamespace(size=1))
    if shares:
        check_ranks(method, SimpleNamespace(size=3))
        return
    with pytest.raises(
        wgf.InputError, match=rf"{type(method).__name__} runs in one process, and 3 were started together: start it without"
    ):
        check_ranks(method, SimpleNamespace(size=3))
