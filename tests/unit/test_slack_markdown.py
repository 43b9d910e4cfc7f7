"""Model Markdown for Slack: nothing pings, nothing leads elsewhere than it says, and it reads as before.

What Slack reads in a text is told by a small reader of its own here, written from Slack's documented control sequences.
"""

from __future__ import annotations

import html
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.chat.render.addresses import disguised
from adapters.slack.render.markdown import PARTING, THIN, neutralise, stable
from adapters.slack.render.measures import bytes_of, characters_of
from bot.rendering.split import split, steady, utf8

#: Shown for the character that parts a mention.
P = PARTING

WORDS = [
    *(
        "<",
        ">",
        "!",
        "@",
        "#",
        "|",
        "^",
        "here",
        "channel",
        "everyone",
        "HERE",
        "subteam",
        "U0123ABC",
        "C0123ABC",
        "S1",
    ),
    *(
        "[",
        "]",
        "(",
        ")",
        "](",
        "![",
        "]:",
        "https://bank.example",
        "https://evil.example",
        "bank.example",
        "javascript:",
    ),
    *(
        "&lt;",
        "&",
        "#60;",
        "#x40;",
        "amp;",
        "lt;",
        "&commat;",
        "&#33;",
        "`",
        "```",
        "~~~",
        "\n",
        "\n\n",
        " ",
        "\\",
        "*",
    ),
    *(
        "**",
        "_",
        "“",
        "”",
        "是",
        "：",
        "x",
        "1",
        "\u200d",
        "\u00ad",
        "\u202e",
        "'",
        '"',
        "README.md",
        "//",
        "<!doctype",
    ),
]
TEXT = st.lists(st.sampled_from(WORDS), max_size=40).map("".join)


def readings(text: str) -> list[str]:
    """The text as Slack may come to read it: as it is, with entities decoded, with Markdown's marks gone, and so on."""
    decoded = text
    for _ in range(10):
        decoded = html.unescape(decoded)
    unseen = re.compile("[\u00ad\u034f\u200c-\u200f\u202a-\u202e\u2060-\u2064\ufe0f\ufeff]")
    found = [text, decoded]
    found += [unseen.sub("", reading) for reading in found]
    found += [re.sub(r"[*_~`\\]", "", reading) for reading in found]
    return found


def control_sequences(text: str) -> list[str]:
    """Everything in a text that Slack would act upon: mentions in all forms, and links with a text of their own.

    https://docs.slack.dev/messaging/formatting-message-text: `<@USER>`, `<#CHANNEL>`, `<!special>`, `<url|text>`.
    """
    acts = []
    for reading in readings(text):
        acts += re.findall(r"<[@#]\w[^>]*", reading)
        acts += re.findall(r"<!(?!doctype|element|entity|attlist|notation)[a-z]\w*", reading, re.IGNORECASE)
        acts += re.findall(r"<(?:https?|mailto|slack|javascript):[^\s<>|]*\|", reading, re.IGNORECASE)
        acts += re.findall(r"@(?:here|channel|everyone)", reading, re.IGNORECASE)
    return acts


def unparted(text: str) -> str:
    """What a person reads, without what was put in."""
    return text.replace(P, "").replace(THIN, "").replace("] (", "](").replace("] [", "][")


@given(TEXT)
@settings(max_examples=300)
def test_no_mention_is_possible(text: str) -> None:
    assert control_sequences(neutralise(text)) == []


@given(TEXT, st.sampled_from([130, 150]))
@settings(max_examples=80)
def test_no_mention_is_possible_in_any_part(text: str, limit: int) -> None:
    text = "word " * 18 + text * 4
    for part in [*split(neutralise(text), limit), *map(neutralise, split(text, limit))]:
        assert control_sequences(part) == []


@given(TEXT)
@settings(max_examples=150)
def test_what_was_sent_of_a_growing_text_is_never_changed(text: str) -> None:
    whole, before = neutralise(text), ""
    for end in range(len(text) + 1):
        sent = stable(text[:end])
        assert sent.startswith(before)
        assert control_sequences(sent) == []
        before = sent
    assert whole.startswith(before)


@given(TEXT)
@settings(max_examples=300)
def test_twice_is_as_once(text: str) -> None:
    assert neutralise(neutralise(text)) == neutralise(text)


@given(st.lists(st.sampled_from([word for word in WORDS if "[" not in word]), max_size=40).map("".join))
@settings(max_examples=300)
def test_every_character_stays(text: str) -> None:
    assert neutralise(text).replace(P, "").replace(THIN, "").replace("%40", "@") == text


@given(st.lists(st.sampled_from([*WORDS, "https://a.example/@here", "![]("]), max_size=30).map("".join))
@settings(max_examples=300)
def test_what_is_put_in_is_counted_beforehand(text: str) -> None:
    assert len(neutralise(text)) <= characters_of(text)
    assert utf8(neutralise(text)) <= bytes_of(text)


