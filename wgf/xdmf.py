"""A run for ParaView and other viewers: an XDMF file that says where in the run's HDF5 file its arrays are. Nothing is copied.

The density is one number in each cell, on a mesh as on a grid of two or three axes; neurons are points with their weights. XDMF counts
the axes of a grid from the last one, so that its first axis is the vertical one of a picture. XDMF 3 [https://www.xdmf.org].
"""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import h5py

from wgf.errors import InputError
from wgf.hdf5 import reading
from wgf.measure import Cloud, MeshDensity
from wgf.observers.store import open_run
from wgf.run import Run

CELLS = {(1, 2): "Polyline", (2, 3): "Triangle", (2, 4): "Quadrilateral", (3, 4): "Tetrahedron", (3, 8): "Hexahedron"}  # (q, corners)
POINTS = {2: "XY", 3: "XYZ"}  # by the number of coordinates
AXES = {2: "DXDY", 3: "DXDYDZ"}


def export(source: Run | str | Path, path: str | Path) -> None:
    """Write an .xdmf file for a run that is kept in an HDF5 file, which has to stay where it is relative to it.

    Raises InputError for a run without a file, another ending, and measures with less than two or more than three coordinates.
    """
    run, path = source if isinstance(source, Run) else open_run(source), Path(path)
    if run.path is None:
        raise InputError("the run is in memory only: solve it with store=…, for the exported file refers to its HDF5 file")
    if path.suffix.lower() not in (".xdmf", ".xmf"):
        raise InputError(f"cannot export to {path}: the name must end in .xdmf")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    tree = ElementTree.ElementTree(_described(run, os.path.relpath(run.path, path.parent)))
    ElementTree.indent(tree)
    begun = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # takes its name when it is complete
    try:
        tree.write(begun, encoding="utf-8", xml_declaration=True)
        os.replace(begun, path)
    finally:
        begun.unlink(missing_ok=True)


def _described(run: Run, data: str) -> ElementTree.Element:
    """The whole document: one grid for each frame."""
    measure = run.measures[0]
    if measure.points.shape[1] not in POINTS:
        raise InputError(f"measures with {measure.points.shape[1]} coordinates cannot be shown in space: export takes two or three")
    root = ElementTree.Element("Xdmf", Version="3.0")
    frames = ElementTree.SubElement(
        ElementTree.SubElement(root, "Domain"), "Grid", Name="run", GridType="Collection", CollectionType="Temporal"
    )
    with reading(Path(run.path or "")) as file:
        for k, time in enumerate(run.times):
            grid = ElementTree.SubElement(frames, "Grid", Name=f"frame {k}", GridType="Uniform")
            ElementTree.SubElement(grid, "Time", Value=repr(float(time)))
            if isinstance(measure, Cloud):
                _add_cloud(grid, file, data, k)
            elif isinstance(measure, MeshDensity):
                _add_mesh(grid, file, data, k)
            else:
                _add_box(grid, file, data, k)
    return root


def _add_mesh(grid: ElementTree.Element, file: h5py.File, data: str, frame: int) -> None:
    mesh = file["mesh"]
    count, corners = mesh["cells"].shape
    kind = CELLS.get((int(mesh.attrs["cell_dim"]), corners), "Polygon")
    topology = ElementTree.SubElement(grid, "Topology", TopologyType=kind, NumberOfElements=str(count), NodesPerElement=str(corners))
    _array(topology, data, mesh["cells"])
    geometry = ElementTree.SubElement(grid, "Geometry", GeometryType=POINTS[mesh["vertices"].shape[1]])
    _array(geometry, data, mesh["vertices"])
    _slab(_attribute(grid, "density", "Cell"), data, file["density"], frame)


def _add_box(grid: ElementTree.Element, file: h5py.File, data: str, frame: int) -> None:
    density = file["density"]
    names = file["coordinate"].asstr()[:].tolist()
    edges = [(file[name].attrs["edges_lower"], file[name].attrs["edges_upper"]) for name in names]
    nodes = " ".join(str(n + 1) for n in density.shape[1:])
    ElementTree.SubElement(grid, "Topology", TopologyType=f"{len(names)}DCoRectMesh", Dimensions=nodes)
    geometry = ElementTree.SubElement(grid, "Geometry", GeometryType=f"ORIGIN_{AXES[len(names)]}")
    for values in ([low[0] for low, _ in edges], [high[0] - low[0] for low, high in edges]):
        item = ElementTree.SubElement(geometry, "DataItem", Dimensions=str(len(names)), NumberType="Float", Precision="8", Format="XML")
        item.text = " ".join(repr(float(value)) for value in values)
    _slab(_attribute(grid, "density", "Cell"), data, density, frame)


def _add_cloud(grid: ElementTree.Element, file: h5py.File, data: str, frame: int) -> None:
    count, p = file["position"].shape[1:]
    ElementTree.SubElement(grid, "Topology", TopologyType="Polyvertex", NumberOfElements=str(count))
    _slab(ElementTree.SubElement(grid, "Geometry", GeometryType=POINTS[p]), data, file["position"], frame)
    _array(_attribute(grid, "weight", "Node"), data, file["weight"])


def _attribute(grid: ElementTree.Element, name: str, center: str) -> ElementTree.Element:
    return ElementTree.SubElement(grid, "Attribute", Name=name, AttributeType="Scalar", Center=center)


def _array(parent: ElementTree.Element, data: str, dataset: h5py.Dataset) -> None:
    """A whole dataset."""
    kind = "Int" if dataset.dtype.kind == "i" else "Float"
    shape = " ".join(map(str, dataset.shape))
    item = ElementTree.SubElement(
        parent, "DataItem", Dimensions=shape, NumberType=kind, Precision=str(dataset.dtype.itemsize), Format="HDF"
    )
    item.text = f"{data}:{dataset.name}"


def _slab(parent: ElementTree.Element, data: str, dataset: h5py.Dataset, frame: int) -> None:
    """One frame of a dataset: start, stride and count along each of its axes."""
    row, rest = dataset.shape[1:], dataset.ndim - 1
    slab = ElementTree.SubElement(parent, "DataItem", ItemType="HyperSlab", Dimensions=" ".join(map(str, row)))
    select = ElementTree.SubElement(slab, "DataItem", Dimensions=f"3 {rest + 1}", NumberType="Int", Format="XML")
    select.text = " ".join(map(str, (frame, *(0,) * rest, *(1,) * (rest + 1), 1, *row)))
    _array(slab, data, dataset)
