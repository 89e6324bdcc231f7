"""The exact step in one dimension, against closed forms; and the entropic steps against it."""

import numpy as np
import pytest
from problems import Ridge

import wgf
from wgf.methods.jko.quantile_step import QuantileStepper
from wgf.runs.task import read_task

DATA = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, 40)
LOWER, UPPER = [-3.5], [4.5]


def student(temperature=0.0):
    """A tanh neuron in a alone, which is a nonlinear problem in one dimension."""
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("a",)), DATA, 0.1)
    return wgf.Problem(energy, wgf.Gaussian([0.5], [0.4]), temperature)


def gaussian_steps(ridge, dt, steps):
    """Mean and variance of the JKO steps of a Gaussian under a quadratic energy.

    (m' − m)/Δt = F₁ − (S + λ)m',   (σ' − σ)/Δt = −λσ' + τ/σ'.
    """
    mean, std = ridge.start[0], ridge.width[0]
    stiffness, pull, penalty = ridge.second_moment[0, 0], ridge.correlation[0], ridge.penalty
    for _ in range(steps):
        mean = (mean + dt * pull) / (1 + dt * (stiffness + penalty))
        a = 1 / dt + penalty
        std = (std / dt + np.sqrt((std / dt) ** 2 + 4 * a * ridge.temperature)) / (2 * a)
    return mean, std**2


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_a_gaussian_stays_the_gaussian_of_the_closed_form(temperature, penalty):
    ridge = Ridge(penalty=penalty, temperature=temperature)
    run = wgf.solve(ridge.problem, wgf.QuantileJKO(1000, *ridge.box, dt=0.05), until=1.0, save=3)
    mean, variance = gaussian_steps(ridge, 0.05, 20)
    last = run.measures[-1]
    assert last.mean[0] == pytest.approx(mean, abs=1e-8)
    assert last.covariance[0, 0] == pytest.approx(variance, abs=1e-8)
    entropy = -0.5 * np.log(2 * np.pi * np.e * variance)
    assert run.free_energy[-1] == pytest.approx(0.5 * run.loss[-1] + temperature * entropy, abs=1e-8)
    assert run.dissipation[0] == pytest.approx(ridge.dissipation(0.0), rel=1e-8)
    assert run.mass == pytest.approx(1, abs=1e-14)


def test_the_second_order_option_is_of_second_order():
    errors = {order: [] for order in (1, 2)}
    ridge = Ridge(temperature=0.3)
    for order, found in errors.items():
        for dt in (0.1, 0.05, 0.025):
            last = wgf.solve(ridge.problem, wgf.QuantileJKO(600, *ridge.box, dt=dt, order=order), until=1.0, save=2).measures[-1]
            found.append(abs(last.covariance[0, 0] - ridge.covariance(1.0)[0, 0]))
    slopes = {order: np.polyfit(np.log([0.1, 0.05, 0.025]), np.log(found), 1)[0] for order, found in errors.items()}
    assert slopes[1] == pytest.approx(1, abs=0.1)
    assert slopes[2] >= 1.8


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_the_entropic_steps_tend_to_the_exact_ones(temperature):
    """ε → 0, extrapolated from two of them as the error is of size ε²; on 1024 cells."""
    problem = student(temperature)
    exact = wgf.solve(problem, wgf.QuantileJKO(1024, LOWER, UPPER, dt=0.05), until=1.0, save=2)
    coarse, fine = (
        wgf.solve(problem, wgf.JKO(1024, LOWER, UPPER, dt=0.05, epsilon=epsilon, accuracy=1e-9), until=1.0, save=2)
        for epsilon in (0.005, 0.0025)
    )
    extrapolated = (4 * fine.prediction[-1] - coarse.prediction[-1]) / 3
    assert DATA.norm(extrapolated - exact.prediction[-1]) <= 1e-6
    assert (4 * fine.measures[-1].mean - coarse.measures[-1].mean) / 3 == pytest.approx(exact.measures[-1].mean, abs=1e-6)


def test_every_step_lowers_the_objective():
    run = wgf.solve(student(0.1), wgf.QuantileJKO(300, LOWER, UPPER, dt=0.3), until=3.0)
    energy, transport = run.history["free_energy"], run.history["transport"]
    assert (energy[1:] + transport[1:] <= energy[:-1]).all()
    assert (transport[1:] > 0).all()
    assert run.history["gain"][1:] == pytest.approx(-np.diff(energy) - transport[1:], abs=1e-12)
    assert (np.diff(run.measures[-1].positions[:, 0]) > 0).all()


