"""Any mesh of FiPy; the only package that imports FiPy and Gmsh."""
