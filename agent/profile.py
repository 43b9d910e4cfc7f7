"""Who the agent is in one place: name, bio, instructions and how it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.language import Lang


@dataclass(frozen=True, slots=True)
class Profile:
    """One effective profile. Field names are those of KAgentSys where it has them."""

    agent_name: str = "kagentbot"
    agent_bio: str = ""
    agent_instructions: str = ""
    #: `auto` follows the language of the question.
    lang: Literal["auto"] | Lang = "auto"
    #: `("auto",)` means every tool, `("notool",)` none.
    tool_names: tuple[str, ...] = ("auto",)
    #: Most tool runs in one turn.
    max_iter_num: int = 5
    #: Name of the agent system (`agent.styles`); `auto` picks `router` for the demo model and `noagent` otherwise.
    style: str = "auto"
    #: What happens to messages that arrive while a turn runs: each its own turn, or all in one.
    overlap: Literal["queue", "merge"] = "queue"
