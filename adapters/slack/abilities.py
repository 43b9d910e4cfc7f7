"""What a workspace was found not to offer us, so that it isn't asked for again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal
from weakref import WeakKeyDictionary

from adapters.slack.api import SlackApi

#: `status` and `session`: the two signs of work. `stop`: Slack's own Stop button. `stream`: streamed messages.
#: `persona`: the profile's name and icon.
Ability = Literal["status", "session", "stop", "stream", "persona"]

#: Seconds after which it is tried again: an admin may have mended it meanwhile.
MEMORY_S: Final = 1_800.0


class Abilities:
    """One for the process. What is known goes with the client, which is new after each installation."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        #: Client → (ability, channel or "" for everywhere) → until when it is taken for lacking.
        self._lacking: WeakKeyDictionary[SlackApi, dict[tuple[Ability, str], float]] = WeakKeyDictionary()

    def lacks(self, api: SlackApi, ability: Ability, channel: str = "") -> None:
        """The workspace (or this channel of it) has refused this."""
        self._lacking.setdefault(api, {})[ability, channel] = self._monotonic() + MEMORY_S

    def has(self, api: SlackApi, ability: Ability, channel: str = "") -> bool:
        """Whether it is worth asking for."""
        lacking = self._lacking.get(api)
        if lacking is None:
            return True
        now = self._monotonic()
        return all(lacking.get((ability, where), 0.0) <= now for where in {"", channel})
