"""The scripts for schedulers in the manual, as they stand, in a shell that has what a scheduler sets; two ranks, a tiny problem."""

import os
import re
import subprocess
from pathlib import Path

import pytest

import wgf
from tests.ranks.launching import MPIEXEC, SECONDS, environment

PAGE = Path(__file__).resolve().parents[1] / "docs" / "guide" / "ensembles_on_clusters.md"
SCRIPTS = dict(re.findall(r"## (SLURM|PBS)\n\n```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
SMALLER = {"64 256 1024": "8 16", "--replicates 32": "--replicates 5", "--replicates 8": "--replicates 5", "100,1000": "5,6"}
PROBLEM = """
title = "on a cluster"
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
inputs = { law = "uniform", lower = [-1], upper = [1], nodes = 8 }
teacher = [ { c = 1.0, a = 2.0 } ]
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = [0.4, 0.4]
[method]
name = "particles"
m = 8
[time]
end = 0.2
save = 2
"""


@pytest.fixture
def job(tmp_path):
    """The environment of a job of two tasks."""
    (tmp_path / "problem.toml").write_text(PROBLEM, encoding="utf-8")
    (tmp_path / "nodes").write_text("localhost\nlocalhost\n", encoding="utf-8")
    set_by_scheduler = {"SLURM_NTASKS": "2", "PBS_O_WORKDIR": str(tmp_path), "PBS_NODEFILE": str(tmp_path / "nodes")}
    return environment(PATH=os.pathsep.join([str(Path(MPIEXEC).parent), os.environ["PATH"]]), **set_by_scheduler)


@pytest.mark.long
@pytest.mark.parametrize("scheduler", ["SLURM", "PBS"])
def test_the_script_runs(scheduler, job, tmp_path):
    script = SCRIPTS[scheduler].replace("source ~/wgf/bin/activate", "")
    for much, little in SMALLER.items():
        script = script.replace(much, little)
    assert script.count("mpiexec -n ") == 2
    found = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=job, capture_output=True, text=True, timeout=2 * SECONDS, check=False
    )
    assert found.returncode == 0, found.stderr
    assert wgf.open_comparison(tmp_path / "problem-compare.h5").replicates == 5
    other = {"SLURM": "problem-sweep.h5", "PBS": "problem-lazy.h5"}[scheduler]
    opened = wgf.open_sweep if scheduler == "SLURM" else wgf.open_lazy
    assert "on a cluster" in opened(tmp_path / other).attributes["title"]
