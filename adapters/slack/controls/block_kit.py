"""Small pieces of Block Kit, cut to Slack's sizes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.slack import limits
from adapters.slack.hearing.markup import escape
from agent.language import Lang, Text

Block = dict[str, Any]


def plain(text: str, most: int) -> Block:
    """Plain text; what doesn't fit ends with an ellipsis."""
    return {"type": "plain_text", "text": cut(text, most) or " ", "emoji": True}


def mrkdwn(text: str) -> Block:
    """Text in Slack's markup, which fits."""
    return {"type": "mrkdwn", "text": text or " "}


def section(text: str, accessory: Block | None = None) -> Block:
    """A paragraph in Slack's markup, of at most 3,000 characters."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return block if accessory is None else {**block, "accessory": accessory}


def header(text: str) -> Block:
    """A headline."""
    return {"type": "header", "text": plain(text, limits.HEADER_TEXT)}


def context(text: str) -> Block:
    """A small grey line in Slack's markup."""
    return {"type": "context", "elements": [mrkdwn(text)]}


DIVIDER: Block = {"type": "divider"}


def button(action_id: str, label: Text, lang: Lang, value: str, **more: Any) -> Block:
    """A button."""
    text = plain(label.say(lang), limits.BUTTON_TEXT)
    return {"type": "button", "action_id": action_id, "text": text, "value": value, **more}


def actions(*elements: Block) -> Block:
    """A row of things to press."""
    return {"type": "actions", "elements": list(elements)}


def option(text: str, value: str) -> Block:
    """One choice."""
    return {"text": plain(text, limits.OPTION_TEXT), "value": value}


def modal(
    title: Text, lang: Lang, blocks: Sequence[Block], *, close: Text, submit: Text | None = None, **more: Any
) -> Block:
    """A modal."""
    view: Block = {
        "type": "modal",
        "title": plain(title.say(lang), limits.VIEW_TITLE),
        "close": plain(close.say(lang), limits.VIEW_TITLE),
        "blocks": list(blocks)[: limits.BLOCKS_PER_VIEW],
        **more,
    }
    return view if submit is None else {**view, "submit": plain(submit.say(lang), limits.VIEW_TITLE)}


def cut(text: str, most: int) -> str:
    """The text, shortened to that many characters where it is longer."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def quoted(text: str, most: int) -> str:
    """Somebody's text as it stands for itself in Slack's markup, shortened: nothing in it means anything."""
    return unlinked(escape(cut(text, most)))


def unlinked(text: str) -> str:
    """Text without names that Slack would turn into calls by itself."""
    return (
        text.replace("@channel", "@\u200bchannel")
        .replace("@here", "@\u200bhere")
        .replace("@everyone", "@\u200beveryone")
    )
