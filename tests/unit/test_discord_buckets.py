"""How many calls Discord still lets through, and when there are some again."""

from __future__ import annotations

from adapters.discord import limits
from adapters.discord.connection.buckets import Buckets, Taken

POST = ("POST", "/channels/{channel_id}/messages")


def take(buckets: Buckets, channel: int) -> bool:
    taken = buckets.take(*POST, {"channel_id": channel}, urgent=False)
    return isinstance(taken, Taken)


def test_a_channel_that_is_used_up_says_how_long_to_wait_and_others_have_none() -> None:
    now = 0.0
    buckets = Buckets(lambda: now)
    for _ in range(limits.CHANNEL_MESSAGES.calls - 1):
        taken = buckets.take(*POST, {"channel_id": 1}, urgent=False)
        assert isinstance(taken, Taken)
        buckets.done(taken, None)
    assert not take(buckets, 1)
    wait = buckets.wait(*POST, {"channel_id": 1})
    assert limits.CHANNEL_MESSAGES.seconds - 0.1 < wait <= limits.CHANNEL_MESSAGES.seconds + 0.1
    assert buckets.wait(*POST, {"channel_id": 2}) == 0
    now = wait
    assert buckets.wait(*POST, {"channel_id": 1}) == 0
    assert take(buckets, 1)


def test_all_channels_together_say_how_long_to_wait_for_the_next_second() -> None:
    now = 0.0
    buckets = Buckets(lambda: now)
    for channel in range(limits.GLOBAL_USED.calls - limits.GLOBAL_RESERVE):
        assert take(buckets, channel)
    assert not take(buckets, 1_000)
    wait = buckets.wait(*POST, {"channel_id": 1_000})
    assert 0.9 < wait < 1.2
    now = wait
    assert take(buckets, 1_000)
