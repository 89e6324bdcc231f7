"""`wgf doctor`: what a report of a fault needs, and whether wgf is right here."""

from __future__ import annotations

import sys

import click

from wgf.cli.options import use_threads

LONGEST = 75  # letters of a fact: a line of the screen


@click.command()
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads to use  [default: one per core]")
def doctor(threads: int | None) -> None:
    """List versions and machine, and check a short run against its closed form: to paste into a bug report."""
    use_threads(threads)
    from wgf.cli.screen import show_facts
    from wgf.studies.doctor import machine_facts

    passed, found = _checked()
    facts = {**machine_facts(), "self-check": found}
    show_facts("wgf doctor", {name: value if len(value) <= LONGEST else f"{value[:LONGEST]}…" for name, value in facts.items()})
    sys.exit(0 if passed else 1)


def _checked() -> tuple[bool, str]:
    """Whether the short run is right, and what it has found: where it cannot be made, that is reported."""
    from wgf.studies.doctor import self_check

    try:
        found = self_check()
    except Exception as error:
        return False, f"FAILED: {type(error).__name__}: {' '.join(str(error).split())}"
    return found.passed, str(found)
