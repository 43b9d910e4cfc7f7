"""The whole server on the fake Slack, in the language of whoever asks: commands, Home, windows, answers, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from adapters.chat import actions, texts
from adapters.slack.controls import home, modals
from adapters.slack.texts import HOME_USAGE
from agent.events import AgentEvent, Finished, StepFinished, StepStarted, TextDelta
from agent.journal import Journal
from agent.task import Task
from bot.app import App
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.prepared import ALICE, CAROL
from tests.support.slack_connection import settings_for

# One server and one Slack for all tests of this module.
pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Names and codes, which are the same in every language.
NAMES = re.compile(r"`[^`]*`|<[^>]*>|https?://\S+|\b(?:kagent(?:bot)?|Slack|token|alice|carol|bob|auto|UTC|CST)\b")
#: Words in a row that make an English sentence.
SENTENCE = re.compile(r"[A-Za-z']+(?: [A-Za-z']+){2,}")


async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
    """One step and an answer in the language of the task."""
    args = {"expression": "6*7"}
    if journal.recall("act/0/0") is None:
        yield StepStarted("act/0/0", "act", "calculator", args)
        await journal.begin("act/0/0", {"tool": "calculator", "args": args})
        await journal.finish("act/0/0", {"ok": True, "answer_md": "6*7 = 42"})
        yield StepFinished("act/0/0", True, "6*7 = 42")
    text = "答案是 42。" if task.lang == "zh" else f"{task.profile.agent_name} says 42."
    yield TextDelta(text)
    yield Finished(text)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(retry_scale=0.01, tier_factor=100.0, post_rate=100.0, post_burst=100.0) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(slack: FakeSlack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    folder = tmp_path_factory.mktemp("server")
    variables = {
        "KAGENTBOT_DATA_DIR": str(folder),
        "KAGENTBOT_SERVER__PORT": "0",
        "KAGENTBOT_SLACK__SOCKETS": "1",
        "KAGENTBOT_LIMITS__USER_PER_DAY": "50",
        # Nothing answers there; nobody asks.
        "KAGENTBOT_MODELS__ENDPOINT__BASE_URL": "http://127.0.0.1:9/v1",
    }
    app = App(settings_for(slack, folder, **variables), bind=lambda pool: agent)
    await slack.app(mode="socket")
    await app.start()
    await slack.until_connected(1)
    yield app
    await app.stop()


def english(text: str) -> list[str]:
    """What reads like an English sentence."""
    return SENTENCE.findall(NAMES.sub("·", text))


def seen_in(view: dict[str, Any] | None) -> str:
    """All texts of a view."""
    assert view is not None
    found: list[str] = []

    def walk(part: Any, key: str = "") -> None:
        if isinstance(part, dict):
            for name, inner in part.items():
                walk(inner, name)
        elif isinstance(part, list):
            for inner in part:
                walk(inner, key)
        elif key == "text" and isinstance(part, str):
            found.append(part)

    walk({name: view.get(name) for name in ("title", "submit", "close", "blocks")})
    return "\n".join(found)


async def whispered(slack: FakeSlack, before: int, user: str = CAROL) -> list[str]:
    """What this person alone has been told since."""
    found = await slack.until(lambda replay: [one.text for one in replay.private(user)][before:])
    return found


@pytest.mark.parametrize(
    "words",
    [
        "help",
        "帮助 配置",
        "new",
        "profile",
        "配置 版本",
        "model",
        "tools",
        "stop",
        "export",
        "用量",
        "status",
        "离开",
        "呵呵",
    ],
)
async def test_a_command_answers_in_chinese(slack: FakeSlack, server: App, words: str) -> None:
    before = len(await slack.ephemerals(CAROL))
    assert await slack.command(words, user=CAROL) == ""
    for said in await whispered(slack, before):
        assert english(said) == []
        assert re.search("[\u4e00-\u9fff]", said)


async def test_whoever_has_an_english_client_reads_english(slack: FakeSlack, server: App) -> None:
    before = len(await slack.ephemerals(ALICE))
    await slack.command("帮助", user=ALICE)
    for said in await whispered(slack, before, ALICE):
        assert len(english(said)) > 3
        assert not re.search("[\u4e00-\u9fff]{8}", said)


async def test_the_benchmark_command_answers_in_chinese(slack: FakeSlack, server: App) -> None:
    before = len(await slack.ephemerals(CAROL))
    await slack.command("", name="/kagent-bench", user=CAROL)
    for said in await whispered(slack, before):
        assert english(said) == []


async def published(slack: FakeSlack, user: str) -> None:
    """Wait until somebody's App Home is there."""
    await slack.until(
        lambda replay: [
            call for call in replay.called("views.publish", accepted=True) if call["arguments"]["user_id"] == user
        ]
    )


async def test_the_home_is_in_chinese(slack: FakeSlack, server: App) -> None:
    await slack.open_home(CAROL)
    await published(slack, CAROL)
    shown = seen_in(await slack.home(CAROL))
    assert HOME_USAGE.zh in shown
    assert english(shown) == []


async def test_an_answer_its_buttons_and_its_steps_are_in_chinese(slack: FakeSlack, server: App) -> None:
    said = await slack.mention("六乘七等于多少？", user=CAROL)
    reply = await slack.reply(said)
    [message] = reply.messages
    assert "答案是 42。" in message.text
    assert english(json.dumps(message.blocks, ensure_ascii=False)) == []
    turn = message.turn.removeprefix("kagentbot-")
    assert await slack.press(actions.STEPS, turn, on=message, user=CAROL)
    await slack.until(lambda replay: replay.called("views.update", accepted=True))
    window = seen_in(await slack.view(CAROL))
    assert "计算" in window
    assert "6*7 = 42" in window
    assert english(window) == []
    await slack.close(user=CAROL, everything=True)
    before = len(await slack.ephemerals(CAROL))
    await slack.press(actions.RATE, f"{turn}:5", on=message, user=CAROL)
    assert (await whispered(slack, before))[-1] == texts.RATED.zh.format(rating=5)


async def test_an_admin_changes_the_name_and_the_next_answer_knows(slack: FakeSlack, server: App) -> None:
    await slack.open_home(ALICE)
    await published(slack, ALICE)
    updates = len((await slack.replay()).called("views.update", accepted=True))
    assert await slack.press(home.EDIT, home=True, user=ALICE)
    await slack.until(lambda replay: len(replay.called("views.update", accepted=True)) > updates)
    outcome = await slack.submit({modals.block_id("workspace", "agent_name"): "Ada"}, user=ALICE)
    assert outcome["outcome"] == "updated"
    reply = await slack.reply(await slack.mention("what is six times seven?", user=ALICE))
    assert "Ada says 42." in reply.messages[0].text
    await slack.close(user=ALICE, everything=True)
