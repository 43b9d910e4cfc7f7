"""What people press below an answer in Discord, and what they are told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.chat import actions, texts
from adapters.chat.actions import value_of
from adapters.discord import texts as discord_texts
from adapters.discord.controls import steps_view
from adapters.discord.replying import look
from adapters.discord.texts import DISCORD
from agent.language import Text
from bot.messages import Author, Consent, Final, StepView
from bot.ports import StoreUnavailable
from bot.store import steps
from bot.store.db import Store
from bot.store.tables import feedback as feedback_table
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import ALICE, BOB, CAROL, GENERAL, HARBOUR, LIGHTHOUSE, MONA, PLANS
from tests.fakes.discord.replay import BotMessage
from tests.support import discord_clicks as clicks
from tests.support.discord_clicks import Clicking, clicking

# One process of Discord serves all tests of this module; each test has a bot of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")
discord, store, app = clicks.discord, clicks.store, clicks.app

STEPS = (StepView("act/0/0", "calculator"),)


async def answered(app: Clicking) -> tuple[BotMessage, int]:
    """An answer with everything below it."""
    _, turn_id = await app.asked()
    await app.desk.answer()
    return await app.post(look.Look("42", look.end_rows(turn_id, Final("answered", "42", "en", STEPS)))), turn_id


async def ratings(store: Store) -> list[tuple[str, int, int | None]]:
    rows = await store.read(lambda c: c.execute(feedback_table.select()).all())
    return [(row.author_id, row.value, row.rating) for row in rows]


# Stop, retry, consent


async def test_anybody_in_the_channel_may_stop_an_answer_and_the_answer_shows_it(app: Clicking) -> None:
    _, turn_id = await app.asked()
    draft = await app.post(look.Look("Well", look.stop_row(turn_id, "en")))
    before = len(await app.told(BOB))
    pressed = await app.press(actions.STOP, on=draft, user=BOB)
    [row] = await app.desk.turns()
    assert pressed["outcome"] == "taken"
    assert (row.end_as, row.end_asked_by) == ("stopped", BOB)
    assert len(await app.told(BOB)) == before


async def test_stop_is_taken_note_of_when_it_is_done_so_that_it_fails_visibly_where_the_server_dies(
    app: Clicking, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, turn_id = await app.asked()
    draft = await app.post(look.Look("Well", look.stop_row(turn_id, "en")))
    stop, noted = app.desk.control.stop, "POST /interactions/{interaction}/{token}/callback"
    known = len((await app.fake.replay()).called(noted))
    meanwhile: list[int] = []

    async def watched(turn_id: int, by: Author) -> bool:
        done = await stop(turn_id, by)
        meanwhile.append(len((await app.fake.replay()).called(noted)) - known)
        return done

    monkeypatch.setattr(app.desk.control, "stop", watched)
    assert (await app.press(actions.STOP, on=draft))["outcome"] == "taken"
    assert meanwhile == [0]


async def test_stopping_what_is_over_is_told_to_whoever_pressed_alone(app: Clicking) -> None:
    _, turn_id = await app.asked()
    draft = await app.post(look.Look("Well", look.stop_row(turn_id, "en")))
    await app.desk.answer()
    await app.press(actions.STOP, on=draft)
    assert (await app.newest()).text == texts.OVER.en
    assert texts.OVER.en not in [one["content"] for one in await app.fake.messages(GENERAL) if not one["flags"] & 64]


async def test_a_button_that_was_posted_before_a_restart_is_obeyed_after_it(
    discord: FakeDiscord, store: Store, tmp_path: Path
) -> None:
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path) as app:
        _, turn_id = await app.asked()
        draft = await app.post(look.Look("Well", look.stop_row(turn_id, "en")))
    async with clicking(discord, store, tmp_path) as again:
        await again.press(actions.STOP, on=draft)
        assert [row.end_as for row in await again.desk.turns()] == ["stopped"]


@pytest.mark.parametrize("archived", [False, True])
async def test_in_a_thread_what_is_pressed_is_about_the_threads_turns(app: Clicking, archived: bool) -> None:
    thread = await app.fake.open_thread("Tides")
    _, turn_id = await app.asked(channel=thread)
    draft = await app.post(look.Look("Well", look.stop_row(turn_id, "en")), thread)
    if archived:
        await app.fake.archive(thread)
    await app.press(actions.STOP, on=draft, user=BOB)
    assert [row.end_as for row in await app.desk.turns()] == ["stopped"]


async def test_in_direct_messages_answers_are_rated_like_elsewhere(app: Clicking, store: Store) -> None:
    said = await app.fake.dm("what is it?")
    turn_id = await app.turn(said)
    await app.desk.answer()
    shown = look.end_rows(turn_id, Final("answered", "42", "en"))
    answer = await app.post(look.Look("42", shown), said.channel)
    await app.press(f"kagent.feedback:{turn_id}:1", on=answer)
    assert (await app.newest()).text == texts.THANKS.en
    assert await ratings(store) == [(ALICE, 1, None)]


async def test_a_button_that_names_a_turn_of_another_channel_is_not_obeyed(app: Clicking) -> None:
    _, turn_id = await app.asked()
    elsewhere = await app.post(look.Look("Well", look.stop_row(turn_id, "en")), PLANS)
    await app.press(actions.STOP, on=elsewhere)
    assert [row.end_as for row in await app.desk.turns()] == [None]
    assert (await app.newest()).text == texts.NOT_HERE.en


async def test_a_button_in_the_channel_that_names_a_turn_of_a_thread_that_may_be_private_is_not_obeyed(
    discord: FakeDiscord, app: Clicking
) -> None:
    thread = await discord.open_thread("Between us", user=BOB)
    _, turn_id = await app.asked("what is it?", channel=thread, user=BOB)
    both = (*look.stop_row(turn_id, "en"), look.row(look.button(actions.STEPS, value_of(turn_id), texts.STEPS, "en")))
    planted = await app.post(look.Look("Well", both))
    for action in (actions.STOP, actions.STEPS):
        await app.press(action, on=planted)
        assert (await app.newest()).text == texts.NOT_HERE.en
    assert [row.end_as for row in await app.desk.turns()] == [None]


async def test_a_button_in_one_thread_that_names_a_turn_of_another_is_not_obeyed(
    discord: FakeDiscord, app: Clicking
) -> None:
    _, turn_id = await app.asked()
    thread = await discord.open_thread("Another matter")
    planted = await app.post(look.Look("Well", look.stop_row(turn_id, "en")), thread)
    await app.press(actions.STOP, on=planted)
    assert [row.end_as for row in await app.desk.turns()] == [None]
    assert (await app.newest()).text == texts.NOT_HERE.en


@pytest.mark.parametrize("made_up", ["kagent.stop:x", "kagent.stop:", "kagent.rate:9:6", "kagent.allow:77:nothing"])
async def test_a_value_that_somebody_made_up_is_answered_and_does_nothing(app: Clicking, made_up: str) -> None:
    action, _, value = made_up.partition(":")
    post = await app.post(look.Look("Well", (look.row(look.button(action, value, texts.CLOSE, "en")),)))
    await app.press(made_up, on=post)
    assert (await app.newest()).text == texts.NOT_HERE.en


@pytest.mark.parametrize("foreign", ["kagent.dance:1", "somebody-elses"])
async def test_a_button_of_another_time_is_answered_with_one_sentence(app: Clicking, foreign: str) -> None:
    post = await app.post(look.Look("Well", (look.row({"type": 2, "style": 2, "custom_id": foreign, "label": "x"}),)))
    pressed = await app.press(foreign, on=post)
    assert pressed["outcome"] == "taken"
    assert (await app.newest()).text == discord_texts.OUTDATED.en


async def test_an_answer_that_was_stopped_is_tried_again_once(app: Clicking) -> None:
    said, turn_id = await app.asked()
    claimed = await app.desk.start()
    await app.desk.end(claimed, "stopped", "so far")
    shown = look.end_rows(turn_id, Final("stopped", "so far", "en", can_retry=True))
    post = await app.post(look.Look("so far", shown))
    await app.press(actions.RETRY, on=post)
    assert await app.desk.states() == ["stopped", "queued"]
    await app.press(actions.RETRY, on=post)
    assert (await app.newest()).text == texts.NOT_RETRYABLE.en
    assert said.message in {row.message_id for row in await app.desk.messages()}


async def waiting(app: Clicking) -> tuple[BotMessage, int]:
    """A turn of Alice's that waits for permission."""
    _, turn_id = await app.asked()
    claimed = await app.desk.start()
    now, key = app.desk.clock.now(), "consent/0/0"
    await app.desk.store.write(lambda c: steps.begin(c, turn_id, key, {"tool": "mail"}, 1, now, writes=False))
    assert await app.desk.park(claimed, now + timedelta(hours=1))
    return await app.post(look.Look("May I?", look.consent_rows(turn_id, Consent(key, "May I?"), "en"))), turn_id


