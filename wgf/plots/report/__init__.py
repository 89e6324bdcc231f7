"""A page of HTML on what a file holds, for a browser: `page` puts it together from the parts of `parts`, `run` and `studies`.

Plotly draws, and its script is in the page, as all that the page needs: it asks no server for anything.
"""
