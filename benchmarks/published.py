"""What others have published, beside what wgf finds: `make published` runs every case and writes docs/published.md.

A case is a function of a script in solvers/, which returns {quantity: (published, ours)}: published values follow from a formula, a
theorem or a figure of the source, and ours from a run. published.toml beside this script lists them. Cases run one at a time. One that is
off by more than its tolerance is an error, and then no page is written.

    python benchmarks/published.py                        all cases, tables, and a JSON file
    python benchmarks/published.py barenblatt kuramoto    some of them
    python benchmarks/published.py --page docs/published.md
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from harness import keep, machine, quick_and_output, show

import wgf
from wgf.problems.schema import tomllib
from wgf.registers import known
from wgf.runs.files import check_writable, completed

HERE = Path(__file__).parent
SOLVERS = HERE.parent / "solvers"
HEADERS = ("quantity", "published", "ours", "difference")
BEGINNING = """\
# The field reproduced

What others have proven, derived or measured, beside what wgf finds. `make published` runs every case, one after the other, and writes this
page: {cases} cases in {minutes:.1f} minutes of processor time ({machine}), wgf {version}.
`python benchmarks/published.py NAME` runs one of them; its script draws the picture. Differences are relative, but absolute where the
published value is zero. One that is larger than the tolerance of its case stops the command, and the page stays as it was.

| case | source | quantity | published value | ours | difference | script |
|---|---|---|---|---|---|---|
"""
END = """\

Not here: the ultra-fast diffusion of Barboni, Peyré & Vialard (two-timescale training). Its internal energy is singular where there is no
mass, and `PorousMedium` is for q > 1.
"""


@dataclass(frozen=True)
class Case:
    """A case that was published; published.toml says what the fields are."""

    title: str
    cited: str
    source: str
    basis: str
    function: str
    tolerance: float
    quick: dict[str, Any] = field(default_factory=dict)

    @property
    def script(self) -> str:
        """Its file."""
        return f"solvers/{self.function.split(':')[0]}.py"

    def run(self, quick: bool = False) -> list[Row]:
        """The rows that its function finds."""
        if str(SOLVERS) not in sys.path:
            sys.path.insert(0, str(SOLVERS))
        module, name = self.function.split(":")
        found = getattr(importlib.import_module(module), name)(**(self.quick if quick else {}))
        return [Row(quantity, float(published), float(ours)) for quantity, (published, ours) in found.items()]


@dataclass(frozen=True)
class Row:
    """A quantity: its published value, and ours."""

    quantity: str
    published: float
    ours: float

    @property
    def difference(self) -> float:
        """|ours − published|/|published|, or |ours| where the published value is zero."""
        return abs(self.ours - self.published) / (abs(self.published) or 1.0)

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """In words, under HEADERS; a relative difference in percent."""
        off = f"{100 * self.difference:.2g} %" if self.published else f"{self.difference:.1e}"
        return self.quantity, f"{self.published:.6g}", f"{self.ours:.6g}", off


def register() -> dict[str, Case]:
    """The cases by name."""
    tables = tomllib.loads((HERE / "published.toml").read_text(encoding="utf-8"))
    return {name: Case(**table) for name, table in tables.items()}


CASES = register()


def page(rows: dict[str, list[Row]], minutes: float) -> str:
    """The page of the manual, in Markdown."""
    text = BEGINNING.format(cases=len(rows), minutes=minutes, machine=machine(), version=wgf.__version__)
    for name, found in rows.items():
        case = CASES[name]
        first = (case.title, case.cited, f"`{case.script}`")
        for row in found:
            title, cited, script = first
            text += "| " + " | ".join((title, cited, *(cell.replace("|", "\\|") for cell in row.cells), script)) + " |\n"
            first = ("", "", "")
    text += "\n## What is compared\n\n"
    for name in rows:
        case = CASES[name]
        text += f"- **{case.title}** (`{name}`). {case.basis} Tolerance {case.tolerance:g}. Source: {case.source}.\n"
    return text + END


def check(rows: dict[str, list[Row]]) -> None:
    """Raise a ClickException that names each value which is off by more than its case allows."""
    off = [
        f"{name}: {row.quantity} is {row.ours:.6g}, published {row.published:.6g}, and may differ by {CASES[name].tolerance:g}"
        for name, found in rows.items()
        for row in found
        if not row.difference <= CASES[name].tolerance
    ]
    if off:
        raise click.ClickException("\n".join(off))


def chosen(names: Iterable[str]) -> list[str]:
    """The cases by name, or all of them."""
    return [known(name, CASES, "published case") for name in names] or list(CASES)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--page", "path", type=click.Path(path_type=Path), help="The page of the manual to write, from all cases.")
@quick_and_output
def main(names: tuple[str, ...], path: Path | None, quick: bool, output: Path | None) -> None:
    """Run published cases, NAMES or all, one at a time."""
    if path is not None:
        if names or quick:
            raise click.UsageError("--page is for all cases as they are: leave out names and --quick")
        check_writable(path)
    rows, tables = {}, []
    for name in chosen(names):
        started = time.process_time()
        rows[name] = CASES[name].run(quick)
        spent = time.process_time() - started
        tables.append(show(f"{name}: {CASES[name].cited} ({spent:.0f} s)", HEADERS, [row.cells for row in rows[name]]))
    keep(__file__, tables, output)
    check(rows)
    if path is not None:
        with completed(path) as beginning:
            beginning.write_text(page(rows, time.process_time() / 60), encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
