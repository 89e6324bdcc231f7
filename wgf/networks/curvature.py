"""The largest second derivative of a neuron along a unit vector, sup over |u| = 1 of ‖D²g(θ)[u, u]‖ in L²(ρ).

With the Hessians H_i = ∇²_θ g(θ; x_i), (p, p), of a neuron at θ,

    Q(u) = ‖D²g(θ)[u, u]‖² = Σ_i w_i (uᵀH_i u)² = ⟨U, A U⟩,      U = uuᵀ,   A = Σ_i w_i H_i ⊗ H_i ⪰ 0,

a form of degree four in R^p. As H_i is symmetric, U and A need the q = p(p + 1)/2 entries of a half only, those off the diagonal times √2;
then |U| = |u|², and Q(u) ≤ λ_max(A) for |u| = 1.

p = 1    Q = A.
p = 2    u = (cos ½ψ, sin ½ψ) gives U = ½(1 + cos ψ, √2 sin ψ, 1 − cos ψ), so that Q is a trigonometric polynomial of degree two in ψ, whose
         critical points are the roots of modulus one of a polynomial of degree four: exact.
p > 2    Q is convex in U, so that Q(v) ≥ 2⟨V, A U⟩ − Q(u): the v of largest ⟨V, A U⟩ = vᵀ(Σ_i w_i (uᵀH_i u) H_i)v, an eigenvector of a
         symmetric p × p matrix, has Q(v) ≥ Q(u). Repeated from many starts (the axes, the eigenvectors of the matrices that the leading
         eigenvectors of A represent, and random ones) this ends at local maxima; the largest of them is taken. It is a lower bound of the
         supremum; λ_max(A) is the upper one, from which neurons that cannot be the largest are left out.

Beyond p = 6 A is too large; for our own neurons then not even the Hessians are kept. Where σ'' is zero there, H_i[u, u] is
2u_c σ'(z_i)⟨ũ, x̃_i⟩, and Q = 4u_c² ũᵀMũ with M = Σ_i w_i σ'(z_i)² x̃_i x̃_iᵀ over the free weights is largest for u_c² = |ũ|² = ½: it is
λ_max(M), exact. The second derivative of an activation with kinks is that between them (zero for relu). Quantities are dimensionless.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wgf.networks.activations import Array
from wgf.networks.custom import CustomNeuron
from wgf.networks.neuron import Neuron, extended

MOST_ENTRIES = 2**22  # of the Hessians that are kept at a time
MOST_COORDINATES = 6  # for which A is made
RANDOM_STARTS = 12
ROUNDS, STILL = 1000, 1e-13  # at most so many improvements of a start; relative, where it is at rest


def curvatures(neuron: Neuron | CustomNeuron, theta: Array, x: Array, weights: Array) -> Array:
    """sup over |u| = 1 of ‖D²g(θ_j)[u, u]‖ of each neuron at theta (m, p), for inputs x (n, d) with weights (n,); (m,)."""
    p = theta.shape[1]
    if p > MOST_COORDINATES:
        return np.array([_of_one(neuron, one, x, weights) for one in theta])
    found = [_largest(_quadratic(neuron, theta[part], x, weights), p) for part in _parts(theta, x)]
    return np.concatenate(found)


def largest_curvature(neuron: Neuron | CustomNeuron, theta: Array, x: Array, weights: Array) -> float:
    """The largest of `curvatures` over the neurons. Those whose upper bound lies below what was found are not searched."""
    p = theta.shape[1]
    if p > MOST_COORDINATES:
        return float(curvatures(neuron, theta, x, weights).max())
    best = 0.0
    for part in _parts(theta, x):
        quadratic = _quadratic(neuron, theta[part], x, weights)
        bounds = np.linalg.eigvalsh(quadratic)[:, -1] if p > 2 else np.full(len(quadratic), np.inf)
        order = np.argsort(-bounds)
        for some in np.array_split(order, max(1, len(order) // 64) if p > 2 else 1):
            some = some[bounds[some] > best**2]
            if len(some):
                best = max(best, float(_largest(quadratic[some], p).max()))
    return best


def _parts(theta: Array, x: Array) -> list[slice]:
    """Blocks of neurons whose Hessians fit into MOST_ENTRIES."""
    p = theta.shape[1]
    step = max(1, MOST_ENTRIES // (len(x) * max(p * p, (x.shape[1] + 2) ** 2)))
    return [slice(start, start + step) for start in range(0, len(theta), step)]


def _halves(p: int) -> tuple[Array, Array, Array]:
    """Rows, columns and factors (q,) of the entries of half a symmetric matrix (p, p)."""
    rows, columns = np.triu_indices(p)
    return rows, columns, np.where(rows == columns, 1.0, np.sqrt(2.0))


def _quadratic(neuron: Neuron | CustomNeuron, theta: Array, x: Array, weights: Array) -> Array:
    """A of each neuron, (k, q, q)."""
    rows, columns, factors = _halves(theta.shape[1])
    halves = neuron.second(theta, x)[..., rows, columns] * (factors * np.sqrt(weights)[:, None])
    result: Array = np.swapaxes(halves, 1, 2) @ halves
    return result


def _largest(quadratic: Array, p: int) -> Array:
    """√ of the largest ⟨U, A U⟩ for each A (k, q, q), (k,)."""
    square = quadratic[:, 0, 0] if p == 1 else _in_the_plane(quadratic) if p == 2 else _in_space(quadratic, p)
    result: Array = np.sqrt(np.maximum(square, 0.0))
    return result


def _in_the_plane(quadratic: Array) -> Array:
    """The largest Q for p = 2 by the roots of its derivative; (k,).

    Q(ψ) = Re(c₀ + c₁ e^{iψ} + c₂ e^{2iψ}), and with z = e^{iψ} Q' = 0 is 2c₂z⁴ + c₁z³ − c̄₁z − 2c̄₂ = 0.
    """
    half = 0.5 * np.array([[1.0, 1.0, 0.0], [0.0, 0.0, np.sqrt(2.0)], [1.0, -1.0, 0.0]])  # U = half (1, cos ψ, sin ψ)
    form = half.T @ quadratic @ half
    c1 = 2.0 * (form[:, 0, 1] - 1j * form[:, 0, 2])
    c2 = 0.5 * (form[:, 1, 1] - form[:, 2, 2]) - 1j * form[:, 1, 2]
    size = np.abs(c1) + np.abs(c2)
    lead = 2.0 * c2 + 1e-12 * np.where(size > 0, size, 1.0) * (np.abs(c2) <= 1e-12 * size)  # a polynomial of degree four in any case
    companion = np.zeros((len(quadratic), 4, 4), dtype=complex)
    companion[:, [1, 2, 3], [0, 1, 2]] = 1.0
    companion[:, :, 3] = -np.stack([-2.0 * c2.conj(), -c1.conj(), np.zeros_like(c1), c1], axis=1) / lead[:, None]
    angles = np.concatenate([np.angle(np.linalg.eigvals(companion)), -np.angle(c1)[:, None], -0.5 * np.angle(c2)[:, None]], axis=1)
    directions = np.stack([np.ones_like(angles), np.cos(angles), np.sin(angles)], axis=-1)
    result: Array = np.einsum("kai,kij,kaj->ka", directions, form, directions).max(axis=1)
    return result


def _in_space(quadratic: Array, p: int) -> Array:
    """The largest Q that is found from the starts, (k,)."""
    rows, columns, factors = _halves(p)

    def contract(u: Array, active: Array) -> tuple[Array, Array]:
        """Q and the matrix of A U for u (active, starts, p)."""
        halves = u[..., rows] * u[..., columns] * factors
        image = halves @ quadratic[active]
        matrix = np.empty((*u.shape, p))
        matrix[..., rows, columns] = matrix[..., columns, rows] = image / factors
        return np.sum(halves * image, axis=-1), matrix

    leading = np.linalg.eigh(quadratic)[1][:, :, -p:]
    matrices = np.empty((len(quadratic), p, p, p))
    matrices[..., rows, columns] = matrices[..., columns, rows] = np.swapaxes(leading, 1, 2) / factors
    own = np.swapaxes(np.linalg.eigh(matrices)[1], -1, -2).reshape(len(quadratic), -1, p)
    given = np.concatenate([np.eye(p), _random_starts(p)])
    starts = np.concatenate([np.broadcast_to(given, (len(quadratic), *given.shape)), own], axis=1)
    return _climb(contract, starts)


def _of_one(neuron: Neuron | CustomNeuron, theta: Array, x: Array, weights: Array) -> float:
    """√ of the largest Q that is found for one neuron at theta (p,)."""
    if isinstance(neuron, Neuron):
        c, a, b = neuron.split(theta)
        z = x @ a + b
        if not (c * neuron.sigma.second(z)).any():
            return _without_bends(neuron, neuron.sigma.first(z), x, weights)
    apply = _ridge_forms(neuron, theta, x) if isinstance(neuron, Neuron) else _forms(neuron.second(theta[None], x)[0])

    def contract(u: Array, active: Array) -> tuple[Array, Array]:
        forms, matrices = apply(u[0], weights)
        return (forms**2 @ weights)[None], matrices[None]

    return float(np.sqrt(_climb(contract, _random_starts(len(theta))[None])[0]))


def _without_bends(neuron: Neuron, slopes: Array, x: Array, weights: Array) -> float:
    """√λ_max(M) for slopes σ'(z_i) (n,); zero where c, or all else, is fixed."""
    weighted = neuron.free_inputs
    if "c" not in neuron.theta or not len(weighted):
        return 0.0
    rows = extended(x)[:, weighted] * (np.sqrt(weights) * slopes)[:, None]
    return float(np.sqrt(np.linalg.eigvalsh(rows.T @ rows)[-1]))


