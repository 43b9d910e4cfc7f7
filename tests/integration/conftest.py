"""For all tests of this room: whoever runs them may have tokens of their own, and sit behind a proxy."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _clean_environment() -> Iterator[None]:
    """discord.py, bolt, Slack's SDK and aiohttp read such variables by themselves."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in list(os.environ):
            if name.upper().startswith(("DISCORD_", "SLACK_")) or name.upper().endswith("_PROXY"):
                monkeypatch.delenv(name)
        yield
