"""Runs of finite volumes stored in parts: `python storing.py LARGE FOLDER NAME … [resume]`; arrays of LARGE bytes are stored in parts.

Each case is solved up to half of its end and stored in FOLDER as NAME.h5, or with `resume` as the last word goes on from there to its end;
with `full` the second rank may write no file of more than a kilobyte.
"""

import resource
import sys
import warnings
from pathlib import Path

import numpy as np
from launching import file_name

import wgf
from wgf.ranks.communicator import current
from wgf.runs import parts
from wgf.runs.observers import writer

BOX = {"lower": [-2.0, -2.0], "upper": [2.2, 2.0], "edge_tolerance": 1.0}
DATA = wgf.Data.quadrature(np.sin, nodes=12)
SPLIT = wgf.Data(*(lambda x: (x, np.sin(3 * x)))(np.linspace(-1, 1, 24))).split(0.3)


def problem(data=DATA, theta=("c", "a"), temperature=0.0, std=0.35):
    return wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta), data, 0.1), wgf.Gaussian((0.2, 0.3), (std, std)), temperature)


CASES = {
    "box": (problem(SPLIT), wgf.FiniteVolume(cells=(37, 29), **BOX)),
    "periodic": (problem(SPLIT), wgf.FiniteVolume(cells=(25, 26), boundary=("periodic", "no-flux"), **BOX)),
    "without end": (problem(SPLIT), wgf.FiniteVolume(spacing=0.1)),
    "growing with noise": (
        problem(temperature=0.3, std=0.2),
        wgf.FiniteVolume(cells=(16, 14), lower=[-0.8] * 2, upper=[1.2] * 2, grow=True),
    ),
}
HALF, SAVE = 0.3, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def main(large, folder, *words):
    warnings.simplefilter("ignore")
    parts.LARGE, writer.SHARE = float(large), float("inf")
    resume = "resume" in words
    if words[-1] == "full" and current().rank == 1:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    for name in (word for word in words if word in CASES):
        store, end = Path(folder) / f"{file_name(name)}.h5", 2 * HALF if resume else HALF
        wgf.solve(*CASES[name], end, [time for time in SAVE if time <= end], store=store, resume=resume)


if __name__ == "__main__":
    main(*sys.argv[1:])
