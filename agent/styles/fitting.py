"""Prompts that are longer than a model's window: a shorter fixed part, fewer old exchanges, less of what tools gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent import texts
from agent.language import Lang
from agent.llm.chat import ChatModel, ChatRequest, ModelError
from agent.llm.tokens import estimate, estimate_messages, most_tokens, upper_bound
from agent.styles.base import Ask, AskPlan, Excerpt, Variant

#: Tokens kept free for the reply where the request doesn't say how many it wants; never more than a quarter of the
#: window.
REPLY_TOKENS = 1024
#: Most of the window that the fixed part of a prompt may take while there is a shorter one.
FIXED_SHARE = 0.4
#: Of the room that files, the history and what tools gave share, what files get at least where it is too little.
FILES_SHARE = 0.6
#: Characters per token that no text has on the average: what is longer needn't be counted to be too long.
_MOST_PER_TOKEN = 8
#: Of what is kept of a file, the part that is its beginning.
_BEGINNING = 2 / 3
#: Times that a prompt is cut and counted; each time its estimate is corrected by what the count said.
_MOST_COUNTS = 6
#: Steps in which a cut is made smaller again; each halves what is left to gain.
_MOST_WIDER = 3
#: Less of the memory than this many characters says nothing.
_LEAST_MEMORY = 200


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits, and what was left out of it."""

    request: ChatRequest
    #: Messages of the history.
    left_out: int = 0
    #: Characters out of the middle of what tools gave.
    memory_cut: int = 0
    #: Characters out of the middle of each file.
    files_cut: tuple[int, ...] = ()


async def fit(asked: Ask | AskPlan, model: ChatModel, lang: Lang) -> Fitted:
    """The request for this model, whose window holds prompt and reply together.

    Raises `ModelError` (`context_overflow`) when not even the shortest system prompt and the last message fit.
    """
    variants = (Variant(asked.request, asked.least_window), *asked.smaller)
    first = await _roomiest(variants, model)
    for variant in variants[first:]:
        fitted = await _fitted(variant.request, asked, model, lang)
        if fitted is not None:
            return fitted
    tokens, window = await model.count(variants[-1].request.messages), model.context_tokens
    raise ModelError("context_overflow", f"{tokens} tokens without room for a reply, window {window}")


