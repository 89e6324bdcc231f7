"""A step of the variational scheme with entropic transport, fully implicit.

Problem. With the kernel K = exp(−|θ − θ'|²/ε), s = 2Δt/ε, and plans π = diag(u) K diag(a) of marginals p and μ = μ_k,

    min_p  s·(½L[p] + τ∫p log p) + KL(π|K)            (plain),
    min_p  ½L[p] + τ∫p log p + S_ε(p, μ)/(2Δt)        (debiased),   S_ε(p, μ) = OT_ε(p, μ) − ½OT_ε(p, p) − ½OT_ε(μ, μ),

where OT_ε = min ε KL(π|K) is the entropic cost. The plain one holds an entropy of p itself, and blurs by a variance of ε/2 a step
and axis [the smoothing of Peyré, SIAM J. Imaging Sci. 8 (2015) 2323]; the Sinkhorn divergence S_ε does not [Feydy et al.,
AISTATS 2019]. Its gradient in p is that of OT_ε less ε log d, where p = d·K d is the plan of p to itself, so that both cases read

    u = d·exp(−s(Φz + ½λV + τ log p)),   a = μ/(K u),   p = u·K a,   z = Φᵀp − f*,      d = √(d·p/(K d))  (plain: d = 1),

up to the factor of u that its largest entry absorbs. With τ > 0 and q = K a, p = u q gives u^{1+sτ} = d·q^{−sτ}·exp(−s(Φz + ½λV)).

Iteration. The second marginal holds exactly, the others are iterated together; each round applies K three times (plain: twice).
- z, of the r numbers of the compressed features, is the maximiser of the concave dual −s(½|z|² + ⟨z, f*⟩) − ⟨μ, log K u(z)⟩, whose
  gradient is s(Φᵀp − f* − z) and whose Hessian is −s(1 + Δt ∫∇Φᵀ∇Φ dp) up to terms of higher order in Δt: the mass at θ' comes
  from a neighbourhood of variance ε/2, over which Φ varies by ∇Φ. Newton's method with this r × r matrix needs a few iterations where
  alternating between the scalings and the proximal map of L takes 1 + s Cov_p(Φ) times as many. Where the derivative of the dual
  along the step has turned down by OVERSHOT of what it was, the step is halved: a line search on the dual.
- d: the averaged update halves its error at least, as K is positive definite.
- with noise, log u is damped by the factor sτ/(1 + sτ) =: ρ a round, a mapping that is symmetric with spectrum in [0, ρ]; the
  second-order Richardson iteration for this interval takes about the square root of that number of iterations.

A round ends a step where ∑|a·K u − μ| (with the next u) and ∑|d·K d − p| are at most `accuracy`, and the objective does not exceed
its value where nothing moves, p = μ, by more than `accuracy` times the energy's size.

The objective. As p = u·K a and a = μ/(K u) hold exactly, the plan's cost is known exactly, that of μ to itself by duality,

    OT_ε(p, μ) = ε(⟨p, log u⟩ + ⟨μ, log a⟩),      OT_ε(p, p) = ε max_d (2⟨p, log d⟩ − log⟨d, K d⟩)      (mass one),

so that any d gives a lower bound of OT_ε(p, p): with the d at hand, S_ε(p, μ) is bounded from above, and the gain, by which the
objective of p lies below that of p = μ, from below, converged or not. A plain step counts entropy from cells: relative to p ⊗ μ its cost is

    min ∫|θ − θ'|² dπ + ε KL(π | p ⊗ μ) = OT_ε(p, μ) − ε(⟨p, log p⟩ + ⟨μ, log μ⟩) = −ε(⟨p, log K a⟩ + ⟨μ, log K u⟩) ≥ W₂²(p, μ),

and what it minimises is ½L[p] + (τ + ε/2Δt) ∫p log p + that cost/(2Δt): it may raise ½L + τ∫p log p.

Retreat. In cells that are empty and stay so, d tends to zero like one over the number of iterations, and ∑|d·K d − p| gets small long
before: too much mass is left in them. The objective is convex in p; where it is found higher than that of p = μ, d is drawn back
towards the d of μ by RETREAT, as in a line search, and the iterations go on.

Second order. A whole step p and two half steps p̂ have errors in the ratio 2 : 1, in log p as well: p̂²/p, scaled to mass one, is of
second order, and positive. The ratio p̂/p is kept within [1/2, 2], which only empty tails ever leave.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wgf.errors import NotConverged
from wgf.kernels.sums import fill_sums
from wgf.measures.distances.entropic import DOMAINS, TINY, Domain
from wgf.measures.grid import Grid
from wgf.measures.layout import total
from wgf.methods.base import Diagnostics
from wgf.methods.grid_stepper import GridStepper
from wgf.methods.jko.iterations import Momentum, Newton, Noise
from wgf.methods.jko.plans import SERIES, SelfPlan, Start, Step, VariationalState
from wgf.methods.time_steps import equal_steps
from wgf.networks.features import linear_algebra
from wgf.problems.grid_potential import RegressionPotential
from wgf.problems.problem import Problem

SPREAD = 1e-2  # of √(Kμ), which the first d has at least: mass may enter cells that were empty
LARGEST_RATIO = 2.0
RETREAT = 4.0
ROUNDING = 1e-14  # of the logarithms in the objective, and of the mass of a plan
LOST = 1e-3  # of `accuracy`: mass in cells where the scalings have underflown


class Unsound(Exception):
    """The scalings have left the range of their domain."""


class VariationalStepper(GridStepper[VariationalState]):
    """`JKO` with entropic transport. Never stored."""

    def __init__(self, method: Any, problem: Problem, grid: Grid, until: float) -> None:
        super().__init__(method, problem, grid)
        self.tau, self.epsilon = problem.noise, method.epsilon
        self.domains: dict[str, Domain] = {}
        self.network: RegressionPotential | None = None  # the potential, where its features are what Newton's method solves for
        if isinstance(self.potential, RegressionPotential) and self.potential.rank > 0 and not method.linearised:
            self.network = self.potential
        self._allocate()
        steps = math.ceil(until / method.dt - 1e-9)
        self.facts |= {
            "epsilon": method.epsilon,
            "time_step": method.dt,
            "plain_blur": math.sqrt(steps * 0.5 * method.epsilon),  # the standard deviation that the plain scheme adds until the end
        }

    def _allocate(self) -> None:
        """Arrays (rows, columns): of the plan between μ and p, of that of p to itself, and those that each method may overwrite."""
        self.mu, self.u, self.a, self.q, self.p = (np.empty(self.shape) for _ in range(5))
        self.d, self.last_d = (np.empty(self.shape) for _ in range(2))
        self.smoothed, self.spread, self.scratch, self.values, self.exponent = (np.empty(self.shape) for _ in range(5))
        self.ones = np.ones(self.shape)

    def begin(self, time: float, values: np.ndarray) -> VariationalState:
        """A state with these values."""
        return VariationalState(time, values, domain=self.method.domain or "scaling")

    def step(self, state: VariationalState, stop: float) -> Diagnostics:
        """One step of the scheme; all steps up to `stop` are equally long."""
        self.require_fitting(state)
        before, remaining = self.diagnostics(state), stop - state.time
        dt, last = equal_steps(remaining, self.method.dt)
        try:
            taken = self.advanced(state, dt)
        except Unsound:
            self._leave_scalings(state, dt)
            taken = self.advanced(state, dt)
        state.exchange(taken.masses / self.grid.cell_volume)
        state.d = taken.d
        for name in SERIES:
            setattr(state, name, float(getattr(taken, name)))
        state.time = stop if last else state.time + dt
        return before

    def _leave_scalings(self, state: VariationalState, dt: float) -> None:
        """Go on in the log domain, unless the user chose the other; or the numbers themselves are unsound."""
        if self.method.domain is not None or state.domain == "log":
            remedy = 'take domain = "log", a larger epsilon or a smaller dt' if self.method.domain == "scaling" else "look at the potential"
            raise NotConverged(
                f"the scalings over- or underflow at t = {state.time:.6g} with epsilon = {self.epsilon:.3g}, dt = {dt:.3g}: {remedy}"
            ) from None
        state.domain, state.d = "log", None

    def advanced(self, state: VariationalState, dt: float) -> Step:
        """The step of `dt` from a state, of the order asked for."""
        masses = state.array * self.grid.cell_volume
        # one thread for the matrix products: more would stay awake in the way of those of the compiled loops
        with np.errstate(all="ignore"), self.threads, linear_algebra().limit(limits=1):
            guess = np.sqrt(masses) if state.d is None else state.d
            whole = self.solved(masses, dt, state, guess)
            if self.method.order == 2:
                half = self.solved(masses, 0.5 * dt, state, guess)
                half = self.solved(half.masses, 0.5 * dt, state, half.d)
                ratio = np.divide(half.masses, whole.masses, out=np.ones(self.shape), where=whole.masses > 0)
                whole.masses = half.masses * np.clip(ratio, 1 / LARGEST_RATIO, LARGEST_RATIO)
                whole.masses *= masses.sum() / whole.masses.sum()
                whole.residual, whole.iterations = max(whole.residual, half.residual), whole.iterations + half.iterations
        return whole

    def solved(self, masses: np.ndarray, dt: float, state: VariationalState, guess: np.ndarray) -> Step:
        """The minimiser p for μ = `masses`, its d guessed; see the module's text.

        Raises Unsound where the domain's range is left, NotConverged where `iterations` of them are not enough.
        """
        name, method = state.domain, self.method
        if name not in self.domains:
            self.domains[name] = DOMAINS[name](self.potential, self.epsilon)
        domain, mass, strength = self.domains[name], float(masses.sum()), 2.0 * dt / self.epsilon
        domain.given(masses, self.mu)
        self._freeze_at(masses)
        network = self.network
        newton = None if network is None else Newton(network.residual, dt * network.response(self.values))
        energy = self._energy(masses)
        size = self.problem.energy.scale + abs(energy)
        share = min(1.0, max(size * strength, ROUNDING / method.accuracy))
        own = self._self_plan(domain, masses, self.mu, domain.given(np.maximum(guess, TINY), np.empty(self.shape)), share)
        start = Start(masses, dt, own, share, energy, method.accuracy * size)
        self._begin_iteration(domain, own.d)
        noise, momentum = Noise(strength * self.tau), Momentum()
        own_error = residual = math.inf
        step = None
        for count in range(1, method.iterations + 1):
            if network is not None and newton is not None:
                network.express(newton.z)
            self._fill_u(domain, noise, strength)
            domain.smooth(self.u, self.smoothed)
            if count > 1:
                settled = domain.masses(domain.product(self.a, self.smoothed, self.scratch), self.scratch)
                settled *= mass / settled.sum()
                residual = max(own_error, float(np.abs(np.subtract(settled, masses, out=settled)).sum()) / mass)
            self._fill_plan(domain, mass)
            if residual <= method.accuracy:
                step = self._finished(domain, start, residual, count)
                if step.gain >= -step.tolerance:
                    return step
                if self._retreat(domain, own.d, step.masses, share * method.accuracy * mass):
                    momentum, own_error = Momentum(), math.inf
                    continue
            plan = domain.masses(self.p, self.scratch)
            if network is not None and newton is not None and not newton.moved(self._moments(network, plan) - network.target - newton.z):
                continue
            own_error = self._balance(domain, plan, momentum) / mass if method.debiased else 0.0
        raise NotConverged(self._unfinished(step, residual, dt, state.time))

    def _unfinished(self, step: Step | None, residual: float, dt: float, time: float) -> str:
        """Why a step of `dt` has not ended: its marginals, or the objective of the last `step` whose marginals were good enough."""
        text = f"the step of dt = {dt:.3g} at t = {time:.6g} did not converge in {self.method.iterations} iterations: with epsilon = "
        if step is None:
            return (
                f"{text}{self.epsilon:.3g} the plan's marginals are off by {residual:.2g} (accuracy {self.method.accuracy:g}); take a "
                "larger epsilon, a smaller dt, a looser accuracy, or more iterations"
            )
        return (
            f"{text}{self.epsilon:.3g} it raises its objective by {-step.gain:.2g}, more than the {step.tolerance:.2g} of its accuracy; "
            "take smaller cells, a longer dt, or more iterations"
        )

    def _self_plan(self, domain: Domain, masses: np.ndarray, target: np.ndarray, d: np.ndarray, share: float) -> SelfPlan:
        """The plan of `masses`, in the domain `target`, to themselves: d·K d = target up to a share of `accuracy`; d, a guess, is moved."""
        domain.smooth(d, self.smoothed)
        for _ in range(self.method.iterations):
            domain.balanced(d, target, self.smoothed, d)
            domain.smooth(d, self.smoothed)
            plan = domain.masses(domain.product(d, self.smoothed, self.scratch), self.scratch)
            held = float(plan.sum())
            if float(np.abs(np.subtract(plan, masses, out=self.scratch)).sum()) <= share * self.method.accuracy * masses.sum():
                break
        return SelfPlan(d, held)

    def _energy(self, masses: np.ndarray) -> float:
        """½L + τ∫p log p, with ∫G(·; μ) dp in place of ½L where G is frozen."""
        self._take(masses)
        if self.network is not None:
            energy = 0.5 * self.potential.update(self.values, self.sums)
        else:
            self.potential.fill(self.scratch)
            energy = total(self.scratch, masses)
        return energy + self.tau * total(masses, np.log(np.maximum(self.values, TINY)))

    def _begin_iteration(self, domain: Domain, own: np.ndarray) -> None:
        """The first d, that of μ, and the first q, Kμ/d: about what they are where nothing moves, and positive everywhere."""
        domain.smooth(self.mu, self.smoothed)
        np.copyto(self.d, domain.widened(own, self.smoothed, SPREAD) if self.method.debiased else domain.given(self.ones, self.scratch))
        domain.quotient(self.smoothed, self.d, self.q)

    def _freeze_at(self, masses: np.ndarray) -> None:
        """G(·; μ) in the potential."""
        self._take(masses)
        self.potential.update(self.values, self.sums)

    def _moments(self, network: RegressionPotential, masses: np.ndarray) -> np.ndarray:
        """Φᵀp."""
        self._take(masses)
        network.project(self.values, self.sums)
        return network.moments

    def _take(self, masses: np.ndarray) -> None:
        """The density of the masses in `values`, and its row sums."""
        np.divide(masses, self.grid.cell_volume, out=self.values)
        fill_sums(self.sums, self.values, self.potential.multiplier, self.potential.along)

    def _fill_u(self, domain: Domain, noise: Noise, strength: float) -> None:
        """Fill u, from d, G and, with noise, q."""
        self.potential.fill(self.exponent)
        self.exponent *= -strength * noise.share
        if noise.damping:
            self.exponent += noise.share * domain.logarithm(self.d)
            self.exponent -= noise.damping * domain.logarithm(self.q)
            domain.tilted(domain.given(self.ones, self.scratch), noise.accelerated(self.exponent), self.u)
        else:
            domain.tilted(self.d, self.exponent, self.u)

    def _fill_plan(self, domain: Domain, mass: float) -> None:
        """Fill a = μ/(K u), q = K a, p = u·q, from u and `smoothed` = K u."""
        domain.quotient(self.mu, self.smoothed, self.a)
        domain.smooth(self.a, self.q)
        domain.product(self.u, self.q, self.p)
        if not (domain.sound(self.a) and domain.sound(self.p)):
            raise Unsound
        if self.tau and domain.lost(self.u, self.q) > LOST * self.method.accuracy * mass:
            raise Unsound

    def _balance(self, domain: Domain, masses: np.ndarray, momentum: Momentum) -> float:
        """One round of d; the error ∑|d·K d − p| that it had, for the masses of p."""
        domain.smooth(self.d, self.smoothed)
        own = domain.masses(domain.product(self.d, self.smoothed, self.spread), self.spread)
        error = float(np.abs(np.subtract(own, masses, out=self.spread)).sum())
        domain.balanced(self.d, self.p, self.smoothed, self.d)
        weight = momentum.weight(error)
        if weight is not None:
            np.copyto(self.spread, self.d)
            if weight > 0:
                domain.extrapolated(self.d, self.last_d, weight)
            np.copyto(self.last_d, self.spread)
        return error

    def _retreat(self, domain: Domain, own: np.ndarray, masses: np.ndarray, least: float) -> bool:
        """Draw d back by RETREAT where it exceeds that of μ by more; whether such cells hold more than `least` of the masses of p."""
        beyond = domain.logarithm(domain.quotient(self.d, own, self.spread)) > math.log(RETREAT)
        if not self.method.debiased or float(masses[beyond].sum()) <= least:
            return False
        np.copyto(self.d, domain.tilted(self.d, np.where(beyond, -math.log(RETREAT), 0.0), self.spread))
        return True

    def _finished(self, domain: Domain, start: Start, residual: float, count: int) -> Step:
        """The step, from the arrays as they are; see the module's text for its numbers."""
        debiased, own, before, mass = self.method.debiased, start.own, start.masses, float(start.masses.sum())
        weight = self.epsilon / (2.0 * start.dt)
        after = np.array(domain.masses(self.p, self.scratch))
        after *= mass / after.sum()
        relative = -weight * (over(after, domain.logarithm(self.q)) + over(before, domain.logarithm(self.smoothed)))
        mine = self._self_plan(domain, after, self.p, self.d.copy(), start.share) if debiased else SelfPlan(self.d, mass)
        excess = 0.5 * (own.excess(mass) + mine.excess(mass)) if debiased else own.excess(mass)
        at_p = domain.logarithm(domain.quotient(self.u, mine.d, self.spread))
        at_mu = domain.logarithm(domain.quotient(self.a, own.d, self.spread)) - (0.0 if debiased else domain.logarithm(own.d))
        cost = weight * (over(after, at_p) + over(before, at_mu) + excess)
        rounding = ROUNDING * weight * (over(after, np.abs(at_p)) + over(before, np.abs(at_mu)))
        gain = start.energy - self._energy(after) - cost
        d_of_p = np.array(domain.masses(mine.d, self.scratch)) if debiased else np.sqrt(after)
        return Step(after, d_of_p, max(cost if debiased else relative, 0.0), gain, residual, count, start.tolerance + rounding)

    def diagnostics(self, state: VariationalState) -> Diagnostics:
        """The diagnostics of `state`."""
        volume, values = self.grid.cell_volume, state.array
        self.fill_sums(self.sums, values)
        with self.threads:
            loss = self.potential.update(values, self.sums)
        self.potential.fill(self.exponent)
        energy = 0.5 * loss
        if self.tau:
            logarithms = np.log(np.maximum(values, TINY))
            energy += self.tau * total(values, logarithms) * volume
            self.exponent += self.tau * logarithms
        dissipation = self._dissipation(values, self.exponent) * volume
        mass, boundary = float(self.sums[0].sum()) * volume, self.boundary(values, self.sums)
        extra = {name: getattr(state, name) for name in SERIES}
        return Diagnostics(state.time, loss, energy, dissipation, mass, float(values.min()), boundary, extra)

    def _dissipation(self, values: np.ndarray, xi: np.ndarray) -> float:
        """Σ_faces ½(μ_i + μ_{i+1})·((ξ_{i+1} − ξ_i)/h)², of second order."""
        values, xi = values.reshape(self.potential.shape), xi.reshape(self.potential.shape)
        dissipation = 0.0
        for axis, (per_h, periodic) in enumerate(zip(self.per_spacing, self.periodic, strict=True)):
            ahead = [np.roll(array, -1, axis) if periodic else np.delete(array, 0, axis) for array in (values, xi)]
            here = [array if periodic else np.delete(array, -1, axis) for array in (values, xi)]
            dissipation += 0.5 * float(np.sum((here[0] + ahead[0]) * (ahead[1] - here[1]) ** 2)) * per_h**2
        return dissipation


def over(masses: np.ndarray, logarithms: np.ndarray) -> float:
    """⟨p, log v⟩ over the cells that have mass: in the others log v may be no number."""
    return total(masses, np.where(masses > 0, logarithms, 0.0))
