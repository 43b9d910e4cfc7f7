"""A tool of one's own. Try it: set `tools.files` to this file's path, and ask for a roll of two dice.

docs/tools.md explains each part.
"""

from __future__ import annotations

import secrets
from typing import Annotated

from agent.tools.custom import options
from agent.tools.function import Between


@options(name_zh="掷骰子")
def roll_dice(count: Annotated[int, Between(1, 20)] = 1, sides: Annotated[int, Between(2, 100)] = 6) -> str:
    """Rolls dice and adds them up.

    Args:
        count: How many dice, 1 to 20.
        sides: How many sides each has, 2 to 100.

    Returns:
        Each die and the sum.
    """
    rolled = [_roll(sides) for _ in range(count)]
    return f"{' + '.join(map(str, rolled))} = {sum(rolled)}"


def _roll(sides: int) -> int:
    return secrets.randbelow(sides) + 1
