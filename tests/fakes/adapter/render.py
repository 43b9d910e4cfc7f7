"""What a reply looks like on the fake platform: pure functions from drafts and finals to texts."""

from __future__ import annotations

from bot.messages import Draft, Final, StepView

_SIGNS = {"running": "…", "done": "+", "failed": "-"}


def draft(picture: Draft) -> str:
    """The text so far (before there is any, what the agent is doing), and what people are asked."""
    lines = [*map(_step, picture.steps), picture.status]
    text = picture.text if picture.text.strip() else "\n".join(line for line in lines if line)
    if picture.consent is None:
        return text
    return "\n\n".join(block for block in (text, picture.consent.question) if block)


def final(end: Final) -> str:
    """The whole reply. Whatever isn't an answer says so in a badge, the same in every language."""
    blocks = [end.text] if end.text.strip() else []
    blocks += ["\n".join(end.notes)] if end.notes else []
    blocks += ["\n".join(f"{number}. {source}" for number, source in enumerate(end.sources, 1))] if end.sources else []
    blocks += [f"[{end.outcome}]"] if end.outcome != "answered" or not blocks else []
    return "\n\n".join(blocks)


def buttons(end: Final) -> tuple[str, ...]:
    """What people can press below the end of a reply."""
    if end.outcome == "answered":
        return ("up", "down")
    return ("retry",) if end.can_retry else ()


def split(text: str, limit: int) -> list[str]:
    """The text in pieces of at most `limit` characters that, joined, are the text.

    Cut behind a paragraph, a line or a word where there is one in the second half, so that no piece is needlessly
    short. A cut depends only on the `limit` characters after the one before it: the pieces of a text that grows stay as
    they are, except for the last. A piece of nothing but white space is left out, because platforms refuse it.
    """
    pieces = []
    while len(text) > limit:
        cut = _cut(text[:limit])
        pieces.append(text[:cut])
        text = text[cut:]
    pieces.append(text)
    return [piece for piece in pieces if piece.strip()]


def _cut(head: str) -> int:
    """Where to cut a piece that is as long as it may be."""
    for boundary in ("\n\n", "\n", " "):
        found = head.rfind(boundary, len(head) // 2)
        if found >= 0:
            return found + len(boundary)
    return len(head)


def _step(step: StepView) -> str:
    return f"{_SIGNS[step.state]} {step.tool}" if step.tool else ""
