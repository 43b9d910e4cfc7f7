"""Everything that people read on chat platforms exists in both languages, and names no platform by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.chat import labels, texts
from adapters.chat.platform import Platform
from adapters.slack import texts as slack_texts
from agent.language import Text, detect


def said() -> Iterator[tuple[str, Text]]:
    """Every text that people meet here."""
    for module in (texts, labels, slack_texts):
        for name, value in vars(module).items():
            if isinstance(value, Text):
                yield name, value
            elif isinstance(value, dict):
                for key, inner in value.items():
                    if isinstance(inner, Text):
                        yield f"{name}.{key}", inner
                    elif isinstance(inner, dict):
                        yield from ((f"{name}.{key}.{one}", text) for one, text in inner.items())


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=name) for name, text in said()])
def test_every_text_exists_in_both_languages(name: str, text: Text) -> None:
    assert detect(text.en) == "en"
    # What has no words of its own, such as "{who}, {when}", has none in Chinese either.
    words = "".join(part.split("}")[-1] for part in text.en.split("{"))
    assert any("\u4e00" <= ch <= "\u9fff" for ch in text.zh) == any(ch.isalpha() for ch in words)
    fields = [part.split("}")[0] for part in text.en.split("{")[1:]]
    assert sorted(fields) == sorted(part.split("}")[0] for part in text.zh.split("{")[1:])


def test_the_common_words_name_no_platform() -> None:
    for module in (texts, labels):
        for value in vars(module).values():
            said = repr(value) if isinstance(value, Text | dict) else ""
            assert "slack" not in said.lower()
            assert "discord" not in said.lower()


def test_a_platform_puts_its_own_words_in() -> None:
    platform = Platform("there", "There", Text("server", "服务器"), Text("thread", "子区"))
    assert platform.named(texts.BUSY).en.startswith("There can't be reached")
    assert "整个服务器" in platform.named(texts.WORKSPACE).zh
    assert platform.named(texts.THREAD).zh == "本子区"
    # Other fields are filled when it is said.
    assert platform.named(texts.ORIGINS["workspace"]).say("en", version=3) == "server, version 3"
