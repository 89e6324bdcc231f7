"""The grid: geometry, the order of its cells, and messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wgf
from wgf.measures.grid import describe_box, per_axis

boxes = st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 50), st.integers(1, 6)), min_size=1, max_size=4)


@given(boxes)
def test_the_cells_tile_the_box(box):
    grid = wgf.Grid([low for low, _, _ in box], [low + width for low, width, _ in box], [n for *_, n in box])
    assert grid.size == len(grid.points()) == np.prod(grid.shape)
    assert grid.size * grid.cell_volume == pytest.approx(np.prod([high - low for low, high in zip(grid.lower, grid.upper, strict=True)]))
    for (low, width, n), edges, centers, h in zip(box, grid.edges, grid.centers, grid.spacing, strict=True):
        assert (len(edges), len(centers)) == (n + 1, n)
        assert edges[[0, -1]] == pytest.approx([low, low + width])
        assert np.diff(edges) == pytest.approx(np.full(n, h), rel=1e-10)
        assert centers == pytest.approx(low + h * (np.arange(n) + 0.5), abs=1e-12)


def test_the_points_are_in_the_order_of_a_raveled_array():
    grid = wgf.Grid([0, 10, 20], [1, 11, 21], (2, 3, 4))
    points = grid.points().reshape(2, 3, 4, 3)
    for index in np.ndindex(2, 3, 4):
        assert points[index].tolist() == [centers[k] for centers, k in zip(grid.centers, index, strict=True)]


def test_one_number_of_cells_and_one_boundary_serve_all_axes():
    grid = wgf.Grid([0, 0], [1, 1], 8, boundary="periodic")
    assert grid.shape == (8, 8)
    assert grid.periodic() == (True, True)
    assert wgf.Grid([0, 0], [1, 1], 8, boundary=("no-flux", "periodic")).periodic() == (False, True)
    assert wgf.Grid(-1, 1, 8).dim == 1


def test_names_are_numbered_unless_given():
    assert wgf.Grid([0, 0], [1, 1], 8).names == ("theta1", "theta2")
    assert wgf.Grid([0, 0], [1, 1], 8, names=("c", "a")).names == ("c", "a")


def test_leaving_out_an_axis_keeps_what_belongs_to_the_others():
    grid = wgf.Grid([0, 10, 20], [1, 12, 23], (2, 3, 4), ("c", "a", "b"), ("no-flux", "periodic", "no-flux"))
    assert grid.without(1) == wgf.Grid([0, 20], [1, 23], (2, 4), ("c", "b"), ("no-flux", "no-flux"))
    assert grid.without(0) == wgf.Grid([10, 20], [12, 23], (3, 4), ("a", "b"), ("periodic", "no-flux"))
    assert wgf.Grid([0], [1], 4).without(0) is None


def test_a_grid_says_what_it_is():
    assert repr(wgf.Grid([-2.5, -2.5], [3.5, 4.5], 128)) == "Grid(128 × 128 on [-2.5, 3.5] × [-2.5, 4.5])"
    assert describe_box((64, 32), None, None) == "64 × 32"


def test_per_axis_repeats_a_single_value():
    assert per_axis(3, 2, "cells") == (3, 3)
    assert per_axis("no-flux", 3, "boundary") == ("no-flux",) * 3
    assert per_axis([3, 4], 2, "cells") == (3, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"upper": [1]}, r"the box has 2 lower and 1 upper edges; give one of each per axis"),
        ({"lower": [0] * 5, "upper": [1] * 5}, r"a grid has 1 to 4 axes, not 5; for more, use particles or characteristics"),
        ({"lower": [], "upper": []}, r"a grid has 1 to 4 axes, not 0"),
        ({"names": ("c", "a", "b")}, r"the box has 2 axes but the names are c, a, b"),
        ({"names": ("c", "a"), "upper": [1, 0]}, r"axis a: the box \[0, 0\] must have finite edges, the lower one first"),
        ({"lower": [2, 0]}, r"axis theta1: the box \[2, 1\] must have finite edges"),
        ({"upper": [1, np.inf]}, r"axis theta2: the box \[0, inf\] must have finite edges"),
        ({"lower": [np.nan, 0]}, r"axis theta1: the box \[nan, 1\] must have finite edges"),
        ({"cells": (4, 0)}, r"axis theta2: 0 cells; give a whole number, at least 1"),
        ({"cells": (2.5, 4)}, r"axis theta1: 2.5 cells; give a whole number"),
        ({"cells": True}, r"axis theta1: True cells; give a whole number"),
        ({"cells": np.nan}, r"axis theta1: nan cells; give a whole number"),
        ({"cells": "many"}, r"axis theta1: many cells; give a whole number"),
        ({"cells": (4, 4, 4)}, r"cells has 3 entries for 2 axes; give one for all or one per axis"),
        ({"boundary": ("no-flux",) * 3}, r"boundary has 3 entries for 2 axes"),
        ({"boundary": "noflux"}, r"unknown boundary condition 'noflux' \(did you mean 'no-flux'\?\); allowed: no-flux, periodic"),
        ({"boundary": ("no-flux", "open")}, r"unknown boundary condition 'open'"),
    ],
)
def test_a_grid_that_cannot_be_says_why(arguments, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.Grid(**{"lower": [0, 0], "upper": [1, 1], "cells": 4, **arguments})


def test_two_axes_of_one_name_are_refused():
    with pytest.raises(wgf.InputError, match="the names are a, a: give one for each, none twice"):
        wgf.Grid([0, 0], [1, 1], 2, ("a", "a"))


def test_an_enlarged_grid_keeps_its_cells():
    """Whole cells of the same size are added; `place_in` finds the old ones, `part` gives them back."""
    grid = wgf.Grid([0, -1], [1, 2], (4, 6), ("c", "a"))
    larger = grid.enlarged(np.array([[1, 2], [0, 3]]))
    assert larger.shape == (7, 9)
    assert larger.spacing == pytest.approx(grid.spacing)
    place = grid.place_in(larger)
    assert place == (slice(1, 5), slice(0, 6))
    for axis in range(2):
        assert larger.centers[axis][place[axis]] == pytest.approx(grid.centers[axis])
    again = larger.part(np.array(grid.lower), np.array(grid.upper))
    assert again.shape == grid.shape
    assert again.names == grid.names
