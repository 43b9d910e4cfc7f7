"""Model Markdown for Discord: it reads as it would elsewhere, nothing in it rings, no link deceives, every part fits.

What Discord shows of a message is told by `tests.support.discord_reader`, which shares nothing with the renderer.
"""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.chat.render.reading import make_parser
from adapters.discord import limits
from adapters.discord.render.markdown import MAX_MARKDOWN, TABLE_COLUMNS, as_it_is, render
from adapters.discord.render.parts import measure, parts
from adapters.discord.render.quiet import PARTING
from bot.rendering.split import utf16
from tests.support.discord_reader import Seen, seen

#: Shown for the character that parts a mention.
P = PARTING
QUICK = settings(max_examples=150, derandomize=True, deadline=None, database=None)

#: What Markdown and Discord take for marks, in any order, within a line.
SIGNS = [
    *"ab重，。 *_~`>#-|.:@!+=$\\<>[]()/&;'1Z9",
    *(
        "**",
        "__",
        "~~",
        "||",
        "``",
        "```",
        "***",
        "a_b",
        "`a_`",
        "**b**",
        "*c*",
        "~~d~~",
        "¯\\_(ツ)_/¯",
        "&lt;",
        "&#42;",
    ),
    *("@everyone", "@here", "<@123>", "<@!4>", "<@&5>", "<#7>", "<t:1>", "<t:1:R>", "<:a:12>", "<a:b:1>", "</a b:1>"),
    *(":smile:", ":100:", "<id:browse>", "discord.gg/x", "https://a.example/x_y", "http://b.example/", "steam://run"),
]
LINE = st.lists(st.sampled_from(SIGNS), max_size=16).map(lambda signs: "z" + "".join(signs))
BLOCKS = ["", "\n", "\n\n", "# ", "### ", "#### ", "> ", "> > ", ">>> ", "- ", "  - ", "1. ", "   3. ", "- [x] ", "-# "]
TEXT = st.lists(st.tuples(st.sampled_from(BLOCKS), LINE).map("".join), max_size=6).map("\n".join)
HOSTILE = st.lists(
    st.sampled_from(
        [*SIGNS, *BLOCKS, "](", "![", "[", "https://evil.example", "\n```py\n", "\n~~~\n", "\n| a | b |\n|-|-|\n"]
    ),
    max_size=60,
).map("".join)

_PARSER = make_parser()


def as_commonmark_has_it(line: str) -> str:
    """What people would see of a paragraph where Markdown is rendered in full."""
    children = [child for token in _PARSER.parse(line) for child in token.children or []]
    return "".join("\n" if child.type.endswith("break") else child.content for child in children)


def letters(text: str) -> str:
    """Everything that can be seen; addresses as they would be without percent signs."""
    return re.sub(rf"[\s{P}]", "", text).replace("%40", "@").replace("%7C", "|").replace("%2A", "*")


def read(markdown: str) -> Seen:
    return seen(render(markdown))


# What people see


@given(LINE)
@settings(max_examples=600)
def test_a_paragraph_reads_as_in_commonmark_to_the_last_character(line: str) -> None:
    assert letters(read(line).text) == letters(as_commonmark_has_it(line))


@given(TEXT)
@settings(max_examples=200)
def test_nothing_is_read_as_what_markdown_does_not_know(text: str) -> None:
    found = read(text)
    assert found.odd == []
    assert found.previews == []


