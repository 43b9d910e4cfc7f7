"""A command on its way in, and what it has to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent.language import Lang
from bot.messages import Author, ReplyFile, Target


@dataclass(frozen=True, slots=True)
class Invocation:
    """Somebody gives a command."""

    target: Target
    author: Author
    #: What follows the agent's name, or the platform's own command; "" asks for help.
    words: str
    #: To answer in.
    lang: Lang
    #: Whether `target` is the conversation that is meant; else only its channel is.
    in_conversation: bool
    #: Whether nobody but the author is in the channel, as far as the adapter knows.
    direct: bool = False
    #: The command's own turn, where it has one, and when it was said, by the platform's time.
    turn_id: int | None = None
    said_at: datetime | None = None
    #: What stands before the words where it was given, such as "/kagent "; people are shown commands as they type them.
    lead: str = ""
    #: The words as they are typed where the command was given, which holds in threads, too; None: `lead` and the words.
    spelled: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class CommandReply:
    """What a command has to say."""

    #: Markdown.
    text: str
    #: Whether only the author is told.
    private: bool = True
    #: A form that the adapter may open besides or instead, where the platform has such; "" for none.
    opens: Literal["", "profile"] = ""
    #: Handed to the author.
    file: ReplyFile | None = None
