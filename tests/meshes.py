"""Geometries for Gmsh, as FiPy takes them: a rectangle in the plane, unit cubes of all kinds of cells, and two cubes of several."""

SQUARE = """
Point(1) = {-2, -2, 0, .4}; Point(2) = {2.5, -2, 0, .4}; Point(3) = {2.5, 3, 0, .4}; Point(4) = {-2, 3, 0, .4};
Line(1) = {1, 2}; Line(2) = {2, 3}; Line(3) = {3, 4}; Line(4) = {4, 1};
Line Loop(1) = {1, 2, 3, 4}; Plane Surface(1) = {1};
"""
MIXED = """
SetFactory("OpenCASCADE");
Box(1) = {0, 0, 0, 1, 1, 1}; Box(2) = {1, 0, 0, 1, 1, 1};
BooleanFragments{Volume{1}; Delete;}{Volume{2}; Delete;}
Transfinite Curve{:} = 4; Transfinite Surface{:}; Transfinite Volume{1}; Recombine Surface{1:6}; Mesh.MeshSizeMax = .4;
"""  # hexahedra, then pyramids, then tetrahedra


def cube(cells, size=0.5):
    """A square, extruded: `cells` are tetrahedra, wedges or hexahedra, with edges of about `size`."""
    plane = "Transfinite Surface{1}; Recombine Surface{1};" if cells == "hexahedra" else ""
    layers = f"Layers{{{round(1 / size)}}};{'' if cells == 'tetrahedra' else ' Recombine;'}"
    return f"""
    Point(1) = {{0, 0, 0, {size}}}; Point(2) = {{1, 0, 0, {size}}}; Point(3) = {{1, 1, 0, {size}}}; Point(4) = {{0, 1, 0, {size}}};
    Line(1) = {{1, 2}}; Line(2) = {{2, 3}}; Line(3) = {{3, 4}}; Line(4) = {{4, 1}};
    Line Loop(1) = {{1, 2, 3, 4}}; Plane Surface(1) = {{1}}; {plane}
    Extrude {{0, 0, 1}} {{ Surface{{1}}; {layers} }}
    """
