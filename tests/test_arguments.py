"""Wrong arguments of the Python API: each is refused by the call itself, in one line that says what was given and what is wanted."""

import re

import numpy as np
import pytest
from problems import Tanh

import wgf

TANH = Tanh()
PROBLEM, DATA, ENERGY = TANH.problem, TANH.data, TANH.problem.energy
NEURON, LAW, GRID = ENERGY.neuron, TANH.problem.initial, wgf.Grid([-1], [1], 4)
NEURONS, CELLS = wgf.Particles(4), wgf.FiniteVolume(8, TANH.lower, TANH.upper)
DENSITY, CLOUD = wgf.Density(GRID, np.ones(4)), wgf.Cloud(np.ones((3, 2)), np.ones(3))
NETWORK = wgf.Network(NEURON, np.ones((2, 2)))


@pytest.fixture(scope="module")
def names():
    """What the calls below are made of."""
    return {**globals(), "RUN": wgf.solve(PROBLEM, NEURONS, 0.1, 2)}


WRONG = [
    # Solving.
    ("wgf.solve(PROBLEM, 'finite-volume', 1)", "method = 'finite-volume' is a string: give a method and its options, such as"),
    ("wgf.solve(PROBLEM, wgf.FiniteVolume, 1)", "method = the class FiniteVolume: give a method and its options"),
    ("wgf.solve(CELLS, PROBLEM, 1)", "problem = FiniteVolume(8 on … is a FiniteVolume: give a wgf.Problem(energy, initial law)"),
    ("wgf.solve(ENERGY, CELLS, 1)", "problem = RegressionEnergy(… is a RegressionEnergy: give a wgf.Problem"),
    ("wgf.solve(PROBLEM, CELLS, until='1')", "unknown end of a run '1'; allowed: rest"),
    ("wgf.solve(PROBLEM, CELLS, until=None)", "the end time = None: it must be a positive number"),
    ("wgf.solve(PROBLEM, CELLS, until=wgf.Rest)", "the end time = … it must be a positive number"),
    ("wgf.solve(PROBLEM, CELLS, 1, save='all')", "save = 'all': give a number of frames or a list of times"),
    ("wgf.solve(PROBLEM, CELLS, 1, save=5.0)", "save = 5.0: give a number of frames or a list of times"),
    ("wgf.solve(PROBLEM, CELLS, 1, save=True)", "save = True: give a number of frames or a list of times"),
    ("wgf.solve(PROBLEM, CELLS, 1, store=3)", "store = 3 is an int: give the name of a file"),
    ("wgf.solve(PROBLEM, CELLS, 1, progress='no')", "progress = 'no' is a string: give True or False"),
    ("wgf.solve(PROBLEM, CELLS, 1, observers=print)", "observers … give a list of them"),
    ("wgf.solve(PROBLEM, CELLS, 1, observers=[print])", "one of the observers … give an object with frame, step and close"),
    ("wgf.Rest('a')", "rest: tolerance = 'a': it must be a positive number"),
    # Problems.
    ("wgf.Problem(LAW, ENERGY)", "energy = Gaussian(… is a Gaussian: give an energy, such as wgf.RegressionEnergy(neuron, data)"),
    ("wgf.Problem(wgf.RegressionEnergy, LAW)", "energy = the class RegressionEnergy: give an energy"),
    ("wgf.Problem(PROBLEM, LAW)", "energy = Problem(… is a Problem: give an energy"),
    ("wgf.Problem(NEURON, LAW)", "energy = Neuron(… is a Neuron: give an energy"),
    ("wgf.Problem(ENERGY, CLOUD)", "initial = Cloud(… for its points take wgf.Samples(measure.positions)"),
    ("wgf.Problem(ENERGY, np.zeros((4, 2)))", "initial is an array: give a law or a density, such as wgf.Gaussian"),
    ("wgf.Problem(ENERGY, wgf.Gaussian)", "initial = the class Gaussian: give a law or a density"),
    ("wgf.Problem(ENERGY, LAW, temperature='0.1')", "temperature = '0.1': it must be a number ≥ 0"),
    ("wgf.Problem(ENERGY, LAW, source=3)", "source = 3 is an int: give the text of a problem file"),
    ("wgf.Problem.from_toml(3)", "the problem file = 3 is an int: give the name of a file"),
    ("wgf.reduce_to_sphere(ENERGY)", "problem = RegressionEnergy(… give a wgf.Problem"),
    # Energies.
    ("wgf.RegressionEnergy(DATA, NEURON)", "Data(40 samples, 1 input) is not a neuron: it needs a method value(theta, x)"),
    ("wgf.RegressionEnergy(wgf.Neuron, DATA)", "the class Neuron is not a neuron: it needs a method value"),
    ("wgf.RegressionEnergy(np.ones((2, 2)), DATA)", "an array is not a neuron: it needs a method value"),
    ("wgf.RegressionEnergy(NEURON, wgf.Data)", "data = the class Data: give a wgf.Data (from arrays: wgf.Data(inputs, targets))"),
    ("wgf.RegressionEnergy(NEURON, DATA, '0.1')", "penalty = '0.1': give a number λ, or a pair (λ, V) with a function V"),
    ("wgf.RegressionEnergy(NEURON, DATA, True)", "penalty = True: give a number λ"),
    ("wgf.Penalty(0.1, 3)", "the penalty V = 3 is an int: give a function of θ"),
    ("wgf.InteractionEnergy(3)", "V = 3: give a function of arrays"),
    ("wgf.InteractionEnergy('x^2', axes=3)", "axes = 3: give the names of θ's axes as a list"),
    ("wgf.InteractionEnergy(lambda theta: 'a', axes=['x'])", "the values of V are of the type <U1; give real numbers"),
    ("wgf.InteractionEnergy(U=wgf.Entropy)", "U = the class Entropy: give wgf.Entropy(tau)"),
    ("wgf.PorousMedium(1, '2')", "porous medium: q = '2': it must be a positive number"),
    ("wgf.potential(3)", "unknown potential 3; allowed: quadratic"),
    ("wgf.potential('quadratic', strength='a')", "strength = 'a': it must be a finite number"),
    # Neurons.
    ("wgf.Neuron(np.tanh)", "unknown activation <ufunc 'tanh'>; allowed: tanh"),
    ("wgf.Neuron('tanh', theta=3)", "theta = 3 is an int: give the names of the free coordinates"),
    ("wgf.Neuron('tanh', dim='1')", "the neuron has dim = '1' is a string: give a whole number, at least 1"),
    ("wgf.Neuron('tanh', dim=1.0)", "the neuron has dim = 1.0 is a float: give a whole number, at least 1"),
    ("wgf.Neuron('tanh', fixed={'b': '1'})", "fixed.b = '1' is not a finite number"),
    ("wgf.Neuron('tanh', fixed=['b'])", "fixed = ['b'] is a list: give numbers by coordinate"),
    ("wgf.Activation('mine', 3, np.cos, np.sin)", "activation mine: value = 3 is an int: give a function z → σ(z)"),
    ("wgf.Activation('mine', np.sin, lambda z, s: np.cos(z), None)", "activation mine: second = None: give a function z → σ''(z)"),
    ("wgf.Activation('mine', np.sin, lambda z, s: np.cos(z), np.sin, 0.0)", "activation mine: kinks = 0.0 is a float: give a list"),
    ("wgf.ramp('a')", "the ramp has low = 'a': give a finite number"),
    ("wgf.Network(NEURON, CLOUD)", "the parameters of the network are not real numbers"),
    ("NETWORK.relative_scale(3)", "data = 3 is an int: give a wgf.Data"),
    ("NETWORK.tangent(np.ones(3))", "data = array([1., 1., 1.]) is an array: give a wgf.Data"),
    ("NETWORK.predict(3)", "the inputs have shape (); the neuron has 1 input(s): give (n, 1)"),
    ("NETWORK.derivative(np.ones(4), [1.0])", "the directions v of the neurons have shape (4,); give (2, 2)"),
    ("NETWORK.derivative('a', [1.0])", "the directions v of the neurons are of the type <U1; give real numbers"),
    ("NETWORK.pull(np.ones(3), [1.0, 2.0])", "the numbers u at the inputs have shape (3,); give (2,)"),
    ("NETWORK.tangent_kernel(3)", "the inputs have shape (); the neuron has 1 input(s): give (n, 1)"),
    ("NETWORK.tangent(DATA).predict([1.0], 'now')", "times are of the type <U3; give real numbers"),
    ("NETWORK.tangent(DATA).predict([1.0], [0.5, 1.0])", "time = [0.5, 1.0]: give a single number ≥ 0"),
    ("NETWORK.tangent(DATA).predict(3, 1.0)", "the inputs have shape (); the neuron has 1 input(s): give (n, 1)"),
    ("NETWORK.tangent(DATA).flow([])", "times = []: give one or several numbers ≥ 0"),
    ("NETWORK.tangent(DATA).parameters(-1)", "times = -1: give one or several numbers ≥ 0"),
    ("wgf.TangentModel(DATA, NETWORK)", "network = Data(40 samples, 1 input) is a Data: give a wgf.Network"),
    ("wgf.tangent_kernel(LAW, NEURON, [1.0])", "Gaussian(… is not a neuron"),
    ("wgf.limit_kernel(NEURON, LAW, [1.0], seed='a')", "seed = 'a' is a string: give a whole number ≥ 0"),
    # Data.
    ("wgf.Data(NEURON, DATA)", "inputs are not real numbers"),
    ("wgf.Data([1, 2], np.sin)", "targets are not real numbers"),
    ("wgf.Data(['1', '2'], [1, 2])", "inputs are of the type <U1; give real numbers"),
    ("wgf.Data(np.array([1j, 2]), [1, 2])", "inputs are of the type complex128; give real numbers"),
    ("wgf.Data.from_file(3)", "the data file = 3 is an int: give the name of a file"),
    ("wgf.Data.quadrature('sin')", "target = 'sin' is a string: give a function of x"),
    ("wgf.Data.quadrature(lambda x: 'a')", "the values of the target function are of the type <U1"),
    ("wgf.Data.quadrature(np.sin, 0, 1, 4.5)", "nodes = 4.5 is a float: give a whole number, at least 1"),
    ("wgf.Data.quadrature(np.sin, law=wgf.Gaussian)", "the law of x = the class Gaussian: give uniform or gaussian, or a law"),
    ("wgf.Data.samples(np.sin, 1e3)", "count = 1000.0 is a float: give a whole number, at least 1"),
    ("wgf.Data.samples(np.sin, 5, seed=-1)", "seed = -1 is an int: give a whole number ≥ 0"),
    ("wgf.Teacher('tanh', {'c': 1, 'a': 2})", "teacher neuron 1 = 'c' is a string: give numbers by coordinate"),
    ("wgf.Teacher('tanh', [{'c': '1', 'a': 2}])", "teacher neuron 1: c = '1' is not a finite number"),
    # Laws.
    ("wgf.Gaussian('0', 1)", "gaussian: mean = '0' is not a list of numbers"),
    ("wgf.Gaussian(0, True)", "gaussian: std = True is not a list of numbers"),
    ("wgf.Ball(0, '1')", "the ball has radius = '1': it must be a positive number"),
    ("wgf.Mixture([LAW, LAW], [0.5, 0.5])", "the mixture: one of its laws = 0.5 is a float: give a law"),
    ("wgf.Mixture([1], LAW)", "the mixture: laws = Gaussian(… is a Gaussian: give a list of laws"),
    ("wgf.Product([LAW, wgf.Gaussian])", "the product: one of its laws = the class Gaussian: give a law"),
    ("wgf.Samples(CLOUD)", "samples: points must be numbers, in rows of one length"),
    ("LAW.sample(3.5)", "the number of points = 3.5 is a float: give a whole number"),
    ("LAW.sample(3, 'a')", "seed = 'a' is a string: give a whole number ≥ 0"),
    ("wgf.Mixture([1, 1], [LAW, LAW]).sample(-1)", "the number of points = -1: give a whole number, at least 0"),
    ("wgf.Product([LAW, LAW]).sample('3')", "the number of points = '3' is a string"),
    ("wgf.Samples([[0.0, 1.0]]).sample(1.0)", "the number of points = 1.0 is a float"),
    ("DENSITY.sample(3.5)", "the number of points = 3.5 is a float: give a whole number"),
    ("wgf.FromDensity(LAW)", "pdf = Gaussian(… is a Gaussian: give the density, a function of θ"),
    # Measures.
    ("wgf.Grid('a', 'b', 4)", "the box: lower = 'a' is not a list of numbers"),
    ("wgf.Grid([0], [1], 4.0)", "axis theta1: 4.0 cells; give a whole number, at least 1"),
    ("wgf.Grid([0], [1], 4, names=3)", "names = 3 is an int: give one for each axis"),
    ("wgf.Density(np.ones(4), GRID)", "grid = array([1., 1., 1., 1.]) is an array: give a wgf.Grid, and then the values"),
    ("wgf.Density(GRID, 'a')", "the values of the density are of the type <U1; give real numbers"),
    ("wgf.Density(GRID, np.ones(4), averages='no')", "averages = 'no' is a string: give True or False"),
    ("wgf.Mesh('a', [[0, 1]], [[0.5]], [1], 1, ['x'])", "the mesh: its vertices are of the type <U1; give real numbers"),
    ("wgf.Mesh([0, 1], [[0, 1]], [[0.5]], [1], 1, ['x'])", "the mesh: its vertices have shape (2,); give rows, one for each"),
    ("wgf.Mesh([[0], [1]], [[0, 2]], [[0.5]], [1], 1, ['x'])", "the mesh: its cells are of vertices 0 to 1: give their numbers, (N, k)"),
    ("wgf.Mesh([[0], [1]], [[0, 1.0]], [[0.5]], [1], 1, ['x'])", "the mesh: its cells are of vertices 0 to 1: give their numbers"),
    ("wgf.Mesh([[0], [1]], [[0, 1]], [[0.5, 1]], [1], 1, ['x'])", "the mesh: its centers have shape (1, 2); for 1 cells in 1 coordinates"),
    ("wgf.Mesh([[0], [1]], [[0, 1]], [[0.5]], [1, 2], 1, ['x'])", "the mesh: its volumes have shape (2,); for 1 cells in 1 coordinates"),
    ("wgf.Mesh([[0], [1]], [[0, 1]], [[0.5]], [-1], 1, ['x'])", "the mesh: give finite coordinates, and volumes > 0"),
    ("wgf.Mesh([[0], [1]], [[0, 1]], [[0.5]], [1], 1.0, ['x'])", "the mesh: cell_dim = 1.0 is a float: give a whole number"),
    ("wgf.Mesh([[0], [1]], [[0, 1]], [[0.5]], [1], 1, 'x')", "the mesh: names = 'x' is a string: give one for each coordinate"),
    ("wgf.MeshDensity(GRID, np.ones(4))", "mesh = Grid(4 on [-1, 1]) is a Grid: give a wgf.Mesh"),
    ("wgf.Cloud(np.ones((3, 2)), np.ones(3), 'tanh')", "neuron = 'tanh' is a string: give a wgf.Neuron"),
    ("CLOUD.integrate(3)", "the function = 3 is an int: give one of θ"),
    ("DENSITY.marginal(5)", "axis = 5 of a density on 1 axes: give numbers from 0 to 0"),
    ("wgf.distance(DENSITY, DENSITY, 'w2')", "unknown distance Density("),
    ("wgf.distance('w2', CLOUD, RUN)", "give two measures, each a Density, a MeshDensity or a Cloud; Run is none"),
    ("wgf.distance('function', CLOUD, CLOUD, PROBLEM)", "energy = Problem(… give the energy of a problem"),
    ("wgf.wasserstein(CLOUD, CLOUD, most=4.5)", "most = 4.5 is a float: give a whole number, at least 1"),
    ("wgf.wasserstein(CLOUD, 3)", "give two measures, each a Density, a MeshDensity or a Cloud"),
    ("wgf.self_distance('w2', CLOUD, CLOUD, draws='a')", "draws = 'a' is a string: give a whole number"),
    # Methods.
    ("wgf.Particles(1e3)", "particles: m = 1000.0 is a float: give a whole number, at least 1"),
    ("wgf.Particles(PROBLEM)", "particles: m = Problem(… is a Problem: give a whole number"),
    ("wgf.Particles(4, seed=1.5)", "seed = 1.5 is a float: give a whole number ≥ 0"),
    ("wgf.Particles(4, step=0.1, batch='2')", "particles: batch = '2' is a string: give a whole number"),
    ("wgf.Particles(4, lower='a', upper='b')", "walls: lower = 'a' is not a list of numbers"),
    ("wgf.FiniteVolume('16')", "cells = '16' is a string: give a whole number"),
    ("wgf.FiniteVolume([16, 16.5])", "cells = 16.5 is a float: give a whole number"),
    ("wgf.FiniteVolume(16, 'a', 'b')", "lower = 'a' is not a list of numbers"),
    ("wgf.FiniteVolume(16, boundary='open')", "unknown boundary condition 'open'"),
    ("wgf.FiniteVolume(16, grow='no')", "grow = 'no' is a string: give True or False"),
    ("wgf.FiniteVolume(spacing=[])", "spacing = []: give the length of a cell"),
    ("wgf.JKO(16, debiased='no')", "jko: debiased = 'no' is a string: give True or False"),
    ("wgf.JKO(16, iterations=10.5)", "jko: iterations = 10.5 is a float: give a whole number"),
    ("wgf.JKO(16, edge_tolerance='a')", "jko: edge_tolerance = 'a': it must be a number ≥ 0"),
    ("wgf.QuantileJKO('16')", "cells = '16' is a string: give a whole number"),
    ("wgf.Characteristics(4.0)", "characteristics: nodes = 4.0 is a float: give a whole number"),
    ("wgf.Pushforward(PROBLEM)", "cells = Problem(… is a Problem: give a whole number"),
    ("wgf.Pushforward(16, nodes='8')", "pushforward: nodes = '8'; give a whole number, at least 4"),
    ("wgf.Box(8.5)", "cells = 8.5 is a float: give a whole number"),
    ("wgf.FiPyMesh(wgf.Disc)", "mesh = … give a mesh of FiPy"),
    ("wgf.Circle(8.0)", "the circle has 8.0 cells; give a whole number, at least 3"),
    # Studies.
    ("wgf.compare(PROBLEM, 'fv', 1)", "method = 'fv' is a string: give a method"),
    ("wgf.compare(CELLS, PROBLEM, 1)", "problem = FiniteVolume(… give a wgf.Problem"),
    ("wgf.compare(PROBLEM, CELLS, '1')", "until = '1': runs are compared up to a time: give a number"),
    ("wgf.compare(PROBLEM, CELLS, 1, sizes=64)", "sizes = 64 is an int: give a list of numbers of neurons"),
    ("wgf.compare(PROBLEM, CELLS, 1, sizes=[4.5, 8])", "sizes: m = 4.5 is a float: give a whole number"),
    ("wgf.compare(PROBLEM, CELLS, 1, replicates='a')", "replicates = 'a' is a string: give a whole number"),
    ("wgf.compare(PROBLEM, CELLS, 1, seed='a')", "seed = 'a' is a string: give a whole number ≥ 0"),
    ("wgf.compare(PROBLEM, CELLS, 1, workers=-1)", "workers = -1: give a whole number, at least 1"),
    ("wgf.compare(PROBLEM, CELLS, 1, particles=4)", "particles = 4 is an int: give how the neurons move, wgf.Particles(m, …)"),
    ("wgf.compare(PROBLEM, CELLS, 1, distances='w2')", "distances = 'w2' is a string: give a list of names"),
    ("wgf.compare(PROBLEM, CELLS, 1, store=3)", "store = 3 is an int: give the name of a file"),
    ("wgf.compare_runs(RUN, 'run.h5')", "run = 'run.h5' is a string: give a run, which wgf.solve and wgf.open_run return"),
    ("wgf.compare_runs(RUN, RUN, distances='w2')", "distances = 'w2' is a string: give a list of names"),
    ("wgf.compare_steps(CELLS, 0.1, 4, [0.1, 0.05])", "problem = FiniteVolume(… give a wgf.Problem"),
    ("wgf.compare_steps(PROBLEM, 0.1, 4.0, [0.1, 0.05])", "m = 4.0 is a float: give a whole number"),
    ("wgf.compare_steps(PROBLEM, 0.1, 4, 0.1)", "steps = 0.1 is a float: give a list of step sizes η"),
    ("wgf.compare_steps(PROBLEM, 0.1, 4, [0.1, 0.05], batches=[1.5])", "batches: B = 1.5 is a float: give a whole number"),
    ("wgf.lazy(ENERGY)", "problem = RegressionEnergy(… give a wgf.Problem"),
    ("wgf.lazy(PROBLEM, sizes=4)", "sizes = 4 is an int: give a list of numbers of neurons"),
    ("wgf.lazy(PROBLEM, sizes=[4.0])", "sizes: m = 4.0 is a float: give a whole number"),
    ("wgf.lazy(PROBLEM, exponents=0.5)", "exponents = 0.5 is a float: give a list of them"),
    ("wgf.lazy(PROBLEM, seed='a')", "seed = 'a' is a string: give a whole number ≥ 0"),
    ("wgf.crossover(PROBLEM, 4)", "sizes = 4 is an int: give a list of numbers of neurons"),
    ("wgf.laziness(RUN, PROBLEM)", "problem = Run(… is a Run: give a wgf.Problem"),
    ("wgf.trained_network(PROBLEM, 3)", "run = 3 is an int: give a run"),
    ("wgf.step_change(NEURON, DATA, 0.1)", "network = Neuron(… is a Neuron: give a wgf.Network"),
    ("wgf.fluctuation(ENERGY, [1.0])", "problem = RegressionEnergy(… give a wgf.Problem"),
    ("wgf.fluctuation(PROBLEM, 'a')", "times are of the type <U1; give real numbers"),
    ("wgf.fluctuation(PROBLEM, [0.1], nodes=4.5)", "nodes = 4.5 is a float: give a whole number"),
    ("wgf.discretisation_error(PROBLEM, 'fv', 0.1)", "method = 'fv' is a string: give a method"),
    ("wgf.discretisation_error(PROBLEM, CELLS, 0.1, run=3)", "run = 3 is an int: give a run"),
    ("wgf.density_error(RUN, PROBLEM)", "problem = Run(… is a Run: give a wgf.Problem"),
    ("wgf.density_error(PROBLEM, DENSITY)", "run = Density(… is a Density: give a run"),
    ("wgf.density_at(ENERGY, [0.1, 0.2], 0.1)", "problem = RegressionEnergy(… give a wgf.Problem"),
    ("wgf.density_at(PROBLEM, 'a', 0.1)", "theta are of the type <U1; give real numbers"),
    ("wgf.interpolate(CLOUD, RUN, 0.5)", "give two measures, each a Density, a MeshDensity or a Cloud; Run is none"),
    ("wgf.interpolate(CLOUD, CLOUD, 2)", "s = 2: it must be a number from 0, which gives the first measure, to 1"),
    ("wgf.interpolate(CLOUD, CLOUD, [0, 1])", "s = [0, 1]: it must be a number from 0"),
    ("wgf.interpolate(CLOUD, CLOUD, 0.5, along='mixtur')", "unknown way from one measure to another 'mixtur' (did you mean 'mixture'?)"),
    ("wgf.interpolate(CLOUD, DENSITY, 0.5)", "the measures have 2 and 1 coordinates: they must agree"),
    ("wgf.convexity(PROBLEM, CLOUD, CLOUD)", "energy = Problem(… is a Problem: give the energy of a problem"),
    ("wgf.convexity(ENERGY, CLOUD, CLOUD, 2)", "points = 2: give a whole number, at least 3"),
    ("wgf.convexity(ENERGY, CLOUD, 3)", "give two measures, each a Density, a MeshDensity or a Cloud; int is none"),
    ("wgf.convexity(ENERGY, CLOUD, CLOUD).second_difference('line')", "unknown way from one measure to another 'line'"),
    ("wgf.convergence_rate(PROBLEM, 0)", "run = Problem(… is a Problem: give a run"),
    ("wgf.convergence_rate(RUN, 'zero')", "limit = 'zero': it must be a finite number, the least value of L"),
    ("wgf.convergence_rate(RUN, 0, since=-1)", "since = -1: it must be a positive number"),
    ("wgf.convergence_rate(RUN, 0, bounds=[np.exp])", "bounds = [… is a list: give functions of times by name"),
    ("wgf.convergence_rate(RUN, 0, bounds={'b': 3})", "the bound b = 3 is an int: give a function of times"),
    ("wgf.convergence_rate(RUN, 0, bounds={'b': np.sum})", "the bound b gave values of shape () at … times: give one for each"),
    ("wgf.fisher_rao_bound(CLOUD, CLOUD)", "first = Cloud(… is a Cloud: give the density with which the run begins"),
    ("wgf.decay_rate(PROBLEM)", "run = Problem(… is a Problem: give a run"),
    ("wgf.decay_bound(RUN, RUN.measures)", "problem = Run(… is a Run: give a wgf.Problem"),
    # Files and figures.
    ("wgf.open_run(RUN)", "the file = Run(… is a Run: give the name of a file"),
    ("wgf.open_pair(3)", "the file = 3 is an int: give the name of a file"),
    ("wgf.open_comparison(3)", "the file = 3 is an int: give the name of a file"),
    ("wgf.open_lazy(3)", "the file = 3 is an int: give the name of a file"),
    ("wgf.animate('run.h5', 'run.gif')", "run = 'run.h5' is a string: give a run"),
    ("wgf.animate(RUN, 3)", "the file = 3 is an int: give the name of a file"),
    ("wgf.export(3, 'run.vtkhdf')", "the file = 3 is an int: give the name of a file"),
    ("RUN.plot(3)", "the file = 3 is an int: give the name of a file"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "words"), WRONG, ids=[call for call, _ in WRONG])
def test_a_wrong_argument_is_refused_in_one_line(call, words, names, tmp_path, monkeypatch):
    """The words stand in the message in their order, with anything in place of "…"; no file is left behind."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(wgf.InputError) as caught:
        eval(call, names)
    message = str(caught.value)
    print(f"{call}\n    {message}")
    assert type(caught.value) is wgf.InputError
    assert "\n" not in message
    assert re.search(".*".join(map(re.escape, words.split("…"))), message)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_keyword_is_pythons_own_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'cell'"):
        wgf.FiniteVolume(cell=16)
