"""What is solved: energies, and their potentials on cells and at points."""
