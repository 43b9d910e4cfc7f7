"""`kagentbot profile` beside a running server: the next turn runs with the change, the running one doesn't."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes.llm import FakeLLM
from tests.fakes.llm.harness import Call
from tests.support.process import serving, with_model

EVERYWHERE = ("--workspace", "web:")


def system(call: Call) -> str:
    """What a call told the model about itself."""
    return str(call.body["messages"][0]["content"])


async def test_a_change_meets_the_next_turn_and_not_the_running_one(tmp_path: Path) -> None:
    async with FakeLLM(log_requests=True) as llm:
        settings = with_model(llm.base_url, KAGENTBOT_PROFILE__STYLE="noagent")
        async with serving(tmp_path, settings) as bot:
            async with bot.client() as client:
                await llm.behave("[fake:stall=5]", times=1)
                sent = await client.send("Write a little")
                await client.turn_when(sent["turn_id"], lambda turn: turn["text"] != "")
                done = await bot.run("profile", "set", *EVERYWHERE, "agent_name=Ada", "agent_instructions=Rhyme.")
                assert done == (0, "Version 1 of workspace web:.\n", "")
            # Whoever takes the turn over has nothing but the database to know its profile from.
            await bot.kill()
            await bot.start()
            async with bot.client() as client:
                assert (await client.finished(sent["turn_id"]))["state"] == "answered"
                later = await client.send("And now?", sent["conversation"])
                assert (await client.finished(later["turn_id"]))["state"] == "answered"
            assert (await bot.run("replay", str(sent["turn_id"]))).status == 0
            done = await bot.run("profile", "show", "--json", "--conversation", f"web:{sent['conversation']}")
        # The server also asks the model what it can do.
        first, again, last = [call for call in llm.calls() if call.user.startswith(("Write a little", "And now?"))]
    assert "kagentbot" in system(first)
    assert system(again) == system(first)
    assert "Ada" in system(last)
    assert "Rhyme." in system(last)
    shown = json.loads(done.out)
    assert shown["values"]["agent_name"] == {"value": "Ada", "scope": "workspace", "key": "web:", "version": 1}
    assert shown["values"]["style"] == {"value": "noagent", "scope": "default", "key": "", "version": 1}
