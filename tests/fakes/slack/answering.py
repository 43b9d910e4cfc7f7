"""What is posted to a response_url: five times in 30 minutes (facts 1.2, 2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.slack import sizes
from tests.fakes.slack.world import Message, SlackError

if TYPE_CHECKING:
    from tests.fakes.slack.state import Slack


def answer(slack: Slack, url: str, body: dict[str, Any]) -> None:
    """Post, replace or delete; logged as `answered` whatever comes of it. Raises `SlackError`."""
    secret = url.rpartition("/")[2]
    hook = slack.hooks.get(secret)
    about: dict[str, Any] = {"channel": hook.channel, "user": hook.user} if hook else {}
    slack.touched.clear()
    try:
        _answer(slack, secret, body)
    except SlackError as error:
        slack.log.write("answered", **about, arguments=body, accepted=False, error=error.code, shown=[])
        raise
    shown = [slack.seen(message) for message in slack.touched]
    slack.log.write("answered", **about, arguments=body, accepted=True, error=None, shown=shown)


def _answer(slack: Slack, secret: str, body: dict[str, Any]) -> None:
    hook = slack.hooks.get(secret)
    install = slack.mine(hook.team) if hook is not None else None
    if hook is None or install is None or slack.now() >= hook.until:
        raise SlackError("expired_url")
    if hook.left == 0:
        raise SlackError("used_url")
    original = slack.messages.get((hook.channel, hook.ts or ""))
    if body.get("delete_original"):
        hook.left -= 1
        if original is not None and original.deleted_at is None:
            slack.remove(original)
        return
    text, blocks = body.get("text") or "", body.get("blocks") or []
    if not text and not blocks and not body.get("attachments"):
        raise SlackError("no_text")
    sizes.check_message_blocks(blocks)
    hook.left -= 1
    rang = sizes.pings([text]) + sizes.block_pings(blocks)
    if body.get("replace_original") and original is not None and original.deleted_at is None:
        before = slack.shown_message(original)
        original.text, original.blocks, original.rewritten = text[: sizes.TEXT_CUT], slack.named(blocks), True
        original.pings += rang
        slack.change(original, before)
        return
    draft = Message(
        channel=hook.channel,
        ts="",
        user="",
        team="",
        text=text[: sizes.TEXT_CUT],
        thread_ts=body.get("thread_ts"),
        blocks=slack.named(blocks),
        metadata=body.get("metadata"),
        ephemeral_to="" if body.get("response_type") == "in_channel" else hook.user,
        pings=rang,
    )
    slack.post(install, slack.channels[hook.channel], draft)
