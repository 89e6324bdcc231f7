"""How long a person waits: `import wgf`, and `wgf run` on 64 × 64 cells to t = 5, each as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from importlib import resources
from pathlib import Path

import click
from harness import best_seconds, keep, machine, quick_and_output, show


@click.command()
@click.option("--repeats", default=5, show_default=True, help="Rounds, of which the least time counts.")
@quick_and_output
def main(repeats: int, quick: bool, output: Path | None) -> None:
    """Print the table and write it as JSON."""
    print(machine())
    until = "0.1" if quick else "5"
    student = resources.files("wgf.cli").joinpath("examples/student.toml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        problem = Path(folder) / "student.toml"
        problem.write_text(student.replace("[128, 128]", "[64, 64]"), encoding="utf-8")
        options = ["--until", until, "-o", str(problem.with_suffix(".h5")), "--force"]
        commands = {
            "python -c 'import wgf'": ["-c", "import wgf"],
            "python -c 'import wgf; wgf.FiniteVolume'": ["-c", "import wgf; wgf.FiniteVolume"],
            f"wgf run, 64 × 64, t = {until}": ["-m", "wgf", "run", str(problem), *options],
        }
        functions = [partial(subprocess.run, [sys.executable, *words], check=True, capture_output=True) for words in commands.values()]
        times = best_seconds(functions, 1 if quick else repeats)
    keep(__file__, [show("Start-up, warm cache", ["command", "seconds"], list(zip(commands, times, strict=True)))], output)


if __name__ == "__main__":
    main()
