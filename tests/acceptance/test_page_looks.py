"""How the page behaves for people with other languages, screens, and ways of using a computer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.acceptance.browser import open_page, running_browser
from tests.acceptance.page_office import WHOLE, endpoint
from tests.acceptance.page_server import PageServer, ago, message, running_page_server, step

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a" * 32
AUDIT = Path(__file__).with_name("page_audit.js").read_text("utf-8")
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
#: CSS pixels.
TARGET = 40
WIDE = (
    "<p>" + "unbreakable" * 40 + "</p>"
    "<table><thead><tr>"
    + "<th>a heading</th>" * 12
    + "</tr></thead><tbody><tr>"
    + "<td>value</td>" * 12
    + "</tr></tbody></table>"
    "<pre><code>" + "wide " * 80 + "</code></pre>"
    "<p><a href='https://example.org/'>a link</a> and <code>code</code></p>"
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[PageServer]:
    async with running_page_server() as running:
        yield running


def fill(server: PageServer) -> None:
    """A conversation with something of everything."""
    first = server.turn(
        KEY,
        state="answered",
        messages=[message("Hello?", "m1")],
        steps=[step("done"), step("failed", key="b")],
        html=WIDE,
        text="wide",
        notes=["A note."],
        sources=["https://example.org/" + "long/" * 40],
        model="a-model",
        feedback=1,
    )
    server.traces[first["id"]] = WHOLE
    server.office.endpoints.append(endpoint("gpu", state="down", detail="Refused.", model="long-" * 30))
    server.office.set("workspace", agent_name="Ada")
    server.office.set("workspace", agent_name="B" * 80, tool_names=["calculator"])
    server.turn(KEY, state="failed", messages=[message("Broken?", "m2")], html="<p>It failed.</p>", can_retry=True)
    server.turn(KEY, state="stopped", messages=[message("x" * 3000, "m3")], html="<p>Half</p>", text="Half")
    server.turn(KEY, state="answered", messages=[{**message("", "m4"), "erased": True}], html="<p>Of what?</p>")
    server.turn(
        KEY, state="waiting", messages=[message("Write", "m5")], consent={"key": "consent/0/0", "question": "May I?"}
    )
    server.turn(KEY, messages=[message("Next", "m6")])


async def audit(page: Page, what: str, argument: int | None = None) -> Any:
    return await page.evaluate(f"(argument) => ({AUDIT.strip().rstrip(';')})().{what}(argument)", argument)


async def show(page: Page, server: PageServer) -> None:
    await page.goto(f"{server.url}/#/c/{KEY}")
    await server.watched(KEY)
    # The stream may bring the newest turns before the whole page is there; who then takes the first of something gets
    # another one than a moment later.
    await expect(page.locator(".turn")).to_have_count(min(len(server.turns[KEY]), 50))


async def open_trace(page: Page) -> None:
    await page.get_by_role("button", name="Show steps and details").first.click()
    await expect(page.locator(".trace-step")).to_have_count(6)
    for fold in await page.locator(".trace summary").all():
        await fold.click()


async def dialogs(page: Page) -> AsyncIterator[str]:
    """Opens each larger dialog in turn, in each of its forms."""
    await page.locator("#agent").click()
    await expect(page.locator(".row").first).to_be_visible()
    yield "profile"
    await page.get_by_role("button", name="Versions").click()
    await expect(page.locator(".version-list li")).to_have_count(2)
    yield "versions"
    await page.keyboard.press("Escape")
    if await page.get_by_role("button", name="Show conversations").is_visible():
        await page.get_by_role("button", name="Show conversations").click()
    await page.locator("#model").click()
    await expect(page.locator(".endpoint")).to_have_count(2)
    await page.get_by_label("Address").fill("http://127.0.0.1:1/v1")
    await page.get_by_role("button", name="Test the connection").click()
    await expect(page.locator(".lines")).to_be_visible()
    await page.get_by_text("More settings").click()
    yield "models"


# --- Languages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "tag", "greeting"), [("zh-TW", "zh-CN", "想了解什么？"), ("de-DE", "en", "What would you")]
)
async def test_the_page_speaks_the_browsers_language(
    browser: Browser, server: PageServer, locale: str, tag: str, greeting: str
) -> None:
    async with open_page(browser, server.url, locale=locale) as page:
        await expect(page.locator(".welcome h2")).to_contain_text(greeting)
        await expect(page.locator("html")).to_have_attribute("lang", tag)
        await server.asked("GET", "/conversations")
        assert server.language == tag


async def test_another_language_can_be_chosen_and_is_kept(browser: Browser, server: PageServer) -> None:
    fill(server)
    async with open_page(browser) as page:
        await show(page, server)
        await page.get_by_role("button", name="Switch to Chinese").click()
        await expect(page.get_by_role("button", name="允许", exact=True)).to_be_visible()
        await expect(page.locator("#text")).to_have_attribute("placeholder", "输入你的问题")
        await page.reload()
        await expect(page.locator(".fold").first).to_have_text("2 个步骤 · 显示")
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


async def test_both_catalogues_have_the_same_texts_with_the_same_gaps(browser: Browser, server: PageServer) -> None:
    async with open_page(browser, server.url) as page:
        texts = await page.evaluate("import('/static/texts.js').then((module) => module.texts)")
    assert set(texts) == {"en", "zh"}
    assert list(texts["en"]) == list(texts["zh"])
    gaps = {lang: {key: set(re.findall(r"\{(\w+)[|}]", text)) for key, text in texts[lang].items()} for lang in texts}
    assert gaps["en"] == gaps["zh"]
    assert all(text.strip() for catalogue in texts.values() for text in catalogue.values())


async def test_the_language_of_each_answer_is_marked(browser: Browser, server: PageServer) -> None:
    server.turn(KEY, state="answered", lang="zh", messages=[message("多少天？")], html="<p>两天</p>")
    async with open_page(browser) as page:
        await show(page, server)
        await expect(page.locator(".reply")).to_have_attribute("lang", "zh-CN")


async def test_conversations_are_listed_by_day(browser: Browser, server: PageServer) -> None:
    for number, at in enumerate([ago(), ago(days=1), ago(days=3), ago(days=40)]):
        server.turn(f"{number}" * 32, state="answered", messages=[message(f"t{number}", f"m{number}")], at=at)
    server.conversations.reverse()
    async with open_page(browser, server.url) as page:
        month = (datetime.now(UTC) - timedelta(days=40)).strftime("%B %Y")
        await expect(page.locator("#list h2")).to_have_text(["Today", "Yesterday", "Last 7 days", month])


# --- Screens ---------------------------------------------------------------------------------------------------------


async def test_nothing_is_wider_than_a_phone(browser: Browser, server: PageServer) -> None:
    fill(server)
    async with open_page(browser, **PHONE) as page:
        await show(page, server)
        await open_trace(page)
        for selector in ("html", ".scroll", ".top"):
            widths = await page.locator(selector).evaluate("(node) => [node.scrollWidth, node.clientWidth]")
            assert widths[0] == widths[1], selector
        async for name in dialogs(page):
            widths = await page.locator(f"#{'models' if name == 'models' else 'profile'} .panel-body").evaluate(
                "(node) => [node.scrollWidth, node.clientWidth]"
            )
            assert widths[0] == widths[1], name
        assert await page.locator(".table-box .scroller").evaluate("(node) => node.scrollWidth > node.clientWidth")
        assert await page.locator(".code-box .scroller").evaluate("(node) => node.scrollWidth > node.clientWidth")


async def test_touch_targets_are_large_enough(browser: Browser, server: PageServer) -> None:
    fill(server)
    async with open_page(browser, **PHONE) as page:
        await page.goto(server.url)
        await expect(page.locator(".offers")).to_be_visible()
        assert await audit(page, "targets", TARGET) == []
        await show(page, server)
        await open_trace(page)
        await page.get_by_role("button", name="This conversation").click()
        assert await audit(page, "targets", TARGET) == []
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Show conversations").click()
        await expect(page.get_by_role("link", name="Hello?")).to_be_visible()
        await page.get_by_role("searchbox").fill("hello")
        await expect(page.get_by_role("button", name="Clear the search")).to_be_visible()
        assert await audit(page, "targets", TARGET) == []
        await page.get_by_role("button", name="Hide conversations").click()
        async for name in dialogs(page):
            assert await audit(page, "targets", TARGET) == [], name


async def test_on_a_phone_the_conversations_are_a_drawer(browser: Browser, server: PageServer) -> None:
    fill(server)
    server.turn("b" * 32, state="answered", messages=[message("Other?", "n1")], html="<p>Other.</p>")
    async with open_page(browser, **PHONE) as page:
        await show(page, server)
        await expect(page.get_by_role("link", name="Other?")).to_have_count(0)
        await page.get_by_role("button", name="Show conversations").tap()
        await expect(page.get_by_role("button", name="Hide conversations")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("link", name="Other?")).to_have_count(0)
        await page.get_by_role("button", name="Show conversations").tap()
        await page.get_by_role("link", name="Other?").tap()
        await expect(page.locator(".answer")).to_have_text(["Other."])
        await expect(page.get_by_role("link", name="Other?")).to_have_count(0)


async def test_on_a_phone_enter_makes_a_line(browser: Browser, server: PageServer) -> None:
    async with open_page(browser, server.url, **PHONE) as page:
        await page.locator("#text").fill("a")
        await page.locator("#text").press("Enter")
        await expect(page.locator("#text")).to_have_value("a\n")
        assert server.bodies("POST", "/messages") == []


@pytest.mark.parametrize(("scheme", "chosen"), [("light", ""), ("dark", ""), ("light", "dark")])
async def test_every_text_has_enough_contrast(browser: Browser, server: PageServer, scheme: Any, chosen: str) -> None:
    fill(server)
    server.info["model"].update(state="down", detail="Connection refused.")
    # Without motion: a text that is just fading in has less contrast than it will have.
    async with open_page(browser, color_scheme=scheme, reduced_motion="reduce") as page:
        await page.goto(server.url)
        await expect(page.locator(".offers")).to_be_visible()
        if chosen:
            await page.get_by_role("button", name="Change to light.").click()
            await page.get_by_role("button", name="Change to dark.").click()
        await expect(page.locator("html")).to_have_attribute("data-theme", chosen or scheme)
        assert await audit(page, "contrast") == []
        await show(page, server)
        await page.locator(".fold").first.click()
        await open_trace(page)
        await page.get_by_role("searchbox").fill("hello")
        await expect(page.locator("#list mark").first).to_be_visible()
        await page.get_by_role("button", name="Edit this message").first.click()
        await page.get_by_role("button", name="Delete this message").last.click()
        await expect(page.locator(".toast")).to_be_visible()
        await page.wait_for_function("() => document.getAnimations().every((one) => !(one instanceof CSSTransition))")
        assert await audit(page, "contrast") == []
        async for name in dialogs(page):
            assert await audit(page, "contrast") == [], name


async def test_motion_is_reduced_for_who_wants_that(browser: Browser, server: PageServer) -> None:
    fill(server)
    async with open_page(browser, reduced_motion="reduce") as page:
        await show(page, server)
        lengths = await page.evaluate(
            "[...document.querySelectorAll('*')].map((node) => getComputedStyle(node).transitionDuration)"
        )
        assert {length.split(",")[0] for length in lengths} == {"0s"}


# --- Keyboard and screen reader --------------------------------------------------------------------------------------


async def test_everything_is_reached_with_the_tab_key_and_shows_it(browser: Browser, server: PageServer) -> None:
    fill(server)
    async with open_page(browser) as page:
        await show(page, server)
        await page.locator(".fold").first.click()
        idle = await page.locator(".composer").evaluate("(node) => getComputedStyle(node).borderTopColor")
        # The button that jumps to the end goes when the end is reached; for the keyboard that is the End key.
        wanted = {name for name in await audit(page, "order") if not name.startswith("#jump ")}
        await page.evaluate("document.activeElement.blur()")
        reached = set()
        for _ in range(len(wanted) * 2):
            await page.keyboard.press("Tab")
            focused = await audit(page, "focused")
            reached.add(focused["name"])
            if not focused["name"].startswith("body"):
                assert focused["marked"], focused["name"]
            if focused["name"].startswith("#text "):
                await page.wait_for_function(
                    "(idle) => getComputedStyle(document.querySelector('.composer')).borderTopColor !== idle", arg=idle
                )
            if wanted <= reached:
                break
        assert wanted - reached == set()


async def test_everything_has_a_name_and_every_reference_a_target(browser: Browser, server: PageServer) -> None:
    fill(server)
    async with open_page(browser) as page:
        await show(page, server)
        await page.locator(".fold").first.click()
        await open_trace(page)
        async for name in dialogs(page):
            for what in ("names", "references", "ids"):
                assert await audit(page, what) == [], name
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Keyboard shortcuts").click()
        await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
        assert await audit(page, "names") == []
        assert await audit(page, "references") == []
        assert await audit(page, "ids") == []


async def test_the_page_has_landmarks_and_a_log(browser: Browser, server: PageServer) -> None:
    async with open_page(browser, server.url) as page:
        for role, name in [("complementary", "Conversations"), ("navigation", "Conversations"), ("log", "Messages")]:
            await expect(page.get_by_role(role, name=name)).to_have_count(1)  # type: ignore[arg-type]
        await expect(page.get_by_role("main")).to_have_count(1)
        await expect(page.get_by_role("heading", level=1)).to_have_count(1)
        await expect(page.get_by_role("textbox", name="Message")).to_be_visible()


async def test_an_answer_is_announced_once_when_it_is_complete(browser: Browser, server: PageServer) -> None:
    turn = server.turn(KEY, state="running", messages=[message("How many?")])
    async with open_page(browser) as page:
        await show(page, server)
        await page.evaluate(
            """window.said = [];
            new MutationObserver(() => said.push(announcer.textContent)).observe(announcer, { childList: true });"""
        )
        for text in ("It", "It is", "It is two"):
            server.put(turn, html=f"<p>{text}</p>")
            await expect(page.locator(".answer")).to_have_text(text)
        assert await page.evaluate("said") == []
        server.put(turn, state="answered", html="<p>It is two days.</p>")
        await expect(page.locator("#announcer")).to_have_text("Answer: It is two days.")
        assert await page.evaluate("said") == ["Answer: It is two days."]


async def test_shortcuts_open_help_and_a_new_conversation(browser: Browser, server: PageServer) -> None:
    fill(server)
    async with open_page(browser) as page:
        await show(page, server)
        await page.keyboard.press("Control+/")
        await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
        assert server.bodies("POST", "/stop") == []
        await page.keyboard.press("Alt+n")
        await expect(page.locator(".welcome")).to_be_visible()
        await expect(page.locator("#text")).to_be_focused()


async def test_writing_anywhere_writes_a_message(browser: Browser, server: PageServer) -> None:
    async with open_page(browser, server.url) as page:
        await expect(page.locator(".offers")).to_be_visible()
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.type("hello")
        await expect(page.locator("#text")).to_have_value("hello")


# --- Scrolling -------------------------------------------------------------------------------------------------------

AT_END = "() => scroll_.scrollHeight - scroll_.scrollTop - scroll_.clientHeight < 2".replace(
    "scroll_", "document.querySelector('.scroll')"
)
LONG = "".join(f"<p>Paragraph {number}</p>" for number in range(60))


async def test_who_reads_the_end_keeps_reading_the_end(browser: Browser, server: PageServer) -> None:
    turn = server.turn(KEY, state="running", messages=[message("Long?")], html=LONG)
    async with open_page(browser) as page:
        await show(page, server)
        await page.wait_for_function(AT_END)
        for more in range(1, 9):
            server.put(turn, html=LONG + "<p>More.</p>" * more)
            await expect(page.locator(".answer p")).to_have_count(60 + more)
            await page.wait_for_function(AT_END)
        await expect(page.get_by_role("button", name="Jump to the newest")).to_be_hidden()


async def test_a_long_answer_in_one_piece_is_read_from_its_beginning(browser: Browser, server: PageServer) -> None:
    server.turn(KEY, state="answered", messages=[message("Before", "m0")], html=LONG)
    turn = server.turn(KEY, state="running", messages=[message("Long?")])
    async with open_page(browser) as page:
        await show(page, server)
        await page.wait_for_function(AT_END)
        server.put(turn, state="answered", html=LONG)
        await expect(page.locator(".answer").nth(1)).to_contain_text("Paragraph 59")
        await expect(page.get_by_text("Long?")).to_be_in_viewport()
        await expect(page.get_by_role("button", name="Jump to the newest")).to_be_visible()


async def test_who_reads_above_is_not_moved_and_can_jump_to_the_end(browser: Browser, server: PageServer) -> None:
    turn = server.turn(KEY, state="running", messages=[message("Long?")], html=LONG)
    async with open_page(browser) as page:
        await show(page, server)
        await page.wait_for_function(AT_END)
        await page.locator(".scroll").evaluate("(node) => node.scrollTo(0, 300)")
        jump = page.get_by_role("button", name="Jump to the newest")
        await expect(jump).to_be_visible()
        server.put(turn, html=LONG + LONG)
        await expect(page.locator(".answer p")).to_have_count(120)
        assert await page.locator(".scroll").evaluate("(node) => node.scrollTop") == 300
        await jump.click()
        await page.wait_for_function(AT_END)
        await expect(jump).to_be_hidden()


async def test_earlier_messages_come_when_one_scrolls_up_to_them(browser: Browser, server: PageServer) -> None:
    for number in range(120):
        server.turn(
            KEY,
            state="answered",
            messages=[message(f"q{number}", f"m{number}")],
            html=f"<p>a{number}</p>",
            at=ago(days=1),
        )
    async with open_page(browser) as page:
        await show(page, server)
        await expect(page.locator(".turn")).to_have_count(50)
        where = "(node) => node.getBoundingClientRect().top"
        first = page.locator(".turn[data-turn='71']")
        await page.locator(".scroll").evaluate("(node) => node.scrollTo(0, 200)")
        before = await first.evaluate(where)
        await expect(page.locator(".turn")).to_have_count(100)
        assert abs(await first.evaluate(where) - before) <= 1
        await page.locator(".scroll").evaluate("(node) => node.scrollTo(0, 0)")
        await expect(page.locator(".turn")).to_have_count(120)
        await expect(page.get_by_role("button", name="Show earlier messages")).to_have_count(0)


async def test_a_long_message_is_folded_until_asked_for(browser: Browser, server: PageServer) -> None:
    text = "word " * 2_000
    server.turn(KEY, state="answered", messages=[message(text)], html="<p>Long.</p>")
    async with open_page(browser) as page:
        await show(page, server)
        folded = await page.locator(".bubble").bounding_box()
        await page.get_by_role("button", name="Show the whole message").click()
        await expect(page.locator(".bubble-text")).to_have_text(text.strip())
        whole = await page.locator(".bubble").bounding_box()
        assert folded
        assert whole
        assert whole["height"] > 2 * folded["height"]


# --- The stream's parts, wherever it is cut --------------------------------------------------------------------------


async def test_events_are_read_the_same_wherever_the_stream_is_cut(browser: Browser, server: PageServer) -> None:
    stream = 'retry: 1000\n\n: ping\n\nevent: turn\ndata: {"a":\ndata: 1}\n\r\nevent: turn\r\ndata:2\r\n\r\ndata: x\n\n'
    script = """async (stream) => {
      const { EventParser } = await import("/static/stream.js");
      const found = new Set();
      for (let first = 0; first <= stream.length; first += 1)
        for (let second = first; second <= stream.length; second += 1) {
          const parser = new EventParser();
          const pieces = [stream.slice(0, first), stream.slice(first, second), stream.slice(second)];
          found.add(JSON.stringify(pieces.flatMap((piece) => parser.push(piece))));
        }
      return [...found];
    }"""
    async with open_page(browser, server.url) as page:
        found = await page.evaluate(script, stream)
    assert found == [
        '[{"type":"turn","data":"{\\"a\\":\\n1}"},{"type":"turn","data":"2"},{"type":"message","data":"x"}]'
    ]
