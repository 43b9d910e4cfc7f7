"""Every limit that Discord sets, in one place, each with where it is from.

"discord 1" means section 1 of the project's notes on Discord's platform, which were taken from the source of discord.py
2.7.1, Discord's API documentation (docs.discord.com) and what other people measured; no limit here was tried against
Discord itself. Sizes are in characters unless a name says bytes, times in seconds.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

# --- How often (discord 1, "REST rate limits")


class Window(NamedTuple):
    """So many calls within so many seconds, counted from the first of them."""

    calls: int
    seconds: float


#: Requests of one bot in a second; the answers to interactions don't count (docs, rate limits, global).
GLOBAL: Final = Window(50, 1.0)
#: What we use of it. The rest is for what goes past `rest.Rest`: the gateway's client, and other processes.
GLOBAL_USED: Final = Window(40, 1.0)
#: Of `GLOBAL_USED`, only for what can't wait.
GLOBAL_RESERVE: Final = 5
#: Messages in one channel, and edits in one channel: a bucket each. Not documented; the headers said so to others.
CHANNEL_MESSAGES: Final = Window(5, 5.0)
#: Names of one channel or thread; a limit inside the bucket of PATCH /channels/{id}. Not documented; what others saw.
RENAMES: Final = Window(2, 600.0)
#: Seconds after which a message is an old one, and between two edits of one that we make: how many there may be (code
#: 30046 above it) is not documented; what others saw was 30 an hour in one channel.
OLD_AFTER_S: Final = 3_600.0
OLD_EVERY_S: Final = 150.0
#: What is taken for granted before Discord's headers have said it. Any other route is called once at a time until then.
ASSUMED: Final[dict[str, Window]] = {
    "POST /channels/{channel_id}/messages": CHANNEL_MESSAGES,
    "PATCH /channels/{channel_id}/messages/{message_id}": CHANNEL_MESSAGES,
    "POST /webhooks/{webhook_id}/{webhook_token}": CHANNEL_MESSAGES,
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": CHANNEL_MESSAGES,
}


def sub_limit(method: str, path: str, json: Any) -> tuple[str, Window] | None:
    """The limit that this call has inside its bucket, which no header tells of; its name and size."""
    if method == "PATCH" and path == "/channels/{channel_id}" and isinstance(json, dict) and "name" in json:
        return "rename", RENAMES
    return None


#: 401, 403 and 429 (those of scope "shared" aside) of one address within so many seconds, beyond which Discord bans it
#: (docs, rate limits, invalid request limit).
INVALID_REQUESTS: Final = Window(10_000, 600.0)
#: How many of ours there may be before we stop calling.
INVALID_REQUESTS_USED: Final = 2_000
#: Seconds to wait after a 429 without a readable time, as Discord's protection against floods sends it.
RETRY_AFTER_DEFAULT_S: Final = 60.0
#: The longest rest that a 429 may demand of us; a longer one is looked at again after this.
RETRY_AFTER_MOST_S: Final = 900.0
#: IDENTIFYs of one bot in a day, from memory (docs, gateway, session start limit, says it at run time).
SESSION_STARTS_PER_DAY: Final = 1_000
#: Creations of commands in a day: code 30034 above it (docs, application commands).
COMMAND_CREATES_PER_DAY: Final = 200

# --- How much (discord 1, "Limits")

#: Of `content`. How Discord counts characters outside the BMP is not documented: leave room.
CONTENT: Final = 2_000
EMBED_DESCRIPTION: Final = 4_096
#: Of all embeds of one message together.
EMBEDS_TEXT: Final = 6_000
EMBEDS: Final = 10
EMBED_FIELDS: Final = 25
#: Of all text displays of a message with components of version 2.
LAYOUT_TEXT: Final = 4_000
LAYOUT_COMPONENTS: Final = 40
ROWS: Final = 5
BUTTONS_PER_ROW: Final = 5
CUSTOM_ID: Final = 100
BUTTON_LABEL: Final = 80
SELECT_OPTIONS: Final = 25
#: Of an option's label, value and description (docs, select menu option).
OPTION_TEXT: Final = 100
SELECT_PLACEHOLDER: Final = 150
MODAL_TITLE: Final = 45
MODAL_FIELDS: Final = 5
#: Of a text input, of a label in a modal and of its description.
TEXT_INPUT: Final = 4_000
MODAL_LABEL: Final = 45
MODAL_LABEL_DESCRIPTION: Final = 100
AUTOCOMPLETE_CHOICES: Final = 25
CHOICE_NAME: Final = 100
COMMAND_DESCRIPTION: Final = 100
#: Of names, descriptions and values of one command with all that is in it, localisations included.
COMMAND_TEXT: Final = 8_000
COMMANDS: Final = 100
FILES: Final = 10
#: Bytes of one file, and of one request; servers with boosts take more (docs, uploading files).
FILE_BYTES: Final = 10 * 1024 * 1024
#: Of an attachment's description (docs, attachment object).
FILE_DESCRIPTION: Final = 1_024
THREAD_NAME: Final = 100
#: Of a webhook's name for one message (docs, execute webhook).
WEBHOOK_NAME: Final = 80
#: Webhooks of one channel: code 30007 above it (docs).
WEBHOOKS_PER_CHANNEL: Final = 15
#: Of a nonce (docs, create message).
NONCE: Final = 25
#: Messages of one page (docs, get channel messages).
MESSAGES_PER_PAGE: Final = 100
#: Servers of one page (docs, get current user guilds).
SERVERS_PER_PAGE: Final = 200
AUDIT_REASON: Final = 512
#: Threads of a server that are not archived: code 160006 above it.
ACTIVE_THREADS: Final = 1_000
#: Minutes without a message until a thread is archived: what may be chosen, and what we choose.
AUTO_ARCHIVE_MINUTES: Final = (60, 1_440, 4_320, 10_080)
THREAD_ARCHIVE_MINUTES: Final = 1_440

# --- How long (discord 0, 1)

#: Seconds until an interaction must be answered.
ACK_S: Final = 3.0
#: Seconds that an interaction's token lives.
INTERACTION_S: Final = 900.0
#: Seconds that "… is typing" is shown.
TYPING_S: Final = 10.0
#: Seconds within which a repeated nonce gives the message that exists: "the past few minutes" (docs, create message).
NONCE_S: Final = 120.0
#: Seconds that an attachment's address is good for, from memory: what is wanted is loaded when it arrives.
ATTACHMENT_S: Final = 86_400.0
#: Seconds between two IDENTIFYs of one bucket (docs, gateway, rate limiting).
IDENTIFY_S: Final = 5.0
