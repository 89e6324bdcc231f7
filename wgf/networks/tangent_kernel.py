"""The tangent kernel of infinitely many neurons drawn from a law μ, the limit of T̂ = (1/m) Σ_j Dg(θ_j) Dg(θ_j)ᵀ for m → ∞:

    T(x, x') = ∫ ∇_θ g(θ; x)·∇_θ g(θ; x') μ(dθ).

It is linear in μ, so that a mixture has the mixture of the kernels of its laws. For g = c·σ(z), z = ⟨a, x⟩ + b, and a c independent
of (a, b),

    T(x, x') = [c free] E σ(z)σ(z') + E c² · E σ'(z)σ'(z') · (Σ_{k free} x_k x'_k + [b free]):

of the law of c only E c² matters, and it may be replaced by the point √(E c²). The expectations are found by

1. a closed form, for erf and relu where z is Gaussian of mean zero (ridge_kernel.py);
2. a Gauss rule for μ, with more and more nodes until the values change by no more than the tolerance;
3. a rule in the plane for each pair (z, z'), where (a, b) are independent normal numbers, too many for a rule in all of them;
4. Monte Carlo with m neurons in independent batches, whose scatter gives the standard error of each entry.

Rules 2 and 3 see nothing that lies between all their nodes; each number of nodes is twice the last plus one, so that rules with and without
a node in the middle are compared. For a kink their error falls like a power of 1/nodes only: the error says what was reached.

Shapes: inputs (n, d), others (n', d), kernel (n, n'). Memory: the kernel and blocks of neurons, never all neurons × inputs × p.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError, ResolutionWarning, positive, warn
from wgf.measures.arguments import generator
from wgf.measures.laws import Ball, Gaussian, Law, OnAxes, Product, Samples, Uniform
from wgf.measures.laws.base import Rule, entries
from wgf.measures.laws.composed import independent, unmixed
from wgf.networks.activations import Array
from wgf.networks.custom import CustomNeuron, as_neuron
from wgf.networks.features import in_blocks
from wgf.networks.inputs import as_inputs
from wgf.networks.neuron import Neuron
from wgf.networks.ridge_kernel import Ridge
from wgf.registers import listed

ROUNDING = 1e-13  # of the largest entry: the error of a closed form
NODES = (8, 17, 35, 71, 143, 287)  # per axis, in turn
NODES_IN_PLANE = (*NODES, 575)
MOST_NODES = 2**20  # of a rule for μ
MOST_WORK = 10**11  # products that a rule or the neurons of Monte Carlo may take
MOST_EVALUATIONS = 5 * 10**8  # of σ, for all pairs of inputs
BATCHES = 64
FEWEST, MOST_NEURONS = 2**12, 2**20
SECOND_MOMENT_IN_TWO_NODES = (Gaussian, Uniform, Ball, Samples)  # laws of one coordinate whose rule of two nodes gives E c² exactly
LARGE = 1e-6  # of the largest entry: an error above it is reported


@dataclass(frozen=True, repr=False)
class LimitKernel:
    """T and how well it is known.

    Attributes
    ----------
    values : array (n, n')
        T(x_i, x'_j)
    error : array (n, n')
        of each entry: a bound of rounding for a closed form or a sum, the last change of a quadrature, a standard error
    how : str
        "closed form", or the rule or the draw and its size
    """

    values: Array
    error: Array
    how: str

    @property
    def worst(self) -> float:
        """The largest error, relative to the largest entry."""
        largest = float(np.abs(self.values).max())
        return float(self.error.max()) / largest if largest else float(self.error.max())

    def __repr__(self) -> str:
        return f"LimitKernel({' × '.join(map(str, self.values.shape))}, {self.how}, error {self.worst:.1e} of the largest entry)"


def tangent_kernel(neuron: Any, law: Law, inputs: Any, others: Any = None) -> Array:
    """T(x, x') = ∫ ∇_θ g(θ; x)·∇_θ g(θ; x') μ(dθ), the tangent kernel of infinitely many neurons.

    Parameters
    ----------
    neuron : Neuron or object
        of ours, or an object with value(theta, x)
    law : law
        μ, the law of the neurons
    inputs : array (n, d) or (n,)
        the x_i
    others : array (n', d) or (n',), optional
        the x'_j; the same as the inputs by default

    Returns
    -------
    array (n, n')
        the kernel; `limit_kernel` gives the error of each entry, and takes a tolerance

    Raises
    ------
    InputError
        for inputs, a neuron and a law that do not fit each other

    Warns
    -----
    ResolutionWarning
        where an error is above 1e-6 of the largest entry
    """
    kernel = limit_kernel(neuron, law, inputs, others)
    if kernel.worst > LARGE:
        advice = "average limit_kernel over several seeds" if "Monte Carlo" in kernel.how else "limit_kernel gives that of each entry"
        text = f"the tangent kernel ({kernel.how}) has an error of {kernel.worst:.1e} of its largest entry: {advice}"
        warn(text, ResolutionWarning)
    return kernel.values


def limit_kernel(neuron: Any, law: Law, inputs: Any, others: Any = None, tolerance: float = 1e-10, seed: Any = 0) -> LimitKernel:
    """T(x, x') = ∫ ∇_θ g(θ; x)·∇_θ g(θ; x') μ(dθ), with the error that was reached.

    Parameters
    ----------
    neuron : Neuron or object
        of ours, or an object with value(theta, x)
    law : law
        μ, the law of the neurons
    inputs : array (n, d) or (n,)
        the x_i
    others : array (n', d) or (n',), optional
        the x'_j; the same as the inputs by default
    tolerance : float
        of the rules, relative to the largest entry
    seed : int
        of Monte Carlo, where no rule will do

    Returns
    -------
    LimitKernel
        the values, the error of each, and how they were found

    Raises
    ------
    InputError
        for inputs, a neuron and a law that do not fit each other
    """
    positive(tolerance, "tolerance")
    g, x = as_neuron(neuron), as_inputs(inputs)
    y = x if others is None else as_inputs(others, "others")
    law = _fitting(g, law, x, y)
    rng = generator(seed)
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [(share, _of_one_law(g, part, x, y, tolerance, rng)) for share, part in unmixed(law)]
    values = np.add.reduce([share * part.values for share, part in parts])
    if not np.isfinite(values).all():
        raise InputError(f"the gradient of {g!r} is not finite somewhere under the law {law!r}: its tangent kernel does not exist")
    if others is None:
        values = 0.5 * (values + values.T)  # to the last bit
    error = np.add.reduce([share * part.error for share, part in parts])
    return LimitKernel(values, error, "; ".join(dict.fromkeys(part.how for _, part in parts)))


def _fitting(neuron: Neuron | CustomNeuron, law: Any, x: Array, y: Array) -> Law:
    """The law, with its numbers on each axis of θ where they serve for all, once it fits the neuron, and the neuron the inputs."""
    if isinstance(law, type) or not callable(getattr(law, "sample", None)):
        raise InputError(f"the law of θ is {law!r}: give a law, such as wgf.Gaussian(mean=[…], std=[…]) or wgf.Samples(points)")
    if x.shape[1] != y.shape[1]:
        raise InputError(f"inputs have {x.shape[1]} column(s) and others {y.shape[1]}: they must agree")
    if isinstance(neuron, Neuron):
        if x.shape[1] != neuron.dim:
            raise InputError(f"the neuron has {neuron.dim} input(s) (dim) but the inputs have {x.shape[1]} column(s)")
        p = len(neuron.theta)
        law = law.on_axes(p) if isinstance(law, OnAxes) else law
        if law.dim not in (None, p):
            raise InputError(f"theta has {p} coordinate(s) ({listed(neuron.theta)}) but the law has {law.dim}")
    result: Law = law
    return result


def _of_one_law(neuron: Neuron | CustomNeuron, law: Law, x: Array, y: Array, tolerance: float, rng: np.random.Generator) -> LimitKernel:
    """T of a law that is no mixture, in the first of the four ways that will do."""
    groups = independent(law)
    pairs = len(x) * len(y)
    if isinstance(neuron, Neuron):
        groups = _with_one_output(neuron, groups)
        if ridge := _as_ridge(neuron, groups):
            if ridge.closed:
                values = ridge.in_closed_form(x, y)
                return LimitKernel(values, np.full_like(values, ROUNDING * np.abs(values).max()), "closed form")
            if ridge.axes > 2 and len(sizes := [nodes for nodes in NODES_IN_PLANE if nodes**2 * pairs <= MOST_EVALUATIONS]) > 1:
                return _refined(lambda nodes: ridge.by_pairs(x, y, nodes), sizes, tolerance, "for each pair of inputs")
    law = groups[0] if len(groups) == 1 else Product(groups)
    most = min(MOST_NODES, MOST_WORK // pairs)
    if all(isinstance(group, Samples) for group in groups) and _count(groups, 1) <= most:
        values = _total(neuron, law.quadrature(1), x, y)
        return LimitKernel(values, np.full_like(values, ROUNDING * np.abs(values).max()), f"sum over {_count(groups, 1)} neurons")
    has_rule = all(group.dim and callable(getattr(group, "quadrature", None)) for group in groups)
    if has_rule and len(sizes := [nodes for nodes in NODES if _count(groups, nodes) <= most]) > 1:
        return _refined(lambda nodes: _total(neuron, law.quadrature(nodes), x, y), sizes, tolerance, "for the law")
    return _drawn(neuron, law, x, y, rng)


def _with_one_output(neuron: Neuron, groups: list[Law]) -> list[Law]:
    """The laws of independent groups of coordinates, with the point √(E c²) for a law of c alone."""
    first, found = 0, []
    for group in groups:
        if first == neuron.output_axis and group.dim == 1 and isinstance(group, SECOND_MOMENT_IN_TWO_NODES):
            points, weights = group.quadrature(2)
            group = Samples([np.sqrt(weights @ points[:, 0] ** 2)])
        found.append(group)
        first += group.dim or 0
    return found


def _as_ridge(neuron: Neuron, groups: list[Law]) -> Ridge | None:
    """The neuron with its law as a Ridge; None where its input weights and bias are not independent normal numbers."""
    if len(groups) != len(neuron.theta):
        return None
    laws = dict(zip(neuron.theta, groups, strict=True))
    output = laws.pop("c", Samples([neuron.fixed.get("c", 1.0)]))
    normal = {name: (entries(law.mean)[0], entries(law.std)[0]) for name, law in laws.items() if isinstance(law, Gaussian)}
    if not isinstance(output, Samples) or len(normal) < len(laws):
        return None
    names = neuron.coordinates[1:]
    mean, std = np.array([normal.get(name, (neuron.fixed.get(name, 0.0), 0.0)) for name in names]).T
    free = np.array([name in laws for name in names])
    return Ridge(neuron.sigma, mean, std, free, "c" in neuron.theta, float(output.points[0, 0] ** 2))


def _count(groups: list[Law], nodes: int) -> int:
    """The number of points of the product of the rules with so many nodes per axis."""
    return math.prod(len(group.points) if isinstance(group, Samples) else nodes ** (group.dim or 0) for group in groups)


def _refined(kernel: Callable[[int], Array], sizes: list[int], tolerance: float, what: str) -> LimitKernel:
    """The kernel by a rule whose number of nodes grows until the values change by no more than the tolerance."""
    values = kernel(sizes[0])
    for nodes in sizes[1:]:
        before, values = values, kernel(nodes)
        error, largest = np.abs(values - before), np.abs(values).max()
        if not error.max() > tolerance * largest:
            break
    return LimitKernel(values, np.maximum(error, ROUNDING * largest), f"quadrature {what}, {nodes} nodes per axis")


def _total(neuron: Neuron | CustomNeuron, rule: Rule, x: Array, y: Array) -> Array:
    """Σ_k w_k ∇g(θ_k; x)·∇g(θ_k; x'), (n, n'), block by block."""
    points, weights = rule
    total = np.zeros((len(x), len(y)))
    for part in in_blocks(len(points), (len(x) + len(y)) * points.shape[1]):
        left = neuron.gradient(points[part], x)
        right = left if y is x else neuron.gradient(points[part], y)
        total += np.tensordot(weights[part, None, None] * left, right, axes=([0, 2], [0, 2]))
    return total


def _drawn(neuron: Neuron | CustomNeuron, law: Law, x: Array, y: Array, rng: np.random.Generator) -> LimitKernel:
    """Monte Carlo: the mean of batches of neurons, with its standard error."""
    size = int(np.clip(MOST_WORK // (len(x) * len(y)), FEWEST, MOST_NEURONS)) // BATCHES
    weights = np.full(size, 1.0 / size)
    mean, squares = np.zeros((len(x), len(y))), np.zeros((len(x), len(y)))
    for number in range(1, BATCHES + 1):
        change = _total(neuron, (law.sample(size, rng), weights), x, y) - mean
        mean += change / number
        squares += change**2 * (number - 1) / number
    return LimitKernel(mean, np.sqrt(squares / (BATCHES * (BATCHES - 1))), f"Monte Carlo, {BATCHES * size} neurons")
