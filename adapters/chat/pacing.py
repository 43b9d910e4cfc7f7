"""How often each answer in the making may change: the calls that a platform allows, shared fairly between all of them.

Answers that grow out of the same bucket (a workspace's edits, a channel's) take turns. Where they couldn't all grow
visibly, no further one begins to: it is posted at once when it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

#: Seconds between two changes of one answer beyond which it is not worth showing drafts.
_SLOWEST_S: Final = 10.0
#: Seconds without a look at `is_due` after which an answer doesn't count: its tool takes long, or its process is
#: gone from it.
_IDLE_S: Final = 15.0
#: Buckets that are kept before those out of which nothing grows any more are thrown away: each channel may have one.
_MOST_BUCKETS: Final = 1_024


class Bucket(NamedTuple):
    """What calls are paid out of, as it is just now."""

    #: Which one it is.
    key: Hashable
    #: Calls that could be made right now without waiting.
    left: float
    #: How long it takes until one more call may be made.
    seconds_per_call: float
    #: Seconds until there is a call left; 0 now, or where nobody knows.
    wait: float = 0.0


@dataclass(slots=True)
class _Member:
    asked_at: float
    changed_at: float = float("-inf")


class Shares:
    """One for the process. Answers are told apart by the objects that stand for them, and forgotten with them."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._members: dict[Hashable, WeakKeyDictionary[object, _Member]] = {}

    def has_room(self, bucket: Bucket) -> bool:
        """Whether one more answer could grow out of this bucket visibly."""
        return bucket.left >= 1.0 and (self._live(bucket) + 1) * bucket.seconds_per_call <= _SLOWEST_S

    def joins(self, bucket: Bucket, answer: object) -> None:
        """This answer grows out of this bucket from now on."""
        now = self._monotonic()
        self._of(bucket)[answer] = _Member(asked_at=now, changed_at=now)

    def leaves(self, answer: object) -> None:
        """This answer doesn't grow any more."""
        for members in self._members.values():
            members.pop(answer, None)

    def is_due(self, bucket: Bucket, answer: object) -> bool:
        """Whether it is this answer's turn to change."""
        now = self._monotonic()
        member = self._of(bucket).setdefault(answer, _Member(now))
        member.asked_at = now
        return bucket.left >= 1.0 and now >= member.changed_at + self._share(bucket)

    def due_in(self, bucket: Bucket, answer: object) -> float:
        """Seconds until it is this answer's turn, as far as is known; 0 now."""
        member = self._of(bucket).get(answer)
        left = member.changed_at + self._share(bucket) - self._monotonic() if member is not None else 0.0
        return max(bucket.wait, left, 0.0)

    def changes(self, bucket: Bucket, answer: object) -> None:
        """This answer takes its turn."""
        self._of(bucket)[answer].changed_at = self._monotonic()

    def _share(self, bucket: Bucket) -> float:
        """Seconds between two changes of one answer. While there is plenty, whoever has something to show shows it."""
        live = self._live(bucket)
        return live * bucket.seconds_per_call if bucket.left < 2 * live else 0.0

    def _live(self, bucket: Bucket) -> int:
        now = self._monotonic()
        return sum(now - member.asked_at <= _IDLE_S for member in self._of(bucket).values())

    def _of(self, bucket: Bucket) -> WeakKeyDictionary[object, _Member]:
        if bucket.key not in self._members and len(self._members) >= _MOST_BUCKETS:
            self._members = {key: members for key, members in self._members.items() if members}
        return self._members.setdefault(bucket.key, WeakKeyDictionary())


@dataclass(frozen=True, slots=True)
class Turns:
    """One answer's turns at the calls that post and edit its drafts."""

    shares: Shares
    #: The object that stands for the answer; whoever made it keeps it alive.
    answer: object
    #: Messages that could be posted in its place right now without waiting.
    posts: Callable[[], float]
    #: Out of which it is edited.
    edits: Callable[[], Bucket]

    def may_begin(self) -> bool:
        """Whether one more message can be posted now and edited while it grows."""
        return self.posts() >= 1.0 and self.shares.has_room(self.edits())

    def begins(self) -> None:
        """A message of this answer is about to be posted, and grows from now on."""
        self.shares.joins(self.edits(), self.answer)

    def is_due(self) -> bool:
        """Whether it may be edited now."""
        return self.shares.is_due(self.edits(), self.answer)

    def due_in(self) -> float:
        """Seconds until it may be, as far as is known; 0 now."""
        return self.shares.due_in(self.edits(), self.answer)

    def takes_turn(self) -> bool:
        """The same; if so, it is taken to be edited."""
        bucket = self.edits()
        if not self.shares.is_due(bucket, self.answer):
            return False
        self.shares.changes(bucket, self.answer)
        return True

    def leaves(self) -> None:
        """Nothing of it grows any more."""
        self.shares.leaves(self.answer)
