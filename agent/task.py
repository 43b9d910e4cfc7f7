"""Everything that one run of the agent depends on, frozen before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.language import Lang
from agent.profile import Profile


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question of this conversation and the answer that it got ("" if it got none)."""

    question: str
    answer: str
    #: When it was asked, which was "now" in its prompt; None where that isn't known.
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One question with its surroundings."""

    question: str
    #: Oldest first.
    history: tuple[Exchange, ...]
    profile: Profile
    #: Aware, in the asker's zone; "today" in the question means this day.
    now: datetime
    #: The language to answer in.
    lang: Lang
