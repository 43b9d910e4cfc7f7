"""What a person's own token (xoxp-…) may do: speak, change, delete, share a file, in that person's name."""

from __future__ import annotations

import mimetypes

from tests.fakes.slack import shapes
from tests.fakes.slack.api.call import Answer, Call, Method, invalid
from tests.fakes.slack.tiers import SPECIAL, TIER3, TIER4
from tests.fakes.slack.world import Channel, File, Message, SlackError, Upload


def auth_test(call: Call) -> Answer:
    """Whose token it is; no bot_id."""
    person = call.speaker
    workspace = call.slack.workspaces[person.team]
    return {"team": workspace.name, "team_id": person.team, "user": person.name, "user_id": person.id}


def post(call: Call) -> Answer:
    """A message like a typed one. Whether it names the app that the token is of, `config` says (facts 6)."""
    message = _say(call, _place(call), call.required("text"))
    return {"channel": message.channel, "ts": message.ts, "message": call.slack.shown_message(message)}


def update(call: Call) -> Answer:
    """Only what the person wrote."""
    message = _own(call, "cant_update_message")
    call.slack.edit(message.channel, message.ts, call.required("text"))
    return {"channel": message.channel, "ts": message.ts, "text": message.text}


def delete(call: Call) -> Answer:
    """Only what the person wrote."""
    message = _own(call, "cant_delete_message")
    call.slack.delete(message.channel, message.ts)
    return {"channel": message.channel, "ts": message.ts}


def open_direct(call: Call) -> Answer:
    """The DM with the app's bot."""
    install = call.slack.mine(call.speaker.team)
    if install is None or call.required("users") != install.bot_user:
        raise SlackError("user_not_found")
    return {"channel": {"id": call.slack.dm(call.speaker.team, call.speaker.id).id}}


def upload_url(call: Call) -> Answer:
    """First step: where the bytes go."""
    file_id = call.slack.new_file_id()
    length = call.number("length", 0)
    if length <= 0:
        raise invalid("invalid length")
    person = call.speaker
    call.slack.uploads[file_id] = Upload(person.team, person.id, call.required("filename"), length)
    return {"upload_url": f"{call.slack.origin}/files/upload/{file_id}", "file_id": file_id}


def complete(call: Call) -> Answer:
    """Third step: the person shares it in a channel."""
    wanted = call.structure("files")
    upload = call.slack.uploads.pop(wanted[0]["id"], None) if wanted else None
    if upload is None or upload.content is None or upload.user != call.speaker.id:
        raise SlackError("file_not_found")
    kind = mimetypes.guess_type(upload.name)[0] or "application/octet-stream"
    file = File(wanted[0]["id"], upload.team, upload.user, upload.name, kind, upload.content, title=upload.name)
    call.slack.files[file.id] = file
    _say(call, _place(call, "channel_id"), call.text("initial_comment"), [file.id])
    return {"files": [shapes.file(file, call.slack.origin)]}


def delete_file(call: Call) -> Answer:
    """Only the person's own."""
    file = call.slack.files.get(call.required("file"))
    if file is None or file.deleted:
        raise SlackError("file_not_found")
    if file.user != call.speaker.id:
        raise SlackError("cant_delete_file")
    file.deleted = True
    return {}


def _say(call: Call, place: Channel, text: str, files: list[str] | None = None) -> Message:
    person = call.speaker
    through = call.slack.mine(person.team) if call.slack.config.personal_bot_id else None
    thread = call.text("thread_ts") or None
    return call.slack.say(person.team, place.id, person.id, text, thread, files or (), through=through)


def _place(call: Call, name: str = "channel") -> Channel:
    place = call.slack.channel(call.required(name))
    if call.speaker.id not in place.members:
        raise SlackError("not_in_channel")
    return place


def _own(call: Call, otherwise: str) -> Message:
    message = call.slack.message(_place(call).id, call.required("ts"))
    if message.user != call.speaker.id:
        raise SlackError(otherwise)
    return message


PERSONAL = {
    "auth.test": Method(auth_test, SPECIAL),
    "chat.postMessage": Method(post, SPECIAL),
    "chat.update": Method(update, TIER3),
    "chat.delete": Method(delete, TIER3),
    "conversations.open": Method(open_direct, TIER3),
    "files.getUploadURLExternal": Method(upload_url, TIER4),
    "files.completeUploadExternal": Method(complete, TIER4),
    "files.delete": Method(delete_file, TIER3),
}
