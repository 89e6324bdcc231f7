"""Commands of wgf as a test calls them."""

import re

from wgf.cli import main

RAW = re.compile(r"internal error|Traceback|encountered in|Warning:|[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what no command may print


def wgf_says(capsys, *words):
    """Exit status, standard output and standard error of a command."""
    status = 0
    try:
        main(list(words))
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    return status or 0, out, err
