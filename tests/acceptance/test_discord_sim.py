"""`make discord-sim` with the real server: lines are piped in, and what the bot shows comes out."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from bot import texts
from tests.fakes.discord import judge
from tests.fakes.discord.log import load

_ROOT = Path(__file__).parents[2]
_LINES = """\
@kagent a long story &
/stop soon
@kagent another one [fake:gap=0.001]
/as carol
/kagent 帮助
/quit
"""


async def test_a_piped_conversation_with_the_real_server(tmp_path: Path) -> None:
    log = tmp_path / "discord.jsonl"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KAGENTBOT_", "OPENAI_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.discord.sim", "--fake-model", f"--data={tmp_path}", f"--log={log}"),
        env=kept | {"HOME": str(tmp_path)},
        cwd=_ROOT,
        stdin=PIPE,
        stdout=PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(_LINES.encode()), 120.0)
    text = output.decode()
    report = judge(load(log))
    assert process.returncode == 0, text
    assert texts.STOPPED.en in text.partition("another one")[0]
    assert "the quick brown fox" in text.partition("another one")[2]
    assert "only carol sees it" in text
    assert "基准测试" in text
    # Nothing that was typed carries a marker, so what the judge can say is how the app left its messages.
    assert {problem.kind for problem in report.problems} <= {"missing", "stray"}, str(report)
    assert report.processing == ()
