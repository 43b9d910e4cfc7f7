"""Looking something up once more."""

from __future__ import annotations

import pytest

from adapters.discord.connection.patient import patiently
from bot.posting import Ambiguous, Refused, RetryLater


class Look:
    """Fails with each of these, then finds something."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)

    async def __call__(self) -> str:
        if self.troubles:
            raise self.troubles.pop(0)
        return "found"


async def test_what_goes_by_is_waited_for() -> None:
    assert await patiently(Look(RetryLater(0.0), Ambiguous("reset"), RetryLater(0.01)), 5.0) == "found"


@pytest.mark.parametrize("trouble", [RetryLater(60.0), Refused("10007")])
async def test_what_takes_too_long_or_never_ends_is_raised(trouble: Exception) -> None:
    look = Look(trouble, trouble)
    with pytest.raises(type(trouble)):
        await patiently(look, 5.0)
    assert len(look.troubles) == 1
