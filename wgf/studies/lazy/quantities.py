"""How lazy a run of neurons is: the quantities of the lecture at its frames, and of one gradient step.

With φ(θ) = α Σ_j g(θ_j), the tangent model φ̄ at θ₀ (networks/tangent.py), norms in L²(ρ) and R^{pm}:

    relative scale   κ = ‖φ − f*‖ ‖D²φ‖/‖Dφ‖²
    deviation        ‖φ(θ(t)) − φ̄(θ̄(t))‖/‖φ(θ₀) − f*‖, which is at most a constant times t²κ(θ₀) at first
    displacement     √((1/m) Σ_j |θ_j(t) − θ_j(0)|²)
    kernel change    ‖T̂(t) − T̂(0)‖/‖T̂(0)‖, Frobenius norms in L²(ρ) ⊗ L²(ρ)
    alignment        ⟨T̂(t), T̂(0)⟩/(‖T̂(t)‖ ‖T̂(0)‖): one, where the kernel has only grown

One step θ⁺ = θ − s∇E of plain gradient descent, E = ‖φ − f*‖² and ∇E = 2Dφ*(φ − f*) (without penalty), changes to first order in s

    ΔE/E ≈ −s‖∇E‖²/E,                        at most 4s‖Dφ‖² in size,
    ‖Dφ(θ⁺) − Dφ(θ)‖/‖Dφ‖ ≈ s‖D²φ[∇E]‖/‖Dφ‖,      at most 2s‖φ − f*‖‖D²φ‖ = 2sκ‖Dφ‖²,

so that κ/2 compares the bounds: κ ≪ 1 says that the loss falls long before the differential has changed [Chizat, Oyallon & Bach 2019]. In
the time of the package a step of η is s = η/(2mα²). A network from which its start is subtracted is one with the targets f* + φ(θ₀).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError, instance, positive
from wgf.networks.data import Data, check_data
from wgf.networks.network import Network
from wgf.networks.neuron import has_kinks
from wgf.networks.tangent import in_space
from wgf.problems.problem import Problem, check_problem
from wgf.problems.regression import RegressionEnergy, network
from wgf.runs.run import Run, check_run
from wgf.runs.seam import require_whole

SMOOTH = {"solver": "DOP853", "rtol": 1e-9, "atol": 1e-11}  # of the gradient flow: the deviation of lazy networks is small
KINKED = {"solver": "RK45", "rtol": 1e-5, "atol": 1e-7}  # where the velocity jumps, more digits cost more than they are worth
SERIES = ("deviation", "loss", "displacement", "alignment", "kernel_change")


@dataclass(frozen=True)
class Laziness:
    """The quantities at the frames of a run, (frames,) each, and κ at the start; `bound` is t²κ(θ₀)."""

    times: np.ndarray
    relative_scale: float
    deviation: np.ndarray
    loss: np.ndarray
    displacement: np.ndarray
    alignment: np.ndarray
    kernel_change: np.ndarray

    @property
    def bound(self) -> np.ndarray:
        """t²κ(θ₀), (frames,)."""
        return self.times**2 * self.relative_scale


@dataclass(frozen=True)
class StepChange:
    """What one gradient step changes, relative to E and to ‖Dφ‖, beside its first-order form and the bound of that.

    loss, loss_first_order, loss_bound                              ΔE/E
    differential, differential_first_order, differential_bound      ‖ΔDφ‖/‖Dφ‖
    """

    loss: float
    loss_first_order: float
    loss_bound: float
    differential: float
    differential_first_order: float
    differential_bound: float


def trainable(problem: Problem) -> RegressionEnergy:
    """The energy of a network that has a tangent model; raises InputError where there is no network, noise, or a penalty beside λ|θ|²."""
    check_problem(problem)
    energy = network(problem.energy)
    if problem.noise > 0:
        raise InputError(f"the lazy regime is one of training without noise, but the problem has temperature = {problem.noise:g}")
    if energy.penalty.strength and energy.penalty.function is not None:
        raise InputError("the tangent model knows the penalty λ|θ|² only, not a function V")
    return energy


def accurate_flow(problem: Problem) -> dict[str, Any]:
    """Options of Particles for the gradient flow of a problem, as accurate as the activation is smooth."""
    return KINKED if has_kinks(network(problem.energy).neuron) else SMOOTH


def trained_network(problem: Problem, run: Run, frame: int = -1) -> tuple[Network, Data]:
    """The network of a frame of a run of neurons, and the data it is trained on: f* + φ(θ₀), where its start is subtracted.

    Parameters
    ----------
    problem : Problem
        what was solved
    run : Run
        of `Particles`
    frame : int
        which one; the last by default

    Returns
    -------
    tuple of Network and Data
        the network and its data

    Raises
    ------
    InputError
        for runs of other methods, and of problems without a network
    """
    check_problem(problem)
    check_run(run)
    energy, options = network(problem.energy), run.options
    if str(run.attributes["method"]) != "Particles":
        raise InputError(f"{run!r} is not a run of neurons, which Particles gives")
    trained = Network(energy.neuron, run.measures[frame].points, options.get("scale"))
    data: Data = energy.data
    if options.get("centred") == "subtracted":
        start = Network(energy.neuron, run.measures[0].points, trained.scale)
        data = Data(data.inputs, data.targets + start.predict(data.inputs), data.weights)
    return trained, data


def laziness(problem: Problem, run: Run) -> Laziness:
    """How lazy a run of neurons is: κ at the start, and at each frame how far the network is from its tangent model.

    Parameters
    ----------
    problem : Problem
        what was solved
    run : Run
        of `Particles` without noise, in memory or from a file

    Returns
    -------
    Laziness
        relative_scale, a number, and the series deviation, bound, loss, displacement, alignment and kernel_change (frames,)

    Raises
    ------
    InputError
        for runs of other methods, and of problems without a network
    """
    energy = trainable(problem)
    require_whole(run, "laziness")
    start, data = trained_network(problem, run, 0)
    model = start.tangent(data, energy.penalty.strength)
    linear, distance = model.flow(run.times), data.norm(start.predict(data.inputs) - data.targets)
    before = in_space(model.kernel, data)
    rows = []
    for k, measure in enumerate(run.measures):
        now = Network(start.neuron, measure.points, start.scale)
        kernel = in_space(now.tangent_kernel(data), data)
        rows.append(
            (
                _ratio(data.norm(now.predict(data.inputs) - linear[k]), distance),
                run.loss[k],
                np.sqrt(np.mean(np.sum((now.parameters - start.parameters) ** 2, axis=1))),
                _ratio(float(np.sum(kernel * before)), float(np.linalg.norm(kernel) * np.linalg.norm(before))),
                relative_change(kernel, before),
            )
        )
    return Laziness(run.times, start.relative_scale(data), *np.array(rows).T)


def step_change(network: Network, data: Data, step: float) -> StepChange:
    """What one step of gradient descent changes, without penalty: the loss and the differential, each beside its first order and its
    bound.

    Parameters
    ----------
    network : Network
        before the step
    data : Data
        what it is trained on
    step : float
        η, in the time of the flow: s = η/(2mα²) in that of the network's parameters

    Returns
    -------
    StepChange
        relative to the loss, loss, loss_first_order and loss_bound; relative to ‖Dφ‖, differential, differential_first_order and
        differential_bound
    """
    instance(network, Network, "network", "a wgf.Network(neuron, parameters)")
    check_data(data)
    positive(step, "the gradient step")
    s = step / (2.0 * network.size * network.scale**2)
    residual = network.predict(data.inputs) - data.targets
    loss = float(data.weights @ residual**2)
    gradient = 2.0 * network.scale * network.pull(data.weights * residual, data.inputs)
    moved = Network(network.neuron, network.parameters - s * gradient, network.scale)
    after = data.norm(moved.predict(data.inputs) - data.targets) ** 2
    slope, root = network.differential_norm(data), network.scale * np.sqrt(data.weights)
    new, old = (each.neuron.gradient(each.parameters, data.inputs) for each in (moved, network))
    bent = np.einsum("jnpq,jq->jnp", network.neuron.second(network.parameters, data.inputs), gradient)

    def norm(change: np.ndarray) -> float:
        """Of a change of the gradients (m, n, p), as a map from R^{pm} to L²(ρ)."""
        flat = np.moveaxis(change, 1, 0).reshape(data.size, -1) * root[:, None]
        return float(np.sqrt(np.linalg.eigvalsh(flat @ flat.T)[-1].clip(0.0)))

    return StepChange(
        (after - loss) / loss,
        -s * float(np.sum(gradient**2)) / loss,
        4.0 * s * slope**2,
        norm(new - old) / slope,
        s * norm(bent) / slope,
        2.0 * s * np.sqrt(loss) * network.curvature_norm(data),
    )


def relative_change(kernel: np.ndarray, before: np.ndarray) -> float:
    """‖K − K_0‖/‖K_0‖ of kernels as operators in L²(ρ) (networks/tangent.py), Frobenius norms."""
    return _ratio(float(np.linalg.norm(kernel - before)), float(np.linalg.norm(before)))


def _ratio(part: float, whole: float) -> float:
    """part/whole; zero, where both are."""
    return part / whole if whole > 0.0 else (0.0 if part == 0.0 else np.inf)
