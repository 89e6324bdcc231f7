"""Tables in text files, as people have them: which way one is written is found from its first lines, and pandas reads it.

separator   comma, semicolon, tab, bar, or any white space: the one by which the lines have as many columns as the header
header      the first line; or, where that holds numbers, the last line of comment above it (`# x y`, as numpy.savetxt writes it). It may
            lack the name of the first column (as R writes row names)
decimal     a point, or a comma where some cell can only be read so ("0,5"); the other of the two, an apostrophe, a space or an underscore
            may be between thousands. A cell such as "1,234" that can be read in both ways, and no other cell says how, is refused
left aside  blank lines, lines of comment (#, %), a byte order mark, quotes, `sep=;`, comments after a number

Whatever is no finite number is refused by its line and its column, as is a line with more columns than the header; missing values are
refused or become NaN, as the caller asks.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wgf.errors import InputError, is_number
from wgf.networks.untrusted import require_memory
from wgf.registers import listed

if TYPE_CHECKING:
    import pandas

IN_MEMORY = 30  # times the size of a file of numbers, as texts
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "white space"}
ORDER = (";", "\t", "|", ",", " ")  # in which they are tried: numbers may hold commas, and all of them white space beside it
MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "?", "-", "--", ".")
MARKS = "'’ \u00a0\u2009\u202f_"  # between thousands, beside the comma or the point
LOOKED_AT = 100  # lines, to find the separator
LONGEST = 60  # letters of a cell in a message
ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # by their marks

SIGN, POWER = r"(?=[^eE]*\d)[+-]?", r"(?:[eE][+-]?\d+)?"
BY_COMMA = re.compile(rf"{SIGN}(?:\d{{1,3}}(?:\.\d{{3}})+|\d*),\d*{POWER}")  # 0,5  1.234,5
BY_POINT = re.compile(rf"{SIGN}(?:\d{{1,3}}(?:,\d{{3}})+|\d*)\.\d*{POWER}")  # 0.5  1,234.5
COMMA_GROUPS = re.compile(rf"{SIGN}[1-9]\d{{0,2}}(?:,\d{{3}})+")  # 1,234  1,234,567
POINT_GROUPS = re.compile(rf"{SIGN}[1-9]\d{{0,2}}(?:\.\d{{3}})+")


@dataclass(frozen=True)
class TextTable:
    """The cells (n, k) of a file as texts, with the names (k,) of their columns; those without a name, as an index, are left out."""

    cells: np.ndarray
    names: list[str]
    text: str
    separator: str

    def numbers(self, names: Sequence[str], drop: bool = False, decimal: str | None = None) -> dict[str, np.ndarray]:
        """These columns as numbers (n,); with `drop` a missing value is NaN, otherwise it is refused, as is what is no number."""
        import pandas

        rows, chosen = len(self.cells), [self.names.index(name) for name in names]
        cells = pandas.Series(self.cells[:, chosen].ravel(order="F"), dtype="str").str.strip()  # all columns at once
        mark = decimal or self._decimal(cells, names)
        values, missing = _as_numbers(cells, mark)
        refused = (~np.isfinite(values) & ~(drop & missing)).reshape(len(names), rows)
        if refused.any():
            row = int(np.argmax(refused.any(axis=0)))
            column = int(np.argmax(refused[:, row]))
            what = _what_is_wrong(str(cells.iloc[column * rows + row]), mark)
            raise InputError(f"line {self.line(row + 1)}, column {names[column]}: {what}")
        return dict(zip(names, values.reshape(len(names), rows), strict=True))

    def numeric(self) -> list[str]:
        """The columns that hold numbers, and at least one, where none is missing."""
        found = []
        for name in self.names:
            with contextlib.suppress(InputError):
                if np.isfinite(self.numbers([name], drop=True)[name]).any():
                    found.append(name)
        return found

    def line(self, record: int) -> int:
        """In which line of the file a record, 0 for the header, begins."""
        return next(islice(_records(self.text, self.separator), record, None))[0]

    def _decimal(self, cells: pandas.Series, names: Sequence[str]) -> str:
        """The decimal mark of the cells, column by column: a comma where one has to be read so."""
        marked = cells[cells.str.contains(",", regex=False) | cells.str.contains(r"\..*\.", regex=True)]
        if marked.empty:
            return "."
        comma = _some(marked, BY_COMMA, COMMA_GROUPS) or _some(marked, POINT_GROUPS, BY_POINT)
        point = _some(cells[cells.str.contains(".", regex=False)], BY_POINT, POINT_GROUPS) or _some(marked, COMMA_GROUPS, BY_COMMA)
        if comma or point:
            return "," if comma and not point else "."
        doubtful = [(int(k), cell) for k, cell in marked.items() if COMMA_GROUPS.fullmatch(cell)]
        if self.separator == "," or not doubtful:  # a cell with a comma was put in quotes: so thousands are written there
            return "."
        column, row = divmod(doubtful[0][0], len(self.cells))
        cell = doubtful[0][1]
        raise InputError(
            f"line {self.line(row + 1)}, column {names[column]}: {cell!r} may be {cell.replace(',', '.')} or {cell.replace(',', '')}: "
            'say which is the decimal mark, decimal = "," or decimal = "."'
        )


def read_text_table(path: Path, separator: str | None = None) -> TextTable:
    """The table in a text file; raises an InputError where it has no header, no lines, or lines that are too long."""
    text = _text_of(path)
    text, separator = _with_header(text, separator)
    cells = _read(text, separator).to_numpy(dtype=object)
    cells = cells[(cells != "").any(axis=1)]
    names = [str(name).strip() for name in cells[0]]
    _check_header(names)
    if len(cells) == 1:
        raise InputError("the file has a header but no samples")
    named = [k for k, name in enumerate(names) if name and not (k == 0 and name.startswith("Unnamed:"))]
    return TextTable(cells[1:, named], [names[k] for k in named], text, separator)


def _text_of(path: Path) -> str:
    """What is written in a file, in UTF-8, or in UTF-16 where it says so; comments are blank lines."""
    size = path.stat().st_size
    require_memory(path, IN_MEMORY * size, size)
    content = path.read_bytes()
    encoding = next((name for mark, name in ENCODINGS.items() if content.startswith(mark)), "utf-8")
    text = io.StringIO(content.decode(encoding), newline=None).read()  # every kind of line end as \n
    if "\0" in text:
        raise InputError(f"line {text[: text.index(chr(0))].count(chr(10)) + 1} holds a zero byte: it is no text")
    if not text.strip():
        raise InputError("the file is empty; expected a header such as x,y and one line per sample")
    return text


def _with_header(text: str, separator: str | None) -> tuple[str, str]:
    """The text with a header in its first line that is not blank, without comments; and the separator of its columns."""
    if hint := re.match(r'\s*"?sep=(.)"?[ \t]*\n', text):  # as Excel writes and reads it
        text, separator = "\n" * hint[0].count("\n") + text[hint.end() :], separator or hint[1]
    comment = re.compile(r"^[ \t]*[#%]+(.*)$", flags=re.MULTILINE)
    bare = comment.sub("", text)
    if not bare.strip():
        raise InputError("the file holds comments and no table; expected a header such as x,y and one line per sample")
    separator = separator or _separator(bare)
    first = len(bare) - len(bare.lstrip())
    line, row = next(_records(bare, separator))
    if all(is_number(cell.replace(",", ".")) for cell in row):
        above = [found[1] for found in comment.finditer(text) if text.count("\n", 0, found.start()) < line - 1]
        if above and len(names := _cells(above[-1].strip(), separator)) == len(row) and not any(map(is_number, names)):
            return "\n" * (line - 2) + above[-1].strip() + "\n" + bare[first:].lstrip("\n"), separator
    if _lacks_a_name(bare, separator):
        place = bare.index(bare.split("\n")[line - 1].strip(), first)
        bare = f'{bare[:place]}""{separator}{bare[place:]}'
    return bare, separator


def _separator(text: str) -> str:
    """By which most of the first lines have as many columns as the header, two at least."""
    agreeing = {}
    for mark in ORDER:
        with contextlib.suppress(csv.Error):  # a long line that is one cell by this mark
            header, *rows = [row for _, row in islice(_records(text, mark), LOOKED_AT)]
            if len(header) > 1:
                agreeing[mark] = sum(len(header) <= len(row) <= len(header) + 1 for row in rows)
    return max(agreeing, key=agreeing.__getitem__) if agreeing else ","


def _lacks_a_name(text: str, separator: str) -> bool:
    """Whether all of the first lines have one column more than the header."""
    header, *rows = [row for _, row in islice(_records(text, separator), LOOKED_AT)]
    return bool(rows) and all(len(row) == len(header) + 1 for row in rows) and any(row[-1].strip() for row in rows)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank, each with the number of its first line."""
    lines = (line.strip() + "\n" for line in io.StringIO(text)) if separator == " " else io.StringIO(text)
    reader, line = csv.reader(lines, delimiter=separator, skipinitialspace=True), 1
    for row in reader:
        if any(cell.strip() for cell in row):
            yield line, row
        line = reader.line_num + 1


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True))


