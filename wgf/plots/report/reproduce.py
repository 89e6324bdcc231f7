"""What makes a result again: the problem file and the commands, or, for what was built in Python, a few lines of it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.methods import METHODS, method_class
from wgf.problems.schema import parse
from wgf.runs.run import Run
from wgf.studies.lazy.study import LazyStudy
from wgf.studies.sweeps.comparison import Comparison
from wgf.studies.sweeps.over_settings import Sweep

OF_METHODS = ("m", "seed", "step")  # options of wgf run that are those of methods
CALL = re.compile(r"[A-Z]\w*\(.*\)")


@dataclass(frozen=True)
class Recipe:
    """The name and the text of the problem file, what to do with it, and what to know."""

    file: str
    text: str
    lines: Sequence[str]
    note: str = ""


def recipe_of_run(run: Run) -> Recipe:
    """`wgf run`, with the options that its problem file does not say; in Python for a problem that has no such file."""
    stem, text = _stem(run.path, "run"), str(run.attributes["problem"])
    root = _tables(text)
    if "time" in root or "method" in root or "domain" in root:
        options = _options(run.attributes, run.options, root, float(run.times[-1]), run.status == "complete")
        return Recipe(f"{stem}.toml", text, [shlex.join(["wgf", "run", f"{stem}.toml", "-o", f"{stem}.h5", *options])], _of_data(root))
    if run.path is None:
        return Recipe("", text, [], "This run was made in Python and is in no file.")
    given = "" if run.knows_problem else ", problem"
    note = "" if run.knows_problem else f"Its file does not hold {run.attributes.get('problem_missing')}: `problem` is what the script had."
    solved = f"run = wgf.solve(problem, {_method(run)}, until={run.times[-1]:g}, save={_save(run.times)})"
    lines = ["import wgf", *([] if given else [f"problem = wgf.open_run({run.path.name!r}).problem"]), solved]
    return Recipe("", text, lines, note)


def recipe_of_comparison(comparison: Comparison) -> Recipe:
    """`wgf compare`."""
    sizes = list(map(str, comparison.sizes))
    words = ["--sizes", *sizes, "--replicates", str(comparison.replicates), "--seed", str(comparison.attributes.get("seed", 0))]
    return _of_study("compare", comparison.attributes, words)


def recipe_of_lazy(study: LazyStudy) -> Recipe:
    """`wgf lazy`."""
    words = ["--sizes", *map(str, study.sizes), "--exponents", *_unlike(study.exponents), "--scales", *_unlike(study.factors)]
    words += ["--replicates", str(study.replicates), "--seed", str(study.attributes.get("seed", 0))]
    if centred := str(study.attributes.get("centred", "")):
        words += ["--centred", centred]
    return _of_study("lazy", study.attributes, words)


def recipe_of_sweep(sweep: Sweep) -> Recipe:
    """`wgf sweep`."""
    words = []
    for key, values in zip(sweep.keys, sweep.values, strict=True):
        words += ["--over", f"{key}={','.join(map(_as_word, values))}"]
    for key, value in json.loads(str(sweep.attributes.get("settings") or "{}")).items():
        words += ["--set", f"{key}={_as_word(value)}"]
    return _of_study("sweep", sweep.attributes, words)


def _as_word(value: Any) -> str:
    """A value as the command line takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def _of_study(command: str, attributes: dict[str, Any], words: Sequence[str]) -> Recipe:
    text = str(attributes.get("problem", ""))
    root = _tables(text)
    if "time" not in root:
        return Recipe("", text, [], "It was made in Python; the command and the settings below say how.")
    return Recipe("problem.toml", text, [shlex.join(["wgf", command, "problem.toml", "-o", f"{command}.h5", *words])], _of_data(root))


def _unlike(values: np.ndarray) -> list[str]:
    return [f"{value:g}" for value in dict.fromkeys(values.tolist())]


def _tables(text: str) -> dict[str, Any]:
    """The tables of a problem file; none where it is none."""
    try:
        return parse(text, "the problem").values
    except InputError:
        return {}


def _stem(path: Path | None, default: str) -> str:
    """A name for files without what shells and options take for theirs."""
    return re.sub(r"[^\w.-]", "_", path.stem).lstrip("-.") or default if path else default


def _of_data(root: dict[str, Any]) -> str:
    """A file of data that is needed beside the problem file."""
    data = root.get("data", {})
    file = data.get("file") if isinstance(data, dict) else None
    return f"The data are in {file}, which lies beside the problem file." if file else ""


def _options(attributes: dict[str, Any], chosen: dict[str, Any], root: dict[str, Any], last: float, complete: bool) -> list[str]:
    """The options of `wgf run` for what differs from the file: method, cells, end."""
    names = {target.split(":")[1]: name for name, target in METHODS.items()}
    name = names.get(str(attributes["method"]), "")
    words = []
    if name and name != _value(root, "method", "name", "finite-volume"):  # then nothing of [method] counts
        words += ["--method", name]
        words += [word for key in OF_METHODS if chosen.get(key) is not None for word in (f"--{key}", str(chosen[key]))]
    cells, asked = chosen.get("cells"), _value(root, "domain", "cells", None)
    if cells is not None and asked is not None and np.ravel(cells).tolist() != np.ravel(asked).tolist():
        words += ["--cells", *map(str, np.ravel(cells).tolist())]
    end = _value(root, "time", "end", 1.0)
    if complete and isinstance(end, int | float) and abs(end - last) > 1e-9 * abs(last):
        words += ["--until", f"{last:.12g}"]
    return words


def _value(root: dict[str, Any], table: str, key: str, default: Any) -> Any:
    found = root.get(table, {})
    return found.get(key, default) if isinstance(found, dict) else default


def _method(run: Run) -> str:
    """The call that makes the method, with the options that are not as they are by themselves."""
    kind = str(run.attributes["method"])
    names = {target.split(":")[1]: name for name, target in METHODS.items()}
    if kind not in names:
        return kind
    usual = {item.name: item.default for item in fields(method_class(names[kind]))}
    given = {name: value for name, value in run.options.items() if name not in usual or value != usual[name]}
    words = [
        f"{name}={f'wgf.{value}' if isinstance(value, str) and CALL.fullmatch(value) else repr(value)}" for name, value in given.items()
    ]
    return f"wgf.{kind}({', '.join(words)})"


def _save(times: np.ndarray) -> str:
    """The number of frames, where they are as far from each other; else their times."""
    even = len(times) > 1 and np.allclose(np.diff(times), times[-1] / (len(times) - 1), rtol=1e-6)
    return str(len(times)) if even else "[" + ", ".join(f"{time:.6g}" for time in times) + "]"
