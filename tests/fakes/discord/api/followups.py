"""Answers to an interaction: the first, and what follows within 15 minutes (facts 0.2)."""

from __future__ import annotations

from tests.fakes.discord import components, errors
from tests.fakes.discord import content as contents
from tests.fakes.discord.api.call import Answer, Call, Json, Method
from tests.fakes.discord.content import Content
from tests.fakes.discord.world import (
    AUTOCOMPLETE,
    CHAT_INPUT_COMMAND,
    COMMAND,
    COMPONENT,
    EPHEMERAL,
    LOADING,
    MODAL_SUBMIT,
    PING,
    REPLY,
    Channel,
    DiscordError,
    Interaction,
    Message,
    Reference,
)
from tests.fakes.discord.writing import compose, revise

# Callback types.
PONG, MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 1, 4, 5, 6, 7, 8, 9

#: Which callbacks each type of interaction may be answered with; 6 and 7 only where there is a message to update.
_ANSWERS = {
    PING: {PONG},
    COMMAND: {MESSAGE, DEFERRED, MODAL},
    COMPONENT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE},
}
_ORIGINAL = "@original"
_CHOICES, _CHOICE_NAME = 25, 100


def callback(call: Call) -> Answer | None:
    """The first answer: within three seconds, once."""
    discord = call.discord
    interaction = discord.interactions.get(call.ids["token"])
    if interaction is None or interaction.id != call.ids["interaction"]:
        raise errors.unknown_interaction()
    if interaction.answered is not None:
        raise DiscordError(400, 40060, "Interaction has already been acknowledged.")
    if discord.clock.now() - interaction.created_at > discord.config.interaction_ack:
        raise errors.unknown_interaction()
    kind = call.form.get("type")
    if kind not in _ANSWERS[interaction.type] or (kind in (6, 7) and not interaction.message_id):
        raise errors.bad_choice("type", ", ".join(str(one) for one in sorted(_ANSWERS[interaction.type])))
    message = _take(call, interaction, kind)
    interaction.answered, interaction.answered_at = kind, discord.clock.now()
    return _answer(call, interaction, kind, message) if call.flag("with_response") else None


def _take(call: Call, interaction: Interaction, kind: int) -> Message | None:
    """Do what a callback says; the message that it made or changed. Raises `DiscordError`, and then nothing is done."""
    data = call.form.get("data") or {}
    if kind == CHOICES:
        interaction.choices = _choices(data)
    if kind == MODAL:
        interaction.modal = components.check_modal(data)
    if kind == MESSAGE:
        message = _post(call, interaction, _content(call, data))
        interaction.original_id = message.id
        return message
    if kind == DEFERRED:
        return _promise(call, interaction, private=bool(int(data.get("flags") or 0) & EPHEMERAL))
    if kind in (DEFERRED_UPDATE, UPDATE):
        interaction.original_id = interaction.message_id
        message = call.discord.messages[interaction.message_id]
        if kind == UPDATE:
            if message.deleted_at is not None:
                raise errors.unknown_message()
            revise(call.discord, message, _content(call, data))
            call.discord.change(message, ours=True)
        return message
    return None


def _choices(data: Json) -> list[Json]:
    found = data.get("choices")
    if not isinstance(found, list) or len(found) > _CHOICES:
        raise errors.too_long("data.choices", _CHOICES)
    for number, choice in enumerate(found):
        if not 1 <= len(str(choice.get("name", ""))) <= _CHOICE_NAME:
            raise errors.bad_length(f"data.choices.{number}.name", 1, _CHOICE_NAME)
    return found


def _answer(call: Call, interaction: Interaction, kind: int, message: Message | None) -> Answer:
    about: Json = {"id": interaction.id, "type": interaction.type}
    resource: Json = {"type": kind}
    if message is not None:
        about |= {
            "response_message_id": message.id,
            "response_message_loading": bool(message.flags & LOADING),
            "response_message_ephemeral": bool(message.flags & EPHEMERAL),
        }
        resource["message"] = call.shown(message)
    return Answer({"interaction": about, "resource": resource}, 200)


