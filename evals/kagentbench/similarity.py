"""How alike two texts are: the published scorer's ROUGE-L over mixed tokens."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from evals.kagentbench.tokens import Coder, CodesExhausted, compared

#: Added to the divisor by the ROUGE library against division by zero; a perfect match is 0.999999995 for it.
_EPSILON: Final = 1e-8
#: Words that a coder may remember before it is replaced by a new one, and texts whose tokens are remembered.
_MOST_WORDS: Final = 200_000
_MOST_TEXTS: Final = 2_000
_MOST_CHARACTERS: Final = 8_000_000
#: Pairs of tokens that are compared: some two seconds, and terabytes for the published scorer, which keeps a table.
_MOST_PAIRS: Final = 1 << 36

#: The length of the longest common subsequence.
Common = Callable[[str, str], int]


class TooLong(ValueError):
    """Two texts have so many tokens that comparing them would take minutes."""


def common_length(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """The length of the longest common subsequence, in plain Python.

    Bit-parallel (Hyyrö 2004): a bit of a long number per token of `first`, a few operations per token of `second`.
    """
    masks: dict[Hashable, int] = {}
    for place, token in enumerate(first):
        masks[token] = masks.get(token, 0) | 1 << place
    full = (1 << len(first)) - 1
    row = full
    for token in second:
        mask = masks.get(token)
        if mask is not None:
            met = row & mask
            row = (row + met | row - met) & full
    return len(first) - row.bit_count()


def fast_common() -> Common:
    """`common_length` as `rapidfuzz` has it where that is installed, some ten times as fast; else our own."""
    try:
        from rapidfuzz.distance.LCSseq import similarity
    except ImportError:  # pragma: no cover - a pinned dependency, but nothing needs it but speed
        return common_length
    return similarity


class Similarity:
    """Compares texts, and remembers the tokens of those that it has seen lately."""

    def __init__(self, common: Common | None = None) -> None:
        self._common = common or fast_common()
        self._coder = Coder()
        self._known: dict[str, str] = {}
        #: Of the texts that are known.
        self._characters = 0

    def score(self, label: Any, predicted: Any) -> float:
        """From 0 to almost 1. Values that aren't texts are compared as Python prints them.

        Raises `ValueError` as the published scorer does if either is blank but not empty, and `TooLong`.
        """
        label, predicted = str(label), str(predicted)
        if not label or not predicted:
            return 0.0
        check(label, predicted)
        try:
            first, second = self._code(label), self._code(predicted)
        except CodesExhausted:
            self._forget()
            return self._score_alone(label, predicted)
        _check_length(first, second)
        return f_value(self._common(first, second), len(first), len(second))

    def _code(self, text: str) -> str:
        code = self._known.get(text)
        if code is not None:
            return code
        if len(self._coder) > _MOST_WORDS:
            raise CodesExhausted
        if len(self._known) >= _MOST_TEXTS or self._characters > _MOST_CHARACTERS:
            self._known.clear()
            self._characters = 0
        code = self._known[text] = self._coder.code(text)
        self._characters += len(text)
        return code

    def _score_alone(self, label: str, predicted: str) -> float:
        """The score of two texts that the coder had no room for."""
        try:
            first, second = self._code(label), self._code(predicted)
        except CodesExhausted:
            self._forget()
            tokens = compared(label), compared(predicted)
            _check_length(*tokens)
            return f_value(common_length(*tokens), len(tokens[0]), len(tokens[1]))
        _check_length(first, second)
        return f_value(self._common(first, second), len(first), len(second))

    def _forget(self) -> None:
        self._coder = Coder()
        self._known.clear()
        self._characters = 0


def check(label: str, predicted: str) -> None:
    """Raises `ValueError` as the published scorer does if either is blank but not empty, and neither is empty."""
    if not label or not predicted:
        return
    if predicted.isspace():
        raise ValueError("Hypothesis is empty.")
    if label.isspace():
        raise ValueError("Reference is empty.")


def _check_length(first: Sequence[Hashable], second: Sequence[Hashable]) -> None:
    if len(first) * len(second) > _MOST_PAIRS:
        raise TooLong(f"texts of {len(first)} and {len(second)} tokens can't be compared")


def f_value(common: int, label: int, predicted: int) -> float:
    """The F-score of lengths in tokens."""
    precision, recall = common / predicted, common / label
    return 2 * ((precision * recall) / (precision + recall + _EPSILON))
