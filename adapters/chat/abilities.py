"""What a place was found not to offer us, so that it isn't asked for again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar
from weakref import WeakKeyDictionary

#: What abilities are called: a `Literal` of the platform's own.
A = TypeVar("A", bound=str)

#: Seconds after which it is tried again: an admin may have mended it meanwhile.
MEMORY_S: Final = 1_800.0
#: Places of one client that are remembered before those whose time is over are thrown away.
_MOST: Final = 2_048


class Abilities(Generic[A]):
    """One for the process. What is known goes with the client that found it out."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        #: Client → (ability, place or "" for everywhere) → until when it is taken for lacking.
        self._lacking: WeakKeyDictionary[object, dict[tuple[A, str], float]] = WeakKeyDictionary()

    def lacks(self, client: object, ability: A, place: str = "") -> None:
        """The platform has refused this: in this place (a channel, a server), or to this client everywhere."""
        lacking, now = self._lacking.setdefault(client, {}), self._monotonic()
        if len(lacking) >= _MOST:
            for key in [key for key, until in lacking.items() if until <= now]:
                del lacking[key]
        lacking[ability, place] = now + MEMORY_S

    def has(self, client: object, ability: A, *places: str) -> bool:
        """Whether it is worth asking for, where all of these places have to offer it."""
        lacking = self._lacking.get(client)
        if lacking is None:
            return True
        now = self._monotonic()
        return all(lacking.get((ability, place), 0.0) <= now for place in {"", *places})
