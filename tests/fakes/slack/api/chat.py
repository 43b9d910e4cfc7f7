"""chat.postMessage, .postEphemeral, .update, .delete."""

from __future__ import annotations

import re

from tests.fakes.slack import sizes
from tests.fakes.slack.api.call import Answer, Call, Content, Method, content_of
from tests.fakes.slack.tiers import SPECIAL, TIER3, TIER4
from tests.fakes.slack.world import Channel, Message, SlackError

_URL = re.compile(r"https?://")


def post(call: Call) -> Answer:
    """Not idempotent: the same call again is a second message (facts 1.5)."""
    place = call.writable()
    message = _draft(call, place, content_of(call))
    message.subtype = "thread_broadcast" if message.thread_ts and call.flag("reply_broadcast") else ""
    message = call.slack.post(call.install, place, message)
    previews = call.flag("unfurl_links", default=True) or call.flag("unfurl_media", default=True)
    if call.slack.config.unfurls and previews and _URL.search(message.text):
        call.slack.unfurl(place.id, message.ts)
    return {"channel": place.id, "ts": message.ts, "message": call.slack.shown_message(message, metadata=True)}


def post_ephemeral(call: Call) -> Answer:
    """Only `user` sees it; it can't be updated or listed, and it is nobody's event (facts 5.16)."""
    place = call.writable()
    user = call.slack.user(call.required("user"))
    if user.id not in place.members:
        raise SlackError("user_not_in_channel")
    message = _draft(call, place, content_of(call))
    message.ephemeral_to = user.id
    message = call.slack.post(call.install, place, message)
    return {"message_ts": message.ts}


def update(call: Call) -> Answer:
    """`text` of more than 4,000 characters is refused (facts 0.9); blocks, attachments and metadata that aren't given
    stay (docs.slack.dev, chat.update); refused while the message streams (facts 1.4)."""
    place = call.channel()
    message = call.own(place, call.required("ts"), "cant_update_message")
    if place.archived:
        raise SlackError("is_inactive")
    if message.stream is not None and message.stream.state == "streaming":
        raise SlackError("streaming_state_conflict")
    if len(call.text("text")) > sizes.UPDATE_TEXT:
        raise SlackError("msg_too_long")
    content = content_of(call)
    before = call.slack.shown_message(message)
    if content.text:
        message.text, message.markdown = content.text, content.markdown
    if content.blocks is not None or content.markdown:
        message.blocks = content.blocks or []
    if content.attachments is not None:
        message.attachments = content.attachments
    message.metadata = content.metadata or message.metadata
    message.pings += content.pings
    message.rewritten = True
    message.edited_at = call.slack.now()
    if message.stream is not None and message.stream.state == "expired":
        message.stream.state = "stopped"
    call.slack.change(message, before)
    shown = call.slack.shown_message(message, metadata=True)
    return {"channel": place.id, "ts": message.ts, "text": message.text, "message": shown}


def delete(call: Call) -> Answer:
    """Only what the app wrote itself."""
    place = call.channel()
    message = call.own(place, call.required("ts"), "cant_delete_message")
    call.slack.remove(message)
    return {"channel": place.id, "ts": message.ts}


def thread_of(call: Call, place: Channel) -> str | None:
    """`thread_ts`, if it names a thread."""
    if not call.has("thread_ts"):
        return None
    return call.slack.thread_root(place.id, call.text("thread_ts")).ts


def look_of(call: Call) -> tuple[str, str]:
    """Name and icon of the message, for which there is a scope of its own (facts 2.5)."""
    username, icon = call.text("username"), call.text("icon_emoji") or call.text("icon_url")
    if username or icon:
        call.need("chat:write.customize")
    return username, icon


def _draft(call: Call, place: Channel, content: Content) -> Message:
    username, icon = look_of(call)
    return Message(
        channel=place.id,
        ts="",
        user="",
        team="",
        text=content.text,
        thread_ts=thread_of(call, place),
        username=username,
        icon=icon,
        blocks=content.blocks or [],
        attachments=content.attachments or [],
        metadata=content.metadata,
        markdown=content.markdown,
        pings=content.pings,
    )


METHODS = {
    # Counted per channel, see `tiers`.
    "chat.postMessage": Method(post, SPECIAL, ("chat:write",)),
    "chat.postEphemeral": Method(post_ephemeral, TIER4, ("chat:write",)),
    "chat.update": Method(update, TIER3, ("chat:write",)),
    "chat.delete": Method(delete, TIER3, ("chat:write",)),
}