async def _fitted(request: ChatRequest, asked: Ask | AskPlan, model: ChatModel, lang: Lang) -> Fitted | None:
    """The request without what there is no room for; None if what has to stay is too long already."""
    memory, files, window = asked.memory, asked.files, model.context_tokens
    limit = window - (request.max_tokens if request.max_tokens is not None else min(REPLY_TOKENS, window // 4))
    limit -= upper_bound(request.reminder)
    fitted = kept = Fitted(request)
    if most_tokens(request.messages) <= limit:
        # Counting may be a call of the server, and most prompts fit by far.
        return fitted
    if sum(len(file.text) for file in files) > _MOST_PER_TOKEN * window:
        fitted = kept = squeeze(request, files, limit, lang, memory)
    for attempt in range(_MOST_COUNTS):
        counted = await model.count(fitted.request.messages)
        if counted <= limit:
            return await _widened(fitted, kept, memory, limit, model, lang) if fitted.memory_cut else fitted
        # The count corrects the estimate; each further attempt aims a little lower.
        ratio = counted / max(1, estimate_messages(fitted.request.messages))
        room = int(limit * (1 - 0.03 * attempt) / ratio)
        kept = squeeze(request, files, room, lang, memory)
        shorter = _cut_memory(kept, memory, room, lang)
        if shorter == fitted:
            break
        fitted = shorter
    return None


async def _widened(fitted: Fitted, kept: Fitted, memory: str, limit: int, model: ChatModel, lang: Lang) -> Fitted:
    """The same with more of the memory, if more of it fits: where texts are mixed, the part that was cut out may have
    had more tokens per character than the rest. `kept` is what the memory was cut in.
    """
    fits, too_much = len(memory) - fitted.memory_cut, len(memory)
    for _ in range(_MOST_WIDER):
        middle = (fits + too_much) // 2
        wider = _keep_ends(kept, memory, middle, lang)
        if await model.count(wider.request.messages) > limit:
            too_much = middle
        else:
            fits, fitted = middle, wider
    return fitted


async def _roomiest(variants: tuple[Variant, ...], model: ChatModel) -> int:
    """Which is the first way to ask that suits the window. It depends on the fixed part alone, so that all prompts of a
    conversation begin alike."""
    window = model.context_tokens
    for n, variant in enumerate(variants):
        if window < variant.least_window:
            continue
        fixed = [message for message in variant.request.messages if message.role == "system"]
        if most_tokens(fixed) <= window * FIXED_SHARE or await model.count(fixed) <= window * FIXED_SHARE:
            return n
    return len(variants) - 1


def squeeze(request: ChatRequest, files: Sequence[Excerpt], room: int, lang: Lang, memory: str = "") -> Fitted:
    """Shorten the files of the last message, and then leave out old exchanges, until the prompt has at most `room`
    tokens, by estimate.

    The files leave the history its place, but not more than the rest of `FILES_SHARE`.
    """
    if not files or most_tokens(request.messages) <= room:
        return replace(shorten(request, room), files_cut=(0,) * len(files))
    *before, last = request.messages
    without = last.content
    for file in files:
        without = without.replace(file.whole, f"{file.opening}{file.closing}", 1)
    fixed = [message for message in before if message.role == "system"]
    remembered = estimate(memory)
    room_left = room - estimate_messages((*fixed, replace(last, content=without))) + remembered
    history = estimate_messages(message for message in before if message.role != "system")
    least = int(FILES_SHARE * (room_left - min(remembered, room_left // 2)))
    shares = _shares([_size(file.text, room) for file in files], max(0, room_left - remembered - history, least))
    content, cut = last.content, []
    for file, (share, size) in zip(files, shares, strict=True):
        shorter, gone = (file.text, 0) if share >= size else _within(file.text, share, size, lang)
        cut.append(gone)
        content = content.replace(file.whole, f"{file.opening}{shorter}{file.closing}", 1)
    changed = replace(request, messages=(*before, replace(last, content=content)))
    return replace(shorten(changed, room), files_cut=tuple(cut))


def _size(text: str, room: int) -> int:
    """Tokens of a text, by estimate; for one that is much too long, by that of its beginning."""
    most = _MOST_PER_TOKEN * max(room, 1)
    return estimate(text) if len(text) <= most else int(estimate(text[:most]) * len(text) / most)


def _shares(sizes: Sequence[int], room: int) -> list[tuple[int, int]]:
    """How many tokens each gets, and has: what small ones don't need goes to the others."""
    shares = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    for place, n in enumerate(order):
        shares[n] = min(sizes[n], room // (len(order) - place))
        room -= shares[n]
    return list(zip(shares, sizes, strict=True))


def _within(text: str, share: int, size: int, lang: Lang) -> tuple[str, int]:
    """The text, which has `size` tokens, without so much of its middle that it has `share`; and how much that is."""
    keep = len(text) * share / size
    shorter, gone = _beginning_and_end(text, int(keep), lang)
    while gone < len(text) and (tokens := estimate(shorter)) > share:
        # The mark needs its place, and beginning and end may have more tokens per character than the rest.
        keep = min(keep - 16, keep * share / tokens)
        shorter, gone = _beginning_and_end(text, int(keep), lang)
    return shorter, gone


def _beginning_and_end(text: str, keep: int, lang: Lang) -> tuple[str, int]:
    """The text without its middle, with so many characters; and how many are missing."""
    if keep >= len(text):
        return text, 0
    kept = keep if keep >= _LEAST_MEMORY else 0
    head = int(kept * _BEGINNING)
    gone = len(text) - kept
    mark = texts.PROMPT_MEMORY_CUT.say(lang, left=gone)
    return f"{text[:head]}{mark}{text[head + gone :]}", gone


def shorten(request: ChatRequest, prompt_tokens: int) -> Fitted:
    """Leave out the oldest exchanges until the prompt has at most so many tokens, by estimate.

    What comes before the history, and the last message, stay however long they are. A request that is certainly short
    enough comes back as it is.
    """
    messages = request.messages
    # The estimate takes a millisecond for a long history.
    if most_tokens(messages) <= prompt_tokens:
        return Fitted(request)
    start = next((n for n, message in enumerate(messages) if message.role != "system"), 0)
    last = len(messages) - 1
    room = prompt_tokens - estimate_messages((*messages[:start], messages[last]))
    # An exchange is a question and its answer: half of one would only confuse.
    exchanges = [messages[n : n + 2] for n in range(start, last, 2)]
    first = start + 2 * _first_kept([estimate_messages(exchange) for exchange in exchanges], room)
    return Fitted(replace(request, messages=(*messages[:start], *messages[first:])), left_out=min(first, last) - start)


def _first_kept(sizes: Sequence[int], room: int) -> int:
    """Which of these exchanges is the first to stay, of so many tokens each.

    It is as if the conversation had been cut whenever it outgrew the room, each time to three quarters of it. So its
    beginning, and with it what a prefix cache keeps, stays the same for several turns.
    """
    first = total = 0
    for n, size in enumerate(sizes):
        total += size
        if total <= room:
            continue
        while first <= n and (total > room or (total > room * 3 // 4 and first < n)):
            total -= sizes[first]
            first += 1
    return first


def _cut_memory(fitted: Fitted, memory: str, room: int, lang: Lang) -> Fitted:
    """Take out the middle of the memory until the prompt has at most `room` tokens, by estimate."""
    excess = estimate_messages(fitted.request.messages) - room
    if excess <= 0 or not memory:
        return fitted
    per_character = max(estimate(memory) / len(memory), 0.01)
    mark = texts.PROMPT_MEMORY_CUT.say(lang, left=len(memory))
    keep = int(len(memory) - (excess + estimate(mark)) / per_character)
    return _keep_ends(fitted, memory, keep, lang)


def _keep_ends(fitted: Fitted, memory: str, keep: int, lang: Lang) -> Fitted:
    """The memory with so many characters, half of them from its beginning and half from its end."""
    half = keep // 2 if keep >= _LEAST_MEMORY else 0
    cut = len(memory) - 2 * half
    mark = texts.PROMPT_MEMORY_CUT.say(lang, left=cut)
    *before, last = fitted.request.messages
    kept = f"{memory[:half]}{mark}{memory[len(memory) - half :]}"
    changed = replace(last, content=last.content.replace(memory, kept, 1))
    return replace(fitted, request=replace(fitted.request, messages=(*before, changed)), memory_cut=cut)