def _read(text: str, separator: str) -> pandas.DataFrame:
    """All cells, that of the header among them, by pandas."""
    import pandas

    try:
        return pandas.read_csv(
            io.StringIO(text),
            sep=r"\s+" if separator == " " else separator,
            header=None,
            dtype=str,
            na_filter=False,
            skipinitialspace=True,
        )
    except pandas.errors.ParserError as error:
        if longer := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error)):
            names = [name.strip() for name in next(_records(text, separator))[1]]
            count = f"line {longer[2]} has {longer[3]} columns; the header has {longer[1]} ({listed(names)})"
            hint = ": numbers with decimal commas need another separator, or quotes" if separator == "," else ""
            raise InputError(count + hint) from None
        if "EOF inside string" in str(error):
            *_, (line, _) = _records(text, separator)
            raise InputError(f"line {line}: a quote that begins there has no end") from None
        raise


def _check_header(names: Sequence[str]) -> None:
    """Raise an InputError for a first line of numbers, or with a name in it twice."""
    if all(is_number(name.replace(",", ".")) for name in names):
        raise InputError("its first line holds numbers, not the names of the columns: let it begin with a header, such as x,y")
    named = [name for name in names if name]
    if len(set(named)) < len(named):
        raise InputError(f"the header names a column twice: {listed(named)}")


