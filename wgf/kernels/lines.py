"""Lines of cells along one axis, LANES of them side by side, so that loops over lanes vectorise whatever the axis.

Entry i·LANES + l of a gathered group is cell i of line l.
"""

from __future__ import annotations

from wgf.kernels.compiled import Array, pointwise

LANES = 8


@pointwise
def gather(lanes: Array, values: Array, start: int, lane_stride: int, last_lane: int, stride: int) -> None:
    """Cell i of line l of a group, `start + min(l, last_lane)·lane_stride + i·stride`, to lanes[i·LANES + l].

    The loop over what lies close together is the inner one.
    """
    cells = lanes.size // LANES
    if stride == 1:
        for lane in range(LANES):
            line = start + min(lane, last_lane) * lane_stride
            for i in range(cells):
                lanes[i * LANES + lane] = values[line + i]
    else:
        for i in range(cells):
            for lane in range(LANES):
                lanes[i * LANES + lane] = values[start + min(lane, last_lane) * lane_stride + i * stride]


@pointwise
def scatter(values: Array, lanes: Array, start: int, lane_stride: int, last_lane: int, stride: int) -> None:
    """The inverse of `gather`."""
    cells = lanes.size // LANES
    if stride == 1:
        for lane in range(last_lane + 1):
            line = start + lane * lane_stride
            for i in range(cells):
                values[line + i] = lanes[i * LANES + lane]
    else:
        for i in range(cells):
            for lane in range(last_lane + 1):
                values[start + lane * lane_stride + i * stride] = lanes[i * LANES + lane]
