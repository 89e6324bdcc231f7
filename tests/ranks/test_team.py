"""Work cut into parts: the same bits on any number of ranks and threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from launching import python_on_ranks

from wgf.ranks.communicator import ALONE
from wgf.ranks.team import GROUPS, ONE, Team


def parts_of(rows, step):
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


@pytest.mark.parametrize("parts", [1, 2, 7, GROUPS, GROUPS + 3, 5 * GROUPS])
def test_the_ranks_take_all_parts_in_their_order(parts):
    class Rank:
        communicator = None

    whole, found = parts_of(parts, 1), []
    for size in (1, 3, 4):
        for rank in range(size):
            ranks = Rank()
            ranks.rank, ranks.size = rank, size
            found += Team(ranks).share(whole)
        assert found == whole
        found.clear()


def test_threads_change_nothing():
    values = np.random.default_rng(0).standard_normal((1001, 5))
    parts = parts_of(1001, 3)
    with ThreadPoolExecutor(3) as pool:
        several = Team(ALONE, pool).total(lambda part: values[part].sum(axis=0), parts, 5)
    alone = ONE.total(lambda part: values[part].sum(axis=0), parts, 5)
    assert several.tobytes() == alone.tobytes()
    assert np.allclose(alone, values.sum(axis=0), rtol=0, atol=1e-12)
    assert ONE.total(lambda part: values[part].sum(axis=0), [], 5).tolist() == [0] * 5


CODE = """
    import numpy as np
    from wgf.ranks.communicator import current
    from wgf.ranks.team import Team
    team, out = Team(current()), []
    for rows, step in ((1, 1), (2, 1), (5, 1), (1000, 1), (1000, 7), (1000, 300), (0, 1)):
        values = np.random.default_rng(rows).standard_normal((rows, 3))
        parts = [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
        out.append(team.total(lambda part: values[part].sum(axis=0), parts, 3).tobytes().hex())
        filled = np.full((rows, 3), np.nan)
        for part in team.share(parts):
            filled[part] = values[part]
        team.fill(filled, parts)
        assert np.array_equal(filled, values)
    found = set(team.ranks.gather(";".join(out)))
    if team.ranks.first:
        print(*found)
"""


def test_ranks_change_nothing():
    one = python_on_ranks(1, CODE)
    assert one.count("\n") == 1
    for ranks in (2, 3, 4):
        assert python_on_ranks(ranks, CODE) == one
