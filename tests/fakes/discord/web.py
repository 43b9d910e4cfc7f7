"""Discord's addresses: the REST API with its faults and limits, and where attachments are fetched from."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.fakes.discord import shapes
from tests.fakes.discord.api import METHODS, Answer, Call, Method, TooMany
from tests.fakes.discord.config import BUCKETS
from tests.fakes.discord.content import Upload
from tests.fakes.discord.faults import DONE, LIMITED, FaultPlan
from tests.fakes.discord.limits import Refusal
from tests.fakes.discord.server import as_json, reset
from tests.fakes.discord.state import Discord
from tests.fakes.discord.world import DiscordError, Interaction

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Where the REST API is.
BASE = "/api/v10"

_FILE_FIELD = re.compile(r"files\[(\d+)\]|file(\d*)")
_PAGE = "<html><head><title>502</title></head><body><center><h1>502 Bad Gateway</h1></center>cloudflare</body></html>"
_BANNED = "<html><body>error code: 1015. You are being rate limited</body></html>"
#: What Discord's proxy says of itself in every answer; discord.py takes a 429 without it for a ban (facts 1).
_VIA = {"Via": "1.1 fake"}


class Web:
    """The app's side of the fake. Errors of the app are answers; an exception in here is a defect of the fake."""

    def __init__(self, discord: Discord, plan: FaultPlan) -> None:
        self._discord = discord
        self._plan = plan

    def routes(self, app: web.Application) -> None:
        """Add Discord's own addresses."""
        for route, method in METHODS.items():
            verb, _, path = route.partition(" ")
            app.router.add_route(verb, BASE + path, self._handler(route, method))
        app.router.add_route("*", BASE + "/{rest:.*}", self._unknown)
        app.router.add_get("/attachments/{channel}/{attachment}/{name}", self._download)

    def _handler(self, route: str, method: Method) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, route, method)

        return handle

    async def _serve(self, request: web.Request, route: str, method: Method) -> web.StreamResponse:
        call = Call(self._discord, route, dict(request.match_info), request.query)
        major = "+".join(call.ids[name] for name in method.major if name in call.ids)
        try:
            call.body, call.uploads = await _body(request)
        except ValueError:
            return self._refuse(call, DiscordError(400, 50109, "The request body contains invalid JSON."))
        if self._discord.limits.banned:
            return self._page(call, 429, _BANNED, fault="banned")
        if method.token and request.headers.get("Authorization") != f"Bot {self._discord.app.token}":
            return self._refuse(call, DiscordError(401, 0, "401: Unauthorized"))
        fault = self._plan.choose(route, call.ids.get("channel") or major, self._discord.config.faults)
        charged = self._charge(call, route, method, major, fault)
        if isinstance(charged, Refusal):
            return self._too_many(call, charged, fault=fault)
        call.headers = charged | _VIA
        broken = self._broken(request, call, fault)
        if broken is not None:
            return broken
        if fault == "late":
            await asyncio.sleep(self._discord.config.late)
        return await self._run(request, call, method, fault)

    def _charge(
        self, call: Call, route: str, method: Method, major: str, fault: str | None
    ) -> Refusal | dict[str, str]:
        config = self._discord.config
        charged = self._discord.limits.charge(route, method.bucket, major, config, exempt=method.exempt)
        if isinstance(charged, dict) and fault in LIMITED - {"banned"}:
            scope = {"ratelimited": "user"}.get(fault or "", fault or "")
            return self._discord.limits.by_fault(route, major, scope, config.retry_after, charged)
        return charged

    async def _run(self, request: web.Request, call: Call, method: Method, fault: str | None) -> web.StreamResponse:
        done = self._do(call, method, fault)
        if isinstance(done, web.Response):
            return done
        return await self._answer(request, call, fault, done.body, done.status)

    def _do(self, call: Call, method: Method, fault: str | None) -> Answer | web.Response:
        """Do it, log it, and only then tell of it; what to answer, or the refusal."""
        discord = self._discord
        discord.touched.clear()
        discord.rung.clear()
        discord.events.hold()
        try:
            done = method.run(call)
            if not isinstance(done, Answer):
                done = Answer(done, 204 if done is None else 200)
            found = done.body.get("id") if isinstance(done.body, dict) else None
            self._note(call, done.status, accepted=True, fault=fault, told=_told(fault), result=found)
            return done
        except DiscordError as error:
            return self._refuse(call, error, fault)
        except TooMany as error:
            return self._too_many(call, error.refusal, code=error.code, message=error.message, fault=fault)
        finally:
            discord.events.release()

    def _broken(self, request: web.Request, call: Call, fault: str | None) -> web.StreamResponse | None:
        """What is answered when nothing was done; None: something is."""
        if fault is None or fault in DONE or fault == "late":
            return None
        if fault == "reset":
            self._note(call, 0, accepted=False, fault=fault, told="reset")
            return reset(request)
        if fault == "internal_error":
            return self._refuse(call, _internal(), fault)
        if fault == "unavailable":
            return self._refuse(call, DiscordError(503, 0, "503: Service Unavailable"), fault)
        if fault in ("html", "bad_gateway"):
            return self._page(call, 503 if fault == "html" else 502, _PAGE, fault)
        if fault == "banned":
            return self._page(call, 429, _BANNED, fault)
        status, _, code = fault.rpartition(":")
        return self._refuse(call, DiscordError(int(status or 400), int(code), "Scripted"), fault)

    async def _answer(
        self, request: web.Request, call: Call, fault: str | None, body: Any, status: int
    ) -> web.StreamResponse:
        """Tell the app what happened, or what the fault makes of it."""
        if fault == "done_reset":
            return reset(request)
        if fault == "done_internal_error":
            return as_json(_internal().body(), 500, call.headers)
        if fault == "done_bad_gateway":
            return web.Response(status=502, text=_PAGE, content_type="text/html")
        if fault in DONE:
            await asyncio.sleep(self._discord.config.late if fault == "done_late" else self._discord.config.slow)
        if body is None:
            return web.Response(status=status, headers=call.headers)
        return as_json(body, status, call.headers)

    def _refuse(self, call: Call, error: DiscordError, fault: str | None = None) -> web.Response:
        self._discord.limits.note(error.status, "", self._discord.config)
        self._note(call, error.status, accepted=False, fault=fault, told=str(error.status), code=error.code)
        return as_json(error.body(), error.status, call.headers)

    def _page(self, call: Call, status: int, page: str, fault: str) -> web.Response:
        """An answer of the proxy in front: a page, and nothing of Discord's in it."""
        self._discord.limits.note(status, "", self._discord.config)
        self._note(call, status, accepted=False, fault=fault, told=str(status))
        return web.Response(status=status, text=page, content_type="text/html")

    def _too_many(
        self, call: Call, refusal: Refusal, *, code: int = 0, message: str = "", fault: str | None = None
    ) -> web.Response:
        self._discord.limits.note(429, refusal.scope, self._discord.config)
        more = {"scope": refusal.scope, "early": refusal.early, "retry_after": refusal.retry_after}
        self._note(call, 429, accepted=False, fault=fault, told="429", code=code, **more)
        everything = refusal.scope == "global"
        headers = (
            refusal.headers
            | _VIA
            | {
                "Retry-After": str(math.ceil(refusal.retry_after)),
                "X-RateLimit-Scope": refusal.scope,
            }
        )
        if everything:
            headers["X-RateLimit-Global"] = "true"
        words = message or "You are being rate limited."
        body = {"message": words, "retry_after": refusal.retry_after, "global": everything}
        return as_json(body | ({"code": code} if code else {}), 429, headers)

    def _note(
        self,
        call: Call,
        status: int,
        *,
        accepted: bool,
        fault: str | None,
        told: str,
        code: int | None = None,
        **more: Any,
    ) -> None:
        """Log one call of the app, with its messages as they are afterwards."""
        discord = self._discord
        discord.log.write(
            "call",
            method=call.route,
            ids={name: value for name, value in call.ids.items() if name != "token"},
            interaction=_interaction(call),
            query=dict(call.query),
            arguments=_public(call.body),
            files=[upload.filename for upload in call.uploads.values()],
            status=status,
            accepted=accepted,
            code=code,
            fault=fault,
            told=told,
            shown=[shapes.seen(discord, message) for message in discord.touched] if accepted else [],
            pings=list(discord.rung) if accepted else [],
            **more,
        )

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        call = Call(self._discord, f"{request.method} /{request.match_info['rest']}", {}, request.query)
        return self._refuse(call, DiscordError(404, 0, "404: Not Found"))

    # Attachments.

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """For everybody who has the address, until it expires (facts 4.14)."""
        name = request.match_info["attachment"]
        attachment = self._discord.attachments.get(name)
        fault = self._plan.choose("GET /attachments", request.match_info["channel"], {})
        good = attachment is not None and self._signed(request)
        status = 404 if not good else 500 if fault not in (None, "reset", "slow") else 200
        size = len(attachment.content) if attachment is not None and status == 200 else 0
        self._discord.log.write("download", attachment=name, size=size, status=status, fault=fault)
        if fault == "reset":
            return reset(request)
        if fault == "slow":
            await asyncio.sleep(self._discord.config.slow)
        if attachment is None or status != 200:
            return web.Response(status=status, text="This content is no longer available.")
        kind = attachment.content_type or "application/octet-stream"
        return web.Response(body=attachment.content, headers={"Content-Type": kind})

    def _signed(self, request: web.Request) -> bool:
        try:
            until = int(request.query.get("ex", ""), 16)
        except ValueError:
            return False
        right = shapes.signature(request.path, until) == request.query.get("hm", "").rstrip("&")
        return right and self._discord.clock.now() < until


