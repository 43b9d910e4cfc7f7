"""How often each answer in the making may change in a workspace, by appends to a stream or by edits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from adapters.chat.pacing import Bucket, Shares, Turns
from adapters.slack import limits
from adapters.slack.connection.api import SlackApi

#: How an answer grows.
Way = Literal["chat.appendStream", "chat.update"]


class Pacing:
    """One for the process."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._shares = Shares(monotonic)
        #: Streams that are being started, by workspace: their call hasn't taken its token yet.
        self._starting: dict[str, int] = {}

    def may_stream(self, api: SlackApi) -> bool:
        """Whether one more stream can be started, fed and stopped."""
        starting = self._starting.get(api.identity.workspace, 0)
        enough = min(api.left("chat.startStream"), api.left("chat.stopStream")) - starting >= 1.0
        return enough and self._shares.has_room(_bucket(api, "chat.appendStream"))

    def turns(self, api: SlackApi, way: Way, channel: str, answer: object) -> Turns:
        """An answer's turns at growing in this way."""
        posts = partial(api.left, "chat.postMessage", channel)
        return Turns(self._shares, answer, posts, partial(_bucket, api, way))

    def leaves(self, answer: object) -> None:
        """This answer doesn't grow any more."""
        self._shares.leaves(answer)

    def starts(self, api: SlackApi) -> Callable[[], None]:
        """A stream is about to be started; to be called back when that call has been made, or given up."""
        workspace = api.identity.workspace
        self._starting[workspace] = self._starting.get(workspace, 0) + 1

        def done() -> None:
            self._starting[workspace] -= 1

        return done


def _bucket(api: SlackApi, way: Way) -> Bucket:
    """The workspace's calls of a method."""
    return Bucket((api.identity.workspace, way), api.left(way), 60.0 / limits.METHODS[way].per_minute)
