"""Data with names, units of their own and a part to test with: in a run, in its file, in its figure."""

import h5py
import numpy as np
import pytest
from artists import legend, shown

import wgf
from wgf.problems.schema import parse
from wgf.problems.toml import read_data
from wgf.runs.summary import run_facts

pytestmark = pytest.mark.coarse

TABLE = """
file = "people.csv"
inputs = ["age", "bmi"]
target = "result"
standardise = true
test = 0.25
seed = 3
"""


@pytest.fixture
def folder(tmp_path):
    """A table whose columns have scales of their own."""
    rng = np.random.default_rng(1)
    age, bmi = rng.uniform(20, 80, 40), rng.normal(25, 4, 40)
    result = 3 * age - 10 * bmi + 500
    rows = "".join(f"{a!r};{b!r};{y!r}\n" for a, b, y in zip(age.tolist(), bmi.tolist(), result.tolist(), strict=True))
    (tmp_path / "people.csv").write_text(f"age;bmi;result\n{rows}")
    return tmp_path


def data_of(folder, text=TABLE):
    return read_data(parse(text, "p.toml"), folder, "tanh")


def problem_of(data):
    return wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta="all", dim=data.dim), data), wgf.Gaussian(0.0, 1.0))


def test_data_are_split_and_standardised_by_what_is_learned_from(folder):
    data, plain = data_of(folder), wgf.Data.from_file(folder / "people.csv", target="result")
    assert (data.size, data.test.size) == (30, 10)
    both = np.column_stack([data.inputs, data.targets])
    assert both.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert both.std(axis=0) == pytest.approx(1)
    assert abs(data.test.inputs.mean(axis=0)).max() > 1e-3  # in units of the others, not of their own
    found = np.vstack([data.original_inputs, data.test.original_inputs])
    order, expected = np.argsort(found[:, 0]), np.argsort(plain.inputs[:, 0])
    assert found[order] == pytest.approx(plain.inputs[expected])
    targets = np.concatenate([data.original_targets, data.test.original_targets])
    assert targets[order] == pytest.approx(plain.targets[expected])


def test_a_split_is_drawn_by_its_seed_and_keeps_weights():
    data = wgf.Data(np.arange(10.0), np.arange(10.0), np.arange(1.0, 11.0), ["u"])
    one, same, other = data.split(0.3, seed=1), data.split(0.3, seed=1), data.split(0.3, seed=2)
    assert np.array_equal(one.inputs, same.inputs)
    assert not np.array_equal(one.inputs, other.inputs)
    kept = np.sort(np.concatenate([one.inputs[:, 0], one.test.inputs[:, 0]]))
    assert np.array_equal(kept, data.inputs[:, 0])
    assert one.test.weights == pytest.approx((one.test.inputs[:, 0] + 1) / (one.test.inputs[:, 0] + 1).sum())
    assert one.test.input_names == ("u",)
    for wrong in (0, 1, -0.1, "half", None):
        with pytest.raises(wgf.InputError, match="give the part of the samples to test with"):
            data.split(wrong)
    with pytest.raises(wgf.InputError, match="standardised already"):
        data.standardised().standardised()


def test_a_column_that_never_changes_keeps_its_scale():
    data = wgf.Data([[0.1, 1.0], [0.1, 2.0], [0.1, 3.0]], [5.0, 5.0, 5.0]).standardised()
    assert data.standardisation.input_scale[0] == 1
    assert data.inputs[:, 0] == pytest.approx(0)
    assert data.original_targets == pytest.approx(5)


