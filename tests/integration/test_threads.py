"""People in threads, through the inbox: the agent answers what is meant for it and never butts in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.profile import Profile
from bot.messages import MENTION, OVERHEARD, Address, Author, Incoming, Target
from bot.places import Place
from bot.profiles import Profiles
from bot.store import conversations
from bot.store.db import Store
from tests.support.clock import START
from tests.support.desk import Desk

ANN, BOB, CEM, BOT = Author("ann"), Author("bob"), Author("cem"), Author("other", kind="bot")
TO_OTHERS = Address(mentions_others=True)
REPLY = Address(replies_to_us=True)
BOTH = Address(mentions_us=True, mentions_others=True)
THREAD = Target("test", "w", "ch", "t1", "test:w:ch:t1")


class Room:
    """A thread in which people speak."""

    def __init__(self, desk: Desk, target: Target = THREAD) -> None:
        self.desk = desk
        self.target = target
        self._count = 0

    async def says(self, who: Author, text: str, address: Address = OVERHEARD, *, earlier: bool = False) -> bool:
        """Somebody says something; whether it is answered."""
        self._count += 1
        accepted = await self.desk.inbox.receive(
            Incoming(
                self.target,
                f"m{self._count}",
                who,
                text,
                START + timedelta(seconds=self._count),
                address=address,
                earlier=earlier,
            )
        )
        return accepted.turn_id is not None


@pytest.fixture
def room(store: Store) -> Room:
    return Room(Desk(store))


async def test_three_people_in_a_thread_are_never_interrupted(room: Room) -> None:
    """Who speaks, what, to whom it is meant, and whether it is for the agent."""
    transcript = [
        (BOB, "lunch at twelve?", OVERHEARD, False),
        (ANN, "yes! @agent which day is it?", MENTION, True),
        (ANN, "and tomorrow?", OVERHEARD, True),
        (BOB, "thanks, nice", OVERHEARD, False),
        (ANN, "I will bring the cake", OVERHEARD, False),
        (CEM, "what cake?", OVERHEARD, False),
        (ANN, "@cem the one of last week", TO_OTHERS, False),
        (CEM, "ah. @agent how many days ago was that?", MENTION, True),
        (CEM, "hm, is that right?", OVERHEARD, False),
        (BOB, "I think so", OVERHEARD, False),
        (BOB, "(to its answer) are you sure?", REPLY, True),
        (BOT, "build 17 failed", OVERHEARD, False),
        (ANN, "@bob @agent please settle this", BOTH, True),
        (CEM, "@bob help me with the build", TO_OTHERS, False),
        (BOB, "stop", OVERHEARD, False),
        (ANN, "?", OVERHEARD, False),
    ]
    answered = [await room.says(who, text, address) for who, text, address, _ in transcript]
    assert answered == [expected for *_, expected in transcript]
    # What was said before the agent was called is nobody's business; the rest is what it may look at.
    assert len(await room.desk.messages()) == len(transcript) - 1
    assert await room.desk.findings() == []


async def test_in_a_thread_of_one_person_everything_is_answered(room: Room) -> None:
    assert await room.says(ANN, "@agent hello", MENTION)
    assert [await room.says(ANN, f"and {n}?") for n in range(3)] == [True] * 3


async def test_where_a_thread_began_without_it_others_may_have_spoken(room: Room) -> None:
    assert await room.says(ANN, "@agent what do you think?", MENTION, earlier=True)
    assert not await room.says(ANN, "go on")


async def test_outside_of_threads_only_what_names_it_is_for_it(store: Store) -> None:
    room = Room(Desk(store), Target("test", "w", "ch", None, "test:w:ch"))
    assert not await room.says(ANN, "anybody?")
    assert await room.desk.messages() == []
    assert await room.says(ANN, "@agent anybody?", MENTION)


@pytest.mark.parametrize(("follow", "answered"), [("always", True), ("addressed", False), ("mention", False)])
async def test_what_it_follows_is_the_profiles_business(room: Room, follow: str, answered: bool) -> None:
    profiles = Profiles(room.desk.store, room.desk.clock, Profile(), ())
    await profiles.save(Place("channel", "test:w:ch"), {"follow": follow}, ANN, based_on=0)
    await room.says(ANN, "@agent hello", MENTION)
    await room.says(BOB, "hello both", TO_OTHERS)
    assert await room.says(ANN, "go on") is answered


async def test_a_muted_thread_is_left_alone_until_it_is_mentioned(room: Room) -> None:
    await room.says(ANN, "@agent hello", MENTION)
    place = await room.desk.store.read(lambda c: conversations.find(c, THREAD.conversation_key))
    assert place is not None
    await room.desk.store.write(lambda c: conversations.mute(c, place.id, muted=True))
    assert not await room.says(ANN, "go on")
    assert not await room.says(ANN, "really", REPLY)
    assert await room.says(BOB, "@agent come back", MENTION)
    assert (await room.desk.store.read(lambda c: conversations.find(c, THREAD.conversation_key))).muted is False  # type: ignore[union-attr]


async def test_two_bots_do_not_talk_for_ever(room: Room) -> None:
    assert [await room.says(BOT, f"@agent {n}", MENTION) for n in range(5)] == [True, True, True, False, False]
    assert await room.says(ANN, "@agent and now?", MENTION)
    assert await room.says(BOT, "@agent again", MENTION)
