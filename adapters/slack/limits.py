"""Every limit that Slack sets, in one place, each with where it is from.

"slack 2.1" means section 2.1 of the project's notes on Slack's platform, which were taken from docs.slack.dev and from
what other people measured; no limit here was tried against Slack itself. Sizes are in characters unless a name says
bytes, times in seconds.
"""

from __future__ import annotations

from typing import Final

from bot.budget import Rate

# --- How often (slack 2.1): per method, workspace and app.


def _tier(per_minute: int) -> Rate:
    """A method's bucket. Burst and refill together never pass the documented number in any minute; a fifth of the burst
    is for what can't wait (the end of an answer, Stop).
    """
    burst = round(per_minute * 0.3)
    return Rate(per_minute=per_minute - burst, burst=burst, reserve=burst * 0.2)


#: "20+ per minute".
TIER_2: Final = _tier(20)
#: "50+ per minute".
TIER_3: Final = _tier(50)
#: "100+ per minute".
TIER_4: Final = _tier(100)
#: Methods with a limit of their own that Slack calls "hundreds per minute": chat.postMessage in a whole workspace,
#: auth.test, assistant.threads.setStatus.
SPECIAL: Final = _tier(200)
#: About one message a second and channel, short bursts tolerated: three at once, then less than one a second.
CHANNEL_POST: Final = Rate(per_minute=57, burst=3, reserve=0.6)

METHODS: Final[dict[str, Rate]] = {
    "agents.sessions.rename": TIER_3,
    "agents.sessions.setStatus": TIER_3,
    "apps.connections.open": TIER_3,
    "assistant.threads.setStatus": SPECIAL,
    "assistant.threads.setSuggestedPrompts": TIER_4,
    "assistant.threads.setTitle": TIER_4,
    "auth.test": SPECIAL,
    "bots.info": TIER_3,
    "chat.appendStream": TIER_4,
    "chat.delete": TIER_3,
    "chat.postEphemeral": TIER_4,
    "chat.postMessage": SPECIAL,
    "chat.startStream": TIER_2,
    "chat.stopStream": TIER_2,
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.list": TIER_2,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "conversations.replies": TIER_3,
    "files.completeUploadExternal": TIER_4,
    "files.getUploadURLExternal": TIER_4,
    "files.info": TIER_4,
    "reactions.add": TIER_3,
    "team.info": TIER_3,
    "users.conversations": TIER_3,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
}
#: A method that is not listed: the tightest tier that any method of ours has.
UNKNOWN_METHOD: Final = TIER_2
#: Methods that also count as a message in their channel.
POSTS: Final = frozenset({"chat.postMessage", "chat.startStream"})
#: The last part of a channel's key.
POST: Final = "post"


def rate_of(key: str) -> Rate:
    """The bucket of a key of the budget: "T1/chat.update", or "T1/C1/post" for the messages of one channel."""
    name = key.rpartition("/")[2]
    return CHANNEL_POST if name == POST else METHODS.get(name, UNKNOWN_METHOD)


#: Seconds to wait after a 429 without a readable Retry-After (slack 2.1: Slack always sends one).
RETRY_AFTER_DEFAULT_S: Final = 30.0
#: Events that Slack delivers in an hour to one app in one workspace before it says `app_rate_limited` (slack 2.1).
EVENTS_PER_HOUR: Final = 30_000

# --- How much (slack 2.2)

#: Of `text` in chat.postMessage: recommended, and where Slack cuts.
TEXT_RECOMMENDED: Final = 4_000
TEXT_MOST: Final = 40_000
#: Of `text` in chat.update: above this it is msg_too_long.
UPDATE_TEXT: Final = 4_000
#: Of `markdown_text` in one call, and of all markdown blocks of one message together.
MARKDOWN_TEXT: Final = 12_000
MARKDOWN_BLOCKS: Final = 12_000
#: Of all blocks' text in one message, measured by others; above it is msg_blocks_too_long.
BLOCKS_TEXT: Final = 13_200
SECTION_TEXT: Final = 3_000
SECTION_FIELDS: Final = 10
FIELD_TEXT: Final = 2_000
HEADER_TEXT: Final = 150
#: Of what an image block says that it shows (docs.slack.dev, image block).
ALT_TEXT: Final = 2_000
BLOCKS_PER_MESSAGE: Final = 50
BLOCKS_PER_VIEW: Final = 100
CONTEXT_ELEMENTS: Final = 10
ACTIONS_ELEMENTS: Final = 25
CONTEXT_ACTIONS_ELEMENTS: Final = 5
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
#: Of an action_id, a block_id and a callback_id.
ID_TEXT: Final = 255
PRIVATE_METADATA: Final = 3_000
VIEW_TITLE: Final = 24
VIEWS_DEEP: Final = 3
PLAIN_TEXT_INPUT: Final = 3_000
SELECT_OPTIONS: Final = 100
#: Of an option's text and description (docs.slack.dev, option object).
OPTION_TEXT: Final = 75
SUGGESTED_PROMPTS: Final = 4
AGENT_DESCRIPTION: Final = 300
LOADING_MESSAGES: Final = 10
SESSION_TITLE: Final = 200
ATTACHMENTS: Final = 100
#: Bytes of UTF-8 in one streamed message, task rows included: others saw the end between 10,600 and 12,000, so we roll
#: over before.
STREAM_BYTES: Final = 9_000

# --- How long (slack 1.7, 2.2, 2.3, 2.4)

#: Seconds that a stream lives from its start, fed or not, as others saw it; and when we roll over.
STREAM_DIES_S: Final = 300.0
STREAM_SECONDS: Final = 240.0
#: Seconds until an event, a command or a click must be answered.
ACK_S: Final = 3.0
#: Seconds that a trigger_id opens a modal.
TRIGGER_S: Final = 3.0
#: A response_url takes so many posts within so many seconds.
RESPONSE_URL_POSTS: Final = 5
RESPONSE_URL_S: Final = 1_800.0
#: Seconds after which assistant.threads.setStatus clears itself, and after which a session stuck in `processing` does.
STATUS_CLEARS_S: Final = 120.0
SESSION_CLEARS_S: Final = 3_600.0
#: Deliveries after the first: at once, after about a minute, after about five; an hour each for a day with Delayed
#: Events.
EVENT_RETRIES: Final = 3
#: Seconds around now within which a request's signature is taken.
SIGNATURE_S: Final = 300.0
#: Sockets that one app may have open.
SOCKETS: Final = 10
#: Seconds between the `warning` that a socket will be closed and its end (docs.slack.dev, Socket Mode).
SOCKET_WARNING_S: Final = 10.0
#: Seconds that an authorisation code is good for (docs.slack.dev, OAuth v2).
OAUTH_CODE_S: Final = 600.0
