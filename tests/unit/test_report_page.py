"""The one-file report: nothing that a model wrote becomes markup, and nothing is fetched."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from evals.kagentbench.results import Parsed
from evals.report import compare, page
from evals.report.charts import Charts
from evals.report.viewing import MOST_CHARS, viewer, views
from tests.support.evaluations import drawn, evaluation, item, spec, summary, view

HOSTILE = (
    "</script><script>alert(1)</script><!--<script> <img src=x onerror=alert(2)> \u2028\u2029 & ]]> ' \" \ud800 \x00"
)
RUN = drawn(1, 6)


class Reader(HTMLParser):
    """Elements, and the content of those that hold data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.held: dict[str, str] = {}
        self._id = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._id = dict(attrs).get("id") or tag

    def handle_data(self, data: str) -> None:
        self.held[self._id] = self.held.get(self._id, "") + data


def texts_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """All blocks of the viewer, unpacked."""
    return [one for block in data["blocks"] for one in json.loads(zlib.decompress(base64.b64decode(block)))]


def test_hostile_names_and_replies_stay_text() -> None:
    evil = item("plantooluse", HOSTILE, {HOSTILE: 0.5, "ReACT": 0.1}, query=HOSTILE, raises=f"ValueError: {HOSTILE}")
    evil = replace(evil, raises=HOSTILE)
    found = summary(evaluation([evil]), of=spec(model=HOSTILE), model=HOSTILE)
    made = page.html(
        found,
        "en",
        comparison=compare.compare(found, found),
        manifest={HOSTILE: HOSTILE},
        views=[view(evil, HOSTILE, (HOSTILE, {HOSTILE: HOSTILE}))],
    )
    read = Reader(made)
    assert [tag for tag, _ in read.tags].count("script") == 3
    assert not {"img", "iframe", "link", "object"} & {tag for tag, _ in read.tags}
    assert not any(name.startswith("on") for _, attributes in read.tags for name in attributes)
    assert json.loads(read.held["data"])["index"][0][2].startswith("</script><script>alert(1)")
    assert "\u2028" not in read.held["data"]
    assert HOSTILE[:20] in texts_of(json.loads(read.held["data"]))[0]["replies"][1]["reply"]
    made.encode("utf-8")


def test_the_policy_allows_the_pages_own_style_and_script_alone() -> None:
    made = page.html(summary(RUN), "en", charts=Charts(b"\x89PNG", b"\x89PNG", "en"))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', made)
    assert policy is not None
    parts = dict(part.strip().split(" ", 1) for part in policy[1].split(";"))
    assert parts["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", parts["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", parts["style-src"])
    # Nothing is loaded from anywhere: every address in the document is data within it.
    sources = re.findall(r'(?:src|href)="?([^" >]+)', made)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "style=" not in made


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, {"a": [None, True]}, "\ud800", ""])
def test_any_value_that_a_parser_can_read_can_be_shown(value: Any) -> None:
    odd = item("plantooluse", "x", {"KuaiAgent": 0.0}, parsed=Parsed(value, value, value))
    shown = texts_of(viewer([view(odd)]))[0]["replies"][0]["parsed"]
    assert len(shown) == 3
    assert all(isinstance(part, str) for part in shown)


def test_values_nested_too_deeply_are_an_ellipsis() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    odd = item("plantooluse", "x", {"KuaiAgent": 0.0}, parsed=Parsed("t", "n", deep))
    assert texts_of(viewer([view(odd)]))[0]["replies"][0]["parsed"][2] == "…"


def test_a_huge_reply_is_shown_by_its_head_and_its_tail() -> None:
    found = view(item("conclusion", "x", {"ReACT": 0.0}), "head " + "x" * 1_000_000 + " tail")
    shown = texts_of(viewer([found]))[0]["replies"][0]["reply"]
    assert len(shown) < MOST_CHARS + 40
    assert shown.startswith("ReACT: head ")
    assert shown.endswith(" tail")
    assert "[980,017]" in shown


def test_every_item_is_listed_with_its_score_and_what_is_wrong() -> None:
    one = item("plantooluse", "a", {"ReACT": 0.0, "AutoGPT": (0.5, 0.7)})
    other = item("profile", "b", {"prompt": 0.25}, unreadable=True, raises="TypeError: x")
    data = viewer([view(one), view(other)])
    assert data["templates"] == ["ReACT", "AutoGPT", "prompt"]
    assert data["index"] == [
        ["plantooluse", "a", "about a", "en", 0.3, False, [[0, 0.0, 2], [1, 0.6, 0]]],
        ["profile", "b", "about b", "en", 0.25, False, [[2, 0.25, 5]]],
    ]


def test_texts_come_in_blocks_in_the_order_of_the_index() -> None:
    many = [item("profile", str(number), {"prompt": 0.5}) for number in range(101)]
    data = viewer(view(one, f"reply {one.id}") for one in many)
    assert len(data["blocks"]) == 3
    assert [one["replies"][0]["reply"] for one in texts_of(data)] == [
        f"prompt: reply {number}" for number in range(101)
    ]
    assert len(data["index"]) == 101


def test_items_are_matched_with_results_and_replies_by_type_and_id() -> None:
    one = item("profile", "1", {"prompt": 0.5})
    shown = view(one, "hi")
    found = list(views([shown.item], [one, item("profile", "2", {"prompt": 0})], {("profile", "1"): "hello"}))
    assert [(each.item, each.result, each.predicted) for each in found] == [(shown.item, one, "hello")]


def test_both_languages_are_there_and_one_is_shown() -> None:
    made = page.html(summary(RUN), "zh")
    shown = [attributes for tag, attributes in Reader(made).tags if tag == "main"]
    assert [(one["data-lang"], "hidden" in one) for one in shown] == [("en", True), ("zh", False)]
    assert "按模板" in made
    assert "By template" in made


def test_published_rows_are_on_the_page_only_beside_a_comparable_run() -> None:
    assert "ChatGLM3-6B" in page.html(summary(RUN), "en")
    marked = page.html(summary(RUN, of=spec("sample")), "en")
    assert "ChatGLM3-6B" not in marked
    assert "not comparable with the published rows" in marked


def test_what_is_called_a_secret_in_a_manifest_is_not_shown() -> None:
    manifest = {"endpoint": {"api_key": "sk-secret", "max_tokens": 520}, "headers": [{"Authorization": "Bearer x1"}]}
    made = page.html(summary(RUN), "en", manifest=manifest)
    assert "sk-secret" not in made
    assert "Bearer x1" not in made
    assert "&quot;max_tokens&quot;: 520" in made
