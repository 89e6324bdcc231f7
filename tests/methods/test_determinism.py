"""The same seed gives the same bits: for any number of threads, of every method, as the manual says where it speaks of numbers."""

import dataclasses
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numba
import numpy as np
import pytest
from pages import MANUAL
from problems import Tanh

import wgf
from wgf.methods import METHODS, method_class
from wgf.networks.features import FEW

TANH = Tanh()
NOISY = dataclasses.replace(TANH.problem, temperature=0.05)
LINE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("a",)), TANH.data, 0.1), wgf.Gaussian(0.5, 0.4))
FORCES = wgf.Problem(wgf.InteractionEnergy(V="x^2/2", W="x^2*y^2 + y^2", axes=("x", "y")), wgf.Gaussian([0.5, 0.5], 0.4))
BOX = (TANH.lower, TANH.upper)
CASES = {  # with enough cells, neurons or nodes for two threads
    "finite-volume": (wgf.FiniteVolume(160, *BOX, edge_tolerance=1), TANH.problem, 0.2),
    "finite-volume, noise": (wgf.FiniteVolume(160, *BOX, edge_tolerance=1), NOISY, 0.05),
    "finite-volume, forces": (wgf.FiniteVolume(160, -3, 3, edge_tolerance=1), FORCES, 0.05),
    "jko": (wgf.JKO(160, *BOX, dt=0.05, epsilon=0.05, edge_tolerance=1), TANH.problem, 0.1),
    "quantile-jko": (wgf.QuantileJKO(256, [-3.0], [3.0], dt=0.05), LINE, 0.1),
    "fipy": (wgf.FiPyMesh(wgf.Box(64, *BOX), edge_tolerance=1), TANH.problem, 0.1),
    "characteristics": (wgf.Characteristics(nodes=100), TANH.problem, 0.5),
    "pushforward": (wgf.Pushforward(96, *BOX), TANH.problem, 0.3),
    "mirror-descent": (wgf.MirrorDescent(160, *BOX), TANH.problem, 0.2),
    "mirror-descent, projected": (wgf.MirrorDescent(160, *BOX, bregman="euclidean"), TANH.problem, 0.1),
    "wasserstein-fisher-rao": (wgf.WassersteinFisherRao(160, *BOX), TANH.problem, 0.1),
    "particles": (wgf.Particles(20_000, seed=3), TANH.problem, 0.2),
    "particles, descent": (wgf.Particles(20_000, seed=3, step=0.05), TANH.problem, 0.5),
    "particles, noise": (wgf.Particles(20_000, seed=3, step=0.05), NOISY, 0.5),
    "particles, birth and death": (wgf.Particles(2_000, seed=3, step=0.05, birth_death=1.0), TANH.problem, 0.3),
    "particles, forces": (wgf.Particles(1_000, seed=3, step=0.05), FORCES, 0.2),
}


def test_every_method_has_a_case():
    assert {type(method) for method, _, _ in CASES.values()} == {method_class(name) for name in METHODS}


def results(threads):
    """In a process of so many threads: the last measure of each case, its prediction, and the losses of its steps."""
    assert numba.get_num_threads() == threads
    return {name: result(name) for name in CASES}


def result(name):
    method, problem, until = CASES[name]
    run = wgf.solve(problem, method, until, 2)
    measure = run.measures[-1]
    values = measure.positions if isinstance(measure, wgf.Cloud) else measure.values
    return [np.array(array) for array in (values, measure.masses, run.prediction, run.history["time"], run.history["loss"])]


@pytest.fixture(scope="module")
def found():
    """Results in processes of their own, of one thread and of two: how many a process can have is settled when it starts."""
    with pytest.MonkeyPatch.context() as patch:
        return {threads: in_a_process(patch, threads) for threads in (1, 2)}


def in_a_process(patch, threads):
    for name in ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        patch.setenv(name, str(threads))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as child:
        return child.submit(results, threads).result()


@pytest.mark.parametrize("name", CASES)
def test_the_bits_do_not_depend_on_the_number_of_threads(name, found):
    alone, together = found[1][name], found[2][name]
    assert all(np.array_equal(one, two) for one, two in zip(alone, together, strict=True))


def test_the_manual_names_the_exception():
    """Features of so many data are found by threads of BLAS (networks/features.py)."""
    assert f"beside {FEW} data or more" in MANUAL
