"""What a notebook shows: tables and pictures as HTML that needs nothing beside itself, read by a parser."""

import base64
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from problems import RIDGE_1D, Tanh

import wgf
from wgf.measures.measure import Measure
from wgf.plots.figure import Figure
from wgf.plots.html import SHOWN
from wgf.registers import Shown

pytestmark = pytest.mark.coarse  # pictures of small runs

TANH = Tanh()
GRID = wgf.FiniteVolume(12)


class Page(HTMLParser):
    """The facts and the pictures of a page; every element that is opened has to be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.pictures = [], [], []
        self.feed(text)
        assert not self.open
        self.facts = dict(zip(*[iter(self.words)] * 2, strict=True))

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            kind, data = dict(attrs)["src"].split(",")
            assert kind == "data:image/png;base64"
            self.pictures.append(Image.open(io.BytesIO(base64.b64decode(data))))
            return
        self.open.append(tag)
        if tag in ("th", "td"):
            self.words.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("th", "td"):
            self.words[-1] += data


def is_drawn(picture):
    """Whether something of each of a few colours is to be seen."""
    return len(picture.convert("RGB").getcolors(2**24)) > 10


def problem(theta, dim=1, title=""):
    data = wgf.Data.quadrature(lambda x: np.sin(x).reshape(len(x), -1).sum(axis=1), [-1] * dim, [1] * dim, 4)
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", theta, dim=dim), data, 0.1)
    return wgf.Problem(energy, wgf.Gaussian([0.2] * len(theta), [0.4] * len(theta)), title=title)


SOLVED = {
    "one axis": (problem(("a",)), GRID),
    "two axes": (problem(("c", "a")), GRID),
    "three axes": (problem(("c", "a", "b")), GRID),
    "four axes": (problem(("c", "a1", "a2", "b"), 2), wgf.FiniteVolume(8, [-2] * 4, [2.5] * 4, edge_tolerance=1)),
    "a cloud": (problem(("c", "a")), wgf.Particles(30)),
    "a cloud on a line": (problem(("a",)), wgf.Particles(30)),
    "a mesh": (problem(("c", "a")), wgf.FiPyMesh(wgf.Disc(3.0, 0.5, pattern="rings"))),
}


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("case", SOLVED)
def test_problems_runs_and_measures_are_tables_with_pictures(case, stored, tmp_path):
    """In memory and from a file."""
    given, method = SOLVED[case]
    run = wgf.solve(given, method, 0.2, 3, store=tmp_path / "run.h5" if stored else None)
    if stored:
        run = wgf.open_run(tmp_path / "run.h5", given)
    shown, solved, measured = (Page(thing._repr_html_()) for thing in (given, run, run.measures[-1]))
    assert shown.facts["neuron"] == repr(given.energy.neuron)
    assert shown.facts["penalty"] == "λ = 0.1"
    assert solved.facts["method"] == run.method
    assert solved.facts["loss"].startswith(f"{run.loss[0]:.6g} → {run.loss[-1]:.6g}")
    assert measured.facts["mass"] == "1"
    names, mean = given.energy.neuron.theta, run.measures[-1].mean
    assert measured.facts["mean"] == ", ".join(f"{name} {value:.4g}" for name, value in zip(names, mean, strict=True))
    for page in (shown, solved, measured):
        assert all(map(is_drawn, page.pictures))
        assert len(page.pictures) == 1


def test_a_comparison_is_a_table_with_a_picture():
    found = wgf.compare(TANH.problem, GRID, 0.2, (4, 8), 5, 3, workers=1)
    page = Page(found._repr_html_())
    assert page.facts["networks"] == "m = 4, 8; 5 replicates each, seed 0"
    assert is_drawn(page.pictures[0])


def test_two_runs_are_a_table_with_a_picture():
    """What they were solved by; what differs of their problems."""
    first, second = (wgf.solve(problem(("c", "a"), title=title), GRID, 0.2, 2) for title in ("one", "another"))
    page = Page(wgf.compare_runs(first, second)._repr_html_())
    assert page.facts["first"] == first.method
    assert page.facts["problem of the second"] == second.attributes["problem_summary"]
    assert is_drawn(page.pictures[0])


def test_a_density_in_a_plane_has_the_scale_of_its_colours():
    """Beside each pair of coordinates; above the first of several panels stands what all of them are."""
    measure = wgf.solve(problem(("c", "a", "b")), GRID, 0.1, 2).measures[-1]
    labels = [panel.get_ylabel() for panel in SHOWN[Measure][1](measure).axes]
    pairs = ["density of ($c$, $a$)", "density of ($c$, $b$)", "density of ($a$, $b$)"]
    assert [label for label in labels if label.startswith("density")] == pairs
    titles = [panel.get_title(loc="left") for panel in SHOWN[wgf.Problem][1](problem(("c", "a", "b"))).axes]
    assert titles == ["initial law", "", "", "data"]


def test_a_title_is_text_and_no_html():
    title = 'x < 1 & <script>alert("$")</script>'
    given = problem(("a",), title=title)
    assert "<script" not in given._repr_html_()
    assert Page(given._repr_html_()).facts["title"] == title


def test_what_cannot_be_shown_says_why(tmp_path):
    """A law without points, particles that have diverged, and a run whose file is gone."""
    bare = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: (theta**2).sum(-1)), wgf.FromDensity(lambda theta: theta[..., 0] ** 2))
    page = Page(bare._repr_html_())
    assert page.facts["energy"] == "InteractionEnergy(V = <lambda>)"
    assert not page.pictures
    assert "point 0 of the empirical measure is" in Page(wgf.Cloud([[np.nan, 0.0]], [1.0])._repr_html_()).facts["error"]
    run = wgf.solve(TANH.problem, GRID, 0.2, 2, store=tmp_path / "run.h5")
    (tmp_path / "run.h5").unlink()
    page = Page(run._repr_html_())
    assert page.facts["Run"] == repr(run)
    assert "does not exist" in page.facts["error"]


def test_a_figure_is_its_own_picture():
    """That of a run, without pyplot."""
    figure = wgf.solve(RIDGE_1D.problem, wgf.Particles(20), 0.2, 3).plot()
    assert isinstance(figure, Figure)
    picture = Image.open(io.BytesIO(figure._repr_png_()))
    assert picture.format == "PNG"
    assert picture.size == pytest.approx(100 * figure.get_size_inches(), abs=1)
    assert is_drawn(picture)


def test_every_kind_of_thing_that_is_shown_has_its_facts():
    """`Shown` promises what `as_html` knows."""
    for kind in Shown.__subclasses__():
        assert any(issubclass(kind, known) for known in SHOWN), kind
