"""Files from strangers: each kind of damage or malice ends in one line, reaches nothing outside and leaves nothing behind."""

import os
import shutil
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from commands import wgf_says

import wgf
from wgf.errors import printable
from wgf.networks import untrusted
from wgf.runs.transaction import changing

PROBLEM = wgf.Problem(
    wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), wgf.Data([1.0, 2.0, 3.0], [0.5, 0.2, 0.1])),
    wgf.Gaussian((0.2, 0.5), (0.4, 0.4)),
    title="a title",
)
SECRET = b"what belongs to somebody else...."
COMMANDS = (
    ("info",),
    ("plot", "-o", "new.png"),
    ("export", "-o", "new.vtkhdf"),
    ("animate", "-o", "new.gif"),
    ("certify", "-o", "new.png"),
    ("report", "-o", "new.html"),
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run on a grid, on file."""
    folder = tmp_path_factory.mktemp("runs")
    with warnings.catch_warnings():  # its cells are few
        warnings.simplefilter("ignore")
        wgf.solve(PROBLEM, wgf.FiniteVolume((8, 8), (-3.0, -3.0), (3.0, 3.0)), 0.01, save=3, store=folder / "grid.h5")
    return folder


@pytest.fixture
def damaged(runs, tmp_path, monkeypatch):
    """A copy of a run that is changed by a function of the open file."""
    monkeypatch.chdir(tmp_path)

    def change(by):
        path = tmp_path / "run.h5"
        shutil.copy(runs / "grid.h5", path)
        with h5py.File(path, "r+") as file:
            by(file)
        return path

    return change


def refused(capsys, path, words):
    """Each command says so in one line, and leaves nothing behind."""
    before = sorted(os.listdir())
    for command, *options in COMMANDS:
        status, out, err = wgf_says(capsys, command, str(path), *options)
        assert (status, out, len(err.splitlines())) == (2, "", 1), (command, status, out, err)
        assert words in err
        assert "internal error" not in err
        assert sorted(os.listdir()) == before


def put(name, values):
    """The data set with other values in its place."""

    def change(file):
        del file[name]
        file[name] = values

    return change


def elsewhere(file):
    """The loss is in a file beside."""
    with open("secret.bin", "wb") as other:
        other.write(SECRET)
    count = file["loss"].shape[0]
    del file["loss"]
    file.create_dataset("loss", (count,), "f8", external=[("secret.bin", 0, 8 * count)])


def virtual(file):
    layout = h5py.VirtualLayout((file["loss"].shape[0],), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "loss", layout.shape)
    del file["loss"]
    file.create_virtual_dataset("loss", layout)


def bomb(file):
    """A gigabyte of zeros in less than a megabyte; nothing is written for chunks that hold nothing else."""
    del file["loss"]
    file.create_dataset("loss", (2**27,), "f8", chunks=(2**20,), compression="gzip")


def circle(file):
    file["history/again"] = file["history"]
    file["history/again/more"] = file["/"]


CHANGES = {
    "external link": (lambda file: file.__setitem__("extra", h5py.ExternalLink("other.h5", "/loss")), "is a link"),
    "soft link": (lambda file: file.__setitem__("extra", h5py.SoftLink("/loss")), "is a link"),
    "external storage": (elsewhere, "are in another file"),
    "virtual": (virtual, "are in another file"),
    "bomb": (bomb, "GB"),
    "circle": (circle, "a part of itself"),
    "empty": (put("loss", h5py.Empty("f8")), "holds nothing"),
    "no axis": (put("time", 1.0), "cannot be read"),
    "words": (put("loss", ["a", "b", "c"]), "loss is missing, or does not have the shape"),
    "records": (put("loss", np.zeros(3, dtype=[("u", float)])), "neither numbers nor texts"),
    "too few": (put("loss", np.zeros(2)), "2 frames of loss and 3 of"),
    "other data": (put("target", np.zeros(2)), "targets have shape"),
    "NaN data": (put("target", np.full(3, np.nan)), "every entry must be a finite number"),
    "backwards": (put("time", [2.0, 1.0, 0.0]), "times do not increase"),
    "other cells": (put("density", np.zeros((3, 8))), "its measures have the shape (8,), and 2 coordinates"),
    "no history": (lambda file: file.__delitem__("history/mass"), "mass is missing"),
    "no status": (lambda file: file.attrs.__delitem__("status"), "status is no text"),
    "number for a text": (lambda file: file.attrs.__setitem__("title", 3), "title is no text"),
    "text for a number": (lambda file: file.attrs.__setitem__("temperature", "hot"), "temperature is no number"),
    "no JSON": (lambda file: file.attrs.__setitem__("method_options", "{"), "cannot be read"),
    "a list": (lambda file: file.attrs.__setitem__("method_options", "[]"), "are no table"),
    "no TOML": (lambda file: file.attrs.__setitem__("problem", "= ="), "not valid TOML"),
    "name": (lambda file: file.__setitem__("a\x1b[31mb", 1.0), "names that cannot be written"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_damaged_run_is_refused_in_one_line_by_every_command(damaged, capsys, kind):
    change, words = CHANGES[kind]
    refused(capsys, damaged(change), words)


def test_a_run_reads_no_data_from_elsewhere(damaged, capsys):
    """A problem's text that names a file of data, in a run's file without any."""

    def without_data(file):
        for name in ("input", "input_weight", "target", "prediction"):
            del file[name]
        file.attrs["problem"] += '\n[data]\nfile = "secret.csv"\n'

    path = damaged(without_data)
    path.with_name("secret.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    refused(capsys, path, "its problem has data, and they are not in it")


def test_what_is_cut_off_or_overwritten_is_told(damaged, capsys):
    path = damaged(lambda file: None)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(capsys, path, "cannot be read as .h5")
    path.write_bytes(b"")
    refused(capsys, path, "not an HDF5 file")


def test_a_list_of_texts_without_an_end_is_not_followed(damaged, capsys):
    """HDF5 itself goes on for ever where a rest has no size."""
    path = damaged(lambda file: None)
    content = bytearray(path.read_bytes())
    place = content.index(b"GCOL")
    content[place + 16 : place + 32] = bytes(16)
    path.write_bytes(content)
    refused(capsys, path, "the list of its texts has no end")


def test_lists_of_texts_that_change_often_end(tmp_path):
    """What HDF5 leaves behind when texts are replaced is not taken for damage."""
    path = tmp_path / "file.h5"
    h5py.File(path, "w").close()
    rng = np.random.default_rng(0)
    for turn in range(60):
        with changing(path, new=False) as pages, h5py.File(pages, "r+") as file:
            for name in "abcd":
                file.attrs[name] = "x" * int(rng.integers(1, 3000))
            file.require_dataset(f"rows{turn % 7}", (100,), "f8")[:] = turn
            del file[f"rows{turn % 7}"]
        with untrusted.untrusted(path) as file:
            assert set(file.attrs) == set("abcd")


def test_no_escape_reaches_the_screen(damaged, capsys):
    path = damaged(lambda file: file.attrs.update({"title": "\x1b]0;owned\x07red\u202e", "problem_summary": "a\x9bb"}))
    status, out, err = wgf_says(capsys, "info", str(path))
    assert (status, err) == (0, "")
    assert "�]0;owned�red�" in out
    assert printable(out) == out
    status, out, err = wgf_says(capsys, "info", "no\x1b[2Jsuch.h5")
    assert status == 2
    assert "\x1b" not in err


def test_a_run_that_was_killed_between_two_writes_has_its_whole_frames(damaged):
    """As earlier versions left it: time and loss of a frame whose other numbers are not there."""

    def killed(file):
        file.attrs["status"] = "running"
        for name in ("time", "loss", "prediction"):
            file[name].resize(4, axis=0)
        file["history/time"].resize(file["history/time"].shape[0] + 1, axis=0)

    run = wgf.open_run(damaged(killed))
    assert len(run.times) == len(run.measures) == len(run.loss) == len(run.prediction) == 3
    assert len(run.history["time"]) == len(run.history["loss"])


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
@pytest.mark.parametrize(
    "words", [("plot", "{}.png"), ("animate", "{}.gif"), ("report", "{}.html"), ("export", "{}.vtkhdf"), ("certify", "{}.png")]
)
def test_an_output_is_an_ordinary_file(damaged, capsys, kind, words):
    path = damaged(lambda file: None)
    target = words[1].format("new")
    if kind == "link":
        os.symlink("victim", target)
        told = "it is a link to victim"
    elif kind == "pipe":
        os.mkfifo(target)
        told = "no ordinary file"
    else:
        os.mkdir(target)
        told = "it is a folder"
    before = sorted(os.listdir())
    status, _, err = wgf_says(capsys, words[0], str(path), "-o", target, "--force")
    assert status == 2
    assert told in err
    assert sorted(os.listdir()) == before


def test_an_export_that_fails_leaves_what_was_there(damaged, capsys):
    path = damaged(lambda file: None)
    assert wgf_says(capsys, "export", str(path), "-o", "new.vtkhdf")[0] == 0
    earlier = Path("new.vtkhdf").read_bytes()
    broken = damaged(lambda file: file["density"].__setitem__((2, 0, 0), np.nan))
    status, _, err = wgf_says(capsys, "export", str(broken), "-o", "new.vtkhdf", "--force")
    assert status == 2
    assert "not a finite number" in err or "nan" in err
    assert Path("new.vtkhdf").read_bytes() == earlier
    assert sorted(os.listdir()) == ["new.vtkhdf", "run.h5"]


def write_archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def array_file(header, content=b""):
    text = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + content


def test_archives_that_expand_are_refused_before_they_do(tmp_path):
    path = tmp_path / "data.npz"
    write_archive(path, x=bytes(2**28), y=b"")
    with pytest.raises(
        wgf.InputError, match=r"data\.npz has .* MB and says that it holds .* GB: it is damaged, or made to fill the memory"
    ):
        wgf.Data.from_file(path)


def test_archives_that_are_damaged_are_refused(tmp_path):
    path = tmp_path / "data.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).normal(size=100), y=np.zeros(100))
    content = bytearray(path.read_bytes())
    content[120:200] = bytes(80)
    path.write_bytes(content)
    with pytest.raises(wgf.InputError, match=r"data\.npz cannot be read as \.npz"):
        wgf.Data.from_file(path)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        "[" * 100,
    ],
)
def test_arrays_that_are_not_what_they_say_are_refused(tmp_path, header):
    path = tmp_path / "data.npz"
    content = array_file(header, bytes(16))
    write_archive(path, x=content, y=content)
    with pytest.raises(wgf.InputError, match=r"data\.npz cannot be read as \.npz"):
        wgf.Data.from_file(path)


@pytest.mark.parametrize(
    ("weight", "words"),
    [("1e308", "too large to be squared"), ("1" * 400, "is not a finite number")],
)
def test_weights_beyond_all_measure_are_refused(tmp_path, recwarn, weight, words):
    path = tmp_path / "data.csv"
    path.write_text(f"x,y,weight\n1,2,{weight}\n2,3,1\n", encoding="utf-8")
    with pytest.raises(wgf.InputError, match=words):
        wgf.Data.from_file(path)
    assert not recwarn.list


def test_data_in_hdf5_come_from_this_file_only(tmp_path):
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        file["x"] = [1.0, 2.0]
        file["y"] = h5py.ExternalLink("other.h5", "/y")
    with pytest.raises(wgf.InputError, match="y is a link"):
        wgf.Data.from_file(path)
