"""The JSON API of the page with turns that the test writes, for states that are hard to provoke in a real server.

The door (security headers, token, requests from other sites) is the real one; so are the page's files. A test moves
turns with `put` and sees what the page asked for in `requests`.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.web.access import Access
from bot.web.server import build_app
from tests.acceptance.page_office import PageOffice, trace

STATIC = Path(__file__).parents[2] / "adapters" / "web" / "static"
LIVE = ("queued", "running", "waiting")
#: Put into a watcher's queue in place of a turn: the conversation was deleted.
GONE: dict[str, Any] = {}

QUESTION = "How many days are there between 2024-02-28 and 2024-03-01?"
OFFERED = [
    {"lang": "en", "text": QUESTION},
    {"lang": "en", "text": "What does the calendar say about 2026-02-17?"},
    {"lang": "zh", "text": "2024年2月28日到2024年3月1日相隔多少天？"},
    {"lang": "zh", "text": "2026年有哪些节气，各在哪一天？"},
]

Turn = dict[str, Any]


@dataclass
class Refusal:
    """An answer to give instead of the real one; `status` 0 closes the connection without any."""

    status: int
    message: str = ""
    #: Whether the request is carried out all the same.
    after: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class PageServer:
    """One server; it can be stopped and started again on its port, and keeps what it knows."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.port = 0
        self.turns: dict[str, list[Turn]] = {}
        self.conversations: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, Any]] = []
        #: What the page asked for in `Accept-Language`, last.
        self.language = ""
        #: Answers to the next requests of a method and path's end, used up in order.
        self.refusals: dict[tuple[str, str], list[Refusal]] = {}
        self.info: dict[str, Any] = {
            "name": "kagentbot",
            "version": "0.1.0",
            "model": {"name": "SmolLM2-135M-Instruct", "demo": True, "state": "ok", "detail": ""},
            "offered_questions": OFFERED,
            "max_message_chars": 32_000,
            "token_needed": token is not None,
        }
        self.office = PageOffice()
        #: The turn that a search finds.
        self.found: int | None = None
        #: By turn; what isn't here has a trace without steps.
        self.traces: dict[int, dict[str, Any]] = {}
        self._runner: web.AppRunner | None = None
        self._watchers: dict[str, set[asyncio.Queue[Turn]]] = {}
        self._changed = asyncio.Condition()
        self._next_id = 1

    # --- Life --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", self.port))
        self.port = sock.getsockname()[1]
        app = build_app([self._routes()], Access(self.token))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, sock).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    # --- What a test does --------------------------------------------------------------------------------------

    def turn(self, key: str, **fields: Any) -> Turn:
        """A new turn, shown at once."""
        now = fields.pop("at", datetime.now(UTC))
        turn: Turn = {
            "id": self._next_id,
            "conversation": key,
            "state": "queued",
            "version": 0,
            "lang": "en",
            "messages": [],
            "steps": [],
            "html": "",
            "text": "",
            "status": "",
            "notes": [],
            "sources": [],
            "model": None,
            "can_retry": False,
            "can_stop": True,
            "feedback": 0,
            "consent": None,
            "reason": None,
            "merged_into": None,
            "retry_of": None,
            "created_at": _stamp(now),
            "finished_at": None,
        }
        self._next_id += 1
        if key not in self.turns:
            self.turns[key] = []
            listed = {"key": key, "title": "", "last_message_at": _stamp(now), "live": False, "found": None}
            self.conversations.insert(0, listed)
        self.turns[key].append(turn)
        return self.put(turn, **fields)

    def put(self, turn: Turn, **fields: Any) -> Turn:
        """Change a turn and tell who watches."""
        turn.update(fields, version=turn["version"] + 1)
        if turn["state"] not in LIVE:
            turn.update(can_stop=False, finished_at=turn["finished_at"] or _stamp(datetime.now(UTC)))
        conversation = self._conversation(turn["conversation"])
        turns = self.turns[turn["conversation"]]
        conversation["live"] = any(one["state"] in LIVE for one in turns)
        texts = [message["text"] for one in turns for message in one["messages"]]
        conversation["title"] = conversation["title"] or (texts[0][:60] if texts else "")
        for watcher in self._watchers.get(turn["conversation"], ()):
            watcher.put_nowait(dict(turn))
        return turn

    def refuse(self, method: str, end: str, *refusals: Refusal) -> None:
        self.refusals.setdefault((method, end), []).extend(refusals)

    async def asked(self, method: str, end: str, count: int = 1) -> Any:
        """Waits for the `count`th request of this kind; its body."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.bodies(method, end)) >= count)
        return self.bodies(method, end)[count - 1]

    def bodies(self, method: str, end: str) -> list[Any]:
        return [body for verb, path, body in self.requests if verb == method and path.endswith(end)]

    async def watched(self, key: str) -> None:
        """Waits until a page has the conversation's stream open."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: bool(self._watchers.get(key)))

    def _conversation(self, key: str) -> dict[str, Any]:
        return next(one for one in self.conversations if one["key"] == key)

    # --- The API -----------------------------------------------------------------------------------------------

    def _routes(self) -> web.RouteTableDef:
        routes = web.RouteTableDef()
        add: list[tuple[str, str, Callable[[web.Request, Any], Any]]] = [
            ("GET", "/info", lambda _, __: self.info),
            ("GET", "/conversations", self._list),
            ("GET", "/conversations/{key}", self._page),
            ("DELETE", "/conversations/{key}", self._delete),
            ("GET", "/turns/{turn}/trace", self._trace),
            *self.office.routes,
            ("POST", "/messages", self._post),
            ("PUT", "/conversations/{key}/messages/{id}", self._edit),
            ("DELETE", "/conversations/{key}/messages/{id}", self._erase),
            ("POST", "/turns/{turn}/stop", self._stop),
            ("POST", "/turns/{turn}/retry", self._retry),
            ("POST", "/turns/{turn}/feedback", self._feedback),
            ("POST", "/turns/{turn}/consent", self._consent),
        ]
        for method, path, act in add:
            routes.route(method, "/api/v1" + path)(self._handler(act))
        routes.get("/api/v1/conversations/{key}/events")(self._events)
        routes.get("/api/v1/conversations/{key}/export")(_export)
        routes.get("/")(_index)
        routes.static("/static", STATIC)
        return routes

    def _handler(self, act: Callable[[web.Request, Any], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.json() if request.can_read_body else None
            self.language = request.headers["Accept-Language"]
            refusal = self._refusal(request)
            made = act(request, body) if refusal is None or refusal.after else None
            async with self._changed:
                self.requests.append((request.method, request.path, body))
                self._changed.notify_all()
            if refusal is None:
                return web.json_response(made)
            if refusal.status == 0:
                assert request.transport is not None
                request.transport.abort()
            error = {"error": {"code": "fake", "message": refusal.message}} if refusal.message else None
            return web.json_response(error, status=refusal.status or 500, headers=refusal.headers)

        return handle

    def _refusal(self, request: web.Request) -> Refusal | None:
        for (method, end), waiting in self.refusals.items():
            if waiting and request.method == method and request.path.endswith(end):
                return waiting.pop(0)
        return None

    def _list(self, request: web.Request, _: Any) -> Any:
        words = request.query.get("q", "").lower().split()
        if not words:
            return {"conversations": self.conversations, "next": None}
        found = []
        for one in self.conversations:
            texts = [m["text"] for turn in self.turns[one["key"]] for m in turn["messages"]]
            texts += [turn["text"] for turn in self.turns[one["key"]]]
            hits = [text for text in texts if all(word in text.lower() for word in words)]
            if hits:
                found.append({**one, "found": {"snippet": hits[-1], "turn_id": self.found}})
        return {"conversations": found, "next": None}

    def _delete(self, request: web.Request, _: Any) -> Any:
        key = request.match_info["key"]
        self.turns.pop(key, None)
        self.conversations = [one for one in self.conversations if one["key"] != key]
        for watcher in self._watchers.get(key, ()):
            watcher.put_nowait(GONE)

    def _trace(self, request: web.Request, _: Any) -> Any:
        turn = self._find(request)
        return {**trace(), "turn_id": turn["id"], "state": turn["state"], **self.traces.get(turn["id"], {})}

    def _page(self, request: web.Request, _: Any) -> Any:
        key = request.match_info["key"]
        if key not in self.turns:
            raise web.HTTPNotFound
        before = int(request.query.get("before", "1000000000"))
        limit = int(request.query["limit"])
        turns = [t for t in self.turns[key] if t["id"] < before and t["state"] not in ("superseded", "withdrawn")]
        page = turns[-limit:]
        return {
            "key": key,
            "title": self._conversation(key)["title"],
            "turns": page,
            "next": page[0]["id"] if len(turns) > limit else None,
        }

    def _post(self, _: web.Request, body: Any) -> Any:
        key = body["conversation"] or body["message_id"].replace("-", "")
        for turn in self.turns.get(key, ()):
            if any(message["message_id"] == body["message_id"] for message in turn["messages"]):
                return {"conversation": key, "turn_id": turn["id"], "duplicate": True}
        turn = self.turn(key, messages=[message(body["text"], body["message_id"])])
        return {"conversation": key, "turn_id": turn["id"], "duplicate": False}

    def _edit(self, request: web.Request, body: Any) -> Any:
        key, message_id = request.match_info["key"], request.match_info["id"]
        turn = next(t for t in self.turns[key] if any(m["message_id"] == message_id for m in t["messages"]))
        revised = {**turn["messages"][0], "text": body["text"], "revision": turn["messages"][0]["revision"] + 1}
        if turn["state"] != "running":
            self.put(turn, messages=[revised])
            return {"turn_id": None, "duplicate": False}
        fresh = self.turn(key, messages=[revised])
        self.put(turn, state="superseded", merged_into=fresh["id"], messages=[])
        return {"turn_id": fresh["id"], "duplicate": False}

    def _erase(self, request: web.Request, _: Any) -> Any:
        key, message_id = request.match_info["key"], request.match_info["id"]
        turn = next(t for t in self.turns[key] if any(m["message_id"] == message_id for m in t["messages"]))
        erased = [{**m, "text": "", "erased": True} for m in turn["messages"]]
        self.put(turn, messages=erased, state="withdrawn" if turn["state"] in LIVE else turn["state"])

    def _find(self, request: web.Request) -> Turn:
        turn_id = int(request.match_info["turn"])
        return next(turn for turns in self.turns.values() for turn in turns if turn["id"] == turn_id)

    def _stop(self, request: web.Request, _: Any) -> Any:
        self.put(self._find(request), state="stopped")
        return {"stopping": True}

    def _retry(self, request: web.Request, _: Any) -> Any:
        turn = self.put(self._find(request), can_retry=False)
        return {"turn_id": self.turn(turn["conversation"], retry_of=turn["id"])["id"]}

    def _feedback(self, request: web.Request, body: Any) -> Any:
        self.put(self._find(request), feedback=body["value"])

    def _consent(self, request: web.Request, _: Any) -> Any:
        self.put(self._find(request), state="queued", consent=None)
        return {"accepted": True}

    async def _events(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        if key not in self.turns:
            raise web.HTTPNotFound
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue: asyncio.Queue[Turn] = asyncio.Queue()
        over = [turn for turn in self.turns[key] if turn["state"] not in LIVE]
        for turn in [*over[-1:], *(turn for turn in self.turns[key] if turn["state"] in LIVE)]:
            queue.put_nowait(dict(turn))
        self._watchers.setdefault(key, set()).add(queue)
        async with self._changed:
            self._changed.notify_all()
        try:
            while True:
                turn = await queue.get()
                if turn is GONE:
                    await response.write(b"event: gone\ndata: {}\n\n")
                    return response
                await response.write(f"event: turn\ndata: {json.dumps(turn)}\n\n".encode())
        except ConnectionError:
            return response
        finally:
            self._watchers[key].discard(queue)


async def _export(request: web.Request) -> web.Response:
    name = f"talk.{'md' if request.query['format'] == 'markdown' else 'json'}"
    return web.Response(text="all", headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def _index(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


def message(text: str, message_id: str = "m1", at: datetime | None = None) -> dict[str, Any]:
    """A message of the user."""
    sent_at = _stamp(at or datetime.now(UTC))
    return {"message_id": message_id, "text": text, "revision": 0, "sent_at": sent_at, "erased": False}


def step(state: str = "done", key: str = "act/0/0", **fields: Any) -> dict[str, Any]:
    """A step that asks for the time between two dates."""
    return {
        "key": key,
        "tool": "time_delta",
        "title": "Computing the time between two dates",
        "args": {"start_time": "2024-02-28", "end_time": "2024-03-01"},
        "state": state,
        "html": "" if state == "running" else "<p><strong>2 days</strong></p>",
        **fields,
    }


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def ago(**span: float) -> datetime:
    """A moment in the past."""
    return datetime.now(UTC) - timedelta(**span)


@asynccontextmanager
async def running_page_server(token: str | None = None) -> AsyncIterator[PageServer]:
    """A server for the time of a test."""
    server = PageServer(token)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
