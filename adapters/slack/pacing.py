"""How often each answer in the making may change: the workspace's calls, shared fairly between all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from weakref import WeakKeyDictionary

from adapters.slack import limits
from adapters.slack.api import SlackApi

#: How an answer grows: by appends to a stream, or by edits.
Way = Literal["chat.appendStream", "chat.update"]

#: Seconds between two changes of one answer beyond which it is not worth showing drafts: the next one is posted at
#: once, when it is complete.
_SLOWEST_S: Final = 10.0
#: Seconds without a look at `is_due` after which an answer doesn't count: its tool takes long, or its process is
#: gone from it.
_IDLE_S: Final = 15.0


@dataclass(slots=True)
class _Member:
    asked_at: float
    changed_at: float = float("-inf")


class Pacing:
    """One for the process. Answers are told apart by the objects that stand for them, and forgotten with them."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._members: dict[tuple[str, Way], WeakKeyDictionary[object, _Member]] = {}
        #: Streams that are being started, by workspace: their call hasn't taken its token yet.
        self._starting: dict[str, int] = {}

    def may_stream(self, api: SlackApi) -> bool:
        """Whether one more stream can be started, fed and stopped."""
        starting = self._starting.get(api.identity.workspace, 0)
        enough = min(api.left("chat.startStream"), api.left("chat.stopStream")) - starting >= 1.0
        return enough and self._has_room(api, "chat.appendStream")

    def may_edit(self, api: SlackApi, channel: str) -> bool:
        """Whether one more message can be posted now and edited while it grows."""
        return api.left("chat.postMessage", channel) >= 1.0 and self._has_room(api, "chat.update")

    def joins(self, api: SlackApi, way: Way, answer: object) -> None:
        """This answer grows in this way from now on."""
        now = self._monotonic()
        self._of(api, way)[answer] = _Member(asked_at=now, changed_at=now)

    def leaves(self, answer: object) -> None:
        """This answer doesn't grow any more."""
        for members in self._members.values():
            members.pop(answer, None)

    def is_due(self, api: SlackApi, way: Way, answer: object) -> bool:
        """Whether it is this answer's turn to change in this way."""
        now = self._monotonic()
        member = self._of(api, way).setdefault(answer, _Member(now))
        member.asked_at = now
        left, live = api.left(way), self._live(api, way)
        # While there is plenty, whoever has something to show shows it.
        share = live * _seconds_per_call(way) if left < 2 * live else 0.0
        return left >= 1.0 and now >= member.changed_at + share

    def changes(self, api: SlackApi, way: Way, answer: object) -> None:
        """This answer takes its turn."""
        self._of(api, way)[answer].changed_at = self._monotonic()

    def starts(self, api: SlackApi) -> Callable[[], None]:
        """A stream is about to be started; to be called back when that call has been made, or given up."""
        workspace = api.identity.workspace
        self._starting[workspace] = self._starting.get(workspace, 0) + 1

        def done() -> None:
            self._starting[workspace] -= 1

        return done

    def _has_room(self, api: SlackApi, way: Way) -> bool:
        return api.left(way) >= 1.0 and (self._live(api, way) + 1) * _seconds_per_call(way) <= _SLOWEST_S

    def _live(self, api: SlackApi, way: Way) -> int:
        now = self._monotonic()
        return sum(now - member.asked_at <= _IDLE_S for member in self._of(api, way).values())

    def _of(self, api: SlackApi, way: Way) -> WeakKeyDictionary[object, _Member]:
        return self._members.setdefault((api.identity.workspace, way), WeakKeyDictionary())


def _seconds_per_call(way: Way) -> float:
    """How long it takes until one more call may be made."""
    return 60.0 / limits.METHODS[way].per_minute
