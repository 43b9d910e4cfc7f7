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
#: What may follow the full stop at a sentence's end.
_CLOSING: Final = "])}>\"'»”’ "
#: A text without any of these and without two equal letters of some words below has no word that isn't between blanks.
_SPECIAL: Final = re.compile("[-!\"#$%&'()*,.:;<>?@\\[\\]`{}«»“”‘’„]|[nN]{2}|[mM]{2}|[tT]{2}")

_OPENING_QUOTES: Final = re.compile("[«“‘„]|`+")
_STRAIGHT_OPENING: Final = re.compile(r"""([ (\[{<])(?:"|'')""")
_OPENING_APOSTROPHE: Final = re.compile(r"(?i)'(?!re|ve|ll|m|t|s|d|n)(\w)\b")
_COMMA_OR_COLON: Final = re.compile(r"([:,])(\D)")
_TWO_COMMAS: Final = re.compile(r"[:,]{2}")
_COMMA_BEFORE_WORD: Final = re.compile(r"[:,][^\d ]")
_DOTS: Final = re.compile(r"\.{2,}")
_AFTER_STOP: Final = re.compile(rf"([{re.escape(_CLOSING)}]*+)\s*+")
# What precedes is looked at only where there is an apostrophe, which is found fast.
_APOSTROPHE_AND_BLANK: Final = re.compile(r"'(?<=[^']') ")
_CLITIC: Final = re.compile(r"'(?<=[^' ]')[sSmMdD]? ")
_LONG_CLITIC: Final = re.compile(r"'(?<=[^' ]')(?:ll|LL|re|RE|ve|VE) ")
_LONG_CLITIC_OR_NOT: Final = re.compile(r"(?<=[^' ])(?:'(?:ll|LL|re|RE|ve|VE)|n't|N'T) ")
#: Words that are cut in two, by what is in them in lower case. An i has odd forms, too, that match when case is
#: ignored (Turkish ones), and so has an s; they are no part of that.
_TWO_WORDS: Final = (
    ("nnot", re.compile(r"(?i)\b(can)(not)\b")),
    ("gonna", re.compile(r"(?i)\b(gon)(na)\b")),
    ("wanna", re.compile(r"(?i)\b(wan)(na)(?=\s)")),
    ("mme", re.compile(r"(?i)\b(gim)(me)\b")),
    ("lemme", re.compile(r"(?i)\b(lem)(me)\b")),
    ("gotta", re.compile(r"(?i)\b(got)(ta)\b")),
)
_DOUBLED: Final = re.compile("[nN]{2}|[mM]{2}|[tT]{2}")
_TWO_WITH_APOSTROPHE: Final = (
    ("d'ye", re.compile(r"(?i)\b(d)('ye)\b")),
    ("more'n", re.compile(r"(?i)\b(more)('n)\b")),
)
_THIS_AND_THAT: Final = (re.compile(r"(?i) ('t)(is)\b"), re.compile(r"(?i) ('t)(was)\b"))


def words(sentences: Sequence[str]) -> list[str]:
    """The words of a text that has been cut into sentences, in order."""
    if len(sentences) == 1:
        sentence = sentences[0]
        return sentence.split() if _SPECIAL.search(sentence) is None else _padded(_opened(sentence), "").split()
    if any(_PART in sentence for sentence in sentences):
        return [word for sentence in sentences for word in words([sentence])]
    return _padded(_PART.join(map(_opened, sentences)), _PART).split()


def _padded(text: str, part: str) -> str:
    """The text with blanks between all words; `part` stands between its sentences, "" where there is one.

    The order of the rules is NLTK's, and matters.
    """
    if "`" in text or "“" in text or "‘" in text or "«" in text or "„" in text:
        text = _OPENING_QUOTES.sub(r" \g<0> ", text).replace("``", " `` ")
    straight, apostrophes = '"' in text, "'" in text
    doubled = apostrophes and "''" in text
    if straight or doubled:
        text = _STRAIGHT_OPENING.sub(r"\1 `` ", text)
    if apostrophes:
        text = _OPENING_APOSTROPHE.sub(r"' \1", text)
    if "." in text:
        text = part.join(map(_stop_apart, text.split(part))) if part else _stop_apart(text)
    if "," in text or ":" in text:
        text = _commas_apart(text)
    if ".." in text:
        text = _DOTS.sub(r" \g<0> ", text)
    for mark in ";@#$%&?!":
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    if apostrophes:
        text = _APOSTROPHE_AND_BLANK.sub(" ' ", text)
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
    if apostrophes:
        text = text.replace("''", " '' ")
    if straight:
        text = text.replace('"', " '' ")
    if apostrophes:
        text = _clitics_apart(text)
    return _two_words_apart(text, apostrophes)


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
    if at == len(sentence) - 1:
        return f"{sentence[:at]} . "
    after = _AFTER_STOP.fullmatch(sentence, at + 1)
    return sentence if after is None else f"{sentence[:at]} . {after[1]} "


def _commas_apart(text: str) -> str:
    """Commas and colons that no digit follows apart. A match takes the next character, which is then not looked at."""
    if text.count(", ") == text.count(",") and text.count(": ") == text.count(":"):
        return text.replace(", ", " , ").replace(": ", " : ")
    if _TWO_COMMAS.search(text) is None:  # else one may be taken as the other's next character
        text = text.replace(", ", " , ").replace(": ", " : ")
        if _COMMA_BEFORE_WORD.search(text) is not None:
            text = _COMMA_OR_COLON.sub(r" \1 \2", text)
    else:
        text = _COMMA_OR_COLON.sub(r" \1 \2", text)
    return f"{text[:-1]} {text[-1]} " if text.endswith((",", ":")) else text


def _clitics_apart(text: str) -> str:
    """Endings such as 's and n't apart. Two apostrophes in a row have blanks around them by now."""
    text = _CLITIC.sub(r" \g<0>", text)
    pattern = _LONG_CLITIC_OR_NOT if "n't " in text or "N'T " in text else _LONG_CLITIC
    return pattern.sub(r" \g<0>", text)


def _two_words_apart(text: str, apostrophes: bool) -> str:
    """Words such as cannot and 'tis in two."""
    lower = ""
    if text.isascii() or _DOUBLED.search(text) is not None:
        lower = text.lower()
        for trigger, pattern in _TWO_WORDS:
            if trigger in lower and (trigger != "mme" or "gimme" in lower or not text.isascii()):
                text = pattern.sub(r" \1 \2 ", text)
    if not apostrophes:
        return text
    lower = lower or text.lower()
    for trigger, pattern in _TWO_WITH_APOSTROPHE:
        if trigger in lower:
            text = pattern.sub(r" \1 \2 ", text)
    if lower.count("'t") > lower.count("n't") or "more'n" in lower:  # which has a blank behind it now
        for pattern in _THIS_AND_THAT:
            text = pattern.sub(r" \1 \2 ", text)
    return text
