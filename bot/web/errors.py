"""Errors that leave the server: a status, a code for programs, and one sentence for people."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aiohttp import web

from agent.language import Lang, Text


class WebError(Exception):
    """Ends a request with this status and sentence; never carries anything that a stranger may not read."""

    def __init__(
        self,
        status: int,
        code: str,
        text: Text,
        *,
        headers: Mapping[str, str] | None = None,
        about: str = "",
        **fields: object,
    ) -> None:
        """`about`: name of the value that is wrong, for programs."""
        super().__init__(text.say("en", **fields))
        self.status = status
        self.code = code
        self.text = text
        self.headers = headers
        self.about = about
        self.fields = fields


def asked_language(request: web.BaseRequest) -> Lang:
    """Chinese or English, whichever `Accept-Language` prefers; English when it names neither."""
    best: Lang = "en"
    best_weight = 0.0
    for item in request.headers.get("Accept-Language", "")[:200].split(","):
        tag, _, weight = item.strip().partition(";q=")
        lang: Lang | None = "zh" if tag.lower().startswith("zh") else "en" if tag.lower().startswith("en") else None
        value = _weight(weight)
        if lang is not None and value > best_weight:
            best, best_weight = lang, value
    return best


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def error_response(request: web.BaseRequest, error: WebError) -> web.Response:
    """The error as JSON, in the language that the client asked for."""
    message = error.text.say(asked_language(request), **error.fields)
    about = {"field": error.about} if error.about else {}
    body = json.dumps({"error": {"code": error.code, "message": message, **about}}, ensure_ascii=False)
    return web.Response(
        status=error.status, text=body, content_type="application/json", charset="utf-8", headers=error.headers
    )
