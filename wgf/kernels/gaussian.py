"""Gaussian sums in the log domain, line by line: out_i = log Σ_j exp(w_j − gap_ij), gap_ij = |θ_i − θ_j|²/ε, for any size of w and gap.

The largest term of an output is found first and taken out of the sum, so that nothing under- or overflows; terms below e^{−SEEN}
of it are rounding. Both passes skip chunks of ROWS cells: for a chunk with largest entry `top`, at distances between gaps `near`
and `far`, the largest term lies between top − far and top − near. The terms of a chunk are summed as

    Σ_j exp(w_j − gap_ij − best) = exp(top − near − best)·Σ_j exp(w_j − top)·exp(near − gap_ij),

whose first factor is one exponential for all rows, and the others are at hand; only where the gaps of a chunk differ by more than
SAFE, so that the smallest factors could underflow and still matter, each term is an exponential. LANES lines go side by side
(lines.py).
"""

from __future__ import annotations

import math

import numba

from wgf.kernels.compiled import Array, pointwise, threaded, threaded_finite
from wgf.kernels.exponential import fill_exponentials
from wgf.kernels.lines import LANES, gather, scatter

ROWS = 8  # cells of a chunk
SLOTS = 5  # arrays of scratch
SAFE = 600.0  # less than the exponents of doubles by far more than SEEN
SEEN = 38.0  # e^{−SEEN} is less than rounding
NOTHING = -1e300  # in place of log 0 in the padding of the last chunk