_WORD = st.text("abcxyz重点说明", min_size=1, max_size=6)
_PLAIN = st.lists(_WORD, min_size=1, max_size=8).map(" ".join)
_LIST = st.lists(st.tuples(st.integers(0, 2), _PLAIN), min_size=1, max_size=5).map(
    lambda items: "\n".join("  " * min(depth, index) + f"- {text}" for index, (depth, text) in enumerate(items))
)
_ORDERED = st.lists(_PLAIN, min_size=1, max_size=4).map(
    lambda items: "\n\n".join(f"{number}. {text}\n\n   ```\n   {text}\n   ```" for number, text in enumerate(items, 1))
)
_TABLE = st.lists(st.tuples(_WORD, _WORD), min_size=2, max_size=5).map(
    lambda rows: "\n".join([f"| {rows[0][0]} | {rows[0][1]} |", "|---|--:|", *(f"| {a} | {b} |" for a, b in rows[1:])])
)
_MARKED = st.tuples(_WORD, st.sampled_from(["**", "*", "~~", "`", "***", "__", "_"]), _PLAIN).map(
    lambda parts: f"{parts[0]} {parts[1]}{parts[2]}{parts[1]} {parts[0]}"
)
_BLOCK = st.one_of(
    _MARKED,
    _PLAIN.map(lambda text: f"# {text}"),
    _PLAIN.map(lambda text: f"> {text}\n> > {text}"),
    _PLAIN.map(lambda text: f"```py\n{text}\n```"),
    _PLAIN.map(lambda text: f"[{text}](https://example.com/1)"),
    _LIST,
    _ORDERED,
)
_PROSE = st.lists(_BLOCK, min_size=1, max_size=7).map("\n\n".join)
_DOCUMENT = st.lists(st.one_of(_BLOCK, _TABLE), min_size=1, max_size=7).map("\n\n".join)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)


def told(markdown: str) -> list[str]:
    """The words of a document of these blocks, without what is no text."""
    return words(markdown.replace("(https://example.com/1)", "").replace("```py", "```"))


@given(_DOCUMENT)
@settings(max_examples=150)
def test_every_word_of_a_document_arrives_in_its_order(markdown: str) -> None:
    assert words(read(markdown).text) == told(markdown)


@given(_PLAIN, st.sampled_from([("**", "strong"), ("__", "strong"), ("*", "em"), ("_", "em"), ("~~", "strike")]), _WORD)
@settings(max_examples=100)
def test_what_is_marked_is_marked(text: str, mark: tuple[str, str], other: str) -> None:
    sign, kind = mark
    found = read(f"{other} {sign}{text}{sign} {other}")
    assert found.marks == [(kind, text)]


@pytest.mark.parametrize(
    ("markdown", "message"),
    [
        ("__bold__ and _it_", "**bold** and *it*"),
        ("***both***", f"*{P}**both**{P}*"),
        ("un**believ**able **注意：**请看", "un**believ**able **注意：**请看"),
        ("**f(`x`)** and **f(`**kw`)**", "**f(`x`)** and **f(**`**kw`**)**"),
        ("~~old~~_new_", "~~old~~*new*"),
        ("snake_case 2 * 3 a~b c|d", "snake\\_case 2 \\* 3 a~b c|d"),
        ("||not hidden|| -# big", "\\|\\|not hidden\\|\\| -# big"),
        ("-# big\n\n\\> no quote\n\n1\\. no list", "\\-# big\n\n\\> no quote\n\n1\\. no list"),
        ("C:\\new C:\\_x \\[x]", "C:\\new C:\\_x [x]"),
        ("at 12:30:45 :smile:", "at 12:30:45 \\:smile:"),
        ("a<br>b <b>c</b> &lt;i&gt;", "a\\<br>b \\<b>c\\</b> \\<i>"),
        ("`` a`b `` and `c```d`", "``a`b`` and ``c`" + f"{P}`{P}`d``"),
        ("# One\n## Two\n### Three\n#### Four\n###### Six **x**", "# One\n## Two\n### Three\n**Four**\n**Six x**"),
        ("# C# and F#", "# C# and F\\#"),
        ("Title\n=====\n\ntext", "# Title\n\ntext"),
        ("- a\n  - b\n    1. c\n- [ ] d\n- [x] e", "- a\n  - b\n    1. c\n- ☐ d\n- ☑ e"),
        ("3) a\n4) b\n\n\n5) c", "3. a\n4. b\n5. c"),
        ("1. a\n1. b\n\n   more", "1. a\n2. b\n   more"),
        ("10. a\n    - b", "10. a\n    - b"),
        ("- # Head\n- > q", "- **Head**\n> - q"),
        ("> a\n>\n> b\n\nc", "> a\n> \n> b\n\nc"),
        ("> a\n> > b\n# c", "> a\n> \\> b\n\n# c"),
        ("a\n\n---\n\nb", "a\n\n──────────\n\nb"),
        ("> ```\n> x\n> ```", "```\nx\n```"),
        ("1. run\n   ```sh\n   ls\n   ```\n2. see", "1. run\n```sh\nls\n```\n2. see"),
        ("```a language of its own\nx\n```", "```a\nx\n```"),
        ("```" + "x" * 40 + "\ny\n```", "```\ny\n```"),
        ("~~~\n```\nx\n```\n~~~", f"```\n`{P}`{P}`\nx\n`{P}`{P}`\n```"),
        ("    indented", "```\nindented\n```"),
        ("$a_1$ and \\(b\\)", "$a\\_1$ and \\\\(b\\\\)"),
        ("text[^1]\n\n[^1]: a note", "text[^1]\n\n[^1]: a note"),
        ("a\x00b\ud800c", "ab\ufffdc"),
        ("", ""),
        (" \n\n", ""),
    ],
)
def test_a_sample_is_rendered_as_written_by_hand(markdown: str, message: str) -> None:
    assert render(markdown) == message


