"""The public names for type checkers; at run time each is imported when it is first asked for (`__init__.py`)."""

from wgf.errors import BoundaryWarning as BoundaryWarning
from wgf.errors import InputError as InputError
from wgf.errors import ResolutionWarning as ResolutionWarning
from wgf.errors import RestWarning as RestWarning
from wgf.errors import RunError as RunError
from wgf.errors import WgfError as WgfError
from wgf.measures.distances.register import distance as distance
from wgf.measures.distances.register import self_distance as self_distance
from wgf.measures.distances.sinkhorn import sinkhorn_divergence as sinkhorn_divergence
from wgf.measures.distances.transport import wasserstein as wasserstein
from wgf.measures.grid import Grid as Grid
from wgf.measures.laws import Ball as Ball
from wgf.measures.laws import FromDensity as FromDensity
from wgf.measures.laws import Gaussian as Gaussian
from wgf.measures.laws import Mixture as Mixture
from wgf.measures.laws import Product as Product
from wgf.measures.laws import Samples as Samples
from wgf.measures.laws import Uniform as Uniform
from wgf.measures.measure import Cloud as Cloud
from wgf.measures.measure import Density as Density
from wgf.measures.measure import MeshDensity as MeshDensity
from wgf.measures.mesh import Mesh as Mesh
from wgf.methods.finite_volume.method import FiniteVolume as FiniteVolume
from wgf.methods.fipy.domains import Annulus as Annulus
from wgf.methods.fipy.domains import Box as Box
from wgf.methods.fipy.domains import Circle as Circle
from wgf.methods.fipy.domains import Disc as Disc
from wgf.methods.fipy.domains import GmshFile as GmshFile
from wgf.methods.fipy.domains import Sphere as Sphere
from wgf.methods.fipy.method import FiPyMesh as FiPyMesh
from wgf.methods.jko.method import JKO as JKO
from wgf.methods.jko.method import QuantileJKO as QuantileJKO
from wgf.methods.particles.characteristics import Characteristics as Characteristics
from wgf.methods.particles.method import Particles as Particles
from wgf.networks.activations import Activation as Activation
from wgf.networks.activations import ramp as ramp
from wgf.networks.data import Data as Data
from wgf.networks.data import Teacher as Teacher
from wgf.networks.network import Network as Network
from wgf.networks.neuron import Neuron as Neuron
from wgf.networks.tangent import TangentModel as TangentModel
from wgf.plots.film import animate as animate
from wgf.problems.interaction import InteractionEnergy as InteractionEnergy
from wgf.problems.internal import Entropy as Entropy
from wgf.problems.internal import PorousMedium as PorousMedium
from wgf.problems.potentials import potential as potential
from wgf.problems.problem import Problem as Problem
from wgf.problems.regression import Penalty as Penalty
from wgf.problems.regression import RegressionEnergy as RegressionEnergy
from wgf.problems.sphere import reduce_to_sphere as reduce_to_sphere
from wgf.runs.reader import open_run as open_run
from wgf.runs.rest import Rest as Rest
from wgf.runs.run import Run as Run
from wgf.runs.solve import solve as solve
from wgf.runs.vtk import export as export
from wgf.studies.pair import Pair as Pair
from wgf.studies.pair import compare_runs as compare_runs
from wgf.studies.pair import open_pair as open_pair
from wgf.studies.sweeps.comparison import Comparison as Comparison
from wgf.studies.sweeps.comparison import open_comparison as open_comparison
from wgf.studies.sweeps.over_sizes import compare as compare
from wgf.studies.sweeps.over_steps import StepComparison as StepComparison
from wgf.studies.sweeps.over_steps import compare_steps as compare_steps
from wgf.studies.theory.decay import decay_bound as decay_bound
from wgf.studies.theory.decay import decay_rate as decay_rate
from wgf.studies.theory.discretisation import discretisation_error as discretisation_error
from wgf.studies.theory.fluctuation import fluctuation as fluctuation

__version__: str
__all__: list[str]

def __dir__() -> list[str]: ...
