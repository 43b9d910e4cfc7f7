"""Markdown of the core → Markdown for Slack. Swapped for the renderer's when it is there."""

from __future__ import annotations

import re

from bot.messages import Final

_RINGS = re.compile(r"<(?=[!@#])")


def safe(text: str) -> str:
    return _RINGS.sub("<\u2060", text)


def composed(end: Final) -> str:
    blocks = [end.text] if end.text.strip() else []
    blocks += ["\n".join(end.notes)] if end.notes else []
    blocks += ["\n".join(f"{number}. {source}" for number, source in enumerate(end.sources, 1))] if end.sources else []
    return "\n\n".join(blocks)


def measure(text: str) -> int:
    """Bytes that a text takes at most when it is safe."""
    return len(text.encode("utf-8", "surrogatepass")) + 3 * text.count("<")
