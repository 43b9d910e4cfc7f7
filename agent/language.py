"""Which of the two languages a text is in, and texts that exist in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Lang = Literal["en", "zh"]

#: CJK Unified Ideographs, the block that Chinese prose is written in.
_HAN_FIRST, _HAN_LAST = "\u4e00", "\u9fff"


class Text(NamedTuple):
    """One sentence in both languages; `{name}` fields are filled by `say`."""

    en: str
    zh: str

    def say(self, lang: Lang, **fields: object) -> str:
        """The sentence in `lang` with its fields filled in."""
        template = self.zh if lang == "zh" else self.en
        return template.format(**fields) if fields else template

    def filled(self, **fields: object) -> Text:
        """The same with its fields filled in; fields that are texts stand there in the sentence's language."""
        english = {name: value.en if isinstance(value, Text) else value for name, value in fields.items()}
        chinese = {name: value.zh if isinstance(value, Text) else value for name, value in fields.items()}
        return Text(self.say("en", **english), self.say("zh", **chinese))


class TextError(Exception):
    """What people can mend; `text` is one sentence that says how. Each kind has a class of its own."""

    def __init__(self, text: Text, **fields: object) -> None:
        self.text = text.filled(**fields)
        super().__init__(self.text.en)


def detect(text: str, otherwise: Lang = "en") -> Lang:
    """`zh` when at least a tenth of the letters are Chinese, else `en`; `otherwise` where there are no letters at all.

    A tenth, because Chinese questions are full of Latin names and numbers, while English ones hardly ever quote
    Chinese.
    """
    han = sum(_HAN_FIRST <= ch <= _HAN_LAST for ch in text)
    letters = sum(ch.isalpha() for ch in text)
    if not letters:
        return otherwise
    return "zh" if han and han * 10 >= letters else "en"


def of_locale(environ: Mapping[str, str]) -> Lang:
    """The language of messages on a terminal, by the locale's variables in the order of POSIX."""
    locale = next(filter(None, (environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if locale.lower().startswith("zh") else "en"
