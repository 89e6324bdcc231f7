"""The active cells of ranks are together those of one process, and what is handed over goes where it goes there."""

from tests.ranks.launching import python_on_ranks

PROGRAM = """
    import numpy as np
    from wgf.measures.grid import Grid
    from wgf.measures.layout import Layout
    from wgf.methods.finite_volume.active import ActiveCells
    from wgf.methods.finite_volume.shared_cells import SharedCells
    from wgf.ranks.communicator import current

    ranks = current()

    def bound(kind, layout, *first):
        strides = [int(np.prod(layout.shape[k + 1 : -1])) for k in range(len(layout.shape) - 1)]
        axes = [np.array(each, dtype=np.int64) for each in (layout.shape[:-1], strides)]
        return kind(*first, *axes, np.array(layout.division.wraps)[list(layout.axes)], 3)

    def marked(runs, shape):
        cells = np.zeros(shape)
        for row in range(shape[0]):
            for first, last in runs.columns[runs.runs[row] : runs.runs[row + 1]]:
                cells[row, first:last] = 1.0
        return cells

    moved_at_all = 0.0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        p = rng.integers(1, 5)
        shape = rng.integers(3, 12, size=p)
        shape[rng.integers(p)] = rng.integers(4 * ranks.size, 6 * ranks.size)
        boundary = [("no-flux", "periodic")[k] for k in rng.integers(2, size=p)]
        grid, last = Grid([0.0] * p, [1.0] * p, shape.tolist(), boundary=boundary), int(rng.integers(p))
        share = (0.0, 0.02, 0.1, 0.4)[seed % 4]
        values = rng.exponential(size=shape) * (rng.random(shape) < share) + (rng.random(shape) < 0.3) * 1e-20
        values.ravel()[rng.integers(values.size)] = 5.0
        whole, layout = Layout(grid, last), Layout(grid, last, ranks)
        alone, shared = bound(ActiveCells, whole, (whole.rows, whole.columns)), bound(SharedCells, layout, layout)
        before, held = whole.arranged(values), layout.arranged(values)
        alone.find(before)
        shared.find(held)
        expected, moved = alone.after(before, 1e-14)
        runs, moved_here = shared.after(held, 1e-14)
        place = tuple(slice(*ends) for ends in layout.division.part.tolist())
        assert np.allclose(layout.own_cells(held), whole.restored(before)[place], rtol=1e-13, atol=0.0), seed
        assert np.allclose(held, layout.arranged(whole.restored(before)), rtol=1e-13, atol=0.0), seed  # ghosts, too
        assert np.isclose(moved_here, moved, rtol=1e-13, atol=0.0), seed
        alone.choose(expected)
        shared.choose(runs)
        there = whole.restored(marked(alone.now, (whole.rows, whole.columns)))[place]
        assert np.array_equal(layout.own_cells(marked(shared.now, (layout.rows, layout.columns))), there), seed
        assert np.array_equal(shared.extent(), alone.extent()), seed
        swept = sum(marked(part.runs, (layout.rows, layout.columns)) for part in shared.parts)
        assert np.array_equal(layout.own_cells(swept), there), seed  # each of one's own once
        assert swept.sum() == there.sum(), seed  # and no others
        moved_at_all += moved
    assert moved_at_all > 1e-18
    print("well")
"""


def test_shared_cells_are_those_of_one_process():
    assert python_on_ranks(3, PROGRAM) == "well\n" * 3