def _forms(second: Array) -> Callable[[Array, Array], tuple[Array, Array]]:
    """For Hessians H (n, p, p): from u (s, p) to the forms h = uᵀH_i u (s, n) and the matrices Σ_i w_i h_i H_i (s, p, p)."""

    def apply(u: Array, weights: Array) -> tuple[Array, Array]:
        forms = np.stack([(second @ one) @ one for one in u])
        return forms, np.tensordot(forms * weights, second, axes=1)

    return apply


def _ridge_forms(neuron: Neuron, theta: Array, x: Array) -> Callable[[Array, Array], tuple[Array, Array]]:
    """The same for g = cσ(z), whose Hessians are made of x̃, σ' and cσ'': O(np) memory."""
    c, a, b = neuron.split(theta)
    z, inputs = x @ a + b, extended(x)
    mixed, bent = neuron.sigma.first(z), c * neuron.sigma.second(z)

    def apply(u: Array, weights: Array) -> tuple[Array, Array]:
        full = np.zeros((len(u), neuron.dim + 2))
        full[:, neuron.free] = u
        along = full[:, 1:] @ inputs.T
        forms = 2.0 * full[:, :1] * mixed * along + bent * along**2
        matrices = np.zeros((len(u), neuron.dim + 2, neuron.dim + 2))
        matrices[:, 0, 1:] = matrices[:, 1:, 0] = (forms * weights * mixed) @ inputs
        if bent.any():
            matrices[:, 1:, 1:] = np.stack([(inputs.T * row) @ inputs for row in forms * weights * bent])
        return forms, matrices[:, neuron.free][:, :, neuron.free]

    return apply


def _random_starts(p: int) -> Array:
    """RANDOM_STARTS unit vectors, the same at each call, (RANDOM_STARTS, p)."""
    random = np.random.default_rng(0).standard_normal((RANDOM_STARTS, p))
    result: Array = random / np.linalg.norm(random, axis=1, keepdims=True)
    return result


def _climb(contract: Callable[[Array, Array], tuple[Array, Array]], starts: Array) -> Array:
    """The largest Q from starts (k, s, p), each moved to the leading eigenvector of its matrix until Q is at rest; (k,)."""
    best, u, active = np.zeros(len(starts)), starts, np.arange(len(starts))
    value, matrix = contract(u, active)
    for _ in range(ROUNDS):
        u = np.linalg.eigh(matrix)[1][..., -1]
        before, (value, matrix) = value, contract(u, active)
        np.maximum.at(best, active, value.max(axis=1))
        moving = (value - before > STILL * value).any(axis=1)
        if not moving.any():
            break
        active, u, value, matrix = active[moving], u[moving], value[moving], matrix[moving]
    return best
