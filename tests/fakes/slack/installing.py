"""Somebody who installs the app: from its install page over Slack's consent page back to the app."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp

from tests.fakes.slack.people import Body, Control
from tests.fakes.slack.state import Slack

#: Where Slack asks for consent, as a link on a page or as a redirect.
_AUTHORIZE = re.compile(r"https?://[^\s\"'<>]*/oauth/v2/authorize\?[^\s\"'<>]*")


class Installer:
    """A person with a browser. Cookies are carried by hand: the state cookie is `Secure`, and tests have no TLS."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack

    def controls(self) -> dict[str, Control]:
        """Name → what an installer can do."""
        return {"install": self._install}

    async def _install(self, body: Body) -> Body:
        """Visit `url` (the app's install page), decide (`cancel`: no), and go back to the app.

        `org`: for the whole organisation of the team. `foreign` presents somebody else's browser to the app: one
        without the cookie. The status and the text of the
        page that the person ends up on, and the consent that was asked for.
        """
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            async with session.get(body["url"], allow_redirects=False) as page:
                found = _AUTHORIZE.search(page.headers.get("Location") or unescape(await page.text()))
                if found is None:
                    return {"status": page.status, "text": await page.text(), "asked": None}
                cookies = {name: morsel.value for name, morsel in page.cookies.items()}
            asked = {name: values[0] for name, values in parse_qs(urlsplit(found[0]).query).items()}
            back = asked.get("redirect_uri") or body["redirect_uri"]
            if body.get("cancel"):
                query = urlencode({"error": "access_denied", "state": asked["state"]})
            else:
                query = self._slack.consent(
                    body["team"],
                    body["user"],
                    asked["scope"],
                    asked["state"],
                    asked.get("redirect_uri", ""),
                    org=bool(body.get("org")),
                )
            headers = {} if body.get("foreign") else {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
            async with session.get(f"{back}?{query}", headers=headers, allow_redirects=False) as page:
                return {"status": page.status, "text": await page.text(), "asked": asked}
