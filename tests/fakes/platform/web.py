"""The HTTP side: the web API for the bot, with its faults, and the control API for tests."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from tests.fakes.platform.config import Config
from tests.fakes.platform.events import Deliverer
from tests.fakes.platform.faults import DONE, FaultPlan, Scripted
from tests.fakes.platform.log import Log
from tests.fakes.platform.rules import Message, Place, RuleError, Rules

Body = dict[str, Any]


class Platform:
    """One platform: rules, faults, deliveries and the routes to them."""

    def __init__(self, log: Log, token: str, secret: str, seed: int, config: Config) -> None:
        self._log = log
        self._token = token
        self._rules = Rules()
        self._plan = FaultPlan(seed)
        self._events = Deliverer(log, secret, seed)
        self._events.config = self._config = config
        # (method, channel) → until when it is refused because of a 429.
        self._blocked: dict[tuple[str, str], float] = {}
        self._methods: dict[str, Callable[[Body], dict[str, Any]]] = {
            "post": self._post,
            "edit": self._edit,
            "delete": self._delete,
            "list": self._list,
            "start_stream": self._start_stream,
            "append": self._append,
            "stop_stream": self._stop_stream,
            "status": self._status,
        }
        self._controls: dict[str, Callable[[Body], Awaitable[dict[str, Any]]]] = {
            "say": self._say,
            "edit": self._reword,
            "delete": self._erase,
            "stop": self._press_stop,
            "bot": self._bot,
            "set": self._set,
            "script": self._script,
            "state": self._state,
            "quiesce": self._quiesce,
            "log": self._read_log,
        }

    def set_bot(self, url: str | None) -> None:
        """Where events go from now on."""
        self._events.url = url

    def app(self) -> web.Application:
        """The routes, ready to be served."""
        app = web.Application()
        app.router.add_post("/api/{method}", self._api)
        app.router.add_post("/control/{name}", self._control)
        app.on_shutdown.append(self._shut_down)
        return app

    async def _shut_down(self, _: web.Application) -> None:
        await self._events.stop()

    # The web API.

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        body = await request.json()
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return self._refuse(method, body, "invalid_auth")
        if method not in self._methods:
            return self._refuse(method, body, "unknown_method")
        fault = self._plan.choose(method, "", self._config.faults)
        blocked = self._blocked_for(method, body)
        if blocked > 0 or fault == "rate_limited":
            return self._too_many(method, body, blocked)
        if fault == "reset":
            self._note(method, body, accepted=False, fault=fault, told="reset")
            return _reset(request)
        if fault == "unavailable":
            self._note(method, body, accepted=False, fault=fault, told="500")
            return web.Response(status=500)
        if fault == "error":
            return self._refuse(method, body, "internal_error", fault)
        if fault == "late":
            await asyncio.sleep(self._config.late)
        try:
            answer = self._methods[method](body)
        except RuleError as reason:
            return self._refuse(method, body, str(reason), fault)
        answer = {"ok": True, **answer}
        told = _told(fault, answer)
        self._note(method, body, accepted=True, fault=fault, told=told, message=answer.get("message"))
        return await self._answer(request, fault, answer)

    async def _answer(self, request: web.Request, fault: str | None, answer: dict[str, Any]) -> web.StreamResponse:
        """Tell the bot what happened, or what the fault makes of it."""
        if fault not in DONE:
            return web.json_response(answer)
        if fault == "done_reset":
            return _reset(request)
        if fault == "done_unavailable":
            return web.Response(status=500)
        if fault == "done_error":
            return web.json_response({"ok": False, "error": "internal_error"})
        await asyncio.sleep(self._config.late if fault == "done_late" else self._config.slow)
        return web.json_response(answer)

    def _refuse(self, method: str, body: Body, error: str, fault: str | None = None) -> web.Response:
        self._note(method, body, accepted=False, fault=fault, told=error, error=error)
        return web.json_response({"ok": False, "error": error})

    def _blocked_for(self, method: str, body: Body) -> float:
        until = self._blocked.get((method, self._channel(body)), 0.0)
        return until - self._rules.now()

    def _too_many(self, method: str, body: Body, blocked: float) -> web.Response:
        """429. A call that comes before the wait is over is noted as `early`, and waits for the rest of it."""
        wait = blocked if blocked > 0 else self._config.retry_after
        if blocked <= 0:
            self._blocked[method, self._channel(body)] = self._rules.now() + wait
        self._note(method, body, accepted=False, fault="rate_limited", told="429", early=blocked > 0)
        return web.Response(status=429, headers={"Retry-After": f"{wait:.3f}"})

    def _note(
        self,
        method: str,
        body: Body,
        *,
        accepted: bool,
        fault: str | None,
        told: str,
        message: str | None = None,
        error: str | None = None,
        early: bool = False,
    ) -> None:
        """Log one call of the bot, with the message as it is afterwards."""
        after: dict[str, Any] = {}
        if accepted and method == "delete":
            after["gone"] = body["message"]
        elif accepted and message is not None:
            after["shown"] = self._rules.own(message).shown(self._rules.now())
        self._log.write(
            "call",
            method=method,
            accepted=accepted,
            error=error,
            fault=fault,
            told=told,
            early=early,
            body=body,
            **after,
        )

    def _channel(self, body: Body) -> str:
        """The channel that a call is about, for rate limits."""
        if "channel" in body:
            return str(body["channel"])
        try:
            return self._rules.own(str(body.get("message"))).place.channel
        except RuleError:
            return ""

    def _post(self, body: Body) -> dict[str, Any]:
        return _made(self._rules.post(_place(body), body, body["text"]))

    def _start_stream(self, body: Body) -> dict[str, Any]:
        return _made(self._rules.start_stream(_place(body), body, body["text"], self._config.stream_ttl))

    def _append(self, body: Body) -> dict[str, Any]:
        return _made(self._rules.append(body["message"], body["text"]))

    def _stop_stream(self, body: Body) -> dict[str, Any]:
        return _made(self._rules.stop_stream(body["message"], body.get("buttons")))

    def _edit(self, body: Body) -> dict[str, Any]:
        return _made(self._rules.edit(body["message"], body, body["text"]))

    def _delete(self, body: Body) -> dict[str, Any]:
        return _made(self._rules.delete(body["message"]))

    def _status(self, body: Body) -> dict[str, Any]:
        return {}

    def _list(self, body: Body) -> dict[str, Any]:
        messages, cursor = self._rules.listing(
            _place(body), body["since"], body.get("cursor"), body.get("limit", 20), self._config.read_lag
        )
        listed = [{"id": m.id, "own": m.own, "text": m.text, "created_at": m.created_at} for m in messages]
        return {"messages": listed, "cursor": cursor}

    # The control API.

    async def _control(self, request: web.Request) -> web.StreamResponse:
        control = self._controls.get(request.match_info["name"])
        if control is None:
            raise web.HTTPNotFound
        try:
            return web.json_response({"ok": True, **await control(await request.json())})
        except RuleError as reason:
            return web.json_response({"ok": False, "error": str(reason)})
        except (ValueError, KeyError) as error:
            return web.json_response({"ok": False, "error": f"{type(error).__name__}: {error}"}, status=400)

    async def _say(self, body: Body) -> dict[str, Any]:
        message = self._rules.say(_place(body), body["author"], body["text"], body.get("sent_at"))
        addressed = body.get("addressed", True)
        self._log.write(
            "said",
            message=message.id,
            place=list(message.place),
            author=message.author,
            text=message.text,
            addressed=addressed,
            sent_at=message.created_at,
        )
        if addressed and self._config.twins:
            self._events.send("message", message.id, self._event(message, addressed=False))
            self._events.send("mention", message.id, self._event(message, addressed=True))
        else:
            self._events.send("message", message.id, self._event(message, addressed=addressed))
        return {"message": message.id, "sent_at": message.created_at}

    async def _reword(self, body: Body) -> dict[str, Any]:
        message = self._rules.reword(body["message"], body["text"])
        self._log.write("reworded", message=message.id, text=message.text)
        self._events.send("edited", message.id, self._event(message, addressed=body.get("addressed", True)))
        return {}

    async def _erase(self, body: Body) -> dict[str, Any]:
        message = self._rules.erase(body["message"])
        if message.own:
            # A moderator; the bot isn't told, as it isn't on real platforms.
            self._log.write("moderated", message=message.id)
            return {}
        self._log.write("erased", message=message.id)
        self._events.send("deleted", message.id, self._event(message, addressed=False))
        return {}

    async def _press_stop(self, body: Body) -> dict[str, Any]:
        message = self._rules.press_stop(body["message"])
        self._log.write("pressed", message=message.id, by=body["by"], shown=message.shown(self._rules.now()))
        self._events.send(
            "stop",
            message.id,
            {**self._event(message, addressed=False), "by": body["by"], "metadata": message.metadata},
        )
        return {}

    async def _bot(self, body: Body) -> dict[str, Any]:
        self.set_bot(body["url"])
        return {}

    async def _set(self, body: Body) -> dict[str, Any]:
        """Change the settings; with `reset`, from the defaults, and forget the script."""
        if body.pop("reset", False):
            self._config = Config()
            self._plan.clear()
            self._blocked.clear()
        self._events.config = self._config = self._config.changed(body)
        return {"config": asdict(self._config)}

    async def _script(self, body: Body) -> dict[str, Any]:
        self._plan.script(Scripted(**body))
        return {}

    async def _state(self, body: Body) -> dict[str, Any]:
        now = self._rules.now()
        return {"messages": [{**m.shown(now), "author": m.author} for m in self._rules.visible()]}

    async def _quiesce(self, body: Body) -> dict[str, Any]:
        return {"pending": await self._events.quiesce(body["timeout"])}

    async def _read_log(self, body: Body) -> dict[str, Any]:
        return {"entries": await self._log.read(body["after"], body["timeout"])}

    def _event(self, message: Message, *, addressed: bool) -> dict[str, Any]:
        return {
            "workspace": message.place.workspace,
            "channel": message.place.channel,
            "thread": message.place.thread,
            "message": message.id,
            "author": message.author,
            "text": message.text,
            "sent_at": message.created_at,
            "addressed": addressed,
        }


def _place(body: Body) -> Place:
    return Place(body["workspace"], body["channel"], body.get("thread"))


def _made(message: Message) -> dict[str, Any]:
    return {"message": message.id, "created_at": message.created_at}


def _told(fault: str | None, answer: dict[str, Any]) -> str:
    """What the bot gets to hear of a call that was done."""
    return {
        None: json.dumps(answer) if "messages" not in answer else "ok",
        "done_reset": "reset",
        "done_late": "nothing in time",
        "late": "nothing in time",
        "done_unavailable": "500",
        "done_error": "internal_error",
    }.get(fault, "ok")


def _reset(request: web.Request) -> web.Response:
    """Break the connection with RST, as a proxy that restarts does; the returned response reaches nobody."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
    return web.Response()
