"""The page and what has been: how an answer came about, and search, export and deletion of conversations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.acceptance.browser import open_page, running_browser
from tests.acceptance.page_office import WHOLE, traced
from tests.acceptance.page_server import PageServer, Refusal, message, running_page_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a" * 32
OTHER = "b" * 32
ATTACK = "<img src=x onerror=window.pwned=1>"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


def answered(server: PageServer, key: str, question: str, reply: str) -> int:
    """A conversation with one answer; the turn's id."""
    fields = {"state": "answered", "text": reply, "html": f"<p>{reply}</p>"}
    return int(server.turn(key, messages=[message(question, key[0])], **fields)["id"])


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[PageServer]:
    async with running_page_server() as running:
        answered(running, OTHER, "Where is the harbour?", "In the north.")
        running.traces[answered(running, KEY, "How many?", "Two.")] = WHOLE
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, server: PageServer) -> AsyncIterator[Page]:
    async with open_page(browser) as opened:
        await show(opened, server)
        yield opened


async def show(page: Page, server: PageServer, key: str = KEY) -> None:
    await page.goto(f"{server.url}/#/c/{key}")
    await server.watched(key)
    await expect(page.locator(".answer")).to_be_visible()


# --- How an answer came about ----------------------------------------------------------------------------------------


async def test_a_trace_shows_plans_calls_results_tokens_and_times(page: Page) -> None:
    await page.get_by_role("button", name="Show steps and details").click()
    trace = page.get_by_role("region", name="How this answer came about")
    facts = trace.locator(".facts").first
    for fact in ("3.2 s", "2,104 tokens in, 101 out", "Model: Large-72B", "settings 1 + All conversations 3", "run 2"):
        await expect(facts).to_contain_text(fact)
    titles = ["Plan: Count the days between the dates", "Computing the time between two dates", "Calculating", "Plan"]
    await expect(trace.locator("h3")).to_have_text([*titles, "Question for permission", "Answer"])
    plan = trace.locator(".trace-step").nth(0)
    await expect(plan.locator(".thought")).to_have_text("2024 is a leap year, so I had better compute it.")
    await expect(plan.locator(".calls")).to_contain_text("2024-02-28")
    await expect(plan.locator(".trace-head")).to_contain_text("1,204 tokens in, 61 out")
    await expect(plan.locator(".trace-head")).to_contain_text("one corrective retry")
    await expect(trace.locator(".trace-step").nth(2)).to_contain_text("failed")
    await expect(trace.locator(".trace-step").nth(3)).to_contain_text("The task is complete.")
    await expect(trace.locator(".trace-step").nth(4)).to_contain_text("Not allowed.")


async def test_results_and_reasoning_are_folded_until_asked_for(page: Page) -> None:
    await page.get_by_role("button", name="Show steps and details").click()
    result = page.locator(".trace-step").nth(1).locator("details")
    await expect(result.locator(".result")).to_have_count(0)
    await result.locator("summary").click()
    await expect(result.locator(".result")).to_have_text("2 days")
    await page.get_by_text("Reasoning of the model").click()
    await expect(page.get_by_text("February 2024 has 29 of them.")).to_be_visible()


async def test_a_trace_is_opened_and_closed_with_the_keyboard(page: Page) -> None:
    button = page.get_by_role("button", name="Show steps and details")
    await expect(button).to_have_attribute("aria-expanded", "false")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".trace-step").first).to_be_visible()
    hide = page.get_by_role("button", name="Hide steps and details")
    await expect(hide).to_be_focused()
    await expect(hide).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Space")
    await expect(page.locator(".trace-step").first).to_be_hidden()


async def test_who_opens_a_trace_stays_where_it_begins(page: Page, server: PageServer) -> None:
    await page.set_viewport_size({"width": 900, "height": 420})
    await page.get_by_role("button", name="Show steps and details").click()
    await expect(page.locator(".trace-step")).to_have_count(6)
    await expect(page.get_by_role("heading", name="How this answer came about")).to_be_in_viewport()


async def test_a_turn_without_steps_says_so_and_a_failed_trace_can_be_asked_for_again(
    page: Page, server: PageServer
) -> None:
    await show(page, server, OTHER)
    server.refuse("GET", "/trace", Refusal(500, "No trace today."))
    await page.get_by_role("button", name="Show steps and details").click()
    await expect(page.locator(".toast")).to_contain_text("No trace today.")
    await page.get_by_role("button", name="Show steps and details").click()
    await expect(page.locator(".trace")).to_contain_text("No steps were kept of this answer.")


async def test_what_models_and_tools_wrote_is_text_in_a_trace(page: Page, server: PageServer) -> None:
    steps = [
        traced("act", "act/0/0", title=ATTACK, tool=ATTACK, args={ATTACK: ATTACK}, sources=[ATTACK], detail=ATTACK),
        traced("plan", "plan/0", task=ATTACK, calls=[{"tool": ATTACK, "title": ATTACK, "args": {}}], model=ATTACK),
    ]
    server.traces[server.turns[KEY][0]["id"]] = {**WHOLE, "steps": steps, "model": ATTACK}
    await page.get_by_role("button", name="Show steps and details").click()
    await expect(page.locator(".trace h3").first).to_have_text(ATTACK)
    assert await page.locator(".trace img").count() == 0
    assert await page.evaluate("window.pwned") is None


# --- Search ----------------------------------------------------------------------------------------------------------


