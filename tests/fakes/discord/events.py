"""What the fake tells: one `Event` for every dispatch that the app's gateway sessions may get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Listener = Callable[["Event"], None]


class Event(NamedTuple):
    """A dispatch, whole: what a session may not read (`shapes.veiled`) or didn't ask for (intents) is up to the
    gateway. The app is in the server and sees the channel, or there would be no event."""

    #: "MESSAGE_CREATE", …
    type: str
    data: dict[str, Any]
    #: The server that it happened in, which decides on the shard; "": in private, which is for shard 0.
    guild: str = ""
    #: Whom a private one is for: the app's bot user; "" where there is a server.
    user: str = ""


class Events:
    """Hands every event to every listener, at once and in the order in which they arise, while the change is being
    made. A listener queues; it neither waits nor raises."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        #: What is held back; None: nothing is.
        self._held: list[Event] | None = None

    def subscribe(self, listener: Listener) -> None:
        """Tell `listener` from now on."""
        self._listeners.append(listener)

    def emit(self, event_type: str, data: dict[str, Any], *, guild: str = "", user: str = "") -> None:
        """Tell the members of a server, or one user."""
        event = Event(event_type, data, guild, user)
        if self._held is not None:
            self._held.append(event)
            return
        for listener in self._listeners:
            listener(event)

    def hold(self) -> None:
        """Tell nobody until `release`, so that a call is in the log before what follows from it."""
        self._held = []

    def release(self) -> None:
        """Tell what was held back."""
        held, self._held = self._held or [], None
        for event in held:
            for listener in self._listeners:
                listener(event)
