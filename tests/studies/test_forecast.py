"""What a run will cost, foretold, beside what it does cost: memory, steps, what is moved; no clock is asked."""

import dataclasses
import gc
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from commands import wgf_says
from method_cases import ALL
from problems import Tanh

import wgf
from tests.ranks.launching import on_ranks
from wgf.studies.forecast.arithmetic import arithmetic
from wgf.studies.forecast.course import Course, followed
from wgf.studies.forecast.forecast import forecast, forecast_facts, in_bytes, in_seconds
from wgf.studies.forecast.pilot import expected, piloted
from wgf.studies.forecast.smaller import FEWEST, ladder, smaller

pytestmark = pytest.mark.coarse

TANH = Tanh()
STUDENT = Path(wgf.__file__).parent / "cli" / "examples" / "student.toml"
SPACE = wgf.Problem(
    wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a", "b")), TANH.data), wgf.Gaussian((0.2, 0.5, 0.0), (0.4, 0.4, 0.4)), title="in space"
)
BOX = {"lower": TANH.lower, "upper": TANH.upper, "edge_tolerance": 1.0}
LONG = 1e6  # seconds
KNOWN = 8  # steps
SLOW = ("fipy flow", "fipy noise", "jko log", "jko second order")
MEMORY = {
    "transport": (SPACE, wgf.FiniteVolume(48, [-2.5] * 3, [3.5] * 3, negligible=0.0)),  # a window that moves is larger later
    "noise": (dataclasses.replace(TANH.problem, temperature=0.1), wgf.FiniteVolume(300, **BOX)),
    "particles": (TANH.problem, wgf.Particles(100_000)),
}
STEPS = {
    "transport": (TANH.problem, wgf.FiniteVolume(96, **BOX), 10.0),
    "noise": (dataclasses.replace(TANH.problem, temperature=0.1), wgf.FiniteVolume(96, **BOX), 4.0),
    "particles": (TANH.problem, wgf.Particles(4000), 10.0),
    "steps of descent": (TANH.problem, wgf.Particles(500, step=0.01), 4.0),
    "to rest": (TANH.problem, wgf.FiniteVolume(128, **BOX), wgf.Rest(1e-2)),
}


@pytest.mark.parametrize("name", MEMORY)
def test_memory_is_what_the_run_allocates(name, tmp_path):
    """With two frames, of which the second one waits for no other: whether several wait depends on the clock."""
    problem, method = MEMORY[name]
    found = forecast(problem, method, 0.2, 2, probe=0.0)
    gc.collect()
    tracemalloc.start()
    wgf.solve(problem, method, 0.2, 2, store=tmp_path / "r.h5")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.arrays == pytest.approx(peak, rel=0.1)
    assert found.program > 5e7


@pytest.mark.parametrize("name", STEPS)
def test_steps_are_foretold_from_few_of_them_and_a_pilot(name):
    problem, method, end = STEPS[name]
    longest = end.longest if isinstance(end, wgf.Rest) else end
    stepper = method.bind(problem, longest)
    state = stepper.start()
    times = wgf.runs.solve.save_times(end, 5)
    probe = followed(stepper, state, end, times[1:], 0.0, KNOWN, lands=True)
    assert len(probe.starts) == KNOWN
    pilot = piloted(problem, ladder(problem, method, longest, state.array.size), end, times[1:], LONG)
    run = wgf.solve(problem, method, end, 5)
    found = expected(probe, pilot, times)
    assert found.steps == pytest.approx(len(run.history["time"]) - 1, rel=0.5)
    assert found.end == pytest.approx(run.times[-1], rel=0.2)


@pytest.mark.parametrize("name", ["transport", "noise"])
def test_steps_that_land_on_frames_are_counted_as_the_run_takes_them(name):
    problem, method, end = STEPS[name]
    stepper, times = method.bind(problem, end), [0.0, 0.3 * end, 0.31 * end, 0.7 * end, end]
    course = followed(stepper, stepper.start(), end, times[1:], LONG, lands=True)
    taken = wgf.solve(problem, method, end, times).history["time"]
    assert course.starts == taken[:-1].tolist()
    cut = np.array(course.lengths) > np.diff(taken) * (1 + 1e-9)
    assert 0 < cut.sum() <= 2 * len(times)  # they count as they would be without a frame
    assert expected(course, None, times).steps == pytest.approx(len(taken) - 1, rel=0.1)


def test_a_run_that_is_followed_to_its_end_is_known():
    """But for where its steps land."""
    problem, method, end = STEPS["transport"]
    stepper = method.bind(problem, end)
    course = followed(stepper, stepper.start(), end, [end], LONG)
    assert course.whole
    assert course.end == end
    assert expected(course, None, [0.0, end]).steps == len(course.starts)
    half = Course(course.ending)
    state = stepper.start()
    while len(half.starts) < 5:  # in pieces
        half = followed(stepper, state, end, [], 0.0, len(half.starts) + 1, half)
    assert half.lengths == course.lengths[:5]