def test_two_marks_side_by_side_are_told_apart() -> None:
    found = read("**a**_b_ and *c **d*** and **_e_**")
    assert sorted(found.marks) == [
        ("em", "b"),
        ("em", f"c d{P}"),
        ("em", "e"),
        ("strong", "a"),
        ("strong", "d"),
        ("strong", f"{P}e{P}"),
    ]


# Tables


def test_a_narrow_table_is_aligned_with_two_columns_for_a_chinese_character() -> None:
    assert render("| 城市 | n |\n|---|--:|\n| 北京 | 2189 |\n| Rome | 275 |") == (
        "```\n城市 |    n\n-----+-----\n北京 | 2189\nRome |  275\n```"
    )


def test_a_wide_table_becomes_a_list_with_the_headers_in_each_item() -> None:
    long = "word " * 12
    assert render(f"| 名称 | What |\n|---|---|\n| 一 | {long}|\n| | **x** |") == (
        f"- 名称：**一** · What: {long.strip()}\n- 名称： · What: **x**"
    )


def test_a_table_with_links_becomes_a_list_because_there_are_none_in_code() -> None:
    assert render("| a |\n|---|\n| [docs](https://a.example/d) |") == "- a: **[docs](<https://a.example/d>)**"


def test_a_wide_header_alone_is_still_seen() -> None:
    head = "header " * 12
    assert words(read(f"| {head} | b |\n|---|---|").text) == words(head + "b")


@given(_TABLE)
@settings(max_examples=60)
def test_an_aligned_table_is_never_wider_than_a_screen(table: str) -> None:
    for line in render(table).split("\n"):
        assert line.startswith("- ") or len(line) <= TABLE_COLUMNS


# Nobody rings, no link deceives


@given(HOSTILE)
@settings(max_examples=500)
def test_nobody_is_called_by_any_text(text: str) -> None:
    assert seen(render(text)).pings == []
    assert seen(as_it_is(text)).pings == []
    assert [ping for part in parts(text, 200) for ping in seen(part).pings] == []


