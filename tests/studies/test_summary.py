"""The words of a comparison where what they divide by vanishes."""

import warnings

import wgf
from wgf.studies.summary import comparison_facts


def test_clouds_without_a_spread_are_summed_up_and_drawn(tmp_path):
    """All neurons start in one point: no cloud differs from the limit, nor the limit from itself at half its resolution."""
    data = wgf.Data([1.0, 2.0], [0.0, 0.3])
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), data), wgf.Samples([[0.5, 0.3]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = wgf.compare(problem, wgf.Characteristics(2), 0.1, (2, 3), 5, 2, workers=1)
        facts = comparison_facts(found)
        found.plot(tmp_path / "compare.png")
    assert facts["at t = 0"] == "m·E‖φ_m − φ‖² = 0, theory 0; off by +0.0, +0.0 standard errors"
    assert facts["grid"] == "no error of the limit is seen: half its resolution gives the same"
