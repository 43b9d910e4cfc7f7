"""A file for one person, from our server into their direct messages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.slack.asking.handing_out import send_file
from adapters.slack.connection.api import SlackApi
from adapters.slack.connection.clients import Clients, TokenInstallations
from adapters.slack.outbound import SlackOutbound
from bot.messages import Asked, Author, ReplyFile, Target
from bot.ports import Hands
from bot.posting import Ambiguous, Refused
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.prepared import BOB, T1


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
async def api(slack: FakeSlack) -> AsyncIterator[SlackApi]:
    clients = Clients(lambda made: TokenInstallations(made, slack.bot_token), api_url=slack.api_url)
    yield await clients.api(T1)
    await clients.close()


async def test_a_file_comes_to_the_person_alone(slack: FakeSlack, api: SlackApi) -> None:
    await send_file(api, BOB, "export.json", b'{"a": 1}', "Your export", api_url=slack.api_url)
    [message] = [message for message in await slack.messages() if message.get("files")]
    opened = await api.call("conversations.open", users=BOB)
    assert message["channel"] == opened["channel"]["id"]
    assert message["text"] == "Your export"
    assert [(file["name"], file["size"]) for file in message["files"]] == [("export.json", 8)]


async def test_what_a_command_gives_comes_to_whoever_asked(slack: FakeSlack) -> None:
    clients = Clients(lambda made: TokenInstallations(made, slack.bot_token), api_url=slack.api_url)
    outbound = SlackOutbound(clients, {}, stop=_nobody)
    target = Target("slack", T1, "C1", "1700000000.000100", "slack:T1:C1:1700000000.000100")
    asked = Asked(Author(BOB), "1700000000.000100", "en")
    assert isinstance(outbound, Hands)
    await outbound.hand(target, asked, ReplyFile("<!channel>.md", "text/markdown", b"# all"))
    await outbound.close()
    [message] = [message for message in await slack.messages() if message.get("files")]
    assert (message["user"], message["channel"][:1]) != (BOB, "C")
    assert "<!channel>" not in message["text"]


async def test_in_a_direct_message_the_file_comes_where_it_was_asked_for(slack: FakeSlack, api: SlackApi) -> None:
    said = await slack.dm("export", user=BOB)
    place = Target("slack", T1, said.channel, said.thread, f"slack:{T1}:{said.channel}:{said.thread}")
    await send_file(api, BOB, "export.md", b"# all", "export.md", api_url=slack.api_url, place=place)
    [message] = [message for message in await slack.messages() if message.get("files")]
    assert (message["channel"], message["thread_ts"]) == (said.channel, said.thread)


async def _nobody(turn_id: int, by: Author) -> None:
    raise AssertionError("nobody stops anything here")


async def test_a_missing_scope_is_a_refusal(slack: FakeSlack, api: SlackApi) -> None:
    await slack.script("files.getUploadURLExternal", "missing_scope")
    with pytest.raises(Refused) as refused:
        await send_file(api, BOB, "export.json", b"1", "Your export", api_url=slack.api_url)
    assert refused.value.code == "missing_scope"
    assert [message for message in await slack.messages() if message.get("files")] == []


async def test_an_upload_that_breaks_leaves_the_outcome_open(slack: FakeSlack, api: SlackApi) -> None:
    await slack.script("files.upload", "reset")
    with pytest.raises(Ambiguous):
        await send_file(api, BOB, "export.json", b"1", "Your export", api_url=slack.api_url)


async def test_the_bytes_go_to_slack_and_to_nobody_else(slack: FakeSlack, api: SlackApi) -> None:
    with pytest.raises(Refused) as refused:
        await send_file(api, BOB, "export.json", b"1", "Your export", api_url="https://slack.com/api")
    assert refused.value.code == "unsafe_upload"
