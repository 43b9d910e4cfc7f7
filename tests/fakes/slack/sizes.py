"""What fits into a message, a view and a stream, and what Slack says when it doesn't (facts 2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.fakes.slack.world import SlackError

Block = dict[str, Any]

#: chat.postMessage `text` is cut here; chat.update refuses more than 4,000.
TEXT_CUT = 40_000
UPDATE_TEXT = 4_000
#: `markdown_text` of one call, one chunk of a stream, and all markdown blocks of a message together.
MARKDOWN = 12_000
#: All text of a message's blocks ("≈13.2 k").
BLOCKS_TEXT = 13_200
BLOCKS = 50
VIEW_BLOCKS = 100
ATTACHMENTS = 100
SECTION = 3_000
FIELDS, FIELD = 10, 2_000
HEADER = 150
CONTEXT, ACTIONS, CONTEXT_ACTIONS = 10, 25, 5
BUTTON_TEXT, VALUE, ID = 75, 2_000, 255
OPTIONS, OVERFLOW = 100, 5
INPUT = 3_000
PRIVATE_METADATA = 3_000
MODAL_TITLE = 24
VIEW_DEPTH = 3
PROMPTS = 4
LOADING_MESSAGES = 10
SESSION_TITLE = 200
CHARTS = 2
ALT_TEXT = 2_000

#: Block types that exist in slack_sdk 3.47, and the two that Slack has besides (facts 1.3).
TYPES = frozenset(
    {"section", "divider", "header", "image", "context", "actions", "input", "markdown", "rich_text", "table", "video"}
    | {"file", "call", "context_actions", "card", "carousel", "container", "alert", "plan", "task_card"}
    | {"auth_provider", "data_visualization", "data_table"}
)
#: Only in messages (docs.slack.dev, block reference).
MESSAGE_ONLY = frozenset({"markdown", "context_actions", "plan", "task_card", "table", "data_visualization"})

#: Rings somebody's phone: a person, a user group, @channel, @here, @everyone (facts 5.11).
_PING = re.compile(r"<(?:!(?:channel|here|everyone)\b[^>]*|!subteam\^\w+[^>]*|@[UW]\w+[^>]*)>")
#: Fields of blocks and of the objects in them that people read.
_READ = frozenset({"text", "title", "alt_text", "details", "output"})
_LINKED_NAME = re.compile(r"(?<!\w)@(?:channel|here|everyone)\b")


def check_markdown(text: str) -> None:
    """`markdown_text`, and the text of one chunk."""
    if len(text) > MARKDOWN:
        raise SlackError("msg_too_long")


def check_message_blocks(blocks: list[Block]) -> None:
    """The blocks of one message."""
    _check_blocks(blocks, BLOCKS, view=False)
    markdown = sum(len(block.get("text", "")) for block in blocks if block["type"] == "markdown")
    shown = sum(len(block.get("alt_text") or "") for block in blocks if block["type"] == "image")
    if markdown > MARKDOWN or shown + sum(len(text) for text in _texts(blocks)) > BLOCKS_TEXT:
        raise SlackError("msg_blocks_too_long")
    if sum(block["type"] == "data_visualization" for block in blocks) > CHARTS:
        raise _invalid("/blocks", f"no more than {CHARTS} data_visualization blocks")


def check_view(view: dict[str, Any], kind: str) -> None:
    """A modal or a Home; what is wrong with it is `invalid_arguments` with reasons."""
    try:
        if view.get("type") != kind:
            raise _invalid("/view/type", f"must be {kind}")
        if kind == "modal":
            _check_plain(view.get("title"), MODAL_TITLE, "/view/title")
            for name in ("submit", "close"):
                if view.get(name) is not None:
                    _check_plain(view[name], MODAL_TITLE, f"/view/{name}")
        if len(view.get("private_metadata") or "") > PRIVATE_METADATA:
            raise _invalid("/view/private_metadata", f"must be less than {PRIVATE_METADATA + 1} characters")
        if len(view.get("callback_id") or "") > ID:
            raise _invalid("/view/callback_id", f"must be less than {ID + 1} characters")
        blocks = view.get("blocks")
        if not isinstance(blocks, list):
            raise _invalid("/view/blocks", "is required")
        _check_blocks(blocks, VIEW_BLOCKS, view=True)
        if kind == "modal" and not view.get("submit") and any(block["type"] == "input" for block in blocks):
            raise _invalid("/view/submit", "is required when there is an input block")
    except SlackError as error:
        raise SlackError("invalid_arguments", response_metadata=error.more["response_metadata"]) from None


def readable(blocks: Iterable[Block]) -> str:
    """What people read in these blocks, one line per text; not what is said in place of pictures that they see."""
    return "\n".join(text for text in _texts(list(blocks)) if text)


def controls(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """What people can press or choose in these blocks: the elements that have an action id."""
    return [part for part in _parts(list(blocks)) if "action_id" in part]


def pings(texts: Iterable[str], *, link_names: bool = False) -> list[str]:
    """The mentions in these texts that ring."""
    found = [ping for text in texts for ping in _PING.findall(text)]
    return found + [name for text in texts for name in _LINKED_NAME.findall(text)] if link_names else found


def block_pings(blocks: Iterable[Block]) -> list[str]:
    """The mentions in blocks that ring: in mrkdwn and Markdown as text, in rich_text as elements."""
    found: list[str] = []
    for part in _parts(list(blocks)):
        if part.get("type") in ("mrkdwn", "markdown") and isinstance(part.get("text"), str):
            found += pings([part["text"]])
        elif part.get("type") == "user" and "user_id" in part:
            found.append(f"<@{part['user_id']}>")
        elif part.get("type") == "usergroup":
            found.append(f"<!subteam^{part.get('usergroup_id')}>")
        elif part.get("type") == "broadcast":
            found.append(f"<!{part.get('range')}>")
    return found


def _check_blocks(blocks: Any, most: int, *, view: bool) -> None:
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    if len(blocks) > most:
        raise _invalid("/blocks", f"no more than {most} items allowed")
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        where = f"/blocks/{number}"
        kind = block.get("type")
        if kind not in TYPES:
            raise _invalid(f"{where}/type", f"unsupported type: {kind}")
        if view and kind in MESSAGE_ONLY:
            raise _invalid(f"{where}/type", f"{kind} is not allowed in views")
        name = block.get("block_id")
        if name is not None and (name in seen or len(name) > ID):
            raise _invalid(f"{where}/block_id", "must be unique and short")
        seen.add(name or where)
        _check_block(block, where)
        for part in _parts(block):
            _check_element(part, where)


def _check_block(block: Block, where: str) -> None:
    kind = block["type"]
    if kind == "section":
        if "text" not in block and not block.get("fields"):
            raise _invalid(where, "text or fields is required")
        if "text" in block:
            _check_text(block["text"], SECTION, f"{where}/text")
        if len(block.get("fields", [])) > FIELDS:
            raise _invalid(f"{where}/fields", f"no more than {FIELDS} items allowed")
        for field in block.get("fields", []):
            _check_text(field, FIELD, f"{where}/fields")
    elif kind == "header":
        _check_plain(block.get("text"), HEADER, f"{where}/text")
    elif kind == "markdown":
        if not block.get("text"):
            raise _invalid(f"{where}/text", "must be more than 0 characters")
    elif kind in ("context", "actions", "context_actions"):
        most = {"context": CONTEXT, "actions": ACTIONS, "context_actions": CONTEXT_ACTIONS}[kind]
        elements = block.get("elements")
        if not isinstance(elements, list) or not 1 <= len(elements) <= most:
            raise _invalid(f"{where}/elements", f"must have 1 to {most} items")
        ids = [element["action_id"] for element in elements if "action_id" in element]
        if len(ids) != len(set(ids)):
            raise _invalid(f"{where}/elements", "action_id must be unique in a block")
    elif kind == "input":
        _check_plain(block.get("label"), FIELD, f"{where}/label")
        if not isinstance(block.get("element"), dict):
            raise _invalid(f"{where}/element", "is required")
    elif kind == "image":
        if not block.get("alt_text") or not (block.get("image_url") or block.get("slack_file")):
            raise _invalid(where, "alt_text and image_url or slack_file are required")
        if len(block["alt_text"]) > ALT_TEXT:
            raise _invalid(f"{where}/alt_text", f"must be less than {ALT_TEXT + 1} characters")
    elif kind == "data_visualization":
        _check_chart(block, where)


def _check_chart(block: Block, where: str) -> None:
    """Facts 2.4, 16 June 2026."""
    chart = block.get("chart")
    if not isinstance(chart, dict) or chart.get("type") not in ("bar", "line", "area", "pie"):
        raise _invalid(f"{where}/chart", "bar, line, area or pie is required")
    if not 0 < len(block.get("title") or "") <= 50:
        raise _invalid(f"{where}/title", "must be 1 to 50 characters")
    if chart["type"] == "pie":
        if not 1 <= len(chart.get("segments", [])) <= 12:
            raise _invalid(f"{where}/chart/segments", "must have 1 to 12 items")
        return
    categories = chart.get("axis_config", {}).get("categories", [])
    if not 1 <= len(categories) <= 20:
        raise _invalid(f"{where}/chart/axis_config/categories", "must have 1 to 20 items")
    series = chart.get("series", [])
    if not 1 <= len(series) <= 12 or any(not 0 < len(item.get("name") or "") <= 20 for item in series):
        raise _invalid(f"{where}/chart/series", "must have 1 to 12 items with names of 1 to 20 characters")


def _check_element(part: dict[str, Any], where: str) -> None:
    for name, most in (("action_id", ID), ("value", VALUE)):
        if isinstance(part.get(name), str) and len(part[name]) > most:
            raise _invalid(f"{where}/{name}", f"must be less than {most + 1} characters")
    kind = part.get("type")
    if kind == "button":
        _check_plain(part.get("text"), BUTTON_TEXT, f"{where}/text")
    elif kind == "overflow" and not 1 <= len(part.get("options", [])) <= OVERFLOW:
        raise _invalid(f"{where}/options", f"must have 1 to {OVERFLOW} items")
    elif kind in ("static_select", "multi_static_select") and "option_groups" not in part:
        if not 1 <= len(part.get("options", [])) <= OPTIONS:
            raise _invalid(f"{where}/options", f"must have 1 to {OPTIONS} items")
    elif kind == "plain_text_input" and len(part.get("initial_value") or "") > INPUT:
        raise _invalid(f"{where}/initial_value", f"must be less than {INPUT + 1} characters")
    elif kind == "feedback_buttons":
        for name in ("positive_button", "negative_button"):
            button = part.get(name)
            if not isinstance(button, dict) or not button.get("value"):
                raise _invalid(f"{where}/{name}", "is required")
            _check_plain(button.get("text"), BUTTON_TEXT, f"{where}/{name}/text")
    for option in part.get("options", []) if isinstance(part.get("options"), list) else []:
        _check_text(option.get("text"), BUTTON_TEXT, f"{where}/options")


def _check_text(text: Any, most: int, where: str) -> None:
    if not isinstance(text, dict) or text.get("type") not in ("mrkdwn", "plain_text"):
        raise _invalid(where, "must be a text object")
    if not isinstance(text.get("text"), str) or not 0 < len(text["text"]) <= most:
        raise _invalid(f"{where}/text", f"must be 1 to {most} characters")


def _check_plain(text: Any, most: int, where: str) -> None:
    if not isinstance(text, dict) or text.get("type") != "plain_text":
        raise _invalid(where, "must be plain_text")
    _check_text(text, most, where)


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in there, outermost first."""
    if isinstance(value, list):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _parts(item)


def _texts(value: Any) -> Iterator[str]:
    """Every text that people read, in order; not the labels of what they can press."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict) and "action_id" not in value:
        unread = {"alt_text"} if value.get("type") == "image" else set()
        for name, item in value.items():
            if name in unread:
                continue
            if name in _READ and isinstance(item, str):
                yield item
            else:
                yield from _texts(item)


def _invalid(pointer: str, why: str) -> SlackError:
    message = f"{why} [json-pointer:{pointer}]"
    return SlackError("invalid_blocks", errors=[message], response_metadata={"messages": [f"[ERROR] {message}"]})
