"""Matplotlib's figure as a notebook shows it, by itself: without `%matplotlib inline`, and without any state of pyplot."""

from __future__ import annotations

import io

import matplotlib.figure

from wgf.plots.style import readable, styled

DPI = 100  # on a screen


class Figure(matplotlib.figure.Figure):
    """A figure of matplotlib that is a picture at the end of a cell; with `%matplotlib inline` it is drawn by that, once, too."""

    def _repr_png_(self) -> bytes:
        """The picture, as IPython asks for it."""
        picture = io.BytesIO()
        with styled(), readable():
            self.savefig(picture, format="png", dpi=DPI)
        return picture.getvalue()
