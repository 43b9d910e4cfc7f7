"""The adapter for the fake platform: what a real adapter looks like, with nothing but the essentials.

Only tests use it. It must not know how the core works, only `bot.ports`, `bot.messages` and `bot.posting`.
"""

from __future__ import annotations

from tests.fakes.adapter.inbound import FakeInbound
from tests.fakes.adapter.outbound import FakeOutbound

__all__ = ["FakeInbound", "FakeOutbound"]
