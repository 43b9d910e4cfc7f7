"""A browser for the page's tests, and what must never happen in it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright, expect

#: Quiet about the rest of the world; and a browser in a container has neither a GPU nor a sandbox.
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 20_000
_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """The browser that KAGENTBOT_TEST_BROWSER names."""
    path = os.environ.get("KAGENTBOT_TEST_BROWSER")
    assert path, "KAGENTBOT_TEST_BROWSER names no browser: run `make test`, which finds or installs one."
    # Generous: what is expected comes at once, unless the machine is busy with something else.
    expect.set_options(timeout=PATIENCE_MS)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *as_root])
        try:
            yield browser
        finally:
            await browser.close()


class Watch:
    """What went wrong in a page: errors, violations of its security policy, requests to anybody else."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("console", self._on_console)
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser itself notes every failed request; tests of a server that is away make many.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.hostname != "127.0.0.1":
            self.problems.append(f"request: {request.url}")

    async def violations(self) -> list[str]:
        """What the security policy stopped in the document that is shown now."""
        found: list[str] = await self._page.evaluate("window.violations")
        return found


@asynccontextmanager
async def open_page(browser: Browser, url: str = "", **options: Any) -> AsyncIterator[Page]:
    """A page in a context of its own. Anything that goes wrong in it fails the test."""
    options.setdefault("locale", "en-US")
    context = await browser.new_context(**options)
    page = await context.new_page()
    await page.add_init_script(_VIOLATIONS)
    watch = Watch(page)
    try:
        if url:
            await page.goto(url)
        yield page
        if not page.is_closed() and page.url.startswith("http"):
            watch.problems += await watch.violations()
        assert watch.problems == []
    finally:
        await context.close()
