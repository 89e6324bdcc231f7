"""Files that were changed by chance: every one is read, or refused in one line with exit status 1 or 2, and what hangs is shown.

Each case is told by its kind and its seed, which make it again: `changed(kind, seed)`. HDF5 can hang or end the process where Python has no
say; then the traceback of the process names the case.
"""

import contextlib
import faulthandler
import io
import re
import sys
import warnings

import h5py
import numpy as np
import pytest
from commands import RAW, wgf_says

import wgf
from wgf.runs.task import read_task

DRAWN = 10  # of so many cases one is drawn, too, which takes longest
HANG = 60.0  # seconds, after which a case is said to hang
PROBLEM = """title = "a fuzzed problem"
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
file = "data.csv"
[penalty]
strength = 0.01
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = [0.4, 0.4]
[domain]
lower = [-3, -3]
upper = [3, 3]
cells = [8, 8]
[method]
name = "particles"
m = 8
step = 0.01
[time]
end = 0.02
save = 2
"""
CSV = "x,y,weight\n0.5,1.25,1\n-1,2e-3,2\n0.75,-3,1\n"
COLUMNS = {"x": np.array([0.5, -1.0, 0.75]), "y": np.array([1.25, 2e-3, -3.0]), "weight": np.array([1.0, 2.0, 1.0])}
WORDS = (
    "0",
    "-1",
    "1e308",
    "-1e-320",
    "nan",
    "inf",
    "1" * 400,
    "1e18",
    "true",
    '"word"',
    "[]",
    "[[1], [1, 2]]",
    "{}",
    "",
    "\x1b[31m",
    "\0",
)
COMMANDS = {"run": (("info",), ("export", "-o", "new.vtkhdf"), ("plot", "-o", "new.png")), "pair": (("info",), ("plot", "-o", "new.png"))}


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A file of each kind, as bytes."""
    folder = tmp_path_factory.mktemp("originals")
    (folder / "data.csv").write_text(CSV, encoding="utf-8")
    (folder / "p.toml").write_text(PROBLEM, encoding="utf-8")
    archive = io.BytesIO()
    np.savez_compressed(archive, **COLUMNS)
    with h5py.File(folder / "data.h5", "w") as file:
        for name, column in COLUMNS.items():
            file[name] = column
    problem = wgf.Problem.from_toml(folder / "p.toml")
    with warnings.catch_warnings():  # its cells are few
        warnings.simplefilter("ignore")
        run = wgf.solve(problem, wgf.FiniteVolume((8, 8), (-3.0, -3.0), (3.0, 3.0)), 0.02, save=2, store=folder / "run.h5")
    wgf.compare_runs(run, run).save(folder / "pair.h5")
    files = {"csv": "data.csv", "toml": "p.toml", "h5": "data.h5", "run": "run.h5", "pair": "pair.h5"}
    return {kind: (folder / name).read_bytes() for kind, name in files.items()} | {"npz": archive.getvalue()}


def changed_text(text, rng):
    """A few of its numbers and words are others, lines are lost, doubled or put elsewhere."""
    for _ in range(rng.integers(1, 4)):
        lines = text.split("\n")
        k, other = rng.integers(len(lines), size=2)
        tokens = list(re.finditer(r"[\w.+-]+", text))
        token = tokens[rng.integers(len(tokens))] if tokens else None
        match rng.integers(4):
            case 0:
                lines.insert(other, lines[k])
                text = "\n".join(lines)
            case 1:
                del lines[k]
                text = "\n".join(lines)
            case _ if token:
                text = text[: token.start()] + str(rng.choice(WORDS)) + text[token.end() :]
    return text


def changed_bytes(content, rng):
    """A few of its bytes are others, whole words are zero or as large as can be, parts are lost or doubled."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        place, size = int(rng.integers(len(content))), int(rng.integers(1, 65))
        match rng.integers(6):
            case 0:
                content[place] ^= 1 << int(rng.integers(8))
            case 1:
                content[place : place + 8] = bytes(rng.choice([[0] * 8, [255] * 8, [0] * 7 + [127]]).astype(np.uint8))
            case 2:
                content[place] = int(rng.integers(256))
            case 3:
                other = int(rng.integers(len(content)))
                content[place : place + size] = content[other : other + size]
            case 4 if rng.random() < 0.2:
                del content[place : place + size]
            case 5:
                content[place : place + size] = rng.integers(256, size=size, dtype=np.uint8).tobytes()
    return bytes(content)


def changed(originals, kind, seed):
    """The file of a case."""
    rng = np.random.default_rng([seed, sorted(originals).index(kind)])
    if kind in ("csv", "toml") and rng.random() < 0.8:
        return changed_text(originals[kind].decode(), rng).encode()
    return changed_bytes(originals[kind], rng)


def told_in_one_line(capsys, case, *words):
    """The command ends as it should."""
    status, out, err = wgf_says(capsys, *words)
    assert status in (0, 1, 2), (case, words, status)
    assert not RAW.search(out + err.replace("\r", "")), (case, words, out, err)


def try_case(originals, folder, kind, seed, capsys):
    """A case through the commands that read such files; of problems, whether they can be read."""
    case = (kind, seed)
    for name in ("csv", "npz", "h5"):
        (folder / f"data.{name}").write_bytes(originals[name])
    content = changed(originals, kind, seed)
    if kind in COMMANDS:
        (folder / "it.h5").write_bytes(content)
        for command, *options in COMMANDS[kind] if seed % DRAWN == 0 else COMMANDS[kind][:-1]:
            told_in_one_line(capsys, case, command, "it.h5", *options, *(("--force",) if options else ()))
    elif kind == "toml":
        (folder / "p.toml").write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(wgf.InputError):
                read_task(folder / "p.toml")
    else:
        (folder / f"data.{kind}").write_bytes(content)
        (folder / "p.toml").write_text(PROBLEM.replace("data.csv", f"data.{kind}"), encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told_in_one_line(capsys, case, "run", "p.toml", "-o", "out.h5", "--force", "--quiet")


def try_cases(originals, folder, kind, seeds, capsys):
    for seed in seeds:
        faulthandler.dump_traceback_later(HANG, exit=True, file=sys.__stderr__)
        try:
            try_case(originals, folder, kind, seed, capsys)
        finally:
            faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize(("kind", "count"), [("csv", 15), ("npz", 15), ("h5", 15), ("toml", 100), ("run", 15), ("pair", 15)])
def test_files_that_were_changed_by_chance(originals, tmp_path, monkeypatch, capsys, kind, count):
    monkeypatch.chdir(tmp_path)
    try_cases(originals, tmp_path, kind, range(count), capsys)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["csv", "npz", "h5", "toml", "run", "pair"])
def test_many_files_that_were_changed_by_chance(originals, tmp_path, monkeypatch, capsys, kind):
    monkeypatch.chdir(tmp_path)
    try_cases(originals, tmp_path, kind, range(1000, 2000), capsys)
