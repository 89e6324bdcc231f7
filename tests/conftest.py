"""What every test stands on: figures without a screen, two threads, and the same random examples in every run."""

import os

os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("NUMBA_NUM_THREADS", "2")

from hypothesis import settings

settings.register_profile("wgf", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("wgf")
