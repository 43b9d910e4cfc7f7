"""What people type at the project's own programs, line by line, and what is printed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from tests.fakes.simulating import Lines

#: Runs a group's command with these arguments. `typed`: what somebody types; the rest: variables of its environment.
Run = Callable[..., Awaitable[Result]]


def in_empty_folder(group: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`kagentbot GROUP`, as whoever has set nothing up yet."""
    for name in list(os.environ):
        if name.upper().startswith((f"{group.upper()}_", "KAGENTBOT_", "LC_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(folder)

    async def run(*arguments: str, typed: tuple[str, ...] = (), **environ: str) -> Result:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        text = "".join(f"{line}\n" for line in typed)
        return await asyncio.to_thread(CliRunner().invoke, main, [group, *arguments], input=text)

    return run


async def talked(lines: tuple[str, ...], talk: Callable[[Lines, Callable[[str], None]], Awaitable[None]]) -> str:
    """What a simulator prints when these lines are piped in."""
    left = list(lines)
    printed: list[str] = []

    async def next_line(prompt: str) -> str:
        if not left:
            raise EOFError
        printed.append(prompt + left[0])
        return left.pop(0)

    await talk(next_line, printed.append)
    return "\n".join(printed)
