"""A person's message, as a test has it in its hand, and the reply to it."""

from __future__ import annotations

from typing import NamedTuple

from tests.fakes.discord.judge import Reply, replies
from tests.fakes.discord.replay import Place, Replay


class Said(NamedTuple):
    """A person's message."""

    #: Channel or thread that it is in.
    channel: str
    #: Its id alone.
    message: str
    #: Of a message in a thread: the channel of the thread.
    parent: str = ""
    guild: str = ""
    #: The marker at its end; "": it has none.
    marker: str = ""

    @property
    def id(self) -> str:
        """Its name in the log."""
        return f"{self.channel}/{self.message}"

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.parent, self.channel) if self.parent else Place(self.channel, "")

    @property
    def thread(self) -> str:
        """The thread that it is in, or that can be opened from it."""
        return self.channel if self.parent else self.message


def newest(replay: Replay, said: Said) -> Reply | None:
    """The latest reply that may answer this message: one that says so, or else one that names no other."""
    human = replay.humans.get(said.id)
    place = human.place if human is not None else said.place
    here = [one for one in replies(replay) if one.place == place and _after(one, said)]
    certain = [one for one in here if said.marker in one.markers or _replies_to(one, said.message)]
    others = [one for one in here if not one.markers]
    found = certain or others
    return found[-1] if found else None


def _after(reply: Reply, said: Said) -> bool:
    return int(reply.messages[0].message) > int(said.message)


def _replies_to(reply: Reply, message: str) -> bool:
    return any(one.reply_to == message for one in reply.messages)
