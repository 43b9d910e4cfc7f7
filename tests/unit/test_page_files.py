"""What the page's files must and must not contain, without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "adapters" / "web" / "static"
SCRIPTS = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.js")}
PAGE = (STATIC / "index.html").read_text("utf-8")
STYLES = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.css")}
#: The catalogues of sentences; their length is that of what the pages have to say.
CATALOGUE = "texts.js"
#: The pages of benchmarks and ratings, and what they have besides.
BENCH = STATIC / "bench"
BENCH_SCRIPTS = {path.name: path.read_text("utf-8") for path in BENCH.glob("*.js")}
BENCH_STYLES = {path.name: path.read_text("utf-8") for path in BENCH.glob("*.css")}
BENCH_PAGES = {path.name: path.read_text("utf-8") for path in BENCH.glob("*.html")}
FILES = {
    **{path.name: path.read_text("utf-8") for path in (*STATIC.glob("*.js"), *STATIC.glob("*.css"))},
    **{f"bench/{name}": text for name, text in {**BENCH_SCRIPTS, **BENCH_STYLES}.items()},
}


def test_no_page_has_an_inline_script_style_or_handler() -> None:
    for page in (PAGE, *BENCH_PAGES.values()):
        assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
        assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []


def test_html_is_inserted_in_one_place_only() -> None:
    """`app.js` parses an answer once more to read it out; it goes into a template and never into the page."""
    scripts = {name: text for name, text in FILES.items() if name.endswith(".js")}
    used = {name: text.count("innerHTML") for name, text in scripts.items() if "innerHTML" in text}
    assert used == {"answer.js": 1, "app.js": 1}
    assert all("template.innerHTML = " in SCRIPTS[name] for name in used)
    assert not any(
        re.search(r"insertAdjacentHTML|outerHTML =|document\.write|\beval\(|new Function", t) for t in scripts.values()
    )


def test_nothing_is_loaded_from_elsewhere() -> None:
    for name, text in {**FILES, **BENCH_PAGES, "index": PAGE}.items():
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", text))
        # The second one is an example of what people type.
        assert addresses <= {"http://www.w3.org/2000/svg", "http://127.0.0.1:8000/v1"}, name
        assert "url(" not in text, name


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_can_be_read_in_one_sitting(name: str) -> None:
    if not name.endswith(CATALOGUE):
        assert len(FILES[name].splitlines()) <= 300


def test_every_module_and_style_sheet_is_named_in_the_page_and_exists() -> None:
    named = set(re.findall(r'(?:src|href)="/static/([^"]+)"', PAGE))
    # `types.js` holds comments only, and nobody imports it at run time.
    assert named == {*SCRIPTS, *STYLES, "icon.svg"} - {"types.js"}


def test_every_module_and_style_sheet_of_benchmarks_is_used_by_a_page() -> None:
    named = {name for page in BENCH_PAGES.values() for name in re.findall(r'(?:src|href)="/static/([^"]+)"', page)}
    assert all((STATIC / name).is_file() for name in named)
    reached = {name.removeprefix("bench/") for name in named if name.startswith("bench/")}
    new = reached
    while (
        new := {found for name in new for found in re.findall(r'from "\./(\w+\.js)"', BENCH_SCRIPTS.get(name, ""))}
        - reached
    ):
        reached |= new
    assert reached == {*BENCH_SCRIPTS, *BENCH_STYLES}


def _catalogue(text: str) -> set[str]:
    return set(re.findall(r'^  "?([\w.]+)"?:', text, re.MULTILINE))


def _used(scripts: dict[str, str], pages: str) -> tuple[set[str], tuple[str, ...], set[str]]:
    """Words that may be names of texts, beginnings of such names, and names that are asked for."""
    others = "\n".join(text for name, text in scripts.items() if name != CATALOGUE)
    labels = set(re.findall(r'data-t(?:-label)?="([\w.]+)"', pages))
    prefixes = tuple(re.findall(r"\bt\(`([\w.]+\.)\$\{", others))
    asked = set(re.findall(r'\bt\("([\w.]+)"', others)) | labels
    return set(re.findall(r'"([a-z]+(?:\.[a-z]+)*)"', others)) | labels, prefixes, asked


def test_every_text_of_the_catalogue_is_used_and_every_used_text_is_there() -> None:
    keys = _catalogue(SCRIPTS[CATALOGUE])
    literal, prefixes, asked = _used(SCRIPTS, PAGE)
    assert {key for key in keys if key not in literal and not key.startswith(prefixes)} == set()
    assert asked - keys == set()


def test_every_text_of_benchmarks_is_used_and_every_used_text_is_there_in_both_languages() -> None:
    english, chinese = (_catalogue(part) for part in BENCH_SCRIPTS[CATALOGUE].split("const zh ="))
    literal, prefixes, asked = _used(BENCH_SCRIPTS, "".join(BENCH_PAGES.values()))
    assert english == chinese
    assert {key for key in english if key not in literal and not key.startswith(prefixes)} == set()
    assert asked - english - _catalogue(SCRIPTS[CATALOGUE]) == set()


def test_every_icon_that_is_asked_for_is_drawn() -> None:
    drawn = set(re.findall(r'^  (\w+): "M', SCRIPTS["dom.js"], re.MULTILINE)) | {"stop"}
    asked = {name for text in FILES.values() for name in re.findall(r'\bicon(?:Button)?\("(\w+)"', text)}
    assert asked <= drawn