async def test_a_search_lists_what_was_found_and_marks_the_words(page: Page, server: PageServer) -> None:
    box = page.get_by_role("searchbox", name="Search your conversations")
    await box.press_sequentially("harb")
    await expect(page.locator("#list h2")).to_have_text("1 conversation found")
    await expect(page.locator("#list mark").first).to_have_text("harb")
    await expect(page.locator("#announcer")).to_have_text("1 conversation found")
    searches = [path for method, path, _ in server.requests if (method, path) == ("GET", "/api/v1/conversations")]
    await page.get_by_role("link", name="Where is the harbour?").click()
    await expect(page.locator(".answer")).to_have_text("In the north.")
    # Not one for each letter.
    assert len(searches) < len("harb")


async def test_a_search_without_a_result_says_so_and_is_cleared(page: Page) -> None:
    box = page.get_by_role("searchbox")
    await box.fill("中秋节 <b>")
    await expect(page.locator("#list")).to_contain_text("Nothing was found for “中秋节 <b>”.")
    await page.get_by_role("button", name="Clear the search").click()
    await expect(page.locator("#list a")).to_have_count(2)
    await expect(box).to_be_focused()
    await expect(box).to_have_value("")
    await expect(page.get_by_role("button", name="Clear the search")).to_be_hidden()


async def test_escape_ends_the_search_and_not_an_answer(page: Page, server: PageServer) -> None:
    server.turn(KEY, state="running", messages=[message("more?", "m9")])
    await page.get_by_role("searchbox").fill("harbour")
    await expect(page.locator("#list a")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.locator("#list a")).to_have_count(2)
    assert server.bodies("POST", "/stop") == []


async def test_what_was_found_is_scrolled_to_also_in_earlier_messages(page: Page, server: PageServer) -> None:
    long = "c" * 32
    for number in range(70):
        text = "the needle" if number == 5 else f"straw {number}"
        answer = {"text": text, "html": f"<p>{text}</p>"}
        made = server.turn(long, state="answered", messages=[message(f"q{number}", f"m{number}")], **answer)
        if number == 5:
            server.found = made["id"]
    await page.reload()
    await page.get_by_role("searchbox").fill("needle")
    await page.get_by_role("link", name="q0").click()
    await expect(page.get_by_text("the needle").last).to_be_in_viewport()


# --- Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("item", "name"), [("Export as Markdown", "talk.md"), ("Export as JSON", "talk.json")])
async def test_a_conversation_is_exported_from_its_menu(page: Page, item: str, name: str) -> None:
    await page.get_by_role("button", name="This conversation").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name=item).click()
    found = await download.value
    assert found.suggested_filename == name
    text = await asyncio.to_thread(Path(await found.path()).read_text, "utf-8")
    assert text == "all"


async def test_the_menu_is_used_with_the_keyboard(page: Page) -> None:
    button = page.get_by_role("button", name="This conversation")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Export as Markdown")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("menuitem", name="Delete the conversation")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button).to_be_focused()
    await expect(page.get_by_role("menu")).to_be_hidden()


# --- Deletion --------------------------------------------------------------------------------------------------------


async def delete(page: Page) -> None:
    await page.get_by_role("button", name="This conversation").click()
    await page.get_by_role("menuitem", name="Delete the conversation").click()


def deletions(server: PageServer) -> int:
    return len(server.bodies("DELETE", KEY))


async def test_a_deleted_conversation_goes_at_once_and_for_good_after_a_while(
    browser: Browser, server: PageServer
) -> None:
    async with open_page(browser) as page:
        await page.clock.install()
        await show(page, server)
        # From here on time passes only when the test says so.
        await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))
        await delete(page)
        await page.clock.run_for(100)
        await expect(page.locator(".welcome")).to_be_visible()
        await expect(page.get_by_role("link", name="How many?")).to_have_count(0)
        await page.clock.run_for(7_800)
        assert deletions(server) == 0
        await page.clock.run_for(200)
        await server.asked("DELETE", KEY)
        assert KEY not in server.turns


async def test_the_deletion_of_a_conversation_can_be_undone(browser: Browser, server: PageServer) -> None:
    async with open_page(browser) as page:
        await page.clock.install()
        await show(page, server)
        await delete(page)
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator(".answer")).to_have_text("Two.")
        await expect(page.get_by_role("link", name="How many?")).to_be_visible()
        await page.clock.run_for(20_000)
        assert deletions(server) == 0


async def test_leaving_the_page_carries_the_deletion_out(browser: Browser, server: PageServer) -> None:
    async with open_page(browser) as page:
        await show(page, server)
        await delete(page)
        await page.goto("about:blank")
        await server.asked("DELETE", KEY)
        assert KEY not in server.turns


async def test_a_deletion_that_fails_brings_the_conversation_back(browser: Browser, server: PageServer) -> None:
    server.refuse("DELETE", KEY, Refusal(500, "The disk is full."))
    async with open_page(browser) as page:
        await page.clock.install()
        await show(page, server)
        await delete(page)
        await page.clock.run_for(8_100)
        await expect(page.locator(".toast").last).to_contain_text("The disk is full.")
        await expect(page.get_by_role("link", name="How many?")).to_be_visible()


async def test_other_tabs_notice_that_a_conversation_is_gone(browser: Browser, server: PageServer) -> None:
    async with open_page(browser) as page:
        await show(page, server)
        second = await page.context.new_page()
        await second.goto(f"{server.url}/#/c/{OTHER}")
        await expect(second.get_by_role("link", name="How many?")).to_be_visible()
        third = await page.context.new_page()
        await show(third, server)
        await delete(page)
        await page.goto("about:blank")
        # One that shows it hears it from the server, one that only lists it from the tab that did it, or from the
        # server with the next list.
        await expect(third.locator(".blank")).to_contain_text("does not exist")
        await second.evaluate("dispatchEvent(new Event('online'))")
        await expect(second.get_by_role("link", name="How many?")).to_have_count(0)
