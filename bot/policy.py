"""Which messages the agent answers. It never butts in: what isn't clearly meant for it is only kept as context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.messages import Address, Author

#: Turns that other bots get in one conversation before a person has to speak again; otherwise two agents that answer
#: each other would go on for ever.
MOST_BOT_TURNS = 3


@dataclass(frozen=True, slots=True)
class Thread:
    """What is known of a conversation when a message arrives in it."""

    #: Whether it is a thread that the agent was called into; elsewhere only what names it is for it.
    joined: bool = False
    #: Told to be silent until it is mentioned again.
    muted: bool = False
    #: Whether people besides the author have spoken there, as far as is known.
    others: bool = False
    #: Whether there may be messages from before that nobody has read yet.
    past_unknown: bool = False
    #: Turns of other bots since a person last spoke.
    bot_turns: int = 0


def is_addressed(
    address: Address, author: Author, follow: Literal["addressed", "always", "mention"], thread: Thread
) -> bool:
    """Whether the agent shall answer."""
    if author.kind == "bot" and thread.bot_turns >= MOST_BOT_TURNS:
        return False
    if address.direct or address.mentions_us:
        return True
    # Of what bots write only what names the agent is for it.
    if author.kind == "bot" or thread.muted or address.mentions_others:
        return False
    if follow == "mention":
        return False
    if address.replies_to_us:
        return True
    if not thread.joined:
        return False
    return follow == "always" or not (thread.others or thread.past_unknown)
