"""The data: files and their messages, Gauss rules, samples, teachers."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import wgf
from wgf.networks.teacher import evaluate


def moments(law, first, second, degree):
    """E x^k for k = 0 … degree, of the uniform law on [first, second] or of N(first, second²) (by its recursion)."""
    if law == "uniform":
        return [(second ** (k + 1) - first ** (k + 1)) / ((k + 1) * (second - first)) for k in range(degree + 1)]
    values = [1.0, first]
    for k in range(2, degree + 1):
        values.append(first * values[-1] + (k - 1) * second**2 * values[-2])
    return values[: degree + 1]


# ---- arrays


def test_weights_are_equal_unless_given_and_sum_to_one():
    assert wgf.Data([1, 2, 3, 4], [0, 0, 0, 0]).weights == pytest.approx([0.25] * 4)
    assert wgf.Data([1, 2], [0, 0], weights=[1, 3]).weights == pytest.approx([0.25, 0.75])


def test_one_input_may_be_a_list_and_the_target_a_column():
    data = wgf.Data([1.0, 2.0], [[3.0], [4.0]])
    assert data.inputs.shape == (2, 1)
    assert data.targets.shape == (2,)
    assert (data.size, data.dim) == (2, 1)


def test_the_arrays_are_the_datas_own_and_cannot_be_changed():
    inputs = np.array([1.0, 2.0])
    data = wgf.Data(inputs, inputs)
    inputs[0] = 7.0
    assert data.inputs[0, 0] == 1.0
    for array in (data.inputs, data.targets, data.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


def test_the_norm_is_the_root_of_the_weighted_sum_of_squares():
    data = wgf.Data([1, 2, 3], [0, 0, 0], weights=[1, 2, 1])
    assert data.norm(np.array([2.0, -3.0, 1.0])) == pytest.approx(np.sqrt((4 + 2 * 9 + 1) / 4))


def test_data_say_what_they_are():
    assert repr(wgf.Data([1, 2], [0, 0])) == "Data(2 samples, 1 input)"
    assert repr(wgf.Data(np.ones((3, 2)), [0, 0, 0])) == "Data(3 samples, 2 inputs)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a", "b"], [1, 2]), r"inputs are of the type <U1; give real numbers"),
        (([1, 2], [[1, 2], [3]]), r"targets are not real numbers in rows of one length"),
        (([], []), r"inputs have shape \(0, 1\); expected \(n, d\) or \(n,\) with n, d ≥ 1"),
        ((np.ones((2, 2, 2)), [1, 2]), r"inputs have shape \(2, 2, 2\)"),
        ((3.0, 4.0), r"inputs have shape \(\)"),
        (([1, 2, 3], [1, 2]), r"targets have shape \(2,\); expected \(3,\), one for each of the 3 inputs"),
        (([1, 2], [[1, 2], [3, 4]]), r"targets have shape \(2, 2\); expected \(2,\)"),
        (([1, 2], [1, 2], [1, 2, 3]), r"weights have shape \(3,\); expected \(2,\)"),
        (([1, np.nan], [1, 2]), r"inputs: entry \[1, 0\] is nan; every entry must be a finite number"),
        (([1, 2], [np.inf, 2]), r"targets: entry \[0\] is inf"),
        (([1, 2], [1, 2], [1, np.nan]), r"weights: entry \[1\] is nan"),
        (([1, 2], [1, 2], [1, 0]), r"weights: entry 1 is 0; weights must be positive \(leave the sample out instead\)"),
        (([1, 2, 3], [1, 2, 3], [1, 1, -2]), r"weights: entry 2 is -2; weights must be positive"),
    ],
)
def test_arrays_that_are_no_data_are_refused(arguments, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.Data(*arguments)


# ---- files

TABLE = {"x": [1.0, 2.0, 4.0], "y": [0.5, -1.0, 3.0], "weight": [1.0, 2.0, 1.0]}
TABLE_2D = {"x2": [1.0, 2.0, 4.0], "y": [0.5, -1.0, 3.0], "x1": [7.0, 8.0, 9.0]}


def write(path, columns):
    """The columns in the format that the ending of the path names."""
    if path.suffix == ".csv":
        np.savetxt(path, np.transpose(list(columns.values())), delimiter=",", header=",".join(columns), comments="")
    elif path.suffix == ".npz":
        np.savez(path, **columns)
    else:
        with h5py.File(path, "w") as file:
            file.update(columns)
    return path


@pytest.mark.parametrize("ending", [".csv", ".npz", ".h5", ".CSV"])
def test_a_file_gives_back_what_was_written(tmp_path, ending):
    data = wgf.Data.from_file(write((tmp_path / "data").with_suffix(ending.lower()), TABLE).rename(tmp_path / f"data{ending}"))
    assert np.array_equal(data.inputs[:, 0], TABLE["x"])
    assert np.array_equal(data.targets, TABLE["y"])
    assert data.weights == pytest.approx([0.25, 0.5, 0.25])


@pytest.mark.parametrize("ending", [".csv", ".npz", ".h5"])
def test_the_inputs_of_a_file_are_put_in_order(tmp_path, ending):
    data = wgf.Data.from_file(write((tmp_path / "data").with_suffix(ending), TABLE_2D))
    assert np.array_equal(data.inputs, np.transpose([TABLE_2D["x1"], TABLE_2D["x2"]]))
    assert data.weights == pytest.approx([1 / 3] * 3)


def test_ten_inputs_are_ordered_by_their_number_not_their_name(tmp_path):
    columns = {f"x{k}": [float(k)] for k in (10, 2, 1, 9, 3, 8, 4, 7, 5, 6)}
    data = wgf.Data.from_file(write(tmp_path / "data.npz", {**columns, "y": [0.0]}))
    assert data.inputs.tolist() == [[float(k) for k in range(1, 11)]]


def test_an_array_file_may_hold_all_inputs_in_one_x(tmp_path):
    inputs = np.arange(6.0).reshape(3, 2)
    assert np.array_equal(wgf.Data.from_file(write(tmp_path / "data.npz", {"x": inputs, "y": np.ones(3)})).inputs, inputs)


def test_a_csv_file_may_have_blanks_a_byte_order_mark_and_empty_lines(tmp_path):
    (tmp_path / "data.csv").write_text("\ufeffx , y\r\n1, 2\r\n\r\n , \r\n3,4e0\r\n", encoding="utf-8")
    data = wgf.Data.from_file(tmp_path / "data.csv")
    assert (data.inputs.ravel().tolist(), data.targets.tolist()) == ([1, 3], [2, 4])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the file is empty; expected a header such as x,y"),
        ("\n \n", r"the file is empty"),
        ("x,y\n", r"the file has a header but no samples"),
        ("x,x,y\n1,1,2\n", r"the header names a column twice: x, x, y"),
        ("x,z\n1,2\n", r"unknown column 'z'.*; expected x \(or x1 … xd\), y and optionally weight"),
        ("x,y,wieght\n1,2,3\n", r"unknown column 'wieght' \(did you mean 'weight'\?\)"),
        ("x1,x3,y\n1,2,3\n", r"unknown column 'x3'"),
        ("x,x1,y\n1,2,3\n", r"unknown column 'x1' \(did you mean 'x'\?\)"),
        ("1.0,2.0\n3.0,4.0\n", "its first line holds numbers"),
        ("x,weight\n1,2\n", r"there is no column 'y'; .*found x, weight"),
        ("y,weight\n1,2\n", r"there is no column 'x'; .*found y, weight"),
        ("x,y\n1,2\n3\n", r"line 3, column y: '', a value is missing"),
        ("x,y\n\n1,2\n3,4,5\n", r"line 4 has 3 columns"),
        ("x,y\n1,2\n3,four\n", r"line 3, column y: 'four' is not a number"),
        ("x,y\n1,2\n,4\n", r"line 3, column x: '', a value is missing: leave such lines out by missing = \"drop\""),
        ("x,y\n1,2\nnan,4\n", r"line 3, column x: 'nan', a value is missing: leave such lines out"),
        ("x,y\n1,inf\n", r"line 2, column y: 'inf' is not a finite number"),
        ("x,y,weight\n1,2,1\n1,2,-1\n", r"weights: entry 1 is -1; weights must be positive"),
        ('x,y\n1,"' + "2\n" * 100_000, r"cannot be read as \.csv: field larger than field limit"),
    ],
)
def test_a_csv_file_that_cannot_be_read_says_where(tmp_path, text, message):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(wgf.InputError, match=f"(?s)table.csv.*{message}"):
        wgf.Data.from_file(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data.csv", b"x,y\n1,\xe9\n", r"cannot be read as \.csv: 'utf-8' codec"),
        ("data.npz", b"", r"cannot be read as \.npz"),
        ("data.npz", b"hello world", r"cannot be read as \.npz"),
        ("data.npz", b"PK\x03\x04 and then nothing", r"cannot be read as \.npz"),
        ("data.h5", b"hello world", r"cannot be read as \.h5"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(wgf.InputError, match=f"{name} {message}"):
        wgf.Data.from_file(tmp_path / name)


def test_an_npy_file_in_the_dress_of_an_npz_file_is_named(tmp_path):
    with (tmp_path / "data.npz").open("wb") as file:
        np.save(file, np.ones((3, 2)))
    with pytest.raises(wgf.InputError, match=r"data\.npz cannot be read as \.npz"):
        wgf.Data.from_file(tmp_path / "data.npz")


@pytest.mark.parametrize("words", [[b"a", b"b"], np.zeros(2, dtype=[("u", float), ("v", int)])], ids=["words", "records"])
@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_an_array_file_that_holds_no_numbers_is_named(tmp_path, ending, words):
    path = write((tmp_path / "data").with_suffix(ending), {"x": words, "y": [1.0, 2.0]})
    with pytest.raises(wgf.InputError, match=rf"data\{ending} cannot be read as \{ending}"):
        wgf.Data.from_file(path)


@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_an_array_file_is_checked_like_a_table(tmp_path, ending):
    path = (tmp_path / "data").with_suffix(ending)
    with pytest.raises(wgf.InputError, match=r"unknown column 'z'"):
        wgf.Data.from_file(write(path, {"x": [1.0], "y": [1.0], "z": [1.0]}))
    with pytest.raises(wgf.InputError, match=r"there is no column 'y'"):
        wgf.Data.from_file(write(path, {"x": [1.0]}))
    with pytest.raises(wgf.InputError, match=r"inputs: entry \[1, 0\] is nan"):
        wgf.Data.from_file(write(path, {"x": [1.0, np.nan], "y": [1.0, 1.0]}))
    with pytest.raises(wgf.InputError, match=r"targets have shape \(1,\); expected \(2,\)"):
        wgf.Data.from_file(write(path, {"x": [1.0, 2.0], "y": [1.0]}))


def test_a_missing_file_and_an_unknown_ending_are_named(tmp_path):
    with pytest.raises(wgf.InputError, match=r"data file .*nowhere\.csv does not exist"):
        wgf.Data.from_file(tmp_path / "nowhere.csv")
    with pytest.raises(
        wgf.InputError, match=r"unknown kind of data file \(.*data\.xls\) '\.xls'.*; allowed: \.csv, \.tsv, \.txt, \.dat, \.npz"
    ):
        wgf.Data.from_file(tmp_path / "data.xls")


# ---- Gauss rules


@pytest.mark.parametrize(("law", "place"), [("uniform", {"lower": -0.5, "upper": 2.0}), ("gaussian", {"mean": 0.7, "std": 1.3})])
@pytest.mark.parametrize("nodes", [1, 2, 5, 9])
def test_a_gauss_rule_is_exact_for_polynomials_up_to_degree_2n_minus_1(law, place, nodes):
    data = wgf.Data.quadrature(np.sin, nodes=nodes, law=law, **place)
    assert data.size == nodes
    assert data.weights.sum() == pytest.approx(1, abs=1e-14)
    assert np.array_equal(data.targets, np.sin(data.inputs[:, 0]))
    for k, exact in enumerate(moments(law, *place.values(), 2 * nodes - 1)):
        assert data.weights @ data.inputs[:, 0] ** k == pytest.approx(exact, rel=1e-12, abs=1e-13)
    missed = moments(law, *place.values(), 2 * nodes)[-1]
    assert data.weights @ data.inputs[:, 0] ** (2 * nodes) != pytest.approx(missed, rel=1e-9)


@pytest.mark.parametrize(
    ("law", "place"),
    [("uniform", {"lower": [-0.5, 0.0], "upper": [2.0, 0.4]}), ("gaussian", {"mean": [0.7, -1.0], "std": [1.3, 0.2]})],
)
def test_a_gauss_rule_in_two_dimensions_is_a_tensor_product(law, place):
    data = wgf.Data.quadrature(lambda x: x[:, 0] - x[:, 1], nodes=[3, 5], law=law, **place)
    first, second = (moments(law, *pair, 9) for pair in zip(*place.values(), strict=True))
    assert data.inputs.shape == (15, 2)
    assert data.weights.sum() == pytest.approx(1, abs=1e-14)
    assert np.array_equal(data.targets, data.inputs[:, 0] - data.inputs[:, 1])
    for j in range(6):
        for k in range(10):
            integral = data.weights @ (data.inputs[:, 0] ** j * data.inputs[:, 1] ** k)
            assert integral == pytest.approx(first[j] * second[k], rel=1e-12, abs=1e-14)


@given(
    lower=st.floats(-5, 5),
    width=st.floats(0.1, 5),
    nodes=st.integers(1, 12),
    coefficients=st.lists(st.floats(-1, 1), min_size=1, max_size=24),
)
def test_a_gauss_legendre_rule_integrates_any_polynomial_it_should(lower, width, nodes, coefficients):
    u = np.polynomial.Polynomial(coefficients[: 2 * nodes])
    data = wgf.Data.quadrature(lambda x: u((x - lower) / width), lower, lower + width, nodes)
    assert data.weights @ data.targets == pytest.approx(u.integ()(1.0), abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"law": "unifrom"}, r"unknown law of x 'unifrom' \(did you mean 'uniform'\?\); allowed: uniform, gaussian"),
        ({"lower": [-1, -1], "upper": [1]}, r"the law of x: uniform: lower has 2, upper has 1 entries; .* or one number for all"),
        ({"law": "gaussian", "mean": [0], "std": [1, 1]}, r"the law of x: gaussian: mean has 1, std has 2 entries"),
        (
            {"lower": 1, "upper": 1},
            r"the law of x: the uniform law has lower = 1, upper = 1 in coordinate 1: lower must be less than upper",
        ),
        ({"law": "gaussian", "std": 0}, r"the law of x: gaussian: std = 0 in coordinate 1; it must be positive"),
        ({"law": "gaussian", "lower": 0}, r"the law of x is gaussian, which takes mean and std, not lower"),
        ({"law": wgf.Uniform(0, 1), "upper": 2}, r"the law of x is Uniform\(lower=\(0\.0,\), upper=\(1\.0,\)\) already: leave out upper"),
        ({"law": wgf.Ball([0, 0], 1), "nodes": [3, 4]}, r"nodes = \[3, 4\]: Ball takes one number for all inputs"),
        ({"nodes": 10**9}, r"nodes = 1000000000: at most 10,000 for each input"),
        ({"nodes": 0}, r"nodes = 0: give a whole number, at least 1"),
        ({"nodes": [3, 4]}, r"nodes has 2 entries for 1 input\(s\); give one for all or one per input"),
        ({"target": lambda x: x[:-1]}, r"the target function gave shape \(39,\) for 40 inputs; expected \(40,\)"),
        ({"target": lambda x: 1.0}, r"the target function gave shape \(\) for 40 inputs"),
        ({"target": lambda x: 1 / (x - x)}, r"targets: entry \[0\] is inf"),
        ({"upper": np.inf}, r"the law of x: uniform: upper = inf must be finite numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_a_quadrature_that_cannot_be_says_why(arguments, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.Data.quadrature(**{"target": np.sin, **arguments})


@pytest.mark.parametrize(
    ("law", "place"),
    [
        (wgf.Uniform([-0.5, 0.0], 2.0), {"lower": [-0.5, 0.0], "upper": 2.0}),
        (wgf.Gaussian(0.7, [1.3, 0.2]), {"law": "gaussian", "mean": 0.7, "std": [1.3, 0.2]}),
    ],
)
def test_the_law_of_x_may_be_a_law(law, place):
    """The same nodes and samples, bit for bit, as from its name and its numbers, one of which serves for all inputs."""

    def target(x):
        return x[:, 0] - x[:, 1]

    for ours, theirs in (
        (wgf.Data.quadrature(target, nodes=[3, 5], law=law), wgf.Data.quadrature(target, nodes=[3, 5], **place)),
        (wgf.Data.samples(target, 9, seed=2, law=law), wgf.Data.samples(target, 9, seed=2, **place)),
    ):
        assert np.array_equal(ours.inputs, theirs.inputs)
        assert np.array_equal(ours.weights, theirs.weights)


def test_x_in_a_disc():
    """E|x|² = ½ and E x₁⁴ = ⅛ for the uniform law on the unit disc."""
    data = wgf.Data.quadrature(lambda x: np.sum(x**2, axis=1), nodes=8, law=wgf.Ball([0, 0], 1))
    assert data.weights @ data.targets == pytest.approx(0.5, rel=1e-12)
    assert data.weights @ data.inputs[:, 0] ** 4 == pytest.approx(0.125, rel=1e-12)


# ---- samples


@pytest.mark.parametrize(
    ("law", "place", "distribution"),
    [
        ("uniform", {"lower": [-1, 2], "upper": [1, 5]}, (stats.uniform(-1, 2), stats.uniform(2, 3))),
        ("gaussian", {"mean": [-1, 2], "std": [1, 0.1]}, (stats.norm(-1, 1), stats.norm(2, 0.1))),
    ],
)
def test_samples_follow_their_law_and_their_seed(law, place, distribution):
    data = wgf.Data.samples(lambda x: x.sum(axis=1), 4000, seed=3, law=law, **place)
    for column, expected in zip(data.inputs.T, distribution, strict=True):
        assert stats.kstest(column, expected.cdf).pvalue > 1e-3
    assert data.weights == pytest.approx(np.full(4000, 1 / 4000))
    assert np.array_equal(data.targets, data.inputs.sum(axis=1))
    assert np.array_equal(data.inputs, wgf.Data.samples(lambda x: x.sum(axis=1), 4000, seed=3, law=law, **place).inputs)
    assert not np.array_equal(data.inputs, wgf.Data.samples(lambda x: x.sum(axis=1), 4000, seed=4, law=law, **place).inputs)


def test_no_sample_and_an_unknown_law_are_refused():
    with pytest.raises(wgf.InputError, match=r"count = 0: give a whole number, at least 1"):
        wgf.Data.samples(np.sin, 0)
    with pytest.raises(wgf.InputError, match=r"count = 10+: from one to 100,000,000 samples of x"):
        wgf.Data.samples(np.sin, 10**30)
    with pytest.raises(wgf.InputError, match=r"unknown law of x 'normal'"):
        wgf.Data.samples(np.sin, 5, law="normal")


# ---- teachers and target functions


def test_a_teacher_is_the_sum_of_its_neurons():
    teacher, x = wgf.Teacher("tanh", [{"c": 2.0, "a": 1.5}, {"a": -0.5, "b": 0.3}]), np.linspace(-2, 2, 9)
    by_hand = [2.0 * np.tanh(1.5 * entry) + np.tanh(-0.5 * entry + 0.3) for entry in x]
    assert teacher(x) == pytest.approx(by_hand, rel=1e-14)
    assert teacher(x[:, None]) == pytest.approx(by_hand, rel=1e-14)
    assert repr(teacher) == "Teacher(2 tanh neurons)"


def test_a_teacher_may_have_several_inputs():
    teacher, x = (
        wgf.Teacher("relu", [{"a1": 1.0, "a2": -2.0, "b": 0.5}, {"c": -1.0, "a1": 0.0, "a2": 1.0}], dim=2),
        np.random.default_rng(0).uniform(size=(7, 2)),
    )
    by_hand = [max(u - 2 * v + 0.5, 0) - max(v, 0) for u, v in x]
    assert teacher(x) == pytest.approx(by_hand, abs=1e-14)
    assert wgf.Data.quadrature(teacher, [-1, -1], [1, 1], nodes=3).dim == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tanh", []), r"the teacher has no neurons; give at least one"),
        (("tanh", [{"a": 1.0}, {"w": 1.0}]), r"unknown coordinate of teacher neuron 2 'w'; allowed: c, a, b"),
        (("tanh", [{"c": 1.0}]), r"teacher neuron 1 has no a; it needs c, a, b \(default c = 1, b = 0\)"),
        (("tanh", [{"a1": 1.0}], 2), r"teacher neuron 1 has no a2; it needs c, a1, a2, b"),
        (("tan", [{"a": 1.0}]), r"unknown activation 'tan' \(did you mean 'tanh'\?\)"),
    ],
)
def test_a_teacher_that_cannot_be_says_why(arguments, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.Teacher(*arguments)


def test_a_target_function_sees_a_vector_for_one_input_and_a_table_for_more():
    seen = []

    def target(x):
        seen.append(x.shape)
        return np.zeros((len(x), 1))

    assert evaluate(target, np.ones((4, 1))).shape == (4,)
    assert evaluate(target, np.ones((4, 2))).shape == (4,)
    assert seen == [(4,), (4, 2)]
