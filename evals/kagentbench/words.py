"""Cutting sentences into words as NLTK 3.8.1's `word_tokenize` does.

NLTK (https://www.nltk.org, Apache-2.0) runs some thirty substitutions over each sentence, each of which puts blanks
around something, and splits at blanks in the end. The same here, with three differences that change no result and
most of the time: a rule runs only where a character that it needs is present; all sentences of a text are worked on
at once, parted by a character that no rule crosses; and rules that would take quadratic time on hostile texts (the
full stop at a sentence's end) are written out. A test compares this with the rules taken literally.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

#: Stands between sentences while rules run: white space for Python, and like a sentence's end for every rule.
_PART: Final = "\x1e"
_CLOSING: Final = "])}>\"'"
_CLOSING_WIDE: Final = _CLOSING + "»”’ "

_OPENING_QUOTES: Final = re.compile("[«“‘„]|`+")
_STRAIGHT_OPENING: Final = re.compile(r"""([ (\[{<])(?:"|'')""")
_OPENING_APOSTROPHE: Final = re.compile(r"(?i)'(?!re|ve|ll|m|t|s|d|n)(\w)\b")
_COMMA_OR_COLON: Final = re.compile(r"([:,])(\D)")
_DOTS: Final = re.compile(r"\.{2,}")
_APOSTROPHE_AND_BLANK: Final = re.compile(r"([^'])' ")
_CLITIC: Final = re.compile(r"([^' ])('[sS]|'[mM]|'[dD]|') ")
_LONG_CLITIC: Final = re.compile(r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ")
#: A trigger in lower case, and what is cut in two where it is found.
_TWO_WORDS: Final = (
    ("cannot", re.compile(r"(?i)\b(can)(not)\b")),
    ("'ye", re.compile(r"(?i)\b(d)('ye)\b")),
    ("gimme", re.compile(r"(?i)\b(gim)(me)\b")),
    ("gonna", re.compile(r"(?i)\b(gon)(na)\b")),
    ("gotta", re.compile(r"(?i)\b(got)(ta)\b")),
    ("lemme", re.compile(r"(?i)\b(lem)(me)\b")),
    ("more'n", re.compile(r"(?i)\b(more)('n)\b")),
    ("wanna", re.compile(r"(?i)\b(wan)(na)(?=\s)")),
    ("'tis", re.compile(r"(?i) ('t)(is)\b")),
    ("'twas", re.compile(r"(?i) ('t)(was)\b")),
)
#: Letters that match others of the words above when case is ignored, though they aren't the same in lower case.
_ODD_CASES: Final = ("ſ", "ı", "İ", "\u212a")
_AFTER_STOP: Final = re.compile(rf"([{re.escape(_CLOSING_WIDE)}]*+)\s*+")


def words(sentences: Sequence[str]) -> list[str]:
    """The words of a text that has been cut into sentences, in order."""
    if len(sentences) == 1:
        return _padded(_opened(sentences[0]), "").split()
    if any(_PART in sentence for sentence in sentences):
        return [word for sentence in sentences for word in words([sentence])]
    return _padded(_PART.join(map(_opened, sentences)), _PART).split()


def _padded(text: str, part: str) -> str:
    """The text with blanks between all words; `part` stands between its sentences, "" where there is one.

    The order of the rules is NLTK's, and matters.
    """
    quoted = '"' in text or "''" in text
    if "`" in text or "“" in text or "‘" in text or "«" in text or "„" in text:
        text = _OPENING_QUOTES.sub(r" \g<0> ", text).replace("``", " `` ")
    if quoted:
        text = _STRAIGHT_OPENING.sub(r"\1 `` ", text)
    apostrophes = "'" in text
    if apostrophes:
        text = _OPENING_APOSTROPHE.sub(r"' \1", text)
    if "." in text:
        text = part.join(map(_stop_apart, text.split(part))) if part else _stop_apart(text)
    text = _commas_apart(text)
    if ".." in text:
        text = _DOTS.sub(r" \g<0> ", text)
    for mark in ";@#$%&?!":
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    if apostrophes and "' " in text:
        text = _APOSTROPHE_AND_BLANK.sub(r"\1 ' ", text)
    for mark in "*[](){}<>":
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    if "--" in text:
        text = text.replace("--", " -- ")
    text = f" {text} "
    if part:
        text = text.replace(part, f" {part} ")
    for mark in "»”’":
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    if quoted:
        text = text.replace("''", " '' ").replace('"', " '' ")
    if apostrophes:
        text = _LONG_CLITIC.sub(r"\1 \2 ", _CLITIC.sub(r"\1 \2 ", text))
    return _two_words_apart(text)


def _opened(sentence: str) -> str:
    """A quote at the very beginning opens."""
    return f" `` {sentence[1:]}" if sentence.startswith('"') else sentence


def _stop_apart(sentence: str) -> str:
    """The full stop at the end of a sentence, which may be followed by quotes and brackets, apart.

    Only the last full stop of a sentence can be the one, and not one of several in a row.
    """
    at = sentence.rfind(".")
    if at < 1 or sentence[at - 1] == ".":
        return sentence
    after = _AFTER_STOP.fullmatch(sentence, at + 1)
    return sentence if after is None else f"{sentence[:at]} . {after[1]} "


def _commas_apart(text: str) -> str:
    """Commas and colons that no digit follows apart. A match takes the next character, which is then not looked at."""
    commas, colons = text.count(","), text.count(":")
    if not commas and not colons:
        return text
    if text.count(", ") == commas and text.count(": ") == colons:  # the most frequent case, in less time
        return text.replace(", ", " , ").replace(": ", " : ")
    text = _COMMA_OR_COLON.sub(r" \1 \2", text)
    return f"{text[:-1]} {text[-1]} " if text.endswith((",", ":")) else text


def _two_words_apart(text: str) -> str:
    lower = text.lower()
    odd = not text.isascii() and any(letter in text for letter in _ODD_CASES)
    for trigger, pattern in _TWO_WORDS:
        if odd or trigger in lower:
            text = pattern.sub(r" \1 \2 ", text)
    return text
