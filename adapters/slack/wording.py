"""Markdown of the core → Markdown for Slack. Swapped for the renderer's when it is there."""

from __future__ import annotations

import re

_RINGS = re.compile(r"<(?=[!@#])")


def safe(text: str) -> str:
    return _RINGS.sub("<\u2060", text)


def measure(text: str) -> int:
    """Bytes that a text takes at most when it is safe."""
    return len(text.encode("utf-8", "surrogatepass")) + 3 * text.count("<")
