"""Takes the pictures in docs/screenshots: the real server with its bundled model, in a real browser.

    KAGENTBOT_TEST_BROWSER=/path/to/chromium python -m scripts.screenshots

`make test` finds or installs the browser and writes its path to .make/browser. The letters are those of this machine's
fonts. No picture may be larger than 150 KB, so that the pages that show them stay light.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from agent.clock import SystemClock
from bot.store.db import open_store
from bot.store.human import DatabaseSets
from tests.acceptance.browser import open_page, running_browser
from tests.acceptance.live_server import LiveServer, running_live_server
from tests.fakes.llm import FakeLLM
from tests.support.rating import answered

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
MAX_BYTES = 150_000
DESKTOP = {"width": 1200, "height": 760}
TALL = {"width": 1200, "height": 1000}
PHONE = {"width": 360, "height": 740}
ENGLISH = "How many days are there between 2024-02-28 and 2024-03-01?"
CHINESE = "2026年的中秋节是哪一天？"
CHAT = "Tell me about the history of the calendar."
#: Answers for a picture, written by hand.
RATED = {
    ("q1", "noagent", "gpu"): "The capital of France is Paris.",
    ("q1", "kuaiagent", "gpu"): "**Paris** is the capital of France and its largest city.",
    ("q1", "router", "gpu"): "I can't look that up without a tool for it.",
}
#: Seconds that a small machine may need for an answer of the bundled model.
PATIENCE = 120


async def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kagentbot-screenshots-") as data:
        async with running_live_server(Path(data)) as server, running_browser() as browser:
            await empty(browser, server)
            await mid_answer(browser, server)
            await chinese(browser, server)
            await phone(browser, server)
            await trace(browser, server)
            await profile(browser, server)
            await models(browser, server)
            await bench(browser, server)
            await rating(browser, server, Path(data))


async def empty(browser: Browser, server: LiveServer) -> None:
    """The page before the first question."""
    async with open_page(browser, server.link, viewport=DESKTOP) as page:
        await expect(page.locator(".offers")).to_be_visible()
        await take(page, "empty")


async def mid_answer(browser: Browser, server: LiveServer) -> None:
    """An answer with its step, and another one that is being written."""
    async with open_page(browser, server.link, viewport=DESKTOP) as page:
        await ask(page, ENGLISH)
        await page.locator(".fold").click()
        await page.locator("#text").fill(CHAT)
        await page.locator("#text").press("Enter")
        await page.wait_for_function(
            "() => document.querySelector('.typing')?.textContent.length > 180", timeout=PATIENCE * 1000
        )
        await take(page, "mid-answer")
        if await page.locator(".turn[data-state=running]").count() == 0:
            raise SystemExit("The answer was complete before its picture was taken: run this again.")
        await expect(page.locator(".turn[data-state=answered]")).to_have_count(2, timeout=PATIENCE * 1000)


async def chinese(browser: Browser, server: LiveServer) -> None:
    """The page in Chinese, in dark colours."""
    async with open_page(browser, server.link, viewport=DESKTOP, locale="zh-CN", color_scheme="dark") as page:
        await ask(page, CHINESE)
        await page.locator(".fold").click()
        await take(page, "chinese-dark")


async def phone(browser: Browser, server: LiveServer) -> None:
    """The page on a phone."""
    options = {"viewport": PHONE, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
    async with open_page(browser, server.link, **options) as page:
        await ask(page, ENGLISH)
        await page.locator(".fold").click()
        await take(page, "phone")


async def trace(browser: Browser, server: LiveServer) -> None:
    """How an answer came about: what the rules planned, what the tool gave, and who wrote the text."""
    async with open_page(browser, server.link, viewport=TALL) as page:
        await ask(page, ENGLISH)
        await page.get_by_role("button", name="Show steps and details").click()
        await page.locator(".trace details summary").first.click()
        await take(page, "trace")


async def profile(browser: Browser, server: LiveServer) -> None:
    """Who answers, value by value, with the origin of each."""
    async with open_page(browser, server.link, viewport=DESKTOP) as page:
        await page.locator("#agent").click()
        await page.get_by_label("Name", exact=True).fill("Ada")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".panel-note")).to_contain_text("Saved as version")
        await take(page, "profile")


async def models(browser: Browser, server: LiveServer) -> None:
    """An endpoint that was entered and tried. What answers here is the model server of the tests."""
    async with (
        FakeLLM(model="qwen-7b-mat", context=16_384) as other,
        open_page(browser, server.link, viewport=TALL) as page,
    ):
        await page.locator("#model").click()
        await page.get_by_label("Address").fill(other.base_url)
        await page.get_by_label("Name", exact=True).fill("gpu")
        await page.get_by_role("button", name="Test the connection").click()
        await expect(page.locator(".verdict")).to_be_visible(timeout=60_000)
        await page.locator(".endpoint-form .buttons").scroll_into_view_if_needed()
        await take(page, "models")


async def bench(browser: Browser, server: LiveServer) -> None:
    """A run of the bundled model over a few items of the sample, from the form to its charts."""
    async with open_page(browser, f"{server.url}/bench#/new", viewport=TALL) as page:
        await page.get_by_label("At most so many items").fill("8")
        await page.get_by_label("AutoGPT").check()
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator(".chip")).to_have_text("done", timeout=PATIENCE * 5_000)
        await page.locator(".run-model").click()
        await page.wait_for_function("() => [...document.images].every((one) => one.naturalWidth)")
        await take(page, "bench")


async def rating(browser: Browser, server: LiveServer, data: Path) -> None:
    """A question with three answers, of which one is rated."""
    store = open_store(f"sqlite:///{data / 'kagentbot.db'}")
    made = await answered(DatabaseSets(store, SystemClock()), RATED)
    await store.close()
    async with open_page(browser, f"{server.url}/rate#/{made.id}", viewport=DESKTOP) as page:
        await page.get_by_label("Your name").fill("Ada")
        await page.keyboard.press("Enter")
        await expect(page.locator(".rated")).to_have_count(3)
        if not await page.get_by_role("heading", name="capital of France").is_visible():
            await page.get_by_role("button", name="Skip", exact=True).click()
        await expect(page.get_by_role("heading", name="capital of France")).to_be_visible()
        await page.keyboard.press("2")
        await take(page, "rate")


async def ask(page: Page, question: str) -> None:
    await page.locator("#text").fill(question)
    await page.get_by_role("button", name="Send").or_(page.get_by_role("button", name="发送")).click()
    await expect(page.locator(".turn[data-state=answered]")).to_have_count(1, timeout=PATIENCE * 1000)


async def take(page: Page, name: str) -> None:
    """Write the picture when nothing moves any more but what always does."""
    await page.mouse.move(0, 0)
    await page.wait_for_function(
        "() => document.getAnimations().every((one) => one.effect.getTiming().iterations === Infinity)"
    )
    picture = await page.screenshot(path=FOLDER / f"{name}.png")
    if len(picture) > MAX_BYTES:
        raise SystemExit(f"{name}.png has {len(picture):,} bytes, more than {MAX_BYTES:,}: show less in it.")
    print(f"{name}.png: {len(picture):,} bytes")  # noqa: T201 - what a person who runs this wants to see


if __name__ == "__main__":
    asyncio.run(main())
