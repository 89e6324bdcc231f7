"""Pages of the manual that are made from the code when the site is built, so that they say what the code does.

Each module has `pages()`: the text of each page by its name below `generated/`.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = ("api", "command_line", "extending", "figures", "gallery", "problem_file", "theory")


def write(folder: Path) -> None:
    """Write all generated pages and copies of the notebooks; what has not changed keeps its time, and what is no longer made goes."""
    made = {name: text for module in MODULES for name, text in import_module(f"generate.{module}").pages().items()}
    copies = {f"notebooks/{path.name}": path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    made |= {"notebooks/index.md": notebooks_page(), "claims.md": claims_page()}
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for name, source in copies.items():
        target = folder / name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)
    for path in folder.rglob("*.*"):
        if path.is_file() and str(path.relative_to(folder)) not in {*made, *copies}:
            path.unlink()


def claims_page() -> str:
    """The table of the lecture's claims, with links to the notebooks of the site."""
    text = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    return text.replace("](../notebooks/", "](notebooks/").replace("](guide/", "](../guide/")


def notebooks_page() -> str:
    """The list of the notebooks, of which a new one appears by itself."""
    return textwrap.dedent(
        """\
        # Notebooks

        Short narratives: a formula, the call, its figure, and one thing to try. They are executed when this site is built;
        to work with one, open the file of its name in the folder `notebooks/` with JupyterLab.

        ```{toctree}
        :glob:
        :maxdepth: 1

        *
        ```
        """
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; bars inside of cells are escaped."""
    return "".join(f"| {' | '.join(map(in_cell, line))} |\n" for line in [header, ["---"] * len(header), *rows])


def in_cell(text: str) -> str:
    """The text in one line, whose bars are no ends of cells."""
    return " ".join(re.sub(r"(?<!\\)\|", r"\|", text).split())