def test_the_reader_of_this_test_sees_mentions() -> None:
    """Otherwise the tests above would prove nothing."""
    for text in [
        "<!here>",
        "<!channel|x>",
        "<@U1>",
        "<#C1|g>",
        "<!subteam^S1>",
        "&lt;!here>",
        "@h&#101;re",
        "@*everyone*",
    ]:
        assert control_sequences(text), text


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("<!channel> 大家好", f"<{P}!channel> 大家好"),
        ("<!here|这里> <!everyone>", f"<{P}!here|这里> <{P}!everyone>"),
        ("请<@U012ABC>看<#C012ABC|general>", f"请<{P}@U012ABC>看<{P}#C012ABC|general>"),
        ("<!subteam^S012|@team> <!date^1^{date}|x>", f"<{P}!subteam^S012|@team> <{P}!date^1^{{date}}|x>"),
        ("@here、@Channel和@EVERYONE", f"@{P}here、@{P}Channel和@{P}EVERYONE"),
        ("a@here.example", f"a@{P}here.example"),
        ("@alice, mail bob@corp.example", "@alice, mail bob@corp.example"),
        ("&lt;!channel&gt; &#60;@U1> &#x3C;#C1>", f"&lt;{P}!channel&gt; &#60;{P}@U1> &#x3C;{P}#C1>"),
        ("&amp;lt;!here&amp;gt; &commat;here", f"&amp;lt;{P}!here&amp;gt; &commat;{P}here"),
        ("<\\!here> <&#33;here> @h\u00adere", f"<{P}\\!here> <{P}&#33;here> @{P}h\u00adere"),
        ("@**here** and @_channel_", f"@{P}**here** and @{P}_channel_"),
        ("`<!here>` in code", f"`<{P}!here>` in code"),
        ("```\n@channel\n```", f"```\n@{P}channel\n```"),
        ("[x](https://a.example/<!here>)", f"[x](https://a.example/<{P}!here>)"),
        ("<b>@here</b>", f"<b>@{P}here</b>"),
        ("| 谁 | 什么 |\n|---|---|\n| @here | <@U1> |", f"| 谁 | 什么 |\n|---|---|\n| @{P}here | <{P}@U1> |"),
        ("https://video.example/@channel", "https://video.example/%40channel"),
        ("<https://evil.example|https://bank.example>", f"<{P}https://evil.example|https://bank.example>"),
        ("<mailto:a@b.example|b>", f"<{P}mailto:a@b.example|b>"),
        ("<slack://user?id=U1>", f"<{P}slack://user?id=U1>"),
    ],
)
def test_a_mention_is_parted_and_stays_readable(written: str, sent: str) -> None:
    assert neutralise(written) == sent


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("[https://bank.example](https://evil.example)", "[https://bank.example] (https://evil.example)"),
        ("[bank.example](https://evil.example)", "[bank.example] (https://evil.example)"),
        ("[访问bank.example吧](https://evil.example)", "[访问bank.example吧] (https://evil.example)"),
        ("[ba**nk**.example](https://evil.example)", "[ba**nk**.example] (https://evil.example)"),
        ("[bank&#46;example](https://evil.example)", "[bank&#46;example] (https://evil.example)"),
        ("[bank.example/a](https://bank.example/b)", "[bank.example/a] (https://bank.example/b)"),
        ("[https://bank.example](https://bank.example@evil.example)", None),
        ("[https://bank.example](https://bank.example.evil.example)", None),
        ("[help@bank.example](mailto:evil@evil.example)", None),
        ("[银行.中国](https://evil.example)", None),
        ("[аpple.example](https://pple.example)", None),
        ("[\u202eelpmaxe.knab](https://evil.example)", None),
        ("![https://bank.example](https://evil.example)", "[https://bank.example] (https://evil.example)"),
        ("[https://bank.example `[` ](https://evil.example)", "[https://bank.example `[` ] (https://evil.example)"),
        ("[https://bank.example `]` ](https://evil.example)", "[https://bank.example `]` ] (https://evil.example)"),
        ("[https://bank.example \\[ ](https://evil.example)", "[https://bank.example \\[ ] (https://evil.example)"),
        ("[https://bank.example &#91; ](https://evil.example)", None),
        ("[https://bank.example][1]", "[https://bank.example] [1]"),
        ("[https://bank.example]: https://evil.example", f"[https://bank.example]{P}: https://evil.example"),
        ("[click](javascript:alert(1))", "[click] (javascript:alert(1))"),
        ("[click](java&#115;cript:x)", "[click] (java&#115;cript:x)"),
        ("[click](<slack://open>)", f"[click] (<{P}slack://open>)"),
        ("[1]: file:///etc/passwd", f"[1]{P}: file:///etc/passwd"),
    ],
)
def test_a_link_that_deceives_shows_where_it_leads(written: str, sent: str | None) -> None:
    parted = neutralise(written)
    assert parted == sent if sent is not None else parted != written
    assert not re.search(r"\]\(", parted)