async def test_whoever_asked_may_allow(app: Clicking) -> None:
    question, _ = await waiting(app)
    await app.press(actions.ALLOW, on=question)
    assert await app.desk.states() == ["queued"]


async def test_a_moderator_may_decide_and_another_member_may_not(app: Clicking) -> None:
    question, _ = await waiting(app)
    await app.press(actions.ALLOW, on=question, user=BOB)
    assert await app.desk.states() == ["waiting"]
    assert (await app.newest(BOB)).text == texts.NOT_YOURS.en
    await app.press(actions.DENY, on=question, user=MONA)
    assert await app.desk.states() == ["queued"]


# Ratings


async def test_a_thumb_is_thanked_for_in_private_with_five_buttons(app: Clicking, store: Store) -> None:
    answer, turn_id = await answered(app)
    await app.press(f"kagent.feedback:{turn_id}:1", on=answer, user=BOB)
    thanks = await app.newest(BOB)
    assert (await ratings(store)) == [(BOB, 1, None)]
    assert thanks.text == texts.THANKS.en
    assert thanks.buttons == [f"kagent.rate:{turn_id}:{number}" for number in range(1, 6)]


async def test_a_rating_stands_where_the_thanks_stood_and_may_be_changed(app: Clicking, store: Store) -> None:
    answer, turn_id = await answered(app)
    await app.press(f"kagent.feedback:{turn_id}:-1", on=answer)
    thanks = await app.newest()
    before = len(await app.told())
    for number in (4, 2):
        await app.press(f"kagent.rate:{turn_id}:{number}", on=thanks)
        shown = await app.newest()
        assert (shown.id, shown.text) == (thanks.id, texts.RATED.say("en", rating=number))
    assert (len(await app.told()), await ratings(store)) == (before, [(ALICE, -1, 2)])


