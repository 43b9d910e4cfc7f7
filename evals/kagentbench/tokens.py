"""The tokens that the score compares, as text: one character stands for one token.

A text's words (`words`) become tokens in two more steps, both those of the published scorer: a word with a character
of Unicode's category Lo (Chinese, Japanese, Korean, Arabic and so on) falls into its characters, punctuation and
digits in it too; any other is cut once more where the ROUGE library sees the end of a sentence in it.

Tokens are compared for equality only. A token of one character stands for itself; longer ones are given characters
that Unicode has not assigned, so that two texts can be compared as strings, exactly and without hashing.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import Final

from evals.kagentbench.punkt import english
from evals.kagentbench.words import words

#: From here on characters stand for tokens; Unicode has next to none here, and those that a text has are replaced.
_FIRST_CODE: Final = 0x40000
_CODED: Final = re.compile("[\U00040000-\U0010ffff]")

#: The ROUGE library's sentence ends, in the order in which it applies them. Each takes the character behind it, too.
_CUTS: Final = (
    re.compile("([。！？?])([^”’])"),
    re.compile(r"(\.{6})([^”’])"),
    re.compile("(…{2})([^”’])"),
)
_MAY_CUT: Final = re.compile(r"[。！？?]|\.{6}|…{2}")


class CodesExhausted(Exception):
    """There are more different tokens than characters to stand for them (some 850,000): start a new `Coder`."""


class Coder:
    """Gives tokens their characters. Texts can be compared if one coder has coded both."""

    def __init__(self) -> None:
        self._codes = _Codes()

    def __len__(self) -> int:
        """How many different words it remembers."""
        return len(self._codes)

    def code(self, text: str) -> str:
        """The text's tokens as characters; "" only for blank texts. Raises `CodesExhausted`."""
        codes = self._codes
        return "".join([codes[word] for word in _words(text)])


def tokens(text: str) -> list[str]:
    """A text's tokens before the ROUGE library's cut: words, and characters of words with a character of Lo."""
    kinds = _Kinds()
    return [token for word in _words(text) for token in (word if kinds.has_lo(word) else (word,))]


def compared(text: str) -> list[str]:
    """A text's tokens as they are compared."""
    kinds = _Kinds()
    return [token for word in _words(text) for token in (word if kinds.has_lo(word) else _cut(word))]


def _words(text: str) -> list[str]:
    return words(english().sentences(text))


def _cut(word: str) -> Iterator[str]:
    if _MAY_CUT.search(word) is None:
        yield word
        return
    word += " "
    for pattern in _CUTS:
        word = pattern.sub(r"\1 \2", word)
    yield from word.split()


class _Kinds(dict[str, bool]):
    """Whether a character is of category Lo, in the tables of the running Python."""

    def __missing__(self, character: str) -> bool:
        found = self[character] = unicodedata.category(character) == "Lo"
        return found

    def has_lo(self, word: str) -> bool:
        return not word.isascii() and any(map(self.__getitem__, word))


class _Codes(dict[str, str]):
    """A word → the characters that stand for its tokens. Words of Lo stand for themselves and aren't kept."""

    def __init__(self) -> None:
        super().__init__()
        self._kinds = _Kinds()
        self._given: dict[str, str] = {}

    def __missing__(self, word: str) -> str:
        if self._kinds.has_lo(word):
            if _CODED.search(word) is None:
                return word
            return "".join(map(self._of_token, word))
        found = self[word] = "".join(map(self._of_token, _cut(word)))
        return found

    def _of_token(self, token: str) -> str:
        if len(token) == 1 and ord(token) < _FIRST_CODE:
            return token
        given = self._given
        if token not in given:
            code = _FIRST_CODE + len(given)
            if code > sys.maxunicode:
                raise CodesExhausted
            given[token] = chr(code)
        return given[token]
