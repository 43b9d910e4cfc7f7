"""Pictures below an end in Slack: uploaded to nobody, shown in its message once Slack has looked into them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from adapters.slack import limits
from adapters.slack.errors import sentence
from adapters.slack.replying.pictures import Waits
from agent.language import Lang
from bot.messages import Draft, Final
from bot.ports import LostTurn, Reply
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import BARS, RADAR, Place, pictured
from tests.fakes.slack.harness import FakeSlack
from tests.fakes.slack.prepared import T1
from tests.fakes.slack.replay import BotMessage
from tests.support.slack_bench import ASKED, Outbound, place_of, where

# One process of the fake serves all tests of this module; each test has threads of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

Start = Callable[..., Outbound]

UPLOAD = ["files.getUploadURLExternal", "files.completeUploadExternal"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="module")
async def fake(running: FakeSlack) -> AsyncIterator[FakeSlack]:
    await running.set(reset=True, copies=0, limits=False)
    scopes = (await running.world())["app"]["scopes"]
    yield running
    await granted(running, scopes)


@pytest_asyncio.fixture(loop_scope="module")
async def start(fake: FakeSlack) -> AsyncIterator[Start]:
    """Makes the adapter as a process that has just started."""
    made: list[Outbound] = []

    def outbound(**how: Any) -> Outbound:
        made.append(Outbound(fake, **how))
        made[-1].clients.plenty()
        return made[-1]

    yield outbound
    for each in made:
        await each.close()


@pytest_asyncio.fixture(loop_scope="module")
async def place(fake: FakeSlack) -> Place:
    return place_of(await fake.say("What is it?"))


async def granted(fake: FakeSlack, scopes: list[str]) -> None:
    await fake.control("add", kind="install", team=T1, scopes=scopes)


async def without_scope(fake: FakeSlack, scope: str) -> None:
    scopes = (await fake.world())["app"]["scopes"]
    await granted(fake, [one for one in scopes if one != scope])


async def opened(outbound: Outbound, place: Place, book: Book | None = None) -> Reply:
    return await outbound.open(place.target, FakeLedger(book or Book(), since=place.since), ASKED)


async def only(fake: FakeSlack, place: Place) -> BotMessage:
    """The one message of ours in a thread."""
    (message,) = (await fake.replay()).visible(where(place))
    return message


async def methods(fake: FakeSlack, since: int) -> list[str]:
    """The calls since so many, in order; who we are apart."""
    calls = (await fake.replay()).calls[since:]
    return [call["method"] for call in calls if call["method"] != "auth.test"]


async def counted(fake: FakeSlack) -> int:
    return len((await fake.replay()).calls)


async def test_pictures_are_uploaded_to_nobody_and_come_with_the_text(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    before = await counted(fake)
    await (await opened(start(), place)).close(replace(pictured("It is 42."), can_rate=False))
    assert await methods(fake, before) == [*UPLOAD, *UPLOAD, "files.info", "files.info", "chat.postMessage"]
    shared = [call["arguments"] for call in (await fake.replay()).called("files.completeUploadExternal")]
    assert not any(one.keys() & {"channel_id", "channels", "initial_comment"} for one in shared)
    message = await only(fake, place)
    assert [block["type"] for block in message.blocks] == ["markdown", "image", "image"]
    assert [picture["about"] for picture in message.pictures] == [RADAR.about, BARS.about]
    assert (message.text, message.files) == ("It is 42.", [])


async def test_a_picture_is_waited_for_until_slack_has_looked_into_it(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    await fake.set(file_processing=0.1)
    await (await opened(start(), place)).close(pictured("It is 42."))
    assert len((await only(fake, place)).pictures) == 2
    assert all(call["accepted"] for call in (await fake.replay()).called("chat.postMessage"))


async def test_where_slack_takes_too_long_the_text_stands_alone(fake: FakeSlack, start: Start, place: Place) -> None:
    await fake.set(file_processing=60.0)
    outbound = start(picture_waits=Waits(first=0.01, longest=0.01, most=0.02, again=()))
    await (await opened(outbound, place)).close(pictured("It is 42."))
    message = await only(fake, place)
    assert message.text == f"It is 42.\n\n*A picture can't be shown here. {sentence('file_slow', 'en')}*"
    assert message.pictures == []


async def test_where_files_cannot_be_looked_at_the_message_is_tried_until_slack_takes_it(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    await without_scope(fake, "files:read")
    await fake.set(file_processing=0.05)
    before = await counted(fake)
    await (await opened(start(picture_waits=Waits(again=(0.01, 0.1))), place)).close(pictured("It is 42."))
    assert len((await only(fake, place)).pictures) == 2
    assert "chat.update" not in await methods(fake, before)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "A picture can't be shown here. The app lacks the permission files:write: add this"),
        ("zh", "图片无法在这里显示。应用缺少权限 files:write：请在"),
    ],
)
async def test_without_the_permission_the_text_says_which_one_is_missing(
    fake: FakeSlack, start: Start, place: Place, lang: Lang, said: str
) -> None:
    await without_scope(fake, "files:write")
    await (await opened(start(), place)).close(replace(pictured("It is 42."), lang=lang))
    message = await only(fake, place)
    assert said in message.text
    assert message.pictures == []


@pytest.mark.parametrize("drafted", [False, True])
async def test_where_slack_does_not_take_the_pictures_the_text_stands_alone(
    fake: FakeSlack, start: Start, place: Place, drafted: bool
) -> None:
    await fake.script("chat.startStream", "channel_type_not_supported")
    reply = await opened(start(), place)
    if drafted:
        await reply.show(Draft("It is 4"))
    await fake.script("chat.update" if drafted else "chat.postMessage", "invalid_blocks", times=3)
    await reply.close(pictured("It is 42."))
    message = await only(fake, place)
    assert message.text.startswith("It is 42.\n\n*A picture can't be shown here.")
    assert message.pictures == []
    assert len((await fake.replay()).created(where(place))) == 1


async def test_an_end_that_slack_refuses_for_another_reason_is_refused(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    said = await fake.say("What is it?")
    reply = await opened(start(), place_of(said))
    await fake.delete(said)
    with pytest.raises(Exception, match="thread_not_found"):
        await reply.close(pictured("It is 42."))


@pytest.mark.parametrize("call", [*UPLOAD, "files.upload", "files.info"])
async def test_an_upload_that_breaks_off_is_made_anew(fake: FakeSlack, start: Start, place: Place, call: str) -> None:
    await fake.script(call, "reset")
    await (await opened(start(), place)).close(pictured("It is 42."))
    assert [picture["name"] for picture in (await only(fake, place)).pictures] == ["radar.png", "bars.png"]


async def test_an_end_that_is_shown_once_more_uploads_nothing_again(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    reply = await opened(start(), place)
    await reply.close(pictured("It is 42."))
    before = await counted(fake)
    await reply.close(pictured("It is 42, really."))
    assert UPLOAD[0] not in await methods(fake, before)
    assert len((await only(fake, place)).pictures) == 2


async def test_a_lost_turn_uploads_nothing(fake: FakeSlack, start: Start, place: Place) -> None:
    ledger = FakeLedger(Book(), since=place.since)
    reply = await start().open(place.target, ledger, ASKED)
    ledger.lost = True
    before = await counted(fake)
    with pytest.raises(LostTurn):
        await reply.close(pictured("It is 42."))
    assert await methods(fake, before) == []


async def test_a_line_a_long_table_and_two_pictures_are_one_message(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    line = "plan : 31.64, tooluse : 43.30, reflextion : 33.34, conclusion : 44.85, profile : 44.78, overall : 39.85"
    rows = [f"| 规划 {number} | 3,142 | 43.30 | 41.21–45.32 | 3.1 % | 88.4 % |" for number in range(60)]
    table = "\n".join(["| 类型 | 数量 | 得分 | 95 % 区间 | 解析失败 | 选对工具 |", "|---|--:|--:|--:|--:|--:|", *rows])
    final = Final("answered", f"`{line}`\n\n{table}", "zh", can_rate=False, images=(RADAR, BARS))
    ledger = FakeLedger(Book(), since=place.since, is_job=True)
    reply = await start().open(place.target, ledger, ASKED)
    await reply.show(Draft("评测进行中"))
    await reply.close(final)
    message = await only(fake, place)
    assert message.text == final.text
    assert [block["type"] for block in message.blocks] == ["markdown", "image", "image"]
    # Beyond that it rolls over as usual, and the table goes on below its header.
    longer = replace(final, text=f"{final.text}\n" + "\n".join(rows * (limits.MARKDOWN_BLOCKS // 2_000)))
    await reply.close(longer)
    *first, last = (await fake.replay()).visible(where(place))
    assert [one.pictures for one in first] == [[]] * len(first)
    assert last.text.startswith("| 类型 |")
    assert len(last.pictures) == 2