@pytest.mark.parametrize("method", [wgf.Particles(50), wgf.Particles(50, scale=0.1, centred="subtracted")], ids=repr)
def test_the_file_of_a_run_keeps_units_names_and_the_test_loss(folder, method):
    data = data_of(folder)
    problem = problem_of(data)
    run = wgf.solve(problem, method, 0.5, 3)
    stored = wgf.solve(problem, method, 0.5, 3, store=folder / "r.h5")
    opened = wgf.open_run(folder / "r.h5")
    for one in (stored, opened):
        assert np.array_equal(one.test_loss, run.test_loss)
        assert np.array_equal(one.test_prediction, run.test_prediction)
        assert (one.data.input_names, one.data.target_name) == (("age", "bmi"), "result")
        assert np.array_equal(one.data.original_inputs, data.original_inputs)
        assert np.array_equal(one.data.test.original_targets, data.test.original_targets)
        assert one.predict(data.test.original_inputs) == pytest.approx(data.in_units(run.test_prediction[-1]))
        assert one.predict(data.original_inputs, 0) == pytest.approx(data.in_units(run.prediction[0]))
    assert run.test_loss[-1] == pytest.approx(np.mean((run.test_prediction[-1] - data.test.targets) ** 2))
    with h5py.File(folder / "r.h5") as file:
        assert file["test_loss"].dims[0].keys() == ["time"]
        prediction = file["prediction"][-1] * file["target"].attrs["scale"] + file["target"].attrs["shift"]
        assert prediction == pytest.approx(opened.predict(data.original_inputs))


def test_a_run_that_goes_on_goes_on_with_its_test_loss(folder):
    problem = problem_of(data_of(folder))
    whole = wgf.solve(problem, wgf.Particles(20), 1.0, [0.25, 0.5, 0.75])
    wgf.solve(problem, wgf.Particles(20), 0.5, [0.25], store=folder / "r.h5")
    run = wgf.solve(problem, wgf.Particles(20), 1.0, [0.25, 0.5, 0.75], store=folder / "r.h5", resume=True)
    assert run.times.tolist() == whole.times.tolist()
    assert np.array_equal(run.test_loss, whole.test_loss)


def test_what_is_said_and_drawn_is_in_the_units_of_the_data(folder):
    run = wgf.solve(problem_of(data_of(folder)), wgf.Particles(50), 0.5, 3)
    facts = run_facts(run)
    assert facts["test loss"].startswith(f"{run.test_loss[0]:.6g} → {run.test_loss[-1]:.6g} on 10 samples kept aside")
    assert "in units of result" in facts["fit"]
    fall, fit = shown(run.plot())[-2:]
    assert legend(fall)[-1] == "loss on test data"
    assert legend(fit)[-1] == "test data"
    assert "result" in fit.get_xlabel()
    assert fit.get_xlim()[1] > 100  # results are hundreds


def test_without_test_data_it_is_said_what_to_do(folder):
    run = wgf.solve(problem_of(wgf.Data([0.0, 1.0], [0.0, 1.0])), wgf.Particles(3), 0.1, 2)
    with pytest.raises(wgf.InputError, match=r"no data to test with: split them before, data\.split\(0\.2\)"):
        run.test_loss  # noqa: B018
    with pytest.raises(wgf.InputError, match="x has 2 columns, and the data have 1 inputs"):
        run.predict([[0.0, 1.0]])


@pytest.mark.parametrize("name", ["test_prediction", "input_scale", "test_target"])
def test_a_file_whose_arrays_do_not_fit_is_refused(folder, name):
    wgf.solve(problem_of(data_of(folder)), wgf.Particles(5), 0.1, 2, store=folder / "r.h5")
    with h5py.File(folder / "r.h5", "r+") as file:
        values = file[name][..., :-1]
        del file[name]
        file[name] = values
    with pytest.raises(wgf.InputError, match=r"r\.h5"):
        wgf.open_run(folder / "r.h5")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("target", "targets", r"unknown key 'targets' \(did you mean 'target'\?\)"),
        ('["age", "bmi"]', '["age", "bmii"]', r"people\.csv: there is no column 'bmii' \(did you mean 'bmi'\?\)"),
        ("0.25", "1.5", "test = 1.5: give the part"),
        ("true", '"yes"', "standardise = 'yes' is not true or false"),
        ("seed = 3", 'missing = "fill"', "missing = 'fill' is not known; allowed: refuse, drop"),
        ("seed = 3", 'decimal = ";"', "unknown mark before decimals ';'"),
        ('file = "people.csv"', 'name = "diabete"', r"name = 'diabete' is not known \(did you mean 'diabetes'\?\)"),
        ('file = "people.csv"', "", r'p\.toml: give file = "data\.csv", the name = "diabetes"'),
    ],
)
def test_a_data_table_that_is_wrong_is_put_right(folder, old, new, message):
    with pytest.raises(wgf.InputError, match=message):
        data_of(folder, TABLE.replace(old, new))
