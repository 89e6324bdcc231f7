"""The commands and their options, from click."""

from __future__ import annotations

import click

from generate import table
from wgf.cli import COMMANDS, wgf
from wgf.registers import load


def option_row(option: click.Option, context: click.Context) -> tuple[str, str]:
    """How an option is written, and what it does."""
    names, text = option.get_help_record(context) or ("", "")
    return f"`{names}`", text.replace("  [default", " [default")


def command_text(name: str) -> str:
    """One command: its usage, what it does, and its options."""
    command = load(COMMANDS[name])
    context = click.Context(command, info_name=f"wgf {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    rows = [option_row(item, context) for item in command.get_params(context) if isinstance(item, click.Option)]
    what = (command.help or "").replace("\b", "").strip()
    return f"## wgf {name}\n\n```text\nwgf {name} {usage}\n```\n\n{what}\n\n" + table(("option", "does"), rows)


def pages() -> dict[str, str]:
    """All commands."""
    context = click.Context(wgf, info_name="wgf")
    rows = [option_row(item, context) for item in wgf.get_params(context) if isinstance(item, click.Option)]
    parts = [
        "# Every option\n\nMade from the commands themselves; `wgf COMMAND --help` shows the same on the screen.\n",
        table(("option before the command", "does"), rows),
        *(command_text(name) for name in COMMANDS),
    ]
    return {"command_line.md": "\n".join(parts)}
