"""The page of a report: well-formed, all in one file, true to what it is about, and hard to deceive."""

import base64
import json
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import h5py
import numpy as np
import pytest
from commands import wgf_says
from problems import RIDGE_2D, Tanh

import wgf
from wgf.plots.report.formulas import mathml
from wgf.plots.report.measures import NUMBERS, frames_of, measure_charts
from wgf.plots.report.page import part_of
from wgf.plots.report.parts import packed
from wgf.plots.report.verdicts import comparison_verdicts, run_verdicts
from wgf.runs.run import Run

pytestmark = pytest.mark.coarse

TANH = Tanh(penalty=0.1)
LARGEST = 10 * 2**20  # bytes of a page
VOID = {"meta", "input"}
GRID = wgf.FiniteVolume(12, TANH.lower, TANH.upper, edge_tolerance=1)
HOSTILE = '"></script><script>alert(1)</script><img src="https://example.org/x"> & $x$ <!--'


class Page(HTMLParser):
    """A page: what is open is closed, names are given once, and nothing comes from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.scripts, self.words, self.labels, self.tags = [], [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        assert len(found) == len(attrs)
        assert not [name for name in found if name.startswith("on")]
        self.tags.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        for name in ("src", "href", "action", "data", "srcset"):
            assert found.get(name, "#").startswith(("#", "data:text/plain")), found
        if found.get("class") == "chart":
            self.labels.append(found["aria-label"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self.scripts.append(data)
        elif inside != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())

    @property
    def charts(self):
        return [chart for part in json.loads(self.scripts[0])["parts"] for chart in part["charts"]]


def read(path):
    text = path.read_text(encoding="utf-8")
    assert len(text) < LARGEST
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert len(page.labels) == len(page.charts)
    assert all(page.labels)
    return page


def problem(theta, dim=1, title=""):
    data = wgf.Data.quadrature(lambda x: np.sin(x).reshape(len(x), -1).sum(axis=1), [-1] * dim, [1] * dim, 4)
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", theta, dim=dim), data, 0.1)
    return wgf.Problem(energy, wgf.Gaussian([0.2] * len(theta), [0.4] * len(theta)), title=title)


IN_SPACE = ("c", "a", "b")
SOLVED = {  # with the titles of the charts of its measures
    "one axis": (problem(("a",)), wgf.FiniteVolume(12), ["The law of a"]),
    "two axes": (problem(("c", "a")), wgf.FiniteVolume(12), ["The law of (c, a)"]),
    "three axes": (problem(IN_SPACE), wgf.FiniteVolume(10), [f"The law of ({pair})" for pair in ("c, a", "c, b", "a, b")]),
    "four axes": (
        problem(("c", "a1", "a2", "b"), 2),
        wgf.FiniteVolume(8, [-2] * 4, [2.5] * 4, edge_tolerance=1),
        [f"The law of {name}" for name in ("c", "a1", "a2", "b")],
    ),
    "neurons": (problem(("c", "a")), wgf.Particles(30), ["The law of (c, a)"]),
    "neurons on a line": (problem(("a",)), wgf.Particles(30), ["The law of a"]),
    "nodes of a rule": (problem(("c", "a")), wgf.Characteristics(nodes=6), ["The law of (c, a)"]),
    "a disc": (problem(("c", "a")), wgf.FiPyMesh(wgf.Disc(3.0, 0.6, pattern="rings"), edge_tolerance=1), ["The law of (c, a)"]),
    "a circle": (problem(("c", "a")), wgf.FiPyMesh(wgf.Circle(12)), ["The law of (c, a)"]),
    "a sphere": (problem(IN_SPACE), wgf.FiPyMesh(wgf.Sphere(0.5)), ["The law of (c, a, b)"]),
    "a box in space": (problem(IN_SPACE), wgf.FiPyMesh(wgf.Box((4, 4, 4), -2.0, 2.5), edge_tolerance=1), 3),
}


@pytest.mark.parametrize("case", SOLVED)
def test_a_page_of_every_kind_of_run(case, tmp_path):
    """From memory; each chart of the measures moves, and so do the fit and the dot on the loss."""
    given, method, titles = SOLVED[case]
    run = wgf.solve(given, method, 0.2, 3)
    page = read(wgf.report(run, tmp_path / "page.html"))
    found = re.findall(r"The law of (?:\([^)]*\)|\w+)", page.text)
    assert found[: len(titles)] == titles if isinstance(titles, list) else len(found) >= titles
    assert [bool(chart["moving"] or chart["cells"]) for chart in page.charts] == [True] * len(page.charts)
    assert {chart["cells"] is not None for chart in page.charts[:1]} == {case in ("a disc", "a circle", "a sphere")}
    for words in ("The problem", "the flow", f"At t = 0, θ = ({', '.join(given.energy.neuron.theta)})", run.method, "complete"):
        assert words in page.text
    assert [f"t = {time:.4g}" for time in run.times] == [said.split(",")[0] for said in json.loads(page.scripts[0])["parts"][0]["frames"]]


def test_an_interaction_has_a_page(tmp_path):
    """Without data there is no fit and no certificate."""
    given = wgf.Problem(wgf.InteractionEnergy(W=lambda z: 0.5 * np.sum(z**2, axis=-1)), wgf.Gaussian([0, 0], [0.5, 0.8]), 0.05)
    page = read(wgf.report(wgf.solve(given, wgf.FiniteVolume(24, -5, 5), 0.1, 3), tmp_path / "page.html"))
    assert "W = <lambda>" in page.text
    assert "certificate" not in page.text
    assert "The free energy" in page.text


def test_studies_have_pages(tmp_path):
    """A comparison, two runs, and a lazy study, one after another on one page, each with its own slider."""
    comparison = wgf.compare(TANH.problem, GRID, 0.2, (4, 8), 5, 3, workers=1)
    pair = wgf.compare_runs(wgf.solve(TANH.problem, GRID, 0.2, 3), wgf.solve(TANH.problem, wgf.Particles(20), 0.2, 3))
    lazy = wgf.lazy(
        replace(TANH.problem, energy=replace(TANH.problem.energy, penalty=0.0)), (4, 8), (0.5, 1.0), replicates=5, until=0.2, workers=1
    )
    page = read(wgf.report([comparison, pair, lazy], tmp_path / "page.html"))
    slope = comparison.rates["function"]
    assert f"95 % [{slope.lower[-1]:.2f}, {slope.upper[-1]:.2f}]" in page.text
    assert f"{pair.distance['sliced_w2'][-1]:.2g}" in page.text
    assert "Deviation from the tangent model" in page.text
    assert {"time-1", "time-3"} <= set(page.ids)
    assert "time-2" not in page.ids


def test_a_sweep_has_a_page_whose_command_makes_it_again(tmp_path, monkeypatch, capsys):
    """All runs in the chart and the table; nothing moves."""
    monkeypatch.chdir(tmp_path)
    text = resources.files("wgf.cli").joinpath("examples/student.toml").read_text(encoding="utf-8")
    Path("problem.toml").write_text(text, encoding="utf-8")
    over = {"penalty.strength": [0.0, 0.1], "method.seed": [0, 1, 2]}
    first = wgf.sweep("problem.toml", over, {"method.name": "particles", "method.m": 8, "time.end": 0.2}, workers=1)
    part = part_of(first)
    assert part.recipe.text == text
    assert [len(chart.figure.data) for chart in part.charts] == [6, 3]
    assert [len(table.rows) for table in part.tables] == [6]
    assert part.verdicts[0].number == "6 of 6"
    page = read(wgf.report(first, "page.html"))
    assert "time-1" not in page.ids
    (command,) = part.recipe.lines
    assert wgf_says(capsys, *shlex.split(command)[1:], "--workers", "1", "--quiet")[0] == 0
    again = wgf.open_sweep("sweep.h5")
    assert np.array_equal(again.series["loss"], first.series["loss"])


def test_a_certificate_is_part_of_the_page(tmp_path):
    """Its verdict, its bounds against t, and a star where mass is wanted."""
    run = wgf.solve(TANH.problem, GRID, 0.5, 3, store=tmp_path / "run.h5")
    assert "not known: wgf certify FILE.h5" in read(wgf.report(tmp_path / "run.h5")).text
    found = wgf.certify(run, -3, 4)
    page = read(wgf.report(tmp_path / "run.h5"))
    assert found.text in page.text
    assert "The certificate: how far from the best measure" in page.text
    bound = next(trace for chart in page.charts for trace in chart["figure"]["data"] if str(trace.get("name")).startswith("bound of"))
    assert bound


def stars(chart):
    return [k for k, trace in enumerate(chart.figure.data) if trace.type == "scatter" and trace.marker.symbol == "star"]


def test_a_star_shows_where_mass_is_wanted():
    """It moves with the frames; where it never is in the picture there is none."""
    run = wgf.solve(TANH.problem, GRID, 0.2, 3)
    places = np.array([[0.1, 0.2], [0.3, 0.4], [50.0, 0.5]])
    (chart,) = measure_charts(run, [0, 1, 2], places)
    (number,) = stars(chart)
    moving = {each.attribute: each.values[:, 0].tolist() for each in chart.moving if each.trace == number}
    assert moving == {"x": places[:, 0].tolist(), "y": places[:, 1].tolist()}
    (chart,) = measure_charts(run, [0, 1, 2], places + 50.0)
    assert not stars(chart)


@pytest.mark.parametrize("where", ["title", "method_summary", "problem_summary", "certificate", "created", "command", "seed", "status"])
def test_texts_of_a_file_are_shown_as_texts(where, tmp_path):
    """Whatever a file says of itself."""
    path = tmp_path / "run.h5"
    wgf.solve(TANH.problem, GRID, 0.2, 3, store=path)
    with h5py.File(path, "r+") as file:
        file.attrs[where] = HOSTILE
        file.attrs.update({"certificate_verdict": HOSTILE, "certificate_bound": 0.1})
    page = read(wgf.report(path))
    assert len(page.scripts) == 3
    assert "img" not in page.tags
    assert HOSTILE in page.text or where == "problem_summary"


def test_numbers_are_packed_to_their_accuracy():
    rng = np.random.default_rng(0)
    few, many = rng.normal(size=(3, 8)), rng.normal(size=(3, 5000))
    assert packed(few)["kind"] == "numbers"
    found = packed(many)
    steps = np.frombuffer(base64.b64decode(found["data"]), "<u2").reshape(3, -1)
    assert found["low"] + found["step"] * steps == pytest.approx(many, abs=np.ptp(many) / 65535)
    assert packed(np.where(many > 3, np.nan, many))["kind"] == "numbers"  # where some are missing
    assert packed(np.zeros((2, 5000)))["step"] == 1.0


def test_a_large_run_has_a_small_page(tmp_path):
    """Cells are averaged, frames left out, which is said; the mass that is shown is that of the run."""
    given = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0 * theta[..., 0]), wgf.Uniform((0, 0), (1, 1)))
    values = 1.0 + np.random.default_rng(0).random((600, 600))
    grid = wgf.Grid((0, 0), (1, 1), (600, 600))
    measure = wgf.Density(grid, values / values.mean())
    small = wgf.solve(given, wgf.FiniteVolume(8, 0, 1, edge_tolerance=1), 0.1, 60)
    run = Run(small._frames, [measure] * 60, small.history, None, small.attributes, given)
    assert len(frames_of(run)) == 40
    assert len(frames_of(run)) * 128**2 <= NUMBERS
    page = read(wgf.report(run, tmp_path / "page.html"))
    assert "Each cell shown is the mean of 5 × 5 cells." in page.text
    assert len(json.loads(page.scripts[0])["parts"][0]["frames"]) == 40
    mean = measure.values.reshape(120, 5, 120, 5).mean(axis=(1, 3))
    found = page.charts[0]["moving"][0]
    assert found["size"] == 120**2
    assert found["low"] == pytest.approx(mean.min())


PLANTED = {  # what a run might do, and the word for it
    "mass": ({"mass": 1.2}, "poor"),
    "sign": ({"minimum": -1e-3}, "poor"),
    "edges": ({"boundary_mass": 1e-2}, "poor"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_verdicts_see_what_is_wrong(name):
    changes, word = PLANTED[name]
    run = wgf.solve(TANH.problem, wgf.FiniteVolume(24, TANH.lower, TANH.upper), 0.2, 3)
    assert {each.name: each.word for each in run_verdicts(run)}[name] in ("good", "fair")
    for column, value in changes.items():
        run._frames[column] = np.full_like(run._frames[column], value)
    assert {each.name: each.word for each in run_verdicts(run)}[name] == word


def test_verdicts_of_energy_density_and_certificate():
    run = wgf.solve(RIDGE_2D.problem, wgf.FiniteVolume(16, *RIDGE_2D.box), 0.5, 3)

    def words():
        return {each.name: each.word for each in run_verdicts(run)}

    assert words()["loss decay"] == "good"
    assert words()["density error"] == words()["certificate"] == "unknown"
    run.attributes.update({"density_error": 0.2, "certificate_verdict": "stalled", "certificate_bound": 0.1, "certificate": "stalled"})
    assert words()["density error"] == words()["certificate"] == "poor"
    run.attributes.update({"density_error": 0.005, "certificate_verdict": "converged", "unresolved_share": 0.3, "unresolved_time": 0.1})
    assert (words()["density error"], words()["certificate"], words()["resolution"]) == ("good", "good", "poor")
    run.history["free_energy"][3] += 1.0
    assert words()["loss decay"] == words()["dissipation"] == "poor"


def test_a_slope_that_is_not_that_of_theory_is_seen():
    comparison = wgf.compare(TANH.problem, GRID, 0.2, (4, 16, 64), 8, 2, workers=1)
    assert {each.name: each.word for each in comparison_verdicts(comparison)}["rate of function"] in ("good", "fair")
    rate = comparison.rates["function"]
    wrong = replace(comparison, rates=comparison.rates | {"function": replace(rate, expected_slope=rate.expected_slope + 2.0)})
    assert {each.name: each.word for each in comparison_verdicts(wrong)}["rate of function"] == "poor"


FILE = """
[neuron]
activation = "tanh"
[data]
inputs = { law = "uniform", lower = [-1], upper = [1], nodes = 5 }
teacher = [ { c = 1.0, a = 2.0 } ]
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = [0.3, 0.3]
[domain]
lower = [-2, -2]
upper = [3, 3]
cells = [16, 16]
[time]
end = 0.3
save = 4
"""
OPTIONS = {"as it is": (), "changed": ("--cells", "12", "20", "--until", "0.2"), "another method": ("--method", "particles", "--m", "7")}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", OPTIONS)
def test_the_commands_of_the_page_make_the_run_again(options, tmp_path, monkeypatch, capsys):
    """With what the page says and holds, and nothing else: the same numbers to the last bit."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.toml").write_text(FILE, encoding="utf-8")
    assert wgf_says(capsys, "run", "first.toml", "--no-density-error", "--quiet", *OPTIONS[options])[0] == 0
    first = wgf.open_run("first.h5")
    recipe = part_of(first).recipe
    (tmp_path / "again").mkdir()
    monkeypatch.chdir(tmp_path / "again")
    (tmp_path / "again" / recipe.file).write_text(recipe.text, encoding="utf-8")
    (line,) = recipe.lines
    program, *words = shlex.split(line)
    assert program == "wgf"
    assert wgf_says(capsys, *words, "--no-density-error", "--quiet")[0] == 0
    again = wgf.open_run("first.h5")
    assert np.array_equal(again.times, first.times)
    assert np.array_equal(again.loss, first.loss)
    assert again.method == first.method


