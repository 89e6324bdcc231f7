"""Problem files drawn by chance, each of which is meant: an energy, a law, a grid and a method that fit together.

`drawn(seed)` is the text of one, small enough to be solved in a moment. A problem is told by its seed, which makes it again.
"""

from __future__ import annotations

import numpy as np

AXES = {1: (["a"], ["a", "b"], ["c", "a"], ["c", "a", "b"], ["c", "b"]), 2: (["a1", "a2"], ["c", "a1", "a2"], ["c", "a1", "b"])}
ACTIVATIONS = ("tanh", "sigmoid", "erf", "softplus", "gaussian", "cosine", "relu", "ramp", "identity")
CELLS = {1: 24, 2: 12, 3: 7}  # most of them on an axis
FLUID = ("fipy", "wasserstein-fisher-rao", "mirror-descent", "jko", "quantile-jko")
NETWORK = (*FLUID, "finite-volume", "finite-volume", "finite-volume", "particles", "particles", "characteristics", "pushforward")
INTERACTION = ("finite-volume", "finite-volume", "jko", "particles", "fipy", "wasserstein-fisher-rao")
SMOOTH = ("tanh", "sigmoid", "erf", "softplus", "gaussian", "cosine", "identity")  # what characteristics and exact densities follow soon


class Draw:
    """Chance, with the words for it that texts of problems need."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def one_of(self, choices):
        return choices[self.rng.integers(len(choices))]

    def happens(self, probability):
        return self.rng.random() < probability

    def number(self, lower, upper):
        return round(float(self.rng.uniform(lower, upper)), 3)

    def scale(self, lower, upper):
        """Of any size between the two."""
        return float(f"{np.exp(self.rng.uniform(np.log(lower), np.log(upper))):.3g}")

    def numbers(self, count, lower, upper):
        return [self.number(lower, upper) for _ in range(count)]


def drawn(seed: int) -> str:
    """The text of the problem of this seed."""
    draw = Draw(seed)
    tables = _interaction(draw) if draw.happens(0.15) else _network(draw)
    return "\n".join(f"[{name}]\n" + "\n".join(f"{key} = {_text(value)}" for key, value in table.items()) for name, table in tables.items())


def _text(value) -> str:
    """As TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_text(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _network(draw: Draw) -> dict[str, dict]:
    dim = draw.one_of((1, 1, 1, 2))
    theta = draw.one_of(AXES[dim])
    name = draw.one_of(NETWORK)
    if name == "quantile-jko":
        dim, theta = 1, ["a"]
    if len(theta) == 3 and name in ("jko", "pushforward"):
        theta = theta[:2] if dim == 1 else ["a1", "a2"]
    activation = draw.one_of(SMOOTH if name in ("characteristics", "pushforward") else ACTIVATIONS)
    neuron: dict = {"activation": activation, "theta": theta}
    if dim == 2 and "a2" not in theta:
        neuron["fixed"] = {"a2": draw.number(-1, 1)}
    if theta == ["c", "b"]:
        neuron["fixed"] = {"a": draw.number(-2, 2)}
    tables = {"neuron": neuron, "data": _data(draw, dim), "penalty": {"strength": draw.one_of((0.0, draw.scale(1e-3, 1)))}}
    noise = 0.0 if name in ("characteristics", "pushforward") or draw.happens(0.6) else draw.scale(1e-3, 0.5)
    return tables | _rest(draw, name, len(theta), noise)


def _data(draw: Draw, dim: int) -> dict:
    teacher = [
        {"c": draw.number(-2, 2), "a": draw.numbers(dim, -3, 3), "b": draw.number(-1, 1)} for _ in range(int(draw.rng.integers(1, 4)))
    ]
    inputs: dict = {"lower": [-1] * dim, "upper": [1] * dim} if draw.happens(0.7) else {"mean": [0] * dim, "std": [1] * dim}
    law = "uniform" if "lower" in inputs else "gaussian"
    if draw.happens(0.5):
        inputs = {"law": "samples", "count": int(draw.rng.integers(1, 60)), "seed": int(draw.rng.integers(100))} | inputs
    else:
        inputs = {"law": law, "nodes": int(draw.rng.integers(1, 8 if dim == 2 else 24))} | inputs
    return {"inputs": inputs, "teacher": teacher}


def _interaction(draw: Draw) -> dict[str, dict]:
    axes = draw.one_of((["x"], ["x", "y"]))
    name = draw.one_of(INTERACTION)
    energy: dict = {"kind": "interaction", "axes": axes, "V": " + ".join(f"{draw.number(0.1, 2)}*{axis}^2" for axis in axes)}
    if draw.happens(0.3):
        energy["V"] = f"{draw.number(0.1, 1)}*({axes[0]}^2 - 1)^2 + {draw.number(0.1, 1)}*r^2"
    if draw.happens(0.7):
        energy["W"] = draw.one_of(
            (
                {"potential": "quadratic", "strength": draw.number(0.1, 2)},
                {"potential": "gaussian", "strength": draw.number(-1, 1), "width": draw.number(0.4, 2)},
                {"potential": "morse", "repulsion": 1.0, "repulsion_length": 0.5, "attraction": 0.6, "attraction_length": 2.0},
            )
        )
    if name == "finite-volume" and draw.happens(0.3):
        energy["U"] = {"kind": "porous-medium", "kappa": draw.number(0.05, 1), "q": draw.one_of((2, 3))}
    noise = 0.0 if "U" in energy or draw.happens(0.5) else draw.scale(1e-2, 0.5)
    return {"energy": energy} | _rest(draw, name, len(axes), noise, interacts=True)


def _rest(draw: Draw, name: str, p: int, noise: float, interacts: bool = False) -> dict[str, dict]:
    """The noise, the law, the grid, the method and the times."""
    tables: dict[str, dict] = {"noise": {"temperature": noise}, "initial": _law(draw, p)}
    method: dict = {"name": name}
    if name == "particles":
        method |= {"m": int(draw.rng.integers(1, 40)), "seed": int(draw.rng.integers(100))}
        if noise or draw.happens(0.4):
            method["step"] = draw.scale(1e-3, 0.05)
    elif name == "characteristics":
        method["nodes"] = int(draw.rng.integers(2, 8))
    else:
        tables["domain"] = _domain(draw, name, p)
    if name == "finite-volume":
        method |= {"limiter": draw.one_of(("mp7", "mp5", "mc", "minmod", "van-leer", "upwind"))}
        method |= {"integrator": draw.one_of(("ssprk43", "ssprk3") if method["limiter"].startswith("mp") else ("ssprk3", "ssprk2"))}
    elif name == "mirror-descent" and not noise and draw.happens(0.3):
        method["bregman"] = "euclidean"
    elif name == "jko" and interacts:
        method["linearised"] = True
    end = draw.scale(1e-3, 0.02 if name == "jko" else 0.5)
    return tables | {"method": method, "time": {"end": end, "save": int(draw.rng.integers(2, 5))}}


def _law(draw: Draw, p: int) -> dict:
    plain = draw.one_of(("gaussian", "gaussian", "uniform", "ball", "mixture"))
    if plain == "gaussian":
        return {"law": "gaussian", "mean": draw.numbers(p, -1, 1), "std": draw.numbers(p, 0.3, 0.9)}
    if plain == "uniform":
        return {"law": "uniform", "lower": draw.numbers(p, -2, -0.3), "upper": draw.numbers(p, 0.3, 2)}
    if plain == "ball":
        return {"law": "ball", "center": draw.numbers(p, -0.5, 0.5), "radius": draw.number(0.7, 2)}
    weight = draw.number(0.1, 0.9)
    parts = [{"law": "gaussian", "mean": draw.numbers(p, -1, 1), "std": draw.number(0.3, 0.8)} for _ in range(2)]
    return {"weights": [weight, round(1 - weight, 3)], "law": "mixture", "laws": parts}


def _domain(draw: Draw, name: str, p: int) -> dict:
    if name == "quantile-jko":
        return {"lower": [-3], "upper": [3], "cells": 60}
    cells = [int(draw.rng.integers(CELLS[p] // 2, CELLS[p] + 1)) for _ in range(p)]
    if name == "finite-volume" and draw.happens(0.2):
        return {"spacing": draw.number(0.3, 0.8)}
    domain = {"lower": draw.numbers(p, -6, -4), "upper": draw.numbers(p, 4, 6), "cells": cells}
    if name == "finite-volume" and draw.happens(0.3):
        domain["grow"] = True
    return domain