@pytest.mark.parametrize(
    "honest",
    [
        "[the site](https://example.com/a_(b)?c=d#e)",
        "[example.com](https://www.example.com/)",
        "[https://example.com/a…](https://example.com/a/very/long/path)",
        "[访问example.com吧](https://example.com)",
        "[README.md](https://host.example/blob/main/README.md) and [Node.js](https://nodejs.example)",
        "[me@corp.example](mailto:me@corp.example?subject=x)",
        "<https://example.com/a>",
        "[1]: https://example.com\n\nsee [this][1]",
        "[relative](./docs/a.md)",
        "看[文档](https://例子.example/路径)，谢谢。",
        "`[x](javascript:1)`",
        "```\nvec![1, 2]; map[key](value); [x]: string\n```",
        "std::vector<std::string> v; a<b; #include <stdio.h>",
        "```xml\n<soap:Envelope><xs:element/></soap:Envelope>\n```",
        "<!DOCTYPE html><!-- comment --><![CDATA[x]]>",
        "| 语言 | 用途 |\n|:---|---:|\n| `Rust` | 系统 |\n| [Go](https://go.example) | 服务 |",
        "# 标题\n\n1. 第一\n   - 第二\n\n> 引用 **重点** ~~删除~~\n\n- [ ] 任务\n- [x] 完成",
        "$a^2 + b_1 < c$ & 50% \\* 3",
        "2**8 == 256 and f(**kwargs)",
    ],
)
def test_what_is_harmless_stays_as_it_is(honest: str) -> None:
    assert neutralise(honest) == honest


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("![一张图](https://a.example/x.png)", "[一张图](https://a.example/x.png)"),
        ("![](https://a.example/x.png)", "[🖼](https://a.example/x.png)"),
        (
            "[![badge](https://a.example/b.svg)](https://b.example)",
            "[[badge](https://a.example/b.svg)] (https://b.example)",
        ),
        ("`![a](b)`", "`![a](b)`"),
        ("Wow!![a](b)", f"Wow!!{P}[a](b)"),
    ],
)
def test_images_become_links(written: str, sent: str) -> None:
    assert neutralise(written) == sent


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("**注意：**请看", f"**注意：**{THIN}请看"),
        ("看**“重点”**吧", f"看{THIN}**“重点”**{THIN}吧"),
        ("这是**重点**内容", "这是**重点**内容"),
        ("**重点**，**“甲”**。", "**重点**，**“甲”**。"),
        ("`**注意：**请`", "`**注意：**请`"),
        ("* **项目：**说明", f"* **项目：**{THIN}说明"),
    ],
)
def test_chinese_emphasis_gets_room_where_markdown_would_not_see_it(written: str, sent: str) -> None:
    assert neutralise(written) == sent


@pytest.mark.parametrize(
    ("begun", "sent"),
    [
        ("hi <", "hi "),
        ("hi <!", "hi "),
        ("hi @chan", "hi "),
        ("hi @chat", "hi @chat"),
        ("hi &lt", "hi "),
        ("a [link](https://exa", "a [link"),
        ("a [link] b", "a [link] b"),
        ("so **", "so "),
        ("![pict", ""),
        ("<https://exa", ""),
        ("x < 3", "x < 3"),
        ("<!DOCT", ""),
    ],
)
def test_what_is_not_clear_yet_is_held_back(begun: str, sent: str) -> None:
    assert stable(begun) == sent


def test_streamed_parts_agree_with_the_final_ones() -> None:
    text = ("第一段，@here 和 <!channel>。\n\n- [链接](https://a.example)\n- **要点：**说明\n\n" * 20) + "完"
    final = split(neutralise(text), 400)
    for end in range(0, len(text), 7):
        for shown, whole in zip(steady(stable(text[:end]), 400), final, strict=False):
            assert whole.startswith(shown)


def test_an_address_that_another_program_would_read_differently_is_no_agreement() -> None:
    assert disguised("https://bank.example", "https://evil.example\\@bank.example")
    assert not disguised("https://bank.example/", "https://bank.example")
    assert not disguised("the text", "https://bank.example")


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 100_000,
        "[](" * 100_000,
        "[" * 20_000 + "](x)" * 20_000,
        "`" * 500_000,
        "`a``b```c " * 20_000,
        "@" + "*" * 500_000,
        "@*h" * 60_000,
        "&amp;" * 60_000,
        "<a:" * 60_000,
        "![a" * 60_000,
        "](" + " " * 500_000,
        ("[" + "a." * 240 + "](x) ") * 300,
        "**是" * 40_000,
        "\\" * 300_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_texts_take_bounded_time(hostile: str) -> None:
    before = time.process_time()
    neutralise(hostile)
    stable(hostile)
    assert time.process_time() - before < 10
