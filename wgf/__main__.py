"""`python -m wgf` is the command `wgf`."""

from wgf.cli import main

main()
