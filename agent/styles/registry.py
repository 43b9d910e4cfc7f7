"""The agent systems by name."""

from __future__ import annotations

from agent.styles.base import Style
from agent.styles.noagent import NoAgent
from agent.styles.router.style import Router

#: What a profile's `style` may be, next to `auto`.
STYLES: dict[str, type[NoAgent] | type[Router]] = {style.name: style for style in (NoAgent, Router)}


def get(name: str, *, demo: bool) -> Style:
    """The style of that name; `auto` is `router` for the demo model, which can't plan, and `noagent` otherwise.

    Raises `ValueError`, which lists the names.
    """
    if name == "auto":
        return Router() if demo else NoAgent()
    if name not in STYLES:
        raise ValueError(f"style {name!r} is unknown; it can be: auto, {', '.join(sorted(STYLES))}")
    return STYLES[name]()
