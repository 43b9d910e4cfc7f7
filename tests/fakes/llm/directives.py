"""What a test can ask of the fake, written into a message: `[fake:NAME]` or `[fake:NAME=VALUE]`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.fakes.llm import plans

#: Every name that `[fake:NAME]` or `[fake:NAME=VALUE]` may have, with what it does.
DIRECTIVES: Mapping[str, str] = {
    "first": "seconds until the first token",
    "gap": "seconds between tokens",
    "tokens": "number of tokens of the answer",
    "say": "the answer's text, word by word, in place of the usual one",
    "long": "an answer of this many characters",
    "finish": "the finish_reason",
    "hang": "take the request and never answer",
    "stall": "send this many tokens, then nothing more",
    "ping": "send response headers, then SSE comments every `gap` seconds and never a token",
    "empty": "200 without text: `bare` (no event at all), `done` (only [DONE]) or `stop` (a finish_reason, no text)",
    "garbage": "200 text/event-stream, then bytes that are no text",
    "badjson": "200 text/event-stream, then an event whose data is cut-off JSON",
    "html": "200 text/html",
    "status": "this HTTP status with an error body",
    "overflow": "400 context overflow as this kind of server says it (default: the own kind)",
    "retry": "429 with this Retry-After",
    "quota": "429 as OpenAI says that there is no money left: no Retry-After, and waiting won't help",
    "refuse": "OpenAI's refusal with this text, in place of content",
    "notemplate": "400, as vLLM says that the model has no chat template",
    "reset": "reset the connection after this many tokens; 0: before the response",
    "end": "end the response properly after this many tokens, without finish_reason and [DONE]",
    "error": "an error event after this many tokens",
    "reasoning": "this many reasoning_content deltas first",
    "think": "a <think> block of this many words first, in the text itself",
    "nousage": "no usage in the stream",
    "nooptions": "reject stream_options, as old servers do",
    "nomaxtokens": "reject max_tokens in favour of max_completion_tokens, as OpenAI's newer models do",
    "nostream": "ignore `stream` and answer with one JSON object",
    "when": "which calls the other directives are for: `answer`, `plan`, `plan2` (the second plan), `trial` (whether "
    "the server follows schemas), `all` but those. Without it: "
    "those in a message are for the `answer`, those set by `/control` for `all`",
    "plan": 'the plans, one after the other: `tool{"argument": "value"};tool2{…};…`; then `task_complete`, which is '
    "also what a planning call gets without this. `#n` in an argument is the plan's number. `tool{…}&tool2{…}` is one "
    "plan of two calls side by side (`more`)",
    "thought": "the thought of every plan",
    "badplan": "spoil the plans: `KIND`, or `KIND/TIMES` for the first so many planning calls of a question. "
    + "; ".join(f"`{name}`: {what}" for name, what in plans.BAD.items()),
}
#: Those that shape plans and never anything else, so `when` doesn't concern them (but `badplan`).
PLANNING = ("plan", "thought", "when")

DIRECTIVE = re.compile(r"\[fake:([a-z]+)(=)?")


def parse(text: str) -> dict[str, str]:
    """All directives in `text`. Raises `ValueError` for one that does not exist: a test with a typo must fail."""
    found: dict[str, str] = {}
    for match in DIRECTIVE.finditer(text):
        name, value = match[1], ""
        if name == "plan" and match[2]:
            value, _ = plans.read(text, match.end())
        elif "]" not in text[match.end() :]:
            continue
        elif match[2]:
            value = text[match.end() : text.index("]", match.end())]
        found[name] = value
    unknown = sorted(set(found) - set(DIRECTIVES))
    if unknown:
        raise ValueError(f"no such directive: {', '.join(unknown)}; there are {', '.join(DIRECTIVES)}")
    kind = found.get("badplan", "repeat").partition("/")[0]
    if kind not in plans.BAD:
        raise ValueError(f"no such bad plan: {kind}; there are {', '.join(plans.BAD)}")
    return found
