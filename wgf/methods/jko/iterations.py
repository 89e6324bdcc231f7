"""The iterations of a variational step: Newton for the features, scalings for the noise, momentum."""

from __future__ import annotations

import math

import numpy as np
from scipy import linalg

OVERSHOT = 0.5
UNSEEN = 1e-24  # of |z|²: a smaller gain of the dual is rounding
CALM = 3  # iterations before the noise is accelerated
PATIENCE = 12  # iterations before d is accelerated


class Newton:
    """The numbers z of the dual, moved by Newton's method; see the module's text. `response` is Δt ∫∇Φᵀ∇Φ dμ, (r, r)."""

    def __init__(self, z: np.ndarray, response: np.ndarray) -> None:
        self.z, self.step, self.gain = z.copy(), np.zeros(len(z)), 0.0
        self.factor = linalg.cho_factor(np.eye(len(z)) + response)

    def moved(self, gradient: np.ndarray) -> bool:
        """Move z for the dual's gradient Φᵀp − f* − z there, (r,); False where the last step had to be halved instead."""
        if gradient @ self.step < -OVERSHOT * self.gain and self.gain > UNSEEN * float(self.z @ self.z):
            self.step, self.gain = 0.5 * self.step, 0.5 * self.gain
            self.z -= self.step
            return False
        self.step = linalg.cho_solve(self.factor, gradient)
        self.gain = float(gradient @ self.step)
        self.z += self.step
        return True


class Noise:
    """The damped iteration of log u for sτ > 0, accelerated; see the module's text."""

    def __init__(self, strength: float) -> None:
        self.share, self.damping = 1.0 / (1.0 + strength), strength / (1.0 + strength)
        self.relaxation = 2.0 / (2.0 - self.damping)
        radius = self.damping / (2.0 - self.damping)
        self.momentum = 2.0 / (1.0 + math.sqrt(1.0 - radius**2))
        self.before: list[np.ndarray] = []  # the last iterates

    def accelerated(self, proposed: np.ndarray) -> np.ndarray:
        """The next log u, where the plain iteration proposes `proposed`."""
        if len(self.before) < CALM:
            iterate = proposed.copy()
        else:
            earlier, last = self.before[-2:]
            iterate = earlier + self.momentum * (last + self.relaxation * (proposed - last) - earlier)
        self.before = [*self.before[-CALM + 1 :], iterate]
        return iterate


class Momentum:
    """Weights of Nesterov's extrapolation of d, where its iteration is slow; begun anew where the error rises."""

    def __init__(self) -> None:
        self.count, self.since, self.error = 0, 0, math.inf

    def weight(self, error: float) -> float | None:
        """The weight of the last change of d; None while d need not be remembered."""
        self.count += 1
        self.since = 0 if error > self.error else self.since + 1
        self.error = error
        if self.count < PATIENCE:
            return None
        if self.count == PATIENCE:
            self.since = 0
        return self.since / (self.since + 3.0)
