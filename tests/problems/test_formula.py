"""Formulas against the same ones in Python, and what is no formula, with the place where it stops being one."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wgf
from wgf.problems.formula import DEEPEST, FUNCTIONS, LONGEST, Formula

POINTS = np.random.default_rng(0).uniform(0.2, 1.7, (4, 3, 2))
X, Y, R = POINTS[..., 0], POINTS[..., 1], np.hypot(POINTS[..., 0], POINTS[..., 1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5*(x^2 - 1)^2", 5 * (X**2 - 1) ** 2),
        ("-x^2", -(X**2)),
        ("(-x)^2", X**2),
        ("2^-x", 2**-X),
        ("2^3^2*x", 512 * X),
        ("x - y - 1", X - Y - 1),
        ("x/y/2", X / Y / 2),
        ("x - -y", X + Y),
        ("--x", X),
        ("+x*-y", -X * Y),
        ("x**2 + y ** 3", X**2 + Y**3),
        ("r", R),
        ("exp(-r^2/2)/(2*pi)", np.exp(-(R**2) / 2) / (2 * np.pi)),
        ("e^x", np.e**X),
        ("1.5e-1*x + .5 + 2.", 0.15 * X + 2.5),
        ("max(x, y, 1)", np.maximum(np.maximum(X, Y), 1)),
        ("min(x, 1) - max(2, y)", np.minimum(X, 1) - np.maximum(2, Y)),
        ("3", np.full(X.shape, 3.0)),
        ("  x\n + y ", X + Y),
        ("((((x))))", X),
    ],
)
def test_a_formula_is_what_it_says(text, expected):
    assert Formula(text, ("x", "y"))(POINTS) == pytest.approx(expected, rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ("min", "max")])
def test_every_function_is_that_of_numpy(name):
    assert np.array_equal(Formula(f"{name}(x)", ("x", "y"))(POINTS), getattr(np, name)(X))


def texts():
    """Formulas in the grammar, with Python's own powers so that Python can be asked for their values."""
    leaf = st.sampled_from(["x", "y", "r", "2", "0.5", "pi"])

    def wider(inner):
        binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(lambda t: f"{t[0]} {t[1]} {t[2]}")
        return binary | inner.map(lambda t: f"({t})") | inner.map(lambda t: f"-{t}") | inner.map(lambda t: f"cos({t})")

    return st.recursive(leaf, wider, max_leaves=8)


@given(texts())
def test_signs_powers_and_brackets_bind_as_in_python(text):
    names = {"x": np.float64(0.7), "y": np.float64(1.3), "r": np.hypot(0.7, 1.3), "pi": np.pi, "cos": np.cos}
    with np.errstate(all="ignore"):
        expected = eval(text, {"__builtins__": {}}, {**names, "x": names["x"]})
        if not (np.isreal(expected) and np.isfinite(expected)):
            return
    assert Formula(text, ("x", "y"))(np.array([0.7, 1.3])) == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5*(x^2 - 1)^2)", r"V = '5\*\(x\^2 - 1\)\^2\)': unexpected '\)' at character 14$"),
        ("(x", r"the parenthesis at character 1 is never closed"),
        ("", r"the formula ends where a number or a name should follow"),
        ("x + ", r"the formula ends where"),
        ("* x", r"unexpected '\*' at character 1"),
        ("2x", r"unexpected 'x' at character 2; write \* between factors"),
        ("x(1)", r"unexpected '\(' at character 2; write \*"),
        ("x, y", r"unexpected ',' at character 2"),
        ("z + 1", r"unknown name 'z' at character 1; allowed: x, y, r, pi, e, exp"),
        ("cosh(x) + sqr(x)", r"unknown name 'sqr' at character 11 \(did you mean 'sqrt'\?\)"),
        ("exp x", r"the function exp at character 1 has no arguments: write exp\(…\)"),
        ("sin(x, y)", r"the function sin at character 1 takes one argument, not 2"),
        ("1 + max(x)", r"the function max at character 5 takes at least two arguments"),
        ("sin()", r"unexpected '\)' at character 5"),
        ("x; y", r"unexpected ';' at character 2"),
        ("__import__('os')", r"unexpected \"'\" at character 12"),
        ("x.real", r"unexpected '.' at character 2"),
        ("x if y else 1", r"unexpected 'if' at character 3"),
        ("9^9^9^9", r"'\^' at character 4 gives inf, not a finite number"),
        ("x + 1/0", r"'/' at character 6 gives inf"),
        ("log(0)*x", r"'log' at character 1 gives -inf"),
        ("1e999", r"the number at character 1 is larger than 1e308"),
        ("-" * (DEEPEST + 5) + "x", r"too deep at character 51: at most 50 parentheses"),
        ("^".join("x" * 60), r"too deep at character 101"),
        ("(" * 400 + "x" + ")" * 400, r"too deep at character 51"),
        ("(" * 10_000 + "x" + ")" * 10_000, rf"V is a formula of 20,001 characters: at most {LONGEST:,}"),
        ("x" * 10**6, r"V is a formula of 1,000,000 characters"),
    ],
)
def test_what_is_no_formula_is_refused_at_its_place(text, message):
    with pytest.raises(wgf.InputError, match=message) as told:
        Formula(text, ("x", "y"), "V")
    assert len(str(told.value)) < 400


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ([], r"axes = \[\]: give the names of θ's axes as a list"),
        ("x", r"axes = 'x': give the names"),
        (["x", "x"], r"axes: x, x: none twice"),
        (["x y"], r"axes: 'x y' is no name"),
        (["1"], r"axes: '1' is no name"),
        ([1], r"axes: 1 is no name"),
        (["r"], r"axes: 'r' has a meaning in formulas already"),
        (["e"], r"axes: 'e' has a meaning"),
        (["exp"], r"axes: 'exp' has a meaning"),
    ],
)
def test_axes_are_names_of_their_own(axes, message):
    with pytest.raises(wgf.InputError, match=message):
        Formula("1", axes)


def test_long_chains_and_values_that_are_not_finite():
    """A thousand characters in a row are evaluated without recursion; infinite values come without a warning."""
    assert Formula("+".join(["x"] * 500), ("x",))(np.array([2.0])) == 1000
    assert Formula("log(x)", ("x",))(np.array([[0.0], [1.0]])).tolist() == [-np.inf, 0.0]
    assert np.isinf(Formula("exp(1000*x)", ("x",))(np.array([1.0])))


def test_a_formula_knows_its_axes_and_can_be_sent_to_another_process():
    formula = pickle.loads(pickle.dumps(Formula("x*y", ["x", "y"], "V")))
    assert formula(np.array([2.0, 3.0])) == 6
    assert repr(formula) == "'x*y'"
    with pytest.raises(wgf.InputError, match=r"V = 'x\*y' is a formula in x, y, but θ has 3 coordinates"):
        formula(np.zeros((4, 3)))
