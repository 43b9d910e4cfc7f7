"""files.getUploadURLExternal, .completeUploadExternal, .info; the bytes themselves go through `web`."""

from __future__ import annotations

import mimetypes
from typing import Any

from tests.fakes.slack import shapes, sizes
from tests.fakes.slack.api.call import Answer, Call, Method, invalid
from tests.fakes.slack.api.chat import thread_of
from tests.fakes.slack.tiers import TIER4
from tests.fakes.slack.world import File, Message, SlackError, Upload


def upload_url(call: Call) -> Answer:
    """First step: where the bytes go."""
    name, length = call.required("filename"), call.number("length", 0)
    if length <= 0:
        raise invalid("invalid length")
    file_id = call.slack.new_file_id()
    call.slack.uploads[file_id] = Upload(call.install.team, call.install.bot_user, name, length)
    return {"upload_url": f"{call.slack.origin}/files/upload/{file_id}", "file_id": file_id}


def complete(call: Call) -> Answer:
    """Third step: from now on they are files, shared in a channel if one is named. `channel_id` is an id, never a
    name (facts 1.5)."""
    wanted = call.structure("files")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, dict) and "id" in one for one in wanted):
        raise invalid("missing required field: files")
    for one in wanted:
        upload = call.slack.uploads.get(one["id"])
        if upload is None or upload.content is None or upload.user != call.install.bot_user:
            raise SlackError("file_not_found")
    named = "channel_id" if call.has("channel_id") else "channels"
    place = call.writable(named) if call.has(named) else None
    thread_ts = thread_of(call, place) if place is not None else None
    files = [_completed(call, one) for one in wanted]
    if place is not None:
        comment = call.text("initial_comment")
        for file in files:
            file.channels.add(place.id)
        rang = sizes.pings([comment])
        draft = Message(place.id, "", "", "", comment, thread_ts=thread_ts, subtype="file_share", pings=rang)
        draft.files = [file.id for file in files]
        call.slack.post(call.install, place, draft)
    return {"files": [_shown(call, file) for file in files]}


def info(call: Call) -> Answer:
    """A file of a workspace that the caller reaches, or one shared where its bot is."""
    file = readable(call, call.required("file"))
    return {"file": _shown(call, file), "comments": [], "response_metadata": {"next_cursor": ""}}


def readable(call: Call, name: str) -> File:
    """The file, if the caller may see it."""
    file = call.slack.files.get(name)
    if file is None or file.deleted:
        raise SlackError("file_not_found")
    shared = any(call.install.bot_user in call.slack.channels[channel].members for channel in file.channels)
    if not call.slack.sees(call.install, file.team) and not shared:
        raise SlackError("file_not_found")
    return file


def _shown(call: Call, file: File) -> Answer:
    return shapes.file(file, call.slack.origin, ready=call.slack.now() >= file.ready_at)


def _completed(call: Call, wanted: dict[str, Any]) -> File:
    upload = call.slack.uploads.pop(wanted["id"])
    kind = mimetypes.guess_type(upload.name)[0] or "application/octet-stream"
    file = File(wanted["id"], upload.team, upload.user, upload.name, kind, upload.content or b"")
    file.title = wanted.get("title") or upload.name
    file.ready_at = call.slack.now() + call.slack.config.file_processing
    call.slack.files[file.id] = file
    return file


METHODS = {
    "files.getUploadURLExternal": Method(upload_url, TIER4, ("files:write",)),
    "files.completeUploadExternal": Method(complete, TIER4, ("files:write",)),
    "files.info": Method(info, TIER4, ("files:read",)),
}
