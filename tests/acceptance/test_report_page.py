"""The one-file report in a browser, opened from the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from agent.language import Text
from evals.kagentbench.items import TEMPLATES
from evals.report import page
from evals.suites import page as suite_page
from evals.suites.results import Answered
from evals.suites.viewing import views as case_views
from tests.acceptance.browser import open_page, running_browser
from tests.support.evaluations import drawn, item, spec, summary, view
from tests.unit.test_suite_page import CASES, RESULTS, a_case, result
from tests.unit.test_suite_page import summary as suite_summary

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDIT = Path(__file__).with_name("page_audit.js").read_text("utf-8")
#: CSS pixels.
TARGET = 40
HOSTILE = "</script><script>window.hurt=1</script><img src=x onerror=window.hurt=2> \u2028 [x](javascript:alert(1))"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report as large as that of the whole benchmark, with one hostile item."""
    run = drawn(1, 811)
    evil = item("conclusion", "evil", dict.fromkeys(TEMPLATES, 0.011), query=HOSTILE, unreadable=True)
    shown = [view(evil, HOSTILE, ({"golden_result": HOSTILE},)), *(view(one) for one in run.items)]
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page.html(summary(run, of=spec("sample")), "en", views=shown), "utf-8")
    return path.as_uri()


async def opened(shown: Page) -> None:
    await expect(shown.locator("main:visible .list button").first).to_be_visible()


async def test_a_whole_benchmark_is_searched_filtered_and_read(browser: Browser, report: str) -> None:
    async with open_page(browser, report) as shown:
        await opened(shown)
        status = shown.locator("main:visible").get_by_role("status")
        await expect(status).to_have_text("3,245 of 3,245 items · 1–50")
        await expect(shown.locator("main:visible .list button")).to_have_count(50)

        await shown.locator("main:visible").locator("select[name=type]").select_option("reflextion")
        await expect(status).to_have_text("811 of 3,245 items · 1–50")
        await shown.locator("main:visible").get_by_role("button", name="Later").click()
        await expect(status).to_have_text("811 of 3,245 items · 51–100")
        await shown.locator("main:visible").get_by_label("Search").fill("question 810")
        await expect(status).to_have_text("1 of 3,245 items")
        await shown.locator("main:visible").get_by_label("Search").fill("no such thing")
        await expect(status).to_have_text("0 of 3,245 items")
        assert await shown.evaluate("window.violations") == []


async def test_an_item_is_opened_with_the_keyboard_alone(browser: Browser, report: str) -> None:
    async with open_page(browser, report) as shown:
        await opened(shown)
        await shown.locator("main:visible .list button").first.focus()
        await shown.keyboard.press("ArrowDown")
        await shown.keyboard.press("Enter")
        detail = shown.locator("main:visible article")
        await expect(detail.get_by_role("heading", name="question 0")).to_be_visible()
        await expect(detail).to_be_focused()
        await expect(detail).to_contain_text("ReACT: a reply")
        await detail.get_by_text("Prompt", exact=True).first.click()
        await expect(detail).to_contain_text("Prompt of ReACT: a reply")


async def test_what_was_looked_for_is_what_is_open(browser: Browser, report: str) -> None:
    async with open_page(browser, report) as shown:
        await opened(shown)
        await shown.locator("main:visible select[name=template]").select_option(label="ToolLlama")
        await shown.locator("main:visible select[name=show]").select_option("wrong")
        await shown.locator("main:visible .list button").first.click()
        detail = shown.locator("main:visible article")
        await expect(detail.locator("details.template[open] > summary")).to_contain_text("ToolLlama")
        await expect(detail.locator("details.template[open] > summary")).to_contain_text("wrong tool")


async def test_hostile_text_is_shown_and_does_nothing(browser: Browser, report: str) -> None:
    async with open_page(browser, report) as shown:
        await opened(shown)
        await shown.locator("main:visible").get_by_label("Search").fill("evil")
        await shown.locator("main:visible .list button").first.click()
        detail = shown.locator("main:visible article")
        await expect(detail.locator("h3")).to_contain_text("<img src=x onerror=window.hurt=2>")
        await detail.locator("details:not([open]) > summary").first.click()
        await expect(detail.locator("pre").first).to_contain_text("</script>")
        assert await shown.evaluate("window.hurt") is None
        assert await shown.locator("img, a").count() == 0
        assert await shown.evaluate("window.violations") == []


async def test_the_other_language_is_a_click_away(browser: Browser, report: str) -> None:
    async with open_page(browser, report) as shown:
        await opened(shown)
        await shown.get_by_role("button", name="中文").click()
        await expect(shown.locator("main:visible")).to_have_attribute("lang", "zh-CN")
        await expect(shown.locator("html")).to_have_attribute("lang", "zh-CN")
        await expect(shown.locator("main:visible").get_by_role("status")).to_have_text(
            "共 3,245 条，符合 3,245 条 · 1–50"
        )


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report of a suite, whose first case is hostile."""
    cases = [a_case("evil", HOSTILE, HOSTILE), *CASES]
    why = Text(HOSTILE, HOSTILE)
    found = [result(cases[0], "failed", "passed", why=why), *RESULTS]
    of = suite_summary(*found)
    path = tmp_path_factory.mktemp("suite") / "report.html"
    path.write_text(suite_page.html(of, "en", views=case_views(cases, found, {"evil": Answered(HOSTILE)})), "utf-8")
    return path.as_uri()


async def test_cases_of_a_suite_are_filtered_by_verdict_and_check_and_opened(browser: Browser, suite: str) -> None:
    async with open_page(browser, suite) as shown:
        await opened(shown)
        main = shown.locator("main:visible")
        status = main.get_by_role("status")
        await expect(status).to_have_text("4 of 4 cases")
        await main.locator("select[name=show]").select_option("passed")
        await expect(status).to_have_text("1 of 4 cases")
        await main.locator("select[name=template]").select_option(label="exact")
        await expect(status).to_have_text("2 of 4 cases")
        await main.locator("select[name=template]").select_option(label="all")
        await main.locator("select[name=show]").select_option("failed")
        await main.locator(".list button").first.click()
        detail = main.locator("article")
        await expect(detail.locator("h3")).to_contain_text("<img src=x onerror=window.hurt=2>")
        await expect(detail.locator("details.template[open] > summary")).to_contain_text("failed")
        await expect(detail.locator("details.template[open] p")).to_contain_text("</script>")
        await expect(detail.locator("pre").first).to_contain_text("</script>")
        assert await shown.evaluate("window.hurt") is None
        assert await shown.evaluate("window.violations") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["report", "suite"])
async def test_everybody_can_read_it_in_both_looks_on_a_telephone(
    browser: Browser, request: pytest.FixtureRequest, which: str, scheme: str
) -> None:
    address = request.getfixturevalue(which)
    async with open_page(browser, address, color_scheme=scheme, viewport={"width": 360, "height": 740}) as shown:
        await opened(shown)
        await shown.locator("main:visible .list button").first.click()
        await expect(shown.locator("main:visible article h3")).to_be_visible()
        audit = f"(argument) => ({AUDIT.strip().rstrip(';')})()"
        assert await shown.evaluate("document.documentElement.scrollWidth") <= 360
        assert await shown.evaluate(f"{audit}.contrast(argument)") == []
        assert await shown.evaluate(f"{audit}.targets(argument)", TARGET) == []
        assert await shown.evaluate(f"{audit}.names()") == []
