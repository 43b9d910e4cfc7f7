"""Who the agent is in one place: name, bio, instructions and how it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from agent.language import Lang


@dataclass(frozen=True, slots=True)
class Profile:
    """One effective profile. Field names are those of KAgentSys where it has them."""

    agent_name: str = "kagentbot"
    #: An emoji, or the address of a picture for platforms that show one; "" for the platform's own.
    icon: str = ""
    agent_bio: str = ""
    agent_instructions: str = ""
    #: `auto` follows the language of the question.
    lang: Literal["auto"] | Lang = "auto"
    #: `("auto",)` means every tool, `("notool",)` none.
    tool_names: tuple[str, ...] = ("auto",)
    #: Most tool runs in one turn.
    max_iter_num: int = 5
    #: Name of the agent system (`agent.styles`); `auto` picks `router` for the demo model and `kuaiagent` otherwise.
    style: str = "auto"
    #: Name of the endpoint or model that is asked first; "" for the server's own order.
    model: str = ""
    #: Which messages of a thread are answered that don't mention the agent: `addressed` (while only one person besides
    #: it has spoken there, or when the message replies to it), `always`, or `mention` (none).
    follow: Literal["addressed", "always", "mention"] = "addressed"
    #: Where a question in a channel is answered, on platforms that leave the choice: in a thread that the answer opens,
    #: or in the channel itself.
    answer_in: Literal["thread", "channel"] = "thread"
    #: What happens to messages that arrive while a turn runs: each its own turn, or all in one.
    overlap: Literal["queue", "merge"] = "queue"
    #: `off` takes away every tool that would contact anything but the configured platform and model.
    network: Literal["on", "off"] = "on"


#: Every value that a profile has, in the order in which people are shown them.
FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Profile))


def overlay(base: Profile, values: Mapping[str, Any]) -> Profile:
    """`base` with these values (plain JSON) in place of its own; names that this program doesn't know are left out."""
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in FIELDS
    }
    return replace(base, **known)


def to_values(profile: Profile) -> dict[str, Any]:
    """All values of a profile as plain JSON."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(profile).items()}
