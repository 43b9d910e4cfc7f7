"""Everything that one run of the agent depends on, frozen before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.language import Lang, Text
from agent.llm.images import Image
from agent.profile import Profile


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question of this conversation and the answer that it got ("" if it got none)."""

    question: str
    answer: str
    #: When it was asked, which was "now" in its prompt; None where that isn't known.
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overheard:
    """Something that somebody said in the conversation, and not to the agent."""

    author: str
    text: str
    #: Aware, in the asker's zone.
    at: datetime


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks."""

    #: "" where only one person can be there.
    name: str = ""
    #: People of other workspaces and guests get no tools that change or reveal what is the workspace's own.
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A file that the question may be about: what is in it, or why that can't be read."""

    name: str
    media_type: str
    text: str = ""
    #: Whether the text is only the beginning.
    cut: bool = False
    #: Why there is nothing to read, for people and for the model.
    problem: Text | None = None
    #: A picture, for models that see.
    image: Image | None = None
    #: Whether it came with an earlier message, and the question has none of its own.
    earlier: bool = False


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
    asker: Asker = Asker()
    #: What else was said in the conversation, oldest first.
    overheard: tuple[Overheard, ...] = ()
    files: tuple[TaskFile, ...] = ()
