"""The page when an answer of the server comes late: what was done meanwhile counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.acceptance.browser import open_page, running_browser
from tests.acceptance.page_server import PageServer, message, running_page_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

Act = Callable[[Route], Awaitable[None]]

KEY = "a" * 32
OTHER = "b" * 32


class Late:
    """Holds the requests to an address back until it is opened."""

    def __init__(self, method: str = "GET", act: Act = Route.continue_) -> None:
        self._method = method
        self._act = act
        self._opened = asyncio.Event()
        self._seen = asyncio.Condition()
        self._count = 0

    async def __call__(self, route: Route) -> None:
        if route.request.method == self._method:
            async with self._seen:
                self._count += 1
                self._seen.notify_all()
            await self._opened.wait()
        await self._act(route)

    async def seen(self, count: int = 1) -> None:
        """So many of them are on their way."""
        async with asyncio.timeout(20), self._seen:
            await self._seen.wait_for(lambda: self._count >= count)

    def open(self) -> None:
        self._opened.set()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[PageServer]:
    async with running_page_server() as running:
        running.turn(KEY, state="answered", messages=[message("How many?", "a")], text="Two.", html="<p>Two.</p>")
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, server: PageServer) -> AsyncIterator[Page]:
    async with open_page(browser) as opened:
        await opened.goto(f"{server.url}/#/c/{KEY}")
        await expect(opened.locator(".answer")).to_be_visible()
        yield opened


async def open_profile(page: Page) -> None:
    await page.locator("#agent").click()
    await expect(page.get_by_label("Name", exact=True)).to_be_visible()


async def test_values_of_one_place_never_come_under_the_heading_of_another(page: Page, server: PageServer) -> None:
    server.office.set("workspace", agent_name="Everywhere")
    server.office.set("channel", agent_name="Only here", agent_bio="A secret of this conversation.")
    await open_profile(page)
    late = Late()
    await page.route("**/profile/channel?*", late)
    await page.get_by_role("radio", name="This conversation").check()
    await late.seen()
    async with page.expect_response("**/profile/workspace"):
        await page.get_by_role("radio", name="All conversations").check()
    async with page.expect_response("**/profile/channel?*") as answer:
        late.open()
    await (await answer.value).finished()
    # Time to show it, if it were shown.
    await page.evaluate("new Promise((done) => setTimeout(done, 200))")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Everywhere")
    await page.get_by_label("Name", exact=True).fill("All of you")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".panel-note:visible")).to_contain_text("Saved")
    assert server.office.now("workspace") == {"agent_name": "All of you"}


async def test_what_is_typed_while_a_profile_is_saved_can_be_saved_next(page: Page, server: PageServer) -> None:
    await open_profile(page)
    late = Late("PUT")
    await page.route("**/profile/workspace*", late)
    save, name = page.get_by_role("button", name="Save"), page.get_by_label("Name", exact=True)
    await name.fill("One")
    await save.click()
    await late.seen()
    await name.fill("Two")
    await expect(save).to_be_disabled()
    late.open()
    await expect(page.locator(".panel-note:visible")).to_contain_text("Saved")
    await expect(name).to_have_value("Two")
    await save.click()
    await expect(save).to_be_disabled()
    assert server.office.now("workspace") == {"agent_name": "Two"}


async def test_what_was_discarded_is_not_there_when_the_profile_is_opened_again(page: Page) -> None:
    await open_profile(page)
    await page.get_by_label("Name", exact=True).fill("Discarded")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Discard and close").click()
    late = Late()
    await page.route("**/profile/workspace*", late)
    await page.locator("#agent").click()
    await late.seen()
    await expect(page.locator("#profile .row")).to_have_count(0)
    await expect(page.locator("#profile").get_by_role("button", name="Save")).to_have_count(0)
    late.open()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("kagentbot")


async def test_a_test_of_an_endpoint_says_nothing_of_what_was_typed_since(page: Page) -> None:
    await page.locator("#model").click()
    late = Late("POST")
    await page.route("**/endpoints/test", late)
    test = page.get_by_role("button", name="Test the connection")
    await page.get_by_label("Address").fill("http://127.0.0.1:8001/v1")
    await test.click()
    await late.seen()
    await page.get_by_label("Address").fill("http://127.0.0.1:8002/v1")
    late.open()
    await expect(test).to_be_enabled()
    await expect(page.locator(".report")).to_be_empty()


async def test_more_results_asked_for_twice_are_listed_once(page: Page) -> None:
    async def find(route: Route) -> None:
        is_next = "before=" in route.request.url
        listed = {"key": ("e" if is_next else "d") * 32, "title": "T", "last_message_at": "2026-01-01T00:00:00Z"}
        found = {**listed, "live": False, "found": {"snippet": "", "turn_id": None}}
        await route.fulfill(json={"conversations": [found], "next": None if is_next else "1-1"})

    late = Late(act=find)
    await page.route("**/conversations?*q=*", find)
    await page.route("**/conversations?*before=*", late)
    await page.get_by_role("searchbox").fill("T")
    more = page.get_by_role("button", name="Show more")
    await more.dblclick()
    await late.seen(2)
    late.open()
    await expect(more).to_have_count(0)
    await expect(page.locator(".results li")).to_have_count(2)


async def test_a_frame_between_a_click_and_the_new_address_loses_no_place(page: Page, server: PageServer) -> None:
    for number in range(8):
        html = f"<p>straw {number}</p>" + "<p>more</p>" * 40
        answer = {"text": f"straw {number}", "html": html}
        made = server.turn(OTHER, state="answered", messages=[message(f"q{number}", f"m{number}")], **answer)
        if number == 1:
            server.found = made["id"]
    await page.evaluate("() => { window.requestAnimationFrame = (draw) => { queueMicrotask(draw); return 0; }; }")
    await page.get_by_role("searchbox").fill("straw")
    await page.get_by_role("link", name="q0").click()
    await expect(page.get_by_text("straw 1")).to_be_in_viewport()