async def test_whoever_presses_is_answered_in_the_language_of_their_client(app: Clicking) -> None:
    answer, turn_id = await answered(app)
    await app.press(f"kagent.feedback:{turn_id}:1", on=answer, user=CAROL)
    assert (await app.newest(CAROL)).text == texts.THANKS.zh


async def test_a_client_in_another_language_gets_that_of_the_profile(discord: FakeDiscord, app: Clicking) -> None:
    fleur = (await discord.control("add", kind="user", username="fleur", locale="fr"))["id"]
    await discord.control("add", kind="member", guild=LIGHTHOUSE, user=fleur)
    answer, turn_id = await answered(app)
    await app.press(f"kagent.feedback:{turn_id}:1", on=answer, user=fleur)
    assert (await app.newest(fleur)).text == texts.THANKS.en
    await app.command("profile set", {"name": "lang", "value": "zh", "where": "workspace"})
    await app.press(f"kagent.feedback:{turn_id}:1", on=answer, user=fleur)
    assert (await app.newest(fleur)).text == texts.THANKS.zh


# Steps


async def test_the_steps_are_shown_to_whoever_asks_and_turned_page_by_page(app: Clicking) -> None:
    answer, turn_id = await answered(app)
    long = "\n\n".join(f"paragraph {number} " + "word " * 60 for number in range(20))
    await app.journal(turn_id, "act/0/0", {"tool": "calculator", "args": {"x": "1+1"}}, {"ok": True, "answer": long})
    await app.press(actions.STEPS, on=answer, user=BOB)
    page = await app.newest(BOB)
    assert "Calculating" in page.text
    assert texts.PAGE.say("en", page=1, pages=5) in page.text
    assert page.buttons == [f"{steps_view.PAGE}:{turn_id}:1"]
    await app.press(steps_view.PAGE, on=page, user=BOB)
    turned = await app.newest(BOB)
    assert turned.id == page.id
    assert texts.PAGE.say("en", page=2, pages=5) in turned.text
    assert turned.buttons == [f"{steps_view.PAGE}:{turn_id}:0", f"{steps_view.PAGE}:{turn_id}:2"]


