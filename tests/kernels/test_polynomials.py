"""Polynomials on boxes, against NumPy's."""

import numpy as np
import pytest
from numpy.polynomial import chebyshev

from wgf.kernels.charts import BLOCKS, evaluate_charts


@pytest.mark.parametrize(("p", "terms"), [(1, 17), (2, 9), (3, 4), (4, 3)])
def test_charts_are_tensor_polynomials(p, terms):
    rng, functions, charts = np.random.default_rng(p), p + 1, 3
    lower, half = rng.normal(size=(charts, p)), rng.uniform(0.2, 2.0, (charts, p))
    coefficients = rng.normal(size=(charts, *(terms,) * p, functions))
    number = rng.integers(-1, charts, 600)
    points = lower[number] + 2.0 * half[number] * rng.uniform(size=(600, p))
    found = np.full((600, functions), np.nan)
    flat = coefficients.reshape(charts, -1)
    work = np.empty((BLOCKS, terms ** (p - 1) * functions))
    evaluate_charts(points, number, lower, half, flat, terms, np.empty((BLOCKS, terms)), work, found)
    assert np.isnan(found[number < 0]).all()
    for chart in range(charts):
        here = number == chart
        bases = chebyshev.chebvander((points[here] - lower[chart]) / half[chart] - 1.0, terms - 1)  # (M, p, terms)
        expected = coefficients[chart][None]
        for axis in range(p):
            expected = np.einsum("mk,mk...->m...", bases[:, axis], np.broadcast_to(expected, (int(here.sum()), *expected.shape[1:])))
        assert found[here] == pytest.approx(expected, rel=1e-12, abs=1e-12)