def test_the_reader_of_this_test_sees_what_rings_and_what_is_odd() -> None:
    """Otherwise the tests above would prove nothing."""
    for text in ("@everyone", "x@here", "<@1>", "<@!1>", "<@&1>", "`<@1>`", "\\<@1>"):
        assert seen(text).pings, text
    for text in ("||a||", "__a__", "-# a", "<#1>", "<t:1>", "<:a:1>", ":smile:", "</a:1>", "@here", "<id:guide>"):
        assert seen(text).odd, text
    assert seen("see https://a.example/x").previews == ["https://a.example/x"]
    assert seen("[a](https://a.example)").previews == ["https://a.example"]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("@everyone @here @Everyone", f"@{P}everyone @{P}here @{P}Everyone"),
        ("mail a@here.example", f"mail a@{P}here.example"),
        ("<@123> <@!1> <@&5>", f"\\<{P}@123> \\<{P}@!1> \\<{P}@&5>"),
        ("@\u200deveryone <\u200d@1>", f"@{P}\u200deveryone \\<{P}\u200d@1>"),
        ("<#7> </a:1> <:x:1> <a:y:1> <t:1:R>", "\\<#7> \\</a:1> \\<\\:x:1> \\<a\\:y:1> \\<t:1:R>"),
        ("`@everyone` `<@1>` `@Override a<b`", f"`@{P}everyone` `<{P}@1>` `@Override a<b`"),
        ("```\n@here <@&2> x <@ y\n```", f"```\n@{P}here <{P}@&2> x <@ y\n```"),
        ("&lt;@1&gt; &commat;everyone", f"\\<{P}@1> @{P}everyone"),
        ("https://a.example/@everyone", "<https://a.example/%40everyone>"),
        ("@alice and @Moderators", "@alice and @Moderators"),
        ("discord.gg/abc https://discord.gg/abc", f"discord.gg{P}/abc <https://discord.gg/abc>"),
    ],
)
def test_a_call_is_parted_and_stays_readable(written: str, sent: str) -> None:
    assert render(written) == sent


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("[docs](https://a.example/x_(y))", "[docs](<https://a.example/x_%28y%29>)"),
        ("[**bold**](https://a.example)", "**[bold](<https://a.example>)**"),
        ("*see [it](https://a.example/a_b)*", "*see [it](<https://a.example/a_b>)*"),
        ("[bank.example](https://evil.example)", "bank.example (<https://evil.example>)"),
        ("[https://bank.example](https://evil.example)", "<https://bank.example> (<https://evil.example>)"),
        ("[www.example.com](https://www.example.com/)", "[www.example.com](<https://www.example.com/>)"),
        ("[https://a.example/x…](https://a.example/xyz)", "<https://a.example/x>… (<https://a.example/xyz>)"),
        ("<https://a.example/x_y>", "<https://a.example/x_y>"),
        ("[https://a.example](https://a.example)", "<https://a.example>"),
        ("[a [b] c](https://a.example)", "a [b] c (<https://a.example>)"),
        ("[join](https://discord.gg/x)", "[join](<https://discord.gg/x>)"),
        ("[discord.gg/x](https://discord.gg/x)", f"discord.gg{P}/x (<https://discord.gg/x>)"),
        ("<a@b.example> [write](mailto:a@b.example)", "a@b.example write (a@b.example)"),
        ("[click](javascript:alert(1))", "[click]\\(javascript:alert(1))"),
        ("![a picture](https://a.example/i.png)", "[a picture](<https://a.example/i.png>)"),
        ("![](https://a.example/i.png)", "<https://a.example/i.png>"),
        ("see https://a.example/b_c, (https://d.example/e).", "see <https://a.example/b_c>, (<https://d.example/e>)."),
        (
            "看https://a.example了解，https://zh.example/wiki/北京。",
            "看<https://a.example>了解，<https://zh.example/wiki/北京>。",
        ),
        ("[北京](https://zh.example/wiki/%E5%8C%97%E4%BA%AC)", "[北京](<https://zh.example/wiki/北京>)"),
        ("**https://a.example**", "**<https://a.example>**"),
        ("[1]: https://a.example\n\n[one][1]", "[1]: <https://a.example>\n\n[one](<https://a.example>)"),
    ],
)
def test_a_link_says_where_it_leads_and_has_no_preview(written: str, sent: str) -> None:
    assert render(written) == sent
    assert seen(sent).previews == []


# Parts


@given(st.one_of(TEXT, HOSTILE, _DOCUMENT), st.integers(190, 500))
@settings(max_examples=250)
def test_a_part_is_within_its_limit_and_closes_what_it_opens(markdown: str, limit: int) -> None:
    for part in parts(markdown, limit):
        assert part.strip()
        assert max(len(part), utf16(part)) <= limit
        assert part.count("```") % 2 == 0
        assert part.count("```") == 2 * len(seen(part).code)


