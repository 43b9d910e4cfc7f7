"""Where a job may post in Slack: channels by name and by id, and what is said of those that aren't for us."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.messages import Target
from bot.ports import Finds, NoPlace
from tests.fakes.slack.harness import FakeSlack
from tests.fakes.slack.prepared import C1, LONELY, T1
from tests.support.slack_bench import Outbound

# One process of the fake serves all tests of this module.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="module")
async def fake(running: FakeSlack) -> AsyncIterator[FakeSlack]:
    await running.set(reset=True, copies=0, limits=False)
    yield running
    await granted(running)


@pytest_asyncio.fixture(loop_scope="module")
async def outbound(fake: FakeSlack) -> AsyncIterator[Outbound]:
    made = Outbound(fake)
    made.clients.plenty()
    yield made
    await made.close()


async def granted(fake: FakeSlack, *without: str) -> None:
    scopes = (await fake.world())["app"]["scopes"]
    await fake.control("add", kind="install", team=T1, scopes=[one for one in scopes if one not in without])


@pytest.mark.parametrize("name", ["#general", "General", C1, f"{T1}/#general", f"{T1}/{C1}"])
async def test_a_channel_is_found_by_its_name_and_by_its_id(outbound: Outbound, name: str) -> None:
    assert isinstance(outbound, Finds)
    assert await outbound.find(name) == Target("slack", T1, C1, None, f"slack:{T1}:{C1}")


async def test_a_direct_conversation_is_found_by_its_id(fake: FakeSlack, outbound: Outbound) -> None:
    said = await fake.dm("Hello")
    assert (await outbound.find(said.channel)).channel == said.channel


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("#nowhere", "I am in no channel called #nowhere"),
        (LONELY, "I am not in this channel"),
        ("C404", "I can't see this channel"),
        ("T404/#general", "The app isn't installed in this workspace"),
        ("", "I am in no channel called #"),
    ],
)
async def test_what_is_no_place_is_a_sentence(outbound: Outbound, name: str, why: str) -> None:
    with pytest.raises(NoPlace) as told:
        await outbound.find(name)
    assert told.value.text.en.startswith(why)
    assert told.value.text.zh != told.value.text.en


async def test_without_the_permission_to_list_channels_the_sentence_says_to_write_the_id(
    fake: FakeSlack, outbound: Outbound
) -> None:
    await granted(fake, "channels:read", "groups:read")
    assert (await outbound.find(C1)).channel == C1
    with pytest.raises(NoPlace, match=r"write the id instead .* scope channels:read"):
        await outbound.find("#general")


async def test_public_channels_are_found_without_the_permission_for_private_ones(
    fake: FakeSlack, outbound: Outbound
) -> None:
    await granted(fake, "groups:read")
    assert (await outbound.find("#general")).channel == C1


async def test_a_conversation_of_two_other_people_is_not_for_us(outbound: Outbound) -> None:
    with pytest.raises(NoPlace, match="I can't see this channel"):
        await outbound.reach(Target("slack", T1, "D0404", None, f"slack:{T1}:D0404"))


async def test_a_place_that_slack_says_nothing_about_just_now_is_taken_for_good(
    fake: FakeSlack, outbound: Outbound
) -> None:
    await fake.script("conversations.history", "unavailable")
    await outbound.reach(Target("slack", T1, LONELY, None, f"slack:{T1}:{LONELY}"))
