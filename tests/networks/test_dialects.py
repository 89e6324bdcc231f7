"""Tables as people have them: each way of writing one is read right, or refused with its line and column."""

import numpy as np
import pytest

import wgf

X, Y = [0.5, -1.25, 1000.0], [1.0, 2.5, -3.0]  # what all of these files hold
NAMED = {"inputs": ["age"], "target": "result"}
RIGHT = {  # text or bytes, and what from_file is told
    "commas": ("x,y\n0.5,1\n-1.25,2.5\n1000,-3\n", {}),
    "semicolons": ("x;y\n0.5;1\n-1.25;2.5\n1000;-3\n", {}),
    "tabs": ("x\ty\n0.5\t1\n-1.25\t2.5\n1000\t-3\n", {}),
    "bars": ("x|y\n0.5|1\n-1.25|2.5\n1000|-3\n", {}),
    "aligned by spaces": ("     x    y\n   0.5    1\n -1.25  2.5\n  1000   -3\n", {}),
    "decimal commas": ("x;y\n0,5;1\n-1,25;2,5\n1000;-3\n", {}),
    "decimal commas, tabs": ("x\ty\n0,5\t1\n-1,25\t2,5\n1000\t-3,0\n", {}),
    "decimal commas in quotes": ('x,y\n"0,5",1\n"-1,25","2,5"\n1000,-3\n', {}),
    "decimal commas and points between thousands": ("x;y\n0,5;1\n-1,25;2,5\n1.000;-3\n", {}),
    "thousands by commas": ('x,y\n0.5,1\n-1.25,2.5\n"1,000",-3\n', {}),
    "thousands by commas, semicolons": ("x;y\n0.5;1\n-1.25;2.5\n1,000;-3\n", {}),
    "thousands by spaces": ("x;y\n0,5;1\n-1,25;2,5\n1 000;-3\n", {}),
    "thousands by hard spaces": ("x;y\n0,5;1\n-1,25;2,5\n1\u00a0000;-3\n", {}),
    "thousands by thin spaces": ("x;y\n0,5;1\n-1,25;2,5\n1\u202f000;-3\n", {}),
    "thousands by apostrophes": ("x;y\n0.5;1\n-1.25;2.5\n1'000.0;-3\n", {}),
    "byte order mark": ("x,y\n0.5,1\n-1.25,2.5\n1000,-3\n".encode("utf-8-sig"), {}),
    "UTF-16, as Excel saves it": ("x\ty\r\n0,5\t1\r\n-1,25\t2,5\r\n1000\t-3\r\n".encode("utf-16"), {}),
    "CRLF": ("x,y\r\n0.5,1\r\n-1.25,2.5\r\n1000,-3\r\n", {}),
    "CR": ("x,y\r0.5,1\r-1.25,2.5\r1000,-3\r", {}),
    "no last line end": ("x,y\n0.5,1\n-1.25,2.5\n1000,-3", {}),
    "all in quotes": ('"x","y"\n"0.5","1"\n"-1.25","2.5"\n"1000","-3"\n', {}),
    "a header of words": (
        '"age (years)","result, mean"\n0.5,1\n-1.25,2.5\n1000,-3\n',
        {"inputs": ["age (years)"], "target": "result, mean"},
    ),
    "blanks beside": (" x , y \n 0.5 , 1 \n -1.25 , 2.5\n1000 ,-3 \n", {}),
    "blank lines": ("\n\nx,y\n\n0.5,1\n \n-1.25,2.5\n,\n1000,-3\n\n", {}),
    "comments": ("# made by hand\n# twice, on 1,2 May\nx,y\n0.5,1\n# an outlier?\n-1.25,2.5\n1000,-3\n", {}),
    "comments after numbers": ("x,y\n0.5,1 # first\n-1.25,2.5\n1000,-3\t# last\n", {}),
    "comments by %": ("% x and y\nx y\n0.5 1\n-1.25 2.5\n1000 -3\n", {}),
    "header as numpy.savetxt writes it": ("# x y\n0.5 1\n-1.25 2.5\n1e3 -3\n", {}),
    "sep= of Excel": ("sep=;\nx;y\n0,5;1\n-1,25;2,5\n1000;-3\n", {}),
    "index of pandas": (",x,y\n0,0.5,1\n1,-1.25,2.5\n2,1000,-3\n", {}),
    "index read and written": ("Unnamed: 0,x,y\n0,0.5,1\n1,-1.25,2.5\n2,1000,-3\n", {}),
    "row names of R": ('"x" "y"\n"1" 0.5 1\n"2" -1.25 2.5\n"3" 1000 -3\n', {}),
    "row names of R, commas": ("x,y\na,0.5,1\nb,-1.25,2.5\nc,1000,-3\n", {}),
    "a comma at each end": ("x,y,\n0.5,1,\n-1.25,2.5,\n1000,-3,\n", {}),
    "scientific": ("x,y\n5E-1,1e0\n-.125e+1,2.5\n1.e3,-3\n", {}),
    "signs": ("x,y\n+0.5,+1\n\u22121.25,2.5\n1000,\u22123\n", {}),
    "other columns of words": (
        'name,age,"where, when",result\nAnna,0.5,"Graz, May",1\n"O\'Hara, Tim",-1.25,,2.5\nEve,1000,x,-3\n',
        NAMED,
    ),
    "columns in another order": ("result;id;age\n1;a;0,5\n2,5;b;-1,25\n-3;c;1000\n", NAMED),
    "lines in a cell": ('age,note,result\n0.5,"one\ntwo",1\n-1.25,,2.5\n1000,"""so""",-3\n', NAMED),
    "missing values elsewhere": ("age,weight,result\n0.5,NA,1\n-1.25,70,2.5\n1000,,-3\n", NAMED),
    "missing values": ("x,y\n0.5,1\nNaN,7\n-1.25,2.5\n8,n/a\n9,\n,\n1000,-3\n?,-\n", {"missing": "drop"}),
    "a short line": ("x,y\n0.5,1\n7\n-1.25,2.5\n1000,-3\n", {"missing": "drop"}),
    "a target alone": ("age;result\n0,5;1\n-1,25;2,5\n1000;-3\n", {"target": "result"}),
}
REFUSED = {  # text, what from_file is told, and what it says
    "a word": ("x,y\n1,2\n\n# c\n3,four\n", {}, "line 5, column y: 'four' is not a number"),
    "a unit": ("age,result\nyears,mg\n1,2\n", NAMED, "line 2, column age: 'years' is not a number"),
    "a percentage": ("x,y\n1,2\n3,4%\n", {}, "line 3, column y: '4%' is not a number"),
    "a date": ("x,y\n2024-05-01,2\n", {}, "line 2, column x: '2024-05-01' is not a number"),
    "infinity": ("x,y\n1,inf\n", {}, "line 2, column y: 'inf' is not a finite number"),
    "too large": ("x,y\n1,1e999\n", {}, "line 2, column y: '1e999' is not a finite number"),
    "a missing value": ("x,y\n1,2\n,4\n", {}, "line 3, column x: '', a value is missing: leave such lines out by missing = \"drop\""),
    "a missing word": ("age,result\n1,2\n3,#N/A\n", NAMED, "line 3, column result: '#N/A', a value is missing"),
    "a short line": ("x,y\n1,2\n3\n", {}, "line 3, column y: '', a value is missing"),
    "a long line": ("x,y\n\n1,2\n3,4,5\n", {}, "line 4 has 3 columns; the header has 2 (x, y)"),
    "decimal commas between commas": ("x,y\n1,5,2,5\n", {}, "line 2 has 4 columns; the header has 2 (x, y): numbers with decimal commas"),
    "one comma, two readings": ("x;y\n1;2\n1,234;2\n", {}, "line 3, column x: '1,234' may be 1.234 or 1234: say which is the decimal mark"),
    "two ways of writing": ("x;y\n0.5;1\n0,5;1\n", {}, "line 3, column x: '0,5' is not a number, where the mark before decimals is '.'"),
    "groups of two": ("x;y\n0,5;1\n1.00,5;1\n", {}, "line 3, column x: '1.00,5' is not a number, where the mark before decimals is ','"),
    "lines in cells above": ('age,note,result\n1,"a\nb\n",2\n3,c,d\n', NAMED, "line 5, column result: 'd' is not a number"),
    "no header": ("0.5,1\n1,2\n", {}, "its first line holds numbers, not the names of the columns"),
    "no header, decimal commas": ("0,5;1\n1;2\n", {}, "its first line holds numbers"),
    "a column twice": ("age,age,result\n1,1,2\n", NAMED, "the header names a column twice: age, age, result"),
    "no such column": ("Age,result\n1,2\n", NAMED, "there is no column 'age' (did you mean 'Age'?); the columns are Age, result"),
    "one column twice": ("age,result\n1,2\n", {"inputs": ["age"], "target": "age"}, "one column is to be two things"),
    "other names": ("x,target\n1,2\n", {}, "unknown column 'target' (did you mean 'y'?)"),
    "a quote without end": ('x,y\n1,2\n3,"4\n5,6\n', {}, "line 3: a quote that begins there has no end"),
    "a zero byte": ("x,y\n1,2\n3,\0\n", {}, "line 3 holds a zero byte"),
    "comments alone": ("# nothing\n", {}, "the file holds comments and no table"),
    "only missing values": ("x,y\n1,\n,2\n", {"missing": "drop"}, "in each of the 2 rows a value is missing among x, y: nothing is left"),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_table_is_read_right(tmp_path, case):
    content, told = RIGHT[case]
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    data = wgf.Data.from_file(path, **told)
    assert data.inputs[:, 0].tolist() == X
    assert data.targets.tolist() == Y
    assert np.array_equal(data.weights, np.full(3, 1 / 3))


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_is_refused_with_line_and_column(tmp_path, case):
    text, told, message = REFUSED[case]
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode())
    with pytest.raises(wgf.InputError) as refused:
        wgf.Data.from_file(path, **told)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{path}: ")


