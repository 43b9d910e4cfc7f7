"""Which intents an event needs (facts 1: gateway)."""

from __future__ import annotations

GUILDS = 1 << 0
MEMBERS = 1 << 1
WEBHOOKS = 1 << 5
PRESENCES = 1 << 8
GUILD_MESSAGES = 1 << 9
GUILD_REACTIONS = 1 << 10
GUILD_TYPING = 1 << 11
DIRECT_MESSAGES = 1 << 12
DIRECT_REACTIONS = 1 << 13
DIRECT_TYPING = 1 << 14
MESSAGE_CONTENT = 1 << 15

#: The application's page has a switch for each.
PRIVILEGED = MEMBERS | PRESENCES | MESSAGE_CONTENT
#: All intents that exist: bits 0 to 16, 20, 21, 24, 25.
ALL = (1 << 17) - 1 | 1 << 20 | 1 << 21 | 1 << 24 | 1 << 25

#: Beginning of the event's name → the intent in a server, the intent in private. The first that fits counts; what fits
#: none comes without any intent, as interactions do.
_NEEDED = (
    ("MESSAGE_REACTION_", GUILD_REACTIONS, DIRECT_REACTIONS),
    ("MESSAGE_", GUILD_MESSAGES, DIRECT_MESSAGES),
    ("TYPING_START", GUILD_TYPING, DIRECT_TYPING),
    ("GUILD_MEMBER_", MEMBERS, MEMBERS),
    ("PRESENCE_UPDATE", PRESENCES, PRESENCES),
    ("WEBHOOKS_UPDATE", WEBHOOKS, WEBHOOKS),
    ("GUILD_", GUILDS, GUILDS),
    ("CHANNEL_PINS_UPDATE", GUILDS, DIRECT_MESSAGES),
    ("CHANNEL_", GUILDS, GUILDS),
    ("THREAD_", GUILDS, GUILDS),
)


def needed(event: str, *, private: bool) -> int:
    """The intent that a session needs to get this; 0: none."""
    for beginning, in_server, in_private in _NEEDED:
        if event.startswith(beginning):
            return in_private if private else in_server
    return 0
