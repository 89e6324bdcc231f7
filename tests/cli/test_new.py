"""`wgf new`: the problem files that it writes run as they are."""

import numpy as np
import pytest
from click.testing import CliRunner
from commands import wgf_says

import wgf
from wgf.cli.new import new
from wgf.runs.task import read_task

pytestmark = pytest.mark.coarse


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with tables, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    t = np.linspace(0, 24, 60)
    tides = "".join(f"{a:.2f};{500 + 180 * np.sin(a / 4):.1f};Graz\n".replace(".", ",") for a in t)
    (tmp_path / "tides.csv").write_text(f"time (h);height;station\n{tides}")
    rows = [f"{k % 7 / 3 - 1},{k % 5 / 2 - 1},{k % 3 - 1}" for k in range(30)]
    (tmp_path / "small.csv").write_text("x1,x2,y\n" + "\n".join([*rows, "1,,0"]) + "\n")
    return tmp_path


def test_what_it_writes_for_flags_runs_as_it_is(here, capsys):
    """Neurons, for two inputs."""
    status, out, _ = wgf_says(capsys, "new", "--data", "small.csv", "--neuron", "sigmoid", "--law", "uniform")
    assert (status, out.startswith("wrote small.toml")) == (0, True)
    text = (here / "small.toml").read_text(encoding="utf-8")
    assert "30 samples; 1 rows are left out" in text
    problem = read_task("small.toml").problem
    assert (problem.energy.data.size, problem.energy.data.standardisation) == (30, None)
    assert problem.energy.neuron.sigma.name == "sigmoid"
    assert type(problem.initial) is wgf.Uniform
    status, out, err = wgf_says(capsys, "run", "small.toml")
    assert (status, err) == (0, "")
    assert wgf.open_run("small.h5").loss[-1] < wgf.open_run("small.h5").loss[0]


def test_it_asks_for_what_is_not_given(here, capsys):
    """A density, for one input; the columns' scales differ."""
    found = CliRunner().invoke(new, input="tides.csv\n\n\nerf\n\nsea.toml\n")
    assert found.exit_code == 0, found.output
    assert "its columns of numbers: time (h), height" in found.output
    task = read_task("sea.toml")
    data = task.problem.energy.data
    assert (data.input_names, data.target_name, data.size, data.test.size) == (("time (h)",), "height", 48, 12)
    assert data.standardisation is not None
    assert isinstance(task.method, wgf.FiniteVolume)
    assert wgf_says(capsys, "run", "sea.toml", "--cells", "12", "--until", "0.1", "--no-density-error", "--quiet")[0] == 0


def test_a_data_set_by_its_name(here, capsys):
    pytest.importorskip("sklearn")
    assert wgf_says(capsys, "new", "--data", "diabetes", "--inputs", "bmi", "s5", "-o", "sugar.toml")[0] == 0
    data = read_task("sugar.toml").problem.energy.data
    assert (data.input_names, data.size + data.test.size) == (("bmi", "s5"), 442)


def test_files_elsewhere_and_arrays(here, capsys):
    (here / "in").mkdir()
    np.savez(here / "in" / "a.npz", age=[1.0, 2.0], y=[3.0, 4.0])
    assert wgf_says(capsys, "new", "--data", "in/a.npz", "--inputs", "age", "-o", "out.toml")[0] == 0
    assert read_task("out.toml").problem.energy.data.input_names == ("age",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "gone.csv"], "there is no data file gone.csv, nor a data set of this name; the data sets are breast-cancer, diabetes"),
        (["--data", "small.csv", "--target", "z"], "small.csv: there is no column 'z'"),
        (["--data", "small.csv", "--neuron", "tanhh"], "unknown activation 'tanhh' (did you mean 'tanh'?)"),
        (["--data", "small.csv", "--law", "mixture"], "unknown law to begin with 'mixture'"),
        (["--data", "words.csv"], "words.csv: two columns of numbers are needed, an input and a target; there are none"),
        (["--data", "small.csv", "-o", "taken.toml"], "taken.toml exists and holds another program's file"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(here, capsys, words, message):
    (here / "words.csv").write_text("a,b\nc,d\n")
    (here / "taken.toml").write_text("mine")
    status, _, err = wgf_says(capsys, "new", *words)
    assert status == 2
    assert message in err
    assert (here / "taken.toml").read_text() == "mine"
    assert not (here / "small.toml").exists()
