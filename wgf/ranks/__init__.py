"""Several processes that share a run, under MPI: which they are, what they say to each other, who has which cells."""
