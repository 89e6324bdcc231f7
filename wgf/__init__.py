"""wgf: the mean-field limit of shallow networks, ∂_t μ = div(μ ∇G(θ; μ)), solved on grids, along characteristics and by particles.

Start with `Problem`, a method such as `FiniteVolume`, and `solve`; the manual is in docs/.
"""

from wgf.methods import METHODS
from wgf.ranks.threads import share_cores
from wgf.registers import load

__version__ = "0.1.0"

_WHERE = {
    "Activation": "networks.activations",
    "Neuron": "networks.neuron",
    "ramp": "networks.activations",
    "Data": "networks.data",
    "Teacher": "networks.teacher",
    "Standardisation": "networks.standardisation",
    "Network": "networks.network",
    "TangentModel": "networks.tangent",
    "LimitKernel": "networks.tangent_kernel",
    "limit_kernel": "networks.tangent_kernel",
    "tangent_kernel": "networks.tangent_kernel",
    "Grid": "measures.grid",
    "Density": "measures.measure",
    "MeshDensity": "measures.measure",
    "Cloud": "measures.measure",
    "EmpiricalMeasure": "measures.measure",
    "Mesh": "measures.mesh",
    "Box": "methods.fipy.domains",
    "Disc": "methods.fipy.domains",
    "Annulus": "methods.fipy.domains",
    "Sphere": "methods.fipy.domains",
    "Circle": "methods.fipy.domains",
    "GmshFile": "methods.fipy.domains",
    "Ball": "measures.laws",
    "FromDensity": "measures.laws",
    "Gaussian": "measures.laws",
    "Mixture": "measures.laws",
    "Product": "measures.laws",
    "Samples": "measures.laws",
    "Uniform": "measures.laws",
    "Penalty": "problems.regression",
    "RegressionEnergy": "problems.regression",
    "InteractionEnergy": "problems.interaction",
    "Entropy": "problems.internal",
    "PorousMedium": "problems.internal",
    "potential": "problems.potentials",
    "Problem": "problems.problem",
    "Run": "runs.run",
    "open_run": "runs.reader",
    "solve": "runs.solve",
    "Rest": "runs.rest",
    "Log": "runs.observers.log",
    "density_at": "methods.pushforward.method",
    "distance": "measures.distances.register",
    "self_distance": "measures.distances.register",
    "sinkhorn_divergence": "measures.distances.sinkhorn",
    "interpolate": "measures.distances.interpolate",
    "wasserstein": "measures.distances.transport",
    "LazyStudy": "studies.lazy.study",
    "lazy": "studies.lazy.study",
    "open_lazy": "studies.lazy.study",
    "crossover": "studies.lazy.crossover",
    "laziness": "studies.lazy.quantities",
    "step_change": "studies.lazy.quantities",
    "trained_network": "studies.lazy.quantities",
    "Comparison": "studies.sweeps.comparison",
    "compare": "studies.sweeps.over_sizes",
    "open_comparison": "studies.sweeps.comparison",
    "Pair": "studies.pair",
    "compare_runs": "studies.pair",
    "open_pair": "studies.pair",
    "StepComparison": "studies.sweeps.over_steps",
    "compare_steps": "studies.sweeps.over_steps",
    "Sweep": "studies.sweeps.over_settings",
    "sweep": "studies.sweeps.over_settings",
    "open_sweep": "studies.sweeps.over_settings",
    "Certificate": "studies.optimality.certificate",
    "certify": "studies.optimality.certificate",
    "GlobalMinimum": "studies.optimality.minimum",
    "global_minimum": "studies.optimality.minimum",
    "fluctuation": "studies.theory.fluctuation",
    "ConvergenceRate": "studies.theory.convergence",
    "convergence_rate": "studies.theory.convergence",
    "fisher_rao_bound": "studies.theory.bounds",
    "Convexity": "studies.theory.convexity",
    "convexity": "studies.theory.convexity",
    "density_error": "studies.theory.density_error",
    "discretisation_error": "studies.theory.discretisation",
    "animate": "plots.film",
    "plot_part": "plots",
    "export": "runs.vtk",
    "report": "plots.report.page",
    "reduce_to_sphere": "problems.sphere",
    "decay_bound": "studies.theory.decay",
    "decay_rate": "studies.theory.decay",
    "BoundaryWarning": "errors",
    "Exists": "errors",
    "InUse": "errors",
    "InputError": "errors",
    "NoMemory": "errors",
    "NoSpace": "errors",
    "NotConverged": "errors",
    "NotFinite": "errors",
    "NotWritable": "errors",
    "OtherVersion": "errors",
    "ResolutionWarning": "errors",
    "RestWarning": "errors",
    "RunError": "errors",
    "StepCollapse": "errors",
    "WgfError": "errors",
} | {name: module.removeprefix("wgf.") for module, name in (target.split(":") for target in METHODS.values())}
__all__ = [*_WHERE, "__version__"]
share_cores()


def __getattr__(name: str) -> object:
    """The public names, each imported when it is first asked for: `import wgf` is fast."""
    if name not in _WHERE:
        raise AttributeError(f"module 'wgf' has no attribute {name!r}")
    value = load(f"wgf.{_WHERE[name]}:{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
