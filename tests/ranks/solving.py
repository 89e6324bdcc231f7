"""Small cases of tests/method_cases.py solved on the ranks that were started: `python solving.py FOLDER`.

Each run is left in FOLDER as NAME.npz by the first rank, and some as NAME.h5.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
from launching import file_name
from method_cases import ALL, NARROW, Case

import wgf
from wgf.problems import interaction, regression
from wgf.ranks.communicator import current

RELU = wgf.Neuron("relu", ("c", "a1", "a2", "b"), dim=2)
INPUTS = np.random.default_rng(0).random((9, 2))
WIDE = wgf.Problem(wgf.RegressionEnergy(RELU, wgf.Data(INPUTS, np.sin(4 * INPUTS).sum(axis=1))), wgf.Gaussian([0.0] * 4, [0.5] * 4))
PAIRS = wgf.Problem(wgf.InteractionEnergy(V=lambda x: 0.5 * (x**2).sum(-1), W=lambda x: np.exp(-(x**2).sum(-1))), NARROW)
MORE = {
    "particles scaled": Case(wgf.Particles(20, seed=2, scale="m^-0.5", centred="pairs", step=0.05), WIDE),
    "particles plane": Case(wgf.Particles(31, seed=3), WIDE),
    "particles pairs": Case(wgf.Particles(23, seed=4), PAIRS),
    "characteristics pairs": Case(wgf.Characteristics(5), PAIRS),
}
CASES = {name: case for name, case in {**ALL, **MORE}.items() if name.split()[0] in ("particles", "characteristics", "pushforward")}
STORED = ("pushforward", "particles noise, walls", "particles births and deaths, walls")


def main(folder):
    warnings.simplefilter("ignore")
    regression.FEWEST_POINTS, regression.SHARES, interaction.BLOCK = 3, 7, 40  # so that few points are shared
    for name, case in CASES.items():
        run = case.solved()
        if name in STORED:
            assert case.solved(store=folder / f"{file_name(name)}.h5").loss.tolist() == run.loss.tolist()
        last = run.measures[-1]
        arrays = {"values": last.points if isinstance(last, wgf.Cloud) else last.values, "prediction": run.prediction, **run.history}
        if current().first:
            np.savez(folder / f"{file_name(name)}.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
