"""Formulas in a problem file, V = "5*(x^2 - 1)^2" or W = "exp(-r^2)/2": read by a parser of their own, never by Python's.

    expression = term (("+" | "-") term)*
    term       = factor (("*" | "/") factor)*
    factor     = ("+" | "-") factor | power
    power      = atom (("^" | "**") factor)?               so that −x^2 = −(x²) and 2^3^2 = 2^(3²)
    atom       = number | name | function "(" expression ("," expression)* ")" | "(" expression ")"

Names are those of the axes (of θ, or for W of the difference of two), r, the length of the same vector, and the constants pi and e. A
formula becomes a short program for a machine with a stack (reverse Polish notation): pushing a number or a name, or applying a NumPy
function to what lies on top, all in float64. A part that holds no name is computed at once, so that 9^9^9^9 is refused where it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from wgf.errors import InputError
from wgf.registers import nearest

CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{"min": np.minimum, "max": np.maximum},
}
OPERATORS: dict[str, Callable[..., np.ndarray]] = {
    **{"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power},
    "−": np.negative,  # of one argument; in the text both are "-"
}
PAIRS = ("min", "max")  # the functions of two arguments, or more
LENGTH = "r"  # the name of the length |θ|
LONGEST, DEEPEST = 1000, 50  # characters of a formula; parentheses, signs and powers inside each other
TOKEN = re.compile(r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|[-+*/^(),]))")

Instruction = tuple[str, float | str]  # ("number", its value), ("name", it), or ("1" or "2", the operation on so many arguments)


@dataclass(frozen=True)
class Formula:
    """A function of arrays (…, p) → (…), from its text and the names of the p axes; `label` is what errors call it, V or W.

    A value that is not finite (log(0), say) is left as it is: the caller says where values have to be finite.
    Raises InputError, with the place in the text, where the text is no formula.
    """

    text: str
    axes: Sequence[str]
    label: str = "the formula"
    program: tuple[Instruction, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", check_axes(self.axes))
        object.__setattr__(self, "program", _Parser(self.text, tuple(self.axes), self.label).program())

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """The value at theta (…, p), (…,)."""
        theta = np.asarray(theta, dtype=float)
        if theta.shape[-1] != len(self.axes):
            raise InputError(
                f"{self.label} = {self.text!r} is a formula in {', '.join(self.axes)}, but θ has {theta.shape[-1]} coordinates"
            )
        stack: list[np.ndarray] = []
        with np.errstate(all="ignore"):
            for kind, what in self.program:
                if kind == "number":
                    stack.append(np.asarray(what, dtype=float))
                elif kind == "name":
                    stack.append(np.linalg.norm(theta, axis=-1) if what == LENGTH else theta[..., self.axes.index(str(what))])
                else:
                    arguments = [stack.pop() for _ in range(int(kind))]
                    stack.append(_operation(str(what))(*reversed(arguments)))
        return np.array(np.broadcast_to(stack[0], theta.shape[:-1]))

    def __repr__(self) -> str:
        return repr(self.text)


def check_axes(axes: Sequence[str]) -> tuple[str, ...]:
    """The names of the axes of θ, each a word that means nothing else in a formula."""
    if isinstance(axes, str) or not isinstance(axes, Iterable) or not axes:
        raise InputError(f'axes = {axes!r}: give the names of θ\'s axes as a list, such as ["x"] or ["x", "y"]')
    for name in axes:
        if not (isinstance(name, str) and name.isidentifier()):
            raise InputError(f"axes: {name!r} is no name: take a letter, then letters, digits or _")
        if name in (LENGTH, *CONSTANTS, *FUNCTIONS):
            raise InputError(f"axes: {name!r} has a meaning in formulas already: take another name")
    if len(set(axes)) < len(axes):
        raise InputError(f"axes: {', '.join(axes)}: none twice")
    return tuple(axes)


def _operation(name: str) -> Callable[..., np.ndarray]:
    return FUNCTIONS.get(name) or OPERATORS[name]


class _Parser:
    """Reads a formula from left to right, one function a rule of the grammar, and writes down its program."""

    def __init__(self, text: str, axes: tuple[str, ...], label: str) -> None:
        self.text, self.names, self.label = text, (*axes, LENGTH), label
        if len(text) > LONGEST:
            raise InputError(f"{label} is a formula of {len(text):,} characters: at most {LONGEST:,}; in Python, give a function")
        self.tokens = self._tokens()
        self.next, self.depth = 0, 0
        self.instructions: list[Instruction] = []

    def program(self) -> tuple[Instruction, ...]:
        """The whole formula."""
        self._expression()
        if self._here()[0] != "end":
            self._complain()
        return tuple(self.instructions)

    def _tokens(self) -> list[tuple[str, str, int]]:
        """(kind, text, place) of each word; kind is number, name, sign or end."""
        found, place, end = [], 0, len(self.text.rstrip())
        while place < end:
            match = TOKEN.match(self.text, place)
            if match is None:
                place += len(self.text[place:]) - len(self.text[place:].lstrip())
                self._fail(f"unexpected {self.text[place]!r}", place)
            found.append((str(match.lastgroup), match[match.lastgroup or 0], match.start(match.lastgroup or 0)))
            place = match.end()
        return [*found, ("end", "", end)]

    def _here(self) -> tuple[str, str, int]:
        return self.tokens[self.next]

    def _take(self, *signs: str) -> str | None:
        """The sign at this place, if it is one of these, and step over it."""
        kind, text, _ = self._here()
        if kind != "sign" or text not in signs:
            return None
        self.next += 1
        return text

    def _expression(self) -> None:
        self._chain(self._term, "+", "-")

    def _term(self) -> None:
        self._chain(self._factor, "*", "/")

    def _chain(self, part: Callable[[], None], *signs: str) -> None:
        """Parts joined by these signs, from left to right."""
        part()
        place = self._here()[2]
        while sign := self._take(*signs):
            part()
            self._apply(sign, 2, place)
            place = self._here()[2]

    def _factor(self) -> None:
        place = self._here()[2]
        self.depth += 1
        if self.depth > DEEPEST:
            self._fail("too deep", place, f": at most {DEEPEST} parentheses, signs and powers inside each other")
        if sign := self._take("+", "-"):
            self._factor()
            if sign == "-":
                self._apply("−", 1, place)
        else:
            self._power()
        self.depth -= 1

    def _power(self) -> None:
        self._atom()
        place = self._here()[2]
        if self._take("^", "**"):
            self._factor()
            self._apply("^", 2, place)

    def _atom(self) -> None:
        kind, text, place = self._here()
        if kind == "number":
            self.next += 1
            self._push(float(text), place)
        elif kind == "name":
            self.next += 1
            self._named(text, place)
        elif self._take("("):
            self._expression()
            self._close(place)
        else:
            self._complain()

    def _named(self, name: str, place: int) -> None:
        """A constant, an axis, the length r, or a function with its arguments."""
        if name in CONSTANTS:
            self._push(CONSTANTS[name], place)
        elif name in self.names:
            self.instructions.append(("name", name))
        elif name in FUNCTIONS:
            self._function(name, place)
        else:
            allowed = [*self.names, *CONSTANTS, *FUNCTIONS]
            self._fail(f"unknown name {name!r}", place, f"{nearest(name, allowed)}; allowed: {', '.join(allowed)}")

    def _function(self, name: str, place: int) -> None:
        opening = self._here()[2]
        if not self._take("("):
            self._fail(f"the function {name}", place, f" has no arguments: write {name}(…)")
        count = 1
        self._expression()
        while self._take(","):
            count += 1
            self._expression()
            if name in PAIRS:
                self._apply(name, 2, place)
        self._close(opening)
        if name in PAIRS and count < 2:
            self._fail(f"the function {name}", place, " takes at least two arguments")
        if name not in PAIRS:
            if count > 1:
                self._fail(f"the function {name}", place, f" takes one argument, not {count}")
            self._apply(name, 1, place)

    def _close(self, opening: int) -> None:
        """A closing parenthesis."""
        if not self._take(")"):
            if self._here()[0] == "end":
                self._fail("the parenthesis", opening, " is never closed")
            self._complain()

    def _push(self, number: float, place: int) -> None:
        if not math.isfinite(number):
            self._fail("the number", place, " is larger than 1e308")
        self.instructions.append(("number", number))

    def _apply(self, name: str, count: int, place: int) -> None:
        """The operation on the last `count` values; at once where they are numbers."""
        last = self.instructions[-count:]
        if any(kind != "number" for kind, _ in last) or len(last) < count:
            self.instructions.append((str(count), name))
            return
        with np.errstate(all="ignore"):
            value = float(_operation(name)(*(np.float64(number) for _, number in last)))
        if not math.isfinite(value):
            self._fail(f"{name!r}", place, f" gives {value}, not a finite number")
        del self.instructions[-count:]
        self.instructions.append(("number", value))

    def _complain(self) -> NoReturn:
        """The error that what is here is not allowed here."""
        kind, text, place = self._here()
        if kind == "end":
            raise InputError(f"{self._shown}: the formula ends where a number or a name should follow")
        self._fail(f"unexpected {text!r}", place, "; write * between factors" if kind != "sign" or text == "(" else "")

    def _fail(self, what: str, place: int, more: str = "") -> NoReturn:
        raise InputError(f"{self._shown}: {what} at character {place + 1}{more}")

    @property
    def _shown(self) -> str:
        """The label and the text, or its beginning."""
        text = self.text if len(self.text) <= 80 else f"{self.text[:79]}…"
        return f"{self.label} = {text!r}"
