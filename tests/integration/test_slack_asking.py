"""What the Slack adapter finds out for a turn: attached files, a thread's past, and who somebody is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from adapters.slack.hearing.parse import EXTERNAL
from bot.messages import OVERHEARD, Attachment, Person, Target
from bot.ports import Fetches, Knows, Remembers
from bot.posting import Ambiguous, Refused
from tests.fakes.slack.harness import FakeSlack
from tests.fakes.slack.prepared import ALICE, BOB, C1, CAROL, DORA, GUS, ROBOT, SHARED, T1, T2
from tests.support.slack_bench import Outbound, call, place_of

# One process of the fake serves all tests of this module.
pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST = 1_000


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="module")
async def fake(running: FakeSlack) -> AsyncIterator[FakeSlack]:
    await running.set(reset=True, copies=0, limits=False)
    yield running
    scopes = (await running.world())["app"]["scopes"]
    await running.control("add", kind="install", team=T1, scopes=scopes)


@pytest_asyncio.fixture(loop_scope="module")
async def outbound(fake: FakeSlack) -> AsyncIterator[Outbound]:
    made = Outbound(fake)
    made.clients.plenty()
    yield made
    await made.close()


async def attached(fake: FakeSlack, content: bytes, name: str = "a.txt", mimetype: str = "text/plain") -> Attachment:
    """A file that a person has attached, as its message names it."""
    file = await fake.upload(name, content, mimetype=mimetype)
    said = await fake.say("Look at this", files=[file])
    (shown,) = [message for message in await fake.messages() if message["ts"] == said.ts]
    url = shown["files"][0]["url_private_download"]
    return Attachment(file, name, mimetype, len(content), url)


async def place(fake: FakeSlack) -> Target:
    return place_of(await fake.say("What is it?")).target


async def downloads(fake: FakeSlack, file: Attachment) -> list[dict[str, Any]]:
    entries = (await fake.replay()).entries
    return [entry for entry in entries if entry["kind"] == "download" and entry["file"] == file.id]


async def test_it_has_all_three_abilities(outbound: Outbound) -> None:
    assert isinstance(outbound, Fetches)
    assert isinstance(outbound, Remembers)
    assert isinstance(outbound, Knows)


# Files.


async def test_an_attached_file_is_fetched(fake: FakeSlack, outbound: Outbound) -> None:
    file = await attached(fake, b"Llamas are kind.")
    assert await outbound.fetch(await place(fake), file, MOST) == b"Llamas are kind."


async def test_a_file_that_is_moved_is_followed_without_the_token(fake: FakeSlack, outbound: Outbound) -> None:
    file = await attached(fake, b"Llamas are kind.")
    await fake.script("files.download", "redirect")
    assert await outbound.fetch(await place(fake), file, MOST) == b"Llamas are kind."
    (_, elsewhere) = await downloads(fake, file)
    assert (elsewhere["elsewhere"], elsewhere["leaked"]) == (True, False)


async def test_a_file_that_is_larger_than_wanted_is_refused(fake: FakeSlack, outbound: Outbound) -> None:
    file = await attached(fake, b"x" * (MOST + 1))
    with pytest.raises(Refused, match="too_large"):
        await outbound.fetch(await place(fake), file, MOST)


async def test_without_the_permission_slack_s_sign_in_page_is_no_file(fake: FakeSlack, outbound: Outbound) -> None:
    file = await attached(fake, b"Llamas are kind.")
    scopes = (await fake.world())["app"]["scopes"]
    await fake.control("add", kind="install", team=T1, scopes=[s for s in scopes if s != "files:read"])
    with pytest.raises(Refused, match="not_allowed"):
        await outbound.fetch(await place(fake), file, MOST)


async def test_the_token_goes_to_nobody_else(fake: FakeSlack, outbound: Outbound) -> None:
    file = await attached(fake, b"Llamas are kind.")
    foreign = Attachment(file.id, "a.txt", "text/plain", 1, file.source.replace("127.0.0.1", "localhost"))
    # Without the token, the file's own address sends to the sign-in page.
    with pytest.raises(Refused, match="not_allowed"):
        await outbound.fetch(await place(fake), foreign, MOST)


async def test_a_file_that_is_named_by_its_id_alone_is_looked_up(fake: FakeSlack, outbound: Outbound) -> None:
    file = await attached(fake, b"Llamas are kind.")
    nameless = Attachment(file.id, file.name, file.media_type, file.size)
    assert await outbound.fetch(await place(fake), nameless, MOST) == b"Llamas are kind."


async def test_a_file_that_slack_doesn_t_know_is_refused(fake: FakeSlack, outbound: Outbound) -> None:
    with pytest.raises(Refused, match="file_not_found"):
        await outbound.fetch(await place(fake), Attachment("F999", "a.txt", "text/plain", 1), MOST)


async def test_a_file_that_slack_only_links_to_is_refused(fake: FakeSlack, outbound: Outbound) -> None:
    with pytest.raises(Refused, match="external_file"):
        await outbound.fetch(await place(fake), Attachment("F1", "a", "", 1, EXTERNAL), MOST)


@pytest.mark.parametrize("fault", ["reset", "unavailable"])
async def test_a_download_that_breaks_may_be_tried_again(fake: FakeSlack, outbound: Outbound, fault: str) -> None:
    file = await attached(fake, b"Llamas are kind.")
    # aiohttp itself tries a second time when a connection that it had kept is reset.
    await fake.script("files.download", fault, times=2)
    with pytest.raises(Ambiguous):
        await outbound.fetch(await place(fake), file, MOST)
    await fake.set(reset=True, copies=0, limits=False)
    assert await outbound.fetch(await place(fake), file, MOST) == b"Llamas are kind."


@pytest.mark.parametrize("address", ["no address", "file:///etc/passwd", "http://[", ""])
async def test_an_address_that_is_none_is_refused(fake: FakeSlack, outbound: Outbound, address: str) -> None:
    with pytest.raises(Refused):
        await outbound.fetch(await place(fake), Attachment("F998", "a.txt", "text/plain", 1, address), MOST)


# A thread's past.


async def test_what_was_said_in_a_thread_before_is_listed_oldest_first(fake: FakeSlack, outbound: Outbound) -> None:
    root = await fake.say("Are llamas kind?", user=BOB)
    await fake.say(f"I think so, <@{BOB}>", user=CAROL, thread=root.ts)
    asked = place_of(await fake.mention("are they?", user=BOB, thread=root.ts))
    earlier = await outbound.earlier(asked.target, asked.since, 10)
    assert [(one.author.id, one.text) for one in earlier] == [
        (BOB, "Are llamas kind?"),
        (CAROL, f"I think so, @{BOB}"),
    ]
    assert {one.address for one in earlier} == {OVERHEARD}
    assert {one.target for one in earlier} == {asked.target}


async def test_only_the_last_messages_before_are_listed(fake: FakeSlack, outbound: Outbound) -> None:
    root = await fake.say("0")
    for number in range(1, 5):
        await fake.say(str(number), thread=root.ts)
    asked = place_of(await fake.mention("and?", thread=root.ts))
    assert [one.text for one in await outbound.earlier(asked.target, asked.since, 2)] == ["3", "4"]


async def test_what_bots_have_said_is_left_out(fake: FakeSlack, outbound: Outbound) -> None:
    root = await fake.say("Are llamas kind?")
    await call(fake, "chat.postMessage", channel=C1, thread_ts=root.ts, text="I am the app")
    await fake.say("I am a robot", user=ROBOT, thread=root.ts)
    asked = place_of(await fake.mention("are they?", thread=root.ts))
    assert [one.text for one in await outbound.earlier(asked.target, asked.since, 10)] == ["Are llamas kind?"]


async def test_a_file_of_before_is_among_what_was_said(fake: FakeSlack, outbound: Outbound) -> None:
    file = await fake.upload("a.txt", b"Llamas are kind.")
    root = await fake.say("Look at this", files=[file])
    asked = place_of(await fake.mention("is it true?", thread=root.ts))
    (one,) = await outbound.earlier(asked.target, asked.since, 10)
    assert [attachment.id for attachment in one.attachments] == [file]


async def test_a_thread_that_begins_with_the_question_has_no_past(fake: FakeSlack, outbound: Outbound) -> None:
    asked = place_of(await fake.mention("are llamas kind?"))
    assert list(await outbound.earlier(asked.target, asked.since, 10)) == []


async def test_a_thread_that_is_gone_has_no_past(fake: FakeSlack, outbound: Outbound) -> None:
    said = await fake.say("gone")
    await fake.delete(said)
    asked = place_of(said)
    assert list(await outbound.earlier(asked.target, asked.since + timedelta(1), 10)) == []


async def test_strangers_of_a_shared_channel_are_told_apart(fake: FakeSlack, outbound: Outbound) -> None:
    root = await fake.say("Hello", user=DORA, channel=SHARED)
    asked = place_of(await fake.mention("who is that?", channel=SHARED, thread=root.ts))
    (one,) = await outbound.earlier(asked.target, asked.since, 10)
    assert (one.author.kind, one.author.team) == ("external", T2)


# People.


async def test_an_admin_is_known_with_zone_and_language(outbound: Outbound) -> None:
    assert await outbound.person(T1, ALICE) == Person(
        ALICE, "alice", "member", "", is_admin=True, zone="Europe/Berlin", lang="en"
    )


async def test_a_member_s_chinese_client_is_known(outbound: Outbound) -> None:
    person = await outbound.person(T1, CAROL)
    assert (person.zone, person.lang, person.is_admin) == ("Asia/Shanghai", "zh", False)


async def test_a_guest_is_no_member(outbound: Outbound) -> None:
    assert (await outbound.person(T1, GUS)).kind == "guest"


async def test_somebody_of_another_workspace_is_external_and_no_admin_here(outbound: Outbound) -> None:
    person = await outbound.person(T1, DORA)
    assert (person.kind, person.team, person.is_admin, person.lang) == ("external", T2, False, None)


async def test_a_bot_is_a_bot(outbound: Outbound) -> None:
    assert (await outbound.person(T1, ROBOT)).kind == "bot"


async def test_somebody_who_doesn_t_exist_is_refused(outbound: Outbound) -> None:
    with pytest.raises(Refused, match="user_not_found"):
        await outbound.person(T1, "UNOBODY")
