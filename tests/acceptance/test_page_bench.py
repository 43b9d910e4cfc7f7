"""The pages of benchmarks and ratings in a real browser, before a real server and database."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from agent.clock import SystemClock
from bot.store import bench, jobs
from bot.store.db import open_store
from tests.acceptance.browser import open_page, running_browser
from tests.integration.test_web_bench import HOSTILE, done, endpoint, spec_of
from tests.support.rating import answered
from tests.support.web import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDIT = Path(__file__).with_name("page_audit.js").read_text("utf-8").strip().rstrip(";")
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
#: CSS pixels.
TARGET = 40


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def site(sqlite_url: str) -> AsyncIterator[Site]:
    store = open_store(sqlite_url)
    async with Site(store) as running:
        endpoint(running)
        yield running
    await store.close()


async def complaints(page: Page) -> dict[str, Any]:
    """What is wrong with what is shown, for eyes, fingers and screen readers."""
    found: dict[str, Any] = await page.evaluate(
        f"(target) => {{ const a = ({AUDIT})(); return {{"
        "contrast: a.contrast(), targets: a.targets(target), names: a.names(), references: a.references(),"
        "ids: a.ids(),"
        "wide: document.querySelector('main').scrollWidth > document.querySelector('main').clientWidth }; }",
        TARGET,
    )
    return {name: said for name, said in found.items() if said}


async def report(site: Site, run_id: str, **progress: Any) -> bool | None:
    """Let a run be so far; whether it was asked to end."""
    store, now = site.store, SystemClock().now()
    [job_id] = [job for run, job in await store.read(bench.with_job) if run.id == run_id]
    row = await store.write(lambda c: jobs.claim_one(c, job_id, "me", now, now))
    assert row is not None
    return await store.write(lambda c: jobs.report(c, job_id, row.epoch, progress, now))


async def test_a_run_is_started_on_the_page_followed_and_cancelled(browser: Browser, site: Site) -> None:
    async with open_page(browser, f"{site.url}/bench#/new", **PHONE) as page:
        await page.get_by_label("At most so many items").fill("8")
        await page.get_by_label("conclusion").check()
        assert await complaints(page) == {}
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator(".chip")).to_have_text("waiting")
        [(run, _)] = await site.store.read(bench.with_job)
        assert not await report(site, run.id, done=3, total=20, rate=1.5, left=11.0, scores={"plan": 0.5}, scored=1)
        await expect(page.get_by_text("3 of 20 replies · 1.5 replies/s · about 11 s left")).to_be_visible()
        await expect(page.get_by_text("So far, over 1 item: plan 50.00")).to_be_visible()
        assert await complaints(page) == {}
        await page.get_by_role("button", name=f"Cancel run {run.id}").click()
        await page.get_by_role("button", name="End the run").click()
        await expect(page.get_by_text("The run ends now.")).to_be_visible()
    assert (run.spec.limit, run.spec.types) == (8, ("conclusion",))
    assert await report(site, run.id)


async def test_runs_are_compared_opened_and_read_item_by_item_whatever_models_wrote(
    browser: Browser, site: Site
) -> None:
    old, new = await done(site.store, spec_of("<b>old</b>")), await done(site.store, spec_of("new"), HOSTILE * 2)
    async with open_page(browser, f"{site.url}/bench", locale="zh-CN", color_scheme="dark", **PHONE) as page:
        for run_id in (new, old):
            await page.get_by_role("checkbox", name=f"比较运行 {run_id}").check()
        await page.get_by_role("link", name="比较这两次").click()
        await expect(page.locator(".tables table").first).to_be_visible()
        assert page.url.endswith(f"#/compare/{old}/{new}")
        await page.get_by_role("link", name=f"运行 {new}").click()
        await expect(page.locator(".line")).to_contain_text("[sample 8] plan : ")
        await page.wait_for_function(
            "() => document.images.length > 2 && [...document.images].every((i) => i.naturalWidth)"
        )
        assert await complaints(page) == {}
        await page.get_by_role("link", name="查看每个条目").click()
        await page.get_by_label("筛选").select_option("unreadable")
        await expect(page.locator(".items-side [role=status]")).to_have_text(re.compile("共 8 条，符合 [1-7] 条"))
        await page.locator(".item-button").first.click()
        await expect(page.locator(".item pre").first).to_contain_text('<img src=x onerror="alert(1)">')
        assert await complaints(page) == {}


async def test_a_rater_works_with_keys_and_the_operator_sees_the_table(browser: Browser, site: Site) -> None:
    made = await answered(site.human.sets)
    async with open_page(browser, f"{site.url}/rate") as page:
        await page.get_by_role("link", name="Capitals").click()
        await page.get_by_label("Your name").fill("Ada")
        await page.keyboard.press("Enter")
        await expect(page.locator(".rated")).to_have_count(3)
        assert "kuaiagent" not in await page.content()
        for key in ("4", "2", "5"):
            await page.keyboard.press(key)
        await expect(page.get_by_text("1 of 2", exact=True)).to_be_visible()
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_text("Question 2 of 2")).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("Question 2 of 2")).to_be_visible()
        await page.get_by_role("button", name="Skip", exact=True).click()
        await expect(page.get_by_text("1 of 2 questions are rated, 1 skipped.")).to_be_visible()
        await page.goto(f"{site.url}/bench#/ratings")
        await page.get_by_role("button", name="Close the set Capitals").click()
        await page.get_by_role("button", name="Close it").click()
        await page.get_by_role("link", name="Capitals").click()
        await expect(page.locator(".tables table").first).to_contain_text("kuaiagent")
    ratings = await site.human.sets.ratings(made.id)
    assert sorted(one.value or 0 for one in ratings) == [0, 0, 0, 2, 4, 5]
