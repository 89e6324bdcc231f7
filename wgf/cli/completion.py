"""`wgf completion`: the script with which a shell completes commands, options and files."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_WGF_COMPLETE"  # by which the shell asks


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes wgf in a SHELL.

    For bash and zsh put `eval "$(wgf completion bash)"` into ~/.bashrc (zsh: ~/.zshrc), for fish
    `wgf completion fish | source` into ~/.config/fish/config.fish, and open a new shell.
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is not None:
        click.echo(found(context.find_root().command, {}, "wgf", VARIABLE).source())
