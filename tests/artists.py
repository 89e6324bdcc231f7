"""What stands in a panel of a figure, as numbers and words: so that a test sees what a reader of the figure sees."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg


def labelled(artists, label):
    """The one artist with this label, or the one whose label begins so."""
    exact = [one for one in artists if one.get_label() == label]
    (found,) = exact or [one for one in artists if one.get_label().startswith(label)]
    return found


def line(panel, label):
    """The (x, y) of a curve, (2, points)."""
    return np.array(labelled(panel.get_lines(), label).get_data(), dtype=float)


def colours(artist):
    """The values that are shown as colours: of an image (rows, columns), of cells (cells,)."""
    return np.asarray(artist.get_array())


def dots(panel):
    """The (x, y) of what is drawn as dots without a line between them, in the order of drawing."""
    return [np.array(one.get_data(), dtype=float) for one in panel.get_lines() if one.get_linestyle() == "None"]


def legend(panel):
    """The words of its legend."""
    return [text.get_text() for text in panel.get_legend().get_texts()]


def shown(figure):
    """Its panels, without colour bars."""
    return [panel for panel in figure.axes if panel.get_label() != "<colorbar>"]


def bars(figure):
    """Its colour bars, each as its words and its ends."""
    return [(panel.get_ylabel(), panel.get_ylim()) for panel in figure.axes if panel.get_label() == "<colorbar>"]


def inside(figure):
    """Whether its title, drawn, lies within the figure."""
    FigureCanvasAgg(figure).draw()
    title, whole = figure._suptitle.get_window_extent(), figure.bbox
    return whole.x0 <= title.x0 and title.x1 <= whole.x1 and title.y1 <= whole.y1


def words(panel):
    """What is written into it."""
    return [text.get_text() for text in panel.texts]


def outline(artist):
    """The corners of a filled area, (corners, 2)."""
    return artist.get_paths()[0].vertices


def among(points, others):
    """Whether each of the points (n, d) is one of the others."""
    gaps = np.abs(np.asarray(points)[:, None] - np.asarray(others)[None]).max(axis=-1)
    return bool((gaps.min(axis=1) <= 1e-12 * (1 + np.abs(others).max())).all())


def steps(panel, label):
    """Edges (bins + 1,) and heights (bins,) of a histogram."""
    x, y = labelled(panel.patches, label).get_xy().T
    edges = np.unique(x)
    middles = 0.5 * (edges[1:] + edges[:-1])
    return edges, np.array([max(y[k] for k in range(len(x) - 1) if x[k] < middle < x[k + 1]) for middle in middles])
