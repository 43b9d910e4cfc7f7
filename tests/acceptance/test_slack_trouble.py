"""What goes wrong between the server and Slack: one clear sentence to whoever can mend it; everything else goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from adapters.chat import actions
from adapters.slack.setup.manifest import INSTALL_PATH
from agent.language import Text
from tests.fakes.llm import FakeLLM
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.harness import Said
from tests.fakes.slack.http import Forgery
from tests.fakes.slack.prepared import ALICE, DORA, LONELY, T1, T2
from tests.fakes.slack.world import SCOPES
from tests.support import slack_scenes as scenes
from tests.support.process import Kagentbot, is_one_sentence, with_model
from tests.support.slack_story import SlackStory as Story
from tests.support.slack_story import slack_settings, start, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

_TROUBLE = Text("Something is wrong", "出了问题")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    """A server that Slack reaches over HTTP."""
    async with story(tmp_path_factory.mktemp("trouble"), "en", "http") as begun:
        yield begun


async def health(bot: Kagentbot) -> dict[str, str]:
    """What the server says of Slack."""
    async with ClientSession() as session, session.get(f"{bot.url}/readyz") as answer:
        slack: dict[str, str] = (await answer.json())["checks"]["slack"]
    return slack


async def health_when(bot: Kagentbot, state: str) -> str:
    """The sentence of Slack's health, once it is in this state."""
    async with asyncio.timeout(20):
        while (found := await health(bot))["state"] != state:  # noqa: ASYNC110 - another process; it isn't told
            await asyncio.sleep(0.1)
    return found["detail"]


async def ended(running: Story, said: Said) -> dict[str, Any]:
    """State and reason of a message's turn, once it is over."""
    sql = "SELECT turn.state, reason FROM turn JOIN message ON turn_id = turn.id WHERE message_id = ?"
    async with asyncio.timeout(20):
        while (row := running.row(sql, said.ts) or {"state": ""})["state"] in ("", "queued", "running"):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
    return row


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("kick", "I am not in this channel: invite me with /invite, then ask again."),
        ("archive", "This channel is archived, so nothing can be posted: take it out of the archive or ask elsewhere."),
    ],
)
async def test_where_nothing_can_be_posted_any_more_the_log_says_why_in_a_sentence(
    running: Story, what: str, sentence: str
) -> None:
    await running.begin(_TROUBLE)
    channel = await running.channel()
    # The model is still thinking when it happens.
    said = await running.ask("Hello?", channel, say="Hello.", first=1.0)
    await running.slack.control(what, channel=channel)
    assert await ended(running, said) == {"state": "failed", "reason": "undeliverable"}
    refused = [line for line in running.bot.log.splitlines() if channel in line]
    assert len(refused) == 1
    assert refused[0].endswith(sentence)
    # Refused once, and not tried again.
    posts = [call for call in (await running.slack.replay()).called("chat.postMessage") if channel in str(call)]
    assert len(posts) == 1


async def test_in_a_channel_without_the_bot_a_command_is_answered_and_a_mention_is_nobodys(running: Story) -> None:
    await running.begin(_TROUBLE)
    said = await running.told(LONELY, lambda: running.slack.command("help", channel=LONELY))
    assert "mention me in a channel" in said
    await running.slack.mention("hello", channel=LONELY)
    assert await running.slack.quiesce() == []
    assert await running.slack.texts(Said(LONELY, "", "")) == []


async def test_a_window_that_comes_too_late_is_explained_to_whoever_pressed(running: Story) -> None:
    await running.begin(_TROUBLE)
    asked = await scenes.looked_up(running)
    await running.slack.set(trigger_ttl=0.0)
    try:
        press = (actions.STEPS, None)
        said = await running.told(asked.said.channel, lambda: running.slack.press(*press, on=asked.last))
    finally:
        await running.slack.set(trigger_ttl=3.0)
    assert said == "That took too long, and Slack won't open the window any more: click once more."
    # The next press is quick enough.
    assert "Steps" in str(await scenes.steps(running, asked))


async def test_a_missing_event_subscription_is_told_to_the_operator(running: Story) -> None:
    await running.begin(_TROUBLE)
    events = (await running.slack.world())["app"]["events"]
    await running.slack.app(events=[event for event in events if event != "agent_session_stopped"])
    # It is answered all the same.
    asked = await running.asked(await running.channel())
    await running.slack.app(events=events)
    assert asked.reply.finished
    said = await health_when(running.bot, "degraded")
    assert "subscribed to the event agent_session_stopped: add it under Event Subscriptions" in said
    assert said in running.bot.log