@pytest.mark.parametrize(
    "method", [wgf.FiniteVolume((12, 14), TANH.lower, TANH.upper), wgf.Particles(9, seed=3), wgf.FiPyMesh(wgf.Disc(3.0, 1.0))]
)
@pytest.mark.filterwarnings("ignore::wgf.BoundaryWarning")
def test_the_lines_of_a_run_made_in_python_make_it_again(method, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = wgf.solve(TANH.problem, method, 0.2, [0.05, 0.2], store="run.h5")
    names = {}
    exec("\n".join(part_of(wgf.open_run("run.h5")).recipe.lines), names)
    assert np.array_equal(names["run"].times, first.times)
    assert names["run"].loss == pytest.approx(first.loss, rel=1e-12)


def test_formulas_are_set_by_the_browser():
    assert mathml("φ_μ = x^2 + a_1^2 <b>") == (
        '<math><msub><mi>φ</mi><mi>μ</mi></msub><mo stretchy="false">=</mo><msup><mi>x</mi><mn>2</mn></msup>'
        '<mo stretchy="false">+</mo><msubsup><mi>a</mi><mn>1</mn><mn>2</mn></msubsup><mo stretchy="false">&lt;b&gt;</mo></math>'
    )


def test_messages(tmp_path):
    run = wgf.solve(TANH.problem, wgf.Particles(4), 0.1, 2)
    with pytest.raises(wgf.InputError, match=r"the name must end in \.html"):
        wgf.report(run, tmp_path / "page.pdf")
    with pytest.raises(wgf.InputError, match="no file beside which the page could go: give the path"):
        wgf.report(run)
    with pytest.raises(wgf.InputError, match=r"3 cannot be reported on: give a run"):
        wgf.report(3, tmp_path / "page.html")
    with pytest.raises(wgf.InputError, match="nothing to report on"):
        wgf.report([], tmp_path / "page.html")
    with pytest.raises(wgf.InputError, match="does not exist"):
        wgf.report(tmp_path / "none.h5")
    assert not list(tmp_path.iterdir())
