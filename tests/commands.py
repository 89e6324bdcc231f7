"""Commands of wgf as a test calls them."""

from wgf.cli import main


def wgf_says(capsys, *words):
    """Exit status, standard output and standard error of a command."""
    status = 0
    try:
        main(list(words))
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    return status or 0, out, err