def test_a_step_that_cannot_lower_its_objective_is_an_error(monkeypatch):
    """Newton's steps turned around: no part of them lowers the objective."""
    forth = QuantileStepper._newton_step

    def back(stepper, x, old, dt):
        step, fall = forth(stepper, x, old, dt)
        return -step, fall

    monkeypatch.setattr(QuantileStepper, "_newton_step", back)
    with pytest.raises(wgf.RunError, match=r"does not lower its objective, which should fall by 0\.\d+: take a smaller dt"):
        wgf.solve(student(), wgf.QuantileJKO(100, LOWER, UPPER, dt=0.3), until=0.3)


def test_a_confined_measure_without_network():
    """V = ½θ²: the quantiles shrink by 1/(1 + Δt) a step."""
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * theta[..., 0] ** 2), wgf.Gaussian([1.0], [0.3]))
    run = wgf.solve(problem, wgf.QuantileJKO(200, [-2.0], [4.0], dt=0.1), until=0.5, save=2)
    assert run.measures[-1].mean[0] == pytest.approx(1.1**-5, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lower": [-50.0], "upper": [50.0], "cells": 8}, "quantile-jko: only 2 of 8 cells hold initial mass"),
        ({"lower": [-1, -1], "upper": [1, 1]}, "the box has 2 axes but theta has 1"),
        ({"dt": 0.0}, "quantile-jko: dt = 0: it must be a positive number"),
        ({"order": 3}, "quantile-jko: order = 3; it is 1 or 2"),
        ({"iterations": 0}, "quantile-jko: iterations = 0: give a whole number, at least 1"),
    ],
)
def test_what_exact_steps_cannot_do(options, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.solve(student(), wgf.QuantileJKO(**{"cells": 50, "lower": LOWER, "upper": UPPER} | options), until=1.0)


def test_what_they_cannot_solve():
    plane = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), DATA), wgf.Gaussian([0, 0], [1, 1]))
    with pytest.raises(wgf.InputError, match="exact steps are for one dimension, but theta has 2 coordinates: take JKO"):
        wgf.solve(plane, wgf.QuantileJKO(20, [-1, -1], [1, 1]), until=1.0)
    pairs = wgf.Problem(wgf.InteractionEnergy(W=lambda z: 0.5 * z[..., 0] ** 2), wgf.Gaussian([0.0], [1.0]))
    with pytest.raises(wgf.InputError, match="an interaction W is not among its energies: take JKO with linearised = true"):
        wgf.solve(pairs, wgf.QuantileJKO(50, LOWER, UPPER), until=1.0)


def test_exact_steps_are_no_option_of_the_entropic_ones(tmp_path):
    """In Python and in a problem file, whoever asks for them is told where they are."""
    with pytest.raises(wgf.InputError, match=r'wgf\.QuantileJKO\(cells, lower, upper, dt\), name = "quantile-jko"'):
        wgf.JKO(100, LOWER, UPPER, exact=True)
    text = """
    neuron = { activation = "tanh", theta = ["a"] }
    data = { inputs = { law = "uniform" }, teacher = [{ a = 2.0 }] }
    initial = { law = "gaussian", mean = [0.5], std = [0.4] }
    domain = { cells = 50, lower = -3, upper = 4 }
    method = { name = "quantile-jko", dt = 0.1 }
    """
    (file := tmp_path / "problem.toml").write_text(text, encoding="utf-8")
    assert repr(read_task(file).method) == "QuantileJKO(50 on [-3, 4], Δt 0.1)"
    file.write_text(text.replace('"quantile-jko"', '"jko", exact = true'), encoding="utf-8")
    with pytest.raises(wgf.InputError, match=r'\[method\]: jko: exact steps are .*name = "quantile-jko"'):
        read_task(file)
    file.write_text(text.replace("cells = 50", 'cells = 50, boundary = "periodic"'), encoding="utf-8")
    with pytest.raises(wgf.InputError, match=r"\[domain\]: boundary = 'periodic' .*no-flux"):
        read_task(file)
