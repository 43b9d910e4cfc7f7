"""Files for one person, as direct messages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.discord.asking.handing_out import send_file
from adapters.discord.connection.rest import Rest
from adapters.discord.limits import FILE_BYTES
from bot.messages import ReplyFile
from bot.posting import Refused
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import ALICE, BOB
from tests.support import discord_clicks as clicks
from tests.support.discord_bot import pointed_at

# One process of Discord serves all tests of this module.
pytestmark = pytest.mark.asyncio(loop_scope="module")
discord = clicks.discord

FILE = ReplyFile("潮汐.md", "text/markdown", b"# Tides")


@pytest_asyncio.fixture(loop_scope="module")
async def rest(discord: FakeDiscord) -> AsyncIterator[Rest]:
    await discord.set(reset=True)
    made = Rest(discord.token)
    with pointed_at(discord):
        yield made
    await made.close()


async def test_a_file_arrives_with_its_note_where_nobody_else_sees_it(discord: FakeDiscord, rest: Rest) -> None:
    await send_file(rest, ALICE, FILE, "The file, @everyone")
    replay = await discord.replay()
    [sent] = [one for one in replay.created() if one.files]
    assert (sent.text, sent.files, sent.pings) == ("The file, @everyone", ["潮汐.md"], [])
    assert await discord.download(sent.file_ids[0]) == b"# Tides"
    opened = replay.called("POST /users/@me/channels", accepted=True)
    assert len(opened) == 1
    # What looks for messages that a killed process left behind leaves it alone.
    assert sent.aside


async def test_who_takes_no_direct_messages_gets_a_reason(discord: FakeDiscord, rest: Rest) -> None:
    await discord.script("POST /channels/{channel}/messages", "50007")
    with pytest.raises(Refused) as refused:
        await send_file(rest, BOB, FILE, "The file")
    assert refused.value.code == "50007"


async def test_a_file_that_discord_would_not_take_is_not_sent(discord: FakeDiscord, rest: Rest) -> None:
    before = len((await discord.replay()).calls)
    with pytest.raises(Refused) as refused:
        await send_file(rest, ALICE, ReplyFile("big", "text/plain", bytes(FILE_BYTES + 1)), "The file")
    assert refused.value.code == "40005"
    assert len((await discord.replay()).calls) == before
