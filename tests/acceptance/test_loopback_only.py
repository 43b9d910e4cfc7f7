"""Without any network but loopback the server, its model included, works as ever."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from tests.support.confined import NOT_ALLOWED
from tests.support.process import ROOT


async def test_without_a_network_both_the_tool_and_the_model_answer(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.confined", "--loopback", "--"),
        *(sys.executable, "-m", "tests.acceptance.loopback_visit", str(tmp_path)),
        stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode != NOT_ALLOWED, err.decode()
    assert process.returncode == 0, err.decode()
    seen = json.loads(out)
    assert seen["link"].startswith("http://127.0.0.1:")
    tool, chat = seen["turns"]
    assert (tool["state"], [step["tool"] for step in tool["steps"]]) == ("answered", ["time_delta"])
    assert "2 days" in tool["text"]
    assert chat["state"] == "answered"
    assert chat["model"].startswith("SmolLM2-135M-Instruct")
    assert chat["text"].strip()
    assert any("demo model" in note for note in chat["notes"])
    assert seen["ready"]["status"] == "ok"
    assert seen["status"] == 0
    # Nothing that it tried and could not reach.
    assert "error" not in seen["log"].lower(), seen["log"]
    assert "warning" not in seen["log"].lower(), seen["log"]
