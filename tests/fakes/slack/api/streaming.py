"""chat.startStream, .appendStream, .stopStream."""

from __future__ import annotations

from tests.fakes.slack import streams
from tests.fakes.slack.api.call import Answer, Call, Method, invalid, metadata_of
from tests.fakes.slack.api.chat import look_of, thread_of
from tests.fakes.slack.tiers import TIER2, TIER4
from tests.fakes.slack.world import Channel, Message, SlackError


def start(call: Call) -> Answer:
    """In channels, the recipient must be named, with the workspace that they are from (facts 1.4, 5.12)."""
    place = call.writable()
    thread_ts = thread_of(call, place)
    if thread_ts is None and place.direct:
        raise SlackError("invalid_thread_ts")
    recipient = _recipient(call, place)
    if call.text("task_display_mode", "timeline") not in ("timeline", "plan"):
        raise invalid("invalid task_display_mode")
    username, icon = look_of(call)
    draft = Message(place.id, "", "", "", "", thread_ts=thread_ts, username=username, icon=icon)
    chunks = streams.chunks_of(call.text("markdown_text"), call.structure("chunks", "invalid_chunks"))
    message = streams.start(call.slack, call.install, place, draft, recipient, chunks)
    return {"channel": place.id, "ts": message.ts}


def append(call: Call) -> Answer:
    """Only to a stream of the caller's that lives."""
    message = _own(call)
    chunks = streams.chunks_of(call.text("markdown_text"), call.structure("chunks", "invalid_chunks"))
    streams.append(call.slack, message, chunks)
    return {"channel": message.channel, "ts": message.ts}


def stop(call: Call) -> Answer:
    """`session_status` is "active" unless it says otherwise (facts 2.4)."""
    message = _own(call)
    chunks = streams.chunks_of(call.text("markdown_text"), call.structure("chunks", "invalid_chunks"))
    blocks = call.structure("blocks", "invalid_blocks_format") or []
    status = call.text("session_status", "active")
    streams.stop(call.slack, call.install, message, chunks, blocks, metadata_of(call), status)
    shown = call.slack.shown_message(message, metadata=True)
    return {"channel": message.channel, "ts": message.ts, "message": shown}


def _own(call: Call) -> Message:
    return call.own(call.channel(), call.required("ts"), "message_not_owned_by_app")


def _recipient(call: Call, place: Channel) -> str:
    user, team = call.text("recipient_user_id"), call.text("recipient_team_id")
    if not place.direct:
        for name, value in (("recipient_user_id", user), ("recipient_team_id", team)):
            if not value:
                raise SlackError(f"missing_{name}")
    if user and team and call.slack.user(user).team != team:
        # Slack's word for it isn't known; it must be the person's own workspace.
        raise SlackError("user_not_found")
    return user


METHODS = {
    "chat.startStream": Method(start, TIER2, ("chat:write",)),
    "chat.appendStream": Method(append, TIER4, ("chat:write",)),
    "chat.stopStream": Method(stop, TIER2, ("chat:write",)),
}
