"""A problem built in Python as the text of a problem file, and back; what cannot be written is named."""

import numpy as np
import pytest
from checks import Given

import wgf
from wgf.problems.problem import Problem
from wgf.problems.text import MOST_NUMBERS, written

DATA = wgf.Data([[0.1, 0.2], [0.3, -0.7]], [1.0, 2.0], [0.25, 0.75])
LINE = wgf.Data([0.1, 0.2], [1.0, 2.0])
POINT = np.random.default_rng(0).uniform(-1, 1, (5, 2))
GAUSSIAN = wgf.Gaussian([0.1, 1 / 3], [0.4, 1e-7])


def network(neuron, data=LINE, law=GAUSSIAN, **options):
    return wgf.Problem(wgf.RegressionEnergy(neuron, data, options.pop("penalty", 0.0)), law, **options)


def moved(law, **energy):
    return wgf.Problem(wgf.InteractionEnergy(**energy), law)


TANH = wgf.Neuron("tanh")
MORSE = wgf.potential("morse", repulsion=1.0, repulsion_length=0.5, attraction=0.6, attraction_length=2.0)
WRITTEN = {
    "a title with signs": network(TANH, title='a "b" \\ c\n$x$ ∂μ'),
    "penalty and noise": network(TANH, penalty=1 / 3, temperature=0.1),
    "two inputs": network(wgf.Neuron("relu", ("c", "a2"), {"a1": 1 / 3, "b": -2}, dim=2), DATA),
    "one letter": network(wgf.Neuron("cosine", "a"), law=wgf.Gaussian(0, 1)),
    "a number of numpy": network(wgf.Neuron("erf", ("a", "b"), {"c": np.float64(2)}), temperature=np.float64(0.1)),
    "uniform": network(TANH, law=wgf.Uniform(-1, [1, 2])),
    "ball": network(TANH, law=wgf.Ball([0.1, 0.2], 0.7)),
    "numbers for all axes": network(TANH, law=wgf.Gaussian(0, 1)),
    "samples": network(TANH, law=wgf.Samples(POINT)),
    "mixture": network(TANH, law=wgf.Mixture([1, 2], [GAUSSIAN, wgf.Mixture([0.3, 0.7], [wgf.Ball([0, 0], 1), wgf.Uniform(-1, 1)])])),
    "product": network(TANH, law=wgf.Product([wgf.Gaussian([0.3], [0.1]), wgf.Mixture([1, 3], [wgf.Uniform(0, 1), wgf.Samples([0.5])])])),
    "reduced to the sphere": wgf.reduce_to_sphere(network(wgf.Neuron("relu", ("c", "a", "b")), law=wgf.Gaussian([0.1] * 3, 0.5))),
    "named potentials": moved(GAUSSIAN, V=wgf.potential("quartic", center=[1.0, 2.0]), W=MORSE, U=wgf.PorousMedium(0.1, 3)),
    "formulas": moved(GAUSSIAN, V="x^2 + y/3", W="exp(-r)", U=wgf.Entropy(0.1), axes=("x", "y")),
    "a torus": moved(GAUSSIAN, W=wgf.potential("poisson", strength=-1.0)),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_named_parts_come_back(case):
    """To the last digit: what is written is the same again, and so are the values."""
    problem = WRITTEN[case]
    text, missing = written(problem)
    again = Problem.from_text(text, data=problem.energy.data)
    assert missing == ""
    assert repr(again) == repr(problem)
    assert written(again)[0] == text
    assert again.axis_names(again.dim) == problem.axis_names(problem.dim)
    if problem.growth == 0:
        drawn = [one.initial.sample(20, np.random.default_rng(1)) for one in (problem, again)]
        assert np.array_equal(*drawn)
        cloud = wgf.Cloud(drawn[0], np.full(20, 1 / 20))
    else:
        cloud = wgf.Cloud(np.eye(3), np.full(3, 1 / 3))
        assert np.array_equal(*(one.initial.pdf(cloud.points) for one in (problem, again)))
    if case != "a torus":
        assert again.energy.loss(cloud) == problem.energy.loss(cloud)


class Wave:
    def value(self, theta, x):
        return np.sin(theta[..., :1] * x[:, 0])


def well(theta):
    return np.sum(theta**2, axis=-1)


UNWRITABLE = {
    "the neuron Wave": network(Wave(), law=wgf.Gaussian([0], [1])),
    "the activation 'ramp'": network(wgf.Neuron(wgf.ramp(0, 1, 0, 1))),
    "the penalty V = well": network(TANH, penalty=(0.1, well)),
    "the initial law FromDensity('well')": network(TANH, law=wgf.FromDensity(well)),
    "the initial law Density(": network(TANH, law=wgf.Density(wgf.Grid([0, 0], [1, 1], 2), np.ones((2, 2)))),
    "the initial law Samples(10001 points": network(TANH, law=wgf.Samples(np.zeros((MOST_NUMBERS // 2 + 1, 2)))),
    "the initial law Given": network(TANH, law=wgf.Mixture([1, 1], [GAUSSIAN, Given([0, 0], [1, 1])])),
    "V = well": moved(GAUSSIAN, V=well),
    "W = well": moved(GAUSSIAN, V=MORSE, W=well),
}


@pytest.mark.parametrize("words", UNWRITABLE)
def test_what_is_ones_own_is_named(words):
    _, missing = written(UNWRITABLE[words])
    assert missing.startswith(words)


def test_all_that_is_missing_is_named_and_the_rest_is_written():
    text, missing = written(network(TANH, law=wgf.FromDensity(well), penalty=(0.1, well), title="mine"))
    assert missing == "the penalty V = well and the initial law FromDensity('well')"
    assert 'title = "mine"' in text
    assert "[neuron]" in text
    assert "[initial]" not in text