@pointwise
def fill_tops(tops: Array, lanes: Array) -> None:
    """The largest entry of each chunk and lane."""
    tops[:] = NOTHING
    for row in range(lanes.size // LANES):
        top, entries = tops[row // ROWS * LANES :], lanes[row * LANES : (row + 1) * LANES]
        for k in range(LANES):
            top[k] = max(top[k], entries[k])


@pointwise
def raise_best(best: Array, entries: Array, gap: float) -> None:
    """`best` = max(best, entries − gap), lane by lane."""
    for k in range(LANES):
        best[k] = max(best[k], entries[k] - gap)


@pointwise
def excess(top: Array, best: Array) -> float:
    """The largest top − best of the lanes."""
    largest = NOTHING
    for k in range(LANES):
        largest = max(largest, top[k] - best[k])
    return largest


@pointwise
def fill_powers(powers: Array, lanes: Array, tops: Array, bits: Array) -> None:
    """exp(w − top) for each entry of each chunk."""
    size = ROWS * LANES
    for c in range(lanes.size // size):
        chunk, top, power = lanes[c * size : (c + 1) * size], tops[c * LANES : (c + 1) * LANES], powers[c * size : (c + 1) * size]
        for row in range(ROWS):
            for k in range(LANES):
                power[row * LANES + k] = chunk[row * LANES + k] - top[k]
        fill_exponentials(power, power, bits)


@pointwise
def add_products(total: Array, powers: Array, ratios: Array, top: Array, near: float, best: Array, terms: Array, bits: Array) -> None:
    """`total` += exp(top − near − best)·Σ_rows power·ratio, lane by lane."""
    factor, summed, few = terms[:LANES], terms[LANES : 2 * LANES], bits[:LANES]
    for k in range(LANES):
        factor[k] = top[k] - near - best[k]
        summed[k] = 0.0
    fill_exponentials(factor, factor, few)
    for row in range(ROWS):
        power, ratio = powers[row * LANES : (row + 1) * LANES], ratios[row]
        for k in range(LANES):
            summed[k] += power[k] * ratio
    for k in range(LANES):
        total[k] += factor[k] * summed[k]


@pointwise
def add_terms(total: Array, chunk: Array, gaps: Array, best: Array, terms: Array, bits: Array) -> None:
    """`total` += Σ_rows exp(chunk − gap − best), lane by lane."""
    for row in range(ROWS):
        entries, term, gap = chunk[row * LANES : (row + 1) * LANES], terms[row * LANES : (row + 1) * LANES], gaps[row]
        for k in range(LANES):
            term[k] = entries[k] - gap - best[k]
    fill_exponentials(terms, terms, bits)
    for row in range(ROWS):
        term = terms[row * LANES : (row + 1) * LANES]
        for k in range(LANES):
            total[k] += term[k]


@threaded_finite
def log_sums(values: Array, out: Array, cells: int, stride: int, gaps: Array, ratios: Array, near: Array, far: Array, work: Array) -> None:
    """Log-sums of every line of `cells` cells, `stride` apart in the flat arrays values and out (N,).

    gaps, ratios = exp(near − gaps) (cells, chunks·ROWS)   of each output and entry
    near, far (cells, chunks)                              the least and largest gap of each output and chunk
    work (blocks, SLOTS, chunks·ROWS·LANES)                scratch
    """
    lane_stride = cells if stride == 1 else 1
    lines = values.size // cells if stride == 1 else stride  # that lie side by side
    runs = values.size // (lines * cells)
    groups, blocks, chunks, size = (lines + LANES - 1) // LANES, work.shape[0], near.shape[1], ROWS * LANES
    for block in numba.prange(blocks):
        lanes, sums, tops = work[block, 0], work[block, 1, : cells * LANES], work[block, 2, : chunks * LANES]
        best, total = work[block, 3, :LANES], work[block, 3, LANES : 2 * LANES]
        terms, bits, powers = work[block, 3, size : 2 * size], work[block, 3, 2 * size : 3 * size], work[block, 4]
        lanes[cells * LANES :] = NOTHING
        for group in range(block * groups * runs // blocks, (block + 1) * groups * runs // blocks):
            first = (group % groups) * LANES
            start = (group // groups) * lines * cells + first * lane_stride
            last_lane = min(LANES, lines - first) - 1
            gather(lanes[: cells * LANES], values, start, lane_stride, last_lane, stride)
            fill_tops(tops, lanes)
            fill_powers(powers, lanes, tops, bits)
            for i in range(cells):
                best[:], total[:] = NOTHING, 0.0
                for c in range(chunks):
                    raise_best(best, tops[c * LANES : (c + 1) * LANES], far[i, c])
                for c in range(chunks):
                    if excess(tops[c * LANES : (c + 1) * LANES], best) >= near[i, c]:
                        for row in range(c * ROWS, (c + 1) * ROWS):
                            raise_best(best, lanes[row * LANES : (row + 1) * LANES], gaps[i, row])
                for c in range(chunks):
                    top, rows = tops[c * LANES : (c + 1) * LANES], slice(c * ROWS, (c + 1) * ROWS)
                    if excess(top, best) > near[i, c] - SEEN:
                        if far[i, c] - near[i, c] < SAFE:
                            add_products(total, powers[c * size : (c + 1) * size], ratios[i, rows], top, near[i, c], best, terms, bits)
                        else:
                            add_terms(total, lanes[c * size : (c + 1) * size], gaps[i, rows], best, terms, bits)
                for k in range(LANES):
                    sums[i * LANES + k] = best[k] + math.log(total[k])
            scatter(out, sums, start, lane_stride, last_lane, stride)


@threaded
def fill_products(out: Array, factor: Array, exponent: Array, shift: float, bits: Array) -> None:
    """`out` = factor·exp(exponent − shift) for arrays (N,), exponent ≤ shift; `bits` (N,) is scratch, out ≠ factor."""
    blocks = 16
    for block in numba.prange(blocks):
        part = slice(block * out.size // blocks, (block + 1) * out.size // blocks)
        target, given, power = out[part], factor[part], exponent[part]
        for k in range(target.size):
            target[k] = power[k] - shift
        fill_exponentials(target, target, bits[part])
        for k in range(target.size):
            target[k] *= given[k]
