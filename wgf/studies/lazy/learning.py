"""The limit kernel as learning: its flow and interpolant beside the mean-field flow on the same data, and the norm of one neuron.

**Flow and interpolant.** With T the tangent kernel of the law μ_0 (networks/tangent_kernel.py), data x_i of weights w_i, W = diag(w), and a
network that starts from zero (as in pairs (c, a, b), (−c, a, b), or with its start subtracted), infinitely many lazy neurons follow

    ∂_t φ̄(x) = −Σ_i T(x, x_i) w_i (φ̄(x_i) − y_i).

With √W T √W = U Λ Uᵀ on the data,

    φ̄(t, x) = T(x, X) β(t),      β(t) = √W U (1 − e^{−Λt})/Λ Uᵀ √W y,      β(∞) = T⁻¹ y:

the flow ends at the function f of least norm in the space H of the kernel with f(x_i) = y_i, and ‖f‖² = yᵀ T⁻¹ y. Eigenvalues below the
rounding of the largest one hold no information, and their directions are left out.

**The norm of one neuron.** Is g*(x) = ⟨a*, x⟩₊ in H, as it must be for the kernel to learn it well? Let x be uniform on the sphere S^{d−1},
which holds d − 1 inputs and the bias in homogeneous coordinates, and μ_0 standard normal. All kernels and ⟨a*, x⟩₊ depend on angles only
and are diagonal in the spherical harmonics Y_{kj}, j = 1 … N_k ~ k^{d−2}, of degree k (Funk & Hecke), with the eigenvalues λ_k and the
coefficients μ_k Y_{kj}(a*), where

    kernel of c alone, E ⟨a, x⟩₊⟨a, x'⟩₊:        λ_k = μ_k²·const,   μ_k ~ k^{−(d+2)/2} for even k and zero for odd k ≥ 3,
    that of the input weights, ⟨x, x'⟩ E 1 1':     λ_k ~ k^{−d}       for even k, and zero for odd k ≥ 3,

since the step 1{z > 0} is one derivative less smooth than z₊ [Bach, JMLR 18 (2017) 19; Bietti & Mairal, NeurIPS 2019]. Hence

    ‖g*‖² = Σ_k μ_k² N_k/λ_k ~ Σ_k N_k                             for the kernel of c alone,
                             ~ Σ_k k^{−(d+2) + (d−2) + d} = Σ_k k^{d−4}   for the tangent kernel.

n points resolve the degrees k ≲ L with Σ_{k ≤ L} N_k ~ n, L ~ n^{1/(d−1)}, and the interpolant has the sum up to there:

    ‖f_n‖² ~ n in every dimension for the kernel of c alone;    for the tangent kernel A + B n^γ,  γ = (d − 3)/(d − 1),

bounded in d = 2 (scalar inputs), A + B log n in d = 3, n^{1/3} in d = 4, n^{3/5} in d = 6. The degrees that all n resolve put A into the
norm, which hides γ at first; ‖f_{2n}‖² − ‖f_n‖² ~ n^γ for nested points is free of it, in each dimension, γ = −1 and 0 included.

**Rounding.** With K = L Lᵀ and L v = y, ‖f_n‖² = Σ_{i ≤ n} v_i² for the first n data, all n at once, and never less for more data. A
perturbation E of K changes yᵀK⁻¹y by −αᵀEα, α = K⁻¹y; Cholesky's is of size 1e-16 √n K_ii, whence the error ε tr(K) |α|².
On the circle random points come too close (1/n²) for the kernel of c, whose least eigenvalue falls like the third power of their distance;
van der Corput's points are nested and evenly spaced. T is even but for its linear part, so that x and −x together would make K singular:
the points are spaced evenly on half of the circle, and each is then put on one of the two sides at random.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from wgf.errors import InputError
from wgf.measures.laws import Gaussian, Law, Product, Samples
from wgf.methods.base import Method
from wgf.networks.data import Data
from wgf.networks.inputs import as_inputs
from wgf.networks.neuron import Neuron, coordinate_names
from wgf.networks.tangent import spectrum
from wgf.networks.tangent_kernel import tangent_kernel
from wgf.problems.problem import Problem
from wgf.problems.regression import network
from wgf.runs.solve import solve

Array = np.ndarray
EPSILON = float(np.finfo(float).eps)
SIZES = (64, 128, 256, 512, 1024, 2048)
DIRECTIONS = 64  # a* of a draw, over which the norms are averaged


@dataclass(frozen=True, repr=False)
class MinimumNorm:
    """The functions of least norm through data, in the space of a kernel.

    squares        ‖f_n‖² of the function through the first n data, in row n − 1: the shape of the targets
    coefficients   α of the last one, f = Σ_i α_i K(·, x_i): the same shape
    error          of the last ‖f‖² by rounding, (…,)
    """

    squares: Array
    coefficients: Array
    error: Array


def minimum_norm(kernel: Array, targets: Array) -> MinimumNorm:
    """‖f_n‖² = y_nᵀ K_n⁻¹ y_n for the first n of the data, n = 1 … N, from K (N, N) and targets (N,) or (N, k).

    Raises InputError where K is not positive definite: two inputs coincide or are opposite, or the neuron is analytic.
    """
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or len(targets) != len(kernel):
        raise InputError(f"the kernel has shape {kernel.shape} and the targets {targets.shape}: give K (n, n) and targets (n,) or (n, k)")
    try:
        factor = linalg.cholesky(kernel, lower=True)
    except linalg.LinAlgError as error:
        raise InputError(
            f"the kernel is singular to rounding ({error}): two inputs coincide or are opposite, or the neuron is analytic; take fewer"
        ) from None
    values = linalg.solve_triangular(factor, targets, lower=True)
    coefficients = linalg.solve_triangular(factor, values, lower=True, trans="T")
    return MinimumNorm(np.cumsum(values**2, axis=0), coefficients, EPSILON * np.trace(kernel) * np.sum(coefficients**2, axis=0))


class KernelFlow:
    """φ̄(t, ·), the lazy flow of infinitely many neurons from zero, and its limit for t → ∞: see the module's text."""

    def __init__(self, neuron: Any, law: Law, data: Data) -> None:
        self.neuron, self.law, self.data = neuron, law, data
        self._roots = np.sqrt(data.weights)
        rates, modes = spectrum(tangent_kernel(neuron, law, data.inputs), data)
        self.rates, self._modes = rates[rates > 0.0], modes[:, rates > 0.0]

    def coefficients(self, time: float = math.inf) -> Array:
        """β(t), (n,)."""
        gain = -np.expm1(-self.rates * time) / self.rates
        result: Array = self._roots * (self._modes @ (gain * (self._modes.T @ (self._roots * self.data.targets))))
        return result

    def predict(self, inputs: Any, time: float = math.inf) -> Array:
        """φ̄(t, x) at inputs (n', d) or (n',); (n',)."""
        if not time >= 0:
            raise InputError(f"time = {time}: it must be a number ≥ 0")
        result: Array = tangent_kernel(self.neuron, self.law, as_inputs(inputs), self.data.inputs) @ self.coefficients(time)
        return result


