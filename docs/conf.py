"""The manual's site, for Sphinx: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import generate  # noqa: E402
from generate.markup import as_restructured_text  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

import wgf  # noqa: E402

generate.write(HERE / "generated")

project, author = "wgf", "the authors of wgf"
copyright = "the authors of wgf, MIT licence"
version = release = wgf.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "numpydoc", "sphinx_copybutton", "sphinx-mathjax-offline"]
exclude_patterns = ["_build", "generate", "generated/files_touched.md", "claims.md"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!wgf\.[A-Z]).*")]  # other projects, which only a network would find; types that are not public
suppress_warnings = ["myst.header"]  # of parts that are included below a heading of another level
highlight_language = "text"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "executed")
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_member_order = "bysource"
python_maximum_signature_line_length = 100
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "wgf"
html_static_path = ["static"]
html_css_files = ["wgf.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "wgf"},
    "header_links_before_dropdown": 6,
    "navigation_with_keys": True,
    "show_toc_level": 2,
    "show_nav_level": 1,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_context = {"default_mode": "auto"}


def setup(app: Sphinx) -> None:
    """Docstrings are written as plain text with `code` in backquotes; numpydoc gets them in reStructuredText."""
    app.connect("autodoc-process-docstring", as_restructured_text, priority=100)