def _some(cells: pandas.Series, wanted: re.Pattern[str], other: re.Pattern[str]) -> bool:
    """Whether a cell is written in the one way, and cannot be in the other: the first one, as a rule."""
    return any(wanted.fullmatch(cell) and not other.fullmatch(cell) for cell in cells)


def _as_numbers(cells: pandas.Series, decimal: str) -> tuple[np.ndarray, np.ndarray]:
    """The numbers (n,), NaN where there is none, and where a value is missing (n,)."""
    import pandas

    doubtful = cells if decimal == "," else cells[pandas.to_numeric(cells, errors="coerce").isna()]
    if len(doubtful):
        cells = cells.copy()
        cells[doubtful.index] = _plain(doubtful, decimal)
    right = pandas.to_numeric(cells, errors="coerce").notna().to_numpy()
    values = np.full(len(cells), np.nan)
    values[right] = cells.to_numpy(dtype=object)[right].astype(float)  # rounded as Python does
    return values, cells.str.lower().isin(MISSING).to_numpy()


def _plain(cells: pandas.Series, decimal: str) -> pandas.Series:
    """As Python writes numbers: without marks between thousands and comments, with a point before decimals."""
    other = "." if decimal == "," else ","
    cells = cells.str.replace("\u2212", "-", regex=False)
    if (commented := cells.str.contains("#", regex=False)).any():
        cells[commented] = cells[commented].str.replace(r"(?<=.)\s*#.*$", "", regex=True)
    if (marked := cells.str.contains(rf"[{MARKS}{other}]")).any():
        groups = cells[marked]
        whole = groups.str.fullmatch(rf"{SIGN}\d{{1,3}}(?:[{MARKS}{other}]\d{{3}})+(?:[{decimal}]\d*)?{POWER}")
        cells[marked] = groups.where(~whole, groups.str.replace(rf"[{MARKS}{other}]", "", regex=True))
    if decimal == ",":  # a point that is left belongs to no number
        cells = cells.str.replace(".", "..", regex=False).str.replace(",", ".", regex=False)
    return cells


def _what_is_wrong(cell: str, decimal: str) -> str:
    """What is the matter with a cell that holds no finite number."""
    if cell.lower() in MISSING:
        return f'{cell!r}, a value is missing: leave such lines out by missing = "drop"'
    short = cell if len(cell) <= LONGEST else f"{cell[:LONGEST]}…"
    mixed = f", where the mark before decimals is {decimal!r}" if re.search(r"\d[.,]\d", cell) else ""
    return f"{short!r} is not a {'finite ' if is_number(cell) else ''}number{mixed}"
