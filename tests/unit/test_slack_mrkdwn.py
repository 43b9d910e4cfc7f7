"""Markdown → Slack's mrkdwn: samples by hand, and what holds for every text.

`Seen` is a small reader of mrkdwn of its own, after Slack's rules: fences, `<…>`, three entities, marks at the edges of
words. It shares nothing with the renderer.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.render.mrkdwn import MAX_MARKDOWN, mrkdwn, sections

SAMPLES = Path(__file__).with_name("slack_samples")
QUICK = settings(max_examples=120, derandomize=True, deadline=None, database=None)

_MARKED = {
    mark: re.compile(
        rf"(?:^|(?<=[\s\u200b(\[{{\"'*_~>|])){re.escape(mark)}(?![\s{re.escape(mark)}])([^\n]*?)(?<!\s){re.escape(mark)}"
        r"(?=$|[\s\u200b.,:;!?)\]}\"'*_~<>|])",
        re.MULTILINE,
    )
    for mark in "*_~`"
}


class Sample(NamedTuple):
    name: str
    markdown: str
    expected: str


class Seen(NamedTuple):
    """What people get to see of a text in mrkdwn, and who is called."""

    text: str
    calls: list[str]
    links: list[str]


def seen(text: str) -> Seen:
    calls: list[str] = []
    links: list[str] = []

    def control(found: re.Match[str]) -> str:
        target, _, label = found[1].partition("|")
        if target[:1] in ("!", "@", "#"):
            calls.append(target)
            return ""
        links.append(entities(target))
        return label or target

    shown = entities(re.sub(r"<([^>]*)>", control, text))
    calls += re.findall(r"@(?:here|channel|everyone|group)(?![a-z0-9_])", shown, re.IGNORECASE)
    return Seen(shown, calls, links)


def entities(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def letters(text: str) -> str:
    return "".join(ch for ch in text if ch in "ab重")


def samples() -> list[Sample]:
    found = []
    for path in sorted(SAMPLES.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("=== ")[1:]:
            name, _, rest = block.partition("\n")
            markdown, _, expected = rest.partition("\n--->\n")
            expected = expected.removesuffix("\n").replace("⟨0⟩", "\u200b").replace("⟨j⟩", "\u2060")
            found.append(Sample(f"{path.stem}: {name}", markdown, expected))
    return found


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_sample_is_rendered_as_written_by_hand(sample: Sample) -> None:
    assert mrkdwn(sample.markdown) == sample.expected


# Documents whose words are known.

_WORD = st.text("abcxyz重点说明", min_size=1, max_size=6)
_MARKS = st.sampled_from(["", "", "**", "*", "~~", "`", "***"])
_GLUE = st.sampled_from([" ", " ", "", "，", ". ", " (", "\n"])


@st.composite
def _line(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """Markdown, and its words with the mark of each."""
    markdown, marked = "", []
    for _ in range(draw(st.integers(1, 5))):
        plain, mark, word = draw(_WORD), draw(_MARKS), draw(_WORD)
        markdown += f"{plain}{draw(_GLUE)}{mark}{word}{mark}{draw(_GLUE)}"
        marked += [(plain, ""), (word, mark)]
    return markdown + "z", [*marked, ("z", "")]


_PLAIN = st.lists(_WORD, min_size=1, max_size=8).map(" ".join)
_LIST = st.lists(st.tuples(st.integers(0, 2), _PLAIN), min_size=1, max_size=5).map(
    lambda items: "\n".join("  " * min(depth, index) + f"- {text}" for index, (depth, text) in enumerate(items))
)
_TABLE = st.lists(st.tuples(_WORD, _PLAIN), min_size=2, max_size=5).map(
    lambda rows: "\n".join([f"| {rows[0][0]} | {rows[0][1]} |", "|---|--:|", *(f"| {a} | {b} |" for a, b in rows[1:])])
)
_BLOCK = st.one_of(
    _line().map(lambda line: line[0]),
    _PLAIN.map(lambda text: f"# {text}"),
    _PLAIN.map(lambda text: f"> {text}\n> > {text}"),
    _PLAIN.map(lambda text: f"```\n{text}\n```"),
    _PLAIN.map(lambda text: f"[{text}](https://example.com/1)"),
    _LIST,
    _TABLE,
)
_DOCUMENT = st.lists(_BLOCK, min_size=1, max_size=7).map("\n\n".join)

#: What markup is made of, in any order; no links and no entities, whose text isn't all shown.
_TANGLE = st.text("ab重 \n\n*_~`>#-|.:@!+=$", max_size=160)
_CALL = st.sampled_from(
    ["<!channel>", "<!here|x>", "<@U1>", "<#C1>", "<!subteam^S1>", "@here", "@Everyone", "@channel", "&lt;!here&gt;"]
)
_PIECE = st.one_of(_CALL, st.text("@<>!&;|\\[]()*_~`> \nhere\u200b\u00ad重", max_size=12), _WORD)
_HOSTILE = st.lists(_PIECE, max_size=14).map("".join)


@QUICK
@given(_DOCUMENT)
def test_every_word_of_a_document_arrives_in_its_order(markdown: str) -> None:
    source = markdown.replace("(https://example.com/1)", "")

    assert words(seen(mrkdwn(markdown)).text) == words(source)


@QUICK
@given(_TANGLE)
def test_no_letter_is_lost_in_tangled_markup(markdown: str) -> None:
    # The words behind the beginning of a fence name a language.
    source = re.sub(r"(?m)^(?:[ >+-]|\d\.)*(?:`{3,}[^`\n]*|~{3,}.*)$", "", markdown)
    assume_no_fence = source == markdown
    shown = letters(seen(mrkdwn(markdown)).text)

    assert shown == letters(markdown) if assume_no_fence else set(shown) <= set(letters(markdown))


@QUICK
@given(_line())
def test_what_is_marked_in_markdown_is_marked_in_slack_and_nothing_else_is(
    line: tuple[str, list[tuple[str, str]]],
) -> None:
    markdown, marked = line
    made = mrkdwn(markdown)
    expected = {"*": ("**", "***"), "_": ("*", "***"), "~": ("~~",), "`": ("`",)}

    for mark, names in expected.items():
        found = [words(inside) for inside in _MARKED[mark].findall(made)]
        assert [word for inside in found for word in inside] == [word for word, by in marked if by in names]


@QUICK
@given(_HOSTILE)
def test_nobody_is_called_by_any_text(markdown: str) -> None:
    assert seen(mrkdwn(markdown)).calls == []
    assert [call for part in sections(markdown, 128) for call in seen(part).calls] == []


@QUICK
@given(_HOSTILE)
def test_all_links_lead_to_the_web_or_to_a_mailbox(markdown: str) -> None:
    assert all(re.match(r"https?://|mailto:", link) for link in seen(mrkdwn(markdown)).links)


@QUICK
@given(st.one_of(_DOCUMENT, _TANGLE, _HOSTILE), st.integers(128, 400))
def test_a_section_is_within_its_limit_and_closes_what_it_opens(markdown: str, limit: int) -> None:
    for part in sections(markdown, limit):
        assert part.strip()
        assert len(part) <= limit
        assert part.count("```") % 2 == 0
        assert re.fullmatch(r"(?:[^<>]|<[^<>]*>|(?m:^)>)*", part)
        assert not re.search(r"&(?!amp;|lt;|gt;)", part)


@QUICK
@given(_DOCUMENT, st.integers(128, 400))
def test_sections_lose_no_word(markdown: str, limit: int) -> None:
    source = markdown.replace("(https://example.com/1)", "")
    shown = "".join(seen(part).text for part in sections(markdown, limit))
    # The header of a table is repeated where it goes on.
    lacking = [word for word in set(words(source)) if shown.count(word) < words(source).count(word)]

    assert lacking == []


def test_a_short_text_is_one_section() -> None:
    assert sections("**a**\n\n- b") == ["*a*\n\n• b"]


def test_a_text_of_nothing_has_no_sections() -> None:
    assert sections(" \n\n") == []
    assert mrkdwn(" \n\n") == ""


def test_escapes_that_make_a_text_longer_make_more_sections() -> None:
    parts = sections("& < > " * 2_000)

    assert all(len(part) <= 3_000 for part in parts)
    assert "".join(words(entities("".join(parts)))) == ""
    assert entities("".join(parts)).count("&") == 2_000


def test_a_fence_goes_on_in_the_next_section() -> None:
    code = "\n".join(f"line {number}" for number in range(600))

    parts = sections(f"```\n{code}\n```")

    assert len(parts) > 1
    assert all(part.startswith("```\n") and part.endswith("\n```") for part in parts)
    assert re.findall(r"\d+", "".join(parts)) == [str(number) for number in range(600)]


def test_the_rows_of_a_long_table_are_below_its_header_in_each_section() -> None:
    rows = "\n".join(f"| 第{number}行 | {number} |" for number in range(400))

    parts = sections(f"| 名称 | 数 |\n|---|---|\n{rows}")

    assert len(parts) > 1
    assert all(part.splitlines()[1].split() == ["名称", "|", "数"] for part in parts)


def test_a_limit_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 128"):
        sections("a", 127)


def test_a_text_that_is_too_long_for_slack_is_shown_as_it_is() -> None:
    text = "**a** <!here> @here\n> b ```\n" * (MAX_MARKDOWN // 20)

    made = mrkdwn(text)

    assert made.startswith("∗∗a∗∗ &lt;!here&gt; @\u2060here\n\u2060&gt; b ˋˋˋ\n")
    assert made.count("here") == text.count("here")
    assert not re.search(r"[*`]", made)


@pytest.mark.parametrize(
    "text",
    [
        "[" * MAX_MARKDOWN,
        "![](" * 9_000,
        " ".join("`" * size for size in range(1, 270)),
        "**a_ " * 8_000,
        "> " * 20_000,
        "- " * 19_999 + "x",
        "\\[\n" * 13_000,
        "|" + "a|" * 1_000 + "\n|" + "-|" * 1_000 + "\n" + "x\n" * 15_000,
        "[" + "a.b " * 9_000 + "](https://example.com)",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_meant_to_take_long_doesnt(text: str) -> None:
    begun = time.process_time()

    mrkdwn(text)

    # About 1.5 s for the worst of them; what isn't bounded takes minutes.
    assert time.process_time() - begun < 20


@pytest.mark.parametrize("text", ["[" * 100_000, "`" * 1_000_000, "&" * 1_000_000], ids=lambda text: text[0])
def test_a_text_of_any_length_is_cut_into_sections(text: str) -> None:
    parts = sections(text)

    assert all(len(part) <= 3_000 for part in parts)
    assert sum(len(entities(part).replace("\u2060", "")) for part in parts) == len(text)
