"""Slack's addresses: the Web API with its faults and limits, uploads, downloads, response_urls."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import struct
from typing import Any

from aiohttp import web

from tests.fakes.slack.api import METHODS, PERSONAL, Call, Method
from tests.fakes.slack.api.files import readable
from tests.fakes.slack.faults import DONE, FAULTS, FaultPlan
from tests.fakes.slack.state import Slack
from tests.fakes.slack.tiers import Refusal
from tests.fakes.slack.world import Install, SlackError

Arguments = dict[str, Any]

_SIGN_IN = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in</body></html>"


class Web:
    """The app's side of the fake. Errors of the app are answers; an exception in here is a defect of the fake."""

    def __init__(self, slack: Slack, plan: FaultPlan) -> None:
        self._slack = slack
        self._plan = plan

    def routes(self, app: web.Application) -> None:
        """Add Slack's own addresses."""
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/files/upload/{file}", self._upload)
        app.router.add_get("/files/{how:private|download}/{file}/{name:.*}", self._download)
        app.router.add_get("/files/elsewhere/{file}", self._elsewhere)
        app.router.add_get("/files/signin", self._sign_in)
        app.router.add_post("/response/{secret}", self._response)

    # The Web API.

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        try:
            arguments, token = await _arguments(request)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_json"})
        channel = str(arguments.get("channel") or arguments.get("channel_id") or "")
        person = self._slack.users.get(self._slack.personal.get(token, ""))
        method = (METHODS if person is None else PERSONAL).get(name)
        call = Call(self._slack, name, arguments, person=person)
        if method is None:
            known = name in METHODS
            return self._refuse(call, SlackError("not_allowed_token_type" if known else "unknown_method"))
        try:
            call.given = self._install(method, token) if person is None else None
        except SlackError as error:
            return self._refuse(call, error)
        fault = self._plan.choose(name, channel, self._slack.config.faults)
        team = _team(call)
        refusal = self._slack.tiers.charge(team, name, channel, method.per_minute, self._slack.config)
        if refusal is None and fault == "ratelimited":
            refusal = self._slack.tiers.by_fault(team, name, channel, self._slack.config.retry_after)
        if refusal is not None:
            return self._too_many(call, refusal)
        if fault is not None and fault not in FAULTS:
            return self._refuse(call, SlackError(fault), fault)
        broken = self._broken(request, call, fault)
        if broken is not None:
            return broken
        if fault == "late":
            await asyncio.sleep(self._slack.config.late)
        return await self._run(request, call, method, fault)

    async def _run(self, request: web.Request, call: Call, method: Method, fault: str | None) -> web.StreamResponse:
        self._slack.touched.clear()
        try:
            if method.scopes:
                call.need(*method.scopes)
            answer = {"ok": True, **method.run(call)}
        except SlackError as error:
            return self._refuse(call, error, fault)
        self._note(call, accepted=True, fault=fault, told=_told(fault))
        return await self._answer(request, call, fault, answer)

    def _broken(self, request: web.Request, call: Call, fault: str | None) -> web.StreamResponse | None:
        """What is answered when nothing was done; None: something is."""
        if fault == "reset":
            self._note(call, accepted=False, fault=fault, told="reset")
            return _reset(request)
        if fault == "unavailable":
            self._note(call, accepted=False, fault=fault, told="500")
            return web.Response(status=500)
        if fault == "html":
            self._note(call, accepted=False, fault=fault, told="503")
            return web.Response(
                status=503, text="<html><body>Service unavailable</body></html>", content_type="text/html"
            )
        if fault in ("internal_error", "fatal_error"):
            return self._refuse(call, SlackError(fault), fault)
        return None

    async def _answer(
        self, request: web.Request, call: Call, fault: str | None, answer: dict[str, Any]
    ) -> web.StreamResponse:
        """Tell the app what happened, or what the fault makes of it."""
        if fault == "done_reset":
            return _reset(request)
        if fault == "done_unavailable":
            return web.Response(status=500)
        if fault == "done_internal_error":
            return web.json_response({"ok": False, "error": "internal_error"}, headers=_headers(call))
        if fault in DONE:
            await asyncio.sleep(self._slack.config.late if fault == "done_late" else self._slack.config.slow)
        return web.json_response(answer, headers=_headers(call))

    def _refuse(self, call: Call, error: SlackError, fault: str | None = None) -> web.Response:
        self._note(call, accepted=False, fault=fault, told=error.code, error=error.code)
        return web.json_response({"ok": False, "error": error.code, **error.more}, headers=_headers(call))

    def _too_many(self, call: Call, refusal: Refusal) -> web.Response:
        self._note(call, accepted=False, fault="ratelimited", told="429", error="ratelimited", early=refusal.early)
        headers = _headers(call) | {"Retry-After": str(refusal.retry_after)}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)

    def _note(
        self, call: Call, *, accepted: bool, fault: str | None, told: str, error: str | None = None, early: bool = False
    ) -> None:
        """Log one call of the app, with its messages as they are afterwards. What people's tokens do is logged as what
        people do."""
        if call.person is not None:
            return
        shown = [self._slack.seen(message) for message in self._slack.touched] if accepted else []
        self._slack.log.write(
            "call",
            method=call.method,
            team=_team(call),
            accepted=accepted,
            error=error,
            fault=fault,
            told=told,
            early=early,
            arguments={name: value for name, value in call.arguments.items() if "secret" not in name},
            shown=shown,
        )

    def _install(self, method: Method, token: str) -> Install | None:
        """Who calls. Raises `SlackError` for a token that is not good for this method."""
        if method.token == "none":
            return None
        if not token:
            raise SlackError("not_authed")
        if method.token == "app":
            if token != self._slack.app.app_token:
                raise SlackError("not_allowed_token_type" if token in self._slack.installs else "invalid_auth")
            return None
        if token == self._slack.app.app_token:
            raise SlackError("not_allowed_token_type")
        install = self._slack.installs.get(token)
        if install is None:
            raise SlackError("invalid_auth")
        if install.state != "active":
            raise SlackError("token_revoked" if install.state == "revoked" else "account_inactive")
        return install

    # Files.

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        """Second step of an upload: the bytes, raw or as a form's file (facts 1.5)."""
        name = request.match_info["file"]
        upload = self._slack.uploads.get(name)
        content = await _content(request)
        fault = self._plan.choose("files.upload", "", {})
        why = "file_not_found" if upload is None else "wrong length" if len(content) != upload.length else fault
        self._slack.log.write("upload", file=name, size=len(content), error=why)
        if fault == "reset":
            return _reset(request)
        if upload is None or why is not None:
            return web.Response(status=500 if fault else 400, text=f"ERROR - {why}")
        upload.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Only with the bot's token, and files:read; otherwise the browser is sent to sign in, as on Slack."""
        team, _, name = request.match_info["file"].partition("-")
        fault = self._plan.choose("files.download", "", {})
        install = self._slack.installs.get(_bearer(request))
        call = Call(self._slack, "files.download", {})
        call.given = install
        try:
            if install is None or install.state != "active":
                raise SlackError("not_authed")
            call.need("files:read")
            file = readable(call, name)
        except SlackError as error:
            self._slack.log.write("download", file=name, team=team, size=0, error=error.code, elsewhere=False)
            return web.Response(status=302, headers={"Location": f"{self._slack.origin}/files/signin"})
        self._slack.log.write("download", file=name, team=team, size=len(file.content), error=fault, elsewhere=False)
        if fault == "redirect":
            host = self._slack.origin.replace("127.0.0.1", "localhost")
            return web.Response(status=302, headers={"Location": f"{host}/files/elsewhere/{name}"})
        if fault == "reset":
            return _reset(request)
        if fault is not None:
            return web.Response(status=500)
        return web.Response(body=file.content, content_type=file.mimetype)

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Another host, to which a download was redirected: it logs whether it was shown a token (`leaked`)."""
        file = self._slack.files[request.match_info["file"]]
        leaked = bool(request.headers.get("Authorization"))
        self._slack.log.write(
            "download", file=file.id, team=file.team, size=len(file.content), error=None, elsewhere=True, leaked=leaked
        )
        return web.Response(body=file.content, content_type=file.mimetype)

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=_SIGN_IN, content_type="text/html")

    # response_url.

    async def _response(self, request: web.Request) -> web.StreamResponse:
        """Five posts in 30 minutes; after that, 404 (facts 1.2)."""
        fault = self._plan.choose("response_url", "", {})
        if fault == "reset":
            return _reset(request)
        if fault is not None:
            return web.Response(status=500)
        try:
            self._slack.answer(f"{self._slack.origin}{request.path}", await request.json())
        except SlackError as error:
            status = 404 if error.code in ("expired_url", "used_url") else 400
            return web.json_response({"ok": False, "error": error.code, **error.more}, status=status)
        return web.Response(text="ok")


async def _arguments(request: web.Request) -> tuple[Arguments, str]:
    """Arguments from the query string and a JSON or form body; the token from the header or an argument. A token in a
    JSON body counts for nothing, as on Slack."""
    arguments: Arguments = dict(request.query)
    body: Any = {}
    if request.content_type == "application/json":
        body = json.loads(await request.read() or b"{}")
        if not isinstance(body, dict):
            raise ValueError("not an object")
        body.pop("token", None)
    elif request.can_read_body:
        body = dict(await request.post())
    arguments |= body
    token = _bearer(request) or str(arguments.get("token", ""))
    arguments.pop("token", None)
    basic = request.headers.get("Authorization", "")
    if basic.startswith("Basic "):
        # oauth.v2.access: the client's name and secret.
        name, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
        arguments |= {"client_id": name, "client_secret": secret}
    return arguments, token


async def _content(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
    return b""


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


def _team(call: Call) -> str:
    if call.person is not None:
        return call.person.id
    return (call.given.team or call.given.enterprise_id) if call.given else ""


def _headers(call: Call) -> dict[str, str]:
    """Facts 3.6."""
    return {"x-oauth-scopes": ",".join(sorted(call.given.scopes))} if call.given else {}


def _told(fault: str | None) -> str:
    """What the app gets to hear of a call that was done."""
    return {
        "done_reset": "reset",
        "done_late": "nothing in time",
        "late": "nothing in time",
        "done_unavailable": "500",
        "done_internal_error": "internal_error",
    }.get(fault or "", "ok")


def _reset(request: web.Request) -> web.Response:
    """Break the connection with RST, as a proxy that restarts does; the returned response reaches nobody."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
    return web.Response()
