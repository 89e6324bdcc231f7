"""A published case: how large the start is decides whether a diagonal network learns like a kernel or looks for sparse solutions.

Woodworth, Gunasekar, Lee, Moroshko, Savarese, Golan, Soudry & Srebro, "Kernel and rich regimes in overparametrized models", COLT 2020.
A linear function ⟨β, x⟩ of d inputs with β_k = u_k² − v_k² is fitted to n < d data by gradient flow from u_k = v_k = α. Of all β with
Xβ = y it ends at the one that minimises

    Q_α(β) = α² Σ_k q(β_k/α²),   q(z) = 2 − √(4 + z²) + z arcsinh(z/2),

which is between ½‖β‖₁ log(1/α²), up to terms of lower order, for small α (rich), and ‖β‖₂²/4α² for large α (kernel). With multipliers ν,
∇Q_α = Xᵀν says β_k = 2α² sinh⟨x_k, ν⟩, x_k the k-th column of X: `implicit` solves Xβ = y for ν by Newton's method.

Here each pair (u_k, v_k) is a neuron g(u, v, k; x) = d(u² − v²)x_k, of which the k never moves, and the network their mean.

Writes kernel_and_rich.h5 (α = 0.1) and kernel_and_rich.png, and prints both norms of the β found and of the minimiser of Q_α.
"""

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linprog, minimize

import wgf
from wgf.plots.style import styled

INPUTS, SAMPLES, SPARSE = 40, 20, 3  # d, n, and how many β_k of the teacher are not zero
SCALES = (0.03, 0.1, 0.3, 1.0, 3.0)  # α
KEPT = 0.1
LATEST = 40.0  # times by which also the smallest start is at rest


class Pair:
    """g(u, v, k; x) = d(u² − v²)x_k."""

    theta = ("u", "v", "k")

    def value(self, theta, x):
        """Theta (…, 3), x (n, d) → (…, n)."""
        return INPUTS * (theta[..., :1] ** 2 - theta[..., 1:2] ** 2) * seen(theta, x)

    def gradient(self, theta, x):
        """(2du x_k, −2dv x_k, 0), (…, n, 3)."""
        slope = 2 * INPUTS * seen(theta, x)
        return np.stack([slope * theta[..., :1], -slope * theta[..., 1:2], np.zeros_like(slope)], axis=-1)


def seen(theta, x):
    """x_k, (…, n)."""
    return x.T[np.rint(theta[..., 2]).astype(int)]


def data():
    """Normal inputs, and the targets of a sparse teacher with β_k = ±1."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, INPUTS))
    return wgf.Data(x, x[:, :SPARSE] @ np.array([1.0, -1.0, 1.0]))


DATA = data()


def case(alpha):
    start = np.column_stack([np.full((INPUTS, 2), alpha), np.arange(INPUTS)])
    return wgf.Problem(wgf.RegressionEnergy(Pair(), DATA), wgf.Samples(start), title=f"Kernel and rich regimes, α = {alpha:g}")


problem = case(KEPT)
pairs = wgf.Particles(INPUTS, rtol=1e-9, atol=1e-12)


def rest(longest=LATEST):
    """When the loss is about 1e-10 of that at the start."""
    return wgf.Rest(tolerance=1e-9, longest=longest)


def learned(run):
    """β at the end of a run."""
    u, v, _ = run.measures[-1].points.T
    return u**2 - v**2


def implicit(alpha):
    """The β with Xβ = y that minimises Q_α: the dual min_ν Σ_k 2α² cosh⟨x_k, ν⟩ − ⟨ν, y⟩."""
    x, y = DATA.inputs, DATA.targets

    def dual(nu):
        along = x.T @ nu
        return 2 * alpha**2 * np.cosh(along).sum() - nu @ y, x @ (2 * alpha**2 * np.sinh(along)) - y

    def curvature(nu):
        return (2 * alpha**2 * np.cosh(x.T @ nu) * x) @ x.T

    found = minimize(dual, np.zeros(len(y)), jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-10, "maxiter": 2000})
    return 2 * alpha**2 * np.sinh(x.T @ found.x)


def published(scales=SCALES):
    """‖β‖₁ for each scale of the start, and how far β is from the minimiser."""
    found = {}
    for alpha in scales:
        beta, exact = learned(wgf.solve(case(alpha), pairs, rest(), save=2)), implicit(alpha)
        found[f"‖β‖₁, α = {alpha:g}"] = (np.abs(exact).sum(), np.abs(beta).sum())
        found[f"‖β − argmin Q‖/‖β‖, α = {alpha:g}"] = (0.0, np.linalg.norm(beta - exact) / np.linalg.norm(exact))
    return found


def least(order):
    """‖β‖₁ or ‖β‖₂² at its least among Xβ = y: ends of the way from rich to kernel."""
    x, y = DATA.inputs, DATA.targets
    if order == 2:
        return np.sum((np.linalg.pinv(x) @ y) ** 2)
    return linprog(np.ones(2 * INPUTS), A_eq=np.hstack([x, -x]), b_eq=y).fun


@styled()
def main(until=LATEST):
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    norms, entries = figure.subplots(1, 2)
    alphas = np.geomspace(0.01, 10, 61)
    exact = [implicit(alpha) for alpha in alphas]
    norms.semilogx(alphas, [np.abs(beta).sum() / least(1) for beta in exact], "C0", label=r"$\|\beta\|_1$ over its least")
    norms.semilogx(alphas, [np.sum(beta**2) / least(2) for beta in exact], "C1", label=r"$\|\beta\|_2^2$ over its least")
    print(f"{'α':>6}{'‖β‖₁':>11}{'of min Q':>11}{'‖β‖₂²':>11}{'of min Q':>11}")
    for k, alpha in enumerate(SCALES):
        kept = "kernel_and_rich.h5" if alpha == KEPT else None
        beta, minimiser = learned(wgf.solve(case(alpha), pairs, rest(until), save=2, store=kept, overwrite=True)), implicit(alpha)
        print(f"{alpha:6g}", *(f"{value:11.5f}" for pair in zip(sizes(beta), sizes(minimiser), strict=True) for value in pair), sep="")
        norms.semilogx(alpha, sizes(beta)[0] / least(1), "oC0")
        norms.semilogx(alpha, sizes(beta)[1] / least(2), "oC1")
        if alpha in (SCALES[0], SCALES[-1]):
            entries.plot(np.arange(INPUTS), beta, "o" if k == 0 else "x", color="C0" if k == 0 else "C1", label=f"α = {alpha:g}")
    norms.set(xlabel="α, the size of the start  (lines: argmin Q)", ylabel="norm of β over the least of an interpolant")
    entries.set(xlabel="k", ylabel=r"$\beta_k$")
    for panel in (norms, entries):
        panel.legend()
    figure.suptitle("From the kernel regime (large α) to the rich one (small α)")
    figure.savefig("kernel_and_rich.png")


def sizes(beta):
    """‖β‖₁ and ‖β‖₂²."""
    return np.abs(beta).sum(), np.sum(beta**2)


if __name__ == "__main__":
    main()
