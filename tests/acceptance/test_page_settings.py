"""The page and what is set on it: colours, who answers, and with which models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.acceptance.browser import open_page, running_browser
from tests.acceptance.page_office import endpoint
from tests.acceptance.page_server import PageServer, message, running_page_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a" * 32


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[PageServer]:
    async with running_page_server() as running:
        running.turn(KEY, state="answered", messages=[message("How many?")], text="Two.", html="<p>Two.</p>")
        running.office.endpoints.append(endpoint("gpu"))
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, server: PageServer) -> AsyncIterator[Page]:
    async with open_page(browser) as opened:
        await opened.goto(f"{server.url}/#/c/{KEY}")
        await expect(opened.locator(".answer")).to_be_visible()
        await expect(opened.locator("#picker option")).to_have_count(3)
        yield opened


def saved(server: PageServer, scope: str) -> dict[str, Any]:
    return server.office.now(scope)


# --- Colours ---------------------------------------------------------------------------------------------------------

PAPER = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(251, 250, 247)", "rgb(24, 25, 23)"


async def test_colours_follow_the_system_until_others_are_chosen(page: Page) -> None:
    for scheme, paper in [("dark", DARK), ("light", LIGHT)]:
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await expect(page.locator("html")).to_have_attribute("data-theme", scheme)
        assert await page.evaluate(PAPER) == paper
    await page.get_by_role("button", name="Colours: like the system. Change to light.").click()
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(PAPER) == LIGHT
    await page.get_by_role("button", name="Colours: light. Change to dark.").click()
    assert await page.evaluate(PAPER) == DARK
    assert await page.locator("meta[name=theme-color]").first.get_attribute("content") == "#131412"


async def test_chosen_colours_are_there_before_anything_is_drawn(page: Page) -> None:
    await page.get_by_role("button", name="Colours:").click()
    await page.get_by_role("button", name="Colours:").click()
    # What the page looked like whenever something was about to be drawn.
    await page.add_init_script(
        f"window.papers = new Set();"
        f"new MutationObserver(() => document.body && papers.add({PAPER}))"
        ".observe(document, { childList: true, subtree: true });"
    )
    await page.reload()
    await expect(page.locator(".answer")).to_be_visible()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    # Before the style sheets are there, nothing is drawn; then it is dark at once.
    assert LIGHT not in await page.evaluate("[...papers]")


async def test_other_tabs_change_their_colours_too(page: Page, server: PageServer) -> None:
    second = await page.context.new_page()
    await second.goto(server.url)
    await page.get_by_role("button", name="Change to light.").click()
    await page.get_by_role("button", name="Change to dark.").click()
    await expect(second.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(second.get_by_role("button", name="Colours: dark.")).to_be_visible()


# --- Who answers -----------------------------------------------------------------------------------------------------


async def open_profile(page: Page) -> None:
    await page.locator("#agent").click()
    await expect(page.get_by_role("dialog", name="Profile")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_be_visible()


def row(page: Page, name: str) -> Any:
    return page.locator(f"[data-field='{name}']")


async def test_the_pages_name_and_icon_are_those_of_the_profile(page: Page, server: PageServer) -> None:
    server.office.set("workspace", agent_name="Ada", icon="🦉")
    await page.reload()
    await expect(page.get_by_role("button", name="Ada: profile")).to_be_visible()
    await expect(page.locator(".brand")).to_have_text("Ada")
    await expect(page.locator("#agent .emoji")).to_have_text("🦉")
    await expect(page).to_have_title("How many? · Ada")


async def test_a_picture_from_elsewhere_is_not_fetched(page: Page, server: PageServer) -> None:
    server.office.set("workspace", icon="https://example.org/owl.png", agent_name="Ada")
    await page.reload()
    await expect(page.get_by_role("button", name="Ada: profile")).to_be_visible()
    assert await page.locator("#agent img").get_attribute("src") == "/static/icon.svg"


async def test_values_say_where_they_come_from_and_can_be_reset(page: Page, server: PageServer) -> None:
    server.office.set("workspace", agent_name="Ada", lang="zh")
    server.office.set("channel", agent_name="Bo")
    await open_profile(page)
    await expect(row(page, "agent_name")).to_contain_text("Set here. Inherited would be: kagentbot (settings)")
    await page.get_by_role("radio", name="This conversation").check()
    await expect(row(page, "agent_name")).to_contain_text("Set here. Inherited would be: Ada (All conversations)")
    await expect(row(page, "lang")).to_contain_text("Inherited from: All conversations")
    await expect(row(page, "overlap")).to_contain_text("Inherited from: settings")
    await row(page, "agent_name").get_by_role("button", name="Reset to inherited").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Ada")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Saved as version 2")).to_be_visible()
    assert saved(server, "channel") == {}


async def test_each_value_has_its_own_control_and_is_saved(page: Page, server: PageServer) -> None:
    await open_profile(page)
    await page.get_by_label("Name", exact=True).fill("Ada")
    await page.get_by_label("Icon").fill("🦉")
    await page.get_by_label("About the agent").fill("A bird.")
    await page.get_by_label("Instructions").fill("Be brief.\nBe kind.")
    await page.get_by_label("Language of answers").select_option("Chinese")
    await page.get_by_label("These tools:").check()
    await page.get_by_label("Computing the time").uncheck()
    await page.get_by_label("Most tool runs").fill("3")
    await page.get_by_label("Agent system").select_option("router")
    await row(page, "model").get_by_role("combobox").select_option("gpu")
    await page.get_by_label("Messages that are answered").select_option("All of them")
    await page.get_by_label("Messages during an answer").select_option("Answer them together")
    await row(page, "network").get_by_role("combobox").select_option("No tool uses the network")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Saved as version 1")).to_be_visible()
    assert saved(server, "workspace") == {
        "agent_name": "Ada",
        "icon": "🦉",
        "agent_bio": "A bird.",
        "agent_instructions": "Be brief.\nBe kind.",
        "lang": "zh",
        "tool_names": ["calculator"],
        "max_iter_num": 3,
        "style": "router",
        "model": "gpu",
        "follow": "always",
        "overlap": "merge",
        "network": "off",
    }
    # It holds at once.
    await expect(page.locator("#agent .agent-name")).to_have_text("Ada")


async def test_a_value_that_is_wrong_is_named_and_kept_for_mending(page: Page, server: PageServer) -> None:
    await open_profile(page)
    await page.get_by_label("Icon").fill("word")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".panel-note:visible")).to_contain_text("must be an emoji")
    await expect(page.get_by_label("Icon")).to_be_focused()
    await expect(page.get_by_label("Icon")).to_have_value("word")
    assert saved(server, "workspace") == {}


async def test_who_saves_over_somebody_else_is_told_and_can_look(page: Page, server: PageServer) -> None:
    await open_profile(page)
    server.office.set("workspace", agent_name="Bo")
    await page.get_by_label("Name", exact=True).fill("Ada")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".panel-note:visible")).to_contain_text("Somebody else has changed this profile")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Ada")
    await page.get_by_role("button", name="Show the new version").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Bo")
    assert saved(server, "workspace") == {"agent_name": "Bo"}


async def test_unsaved_changes_are_not_lost_by_a_slip(page: Page) -> None:
    await open_profile(page)
    await page.get_by_label("Name", exact=True).fill("Ada")
    await page.keyboard.press("Escape")
    await expect(page.locator(".panel-note:visible")).to_contain_text("There are unsaved changes.")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Ada")
    await page.get_by_role("button", name="Discard and close").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_two_versions_are_compared_and_an_old_one_is_brought_back_and_undone(
    page: Page, server: PageServer
) -> None:
    server.office.set("workspace", agent_name="Ada")
    server.office.set("workspace", agent_name="Bo", max_iter_num=2)
    server.office.set("workspace", agent_name="Bo", max_iter_num=2, network="off")
    await open_profile(page)
    await page.get_by_role("button", name="Versions").click()
    await expect(page.locator(".version-list li").first).to_contain_text("Version 3current")
    await expect(page.locator(".version-list li").first).to_contain_text("Changed: Network")
    await page.get_by_label("From version").select_option("Version 1")
    differences = page.locator(".differences")
    await expect(differences).to_contain_text("Ada → Bo")
    await expect(differences).to_contain_text("inherited → No tool uses the network")
    await page.get_by_role("button", name="Roll back to version 1").click()
    await expect(page.locator(".panel-note:visible")).to_contain_text("The values of version 1 hold again.")
    await expect(page.locator(".version-list li").first).to_contain_text("Brought back version 1")
    assert saved(server, "workspace") == {"agent_name": "Ada"}
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".panel-note:visible")).to_contain_text("The values of version 3 hold again.")
    assert saved(server, "workspace")["network"] == "off"


async def test_on_the_empty_page_only_all_conversations_can_be_set(page: Page, server: PageServer) -> None:
    await page.get_by_role("button", name="New conversation").click()
    await open_profile(page)
    await expect(page.get_by_role("radio", name="This conversation")).to_be_disabled()


# --- Models ----------------------------------------------------------------------------------------------------------


async def test_a_conversations_model_is_picked_below_the_message_box(page: Page, server: PageServer) -> None:
    server.office.set("channel", agent_name="Bo")
    picker = page.get_by_label("Model that is asked first")
    options = await picker.locator("option").all_inner_texts()
    assert options == ["Automatic model", "embedded · SmolLM2-135M-Instruct (demo)", "gpu · Large-72B"]
    await picker.select_option("gpu")
    await expect(page.locator("#announcer")).to_have_text("Asked first from now on: gpu · Large-72B")
    # What else was set stays.
    assert saved(server, "channel") == {"agent_name": "Bo", "model": "gpu"}
    await page.reload()
    await expect(picker).to_have_value("gpu")


async def test_a_new_conversation_begins_with_the_model_that_was_picked(page: Page, server: PageServer) -> None:
    await page.get_by_role("button", name="New conversation").click()
    await page.get_by_label("Model that is asked first").select_option("gpu")
    await page.locator("#text").fill("hello")
    await page.locator("#text").press("Enter")
    body = await server.asked("POST", "/messages")
    assert (body["conversation"], body["model"]) == (None, "gpu")


async def test_endpoints_are_listed_with_their_state_and_facts(page: Page, server: PageServer) -> None:
    server.office.endpoints.append(endpoint("old", state="down", detail="Refused.", context_tokens=None))
    await page.locator("#model").click()
    cards = page.get_by_role("list", name="Endpoints").locator("> li")
    await expect(cards).to_have_count(3)
    for text in ("embedded", "demo", "SmolLM2-135M-Instruct", "bundled", "window of 4,096 tokens", "1 call at a time"):
        await expect(cards.nth(0)).to_contain_text(text)
    await expect(cards.nth(0).get_by_role("button")).to_have_count(0)
    await expect(cards.nth(1)).to_contain_text("gpu.example.org:8000")
    await expect(cards.nth(2)).to_contain_text("not reachable – Refused.")
    await expect(cards.nth(2)).to_contain_text("window unknown (4,096 assumed)")


async def test_an_endpoint_is_tried_and_then_saved(page: Page, server: PageServer) -> None:
    await page.locator("#model").click()
    form = page.get_by_role("form", name="Add an endpoint")
    await form.get_by_label("Address").fill(" http://127.0.0.1:8001/v1 ")
    await form.get_by_label("Key", exact=True).fill("sk-secret")
    await form.get_by_role("button", name="Test the connection").click()
    await expect(form.locator(".lines li")).to_have_text(
        [
            "OK: The server answers.",
            "OK: It offers 2 models.",
            "Warning: It can't be made to answer in JSON: plans are repaired instead.",
            "OK: 41 tokens a second.",
        ]
    )
    await expect(form.locator(".verdict")).to_have_text("This endpoint can be used.")
    offered = await form.locator("datalist option").evaluate_all("(nodes) => nodes.map((node) => node.value)")
    assert offered == ["tiny", "large"]
    await form.get_by_label("Model", exact=True).fill("large")
    # What was found held for what was typed then.
    await expect(form.locator(".lines")).to_have_count(0)
    await form.get_by_label("Name", exact=True).fill("my gpu")
    await form.get_by_role("button", name="Save and use").click()
    await expect(page.locator(".panel-note:visible")).to_contain_text("my gpu is in use from now on.")
    tested, body = server.bodies("POST", "/endpoints/test")[0], server.bodies("PUT", "/my gpu")[0]
    expected = {"base_url": "http://127.0.0.1:8001/v1", "api_key": "sk-secret", "priority": 10, "slots": 8}
    assert expected.items() <= tested.items()
    assert {**expected, "model": "large", "context_tokens": None, "chat_format": "auto"}.items() <= body.items()
    await expect(form.get_by_label("Key", exact=True)).to_have_value("")
    await expect(page.locator(".endpoint h3").last).to_have_text("my gpu")


async def test_a_test_that_fails_says_what_to_mend(page: Page, server: PageServer) -> None:
    refused = {"name": "reach", "state": "error", "text": "Nobody listens at port 8001: start the server."}
    server.office.report = {"lines": [refused], "models": [], "ok": False}
    await page.locator("#model").click()
    await page.get_by_label("Address").fill("http://127.0.0.1:8001/v1")
    await page.get_by_role("button", name="Test the connection").click()
    await expect(page.locator(".lines li")).to_have_text("Error: Nobody listens at port 8001: start the server.")
    await expect(page.locator(".verdict")).to_have_text("This endpoint can't be used like this.")


async def test_an_endpoint_is_removed_and_brought_back(page: Page, server: PageServer) -> None:
    await page.locator("#model").click()
    await page.get_by_role("button", name="Remove gpu").click()
    await expect(page.locator(".endpoint")).to_have_count(1)
    await expect(page.locator(".panel-note:visible")).to_contain_text("gpu was removed.")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".endpoint")).to_have_count(2)
    await expect(page.locator("#picker option")).to_have_count(3)