@pytest.mark.parametrize(("decimal", "value"), [(",", 1.234), (".", 1234.0)])
def test_a_number_that_can_be_read_in_two_ways_is_read_as_it_is_said(tmp_path, decimal, value):
    path = tmp_path / "data.csv"
    path.write_text("x;y\n1;2\n1,234;2\n")
    assert wgf.Data.from_file(path, decimal=decimal).inputs[1, 0] == value


@pytest.mark.parametrize("ending", [".tsv", ".txt", ".dat"])
def test_other_endings_of_text_files(tmp_path, ending):
    path = tmp_path / f"data{ending}"
    path.write_text("x\ty\n1\t2\n")
    assert wgf.Data.from_file(path).targets.tolist() == [2]


def test_numbers_are_rounded_as_python_does(tmp_path):
    values = np.random.default_rng(0).normal(size=(200, 2)) * 10.0 ** np.arange(-100, 100).reshape(-1, 1) / 1e3
    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + "".join(f"{x!r},{y!r}\n" for x, y in values.tolist()))
    data = wgf.Data.from_file(path)
    assert np.array_equal(np.column_stack([data.inputs, data.targets]), values)


def test_a_hundred_thousand_rows_and_an_error_in_the_last_one(tmp_path):
    values = np.random.default_rng(0).normal(size=(100_000, 3)).round(6)
    text = "age;bmi;result\n" + "".join(f"{a};{b};{c}\n" for a, b, c in values.tolist())
    path = tmp_path / "data.csv"
    path.write_text(text.replace(".", ","))
    data = wgf.Data.from_file(path, target="result")
    assert np.array_equal(np.column_stack([data.inputs, data.targets]), values)
    path.write_text(text + "1;2;three\n")
    with pytest.raises(wgf.InputError, match="line 100002, column result: 'three'"):
        wgf.Data.from_file(path, target="result")


