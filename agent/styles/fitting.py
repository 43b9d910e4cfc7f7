"""Prompts that are longer than a model's window lose their oldest exchanges."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.llm.chat import ChatRequest, ModelError
from agent.llm.tokens import MESSAGE_OVERHEAD, estimate_messages, upper_bound

#: Tokens kept free for the reply where the request doesn't say how many it wants; never more than a quarter of the
#: window.
REPLY_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits, and how many messages were left out of it."""

    request: ChatRequest
    left_out: int = 0


def fit(request: ChatRequest, window: int) -> Fitted:
    """The request for a model whose prompt and reply may have `window` tokens together.

    Raises `ModelError` (`context_overflow`) when not even the system prompt and the last message fit.
    """
    reply = request.max_tokens if request.max_tokens is not None else min(REPLY_TOKENS, window // 4)
    fitted = shorten(request, window - reply)
    if fitted.request is not request:
        tokens = estimate_messages(fitted.request.messages)
        if tokens > window - reply:
            raise ModelError("context_overflow", f"about {tokens} tokens and {reply} for the reply, window {window}")
    return fitted


def shorten(request: ChatRequest, prompt_tokens: int) -> Fitted:
    """Leave out the oldest exchanges until the prompt has at most so many tokens.

    What comes before the history, and the last message, stay however long they are. A request that is certainly short
    enough comes back as it is.
    """
    messages = request.messages
    # The estimate takes a millisecond for a long history, and most histories fit by far.
    if sum(upper_bound(message.content) + MESSAGE_OVERHEAD for message in messages) <= prompt_tokens:
        return Fitted(request)
    start = next((n for n, message in enumerate(messages) if message.role != "system"), 0)
    first = last = len(messages) - 1
    room = prompt_tokens - estimate_messages((*messages[:start], messages[last]))
    while first > start:
        # An exchange is a question and its answer: half of one would only confuse.
        size = min(2, first - start)
        room -= estimate_messages(messages[first - size : first])
        if room < 0:
            break
        first -= size
    return Fitted(replace(request, messages=(*messages[:start], *messages[first:])), left_out=first - start)
