"""Which messages the agent answers, and who may do what.

It never butts in: what isn't clearly meant for it is only kept as context. docs/policy.md tells it for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

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


#: `operator`: named in the settings. `admin`: the platform says that they administer the workspace. `guest`: guests,
#: people of other workspaces, bots, and whoever the platform can't or won't describe.
Role = Literal["operator", "admin", "member", "guest"]
Action = Literal[
    "benchmark",  # run benchmarks
    "profile",  # set any value of a profile, at any place of this conversation
    "tune",  # set values that grant nothing (`TUNABLE`) for one thread, or any but those that grant (`GRANTING`) for
    # a conversation in which nobody else is
    "count",  # see what others used
    "erase",  # delete a conversation in which others have spoken; where nobody has, whoever may `tune` may
]
_ADMINS: Final = frozenset[Role](("operator", "admin"))
#: Who may do what. Everybody may do what isn't here: ask, stop, begin anew, send the agent away, look at profiles,
#: tools, models and their own usage, export what they can read, and have their own data deleted.
MAY: Final[Mapping[Action, frozenset[Role]]] = {
    "benchmark": frozenset(("operator",)),
    "profile": _ADMINS,
    "tune": _ADMINS | {"member"},
    "count": _ADMINS,
    "erase": _ADMINS,
}
#: Values of a profile that shape answers. Whoever writes in a thread could ask for the same with every message.
TUNABLE: Final = frozenset(("lang", "model", "style", "follow", "overlap"))
#: Values that decide what an answer may reach or cost: only administrators loosen what administrators have set.
GRANTING: Final = frozenset(("tool_names", "network", "max_iter_num"))


def may(role: Role, action: Action) -> bool:
    """Whether somebody in this role may do that."""
    return role in MAY[action]
