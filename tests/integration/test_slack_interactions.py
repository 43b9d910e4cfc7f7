"""What people press below an answer, the commands that they type, and what they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from adapters.chat import actions, texts
from adapters.slack.controls import steps_view
from adapters.slack.errors import sentence
from adapters.slack.replying import look
from adapters.slack.texts import SLACK
from bot.invocation import CommandReply
from bot.messages import Consent, Final, ReplyFile, StepView
from bot.store import steps
from bot.store.db import Store, open_store
from bot.store.tables import feedback as feedback_table
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.harness import Said
from tests.fakes.slack.prepared import ALICE, BOB, C1, C2, CAROL, DORA, SHARED
from tests.fakes.slack.replay import BotMessage
from tests.support.slack_inbound import Listening, Orders, listening

# One process of Slack serves all tests of this module; each test has an app of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

STEPS = (StepView("act/0/0", "calculator"),)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def app(slack: FakeSlack, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Listening]:
    await slack.set(reset=True, retry_scale=0.01)
    store = open_store(sqlite_url)
    async with listening(slack, store, tmp_path, "http") as running:
        yield running
    await store.close()


async def asked(app: Listening, text: str = "what is it?", **how: Any) -> tuple[Said, int]:
    """A question and its turn."""
    said = await app.slack.mention(text, **how)
    return said, await app.turn(said)


async def answered(app: Listening, **how: Any) -> tuple[BotMessage, int]:
    """An answer with everything below it."""
    said, turn_id = await asked(app, **how)
    await app.desk.answer()
    shown = look.Look("42", look.end_buttons(turn_id, Final("answered", "42", "en", STEPS)))
    return await app.post(said, shown), turn_id


async def told(app: Listening, user: str = ALICE) -> list[str]:
    """What only this person has seen since the app of this test came up."""
    await app.settled()
    return await app.slack.ephemerals(user)


async def ratings(store: Store) -> list[tuple[str, int, int | None]]:
    rows = await store.read(lambda c: c.execute(feedback_table.select()).all())
    return [(row.author_id, row.value, row.rating) for row in rows]


# Stop, retry, consent.


async def test_anybody_in_the_conversation_may_stop(app: Listening) -> None:
    said, turn_id = await asked(app)
    draft = await app.post(said, look.Look("Well", look.stop_button(turn_id, "en")))
    assert await app.slack.press(actions.STOP, on=draft, user=BOB)
    await app.settled()
    [row] = await app.desk.turns()
    assert (row.end_as, row.end_asked_by) == ("stopped", BOB)


async def test_somebody_of_another_workspace_may_stop_in_the_shared_channel(app: Listening) -> None:
    said, turn_id = await asked(app, channel=SHARED)
    draft = await app.post(said, look.Look("Well", look.stop_button(turn_id, "en")))
    await app.slack.press(actions.STOP, on=draft, user=DORA)
    await app.settled()
    assert [row.end_asked_by for row in await app.desk.turns()] == [DORA]


async def test_stopping_what_is_over_is_told(app: Listening) -> None:
    said, turn_id = await asked(app)
    draft = await app.post(said, look.Look("Well", look.stop_button(turn_id, "en")))
    await app.desk.answer()
    await app.slack.press(actions.STOP, on=draft)
    assert (await told(app))[-1] == texts.OVER.en


async def test_a_button_from_another_channel_is_not_obeyed(app: Listening) -> None:
    _, turn_id = await asked(app)
    elsewhere = await app.slack.say("over here", channel=C2)
    planted = await app.post(elsewhere, look.Look("Well", look.stop_button(turn_id, "en")))
    await app.slack.press(actions.STOP, on=planted)
    assert (await told(app))[-1] == texts.NOT_HERE.en
    assert [row.end_as for row in await app.desk.turns()] == [None]


async def test_a_value_that_is_none_of_ours_is_not_obeyed(app: Listening) -> None:
    said, _ = await asked(app)
    button = {**look.stop_button(1, "en")[0]}
    button["elements"] = [{**button["elements"][0], "value": "1; DROP TABLE turn"}]
    planted = await app.post(said, look.Look("Well", (button,)))
    await app.slack.press(actions.STOP, on=planted)
    assert (await told(app))[-1] == texts.NOT_HERE.en


async def test_a_failed_answer_is_tried_again_once(app: Listening) -> None:
    said, turn_id = await asked(app)
    await app.desk.end(await app.desk.start(), "failed", None)
    shown = look.Look("Sorry", look.end_buttons(turn_id, Final("failed", "Sorry", "en", can_retry=True)))
    failed = await app.post(said, shown)
    before = len(await told(app))
    await app.slack.press(actions.RETRY, on=failed)
    await app.settled()
    assert await app.desk.states() == ["failed", "queued"]
    await app.slack.press(actions.RETRY, on=failed)
    # Of the first one the signs of work tell, and nothing else.
    assert (await told(app))[before:] == [texts.NOT_RETRYABLE.en]
    assert await app.desk.states() == ["failed", "queued"]


async def parked(app: Listening, user: str) -> tuple[BotMessage, int]:
    """A question for consent, asked in answer to this person."""
    said, turn_id = await asked(app, user=user)
    claimed = await app.desk.start()
    now = app.desk.clock.now()
    key, detail = "consent/0/0", {"tool": "calculator", "args": {}}
    await app.desk.store.write(lambda c: steps.begin(c, turn_id, key, detail, 1, now, writes=False))
    assert await app.desk.park(claimed, now + timedelta(hours=1))
    shown = look.Look("May I?", look.consent_buttons(turn_id, Consent("consent/0/0", "May I?"), "en"))
    return await app.post(said, shown), turn_id


async def test_whoever_asked_may_allow(app: Listening) -> None:
    question, _ = await parked(app, BOB)
    await app.slack.press(actions.ALLOW, on=question, user=BOB)
    await app.settled()
    assert await app.desk.states() == ["queued"]


async def test_somebody_else_may_not_decide_unless_an_admin(app: Listening) -> None:
    question, _ = await parked(app, BOB)
    await app.slack.press(actions.ALLOW, on=question, user=CAROL)
    assert (await told(app, CAROL))[-1] == texts.NOT_YOURS.zh
    assert await app.desk.states() == ["waiting"]
    await app.slack.press(actions.DENY, on=question, user=ALICE)
    await app.settled()
    assert await app.desk.states() == ["queued"]
    await app.slack.press(actions.ALLOW, on=question, user=BOB)
    assert (await told(app, BOB))[-1] == texts.DECIDED.en


# Ratings.


async def test_thumbs_and_stars_are_kept_per_person(app: Listening) -> None:
    answer, turn_id = await answered(app)
    await app.slack.press(actions.FEEDBACK, actions.value_of(turn_id, -1), on=answer, user=BOB)
    await app.slack.press(actions.RATE, actions.value_of(turn_id, 4), on=answer, user=CAROL)
    assert (await told(app, BOB))[-1] == texts.THANKS.en
    assert (await told(app, CAROL))[-1] == texts.RATED.zh.format(rating=4)
    assert await ratings(app.desk.store) == [(BOB, -1, None), (CAROL, 0, 4)]


# Steps.


async def test_the_steps_open_in_a_modal(app: Listening) -> None:
    answer, turn_id = await answered(app)
    await app.journal(turn_id, "plan/0", None, {"thought": "I need to *calculate*.", "calls": []})
    result = {"ok": True, "answer_md": "6 × 7 = **42**", "urls": ["https://example.org/<b>"]}
    await app.journal(turn_id, "act/0/0", {"tool": "calculator", "args": {"expression": "6*7"}}, result)
    await app.slack.press(actions.STEPS, on=answer)
    await app.settled()
    view = await app.slack.view()
    assert view is not None
    text = str(view["blocks"])
    for part in ("I need to _calculate_.", "Calculating", "expression: 6*7", "6 × 7 = *42*", "example.org/&lt;b&gt;"):
        assert part in text
    await app.slack.close(everything=True)


async def test_the_steps_speak_the_language_of_whoever_looks(app: Listening) -> None:
    answer, turn_id = await answered(app)
    await app.journal(turn_id, "act/0/0", {"tool": "calculator", "args": {}}, {"ok": False})
    await app.slack.press(actions.STEPS, on=answer, user=CAROL)
    await app.settled()
    view = await app.slack.view(CAROL)
    assert view is not None
    assert view["title"]["text"] == "步骤"
    assert "计算" in str(view["blocks"])
    assert "失败" in str(view["blocks"])
    await app.slack.close(user=CAROL, everything=True)


async def test_long_steps_have_pages_and_lose_nothing(app: Listening) -> None:
    answer, turn_id = await answered(app)
    words = [f"word{number:05}" for number in range(8_000)]
    await app.journal(turn_id, "act/0/0", {"tool": "calculator"}, {"ok": True, "answer": " ".join(words)})
    await app.slack.press(actions.STEPS, on=answer)
    await app.settled()
    seen = ""
    for _ in range(20):
        view = await app.slack.view()
        assert view is not None
        # A part may end in the middle of a word.
        seen += "".join(block["text"]["text"] for block in view["blocks"] if block["type"] == "section")
        if steps_view.NEXT not in str(view["blocks"]):
            break
        await app.slack.press(steps_view.NEXT)
        await app.settled()
    assert all(word in seen for word in words)
    await app.slack.press(steps_view.PREVIOUS)
    await app.settled()
    assert steps_view.NEXT in str(await app.slack.view())
    await app.slack.close(everything=True)


async def test_a_window_that_came_too_late_is_explained(app: Listening) -> None:
    answer, _ = await answered(app)
    await app.slack.set(trigger_ttl=0.0)
    await app.slack.press(actions.STEPS, on=answer)
    assert (await told(app))[-1] == sentence("expired_trigger_id", "en")
    assert await app.slack.view() is None


async def test_a_slack_that_does_not_answer_is_told(app: Listening) -> None:
    answer, _ = await answered(app)
    await app.slack.script("views.open", "unavailable")
    await app.slack.press(actions.STEPS, on=answer)
    assert (await told(app))[-1] == SLACK.named(texts.BUSY).en


# Commands.


def orders(app: Listening) -> Orders:
    assert isinstance(app.orders, Orders)
    return app.orders


async def test_a_command_is_answered_for_whoever_typed_it(app: Listening) -> None:
    orders(app).reply = CommandReply("**Hello** & welcome")
    assert await app.slack.command("help me &amp; &lt;you&gt;", user=BOB) == ""
    assert (await told(app, BOB))[-1] == "*Hello* &amp; welcome"
    [given] = orders(app).given
    assert (given.words, given.author.id, given.lang, given.in_conversation) == ("help me & <you>", BOB, "en", False)
    assert (given.target.workspace, given.target.channel, given.target.thread) == ("T1", C1, None)


async def test_a_command_speaks_the_language_of_the_client(app: Listening) -> None:
    await app.slack.command("help", user=CAROL)
    await app.settled()
    assert orders(app).given[0].lang == "zh"


async def test_a_public_reply_is_seen_by_everybody(app: Listening) -> None:
    orders(app).reply = CommandReply("Measured: 42", private=False)
    await app.slack.command("status")
    await app.settled()
    shown = (await app.slack.replay()).visible()
    assert shown[-1].text == "Measured: 42"


async def test_a_long_reply_comes_in_parts(app: Listening) -> None:
    lines = [f"line {number} of the help" for number in range(400)]
    orders(app).reply = CommandReply("\n".join(lines))
    before = len(await told(app, BOB))
    await app.slack.command("help", user=BOB)
    parts = (await told(app, BOB))[before:]
    assert 1 < len(parts) <= 5
    assert all(line in "\n".join(parts) for line in lines)


async def test_a_file_goes_to_the_person_alone(app: Listening) -> None:
    orders(app).reply = CommandReply("Your export", file=ReplyFile("export.md", "text/markdown", b"# All"))
    await app.slack.command("export", user=BOB)
    assert (await told(app, BOB))[-1] == texts.FILE_SENT.en.format(name="export.md")
    [sent] = [message for message in (await app.slack.replay()).created() if message.files]
    assert sent.place.channel.startswith("D")
    assert sent.text == "Your export"


async def test_the_benchmark_command_is_a_command_of_its_own(app: Listening) -> None:
    await app.slack.command("run limit=40", name="/kagent-bench")
    assert (await told(app))[-1] == "not set up"
    given = orders(app).given[-1]
    assert (given.words, given.lead) == ("run limit=40", "/kagent-bench ")


async def test_a_command_that_breaks_is_apologised_for(app: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(invocation: object) -> CommandReply:
        raise RuntimeError("a defect")

    monkeypatch.setattr(orders(app), "reply", None)
    await app.slack.command("help", user=CAROL)
    assert (await told(app, CAROL))[-1] == texts.TROUBLE.zh


# What nobody handles.


async def test_unknown_buttons_and_commands_are_acked(app: Listening) -> None:
    said, _ = await asked(app)
    button = {"type": "button", "action_id": "someone.elses", "text": {"type": "plain_text", "text": "?"}, "value": "1"}
    planted = await app.post(said, look.Look("?", ({"type": "actions", "elements": [button]},)))
    assert await app.slack.press("someone.elses", on=planted)
