"""The whole server on the fake Discord and a fake model: what a question gets, and what it costs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from bot.app import App
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.harness import Said
from tests.fakes.discord.prepared import BOB, CAROL, FORUM_CHANNEL
from tests.fakes.discord.replay import Replay
from tests.fakes.llm.harness import FakeLLM
from tests.support.discord_bench import OPEN, PATCH, POST, new_channel
from tests.support.discord_bot import pointed_at
from tests.support.discord_connection import settings_for

# One server and one Discord for all tests of this module.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as running:
        with pointed_at(running):
            yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM() as running:
        yield running


Serve = Callable[..., Awaitable[App]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def serve(fake: FakeDiscord, llm: FakeLLM, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serve]:
    """Starts the server with these settings, in place of the one before if they differ."""
    folder = tmp_path_factory.mktemp("server")
    running: list[tuple[dict[str, str], App]] = []

    async def start(**more: str) -> App:
        if running and running[-1][0] == more:
            return running[-1][1]
        if running:
            await running.pop()[1].stop()
        app = App(settings_for(fake, folder, **_variables(folder, llm), **more))
        await app.start()
        await fake.until_connected(1)
        running.append((more, app))
        return app

    yield start
    for _, app in running:
        await app.stop()


def _variables(folder: Path, llm: FakeLLM) -> dict[str, str]:
    return {
        "KAGENTBOT_DATA_DIR": str(folder),
        "KAGENTBOT_SERVER__PORT": "0",
        "KAGENTBOT_PROFILE__STYLE": "noagent",
        "KAGENTBOT_LIMITS__USER_PER_DAY": "50",
        "KAGENTBOT_MODELS__ENDPOINT__BASE_URL": llm.base_url,
    }


IN_CHANNEL = {"KAGENTBOT_PROFILE__ANSWER_IN": "channel"}


async def costs(fake: FakeDiscord, said: Said) -> list[str]:
    """The calls about what a message's answer is made of, in order."""
    here = {said.channel, said.message}
    calls = [call for call in (await fake.replay()).calls if here & set(call["ids"].values())]
    return [call["method"] for call in calls if call["method"] in (OPEN, POST, PATCH)]


def stopped_below(said: Said) -> Callable[[Replay], bool]:
    """Whether there is a draft with a Stop button in the thread of this question."""
    return lambda replay: any(message.channel == said.thread and not message.finished for message in replay.visible())


async def test_an_instant_answer_in_a_channel_is_exactly_one_post(fake: FakeDiscord, serve: Serve) -> None:
    await serve(**IN_CHANNEL)
    said = await fake.ask("Hello", channel=await new_channel(fake))
    reply = await fake.reply(said)
    assert await costs(fake, said) == [POST]
    assert reply.messages[0].reply_to == said.message


async def test_an_instant_answer_to_a_direct_message_is_exactly_one_post(fake: FakeDiscord, serve: Serve) -> None:
    await serve(**IN_CHANNEL)
    said = await fake.ask("Hello", direct=True, user=BOB)
    await fake.reply(said)
    assert await costs(fake, said) == [POST]


async def test_an_instant_answer_in_a_thread_is_one_post_in_it(fake: FakeDiscord, serve: Serve) -> None:
    await serve()
    said = await fake.ask("Who are you?", channel=await new_channel(fake))
    reply = await fake.reply(said)
    assert await costs(fake, said) == [OPEN, POST]
    assert (reply.place.channel, reply.place.thread) == (said.channel, said.message)
    (thread,) = [one for one in (await fake.world())["channels"] if one["id"] == said.message]
    assert thread["name"] == f"Who are you? {said.marker}"


async def test_a_question_in_the_thread_of_an_answer_is_answered_there_in_one_post(
    fake: FakeDiscord, serve: Serve
) -> None:
    await serve()
    first = await fake.ask("Who are you?", channel=await new_channel(fake))
    await fake.reply(first)
    said = await fake.say("And who am I? [m:and]", channel=first.message)
    await fake.reply(said._replace(marker="[m:and]"))
    assert await costs(fake, first) == [OPEN, POST, POST]


async def test_a_forum_s_post_is_answered_in_its_thread(fake: FakeDiscord, serve: Serve) -> None:
    await serve()
    for opened in (1, 0):
        said = await fake.post("A riddle", f"<@{fake.application_id}> what is it?", channel=FORUM_CHANNEL)
        reply = await fake.reply(said)
        assert (reply.place.channel, reply.place.thread) == (FORUM_CHANNEL, said.channel)
        # That there is nothing to open is learned once.
        assert await costs(fake, said) == [OPEN] * opened + [POST]


async def test_a_long_answer_grows_and_ends_with_its_buttons(fake: FakeDiscord, serve: Serve) -> None:
    await serve()
    said = await fake.ask("Tell me [fake:tokens=700] [fake:gap=0.002]", channel=await new_channel(fake))
    await fake.until(stopped_below(said))
    reply = await fake.reply(said)
    assert len(reply.messages) == 2
    assert [bool(message.buttons) for message in reply.messages] == [False, True]
    assert (await costs(fake, said))[:2] == [OPEN, POST]


async def test_stop_ends_an_answer_where_it_is(fake: FakeDiscord, serve: Serve) -> None:
    await serve()
    said = await fake.ask("Tell me [fake:tokens=9000] [fake:gap=0.01]", channel=await new_channel(fake))
    await fake.until(stopped_below(said))
    (draft,) = [message for message in (await fake.replay()).visible() if message.channel == said.thread]
    await fake.press("kagent.stop", on=draft)
    reply = await fake.reply(said)
    assert "Stopped" in reply.messages[-1].text
    assert [name.split(":")[0] for name in reply.messages[-1].buttons] == ["kagent.retry"]


async def test_a_question_that_is_withdrawn_takes_its_answer_and_the_empty_thread_with_it(
    fake: FakeDiscord, serve: Serve
) -> None:
    await serve()
    said = await fake.ask("Tell me [fake:tokens=9000] [fake:gap=0.01]", channel=await new_channel(fake))
    await fake.until(stopped_below(said))
    await fake.delete(said)
    await fake.until(lambda replay: any(call["method"] == "PATCH /channels/{channel}" for call in replay.calls))
    assert [message for message in (await fake.replay()).visible() if message.channel == said.thread] == []


async def test_a_command_by_mention_opens_no_thread(fake: FakeDiscord, serve: Serve) -> None:
    await serve()
    said = await fake.mention("help", user=CAROL, channel=await new_channel(fake))
    reply = await fake.reply(said)
    assert reply.messages[0].reply_to == said.message
    assert await costs(fake, said) == [POST]


async def test_what_is_refused_is_said_once_and_opens_no_thread(fake: FakeDiscord, serve: Serve) -> None:
    await serve(KAGENTBOT_LIMITS__MESSAGE_CHARS="200")
    said = await fake.mention("long " * 100, channel=await new_channel(fake))
    reply = await fake.reply(said)
    assert await costs(fake, said) == [POST]
    assert "200" in reply.messages[0].text


async def test_an_answer_carries_the_profile_s_name_where_that_is_wanted(fake: FakeDiscord, serve: Serve) -> None:
    await serve(KAGENTBOT_DISCORD__PERSONA="true", KAGENTBOT_PROFILE__AGENT_NAME="Librarian")
    said = await fake.ask("Hello")
    reply = await fake.reply(said)
    assert [message.username for message in reply.messages] == ["Librarian"]