async def _body(request: web.Request) -> tuple[Any, dict[int, Upload]]:
    """JSON, or a form with `payload_json` and files. Raises `ValueError`."""
    if not request.body_exists:
        return None, {}
    if not request.content_type.startswith("multipart/"):
        raw = await request.read()
        return json.loads(raw) if raw else None, {}
    body: Any = {}
    uploads = {}
    for name, part in (await request.post()).items():
        if name == "payload_json":
            body = json.loads(part.file.read() if isinstance(part, web.FileField) else part)
        elif isinstance(part, web.FileField) and (found := _FILE_FIELD.fullmatch(name)):
            content_type = part.content_type
            plain = None if content_type == "application/octet-stream" else content_type
            uploads[int(found[1] or found[2] or 0)] = Upload(part.filename, part.file.read(), plain)
    return body, uploads


def _interaction(call: Call) -> str | None:
    """Of a call with an interaction's token: which."""
    found: Interaction | None = call.discord.interactions.get(call.ids.get("token", ""))
    return found.id if found is not None else None


def _public(body: Any) -> Any:
    """A body without a picture in it."""
    if not isinstance(body, dict) or not isinstance(body.get("avatar"), str):
        return body
    return body | {"avatar": "sha256:" + hashlib.sha256(body["avatar"].encode()).hexdigest()}


def _internal() -> DiscordError:
    return DiscordError(500, 0, "500: Internal Server Error")


def _told(fault: str | None) -> str:
    """What the app gets to hear of a call that was done."""
    return {
        "done_reset": "reset",
        "done_late": "nothing in time",
        "late": "nothing in time",
        "done_internal_error": "500",
        "done_bad_gateway": "502",
    }.get(fault or "", "ok")


#: So that a typing error in a route's bucket shows at once.
_MISSING = {method.bucket for method in METHODS.values()} - BUCKETS.keys()
assert not _MISSING, _MISSING
