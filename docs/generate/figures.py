"""The figures that wgf draws, one of each kind: `make gallery` draws them and those of the scripts, small enough to be stored.

python docs/generate/figures.py           all
python docs/generate/figures.py Run disc  some: kinds of results, or names of scripts
"""

from __future__ import annotations

import ast
import runpy
import sys
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

if __package__ in (None, ""):
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import wgf
from generate import ROOT

PICTURES = ROOT / "docs" / "pictures" / "gallery"
WIDTH, COLOURS = 1000, 128  # pixels, and colours of the palette of a stored picture
DATA = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.tanh(x), lower=-1, upper=1, nodes=40)
PROBLEM = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), DATA), wgf.Gaussian([0.2, 0.5], 0.4), title="tanh student")
GRID = wgf.FiniteVolume((128, 128), (-3.5, -3), (4.5, 4.5))
LINE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("identity", ("a",)), DATA, 0.3), wgf.Gaussian([0.0], [0.5]))


def run() -> Any:
    """Densities at four times, the loss, and the fit."""
    return wgf.solve(PROBLEM, GRID, until=10.0)


def comparison() -> Any:
    """Distances of m neurons from the limit, with the rates that theory gives."""
    return wgf.compare(PROBLEM, GRID, 5.0, (64, 256, 1024), 8, save=3, workers=1)


def certificate() -> Any:
    """How far each frame is from the global minimum, and where mass is missing."""
    return wgf.certify(run())


def pair() -> Any:
    """Two runs, time by time."""
    return wgf.compare_runs(run(), wgf.solve(PROBLEM, wgf.Particles(2000), until=10.0))


def lazy() -> Any:
    """Networks from the lazy regime to mean field."""
    return wgf.lazy(PROBLEM, (64, 256, 1024), (0.5, 0.75, 1.0), replicates=8, workers=1)


def steps() -> Any:
    """Gradient descent of several step sizes and batches beside the flow."""
    return wgf.compare_steps(PROBLEM, 1.0, 100, (0.05, 0.1, 0.2), (None, 1, 8), replicates=8, workers=1)


def rate() -> Any:
    """How fast the loss falls, beside the bound that is known."""
    found = wgf.solve(LINE, wgf.QuantileJKO(200, -4, 4, dt=0.25), until=8.0, save=9)
    return wgf.convergence_rate(found, limit=float(found.loss[-1]) * (1 - 1e-3))


def convexity() -> Any:
    """The loss along the mixture and the displacement between two minima."""
    mu, nu = (wgf.Cloud([[sign * 1.0, sign * 2.0]], [1.0]) for sign in (1, -1))
    return wgf.convexity(PROBLEM.energy, mu, nu)


def sweep() -> Any:
    """What a problem comes to over the values of some of its keys."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "problem.toml")
        path.write_text(resources.files("wgf.cli").joinpath("examples/student.toml").read_text(encoding="utf-8"), encoding="utf-8")
        over = {"penalty.strength": [0.0, 0.003, 0.01, 0.03, 0.1], "method.name": ["characteristics", "particles"]}
        return wgf.sweep(path, over, {"time.end": 5.0}, workers=1)


FIGURES: dict[str, Callable[[], Any]] = {
    "Run": run,
    "Comparison": comparison,
    "Certificate": certificate,
    "Pair": pair,
    "LazyStudy": lazy,
    "StepComparison": steps,
    "ConvergenceRate": rate,
    "Convexity": convexity,
    "Sweep": sweep,
}


def stored(picture: Path, name: str) -> None:
    """Keep a picture, no wider than a page and with few colours."""
    from PIL import Image

    image = Image.open(picture).convert("RGB")
    image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    PICTURES.mkdir(parents=True, exist_ok=True)
    image.quantize(COLOURS).save(PICTURES / f"{name}.png", optimize=True)


def draw(name: str) -> None:
    """Draw the figure of a kind of result, or let a script draw its own."""
    with tempfile.TemporaryDirectory() as folder:
        if name in FIGURES:
            picture = Path(folder, f"{name}.png")
            FIGURES[name]().plot(picture)
        else:
            import os

            os.chdir(folder)
            runpy.run_path(str(ROOT / "solvers" / f"{name}.py"), run_name="__main__")
            picture = Path(folder, f"{name}.png")
        stored(picture, name)


def pages() -> dict[str, str]:
    """A page with all kinds."""
    parts = ["# Figures\n\nWhat `plot` draws, of each kind of result, in colours for any colour vision, and on paper without them.\n"]
    for name, make in FIGURES.items():
        text = (make.__doc__ or "").strip()
        parts.append(f"## {name}\n\n{text}\n\n![{text}](../pictures/gallery/{name}.png)\n")
    return {"figures.md": "\n".join(parts)}


def scripts() -> list[str]:
    """The scripts that draw a picture of their own name."""
    return [
        p.stem for p in sorted((ROOT / "solvers").glob("*.py")) if f"{p.stem}.png" in (ast.get_docstring(ast.parse(p.read_text())) or "")
    ]


if __name__ == "__main__":
    for wanted in sys.argv[1:] or [*FIGURES, *scripts()]:
        draw(wanted)
