"""The command line: one file for each command. It knows files, words and screens, and no mathematics.

Exit status: 0 done; 1 the run failed; 2 bad usage or bad input; 130 interrupted, with what was reached kept.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from typing import Any

import click

from wgf import __version__
from wgf.cli.completion import VARIABLE
from wgf.cli.screen import program, say
from wgf.errors import InputError, WgfError, printable
from wgf.ranks.communicator import alone, met
from wgf.ranks.launched import launched
from wgf.registers import load
from wgf.runs.signals import handled_by, stop

COMMANDS = {
    "new": "wgf.cli.new:new",
    "run": "wgf.cli.run:run",
    "sweep": "wgf.cli.sweep:sweep",
    "compare": "wgf.cli.compare:compare",
    "lazy": "wgf.cli.lazy:lazy",
    "certify": "wgf.cli.certify:certify",
    "info": "wgf.cli.info:info",
    "plot": "wgf.cli.plot:plot",
    "report": "wgf.cli.report:report",
    "animate": "wgf.cli.animate:animate",
    "export": "wgf.cli.export:export",
    "demo": "wgf.cli.demo:demo",
    "doctor": "wgf.cli.doctor:doctor",
    "completion": "wgf.cli.completion:completion",
}
ON_RANKS = ("run", "sweep", "compare", "lazy")  # commands whose work all processes of mpiexec share; the others are done by the first one
SIGNALLED = 128  # and the number of the signal: the exit status


class _Commands(click.Group):
    """The commands of COMMANDS, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        command: click.Command | None = load(COMMANDS[name]) if name in COMMANDS else None
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wgf")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def wgf(context: click.Context, debug: bool) -> None:
    """Shallow networks in the mean-field limit: the law of the neurons, evolved on a grid, beside m neurons."""
    if launched().size > 1 and context.invoked_subcommand not in ON_RANKS:  # the first process does it alone
        if launched().rank:
            context.exit(0)
        context.with_resource(alone())


def main(arguments: list[str] | None = None) -> None:
    """The entry point: run a command and turn what went wrong into one message and an exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    warnings.showwarning = _show_warning
    handled_by(stop)  # a polite kill ends a run as Ctrl-C does
    if launched().rank:  # of several processes, the first one speaks
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        wgf.main(words, complete_var=VARIABLE, standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except (KeyboardInterrupt, click.Abort) as end:
        _leave(SIGNALLED + getattr(end.__cause__ or end, "number", signal.SIGINT), "interrupted")  # click raises its own from ours
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        if "--debug" in words:
            raise
        text = f"error: {error}"
        if not isinstance(error, WgfError):
            text = f"internal error ({type(error).__name__}): {error}\nThis is a fault of wgf; {program()} --debug … shows where. "
            text += "Please report it."
        _leave(2 if isinstance(error, InputError) else 1, text)


def _leave(status: int, text: str) -> None:
    """Say why, once, and leave with this status on all ranks; where the others wait for this one, all are ended."""
    say(text)
    ranks = met()
    if not ranks.leave_together():
        if not ranks.first:
            print(f"on rank {ranks.rank} of {ranks.size}: {printable(text)}", file=sys.__stderr__, flush=True)
        ranks.abort(status)
    sys.exit(status)


def _show_warning(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
    say(f"warning: {message}")