# What comes through the interaction's token as a webhook's.


def is_interaction(call: Call) -> bool:
    """Whether the webhook is the app itself."""
    return call.ids["webhook"] == call.discord.app.id


def create(call: Call) -> Json:
    """A further message; the first one after a deferral takes its place, private if that was to be."""
    interaction = _open(call)
    content = _content(call, call.form)
    if not interaction.thinking or call.discord.messages[interaction.original_id].deleted_at is not None:
        message = _post(call, interaction, content, reply_to=interaction.original_id)
        interaction.followups.append(message.id)
        return call.shown(message)
    return call.shown(_fulfil(call, interaction, content))


def read(call: Call) -> Json:
    """One of its messages."""
    return call.shown(_message(call, _open(call)))


def edit(call: Call) -> Json:
    """Change one of its messages, private or not."""
    interaction = _open(call)
    message = _message(call, interaction)
    content = _content(call, call.form)
    if interaction.thinking and message.id == interaction.original_id:
        return call.shown(_fulfil(call, interaction, content))
    revise(call.discord, message, content)
    call.discord.change(message, ours=True)
    return call.shown(message)


def delete(call: Call) -> None:
    """Take one of its messages back."""
    interaction = _open(call)
    message = _message(call, interaction)
    interaction.thinking = interaction.thinking and message.id != interaction.original_id
    call.discord.remove(message, ours=True)


def _open(call: Call) -> Interaction:
    """The interaction, if it is answered and not over (facts 4.6)."""
    discord = call.discord
    interaction = discord.interactions.get(call.ids["token"])
    if interaction is None or interaction.answered is None:
        raise errors.unknown_webhook()
    if discord.clock.now() - interaction.created_at > discord.config.interaction_life:
        raise errors.invalid_webhook_token()
    return interaction


def _message(call: Call, interaction: Interaction) -> Message:
    name = call.ids["message"]
    name = interaction.original_id if name == _ORIGINAL else name
    message = call.discord.messages.get(name)
    known = name == interaction.original_id or name in interaction.followups
    if message is None or not known or message.deleted_at is not None:
        raise errors.unknown_message()
    return message


def _content(call: Call, body: Json) -> Content:
    return contents.read(body, call.uploads, file_size=call.discord.config.file_size, ephemeral=True)


def _draft(call: Call, interaction: Interaction, reply_to: str = "") -> Message:
    """An answer to a press is shown as a reply to the message that was pressed on."""
    pressed = reply_to or (interaction.message_id if interaction.type == COMPONENT else "")
    return Message(
        "",
        interaction.channel_id,
        call.bot,
        type=REPLY if pressed else CHAT_INPUT_COMMAND,
        reference=Reference(pressed, interaction.channel_id) if pressed else None,
        application_id=call.bot,
        interaction_id=interaction.id,
        ephemeral_to=interaction.user_id,
    )


def _place(call: Call, interaction: Interaction) -> Channel:
    return call.discord.channel(interaction.channel_id)


def _post(call: Call, interaction: Interaction, content: Content, reply_to: str = "") -> Message:
    message = compose(call.discord, _place(call, interaction), content, _draft(call, interaction, reply_to))
    return call.discord.post(message)


def _promise(call: Call, interaction: Interaction, *, private: bool) -> Message:
    """ "kagent is thinking…": a message that is there and empty."""
    message = _draft(call, interaction)
    message.id = call.discord.clock.snowflake()
    message.flags = LOADING | (EPHEMERAL if private else 0)
    message.ephemeral_to = interaction.user_id if private else ""
    interaction.original_id, interaction.thinking = message.id, True
    return call.discord.post(message)


def _fulfil(call: Call, interaction: Interaction, content: Content) -> Message:
    message = call.discord.messages[interaction.original_id]
    revise(call.discord, message, content, first=True)
    message.flags &= ~LOADING
    interaction.thinking = False
    call.discord.rung += message.pings
    call.discord.change(message, ours=True)
    return message


METHODS = {
    "POST /interactions/{interaction}/{token}/callback": Method(
        callback, "callback", token=False, major=("interaction", "token"), exempt=True
    ),
}
