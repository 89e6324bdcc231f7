"""What watches the time loop: progress, warnings, the HDF5 file. The loop does not know their names."""
