"""`wgf info`: what is in a file."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import of_files


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def info(file: Path) -> None:
    """Print what FILE.h5 contains."""
    from wgf.cli.screen import show_facts, show_lazy, show_pair, show_rates, show_sweep
    from wgf.runs.run import Run
    from wgf.runs.summary import run_facts
    from wgf.studies.lazy.study import LazyStudy
    from wgf.studies.open import open_result
    from wgf.studies.pair import Pair
    from wgf.studies.summary import comparison_facts, lazy_facts, sweep_facts
    from wgf.studies.sweeps.over_settings import Sweep

    with of_files(file):
        result = open_result(file)
        if isinstance(result, Pair):
            show_pair(result)
            return
        title = str(result.attributes["title"]) or file.stem
        common = {
            "problem": result.attributes["problem_summary"],
            "written": f"{result.attributes['created']} by wgf {result.attributes['wgf_version']}",
        }
        if isinstance(result, Run):
            show_facts(title, {**common, **run_facts(result)})
        elif isinstance(result, Sweep):
            show_facts(title, {**common, **sweep_facts(result)})
            show_sweep(result)
        elif isinstance(result, LazyStudy):
            show_facts(title, {**common, **lazy_facts(result)})
            show_lazy(result)
        else:
            show_facts(title, {**common, **comparison_facts(result)})
            show_rates(result)
