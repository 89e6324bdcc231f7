"""Tables of a problem file, read strictly: every key is known, every value has the right kind, every error says where.

A `TomlTable` remembers its file and its place in it (`student.toml, [initial]`), returns its values one by one, checked, and
at the end complains about the keys that were not read, naming the nearest known one.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar, Union

import numpy as np

from wgf.errors import InputError, located
from wgf.registers import listed, meant, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Built = TypeVar("Built")
_REQUIRED: Any = object()
OF_DATA = (".csv", ".tsv", ".dat", ".npz")  # how files of data end, beside .h5
LARGEST = 2**63 - 1  # the whole numbers of TOML
BACKSLASHES = "between double quotes a backslash begins a special character: write a path in single quotes, or with / for it"


def parse(text: str, name: str) -> TomlTable:
    """The TOML text as a table; `name` is what errors call it."""
    try:
        values = tomllib.loads(text)
        large = next((number for number in _numbers(values) if abs(number) > LARGEST), None)
    except ValueError as error:  # a TOMLDecodeError, or of a number with thousands of digits
        raise InputError(f"{name} is not valid TOML: {error}{_on_backslashes(text, str(error))}") from None
    except RecursionError:
        raise InputError(f"{name} is nested too deeply: no problem file needs more than a few levels of tables and lists") from None
    if large is not None:
        raise InputError(f"{name}: the whole number {str(large)[:12]}… is too large: those of TOML have 64 bits")
    return TomlTable(values, name)


def _on_backslashes(text: str, message: str) -> str:
    """What to do about a backslash, where the line that the parser's message names has one."""
    place = re.search(r"at line (\d+)", message)
    line = text.splitlines()[int(place[1]) - 1] if place and int(place[1]) <= len(text.splitlines()) else ""
    return f"; {BACKSLASHES}" if "\\" in line else ""


def _numbers(value: Any) -> Iterator[int]:
    """The whole numbers in a TOML value."""
    if isinstance(value, int):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _numbers(item)


def read_text(path: Path) -> str:
    """The text of a problem file."""
    if not os.path.isfile(path):
        raise InputError(f"problem file {path} " + ("is a folder" if os.path.isdir(path) else "does not exist"))
    if path.suffix.lower() in OF_DATA:
        raise InputError(f'{path} is no problem file: where it holds data, let a problem file name it, [data] file = "{path.name}"')
    try:
        return path.read_text(encoding="utf-8-sig")  # with the byte order mark that some editors write, or without
    except UnicodeDecodeError as error:
        raise InputError(f"problem file {path} is no text in UTF-8: save it in that encoding ({error})") from None
    except OSError as error:
        raise InputError(f"problem file {path} cannot be read: {error}") from None


class TomlTable:
    """A TOML table with its place; see the module's text."""

    def __init__(self, values: Mapping[str, Any], file: str, place: str = "") -> None:
        self.values, self.file, self.place = dict(values), file, place
        self.asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self.values

    @property
    def where(self) -> str:
        """For example `student.toml, [initial]`."""
        return f"{self.file}, [{self.place}]" if self.place else self.file

    def error(self, key: str, what: str) -> InputError:
        """An InputError that names the file, the table and the key."""
        return InputError(f"{self.where}: {key} {what}")

    def get(self, key: str, kind: Any = Any, default: Any = _REQUIRED) -> Any:
        """The value of `key`, of the kind given (a type annotation of numbers, strings, booleans and lists of them)."""
        self.asked.append(key)
        if key not in self.values:
            if default is _REQUIRED:
                other = next((name for name in self.values if name not in self.asked and meant(name, [key])), None)
                raise InputError(f"{self.where}: {key} is missing" + (f" (is {other!r} meant for it?)" if other else ""))
            return default
        value = self.values[key]
        if not fits(value, kind):
            raise self.error(key, f"= {value!r} is not {describe(kind)}")
        return value

    def choice(self, key: str, allowed: Sequence[str], default: Any = _REQUIRED) -> str:
        """The value of `key`, one of the `allowed` words."""
        value = self.get(key, str, default)
        if value not in allowed:
            raise self.error(key, f"= {value!r} is not known{nearest(value, allowed)}; allowed: {listed(allowed)}")
        return str(value)

    def path(self, key: str, folder: Path) -> Path:
        """The file that `key` names, as seen from the folder."""
        name: str = self.get(key, str)
        if any(ord(letter) < ord(" ") for letter in name):  # "C:\new" is C:, a line break, ew
            raise self.error(key, f"= {name!r} has a special character in it: {BACKSLASHES}")
        return folder / name

    def table(self, key: str) -> TomlTable:
        """The table `key`, empty if it is not there."""
        value = self.get(key, Any, {})
        if not isinstance(value, dict):
            raise self.error(key, f"= {value!r} must be a table")
        return TomlTable(value, self.file, f"{self.place}.{key}" if self.place else key)

    def tables(self, key: str) -> list[TomlTable]:
        """The list of tables `key`."""
        value = self.get(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, "must be a list of tables, such as [ { … }, { … } ]")
        place = f"{self.place}.{key}" if self.place else key
        return [TomlTable(item, self.file, f"{place}, entry {k + 1}") for k, item in enumerate(value)]

    def build(self, cls: Callable[..., Built], **given: Any) -> Built:
        """An instance of the dataclass `cls`: its fields are the keys, their annotations the kinds; `given` is not read."""
        hints = typing.get_type_hints(cls)
        arguments = dict(given)
        for item in fields(cls):  # type: ignore[arg-type]
            if item.name in given:
                continue
            required = item.default is MISSING and item.default_factory is MISSING
            value = self.get(item.name, hints[item.name], _REQUIRED if required else MISSING)
            if value is not MISSING:
                arguments[item.name] = value
        self.finish()
        with self.located():
            return cls(**arguments)

    def located(self) -> contextlib.AbstractContextManager[None]:
        """An InputError from inside is raised with the place of this table."""
        return located(self.where, self.file)

    def leave(self, *keys: str) -> None:
        """These keys are known, and are read elsewhere or not at all."""
        self.asked.extend(keys)

    def finish(self) -> None:
        """Complain about the first key that was not read."""
        for key in self.values:
            if key not in self.asked:
                known = sorted(set(self.asked), key=self.asked.index)
                if isinstance(self.values[key], dict) and not self.place:
                    name = meant(key, known)
                    hint = f" (did you mean [{name}]?)" if name else f"; allowed: {listed(known)}"
                    raise InputError(f"{self.where}: unknown table [{key}]{hint}")
                raise InputError(f"{self.where}: unknown key {key!r}{nearest(key, known)}; allowed: {listed(known)}")


def fits(value: Any, kind: Any) -> bool:
    """Whether a TOML value fits a type annotation."""
    if kind is Any:
        return True
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return any(fits(value, option) for option in arguments)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, dict) and all(fits(item, arguments[1]) for item in value.values())
    if origin is not None and issubclass(origin, Sequence):
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(kind, type) and isinstance(value, kind)


def describe(kind: Any) -> str:
    """A type annotation in words."""
    words = {float: "a number", int: "a whole number", str: "a string", bool: "true or false"}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        known = [option for option in arguments if option is not type(None) and option is not np.random.SeedSequence]
        return " or ".join(describe(option) for option in known)
    if origin is not None and issubclass(origin, Mapping):
        return f"a table of {describe(arguments[1]).removeprefix('a ')}s"
    if origin is not None and issubclass(origin, Sequence):
        return f"a list of {describe(arguments[0]).removeprefix('a ')}s"
    return words.get(kind, str(kind))
