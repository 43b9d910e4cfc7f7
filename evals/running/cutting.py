"""Making a prompt fit: the middle of what it quotes of earlier rounds goes first, as in the published scripts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

from agent.llm.tokens import estimate

#: Characters of the longest token that is worth thinking of: bounds what is looked at for so many tokens.
_CHARS_PER_TOKEN = 16


class Cut(NamedTuple):
    """A prompt that was looked at."""

    text: str
    #: Tokens that it lost; 0 where nothing was cut.
    tokens: int


class Tokenizer(Protocol):
    """The part of an `Asker` that knows tokens."""

    async def tokens(self, text: str) -> list[int] | None:
        """The ids of the text's tokens; None where the server can't tell."""

    async def text_of(self, tokens: list[int]) -> str | None:
        """The text of these tokens; None where the server can't tell."""

    async def count(self, text: str) -> int:
        """Tokens of the text, rather too many than too few."""


#: Tokens of a text, without asking anybody.
_Guess = Callable[[str], int]


async def fit(prompt: str, memory: str, limit: int | None, tokenizer: Tokenizer) -> Cut:
    """The prompt with at most `limit` tokens, if it can be.

    Where the memory stands in the prompt, its head and its tail are kept, so that the whole fits. Where it doesn't
    (its tokens are no part of the prompt's), head and tail of the whole prompt are. Nothing is cut where there is no
    memory, or where the prompt without it is too long already: then it is for the server to say so. Of an odd number
    of tokens the tail has one more.

    Exact, but for tokens that merge at the seam, with a server that tells its tokens; else by its count, or by an
    estimate that errs upwards.
    """
    if limit is None or not memory or len(prompt.encode(errors="replace")) <= limit:
        # No tokenizer makes more tokens of a text than it has bytes.
        return Cut(prompt, 0)
    ids = await tokenizer.tokens(prompt)
    total = await tokenizer.count(prompt) if ids is None else len(ids)
    if total <= limit:
        return Cut(prompt, 0)
    # As the server counts, where it does: it is asked about the whole, not about each piece.
    scale = total / max(1, estimate(prompt))

    def guess(text: str) -> int:
        return math.ceil(scale * estimate(text))

    begin = prompt.find(memory)
    memory_ids = await tokenizer.tokens(memory) if ids is not None and begin >= 0 else None
    if begin < 0 or (ids is not None and not (memory_ids and is_part(memory_ids, ids))):
        parts, cut, cut_ids, room = ("", ""), prompt, ids, limit
    else:
        parts, cut, cut_ids = (prompt[:begin], prompt[begin + len(memory) :]), memory, memory_ids
        room = limit - (total - (guess(memory) if cut_ids is None else len(cut_ids)))
    if room < 0:
        return Cut(prompt, 0)
    head, tail = halves(room)
    first = await _piece(cut, cut_ids, head, tokenizer, guess, of_end=False)
    last = await _piece(cut, cut_ids, tail, tokenizer, guess, of_end=True)
    return await _joined(parts, cut, first, min(last, len(cut) - first), total, limit, tokenizer)


def halves(tokens: int) -> tuple[int, int]:
    """Tokens of the head and of the tail that are kept."""
    return tokens // 2, tokens - tokens // 2


def is_part(part: list[int], whole: list[int]) -> bool:
    """Whether these tokens follow each other somewhere in the whole."""
    at = -1
    for _ in range(whole.count(part[0])):
        at = whole.index(part[0], at + 1)
        if whole[at : at + len(part)] == part:
            return True
    return False


async def _piece(
    text: str, ids: list[int] | None, tokens: int, tokenizer: Tokenizer, guess: _Guess, *, of_end: bool
) -> int:
    """Characters at the beginning (or end) of the text that so many tokens are."""
    if tokens <= 0:
        return 0
    if ids is not None:
        said = await tokenizer.text_of(ids[-tokens:] if of_end else ids[:tokens])
        # A token may end within a character.
        said = None if said is None else said.strip("\ufffd")
        if said and (text.endswith(said) if of_end else text.startswith(said)):
            return len(said)
    # By halving: the longest piece that is guessed to have no more.
    low, high = 0, min(len(text), _CHARS_PER_TOKEN * tokens) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if guess(text[len(text) - middle :] if of_end else text[:middle]) <= tokens:
            low = middle
        else:
            high = middle
    return low


async def _joined(
    parts: tuple[str, str], cut: str, first: int, last: int, total: int, limit: int, tokenizer: Tokenizer
) -> Cut:
    """Head and tail of `cut` between what stays; less of them while that is still too long."""
    before, after = parts
    while True:
        text = before + cut[:first] + cut[len(cut) - last :] + after
        ids = await tokenizer.tokens(text)
        left = await tokenizer.count(text) if ids is None else len(ids)
        if left <= limit or first + last == 0:
            return Cut(text, max(0, total - left))
        # A character less is a token less at most; so this ends, and mostly at once.
        over = left - limit
        first, last = max(0, first - over // 2), max(0, last - (over - over // 2) - (first < over // 2))
