"""The page with the real server behind it: asking, watching, killing, coming back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.acceptance.browser import open_page, running_browser
from tests.acceptance.live_server import LiveServer, running_live_server
from tests.fakes.llm import FakeLLM

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How many days are there between 2024-02-28 and 2024-03-01?"
#: Words come slowly enough to be seen coming.
SLOW = "[fake:gap=0.1][fake:tokens=30]"
#: Six words, then nothing more.
STUCK = "[fake:stall=6]"
TOKEN = "a-token-of-ours"
#: One call of the model for each answer.
STYLE = {"KAGENTBOT_PROFILE__STYLE": "noagent"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveServer]:
    """A server without any settings: it brings its own model."""
    async with running_live_server(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(llm: FakeLLM, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveServer]:
    """A server whose model does what the question says."""
    settings = {"OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": "x", **STYLE, "KAGENTBOT_SERVER__TOKEN": TOKEN}
    async with running_live_server(tmp_path_factory.mktemp("live"), **settings) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, server: LiveServer) -> AsyncIterator[Page]:
    async with open_page(browser, server.link) as opened:
        await expect(opened.locator(".offers")).to_be_visible()
        yield opened


async def ask(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


def turns(page: Page, state: str) -> Locator:
    return page.locator(f".turn[data-state={state}]")


async def test_the_first_question_is_answered_with_its_step(browser: Browser, demo: LiveServer) -> None:
    async with open_page(browser, demo.link) as page:
        await page.get_by_role("button", name=QUESTION).click()
        await expect(page.locator(".answer")).to_contain_text("2 days", timeout=60_000)
        await expect(page.locator(".fold")).to_have_text("1 step · show")
        await page.locator(".fold").click()
        await expect(page.locator(".step-title")).to_have_text("Computing the time between two dates")
        await expect(page.locator(".step .args")).to_contain_text("2024-02-28")
        await expect(page.locator(".step .result")).to_contain_text("2 days")
        await expect(page.get_by_role("link", name=QUESTION)).to_have_attribute("aria-current", "page")


async def test_what_the_demo_model_writes_is_labelled(browser: Browser, demo: LiveServer) -> None:
    async with open_page(browser, demo.link) as page:
        await ask(page, "Tell me about rivers.")
        await expect(turns(page, "answered")).to_have_count(1, timeout=120_000)
        await expect(page.locator(".notes")).to_contain_text("demo model")
        await expect(page.locator(".reply-foot .model")).to_contain_text("SmolLM2")


async def test_a_reload_in_mid_answer_shows_it_and_its_end_once(page: Page) -> None:
    await ask(page, SLOW)
    await expect(page.locator(".answer")).to_contain_text("the quick")
    await page.reload()
    await expect(page.locator(".answer")).to_contain_text("the quick")
    await expect(turns(page, "answered")).to_have_count(1)
    await expect(page.locator(".turn")).to_have_count(1)
    assert (await page.locator(".answer").inner_text()).split().count("quick") == 3


async def test_a_server_killed_in_mid_answer_gives_it_once_after_its_restart(browser: Browser, tmp_path: Path) -> None:
    async with FakeLLM() as llm:
        settings = {"OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": "x", **STYLE}
        async with running_live_server(tmp_path, **settings) as server, open_page(browser, server.link) as page:
            await llm.behave(STUCK, times=1)
            await ask(page, "Tell me something.")
            await expect(page.locator(".answer")).to_contain_text("the quick brown")
            await server.kill()
            await expect(page.locator("#notice")).to_contain_text("Reconnecting")
            await server.start()
            await expect(turns(page, "answered")).to_have_count(1, timeout=30_000)
            await expect(page.locator("#notice")).to_be_hidden()
            await expect(page.locator(".turn")).to_have_count(1)
            assert (await page.locator(".answer").inner_text()).split().count("quick") == 1
            await page.reload()
            await expect(turns(page, "answered")).to_have_count(1)
            await expect(page.locator(".bubble-text")).to_have_text(["Tell me something."])


async def test_a_message_sent_while_the_server_is_dead_is_answered_once(browser: Browser, tmp_path: Path) -> None:
    async with FakeLLM() as llm:
        settings = {"OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": "x", **STYLE}
        async with running_live_server(tmp_path, **settings) as server, open_page(browser, server.link) as page:
            await expect(page.locator(".offers")).to_be_visible()
            await server.kill()
            await ask(page, "Are you there?")
            await expect(page.locator(".pending")).to_contain_text("Not sent yet")
            await server.start()
            await expect(turns(page, "answered")).to_have_count(1, timeout=30_000)
            await expect(page.locator(".message")).to_have_count(1)
            assert len(llm.calls()) == 1


async def test_stop_ends_the_call_of_the_model(page: Page, llm: FakeLLM) -> None:
    await ask(page, f"Stop me. {STUCK}")
    await expect(page.locator(".answer")).to_contain_text("the quick")
    await page.keyboard.press("Escape")
    await expect(turns(page, "stopped")).to_have_count(1)
    await expect(page.locator(".answer")).to_contain_text("the quick")
    await llm.until(lambda calls: any("Stop me." in call.user and call.outcome == "aborted" for call in calls))


async def test_messages_sent_while_one_is_answered_are_answered_in_order(page: Page) -> None:
    await ask(page, f"[m:first] {SLOW}")
    await ask(page, "[m:second]")
    await ask(page, "[m:third]")
    await expect(turns(page, "answered")).to_have_count(3, timeout=30_000)
    answers = await page.locator(".answer").all_inner_texts()
    assert [answer.split()[0] for answer in answers] == ["[m:first]", "[m:second]", "[m:third]"]


async def test_an_edit_in_mid_answer_leaves_one_answer_to_the_new_text(page: Page) -> None:
    await ask(page, f"[m:old] {STUCK}")
    await expect(page.locator(".answer")).to_contain_text("[m:old]")
    await page.get_by_role("button", name="Edit this message").click()
    await page.get_by_label("Edit the message").fill("[m:new]")
    await page.get_by_role("button", name="Save").click()
    await expect(turns(page, "answered")).to_have_count(1)
    await expect(page.locator(".turn")).to_have_count(1)
    await expect(page.locator(".bubble-text")).to_have_text(["[m:new]"])
    await expect(page.locator(".answer")).to_contain_text("[m:new]")
    await page.reload()
    await expect(page.locator(".bubble-text")).to_have_text(["[m:new]"])


async def test_a_message_deleted_in_mid_answer_is_gone_with_its_answer(browser: Browser, server: LiveServer) -> None:
    async with open_page(browser) as page:
        await page.clock.install()
        await page.goto(server.link)
        await ask(page, f"Forget this. {STUCK}")
        await expect(page.locator(".answer")).to_contain_text("the quick")
        await page.get_by_role("button", name="Delete this message").click()
        await page.clock.run_for(6_000)
        await expect(page.locator(".turn")).to_have_count(0)
        await page.reload()
        await expect(page.get_by_text("Forget this.")).to_have_count(0)


async def test_a_failed_answer_can_be_asked_for_again(page: Page, llm: FakeLLM) -> None:
    await llm.behave("[fake:status=400]", times=1)
    await ask(page, "Try this.")
    await expect(turns(page, "failed")).to_have_count(1, timeout=30_000)
    await page.get_by_role("button", name="Try again").click()
    await expect(turns(page, "answered")).to_have_count(1)
    await expect(page.locator(".turn")).to_have_count(1)
    await expect(page.locator(".bubble-text")).to_have_text(["Try this."])


async def test_a_rating_is_kept(page: Page) -> None:
    await ask(page, "Rate me.")
    await page.get_by_role("button", name="Good answer").click()
    await expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="New conversation").click()
    await page.get_by_role("link", name="Rate me.").click()
    await expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")


async def test_html_of_the_model_and_of_people_is_text(page: Page) -> None:
    hostile = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"
    await ask(page, f"{hostile} [fake:say={hostile} **bold** <b>no</b>]")
    await expect(page.locator(".answer strong")).to_have_text("bold")
    await expect(page.locator(".answer")).to_contain_text("<script>window.pwned=1</script>")
    await expect(page.locator(".bubble-text")).to_contain_text("<script>window.pwned=1</script>")
    assert await page.locator(".turn :is(img, script, b)").count() == 0
    assert await page.evaluate("() => window.pwned") is None


async def test_a_message_that_is_too_long_comes_back_with_the_servers_sentence(page: Page) -> None:
    text = "long " * 40_000
    await ask(page, text)
    await expect(page.locator("#trouble")).to_contain_text("200,000")
    await expect(page.locator("#text")).to_have_value(text)
    await page.get_by_role("button", name="Switch to Chinese").click()
    await page.locator("#text").press("Enter")
    await expect(page.locator("#trouble")).to_contain_text("最多 100,000 个")


async def test_the_token_lets_in_and_leaves_the_address(browser: Browser, server: LiveServer) -> None:
    assert server.link.endswith(f"#token={TOKEN}")
    async with open_page(browser, server.url) as page:
        field = page.get_by_label("Token")
        await field.fill("not the token")
        await field.press("Enter")
        await expect(page.locator("#login .trouble")).to_have_text("This token is not the right one.")
        await field.fill(TOKEN)
        await field.press("Enter")
        await expect(page.locator(".offers")).to_be_visible()
    async with open_page(browser, server.link) as page:
        await expect(page.locator(".offers")).to_be_visible()
        await expect(page).to_have_url(f"{server.url}/")


async def test_a_conversation_with_a_profile_of_its_own_plans_and_shows_how(page: Page) -> None:
    await ask(page, "hello [fake:say=Hi.]")
    await expect(turns(page, "answered")).to_have_count(1)
    await page.locator("#agent").click()
    await page.get_by_role("radio", name="This conversation").check()
    await expect(page.get_by_role("radio", name="This conversation")).to_be_checked()
    await page.get_by_label("Agent system").select_option("kuaiagent")
    await page.get_by_label("Name", exact=True).fill("Ada")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Saved as version 1")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#agent")).to_contain_text("Ada")
    await ask(page, '[m:t1] [fake:plan=calculator{"expression": "6 * 7"}] [fake:say=It is 42.] How much?')
    await expect(turns(page, "answered")).to_have_count(2)
    await page.get_by_role("button", name="Show steps and details").last.click()
    trace = page.get_by_role("region", name="How this answer came about")
    await expect(trace.locator("h3").first).to_contain_text("Plan")
    await expect(trace.locator(".calls").first).to_contain_text("6 * 7")
    await expect(trace.locator("[data-kind=act]")).to_have_count(1)
    await expect(trace.locator(".trace-head").first).to_contain_text("style kuaiagent")
    await expect(trace.locator(".facts").first).to_contain_text("This conversation 1")
    await expect(trace.locator(".facts").first).to_contain_text("tokens in")


async def test_an_endpoint_that_is_entered_is_tried_used_and_removed(page: Page) -> None:
    async with FakeLLM() as second:
        await page.locator("#model").click()
        await page.get_by_label("Address").fill("http://127.0.0.1:9/v1")
        await page.get_by_role("button", name="Test the connection").click()
        await expect(page.locator(".lines [data-state=error]").first).to_be_visible()
        await page.get_by_label("Address").fill(second.base_url)
        await page.get_by_role("button", name="Test the connection").click()
        await expect(page.locator(".verdict")).to_have_text("This endpoint can be used.", timeout=40_000)
        await expect(page.locator(".lines [data-state=error]")).to_have_count(0)
        await page.get_by_label("Name", exact=True).fill("second")
        await page.get_by_role("button", name="Save and use").click()
        await expect(page.locator(".endpoint h3", has_text="second")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.get_by_label("Model that is asked first").select_option("second")
        await ask(page, "hello [fake:say=It is the second one.]")
        await expect(page.locator(".answer")).to_have_text("It is the second one.")
        assert [call.user for call in second.calls() if "the second one" in call.user] != []
        await page.locator("#model").click()
        await page.get_by_role("button", name="Remove second").click()
        await expect(page.locator(".endpoint h3", has_text="second")).to_have_count(0)


async def test_a_deleted_conversation_is_gone_from_the_server_and_from_other_tabs(
    page: Page, server: LiveServer
) -> None:
    await ask(page, "my secret plan [fake:say=Noted.]")
    await expect(turns(page, "answered")).to_have_count(1)
    other = await page.context.new_page()
    await other.goto(page.url)
    await expect(other.locator(".answer")).to_have_text("Noted.")
    await page.get_by_role("button", name="This conversation").click()
    await page.get_by_role("menuitem", name="Delete the conversation").click()
    await page.goto("about:blank")
    await expect(other.locator(".blank")).to_contain_text("does not exist")
    await other.get_by_role("searchbox").fill("secret plan")
    await expect(other.locator("#list")).to_contain_text("Nothing was found")
