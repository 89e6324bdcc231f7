"""What users build on: the public names and the layout of the files, as promised and as docs/design.md says; more may be added."""

import re
from pathlib import Path

import h5py
import pytest
from problems import Tanh

import wgf

pytestmark = pytest.mark.coarse

DESIGN = (Path(__file__).parents[1] / "docs" / "design.md").read_text(encoding="utf-8")
NAMES = re.findall(
    r"\w+",
    """
    Activation Neuron ramp Data Teacher Grid Density MeshDensity Cloud EmpiricalMeasure Mesh Box Disc Annulus Sphere Circle GmshFile
    Ball FromDensity Gaussian Mixture Product Samples Uniform Penalty RegressionEnergy InteractionEnergy Entropy PorousMedium Problem
    Characteristics Pushforward FiniteVolume FiPyMesh JKO MirrorDescent Particles Run open_run solve distance self_distance Comparison
    compare open_comparison density_at
    Pair compare_runs open_pair StepComparison compare_steps fluctuation density_error discretisation_error animate export reduce_to_sphere
    report plot_part
    LimitKernel limit_kernel tangent_kernel Network TangentModel LazyStudy lazy open_lazy laziness step_change trained_network crossover
    interpolate Convexity convexity ConvergenceRate convergence_rate fisher_rao_bound
    Certificate certify GlobalMinimum global_minimum
    Standardisation Log Sweep sweep open_sweep
    decay_bound decay_rate WassersteinFisherRao BoundaryWarning InputError ResolutionWarning RunError WgfError __version__
    """,
)

TANH = Tanh()
BOX = {"lower": TANH.lower, "upper": TANH.upper, "edge_tolerance": 1}
GRID = wgf.FiniteVolume(12, **BOX)
METHODS = {
    "density on a grid": GRID,
    "neurons": wgf.Particles(10),
    "density on a mesh": wgf.FiPyMesh(wgf.Box(12, TANH.lower, TANH.upper), edge_tolerance=1),
    "variational steps": wgf.JKO(24, **BOX, dt=0.1),
}

# Datasets with their dimensions.
FRAMES = {name: "time" for name in ("loss", "free_energy", "mass", "dissipation", "minimum", "boundary_mass")} | {
    "mean": "time, coordinate"
}
DATA = {"input": "sample, dim", "input_weight": "sample", "target": "sample", "prediction": "time, sample"}
STEPS = {f"history/{name}": "step" for name in ("time", "dt", "loss", "free_energy", "mass", "dissipation", "minimum", "boundary_mass")}
RUN = {"time": "", **FRAMES, **DATA, **STEPS}
AXES = {"c": "", "a": "", "density": "time, c, a", "box_lower": "time, coordinate", "box_upper": "time, coordinate"}
MESH = {"mesh/vertices": "vertex, coordinate", "mesh/cells": "cell, corner", "mesh/centres": "cell, coordinate", "mesh/volumes": "cell"}
DATASETS = {
    "density on a grid": {**RUN, **AXES},
    "neurons": {**RUN, "position": "time, particle, coordinate", "weight": "particle"},
    "density on a mesh": {**RUN, **MESH, "density": "time, cell", "history/sweeps": "step"},
    "variational steps": {**RUN, **AXES, **{f"history/{name}": "step" for name in ("transport", "residual", "iterations")}},
    "comparison": {
        **{"size": "", "replicate": "", "time": "", "done": "size, cell", "input_weight": "sample"},
        **{f"distance/{name}": "size, replicate, time" for name in ("function", "loss")},
        **{f"floor/{name}": "size, pair, time" for name in ("function", "loss")},
        **{f"rate/{name}": "time, estimate" for name in ("function", "loss")},
        **{f"discretisation_error/{name}": "time" for name in ("function", "loss")},
        **{"prediction": "size, replicate, time, sample", "limit_prediction": "time, sample"},
        **{name: "time" for name in ("predicted", "resampling", "limiting_size")},
    },
    "pair": {"time": "", **{f"{group}/{name}": "time" for group in ("distance", "floor") for name in ("function", "loss", "sliced_w2")}},
}
ROOT = re.findall(
    r"\w+",
    """
    title problem problem_summary method method_summary method_options temperature wgf_version schema_version created command seed status
    kernel_rank kernel_error
    """,
)
ATTRIBUTES = {
    **{kind: ROOT for kind in METHODS},
    "comparison": [*ROOT, "kind", "estimates", "signature", "distances"],
    "pair": ["kind", "title", "schema_version", "distances", "first", "second", "first_file", "second_file"],
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A small file of each kind."""
    folder = tmp_path_factory.mktemp("files")
    paths = {kind: folder / f"{kind}.h5" for kind in DATASETS}
    for kind, method in METHODS.items():
        wgf.solve(TANH.problem, method, 0.2, 3, store=paths[kind])
    wgf.compare(TANH.problem, GRID, 0.2, (4, 8), 5, 3, workers=1, store=paths["comparison"])
    wgf.compare_runs(*(wgf.open_run(paths[kind]) for kind in ("density on a grid", "neurons"))).save(paths["pair"])
    return paths


def datasets(path):
    """The datasets of a file with the names of their dimensions; none for an axis."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            scales = [dim[0].name.split("/")[-1] if len(dim) else "" for dim in item.dims]
            found[name] = ", ".join(scales)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def documented():
    """The rows of the table in docs/design.md, as (name, dimensions) of all that they name."""
    table = DESIGN.split("## The HDF5 file")[1].split("\n## ")[0]
    found = set()
    for row in re.findall(r"^\| (.*?[^\\]) \| ", table, flags=re.MULTILINE):
        for names, dims in re.findall(r"((?:`/[^`]+`(?:, )?)+)(?: \(([^)]*)\))?", row):
            found |= {(name, dims) for name in re.findall(r"`/([^`]+)`", names)}
    return found


def place(name, dims):
    """As the table names it: axes, distances and history by what stands for them."""
    if name.startswith("history/"):
        return "history/…", dims
    if name.startswith("checkpoint/"):
        return "checkpoint/…", ""
    if name.endswith("_bounds"):
        return "<axis>_bounds", "axis, bound"
    if name in AXES and not dims:
        return "<axis>", ""
    name = re.sub(r"^(distance|floor|rate|discretisation_error)/\w+$", r"\1/<name>", name)
    return name, {"time, c, a": "time, axes…"}.get(dims, dims)


def test_every_public_name_is_still_there():
    assert set(NAMES) <= set(wgf.__all__)
    assert all(getattr(wgf, name) is not None for name in NAMES)


@pytest.mark.parametrize("kind", DATASETS)
def test_the_layout_of_the_files_is_what_it_was(kind, files):
    found = datasets(files[kind])
    assert DATASETS[kind].items() <= found.items()
    with h5py.File(files[kind]) as file:
        assert set(ATTRIBUTES[kind]) <= set(file.attrs)


@pytest.mark.parametrize("kind", DATASETS)
def test_the_page_of_the_design_says_so(kind, files):
    """What a file holds stands in the table with its dimensions; scales that only number a dimension need no row."""
    table = documented()
    known = {name for name, _ in table}
    for name, dims in datasets(files[kind]).items():
        if not dims and place(name, dims)[0] not in known:
            continue
        said = {d for n, d in table if n == place(name, dims)[0]}
        assert place(name, dims)[1] in {*said, ""} or not dims, (name, dims, said)


def test_the_page_of_the_design_names_the_root_attributes():
    text = DESIGN.split("Root attributes:")[1].split("\n\n")[0]
    assert set(ROOT) <= set(re.findall(r"`(\w+)`", text))
