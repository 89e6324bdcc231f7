"""Derivations: the texts of the modules in which the formulas are computed, by subject."""

from __future__ import annotations

import ast
import re
import textwrap

from generate import ROOT
from generate.markup import escaped

LEAST = 7  # lines of a text that is more than a heading
SUBJECTS = {  # the beginnings of the modules, and the title of their page
    "problems": ("Energies and potentials", ("problems/",)),
    "neurons": (
        "Neurons and their features",
        ("networks/activations", "networks/neuron", "networks/features", "networks/separable", "kernels/strips", "networks/tabulated"),
    ),
    "networks": ("Finite networks and tangent kernels", ("networks/", "studies/lazy/")),
    "transport": (
        "Transport on a grid",
        (
            "methods/finite_volume/transport",
            "methods/finite_volume/window",
            "kernels/transport",
            "kernels/product",
            "kernels/active",
            "kernels/compiled",
            "measures/averages",
            "methods/step_control",
            "methods/box_search",
            "methods/base",
        ),
    ),
    "noise": ("Noise on a grid", ("methods/finite_volume/", "kernels/diffusion")),
    "jko": ("Variational steps", ("methods/jko/", "kernels/gaussian")),
    "geometries": ("Other geometries", ("methods/geometry/",)),
    "meshes": ("Finite volumes on any mesh", ("methods/fipy/",)),
    "points": ("Particles and characteristics", ("methods/particles/",)),
    "pushforward": ("Exact densities", ("methods/pushforward/", "kernels/backward", "kernels/charts", "kernels/sheets")),
    "ranks": ("Several processes", ("ranks/", "runs/parts", "runs/agreement", "runs/collected", "methods/finite_volume/shared")),
    "distances": ("Distances and ways between measures", ("measures/",)),
    "optimality": ("The global minimum", ("studies/optimality/",)),
    "rates": ("Fluctuations, errors and rates", ("studies/", "runs/")),
}


def texts() -> dict[str, str]:
    """The text of every module that has more than a few lines of one, by its path in the package."""
    found = {}
    for path in sorted((ROOT / "wgf").rglob("*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if text.count("\n") + 1 >= LEAST:
            found[str(path.relative_to(ROOT / "wgf"))] = text
    return found


def subject(path: str) -> str:
    """The subject with the longest beginning of this path: `methods/finite_volume/gibbs.py` is of noise.

    Raises LookupError where it has none.
    """
    fitting = [(len(start), name) for name, (_, starts) in SUBJECTS.items() for start in starts if path.startswith(start)]
    if not fitting:
        raise LookupError(f"wgf/{path} is on no page: add the beginning of its path to SUBJECTS in docs/generate/theory.py")
    return max(fitting)[1]


def place(path: str) -> int:
    """The position of a module among those of its subject: as their beginnings are listed."""
    starts = SUBJECTS[subject(path)][1]
    return min((k for k, start in enumerate(starts) if path.startswith(start)), default=0)


def as_markdown(path: str, text: str) -> str:
    """A part of a page: the first sentence is its heading, columns are a list, indented lines are formulas."""
    first, _, rest = text.partition("\n\n")
    blocks = [block for block in re.split(r"\n\s*\n", rest) if block.strip()]
    return "\n\n".join([f"## {escaped(' '.join(first.split()).rstrip('.'))}", f"`wgf/{path}`", *map(block_as_markdown, blocks)]) + "\n"


def block_as_markdown(block: str) -> str:
    """One paragraph, list or formula."""
    lines = block.split("\n")
    columns = sum(bool(re.match(r"\s*\S.*?\S {2,}\S", line)) for line in lines)
    if all(line.startswith("    ") for line in lines) or columns >= 1 or any(line.startswith("  ") for line in lines[1:]):
        return "```text\n" + textwrap.dedent("\n".join(lines)) + "\n```"
    return escaped(block)


def pages() -> dict[str, str]:
    """A page for each subject, and their list."""
    found, by_subject = texts(), {name: [] for name in SUBJECTS}
    for path in sorted(found, key=place):
        by_subject[subject(path)].append(path)
    made = {
        f"theory/{name}.md": f"# {title}\n\n" + "\n".join(as_markdown(path, found[path]) for path in by_subject[name])
        for name, (title, _) in SUBJECTS.items()
    }
    names = "\n".join(SUBJECTS)
    index = (
        "# Theory\n\nDerivations and schemes, from the docstrings of the modules that compute with them.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n"
    )
    return {"theory/index.md": index, **made}