@pytest.mark.parametrize("forgery", ["no_signature", "bad_signature", "other_secret", "other_body", "old_timestamp"])
async def test_what_slack_did_not_sign_just_now_is_refused_before_any_work(running: Story, forgery: Forgery) -> None:
    await running.begin(_TROUBLE)
    before = running.row("SELECT count(*) AS known FROM message")
    assert await running.slack.forge(forgery, text="a forged word") == 401
    assert running.row("SELECT count(*) AS known FROM message") == before
    assert [entry for entry in await running.entries() if entry["kind"] == "call"] == []
    assert "a forged word" not in running.bot.log


async def test_a_wrong_token_is_told_by_check_by_health_and_once_in_the_log(tmp_path: Path) -> None:
    async with FakeSlack(mode="socket") as slack, FakeLLM() as model:
        settings = with_model(model.base_url, **slack_settings(slack, "socket") | {"SLACK_BOT_TOKEN": "xoxb-wrong"})
        async with Kagentbot(tmp_path, settings) as bot:
            checked = await bot.run("slack", "check")
            assert checked.status == 1
            assert "Slack doesn't know this token: copy the bot token (xoxb-…)" in checked.out
            await bot.start()
            said = await health_when(bot, "down")
            assert is_one_sentence(said, "en")
            assert bot.log.count(said) == 1
            # The page goes on.
            async with bot.client() as visitor:
                sent = await visitor.send("hello")
                assert (await visitor.turn_when(sent["turn_id"], _is_over))["state"] == "answered"


def _is_over(turn: dict[str, Any]) -> bool:
    return turn["state"] not in ("queued", "running")


async def test_a_missing_scope_is_named_by_check_and_by_health_and_whoever_needs_it_is_told(tmp_path: Path) -> None:
    async with FakeSlack(mode="socket") as slack, FakeLLM(log_requests=True) as model:
        await slack.control("add", kind="install", team=T1, scopes=sorted(SCOPES - {"files:read"}))
        async with Kagentbot(tmp_path, with_model(model.base_url, **slack_settings(slack, "socket"))) as bot:
            checked = await bot.run("slack", "check")
            assert checked.status == 1
            assert "The app lacks the permission files:read: add this scope" in checked.out
            await start(bot, slack, "socket")
            assert "The app lacks the permission files:read" in await health_when(bot, "degraded")
            file = await slack.upload("notes.txt", b"The harbour opens at five.", mimetype="text/plain")
            reply = await slack.reply(await slack.ask("What is in it?", files=[file]))
            assert "notes.txt" in reply.text
            assert "harbour opens" not in json.dumps([call.body for call in model.calls()])


async def test_a_workspace_that_removes_the_app_is_forgotten_and_the_other_one_notices_nothing(tmp_path: Path) -> None:
    port = _free_port()
    async with FakeSlack(mode="http") as slack, FakeLLM() as model:
        settings = slack_settings(slack, "http") | {
            "SLACK_BOT_TOKEN": "",
            "SLACK_CLIENT_ID": "1.1",
            "SLACK_CLIENT_SECRET": "fake-client-secret",
            "KAGENTBOT_SLACK__WORKSPACES": json.dumps([T1, T2]),
            "PORT": str(port),
            "KAGENTBOT_SLACK__PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        async with Kagentbot(tmp_path, with_model(model.base_url, **settings)) as bot:
            await start(bot, slack, "http")
            for team, user in ((T1, ALICE), (T2, DORA)):
                await slack.install(f"{bot.url}{INSTALL_PATH}", team=team, user=user)
            first = await slack.reply(await slack.ask("hello", user=ALICE, direct=True))
            assert first.finished
            await slack.control("uninstall", team=T1)
            assert await slack.quiesce() == []
            second = await slack.reply(await slack.ask("hello", user=DORA, direct=True))
            assert second.finished
            with contextlib.closing(sqlite3.connect(bot.data / "kagentbot.db")) as database:
                kept = database.execute("SELECT workspace, state, sealed = '' FROM installation ORDER BY workspace")
                # The token of the one is gone, that of the other is not.
                assert kept.fetchall() == [(T1, "revoked", 1), (T2, "active", 0)]


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
