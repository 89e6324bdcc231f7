"""Any mesh of FiPy, and the only door to FiPy and Gmsh."""
