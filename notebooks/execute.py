"""Executes the notebooks beside it from the first cell to the last, and stores them with what they show: `make notebooks`."""

from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

for path in sorted(Path(__file__).parent.glob("*.ipynb")):
    print(path.name)
    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=None, record_timing=False, resources={"metadata": {"path": folder}}).execute()
    notebook.metadata.language_info = {"name": "python"}  # whichever version it was
    nbformat.write(notebook, path)