def test_lines_may_be_long(tmp_path):
    """Longer than a cell may be, 2¹⁷ letters."""
    path = tmp_path / "data.csv"
    path.write_text(",".join(f"x{k + 1}" for k in range(400)) + ",y\n" + ",".join(["1." + "0" * 400] * 401) + "\n")
    assert wgf.Data.from_file(path).inputs.tolist() == [[1.0] * 400]


# ---- arrays and frames


def test_a_data_frame_gives_its_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [1, 2, 3], "sex": ["f", "m", "f"], "bmi": [20.5, None, 22], "y": [True, False, True]}, index=[7, 8, 9])
    data = wgf.Data.from_dataframe(frame, inputs=["age", "bmi"], missing="drop")
    assert (data.inputs.tolist(), data.targets.tolist()) == ([[1, 20.5], [3, 22]], [1, 1])
    assert (data.input_names, data.target_name) == (("age", "bmi"), "y")
    with pytest.raises(wgf.InputError, match="row 1 of the data frame, column bmi: a value is missing"):
        wgf.Data.from_dataframe(frame, inputs=["age", "bmi"])
    with pytest.raises(wgf.InputError, match="row 0 of the data frame, column sex: 'f' is no number"):
        wgf.Data.from_dataframe(frame, inputs=["sex"])
    with pytest.raises(wgf.InputError, match=r"frame = 3 is an int: give a pandas\.DataFrame"):
        wgf.Data.from_dataframe(3)


