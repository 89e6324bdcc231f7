"""Registers: names of things to choose from, and the loader of what they name.

A register maps a name to "module:name". What it names is imported when it is asked for: `import wgf` and `wgf --help` stay fast, and a
layer can hand over to a higher one (a run to its figure) without importing it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from wgf.errors import InputError

MOST_LISTED, FIRST_LISTED = 40, 5  # names in a message
SYNONYMS = (  # words of the field for the same, in small letters with hyphens
    {"gaussian", "normal", "gauss", "rbf", "multivariate-normal"},
    {"uniform", "box", "rectangle", "cube"},
    {"ball", "disc", "disk"},
    {"samples", "points", "empirical", "dirac", "delta", "particles"},
    {"sigmoid", "logistic", "expit"},
    {"relu", "rectifier", "rectified-linear", "hinge"},
    {"identity", "linear"},
    {"cosine", "cos", "sin", "sine"},
    {"ramp", "hardtanh", "hard-tanh", "clip"},
    {"finite-volume", "fv", "fvm", "finite-volumes", "pde", "grid"},
    {"particles", "neurons", "sgd", "gd", "gradient-descent", "langevin", "network"},
    {"mc", "monotonized-central", "monotonised-central", "central"},
    {"mp5", "weno", "weno5", "fifth-order"},
    {"mp7", "seventh-order"},
    {"upwind", "donor-cell", "first-order", "godunov"},
    {"ssprk3", "rk3", "ssp-rk3", "tvd-rk3"},
    {"ssprk43", "rk4", "rk43"},
    {"euler", "forward-euler", "explicit-euler"},
    {"no-flux", "reflecting", "neumann", "closed", "wall", "walls"},
    {"periodic", "torus", "wrap", "cyclic"},
    {"std", "sigma", "standard-deviation", "stdev", "stddev"},
    {"mean", "mu", "loc", "mean-value"},
    {"lower", "low", "min", "minimum", "left"},
    {"upper", "high", "max", "maximum", "right"},
    {"center", "centre"},
    {"end", "until", "t-end", "tmax", "t-max", "t-final", "horizon"},
    {"temperature", "tau", "noise"},
    {"strength", "lambda", "coefficient", "l2", "weight-decay"},
    {"step", "learning-rate", "lr", "eta"},
    {"m", "width", "neurons", "hidden", "size"},
    {"cells", "n", "resolution", "bins"},
    {"spacing", "h", "dx"},
    {"y", "target", "targets", "label", "output"},
    {"x", "input", "inputs", "feature"},
    {"weight", "weights", "w"},
)


class Shown:
    """A thing that a notebook shows as a small table and a picture at the end of a cell."""

    def _repr_html_(self) -> str:
        """Its HTML, as IPython asks for it."""
        result: str = load("wgf.plots.html:as_html")(self)
        return result


def known(word: object, allowed: Iterable[str], what: str) -> str:
    """Return `word` if it is among `allowed`; otherwise raise an InputError that names the nearest allowed word."""
    names = list(allowed)
    if isinstance(word, str) and word in names:
        return word
    raise InputError(f"unknown {what} {word!r}{nearest(word, names)}; allowed: {listed(names)}")


def nearest(word: object, allowed: Iterable[str]) -> str:
    """The words " (did you mean …?)" where an allowed name is like `word`, else nothing."""
    name = meant(word, allowed)
    return f" (did you mean {name!r}?)" if name else ""


def meant(word: object, allowed: Iterable[str]) -> str:
    """The allowed name that is another word for `word`, or resembles it but for capitals and hyphens; empty where none does."""
    names = {_plain(name): name for name in allowed}
    plain = _plain(str(word))
    others = {other for group in SYNONYMS if plain in group for other in group}
    close = [name for name in names if name == plain or name in others] or difflib.get_close_matches(plain, names, n=1, cutoff=0.5)
    return names[close[0]] if close else ""


def listed(names: Sequence[str]) -> str:
    """The names one after another; of many the first ones, the last one, and how many there are."""
    if len(names) <= MOST_LISTED:
        return ", ".join(names)
    return f"{', '.join(names[:FIRST_LISTED])}, …, {names[-1]} ({len(names)} in all)"


def _plain(word: str) -> str:
    return word.lower().replace("_", "-").replace(" ", "-")


def load(target: str) -> Any:
    """What "module:name" names, its module imported if it has not been yet."""
    module, name = target.split(":")
    return getattr(import_module(module), name)
