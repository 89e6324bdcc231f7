"""What `wgf doctor` tells: a screen without names, a check that passes here and fails where something is wrong."""

import re
from pathlib import Path

import numpy as np
import pytest
from commands import wgf_says
from problems import Ridge
from scipy import integrate

import wgf
from wgf.studies import doctor


def test_the_screen_can_be_pasted_into_a_report(capsys):
    status, out, err = wgf_says(capsys, "doctor")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert re.search(r"^self-check +passed: mass \de-1\d, minimum .*, error .*e-07, order 6\.\d\d ", out, flags=re.MULTILINE)
    for name in ("wgf", "Python", "numpy", "scipy", "numba", "h5py", "HDF5", "fipy", "matplotlib", "threads", "BLAS", "Numba cache"):
        assert re.search(rf"^ *{name}  ", out, flags=re.MULTILINE), name
    for name in ("memory", "disk", "Gmsh", "ffmpeg", "MPI"):
        assert re.search(rf"^ *{name}  ", out, flags=re.MULTILINE), name


def test_mpi_is_tried():
    """Two processes of the mpiexec beside Python meet."""
    assert re.fullmatch(r"mpi4py \d[\d.]*, [\w ]+ \d[\d.]*, mpiexec works", doctor.mpi())


def test_the_mpiexec_of_another_mpi_is_named(monkeypatch, tmp_path):
    """Its processes do not know of each other."""
    program = tmp_path / "mpiexec"
    program.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(doctor, "mpiexec", lambda: str(program))
    assert doctor.mpi().endswith("mpiexec is ANOTHER MPI's")
    program.write_text("#!/bin/sh\nexit 1\n")
    assert doctor.mpi().endswith("mpiexec FAILS")


def test_without_mpi4py_that_is_said(monkeypatch):
    monkeypatch.setattr(doctor, "version", lambda name: "none")
    assert doctor.mpi() == "none: one process runs a problem"


def test_the_home_folder_is_not_named(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert doctor.shown_path(tmp_path / "cache") == str(Path("~") / "cache")
    assert len(doctor.shown_path(Path("/a" * 200))) <= doctor.LONGEST + 1


def test_the_closed_form_solves_the_equations_of_the_neurons():
    """dX/dt = 1 − m − X and dm/dt = 1 − 2m, by a solver of differential equations."""
    times = integrate.solve_ivp(lambda t, y: [1 - 2 * y[0], 1 - y[0] - y[1]], (0, doctor.END), [0.0, doctor.WIDTH], rtol=1e-11, atol=1e-12)
    mean, neuron = times.y[:, -1]
    ridge = Ridge(start=(0.0,), width=(doctor.WIDTH,), penalty=1.0)
    assert ridge.std(doctor.END)[0] == pytest.approx(neuron - mean, rel=1e-9)
    assert mean == pytest.approx(0.5 * -np.expm1(-2 * doctor.END), rel=1e-9)
    assert neuron - mean == pytest.approx(doctor.WIDTH * np.exp(-doctor.END), rel=1e-9)


def spoilt(run, wrong):
    """A run whose last density is not that of the problem."""
    density = run.measures[-1]
    run.measures = [wgf.Density(density.grid, wrong(density.values))]
    return run


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda density: np.roll(density, 1), r"order 0\.98"),
        (lambda density: 1.01 * density, r"error 1\.0e-02"),
    ],
    ids=["first order", "too much mass"],
)
def test_a_wrong_density_fails(wrong, what, monkeypatch, capsys):
    solve = doctor.solve
    monkeypatch.setattr(doctor, "solve", lambda *given: spoilt(solve(*given), wrong))
    status, out, _ = wgf_says(capsys, "doctor")
    assert status == 1
    assert re.search(rf"FAILED: .*{what}", out)


def test_a_run_that_cannot_be_made_is_told_in_a_line(monkeypatch, capsys):
    def broken(*given):
        raise OSError("no\nlibrary")

    monkeypatch.setattr(doctor, "solve", broken)
    status, out, err = wgf_says(capsys, "doctor")
    assert (status, err) == (1, "")
    assert "FAILED: OSError: no library\n" in out