@pytest.mark.parametrize("name", [name for name in ALL if name not in SLOW])
def test_every_method_is_foretold(name):
    case = ALL[name]
    found = forecast(case.problem, case.method, 0.4, 3)
    stepper = case.stepper()
    assert found.rank == stepper.facts.get("kernel_rank", 0)
    assert found.points >= found.active > 0
    assert found.expected.steps >= 2
    assert found.expected.end == 0.4
    assert set(forecast_facts(found)) >= {"method", "size", "memory", "file", "steps", "time"}


def test_a_file_has_one_number_for_each_cell_of_a_mesh():
    """And not the coordinates of its centre."""
    method = wgf.FiPyMesh(wgf.Box((12, 12), TANH.lower, TANH.upper), edge_tolerance=1.0)
    found = forecast(TANH.problem, method, 0.2, 3, probe=0.0, pilot=0.0)
    assert (found.kind, found.points) == ("cells", 144)
    assert found.file == (3 + 1) * 8 * 144


def test_what_a_step_moves_is_counted():
    """Stages of mp7 with c along the rows: μ is read and written, 1/outflow is written and read, and from the second one on the first μ."""
    problem, method, _ = STEPS["transport"]
    stepper = method.bind(problem, 1.0).stepper
    assert arithmetic(stepper, 1000.0).bytes == 8 * 1000 * (4 * 4 + 3)
    limited = dataclasses.replace(method, limiter="mc").bind(problem, 1.0).stepper
    assert arithmetic(limited, 1000.0).bytes == 8 * 1000 * (4 * 2 + 3)
    assert arithmetic(limited, 1000.0).operations < arithmetic(stepper, 1000.0).operations
    whole = wgf.FiniteVolume(16, **BOX).bind(
        wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("a", "b")), TANH.data), wgf.Gaussian((0.5, 0.5), 0.4)), 1.0
    )
    assert arithmetic(whole.stepper, 1000.0).bytes > arithmetic(stepper, 1000.0).bytes  # G is kept on all cells
    assert arithmetic(ALL["mirror-descent kl"].stepper(), 1000.0) is None


def test_less_of_a_method_is_less():
    problem, method, _ = STEPS["transport"]
    rungs = ladder(problem, method, 1.0, 96 * 96)
    assert [rung.cells for rung in rungs[1:]] == [(48, 48), (24, 24), (12, 12)]
    assert 96 * 96 / 4 ** (len(rungs) - 1) >= FEWEST
    assert smaller(problem, wgf.Particles(4000), 1.0).m == 1000
    jko = wgf.JKO(64, **BOX, dt=0.1)
    less = smaller(problem, jko, 1.0)
    assert (less.dt, less.cells, less.epsilon) == (0.1, (32, 32), jko.bind(problem, 1.0).epsilon)


def test_the_command_says_it_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(STUDENT.read_text(encoding="utf-8"), encoding="utf-8")
    status, out, err = wgf_says(capsys, "run", "p.toml", "--cells", "48", "--until", "1", "--dry-run")
    assert (status, err) == (0, "")
    lines = dict(line.strip().split(maxsplit=1) for line in out.splitlines()[1:])
    assert set(lines) == {"method", "size", "kernel", "memory", "file", "step", "steps", "time"}
    assert lines["kernel"].startswith("rank ")
    assert "active at the start" in lines["size"]
    assert [path.name for path in tmp_path.iterdir()] == ["p.toml"]
    status, out, err = wgf_says(capsys, "run", "p.toml", "--method", "fipy", "--dry-run", "--set", "method.convection=no")
    assert (status, out) == (2, "")
    assert "convection" in err


@pytest.mark.long
def test_ranks_foretell_together(tmp_path):
    """The cells of all of them, the arithmetic of one; said once."""
    (tmp_path / "p.toml").write_text(STUDENT.read_text(encoding="utf-8"), encoding="utf-8")
    command = ("-m", "wgf", "run", "p.toml", "--cells", "64", "--until", "1", "--dry-run")
    alone, together = (on_ranks(ranks, *command, cwd=tmp_path).splitlines() for ranks in (1, 2))
    assert together[:4] == alone[:4]  # method, size, kernel
    assert len(together) == len(alone)
    assert "on each of 2 ranks, at most" in together[4]
    assert together[7].split(" up to")[0] == alone[7].split(" up to")[0]  # steps
    assert [path.name for path in tmp_path.iterdir()] == ["p.toml"]


def test_numbers_for_people():
    assert [in_bytes(count) for count in (1.5e3, 2.34e6, 5e9)] == ["1.5 kB", "2.34 MB", "5 GB"]
    assert [in_seconds(seconds) for seconds in (0.123, 90, 600, 7200, 4e5)] == ["0.12 s", "90 s", "10 minutes", "2 hours", "4.6 days"]
