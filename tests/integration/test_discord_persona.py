"""Answers under the profile's name and picture, by webhooks on the fake Discord."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from adapters.chat.abilities import Abilities
from adapters.chat.actions import FEEDBACK, STOP
from adapters.discord.replying.persona import Personas
from agent.profile import Profile
from bot.messages import Asked, Author, Draft, Final
from bot.ports import Reply
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import Place, answer
from tests.fakes.discord import FakeDiscord, permissions
from tests.fakes.discord.prepared import APP
from tests.fakes.discord.replay import BotMessage
from tests.support import discord_bench as bench
from tests.support.discord_bench import PATCH_AS, POST_AS, Outbound, Start, where

# One process of the fake serves all tests of this module; each test has places of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")
running, fake = bench.running, bench.fake

MAKE = "POST /channels/{channel}/webhooks"
PICTURE = "https://pictures.example/owl.png"


@pytest_asyncio.fixture(loop_scope="module")
async def start(fake: FakeDiscord) -> AsyncIterator[Start]:
    """Makes the adapter as a process that has just started."""
    made: list[Outbound] = []

    def outbound(*, persona: bool = True) -> Outbound:
        made.append(Outbound(fake, persona=persona))
        return made[-1]

    yield outbound
    for each in made:
        await each.close()


async def room(fake: FakeDiscord, channel: str = "", name: str = "Librarian", icon: str = "") -> tuple[Place, Asked]:
    """Somebody asks in a channel of this test's own, where the answer opens a thread, and is the Librarian's."""
    place, asked = await bench.asked_for_thread(fake, channel=channel or await bench.new_channel(fake))
    return place, replace(asked, name=name, icon=icon)


async def opened(outbound: Outbound, asked: tuple[Place, Asked], book: Book | None = None) -> Reply:
    place, by = asked
    return await outbound.open(place.target, FakeLedger(book or Book(), since=place.since), by)


async def only(fake: FakeDiscord, place: Place) -> BotMessage:
    (message,) = (await fake.replay()).visible(where(place))
    return message


async def made_in(fake: FakeDiscord, place: Place) -> int:
    """How many webhooks were made in a channel."""
    calls = (await fake.replay()).called(MAKE, accepted=True)
    return sum(call["ids"]["channel"] == place.target.channel for call in calls)


async def sent(fake: FakeDiscord, webhook: str) -> dict[str, Any]:
    """The last message that was sent through a webhook, as it was asked for."""
    calls = (await fake.replay()).called(POST_AS)
    body: dict[str, Any] = next(call["arguments"] for call in reversed(calls) if call["ids"]["webhook"] == webhook)
    return body


async def test_an_answer_carries_the_profile_s_name_and_picture_and_grows_under_them(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await room(fake, icon=PICTURE)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("Llamas"))
    assert (await only(fake, place)).buttons == [f"{STOP}:1"]
    await reply.close(answer("Llamas are kind."))
    message = await only(fake, place)
    assert (message.username, message.text) == ("Librarian", "Llamas are kind.")
    assert message.buttons == [f"{FEEDBACK}:1:1", f"{FEEDBACK}:1:-1"]
    assert (await sent(fake, message.webhook))["avatar_url"] == PICTURE
    calls = [call["method"] for call in (await fake.replay()).calls if call["ids"].get("webhook") == message.webhook]
    assert calls == [POST_AS, PATCH_AS]


async def test_a_channel_has_one_webhook_for_all_answers_and_after_a_restart(fake: FakeDiscord, start: Start) -> None:
    first = await room(fake)
    outbound = start()
    others = [await room(fake, first[0].target.channel) for _ in range(3)]
    await asyncio.gather(*[(await opened(outbound, each)).close(answer("42")) for each in (first, *others)])
    later = await room(fake, first[0].target.channel)
    await (await opened(start(), later)).close(answer("43"))
    assert await made_in(fake, first[0]) == 1
    assert (await only(fake, later[0])).username == "Librarian"


async def test_an_answer_of_another_process_is_edited_under_its_name(fake: FakeDiscord, start: Start) -> None:
    asked, book = await room(fake), Book()
    await (await opened(start(), asked, book)).show(Draft("Llamas"))
    await (await opened(start(), asked, book)).close(answer("Llamas are kind."))
    message = await only(fake, asked[0])
    assert (message.username, message.text) == ("Librarian", "Llamas are kind.")


async def test_an_answer_that_has_begun_under_a_name_keeps_it_when_that_is_not_wanted_any_more(
    fake: FakeDiscord, start: Start
) -> None:
    asked, book = await room(fake), Book()
    await (await opened(start(), asked, book)).show(Draft("Llamas"))
    await (await opened(start(persona=False), asked, book)).close(answer("Llamas are kind."))
    message = await only(fake, asked[0])
    assert (message.username, message.text) == ("Librarian", "Llamas are kind.")


async def test_in_a_channel_itself_an_answer_is_the_profile_s_too(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_in(fake, await bench.new_channel(fake))
    await (await opened(start(), (place, replace(asked, name="Librarian")))).close(answer("42"))
    assert (await only(fake, place)).username == "Librarian"


@pytest.mark.parametrize("name", ["Discord Helper", "clyde", Profile().agent_name, ""])
async def test_names_that_discord_refuses_or_nobody_has_chosen_are_left_out(
    fake: FakeDiscord, start: Start, name: str
) -> None:
    place, asked = await room(fake, name=name, icon=PICTURE)
    await (await opened(start(), (place, asked))).close(answer("42"))
    message = await only(fake, place)
    assert (message.username, message.text) == ("kagent", "42")
    assert "username" not in await sent(fake, message.webhook)


async def test_with_neither_name_nor_picture_a_message_is_the_bot_s_own(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake, name=Profile().agent_name, icon="📚")
    await (await opened(start(), (place, asked))).close(answer("42"))
    assert (await only(fake, place)).webhook == ""


@pytest.mark.parametrize(
    ("picture", "shown"),
    [(None, {}), ("a1", {"avatar_url": "https://cdn.discordapp.com/avatars/7/a1.png"})],
)
async def test_a_profile_without_a_picture_has_the_bot_s(picture: str | None, shown: dict[str, str]) -> None:
    class Asks:
        async def call(self, method: str, path: str) -> Any:
            return {"id": "7", "avatar": picture}

    rest: Any = Asks()
    asked = Asked(Author("1"), "2", "en", "Librarian")
    assert await Personas(rest, Abilities(time.monotonic), worn=True).face(asked) == {"username": "Librarian"} | shown


async def test_without_the_permission_messages_are_the_bot_s_own_and_it_is_not_asked_for_again(
    fake: FakeDiscord, start: Start
) -> None:
    channel = await bench.new_channel(fake)
    await fake.control("overwrite", channel=channel, id=APP, deny=permissions.MANAGE_WEBHOOKS)
    outbound = start()
    for _ in range(2):
        place, asked = await room(fake, channel)
        await (await opened(outbound, (place, asked))).close(answer("42"))
        message = await only(fake, place)
        assert (message.webhook, message.text) == ("", "42")
    calls = (await fake.replay()).called("GET /channels/{channel}/webhooks")
    assert sum(call["ids"]["channel"] == channel for call in calls) == 1


async def test_a_webhook_that_somebody_has_deleted_is_made_again(fake: FakeDiscord, start: Start) -> None:
    outbound = start()
    first = await room(fake)
    await (await opened(outbound, first)).close(answer("42"))
    await bench.call(fake, "DELETE", f"/webhooks/{(await only(fake, first[0])).webhook}")
    later = await room(fake, first[0].target.channel)
    await (await opened(outbound, later)).close(answer("43"))
    message = await only(fake, later[0])
    assert (message.username, message.text) == ("Librarian", "43")
    assert await made_in(fake, first[0]) == 2


async def test_an_answer_whose_webhook_is_gone_is_posted_anew_by_the_end(fake: FakeDiscord, start: Start) -> None:
    outbound = start()
    place, asked = await room(fake)
    reply = await opened(outbound, (place, asked))
    await reply.show(Draft("Llamas"))
    await bench.call(fake, "DELETE", f"/webhooks/{(await only(fake, place)).webhook}")
    assert await reply.show(Draft("Llamas are"))
    await reply.close(answer("Llamas are kind."))
    # The draft is nobody's now, and the bot may not manage messages.
    texts = [message.text for message in (await fake.replay()).visible(where(place))]
    assert texts == ["Llamas", "Llamas are kind."]


async def test_a_persona_that_discord_refuses_costs_the_name_and_not_the_answer(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await room(fake)
    await fake.script(POST_AS, "400:50035")
    await (await opened(start(), (place, asked))).close(answer("42"))
    message = await only(fake, place)
    assert (message.webhook, message.text) == ("", "42")


async def test_what_refers_to_the_question_is_the_bot_s_own(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    await (await opened(start(), (place, asked))).close(Final("refused", "Not today.", "en", private=True))
    message = await only(fake, bench.channel_of(place))
    assert (message.webhook, message.reply_to) == ("", asked.message_id)


async def test_a_direct_message_is_answered_by_the_bot_itself(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_directly(fake)
    await (await opened(start(), (place, replace(asked, name="Librarian")))).close(answer("42"))
    message = (await fake.replay()).visible(where(place))[-1]
    assert (message.webhook, message.text) == ("", "42")


async def test_tidy_deletes_a_stray_of_our_webhook_and_of_nobody_else_s(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_in(fake, await bench.new_channel(fake))
    asked = replace(asked, name="Librarian")
    await (await opened(start(), (place, asked))).close(answer("a stray"))
    await fake.hook("news of somebody's", channel=place.target.channel)
    await start().tidy(place.target, place.since, FakeLedger(Book()).known)
    shown = [message["content"] for message in await fake.messages(place.target.channel)]
    assert shown[1:] == ["news of somebody's"]
