"""What a workspace may be found not to offer us. What is known is new after each installation, as the client is."""

from __future__ import annotations

from typing import Literal, TypeAlias

from adapters.chat import abilities

#: `status` and `session`: the two signs of work. `stop`: Slack's own Stop button. `stream`: streamed messages.
#: `persona`: the profile's name and icon.
Ability = Literal["status", "session", "stop", "stream", "persona"]

Abilities: TypeAlias = abilities.Abilities[Ability]
