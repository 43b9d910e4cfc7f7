"""Where the values of a profile are set: places, from the general to the particular."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.messages import Target

Scope = Literal["default", "workspace", "channel", "thread"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where values are set."""

    scope: Scope
    #: "" for the default; `platform:workspace`; `platform:workspace:channel`; for a thread its conversation's key.
    key: str = ""


#: The place of the settings.
DEFAULT = Place("default")


def places(target: Target) -> tuple[Place, ...]:
    """The places whose values hold in a conversation, the general first, the default's included."""
    workspace = f"{target.platform}:{target.workspace}"
    found = (DEFAULT, Place("workspace", workspace), Place("channel", f"{workspace}:{target.channel}"))
    return found if target.thread is None else (*found, Place("thread", target.conversation_key))
