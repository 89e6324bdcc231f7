"""The page: parts of results, put into the template with all scripts and styles, and written as one file.

Nothing in it comes from elsewhere, and nothing may: its security policy allows the scripts with the hashes that are in it, and no
request. Texts of files are escaped by the template; numbers and figures are JSON in which no character ends a script.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wgf.errors import InputError, as_path, brief
from wgf.plots.report.parts import DARK, LIGHT, SHADES, Part, scale_of
from wgf.registers import load
from wgf.runs.existing import DRAWN, PAGES
from wgf.runs.files import check_writable, completed
from wgf.studies.open import open_result

PARTS = {  # what a page can be about, by its class → "module:function"
    "Run": "wgf.plots.report.run:run_part",
    "Comparison": "wgf.plots.report.studies:comparison_part",
    "Pair": "wgf.plots.report.studies:pair_part",
    "LazyStudy": "wgf.plots.report.lazy:lazy_part",
    "Sweep": "wgf.plots.report.sweep:sweep_part",
}
SUFFIX = ".html"


def report(source: Any, path: str | Path | None = None) -> Path:
    """Write one page of HTML about a run, a comparison, a pair, a lazy study or a sweep, or about several of them, and return its path.

    The page needs nothing beside itself. What is there under its name is replaced, as by figures and films.

    Parameters
    ----------
    source : Run, Comparison, Pair, LazyStudy or Sweep, str, path, or a list of these
        what wgf.solve, wgf.compare, … return, or the file of one: the parts of the page
    path : str or path, optional
        of the page, which ends in .html; left out, the name of the first file with .html, beside it

    Returns
    -------
    Path
        of the page

    Raises
    ------
    InputError
        for what cannot be shown, and for another ending
    """
    sources = list(source) if isinstance(source, list | tuple) else [source]
    if not sources:
        raise InputError("there is nothing to report on: give a run, a file, or a list of them")
    page = page_path(path, sources[0])
    results = [open_result(as_path(each)) if isinstance(each, str | Path) else each for each in sources]
    text = page_of([part_of(result) for result in results])
    with completed(page) as begun:
        begun.write_text(text, encoding="utf-8")
    return page


def page_path(path: str | Path | None, first: Any) -> Path:
    """Where the page goes; refuses a path at which there can be none."""
    named = first if isinstance(first, str | Path) else getattr(first, "path", None)
    if path is None and named is None:
        raise InputError("this has no file beside which the page could go: give the path of the page, such as 'report.html'")
    page = as_path(path) if path is not None else as_path(named).with_suffix(SUFFIX)
    if page.suffix.lower() not in PAGES:
        raise InputError(f"cannot write a page into {page}: the name must end in {SUFFIX}")
    check_writable(page)
    return page


def part_of(result: Any) -> Part:
    """What the page says of a result."""
    kind = type(result).__name__
    if kind not in PARTS:
        raise InputError(
            f"{brief(result)} cannot be reported on: give a run, a comparison, a pair, a lazy study or a sweep, or a file of one"
        )
    part: Part = load(PARTS[kind])(result)
    return part


def page_of(parts: Sequence[Part]) -> str:
    """The text of the page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    from wgf import __version__

    loader = PackageLoader("wgf.plots.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=loader)
    scripts = [get_plotlyjs().replace("\r\n", "\n"), environment.get_template("report.js").render()]
    scripts = [script.replace("</script", "<\\/script") for script in scripts]
    result: str = environment.get_template("report.html").render(
        parts=parts,
        title=parts[0].title if len({part.title for part in parts}) == 1 else "wgf report",
        styles=Markup(environment.get_template("report.css").render()),
        scripts=list(map(Markup, scripts)),
        hashes=" ".join(map(_hash, scripts)),
        data=Markup(_data(parts)),
        version=__version__,
        drawn=DRAWN,
        address=_address,
    )
    return result


def _hash(script: str) -> str:
    """By which the page's security policy knows a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _address(text: str) -> str:
    """A text as an address that a link can save."""
    return f"data:text/plain;charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def _data(parts: Sequence[Part]) -> str:
    """The charts of all parts as JSON, in which no character can end the script that holds it."""
    listed = [
        {
            "frames": list(part.frames),
            "charts": [
                {"id": f"chart-{k}-{j}", "figure": json.loads(chart.figure.to_json()), **chart.data()}
                for j, chart in enumerate(part.charts, 1)
            ],
        }
        for k, part in enumerate(parts, 1)
    ]
    shades = {name: _mixed(colours) for name, colours in (("light", LIGHT), ("dark", DARK))}
    text = json.dumps({"parts": listed, "scales": {"light": scale_of(LIGHT), "dark": scale_of(DARK)}, "shades": shades})
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _mixed(colours: Sequence[str]) -> list[str]:
    """SHADES colours along a scale."""
    from plotly.colors import sample_colorscale

    result: list[str] = sample_colorscale(list(colours), [(k + 0.5) / SHADES for k in range(SHADES)])
    return result
