"""The pages of the manual: what they say is compared with what there is."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
MADE = ("generated", "_build")  # folders of docs/ with what building the site makes
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs").rglob("*.md"))
    if not set(path.relative_to(ROOT).parts) & set(MADE)
}
MANUAL = "\n\n".join(PAGES.values())
