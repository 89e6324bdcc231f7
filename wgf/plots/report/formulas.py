"""The problem of a run in sentences and in formulas, which a browser sets by itself (MathML).

Formulas are written as symbols between spaces: words and letters, numbers, and signs; x_i and x^2 carry an index and a power.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

from wgf.errors import InputError
from wgf.measures.measure import Cloud
from wgf.networks.neuron import Neuron
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.problems.schema import parse
from wgf.registers import listed
from wgf.runs.run import Run

NUMBER, WORD = re.compile(r"−?[\d.]+(e[-+]?\d+)?"), re.compile(r"[^\W\d]\w*′?")
MOST_COORDINATES = 8  # that are named
FLOWS = {  # by the geometry of a run, in which E falls as fast as it can
    "fisher-rao": "∂_t μ = − 2 ( G − ∫ G d μ ) μ",
    "wasserstein-fisher-rao": "∂_t μ = div ( μ ∇ G ) − 2 r ( G − ∫ G d μ ) μ",
    "euclidean": "∂_t μ = − 2 ( G − mean G ) + projection onto μ ≥ 0",
}


def mathml(text: str) -> Markup:
    """A formula as MathML."""
    return Markup("<math>{}</math>").format(Markup("").join(map(_symbol, text.split())))


def _symbol(text: str) -> Markup:
    """One symbol with its index and its power."""
    base, _, rest = text.partition("_")
    low, _, high = rest.partition("^") if rest else (("", "", base.partition("^")[2]))
    base = base if rest or not high else base.partition("^")[0]
    parts = [Markup("{}").format(_atom(part)) for part in (base, low, high) if part]
    tag = {(False, False): "", (True, False): "msub", (False, True): "msup", (True, True): "msubsup"}[bool(low), bool(high)]
    return Markup(f"<{tag}>{{}}</{tag}>").format(Markup("").join(parts)) if tag else parts[0]


def _atom(text: str) -> Markup:
    tag = "mn" if NUMBER.fullmatch(text) else "mi" if WORD.fullmatch(text) else "mo"
    size = ' stretchy="false"' if tag == "mo" else ""
    return Markup(f"<{tag}{size}>{{}}</{tag}>").format(escape(text))


def story_of(run: Run) -> tuple[list[str], list[tuple[str, Markup]]]:
    """Sentences, and formulas with what each is."""
    if not run.knows_problem:
        missing = run.attributes.get("problem_missing") or "all of it"
        return [str(run.attributes["problem_summary"]), f"The file does not hold {missing}."], [("the flow", mathml(_flow(run)))]
    sentences, formulas = _of_problem(run.problem)
    sentences.append(f"It is followed up to t = {run.times[-1]:g} by {run.method}.")
    formulas.append(("the flow", mathml(_flow(run))))
    if isinstance(run.measures[-1], Cloud):
        noise = " + √(2τ) d B_j" if run.attributes["temperature"] > 0 else ""
        formulas.append(("each neuron", mathml(f"d θ_j = − ∇ G ( θ_j ; μ ) d t{noise}")))
    if run.attributes["temperature"] > 0:
        sentences.append(f"The noise has the temperature τ = {run.attributes['temperature']:g}.")
    return sentences, formulas


def story_of_text(attributes: dict[str, Any]) -> tuple[list[str], list[tuple[str, Markup]]]:
    """The same from the text that a study keeps of its problem; in one line where that lacks something, such as a file of data."""
    summary, text = str(attributes.get("problem_summary", "")), str(attributes.get("problem", ""))
    try:
        if "file" in parse(text, "the problem").values.get("data", {}):
            return [summary], []
        problem = Problem.from_text(text)
    except InputError:
        return [summary], []
    return _of_problem(problem)


def _of_problem(problem: Problem) -> tuple[list[str], list[tuple[str, Markup]]]:
    """Its energy, and the initial law."""
    sentences, formulas = _of_network(problem.energy) if isinstance(problem.energy, RegressionEnergy) else _of_interaction(problem)
    names = f" = ({_listed(problem.axis_names(problem.dim))})" if problem.dim else ""
    return [*sentences, f"At t = 0, θ{names} has the law {problem.initial!r}."], formulas


def _listed(names: Any) -> str:
    return ", ".join(names) if len(names) <= MOST_COORDINATES else listed([*names[:2], "…", names[-1]])


def _of_network(energy: RegressionEnergy) -> tuple[list[str], list[tuple[str, Markup]]]:
    data, strength = energy.data, energy.penalty.strength
    inputs = f"{data.dim} input{'s' if data.dim > 1 else ''}"
    sentences = [f"A shallow network with infinitely many neurons, whose law is μ, learns {data.size:,} data with {inputs}."]
    formulas = [("a neuron", mathml(_neuron(energy.neuron))), ("the network", mathml("φ_μ ( x ) = ∫ g ( θ ; x ) μ ( d θ )"))]
    power = "| θ |^2" if energy.penalty.function is None else "V"
    penalty, half = (f" + {strength:g} ∫ {power} d μ", f" + {0.5 * strength:g} {power}") if strength else ("", "")
    formulas.append(("the loss", mathml(f"L [ μ ] = ‖ φ_μ − f^* ‖^2{penalty}")))
    formulas.append(("its potential", mathml(f"G ( θ ; μ ) = ⟨ g ( θ ) , φ_μ − f^* ⟩{half}")))
    return sentences, formulas


def _neuron(neuron: Any) -> str:
    """g with the numbers of what is fixed."""
    if not isinstance(neuron, Neuron):
        return "g ( θ ; x )"
    fixed = {"c": 1.0, "b": 0.0, **neuron.fixed}

    def symbol(name: str) -> str:
        letter, digits = name[0], name[1:]
        return (f"{letter}_{digits}" if digits else letter) if name in neuron.theta else f"{fixed[name]:g}".replace("-", "−")

    weights = [name for name in neuron.coordinates if name[0] == "a"]
    if len(weights) <= 3:
        terms = [f"{symbol(name)} {'x_' + name[1:] if name[1:] else 'x'}" for name in weights]
    else:
        terms = [f"{symbol(weights[0])} x_1", "…", f"{symbol(weights[-1])} x_{len(weights)}"]
    if "b" in neuron.theta or fixed["b"]:
        terms.append(symbol("b"))
    outer = f"{symbol('c')} · " if "c" in neuron.theta or fixed["c"] != 1.0 else ""
    return f"g ( θ ; x ) = {outer}{neuron.sigma.name} ( {' + '.join(terms)} )"


def _of_interaction(problem: Problem) -> tuple[list[str], list[tuple[str, Markup]]]:
    sentences = [f"Particles with the law μ move down the gradient of their energy, {problem.energy!r}."]
    energy = "E [ μ ] = ∫ V d μ + ½ ∬ W ( θ − θ′ ) μ ( d θ ) μ ( d θ′ ) + ∫ U ( μ )"
    return sentences, [("the energy", mathml(energy)), ("its potential", mathml("G = V + W ∗ μ"))]


def _flow(run: Run) -> str:
    """The equation that is solved."""
    if (geometry := str(run.attributes.get("geometry", ""))) in FLOWS:
        return FLOWS[geometry]
    internal = getattr(run.problem.energy, "internal", None) if run.knows_problem else None
    noise = f" + {run.attributes['temperature']:g} Δ μ" if run.attributes["temperature"] > 0 else ""
    if internal is not None and not noise:
        return "∂_t μ = div ( μ ∇ ( G + U′ ( μ ) ) )"
    growth = f" − {run.attributes['growth']:g} G μ" if run.attributes.get("growth") else ""
    return f"∂_t μ = div ( μ ∇ G ){noise}{growth}"
