"""Takes out of the notebooks beside it what running them put in, since they are stored as text only: `make notebooks`."""

from pathlib import Path

import nbformat

for path in sorted(Path(__file__).parent.glob("*.ipynb")):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if "tags" in cell.metadata else {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.language_info = {"name": "python"}  # whichever version it was
    nbformat.write(notebook, path)
