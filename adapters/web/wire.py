"""Requests in, responses out."""

from __future__ import annotations

import json
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from adapters.web import texts
from bot.exporting import dumped
from bot.web.errors import WebError

M = TypeVar("M", bound=BaseModel)


async def body_of(request: web.Request, model: type[M]) -> M:
    """The request's JSON as this model. Raises `WebError`."""
    raw = await request.read()
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        mended = _without_halves(raw)
        if mended is None:
            raise _invalid(error) from None
    try:
        return model.model_validate_json(mended)
    except ValidationError as error:
        raise _invalid(error) from None


def _without_halves(raw: bytes) -> bytes | None:
    """The same JSON without halves of surrogate pairs, which pages send where an emoji was cut in two.

    None if there can be none, or if it is no JSON.
    """
    if b"\\u" not in raw:
        return None
    try:
        text = json.dumps(json.loads(raw), ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    return text.encode(errors="ignore")


def query_of(request: web.Request, model: type[M]) -> M:
    """The request's query as this model. Raises `WebError`."""
    try:
        return model.model_validate_strings(dict(request.query))
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> WebError:
    # One sentence about the first fault: whoever writes a client mends one after the other.
    place = error.errors(include_url=False, include_input=False, include_context=False)[0]["loc"]
    if not place:
        return WebError(400, "not_json", texts.INVALID_BODY)
    return WebError(400, "invalid_request", texts.INVALID, field=".".join(map(str, place))[:100])


def answer(model: BaseModel, status: int = 200) -> web.Response:
    """The model as JSON."""
    return web.Response(body=dumped(model), status=status, content_type="application/json")


def turn_id_of(request: web.Request) -> int:
    """The turn that the path names."""
    return int(request.match_info["turn_id"])
