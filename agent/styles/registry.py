"""The agent systems by name."""

from __future__ import annotations

from agent.journal import Journal
from agent.styles.base import Style
from agent.styles.kuaiagent.style import KuaiAgent
from agent.styles.noagent import NoAgent
from agent.styles.router.style import Router

#: What a profile's `style` may be, next to `auto`.
STYLES: dict[str, type[KuaiAgent] | type[NoAgent] | type[Router]] = {
    style.name: style for style in (KuaiAgent, NoAgent, Router)
}


def get(name: str, *, demo: bool) -> Style:
    """The style of that name; `auto` is `router` for the demo model, which can't plan, and `kuaiagent` otherwise.

    Raises `ValueError`, which lists the names.
    """
    if name == "auto":
        return Router() if demo else KuaiAgent()
    if name not in STYLES:
        raise ValueError(f"style {name!r} is unknown; it can be: auto, {', '.join(sorted(STYLES))}")
    return STYLES[name]()


def for_turn(name: str, journal: Journal, *, demo: bool) -> Style:
    """The style of a turn: that of its first plan, if an earlier attempt made one, whatever model answers by now.

    Raises like `get`.
    """
    first = journal.recall("plan/0")
    if name != "auto" or first is None or first.state != "done":
        return get(name, demo=demo)
    # Only rules keep a plan without the name of its style.
    return get(first.result.get("style", Router.name), demo=demo)
