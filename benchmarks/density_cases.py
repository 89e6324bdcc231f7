"""The problems of density_times.py, and their solves by another version of wgf.

    (c, a)       tanh neurons, target 1.5 tanh 3x − tanh 0.8x on 40 nodes, Gaussian start of width 0.4, t = 5
    (c, a, b)    the same target, Gaussian start of width 0.3, t = 2

Another version is a checkout of the repository at an earlier commit, for instance

    git worktree add ../wgf-before 7f859b6        (the last commit before sharper values became the default)

It solves in a process of its own, which waits between its solves, so that both versions can be timed in turn. That process is this file
as a program: it reads a line for each solve, and answers with one. Hence nothing here may ask more of wgf than that commit has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import numpy as np

import wgf

DATA = wgf.Data.quadrature(lambda x: 1.5 * np.tanh(3 * x) - np.tanh(0.8 * x), -1, 1, 40)


@dataclass(frozen=True)
class Case:
    """Tanh neurons from a Gaussian law, on a box."""

    theta: tuple[str, ...]
    mean: tuple[float, ...]
    sigma: float
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    until: float

    def solved(self, method: Any) -> wgf.Run:
        """The run, with its start and its end."""
        law = wgf.Gaussian(self.mean, (self.sigma,) * len(self.theta))
        problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=self.theta), DATA), law)
        return wgf.solve(problem, method, self.until, save=2)

    def method(self, n: int, **options: Any) -> wgf.FiniteVolume:
        """Finite volumes with n cells an axis."""
        return wgf.FiniteVolume((n,) * len(self.theta), self.lower, self.upper, **options)


PLANE = Case(("c", "a"), (0.2, 0.5), 0.4, (-3.5, -3.0), (4.5, 4.5), 5.0)
SPACE = Case(("c", "a", "b"), (0.2, 0.5, 0.1), 0.3, (-2.0, -2.0, -2.5), (3.0, 3.0, 2.5), 2.0)


class OtherVersion:
    """Finite volumes as a checkout of wgf has them by default."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout.resolve()
        self.name = self.checkout.name
        if not (self.checkout / "wgf").is_dir():
            raise SystemExit(f"{self.checkout} has no folder wgf: give a checkout of the repository")
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(self.checkout), "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip

    def __enter__(self) -> OtherVersion:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.communicate()

    def solve(self, case: Case, n: int) -> None:
        """Solve on n cells an axis."""
        self._ask(case, n, None)

    def averages(self, case: Case, n: int) -> np.ndarray:
        """The averages at the end of such a solve."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "averages.npy"
            self._ask(case, n, str(path))
            result: np.ndarray = np.load(path)
            return result

    def _ask(self, case: Case, n: int, path: str | None) -> None:
        """Have it solve, and write the last averages to a file if one is given."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"case": asdict(case), "n": n, "path": path}) + "\n")
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise SystemExit(f"the version of wgf in {self.checkout} has not solved {n} cells an axis; what it says stands above")


def serve() -> None:
    """Be the other version: solve what is asked for, line by line."""
    for line in sys.stdin:
        request = json.loads(line)
        case = Case(**{key: tuple(value) if isinstance(value, list) else value for key, value in request["case"].items()})
        density = case.solved(case.method(request["n"])).measures[-1]
        if request["path"]:
            np.save(request["path"], density.values)
        print("solved", flush=True)


if __name__ == "__main__":
    serve()