async def test_steps_of_another_channel_are_not_shown(app: Clicking) -> None:
    _, turn_id = await answered(app)
    made_up = look.row(look.button(actions.STEPS, value_of(turn_id), texts.STEPS, "en"))
    elsewhere = await app.post(look.Look("x", (made_up,)), PLANS)
    await app.press(actions.STEPS, on=elsewhere)
    assert (await app.newest()).text == texts.NOT_HERE.en


async def test_what_a_tool_said_pings_nobody_and_hides_no_mark(app: Clicking) -> None:
    answer, turn_id = await answered(app)
    await app.journal(turn_id, "act/0/0", {"tool": "a*b"}, {"ok": True, "answer": f"@everyone <@{BOB}> hello"})
    await app.press(actions.STEPS, on=answer)
    page = await app.newest()
    assert page.pings == []
    assert "@everyone" not in page.text
    assert f"<@{BOB}>" not in page.text
    assert "A\\*b" in page.text


# Who is served, and what goes wrong


async def test_somebody_on_the_deny_list_may_press_nothing(discord: FakeDiscord, store: Store, tmp_path: Path) -> None:
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path, access={"deny_users": (f"discord:{BOB}",)}) as app:
        _, turn_id = await app.asked()
        draft = await app.post(look.Look("Well", look.stop_row(turn_id, "en")))
        before = len(await app.told(BOB))
        await app.press(actions.STOP, on=draft, user=BOB)
        assert [row.end_as for row in await app.desk.turns()] == [None]
        assert len(await app.told(BOB)) == before + 1


async def test_in_a_server_that_is_not_served_a_press_is_answered_with_one_sentence(
    discord: FakeDiscord, store: Store, tmp_path: Path
) -> None:
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path) as app:
        _, turn_id = await app.asked()
        draft = await app.post(look.Look("Well", look.stop_row(turn_id, "en")))
    async with clicking(discord, store, tmp_path, servers=(HARBOUR,)) as unserved:
        await unserved.press(actions.STOP, on=draft)
        assert [row.end_as for row in await unserved.desk.turns()] == [None]
        assert (await unserved.newest()).text == discord_texts.NOT_SERVED.en


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (RuntimeError("a defect"), texts.TROUBLE),
        (StoreUnavailable(Text("full", "已满")), DISCORD.named(texts.BUSY)),
    ],
)
async def test_whatever_goes_wrong_whoever_pressed_is_told_in_one_sentence(
    app: Clicking, monkeypatch: pytest.MonkeyPatch, trouble: Exception, said: Text
) -> None:
    answer, turn_id = await answered(app)

    async def fails(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(app.desk.control, "feedback", fails)
    await app.press(f"kagent.feedback:{turn_id}:1", on=answer, user=CAROL)
    assert (await app.newest(CAROL)).text == said.zh


async def test_a_press_that_discord_tells_twice_is_obeyed_once(app: Clicking, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, turn_id = await answered(app)
    client: Any = app.connection.client
    parsers, told = client._connection.parsers, client._connection.parsers["INTERACTION_CREATE"]

    def twice(data: Any) -> None:
        told(data)
        told(data)

    monkeypatch.setitem(parsers, "INTERACTION_CREATE", twice)
    before = len(await app.told())
    await app.press(f"kagent.feedback:{turn_id}:1", on=answer)
    assert len(await app.told()) == before + 1