def test_x_and_y_may_be_frames_themselves():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [1.0, 2.0], "bmi": [3.0, 4.0], "result": [5.0, 6.0]})
    data = wgf.Data(frame[["age", "bmi"]], frame["result"])
    assert (data.inputs.tolist(), data.targets.tolist()) == ([[1, 3], [2, 4]], [5, 6])
    assert (data.input_names, data.target_name) == (("age", "bmi"), "result")


@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_arrays_in_files_have_any_names_and_may_miss_values(tmp_path, ending):
    import h5py

    columns = {"age": [1.0, np.nan, 3.0], "result": [4.0, 5.0, 6.0], "other": [0.0, 0.0, 0.0], "mass": [1.0, 1.0, 3.0]}
    path = tmp_path / f"data{ending}"
    if ending == ".npz":
        np.savez(path, **columns)
    else:
        with h5py.File(path, "w") as file:
            file.update(columns)
    data = wgf.Data.from_file(path, ["age"], "result", "mass", missing="drop")
    assert (data.inputs.ravel().tolist(), data.targets.tolist(), data.weights.tolist()) == ([1, 3], [4, 6], [0.25, 0.75])
    with pytest.raises(wgf.InputError, match=r"inputs: entry \[1, 0\] is nan"):
        wgf.Data.from_file(path, ["age"], "result")


def test_data_sets_of_scikit_learn_have_names():
    pytest.importorskip("sklearn")
    data = wgf.Data.named("diabetes", ["age", "bmi"])
    assert (data.inputs.shape, data.input_names, data.target_name) == ((442, 2), ("age", "bmi"), "target")
    assert data.inputs[0].tolist() == [59.0, 32.1]  # years and kg/m²: not as scikit-learn scales them
    assert data.targets[0] == 151
    assert wgf.Data.named("iris").dim == 4
    assert wgf.Data.named("linnerud", ["Chins"], "Weight").size == 20
    with pytest.raises(wgf.InputError, match=r"unknown data set 'iriss' \(did you mean 'iris'\?\)"):
        wgf.Data.named("iriss")
    with pytest.raises(wgf.InputError, match="the data set diabetes: there is no column 'agee'"):
        wgf.Data.named("diabetes", ["agee"])
