"""`wgf certify`: what it prints and writes, and what it says where there is no certificate."""

import warnings
from functools import partial

import h5py
import pytest
from commands import wgf_says

import wgf

PROBLEM = """
title = "a student"
[neuron]
activation = "tanh"
[data]
inputs = { law = "uniform", nodes = 12 }
teacher = [ { c = 1.0, a = 2.0 } ]
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = 0.4
[domain]
lower = [-3, -3]
upper = [3, 3]
cells = 24
[time]
end = 2.0
save = 3
"""

pytestmark = pytest.mark.coarse


@pytest.fixture
def says(tmp_path, monkeypatch, capsys):
    """What commands say in a folder with a problem and its run: status, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which the entry point replaces
    (tmp_path / "p.toml").write_text(PROBLEM, encoding="utf-8")
    assert wgf_says(capsys, "run", "p.toml", "--quiet")[0] == 0
    return partial(wgf_says, capsys)


def test_run_says_how_far_it_is_and_keeps_it(says, tmp_path):
    _, out, _ = says("run", "p.toml", "--force")
    assert "minimum" in out
    assert "L − L* ≤" in out
    with h5py.File(tmp_path / "p.h5") as file:
        assert "L − L* ≤" in file.attrs["certificate"]
        assert file["certificate/bound"].shape == (3,)


def test_certify_prints_the_verdict_and_draws_it(says, tmp_path):
    _, out, _ = says("certify", "p.h5")
    for words in ("verdict", "L − L* ≤", "proven", "domain", "[-3, 3] × [-3, 3]", "best measure", "gap", "residual"):
        assert words in out
    assert (tmp_path / "p-certificate.png").stat().st_size > 10_000
    assert "minimum" in says("info", "p.h5")[1]


def test_another_domain(says):
    narrow, wide = (says("certify", "p.h5", "--force", "--lower", "-1", "-1", "--upper", edge)[1] for edge in ("1", "2"))
    assert "[-1, 1] × [-1, 1]" in narrow
    assert "[-1, 2] × [-1, 2]" in wide


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["certify", "p.toml"], "it is a problem file"),
        (["certify", "missing.h5"], "does not exist"),
        (["certify", "p.h5", "--lower", "1"], "give both, or neither"),
        (["certify", "p.h5", "--lower", "1", "--upper", "-1"], "the lower one first"),
        (["certify", "p.h5", "-o", "figure.bmp"], "png"),
    ],
)
def test_what_cannot_be_certified(says, words, message):
    status, _, err = says(*words)
    assert status == 2
    assert message in err
    assert "Traceback" not in err


def test_neurons_without_a_domain_are_told_what_to_give(says):
    says("run", "p.toml", "--method", "particles", "-o", "neurons.h5")
    status, _, err = says("certify", "neurons.h5")
    assert status == 2
    assert "give lower and upper" in err
    assert wgf.open_run("neurons.h5").attributes.get("certificate") is None
