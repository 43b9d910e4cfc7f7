"""What the page's files must and must not contain, without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "adapters" / "web" / "static"
SCRIPTS = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.js")}
PAGE = (STATIC / "index.html").read_text("utf-8")
STYLES = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.css")}
#: The one catalogue of sentences; its length is that of what the page has to say.
CATALOGUE = "texts.js"


def test_the_page_has_no_inline_script_style_or_handler() -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)", PAGE) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", PAGE) == []


def test_html_is_inserted_in_one_place_only() -> None:
    """`app.js` parses an answer once more to read it out; it goes into a template and never into the page."""
    used = {name: text.count("innerHTML") for name, text in SCRIPTS.items() if "innerHTML" in text}
    assert used == {"answer.js": 1, "app.js": 1}
    assert all("template.innerHTML = " in SCRIPTS[name] for name in used)
    assert not any(
        re.search(r"insertAdjacentHTML|outerHTML =|document\.write|\beval\(|new Function", t) for t in SCRIPTS.values()
    )


def test_nothing_is_loaded_from_elsewhere() -> None:
    for name, text in {**SCRIPTS, **STYLES, "index.html": PAGE}.items():
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", text))
        # The second one is an example of what people type.
        assert addresses <= {"http://www.w3.org/2000/svg", "http://127.0.0.1:8000/v1"}, name
        assert "url(" not in text, name


@pytest.mark.parametrize("name", sorted([*SCRIPTS, *STYLES]))
def test_a_file_can_be_read_in_one_sitting(name: str) -> None:
    if name != CATALOGUE:
        assert len({**SCRIPTS, **STYLES}[name].splitlines()) <= 300


def test_every_module_and_style_sheet_is_named_in_the_page_and_exists() -> None:
    named = set(re.findall(r'(?:src|href)="/static/([^"]+)"', PAGE))
    # `types.js` holds comments only, and nobody imports it at run time.
    assert named == {*SCRIPTS, *STYLES, "icon.svg"} - {"types.js"}


def test_every_text_of_the_catalogue_is_used_and_every_used_text_is_there() -> None:
    keys = set(re.findall(r'^  "?([\w.]+)"?:', SCRIPTS[CATALOGUE], re.MULTILINE))
    others = "\n".join(text for name, text in SCRIPTS.items() if name != CATALOGUE)
    literal = set(re.findall(r'"([a-z]+(?:\.[a-z]+)*)"', others)) | set(
        re.findall(r'data-t(?:-label)?="([\w.]+)"', PAGE)
    )
    prefixes = tuple(re.findall(r"\bt\(`([\w.]+\.)\$\{", others))
    assert {key for key in keys if key not in literal and not key.startswith(prefixes)} == set()
    asked = set(re.findall(r'\bt\("([\w.]+)"', others)) | set(re.findall(r'data-t(?:-label)?="([\w.]+)"', PAGE))
    assert asked - keys == set()


def test_every_icon_that_is_asked_for_is_drawn() -> None:
    drawn = set(re.findall(r'^  (\w+): "M', SCRIPTS["dom.js"], re.MULTILINE)) | {"stop"}
    asked = {name for text in SCRIPTS.values() for name in re.findall(r'\bicon(?:Button)?\("(\w+)"', text)}
    assert asked <= drawn