@given(_PROSE, st.integers(190, 400))
@settings(max_examples=100)
def test_parts_lose_no_letter(markdown: str, limit: int) -> None:
    shown = iter("".join(seen(part).text for part in parts(markdown, limit)))
    # A link that is cut shows its address, too.
    assert [letter for letter in "".join(told(markdown)) if letter not in shown] == []


@given(st.lists(_PROSE, min_size=2, max_size=5).map("\n\n".join), st.floats(0.2, 0.95))
@settings(max_examples=60)
def test_all_parts_but_the_last_stay_while_a_text_grows(grown: str, share: float) -> None:
    settled = list(parts(grown[: int(len(grown) * share)], 300))[:-1]
    assert list(parts(grown, 300))[: len(settled)] == settled


@pytest.mark.parametrize(
    "text", ["啊" * 9_000, "👨‍👩‍👧" * 2_000, "*" * 9_000, "😀" * 5_000, "a" * 9_000, "| " * 4_000, "<" * 9_000]
)
def test_whatever_it_is_made_of_every_part_fits(text: str) -> None:
    made = list(parts(text))
    assert len(made) > 1
    assert all(max(len(part), utf16(part)) <= limits.CONTENT for part in made)


def test_a_list_and_a_table_are_kept_whole_where_they_fit() -> None:
    prose = "Some words of an answer. " * 60
    rows = "\n".join(f"| row {number} | {number} |" for number in range(20))
    _, second = parts(f"{prose}\n\n| a | b |\n|---|---|\n{rows}")
    assert second.count("row ") == 20
    items = "\n".join(f"- item {number} with some words" for number in range(30))
    for part in parts(f"{prose}\n\n{items}"):
        assert not part.rstrip().endswith("with some")


def test_a_fence_goes_on_in_the_next_part_with_its_language() -> None:
    code = "\n".join(f"line_{number} = '*'" for number in range(300))
    made = list(parts(f"```python title=x\n{code}\n```"))
    assert len(made) > 2
    assert all(part.startswith("```python\n") and part.endswith("\n```") for part in made)
    assert re.findall(r"line_\d+", "".join(made)) == [f"line_{number}" for number in range(300)]


def test_a_table_goes_on_below_its_header() -> None:
    rows = "\n".join(f"| row {number} | {number} |" for number in range(200))
    made = list(parts(f"| a | b |\n|---|---|\n{rows}"))
    assert len(made) > 1
    assert all(re.match(r"```\na +\| b\n", part) for part in made)


def test_prose_is_counted_about_as_it_comes_out() -> None:
    text = "Words with `code`, **bold** and a_name; [a link](https://a.example/x). 中文也有。\n\n- item\n" * 12
    assert utf16(render(text)) <= measure(text) <= 1.25 * utf16(render(text))


def test_a_text_that_is_too_long_for_one_rendering_is_shown_as_it_is() -> None:
    made = render("**a** <@1> @here\n> b ```\n" * (MAX_MARKDOWN // 20))
    assert made.startswith(f"\\*\\*a\\*\\* \\<{P}@1> @{P}here\n\\> b \\`\\`\\`\n")


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * MAX_MARKDOWN,
        "![](" * 9_000,
        " ".join("`" * size for size in range(1, 270)),
        "**a_ " * 8_000,
        "> " * 20_000,
        "- " * 19_999 + "x",
        "|" + "a|" * 1_000 + "\n|" + "-|" * 1_000 + "\n" + "x\n" * 15_000,
        "@" + "\u200d" * 39_000,
        ":" * MAX_MARKDOWN,
        ":a" * 20_000,
        "https://" * 5_000,
        "https://a/" + ")" * 39_000,
        "https://a/" + "北(" * 19_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_meant_to_take_long_does_not(hostile: str) -> None:
    begun = time.process_time()
    render(hostile)
    assert time.process_time() - begun < 20
