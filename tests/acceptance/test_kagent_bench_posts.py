"""`kagent-bench … --post`: into a channel once, by the server that runs beside it or by the command alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.kagentbench.sample import sample_path
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import GENERAL
from tests.fakes.llm import FakeLLM
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.prepared import C1
from tests.support.benching import Bench
from tests.support.process import Done, serving, with_model

#: Of replies that say nothing, to all of the sample.
LINE = "[sample 40] plan : 0.00, tooluse : 0.00, reflextion : 0.00, conclusion : "


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    items = [json.loads(line) for line in sample_path().read_text("utf-8").splitlines()]
    for item in items:
        item["model_predict"] = "?" if item["type"] == "profile" else dict.fromkeys(item["prompt_input"], "?")
    (made.here / "predictions.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in items))
    return made


async def scored(bench: Bench, place: str) -> Done:
    return await bench.run("eval", "sample", "predictions.jsonl", "--post", place)


def in_slack(slack: FakeSlack) -> dict[str, str]:
    return {
        "KAGENTBOT_SLACK__API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }


def pictures(message: dict[str, Any]) -> int:
    return sum(block["type"] == "image" for block in message.get("blocks", ()))


async def test_without_a_server_the_command_posts_by_itself(bench: Bench) -> None:
    async with FakeDiscord() as discord:
        bench.settings |= discord.environment()
        refused = await bench.inside("eval", "sample", "predictions.jsonl", "--post", "discord:#general")
        assert (refused.status, refused.out) == (2, "")
        done = await scored(bench, f"discord:{GENERAL}")
        assert (done.status, done.err.splitlines()[-1]) == (0, f"Posted to discord:{GENERAL}."), done
        assert done.out.startswith(LINE)
        posted = [one for one in await discord.messages(GENERAL) if one["author"].get("bot")]
    # Once, in as many messages as its length takes.
    assert sum(LINE in message["content"] for message in posted) == 1
    # Who reads it there has not seen the command.
    assert "`predictions`" in posted[0]["content"]
    assert "`sample`" in posted[0]["content"]
    names = [file["filename"] for message in posted for file in message["attachments"]]
    assert [name.endswith(".png") for name in names] == [True, True]


async def test_beside_a_server_the_server_posts(bench: Bench, tmp_path: Path) -> None:
    async with FakeLLM() as llm, FakeSlack() as slack:
        bench.settings |= in_slack(slack)
        async with serving(tmp_path, with_model(llm.base_url, **in_slack(slack))) as bot:
            # Only what holds the lock may post: the command must leave it to the server.
            done = await scored(bench, "slack:#general")
            assert (done.status, done.err.splitlines()[-1]) == (0, "Posted to slack:#general."), done
            assert (await bot.run("doctor", "--audit")).out == "clean\n"
        posted = [message for message in await slack.messages() if message.get("channel", C1) == C1]
    assert [LINE in message["text"] for message in posted] == [True]
    assert pictures(posted[0]) == 2


async def test_a_platform_that_is_not_set_up_is_told_before_the_work(bench: Bench) -> None:
    done = await bench.inside("eval", "sample", "predictions.jsonl", "--post", "slack:#general")
    assert (done.status, done.out) == (2, "")
    assert "kagentbot slack setup" in done.err
