"""Polynomials in pieces: k + ½(1 + u) = y with whole k and |u| ≤ 1, Σ_q coefficients_kq uᵠ, read at many places y, and the adjoint."""

from __future__ import annotations

import math

from wgf.kernels.compiled import Array, serial, serial_sums


@serial
def add_deposits(total: Array, moments: Array, table: Array, y: Array, masses: Array, first: int) -> None:
    """`total` (n,) += Σ_j masses_j Σ_q table_kq uᵠ at the places y (N,), for the pieces `first` … of table (K, Q, n).

    Scratch moments (K, Q).
    """
    pieces, terms = moments.shape
    moments[:] = 0.0
    for j in range(y.size):
        whole = math.floor(y[j])
        u, power, moment = 2.0 * (y[j] - whole) - 1.0, masses[j], moments[whole - first]
        for q in range(terms):
            moment[q] += power
            power *= u
    for k in range(pieces):
        for q in range(terms):
            moment, row = moments[k, q], table[k, q]
            for i in range(total.size):
                total[i] += moment * row[i]


@serial_sums
def read_pieces(read: Array, coefficients: Array, table: Array, u: Array, y: Array, first: int) -> None:
    """`read` (N, 2) = Σ_i u_i f_i(y) and its derivative at y (N,), f_i = Σ_q table_kqi uᵠ; scratch coefficients (K, Q)."""
    pieces, terms = coefficients.shape
    for k in range(pieces):
        for q in range(terms):
            row, total = table[k, q], 0.0
            for i in range(u.size):
                total += row[i] * u[i]
            coefficients[k, q] = total
    for j in range(y.size):
        whole = math.floor(y[j])
        place, piece = 2.0 * (y[j] - whole) - 1.0, coefficients[whole - first]
        value, slope = piece[terms - 1], 0.0
        for q in range(terms - 2, -1, -1):
            slope = slope * place + value
            value = value * place + piece[q]
        read[j, 0], read[j, 1] = value, 2.0 * slope
