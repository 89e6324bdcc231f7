"""One step of SciPy's adaptive Runge–Kutta solvers, which are made anew for every step: all that goes from one to the next is its size.

Its sums of stages are matrix products, whose last bit depends on how many threads of BLAS take part: one does here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate

from wgf.errors import StepCollapse
from wgf.networks.features import linear_algebra

SOLVERS: dict[str, Any] = {"DOP853": integrate.DOP853, "RK45": integrate.RK45, "RK23": integrate.RK23}


def solver_step(
    solver: str,
    rate: Callable[[float, np.ndarray], np.ndarray],
    first: np.ndarray,
    time: float,
    values: np.ndarray,
    stop: float,
    proposed: float,
    rtol: float,
    atol: float,
) -> tuple[integrate.OdeSolver, float]:
    """The solver after one accepted step of dy/dt = rate(t, y) from y = `values` (n,) at `time`, not past `stop`; and the size that it
    proposes for the next step.

    first      rate(time, values), which is known already
    proposed   the size for this one; zero: the solver has to find one

    Raises StepCollapse where the solver gives up.
    """
    known = [first]  # what the solver asks for when it is made

    def asked(at: float, y: np.ndarray) -> np.ndarray:
        return known.pop() if known else rate(at, y)

    with linear_algebra().limit(limits=1):
        ode = SOLVERS[solver](asked, time, values, stop, first_step=stop - time if proposed else None, rtol=rtol, atol=atol)
        ode.h_abs = wanted = proposed or ode.h_abs  # longer than what remains, perhaps: the solver itself ends on `stop`
        message = ode.step()
    if ode.status == "failed":
        raise StepCollapse(f"the solver gave up at t = {time:.6g}: {message} Loosen its tolerances, or look at the neuron there.")
    truncated = ode.step_size < wanted and ode.t == stop
    return ode, max(wanted, ode.h_abs) if truncated else ode.h_abs


def release(ode: integrate.OdeSolver) -> None:
    """Let a solver go with its arrays, after which it takes no step. Its functions refer to itself: by themselves, dozens of solvers would
    wait for Python to look for circles.
    """
    for name in ("fun", "fun_single", "fun_vectorized"):
        delattr(ode, name)
