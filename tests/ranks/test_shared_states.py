"""States of finite volumes that ranks share: changed between steps, written down and taken up again, and refused by all at once."""

import pytest

from tests.ranks.launching import python_on_ranks

BEGIN = """
    import dataclasses
    import warnings
    import numpy as np
    import wgf
    from tests.ranks.finite_volume_cases import box, law, network
    from wgf.ranks.communicator import current
    from wgf.ranks.divided import gathered, spread

    warnings.simplefilter("ignore")
    ranks = current()

    def bound(energy=network(("c", "a")), noise=0.0, method=box(2, (20, 21))):
        stepper = method.bind(wgf.Problem(energy, law(2), noise), 1.0)
        return stepper, stepper.start()

    def written(stepper, state):
        shares = stepper.divided(state)
        whole = {name: spread(gathered(share, ranks), share.shape, ranks) for name, share in shares.items()}
        return {item.name: getattr(state, item.name) for item in dataclasses.fields(state)} | whole
"""


def on_ranks(ranks, code):
    """The lines that the ranks print, which are the same."""
    lines = python_on_ranks(ranks, BEGIN + code).splitlines()
    assert len(set(lines)) == len(lines) / ranks, lines
    return lines[0]


SCHEMES = """
    schemes = {None: box(2, (20, 21)), "gibbs": box(2, (20, 21), diffusion="gibbs"), "split": box(2, (20, 21), diffusion="split")}
    for noise, method in ((0.0, schemes[None]), (0.1, schemes["gibbs"]), (0.1, schemes["split"]), (0.1, schemes[None])):
        stepper, state = bound(noise=noise, method=method)
        stepper.step(state, 1.0)
        again = stepper.restored(written(stepper, state))
        assert np.array_equal(stepper.divided(again)["array"].values, stepper.divided(state)["array"].values)
        fresh, _ = bound(noise=noise, method=method)
        first, second = stepper.step(state, 1.0), fresh.step(again, 1.0)
        assert (first.loss, first.dissipation, first.mass, state.time) == (second.loss, second.dissipation, second.mass, again.time)
        assert np.array_equal(stepper.divided(again)["array"].values, stepper.divided(state)["array"].values)
    print("well")
"""


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_state_goes_on_from_its_fields_to_the_last_bit(ranks):
    assert on_ranks(ranks, SCHEMES) == "well"


def test_values_that_all_ranks_change_are_those_that_the_next_step_takes():
    found = """
    stepper, state = bound()
    before = stepper.frame(state).diagnostics
    state.values *= 0.5
    print(before.mass, stepper.step(state, 1.0).mass)
    """
    before, after = map(float, on_ranks(2, found).split())
    assert before == pytest.approx(1.0, rel=1e-14)
    assert after == pytest.approx(0.5, rel=1e-14)


def test_what_is_wrong_on_one_rank_is_said_by_all():
    found = """
    stepper, state = bound()
    values = state.values
    if ranks.rank == 1:
        values[9, 5] = np.nan
    try:
        stepper.frame(state)
    except wgf.RunError as error:
        print(error)
    """
    assert "the density is infinite or undefined at t = 0, in 1 of" in on_ranks(3, found)


def test_too_few_cells_are_refused_by_all():
    found = """
    try:
        bound(method=box(2, (5, 4)))
    except wgf.InputError as error:
        print(error)
    """
    assert "5 × 4 cells cannot be divided among 3 processes" in on_ranks(3, found)