@dataclass(frozen=True, repr=False)
class LearningCurve:
    """Test errors ‖φ − f*‖/‖f*‖ of numbers of samples (S,) and R draws of them: arrays (S, R).

    flow         the lazy flow at the time at which the mean-field flow ends
    regression   the lazy flow at t = ∞, the minimum-norm interpolant
    network      the mean-field flow, by the method
    """

    samples: Array
    flow: Array
    regression: Array
    network: Array


def learning_curve(
    problem: Problem, method: Method, until: float, samples: Sequence[int] = (5, 10, 20, 40), replicates: int = 3, seed: int = 0
) -> LearningCurve:
    """The limit kernel and the mean-field flow learn from the same samples of the problem's data, and are tested on all of the data.

    samples      how many inputs are drawn, independently, from ρ; one that is drawn again gets more weight
    replicates   draws of each number

    Raises InputError for a problem with a penalty, with noise, or without a network: their flows do not start from the same equation.
    """
    energy = network(problem.energy)
    if energy.penalty.strength or problem.noise:
        raise InputError("the limit kernel's flow is that of a loss without penalty and noise: take penalty = 0 and temperature = 0")
    if not samples or min(samples) < 1 or replicates < 1:
        raise InputError(f"samples = {tuple(samples)}, replicates = {replicates}: give numbers of samples and of draws, each at least one")
    size = energy.data.norm(energy.data.targets)
    errors = np.empty((3, len(samples), replicates))
    for row, count in enumerate(samples):
        for draw in range(replicates):
            learner = dataclasses.replace(energy, data=_drawn(energy.data, count, np.random.default_rng([seed, count, draw])))
            kernel = KernelFlow(energy.neuron, problem.initial, learner.data)
            run = solve(dataclasses.replace(problem, energy=learner, source=""), method, until, save=2)
            predictions = *(kernel.predict(energy.data.inputs, time) for time in (until, math.inf)), energy.predict(run.measures[-1])
            errors[:, row, draw] = [energy.data.norm(prediction - energy.data.targets) / size for prediction in predictions]
    return LearningCurve(np.array(samples), errors[0], errors[1], errors[2])


