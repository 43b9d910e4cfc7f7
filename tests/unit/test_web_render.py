"""Markdown to HTML: nothing that a model or a tool writes may do anything on the page."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest

from adapters.web.render import MAX_MARKDOWN, Renderer

#: Every tag and attribute that may ever come out.
TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "s", "a", "ul", "ol", "li"),
    *("blockquote", "code", "pre", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title", "target", "rel"}, "ol": {"start"}, "code": {"class"}, "pre": {"class"}}
ATTRIBUTES |= {"th": {"class"}, "td": {"class"}}


class Found(HTMLParser):
    """Everything in a piece of HTML that is not text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.others: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)

    @property
    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes in self.tags if tag == "a"]


async def render(text: str) -> str:
    return await Renderer().render(text)


def check_harmless(made: str) -> Found:
    found = Found(made)
    assert not found.open
    assert not found.others
    for tag, attributes in found.tags:
        assert tag in TAGS, made
        assert set(attributes) <= ATTRIBUTES.get(tag, set()), made
    for link in found.links:
        assert link.lower().startswith(("http://", "https://", "mailto:")), made
    return found


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "a <b onmouseover=alert(1)>b</b>",
    "<!-- --><script>alert(1)</script>",
    "<?php evil ?>",
    "<![CDATA[<script>]]>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;&#x61;vascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](vbscript:msgbox)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/path)",
    "[x](/api/v1/turns/1/stop)",
    "[x](#token=abc)",
    "[x](\x01javascript:alert(1))",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '![x](https://a.example/" onerror="alert(1))',
    '[x](https://a.example "title\\" onclick=\\"alert(1)")',
    '[x](https://a.example/"onmouseover="alert(1))',
    "[x]: javascript:alert(1)\n\n[x]",
    '```"><script>alert(1)</script>\ncode\n```',
    '```python" onclick="alert(1)\ncode\n```',
    "`<script>`",
    "    <script>alert(1)</script>",
    "|<script>|\n|-|\n|<img src=x onerror=1>|",
    "|a|\n|:-:|\n|b|",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[<img src=x>](https://a.example)",
    "[![x](https://a.example/i.png)](https://b.example)",
    "[a [b](https://b.example) c](https://c.example)",
    "\u202e<script>",
    "a\x00b<script\x00>",
]


@pytest.mark.parametrize("source", HOSTILE)
async def test_hostile_markdown_is_harmless(source: str) -> None:
    check_harmless(await render(source))


@pytest.mark.parametrize("source", HOSTILE)
async def test_hostile_markdown_is_harmless_while_it_is_being_written(source: str) -> None:
    renderer = Renderer()
    for end in range(1, len(source) + 1):
        check_harmless(await renderer.render_draft("turn", source[:end]))


async def test_html_is_shown_as_text() -> None:
    assert Found(await render("a <b>c</b>")).text.strip() == "a <b>c</b>"


@pytest.mark.parametrize("address", ["https://a.example/x?y=1", "http://a.example", "mailto:ann@a.example"])
async def test_a_link_opens_elsewhere_and_carries_nothing_along(address: str) -> None:
    found = check_harmless(await render(f"[name]({address})"))
    link = next(attributes for tag, attributes in found.tags if tag == "a")
    assert link == {"href": address, "target": "_blank", "rel": "noopener noreferrer nofollow"}


async def test_an_autolink_gets_the_same_attributes() -> None:
    found = check_harmless(await render("<https://a.example>"))
    assert found.tags[1][1]["rel"] == "noopener noreferrer nofollow"


async def test_an_image_becomes_a_link() -> None:
    found = check_harmless(await render("![a cat](https://a.example/cat.png)"))
    assert found.links == ["https://a.example/cat.png"]
    assert found.text.strip() == "a cat"


async def test_an_image_without_words_shows_its_address() -> None:
    assert Found(await render("![](https://a.example/cat.png)")).text.strip() == "https://a.example/cat.png"


async def test_an_image_inside_a_link_is_its_words() -> None:
    found = check_harmless(await render("[![cat](https://a.example/i.png)](https://b.example)"))
    assert found.links == ["https://b.example"]
    assert found.text.strip() == "cat"


