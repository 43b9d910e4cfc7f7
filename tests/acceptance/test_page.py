"""The page in a real browser, against a server that shows it what is hard to provoke."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.acceptance.browser import open_page, running_browser
from tests.acceptance.page_server import (
    OFFERED,
    QUESTION,
    PageServer,
    Refusal,
    message,
    running_page_server,
    step,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a" * 32
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[PageServer]:
    async with running_page_server() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, server: PageServer) -> AsyncIterator[Page]:
    async with open_page(browser, server.url) as opened:
        await expect(opened.locator(".offers button")).to_have_count(len(OFFERED))
        yield opened


async def show(page: Page, server: PageServer, key: str = KEY) -> None:
    """Open a conversation and wait until the page follows it."""
    await page.goto(f"{server.url}/#/c/{key}")
    await server.watched(key)


async def write(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


def answered(server: PageServer, asked: str = "And?", answer: str = "Yes.", **fields: Any) -> dict[str, Any]:
    """A turn that is over, with an answer."""
    fields.setdefault("messages", [message(asked)])
    return server.turn(KEY, **{"state": "answered", "text": answer, "html": f"<p>{answer}</p>", **fields})


def running(server: PageServer, **fields: Any) -> dict[str, Any]:
    """A turn that is being answered."""
    fields.setdefault("messages", [message(QUESTION)])
    return server.turn(KEY, **{"state": "running", **fields})


# --- Asking ----------------------------------------------------------------------------------------------------------


async def test_the_empty_page_offers_questions_and_says_what_model_it_is(page: Page) -> None:
    offers = await page.locator(".offers button").all_inner_texts()
    assert offers == [question["text"] for question in OFFERED]
    await expect(page.locator(".welcome .fine")).to_contain_text("SmolLM2-135M-Instruct")
    await expect(page.locator(".welcome .fine code")).to_have_text("OPENAI_BASE_URL")


async def test_an_offered_question_is_asked_with_one_click(page: Page, server: PageServer) -> None:
    await page.locator(".offers button").first.click()
    body = await server.asked("POST", "/messages")
    assert body["text"] == QUESTION
    assert body["conversation"] is None
    await expect(page.locator(".bubble-text")).to_have_text(QUESTION)
    await expect(page).to_have_url(f"{server.url}/#/c/{body['message_id'].replace('-', '')}")


async def test_steps_are_shown_while_they_run_and_folded_to_a_line_afterwards(page: Page, server: PageServer) -> None:
    turn = running(server, steps=[step("running")])
    await show(page, server)
    await expect(page.locator(".step-title")).to_have_text("Computing the time between two dates…")
    await expect(page.locator(".args")).to_contain_text("2024-02-28")
    server.put(turn, steps=[step("done")])
    await expect(page.locator(".step .result")).to_have_text("2 days")
    server.put(turn, state="answered", html="<p>2 days.</p>", text="2 days.")
    await expect(page.locator(".fold")).to_have_text("1 step · show")
    await expect(page.locator(".step-title")).to_be_hidden()


async def test_folded_steps_can_be_opened_and_closed_again(page: Page, server: PageServer) -> None:
    answered(server, steps=[step("done"), step("failed", key="act/0/1")])
    await show(page, server)
    await page.locator(".fold").click()
    await expect(page.locator(".step-title").first).to_be_visible()
    await expect(page.locator(".fold")).to_have_text("2 steps · hide")
    await page.locator(".fold").click()
    await expect(page.locator(".step-title").first).to_be_hidden()


async def test_what_has_been_written_stays_in_place_while_more_arrives(page: Page, server: PageServer) -> None:
    turn = running(server, html="<p>First.</p>\n<p>Sec</p>")
    await show(page, server)
    await expect(page.locator(".answer")).to_contain_text("Sec")
    await page.evaluate("document.querySelector('.answer p').kept = true")
    server.put(turn, html="<p>First.</p>\n<p>Second.</p>")
    await expect(page.locator(".answer")).to_contain_text("Second.")
    assert await page.evaluate("document.querySelector('.answer p').kept")


async def test_an_answer_that_begins_anew_leaves_no_old_text_on_the_page(page: Page, server: PageServer) -> None:
    turn = running(server, html="<p>Old one.</p>\n<p>Old two.</p>")
    await show(page, server)
    await expect(page.locator(".answer p")).to_have_count(2)
    server.put(turn, html="", status="Asking another model…")
    await expect(page.locator(".status")).to_contain_text("Asking another model…")
    await expect(page.locator(".answer")).to_be_hidden()
    server.put(turn, html="<p>New.</p>", status="")
    await expect(page.locator(".answer")).to_have_text("New.")


async def test_the_end_of_an_answer_shows_notes_sources_and_model(page: Page, server: PageServer) -> None:
    answered(server, notes=["Small demo model."], sources=["https://example.org/a", "a book"], model="tiny")
    await show(page, server)
    await expect(page.locator(".notes")).to_have_text("Small demo model.")
    await expect(page.locator(".sources li")).to_have_text(["example.org/a", "a book"])
    await expect(page.locator(".sources a")).to_have_attribute("href", "https://example.org/a")
    await expect(page.locator(".reply-foot .model")).to_have_text("tiny")


async def test_messages_sent_while_one_is_answered_wait_in_their_order(page: Page, server: PageServer) -> None:
    running(server, messages=[message("first", "m0")])
    await show(page, server)
    await write(page, "second")
    await write(page, "third")
    await server.asked("POST", "/messages", 2)
    assert [body["text"] for body in server.bodies("POST", "/messages")] == ["second", "third"]
    await expect(page.locator(".bubble-text")).to_have_text(["first", "second", "third"])
    await expect(page.locator(".status.waits")).to_have_count(2)


async def test_several_first_messages_begin_one_conversation(page: Page, server: PageServer) -> None:
    await write(page, "one")
    await write(page, "two")
    bodies = [await server.asked("POST", "/messages", 1), await server.asked("POST", "/messages", 2)]
    assert bodies[0]["conversation"] is None
    assert bodies[1]["conversation"] == bodies[0]["message_id"].replace("-", "")
    await expect(page.locator(".bubble-text")).to_have_text(["one", "two"])


async def test_shift_enter_makes_a_line_and_enter_sends(page: Page, server: PageServer) -> None:
    box = page.locator("#text")
    await box.press_sequentially("a")
    await box.press("Shift+Enter")
    await box.press_sequentially("b")
    await box.press("Enter")
    assert (await server.asked("POST", "/messages"))["text"] == "a\nb"


async def test_the_enter_that_ends_a_composition_does_not_send(page: Page, server: PageServer) -> None:
    box = page.locator("#text")
    await box.fill("中文")
    init = {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
    await box.dispatch_event("keydown", init)
    await expect(box).to_have_value("中文")
    await box.press("Enter")
    await server.asked("POST", "/messages")
    assert len(server.bodies("POST", "/messages")) == 1


async def test_message_ids_are_uuids_without_a_secure_context_too(browser: Browser, server: PageServer) -> None:
    async with open_page(browser) as page:
        await page.add_init_script("delete Crypto.prototype.randomUUID;")
        await page.goto(server.url)
        await write(page, "hello")
        body = await server.asked("POST", "/messages")
        assert await page.evaluate("crypto.randomUUID") is None
        assert re.match(UUID, body["message_id"])


# --- Nothing is lost, nothing is doubled -----------------------------------------------------------------------------


async def test_a_request_without_an_answer_is_repeated_with_the_same_id(page: Page, server: PageServer) -> None:
    server.refuse("POST", "/messages", Refusal(0, after=True))
    await write(page, "hello")
    first = await server.asked("POST", "/messages", 1)
    second = await server.asked("POST", "/messages", 2)
    assert first == second
    await expect(page.locator(".bubble-text")).to_have_text(["hello"])
    assert [len(turns) for turns in server.turns.values()] == [1]


async def test_a_message_written_while_the_server_is_away_is_sent_later(page: Page, server: PageServer) -> None:
    running(server)
    await show(page, server)
    await server.stop()
    await expect(page.locator("#notice")).to_contain_text("Reconnecting")
    await write(page, "are you there?")
    await expect(page.locator(".pending")).to_contain_text("Not sent yet")
    await server.start()
    assert (await server.asked("POST", "/messages"))["text"] == "are you there?"
    await expect(page.locator("#notice")).to_be_hidden()
    await expect(page.locator(".pending")).to_have_count(0)
    await expect(page.locator(".bubble-text")).to_have_text([QUESTION, "are you there?"])


async def test_an_unsent_message_survives_the_page_being_closed(browser: Browser, server: PageServer) -> None:
    context = await browser.new_context(locale="en-US")
    page = await context.new_page()
    await page.goto(server.url)
    await expect(page.locator(".offers")).to_be_visible()
    await server.stop()
    await write(page, "keep me")
    await expect(page.locator(".pending")).to_contain_text("Not sent yet")
    await page.close()
    await server.start()
    page = await context.new_page()
    await page.goto(server.url)
    assert (await server.asked("POST", "/messages"))["text"] == "keep me"
    await expect(page.locator(".bubble-text")).to_have_text(["keep me"])
    await context.close()


async def test_a_database_that_is_away_is_told_in_its_words_and_tried_again(page: Page, server: PageServer) -> None:
    server.refuse("POST", "/messages", *[Refusal(503, "The database takes no writes now.")] * 2)
    await write(page, "hello")
    await expect(page.locator(".pending")).to_contain_text("The database takes no writes now.")
    bodies = [await server.asked("POST", "/messages", count) for count in (1, 2, 3)]
    assert bodies[0] == bodies[1] == bodies[2]
    await expect(page.locator(".pending")).to_have_count(0)


async def test_a_refused_message_returns_to_the_box_with_the_reason(page: Page, server: PageServer) -> None:
    text = "x" * 200_000
    server.refuse("POST", "/messages", Refusal(400, "The message is too long: at most 32,000 characters fit."))
    await write(page, text)
    await expect(page.locator("#trouble")).to_have_text("The message is too long: at most 32,000 characters fit.")
    await expect(page.locator("#text")).to_have_value(text)
    await expect(page.locator(".message")).to_have_count(0)
    await expect(page.locator("#count")).to_have_text("200,000 of 32,000 characters")


async def test_a_refused_message_stays_in_the_log_while_another_is_being_written(
    page: Page, server: PageServer
) -> None:
    answered(server)
    await show(page, server)
    server.refuse("POST", "/messages", Refusal(503, "Wait."), Refusal(400, "No."))
    await write(page, "refuse me")
    await page.locator("#text").press_sequentially("meanwhile")
    await expect(page.locator(".pending")).to_contain_text("Not sent. No.")
    await expect(page.locator("#text")).to_have_value("meanwhile")
    await page.get_by_role("button", name="Send again").click()
    await server.asked("POST", "/messages", 3)
    await expect(page.locator(".bubble-text")).to_have_text(["And?", "refuse me"])


async def test_what_is_being_written_survives_a_reload(page: Page, server: PageServer) -> None:
    answered(server)
    await show(page, server)
    await page.locator("#text").fill("half a thou")
    await page.reload()
    await expect(page.locator("#text")).to_have_value("half a thou")
    await page.get_by_role("button", name="New conversation").click()
    await expect(page.locator("#text")).to_have_value("")


async def test_the_page_works_where_the_browser_forbids_storage(browser: Browser, server: PageServer) -> None:
    async with open_page(browser) as page:
        forbid = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } });"
        await page.add_init_script(forbid)
        await page.goto(server.url)
        await write(page, "hello")
        await server.asked("POST", "/messages")
        await expect(page.locator(".bubble-text")).to_have_text("hello")


# --- Live ------------------------------------------------------------------------------------------------------------


async def test_a_reload_in_mid_answer_goes_on_where_it_was(page: Page, server: PageServer) -> None:
    turn = running(server, steps=[step("done")], html="<p>It is</p>", text="It is")
    await show(page, server)
    await expect(page.locator(".answer").first).to_have_text("It is")
    await page.reload()
    await expect(page.locator(".answer").first).to_have_text("It is")
    await expect(page.locator(".step-title")).to_be_visible()
    server.put(turn, state="answered", html="<p>It is 2 days.</p>", text="It is 2 days.")
    await expect(page.locator(".answer").first).to_have_text("It is 2 days.")


async def test_an_answer_goes_on_after_the_server_was_restarted(page: Page, server: PageServer) -> None:
    turn = running(server, html="<p>It is</p>")
    await show(page, server)
    await expect(page.locator(".answer")).to_have_text("It is")
    await server.stop()
    await expect(page.locator("#notice")).to_contain_text("Reconnecting")
    await server.start()
    await server.watched(KEY)
    server.put(turn, state="answered", html="<p>It is 2 days.</p>", text="It is 2 days.")
    await expect(page.locator(".answer")).to_have_text(["It is 2 days."])
    await expect(page.locator("#notice")).to_be_hidden()


async def test_turns_that_came_and_went_while_the_connection_was_gone_are_not_missed(
    page: Page, server: PageServer
) -> None:
    turn = running(server, messages=[message("one", "m1")])
    gone = server.turn(KEY, state="queued", messages=[message("withdrawn", "m2")])
    await show(page, server)
    await expect(page.locator(".bubble-text")).to_have_text(["one", "withdrawn"])
    await server.stop()
    server.put(turn, state="answered", html="<p>1</p>")
    server.put(gone, state="withdrawn", messages=[])
    answered(server, "two", "2", messages=[message("two", "m3")])
    answered(server, "three", "3", messages=[message("three", "m4")])
    await server.start()
    await expect(page.locator(".bubble-text")).to_have_text(["one", "two", "three"])
    await expect(page.locator(".answer")).to_have_text(["1", "2", "3"])


async def test_a_late_picture_does_not_undo_the_end(page: Page, server: PageServer) -> None:
    turn = answered(server, answer="Done.")
    await show(page, server)
    server.put(turn, state="running", html="<p>Do</p>")
    marker = answered(server, "next", messages=[message("next", "m9")], answer="Next.")
    await expect(page.locator(".answer").nth(1)).to_have_text("Next.")
    await expect(page.locator(".answer").first).to_have_text("Done.")
    server.put(turn, state="answered")
    server.put(marker, state="answered")


async def test_a_running_turn_is_stopped_by_the_button(page: Page, server: PageServer) -> None:
    turn = running(server, html="<p>Partly</p>", text="Partly")
    await show(page, server)
    await page.get_by_role("button", name="Stop the answer").click()
    await server.asked("POST", f"/turns/{turn['id']}/stop")
    await expect(page.locator(".outcome")).to_have_text("Stopped")
    await expect(page.locator(".answer")).to_have_text("Partly")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()


async def test_a_running_turn_is_stopped_by_escape(page: Page, server: PageServer) -> None:
    turn = running(server)
    await show(page, server)
    await expect(page.get_by_role("button", name="Stop the answer")).to_be_visible()
    await page.keyboard.press("Escape")
    await server.asked("POST", f"/turns/{turn['id']}/stop")


async def test_a_waiting_turn_has_a_stop_of_its_own(page: Page, server: PageServer) -> None:
    running(server)
    waiting = server.turn(KEY, messages=[message("later", "m2")])
    await show(page, server)
    await page.get_by_role("button", name="Stop", exact=True).click()
    await server.asked("POST", f"/turns/{waiting['id']}/stop")


async def test_messages_of_a_merged_turn_stand_above_their_answer(page: Page, server: PageServer) -> None:
    first = running(server, messages=[message("one", "m1")])
    second = server.turn(KEY, messages=[message("two", "m2")])
    await show(page, server)
    server.put(second, state="merged", merged_into=first["id"])
    server.put(first, state="answered", html="<p>both</p>")
    await expect(page.locator(".turn")).to_have_count(1)
    await expect(page.locator(".bubble-text")).to_have_text(["one", "two"])
    await expect(page.locator(".answer")).to_have_text(["both"])


async def test_a_question_for_permission_is_answered_with_a_button(page: Page, server: PageServer) -> None:
    turn = running(server)
    await show(page, server)
    server.put(turn, state="waiting", consent={"key": "consent/0/0", "question": "May I write the file?"})
    await expect(page.locator(".consent-question")).to_have_text("May I write the file?")
    await page.get_by_role("button", name="Don't allow").click()
    assert await server.asked("POST", f"/turns/{turn['id']}/consent") == {"key": "consent/0/0", "allow": False}
    await expect(page.locator(".consent")).to_be_hidden()


async def test_a_failed_turn_is_tried_again_and_its_error_goes_away(page: Page, server: PageServer) -> None:
    turn = running(server)
    await show(page, server)
    server.put(turn, state="failed", html="<p>The model did not answer.</p>", can_retry=True)
    await expect(page.locator(".answer")).to_have_text("The model did not answer.")
    await page.get_by_role("button", name="Try again").click()
    await server.asked("POST", f"/turns/{turn['id']}/retry")
    await expect(page.locator("#thread").get_by_text("The model did not answer.")).to_have_count(0)
    await expect(page.locator(".bubble-text")).to_have_text([QUESTION])
    await expect(page.locator(".status")).to_be_visible()


@pytest.mark.parametrize(("state", "told"), [("starting", "is starting"), ("down", "Connection refused.")])
async def test_a_model_that_is_not_there_is_told(browser: Browser, server: PageServer, state: str, told: str) -> None:
    server.info["model"].update(state=state, detail="Connection refused.")
    async with open_page(browser, server.url) as page:
        await expect(page.locator("#notice")).to_contain_text(told)


async def test_a_conversation_that_does_not_exist_is_told(page: Page, server: PageServer) -> None:
    await page.goto(f"{server.url}/#/c/{'f' * 32}")
    await expect(page.locator("#thread")).to_have_text("This conversation does not exist, or not any more.")


# --- What can be done with messages and answers ----------------------------------------------------------------------


async def test_editing_a_message_in_mid_answer_starts_the_answer_again(page: Page, server: PageServer) -> None:
    running(server, html="<p>old answer</p>")
    await show(page, server)
    await page.get_by_role("button", name="Edit this message").click()
    await page.get_by_label("Edit the message").fill("new question")
    await page.get_by_role("button", name="Save").click()
    assert await server.asked("PUT", "/messages/m1") == {"text": "new question"}
    await expect(page.locator(".bubble-text")).to_have_text(["new question"])
    await expect(page.locator("#thread").get_by_text("old answer")).to_have_count(0)
    await expect(page.locator(".message-foot")).to_contain_text("edited")


async def test_an_open_editor_is_left_alone_by_what_arrives(page: Page, server: PageServer) -> None:
    turn = running(server)
    await show(page, server)
    await page.get_by_role("button", name="Edit this message").click()
    await page.get_by_label("Edit the message").fill("half")
    server.put(turn, html="<p>more</p>")
    await expect(page.locator(".answer")).to_have_text("more")
    await expect(page.get_by_label("Edit the message")).to_have_value("half")
    await expect(page.get_by_label("Edit the message")).to_be_focused()


async def test_an_answered_message_can_be_asked_again_in_other_words(page: Page, server: PageServer) -> None:
    answered(server)
    await show(page, server)
    await page.locator("#text").press("ArrowUp")
    await page.get_by_label("Edit the message").fill("And now?")
    await page.get_by_role("button", name="Ask again").click()
    body = await server.asked("POST", "/messages")
    assert (body["text"], body["conversation"]) == ("And now?", KEY)
    await expect(page.locator(".bubble-text")).to_have_text(["And?", "And now?"])


async def test_a_message_is_deleted_after_the_time_to_undo(browser: Browser, server: PageServer) -> None:
    answered(server)
    async with open_page(browser) as page:
        await page.clock.install()
        await show(page, server)
        await page.get_by_role("button", name="Delete this message").click()
        await expect(page.locator(".erased")).to_have_text("Message deleted")
        assert server.bodies("DELETE", "/messages/m1") == []
        await page.clock.run_for(5_100)
        await server.asked("DELETE", "/messages/m1")
        await expect(page.locator(".erased")).to_have_count(1)


async def test_a_deletion_that_is_undone_is_never_sent(browser: Browser, server: PageServer) -> None:
    answered(server)
    async with open_page(browser) as page:
        await page.clock.install()
        await show(page, server)
        await page.get_by_role("button", name="Delete this message").click()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator(".bubble-text")).to_have_text(["And?"])
        await page.clock.run_for(60_000)
        await page.get_by_role("button", name="Good answer").click()
        await server.asked("POST", "/feedback")
        assert server.bodies("DELETE", "/messages/m1") == []


async def test_a_deletion_is_carried_out_when_the_page_goes_away(page: Page, server: PageServer) -> None:
    answered(server)
    await show(page, server)
    await page.get_by_role("button", name="Delete this message").click()
    await page.goto("about:blank")
    await server.asked("DELETE", "/messages/m1")


async def test_thumbs_are_set_and_taken_back(page: Page, server: PageServer) -> None:
    turn = answered(server)
    await show(page, server)
    down = page.get_by_role("button", name="Bad answer")
    await down.click()
    assert await server.asked("POST", f"/turns/{turn['id']}/feedback") == {"value": -1}
    await expect(down).to_have_attribute("aria-pressed", "true")
    await down.click()
    assert await server.asked("POST", f"/turns/{turn['id']}/feedback", 2) == {"value": 0}
    await expect(down).to_have_attribute("aria-pressed", "false")


async def test_copy_gives_the_markdown(browser: Browser, server: PageServer) -> None:
    answered(server, answer="**2** days")
    async with open_page(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        await show(page, server)
        await page.get_by_role("button", name="Copy the answer").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == "**2** days"


async def test_code_has_a_copy_button(browser: Browser, server: PageServer) -> None:
    answered(server, html='<pre><code class="language-python">print(1)\n</code></pre>')
    async with open_page(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        await show(page, server)
        await expect(page.locator(".code-head")).to_contain_text("python")
        await page.get_by_role("button", name="Copy the code").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == "print(1)\n"


async def test_a_failure_of_an_action_is_told_in_the_servers_words(page: Page, server: PageServer) -> None:
    answered(server)
    await show(page, server)
    server.refuse("POST", "/feedback", Refusal(500, "The rating could not be stored."))
    await page.get_by_role("button", name="Good answer").click()
    await expect(page.locator(".toast")).to_contain_text("The rating could not be stored.")
    await expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "false")


# --- Safety ----------------------------------------------------------------------------------------------------------

ATTACK = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script><b style='color:red'>bold</b>"


async def test_texts_are_shown_as_texts_wherever_they_come_from(page: Page, server: PageServer) -> None:
    answered(
        server,
        messages=[message(ATTACK)],
        steps=[step(title=ATTACK, args={ATTACK: ATTACK, "n": [ATTACK]})],
        html="<p>ok</p>",
        notes=[ATTACK],
        sources=[ATTACK, "javascript:window.pwned=1", "data:text/html,<script>window.pwned=1</script>"],
        model=ATTACK,
    )
    running(server, messages=[message("x", "m2")], status=ATTACK)
    server.turn(KEY, state="waiting", messages=[message("y", "m3")], consent={"key": "consent/0/0", "question": ATTACK})
    await show(page, server)
    await expect(page.locator(".consent-question")).to_have_text(ATTACK)
    await expect(page.locator(".bubble-text").first).to_have_text(ATTACK)
    await expect(page.locator("#list a")).to_contain_text("<img src=x")
    pictures = await page.locator("#app img").evaluate_all("(nodes) => nodes.map((node) => node.getAttribute('src'))")
    assert set(pictures) == {"/static/icon.svg"}, "our own sign, and no other image"
    scripts = await page.locator("script").evaluate_all("(nodes) => nodes.map((node) => node.getAttribute('src'))")
    assert scripts == ["/static/theme.js", "/static/app.js"]
    assert await page.locator(".sources a").count() == 0
    assert await page.evaluate("window.pwned") is None


COUNT_VIOLATIONS = """
window.v = [];
document.addEventListener("securitypolicyviolation", (event) => window.v.push(event.effectiveDirective));
"""


async def test_html_that_slipped_through_the_server_cannot_run(browser: Browser, server: PageServer) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.add_init_script(COUNT_VIOLATIONS)
    frame = "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>"
    link = "<a href='javascript:window.pwned=1'>press</a>"
    answered(server, html=f"<p>{ATTACK}</p>{frame}<p>{link}</p><form action='javascript:window.pwned=1'></form>")
    await show(page, server)
    await page.get_by_text("press").click()
    await expect(page.locator(".answer")).to_contain_text("bold")
    await page.wait_for_function("() => window.v.length >= 3")
    assert await page.evaluate("window.pwned") is None
    assert {"script-src-attr", "style-src-attr"} <= set(await page.evaluate("window.v"))
    await context.close()


async def test_the_token_is_asked_for_and_a_wrong_one_is_told(browser: Browser) -> None:
    async with running_page_server(token="right") as server:
        answered(server)
        async with open_page(browser, f"{server.url}/#/c/{KEY}") as page:
            field = page.get_by_label("Token")
            await field.fill("wrong")
            await field.press("Enter")
            await expect(page.locator("#login .trouble")).to_have_text("This token is not the right one.")
            await field.fill("right")
            await field.press("Enter")
            await expect(page.locator(".answer")).to_have_text("Yes.")
            await expect(page.locator("#login")).to_be_hidden()


async def test_a_token_in_the_address_signs_in_and_disappears(browser: Browser) -> None:
    async with (
        running_page_server(token="right") as server,
        open_page(browser, f"{server.url}/#token=right") as page,
    ):
        await expect(page.locator(".offers")).to_be_visible()
        await expect(page).to_have_url(f"{server.url}/")
        assert "right" not in await page.evaluate("JSON.stringify({...localStorage}) + document.cookie")


async def test_a_message_written_before_signing_in_is_sent_afterwards(browser: Browser) -> None:
    async with running_page_server() as server, open_page(browser, server.url) as page:
        await expect(page.locator(".offers")).to_be_visible()
        await server.stop()
        server.token = "right"
        await server.start()
        await write(page, "hello")
        await page.get_by_label("Token").fill("right")
        await page.get_by_role("button", name="Sign in").click()
        assert (await server.asked("POST", "/messages"))["text"] == "hello"
        await expect(page.locator(".bubble-text")).to_have_text(["hello"])