def _drawn(data: Data, count: int, rng: np.random.Generator) -> Data:
    """`count` samples drawn independently from ρ: each input that was drawn, weighted with how often it was."""
    chosen, counts = np.unique(rng.choice(data.size, count, p=data.weights), return_counts=True)
    return Data(data.inputs[chosen], data.targets[chosen], counts)


@dataclass(frozen=True, repr=False)
class NeuronNorms:
    """‖f_n‖² of the minimum-norm interpolant of ⟨a*, x⟩₊ on n points of the sphere S^{d−1}; each array (draws, sizes), a mean over a*.

    output    in the space of the kernel of c alone
    tangent   in that of the tangent kernel of (c, a)
    smooth    in the same, of ⟨a*, x⟩² instead of the neuron
    error     the largest error by rounding of the three at the largest n, relative
    """

    dim: int
    sizes: Array
    output: Array
    tangent: Array
    smooth: Array
    error: float

    @property
    def expected(self) -> float:
        """γ = (d − 3)/(d − 1)."""
        return (self.dim - 3) / (self.dim - 1)


def neuron_norms(dim: int, sizes: Sequence[int] = SIZES, draws: int = 4, seed: int = 0) -> NeuronNorms:
    """The norms of one ReLU neuron on nested points of S^{d−1}, d = dim ≥ 2, for θ = (c, a) standard normal; see the module's text."""
    if dim < 2:
        raise InputError(f"dim = {dim}: the sphere of one dimension less has points only from dim = 2 on")
    neuron = Neuron("relu", coordinate_names(dim)[:-1], {}, dim)
    weights = Gaussian([0.0] * dim, 1.0)
    laws = [Product([Samples([0.0]), weights]), Product([Gaussian([0.0], 1.0), weights])]  # without c nothing but ∂g/∂c is left
    rows = np.array(sizes) - 1
    found, error = np.empty((3, draws, len(sizes))), 0.0
    for draw in range(draws):
        rng = np.random.default_rng([seed, dim, draw])
        x = sphere_points(max(sizes), dim, rng)
        heights = x @ directions(DIRECTIONS, dim, rng).T
        output, tangent = (tangent_kernel(neuron, law, x) for law in laws)
        neurons, squares = np.maximum(heights, 0.0), heights**2
        for k, (kernel, targets) in enumerate(((output, neurons), (tangent, neurons), (tangent, squares))):
            norms = minimum_norm(kernel, targets)
            found[k, draw] = norms.squares[rows].mean(axis=1)
            error = max(error, float((norms.error / norms.squares[-1]).max()))
    return NeuronNorms(dim, np.array(sizes), found[0], found[1], found[2], error)


def directions(count: int, dim: int, rng: np.random.Generator) -> Array:
    """Independent points, uniform on the unit sphere of R^dim; (count, dim)."""
    points = rng.normal(size=(count, dim))
    result: Array = points / np.linalg.norm(points, axis=1, keepdims=True)
    return result


def sphere_points(count: int, dim: int, rng: np.random.Generator) -> Array:
    """Points of which the first n are spread over the unit sphere for each n: random ones, and van der Corput's lines of the plane."""
    if dim > 2:
        return directions(count, dim, rng)
    bits = np.arange(count)[:, None] >> np.arange(count.bit_length()) & 1
    angles = np.pi * (bits @ 0.5 ** np.arange(1, bits.shape[1] + 1))
    result: Array = rng.choice([-1.0, 1.0], (count, 1)) * np.column_stack([np.cos(angles), np.sin(angles)])
    return result


def slope(sizes: Array, values: Array) -> tuple[float, float]:
    """The slope of log values (draws, sizes) in log sizes by least squares: its mean over the draws, with its standard error."""
    slopes = np.polyfit(np.log(sizes), np.log(values).T, 1)[0]
    return float(slopes.mean()), float(slopes.std(ddof=1) / math.sqrt(len(slopes))) if len(slopes) > 1 else math.nan


def growth(norms: NeuronNorms) -> tuple[float, float]:
    """The slope of ‖f_{2n}‖² − ‖f_n‖² in the tangent kernel, which is γ whatever the constant A, for sizes that double."""
    return slope(norms.sizes[:-1], np.diff(norms.tangent, axis=1))