async def test_a_table_is_aligned_without_inline_style() -> None:
    made = await render("|a|b|c|\n|:-|:-:|-:|\n|1|2|3|")
    check_harmless(made)
    assert '<th class="align-left">a</th>' in made
    assert '<td class="align-center">2</td>' in made
    assert '<td class="align-right">3</td>' in made


async def test_code_keeps_its_language() -> None:
    assert '<pre><code class="language-python">x = 1\n</code></pre>' in await render("```python\nx = 1\n```")


async def test_struck_out_text_is_struck_out() -> None:
    assert await render("~~no~~") == "<p><s>no</s></p>\n"


async def test_an_unclosed_fence_looks_like_the_code_that_it_will_be() -> None:
    made = await Renderer().render_draft("turn", "Look:\n\n```python\nx = 1\ny")
    assert made.endswith('<pre><code class="language-python">x = 1\ny</code></pre>\n')


async def test_text_that_is_nested_too_deeply_is_not_lost() -> None:
    for source in (">" * 60 + " deep\nlast", "\n".join("  " * i + f"- item {i}" for i in range(60)) + "\nlast"):
        found = check_harmless(await render(source))
        assert "last" in found.text
        assert "deep" in found.text or all(f"item {i}" in found.text for i in range(60))


async def test_text_beyond_the_limit_is_shown_as_it_is() -> None:
    made = await render("*a* <b>\n" * (MAX_MARKDOWN // 8 + 1))
    assert made.startswith('<pre class="plain">*a* &lt;b&gt;\n')
    check_harmless(made)


N = MAX_MARKDOWN
WORST = {
    "brackets": "[" * N,
    "images": "![" * (N // 2),
    "mixed brackets": "[[](" * (N // 4),
    "emphasis": "*a" * (N // 2),
    "quotes": ">" * N,
    "lazy quotes": ">" * 18 + "a\n" + "b\n" * (N // 2 - 30),
    "nested lists": "".join(" " * (i * 2) + "- a\n" for i in range(310)),
    "list items": "- " * (N // 2),
    "table": "a|b\n-|-\n" + "|\n" * (N // 2 - 4),
    "definitions": "".join(f"[{i}]: http://x\n" for i in range(5000)),
    "lines": "a\n" * (N // 2),
}


@pytest.mark.parametrize("name", WORST)
async def test_the_worst_markdown_of_full_length_ends(name: str) -> None:
    began = time.process_time()
    made = await render(WORST[name])
    # About 1.7 s for the worst of them on a slow core; a parser that goes wrong takes minutes.
    assert time.process_time() - began < 20
    check_harmless(made)


LONG = (
    "Hello **world**, a [link](http://x.example) and `code`.\n\n- a\n- b\n  - c\n\n```python\nx=1\n\ny=2\n```\n\n"
    "|a|b|\n|-|-:|\n|1|2|\n\n1. one\n2. two\n\n> quoted\n> more\n\n# Title\n\nlast\n\n"
)


async def test_a_draft_that_grows_ends_as_the_whole_text_looks() -> None:
    renderer = Renderer()
    text = LONG * 3
    made = ""
    for end in range(1, len(text) + 1, 7):
        made = await renderer.render_draft("turn", text[:end])
        check_harmless(made)
    assert await renderer.render_draft("turn", text) == await render(text)


async def test_a_draft_that_starts_over_is_rendered_anew() -> None:
    renderer = Renderer()
    await renderer.render_draft("turn", "one\n\ntwo\n\nthree")
    assert await renderer.render_draft("turn", "other\n\ntext") == "<p>other</p>\n<p>text</p>\n"


async def test_drafts_of_two_turns_do_not_mix() -> None:
    renderer = Renderer()
    await renderer.render_draft(1, "one\n\ntwo\n\n")
    assert await renderer.render_draft(2, "one\n\nzwei") == "<p>one</p>\n<p>zwei</p>\n"
    assert await renderer.render_draft(1, "one\n\ntwo\n\nthree") == "<p>one</p>\n<p>two</p>\n<p>three</p>\n"
