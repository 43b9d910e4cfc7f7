"""Every text that a user can meet exists in English and Chinese: the page's catalogue, and each `Text` in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from agent.language import Text
from agent.profile import FIELDS
from bot.settings.profile import ProfileSettings

ROOT = Path(__file__).parents[2]
ROOMS = ("agent", "bot", "adapters", "evals")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
CATALOGUE = (ROOT / "adapters" / "web" / "static" / "texts.js").read_text("utf-8")
HAN = re.compile(r"[\u4e00-\u9fff]")
#: Names of products, formats and the like are the same in both languages.
LETTERS = re.compile(r"[A-Za-z]{4,}")


def literal(node: ast.expr) -> str | None:
    """A string that is written out; joined pieces and f-strings are joined, their gaps as `{}`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [literal(part) if isinstance(part, ast.Constant) else "" for part in node.values]
        return "".join(part or "" for part in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = literal(node.left), literal(node.right)
        return None if left is None or right is None else left + right
    return None


def calls(path: Path) -> Iterator[tuple[int, str, str]]:
    """(line, English, Chinese) of each `Text(…)` whose halves are written out."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "Text":
            continue
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        halves = [*node.args, *(named[name] for name in ("en", "zh") if name in named)]
        if len(halves) == 2 and None not in (found := [literal(half) for half in halves]):
            yield node.lineno, found[0] or "", found[1] or ""


TEXTS = [(f"{path.relative_to(ROOT)}:{line}", en, zh) for path in FILES for line, en, zh in calls(path)]


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def half(name: str) -> dict[str, str]:
    """One of the page's two catalogues."""
    body = re.search(rf"const {name} = \{{\n(.*?)\n\}};", CATALOGUE, re.DOTALL)
    assert body is not None
    found = re.findall(r'^  "?([\w.]+)"?:\s+"((?:[^"\\]|\\.)*)",$', body[1], re.MULTILINE)
    assert len(found) == len(re.findall(r"^  \S+:(?: |$)", body[1], re.MULTILINE)), "an entry was not understood"
    return dict(found)


def test_the_texts_of_the_code_are_found() -> None:
    """So that the tests below can't pass because they look at nothing."""
    assert len(TEXTS) > 150
    assert {place.split("/")[0] for place, _, _ in TEXTS} >= {"agent", "bot", "adapters"}


def test_every_text_is_there_in_both_languages() -> None:
    assert [place for place, en, zh in TEXTS if (en == "") != (zh == "")] == []


def test_both_halves_of_a_text_have_the_same_gaps() -> None:
    assert [place for place, en, zh in TEXTS if gaps(en) != gaps(zh)] == []


def test_each_half_of_a_text_is_in_its_language() -> None:
    # What is quoted may be the other language's.
    assert [place for place, en, _ in TEXTS if HAN.search(re.sub(r"“[^”]*”|`[^`]*`|\"[^\"]*\"", "", en))] == []
    worded = [(place, zh) for place, en, zh in TEXTS if en != zh and LETTERS.search(re.sub(r"`[^`]*`|\{\w+\}", "", en))]
    assert [place for place, zh in worded if not HAN.search(zh)] == []


def test_the_pages_catalogues_have_the_same_texts_with_the_same_gaps() -> None:
    en, zh = half("en"), half("zh")
    assert len(en) > 200
    assert list(en) == list(zh)
    for key in en:
        assert en[key].strip(), key
        assert zh[key].strip(), key
        # `{n|one|other}` is how English counts; Chinese has no need of it.
        counted = re.compile(r"\{(\w+)(?:\|[^}]*)?\}")
        assert set(counted.findall(en[key])) == set(counted.findall(zh[key])), key


def test_no_chinese_text_of_the_page_was_left_in_english() -> None:
    # Keys of a keyboard are called what is printed on them, and the languages' names are in their own language.
    en, zh = half("en"), half("zh")
    left = {
        key for key, text in zh.items() if not HAN.search(text) and re.search("[a-z]", re.sub(r"{.*?}", "", en[key]))
    }
    assert {key for key in left if not key.startswith(("key.", "language."))} == set()


def test_every_value_of_a_profile_has_a_name_and_words_for_what_it_may_be() -> None:
    en = half("en")
    assert {key.removeprefix("field.") for key in en if key.startswith("field.")} == set(FIELDS)
    for name in ("lang", "follow", "answer_in", "overlap", "network"):
        allowed = get_args(ProfileSettings.model_fields[name].annotation)
        assert {f"option.{name}.{value}" for value in allowed} == {
            key for key in en if key.startswith(f"option.{name}.")
        }


@pytest.mark.parametrize("name", ["agent.texts", "bot.texts", "bot.web.texts", "adapters.web.texts"])
def test_the_catalogues_of_the_code_hold_texts_only(name: str) -> None:
    """What is in a catalogue of its own, also in tables, has both halves."""
    found = [value for key, value in vars(import_module(name)).items() if not key.startswith("__")]
    tables = [value for one in found if isinstance(one, dict) for value in one.values()]
    texts = [one for one in [*found, *tables] if isinstance(one, Text)]
    assert texts
    assert all(text.en.strip() and text.zh.strip() for text in texts)
