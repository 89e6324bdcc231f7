"""wgf: the mean-field limit of shallow networks, ∂_t μ = div(μ ∇G(θ; μ)), solved on grids, along characteristics and by particles.

Start with `Problem`, a method such as `FiniteVolume`, and `solve`; the manual is in docs/.
"""

from importlib import import_module

__version__ = "0.1.0"

_WHERE = {
    "Activation": "neuron",
    "Neuron": "neuron",
    "ramp": "neuron",
    "Data": "data",
    "Teacher": "data",
    "Grid": "grid",
    "Density": "measure",
    "MeshDensity": "measure",
    "Cloud": "measure",
    "Mesh": "mesh",
    "Box": "domain",
    "Disc": "domain",
    "Annulus": "domain",
    "Sphere": "domain",
    "Circle": "domain",
    "GmshFile": "domain",
    "Ball": "law",
    "FromDensity": "law",
    "Gaussian": "law",
    "Mixture": "law",
    "Product": "law",
    "Samples": "law",
    "Uniform": "law",
    "Penalty": "energy",
    "RegressionEnergy": "energy",
    "InteractionEnergy": "interaction",
    "Entropy": "internal",
    "PorousMedium": "internal",
    "Problem": "problem",
    "Characteristics": "methods.characteristics",
    "FiniteVolume": "methods.finite_volume",
    "FiPyMesh": "methods.fipy_mesh",
    "JKO": "methods.jko",
    "Particles": "methods.particles",
    "Run": "run",
    "open_run": "observers.store",
    "solve": "loop",
    "distance": "distances",
    "self_distance": "distances",
    "Comparison": "comparison",
    "compare": "sweep",
    "open_comparison": "comparison",
    "Pair": "pair",
    "compare_runs": "pair",
    "open_pair": "pair",
    "StepComparison": "step_errors",
    "compare_steps": "step_errors",
    "fluctuation": "central_limit",
    "discretisation_error": "discretisation",
    "animate": "animation",
    "export": "vtk_files",
    "reduce_to_sphere": "homogeneous",
    "decay_bound": "decay",
    "decay_rate": "decay",
    "BoundaryWarning": "errors",
    "InputError": "errors",
    "ResolutionWarning": "errors",
    "RunError": "errors",
    "WgfError": "errors",
}
__all__ = [*_WHERE, "__version__"]


def __getattr__(name: str) -> object:
    """The public names, each imported when it is first asked for: `import wgf` is fast."""
    if name not in _WHERE:
        raise AttributeError(f"module 'wgf' has no attribute {name!r}")
    value = getattr(import_module(f"wgf.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
