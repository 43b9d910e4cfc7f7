"""What the page's server for tests knows of profiles, endpoints and traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from agent.language import Text
from agent.profile import FIELDS, Profile, to_values
from bot.web.errors import WebError

AT = "2026-01-02T03:04:05Z"
TOOLS = [
    {"name": "calculator", "title": "Calculating"},
    {"name": "time_delta", "title": "Computing the time between two dates"},
]
CONFLICT = Text("Somebody else has changed this profile meanwhile.", "其他人刚刚修改了这份配置。")
WRONG = Text("`icon` must be an emoji.", "`icon` 应为表情符号。")
Act = Callable[[web.Request, Any], Any]


def endpoint(name: str, **fields: Any) -> dict[str, Any]:
    """An endpoint as the API shows it."""
    return {
        "name": name,
        "host": "gpu.example.org:8000",
        "model": "Large-72B",
        "source": "page",
        "priority": 10,
        "slots": 8,
        "chat_format": "auto",
        "state": "ok",
        "detail": "",
        "context_tokens": 32_768,
        "structured": "json_schema",
        "reasoning": False,
        "sees": None,
        "tokenizer": True,
        "demo": False,
        "removable": True,
        **fields,
    }


def bundled() -> dict[str, Any]:
    """The embedded model's endpoint."""
    return endpoint(
        "embedded",
        host="",
        model="SmolLM2-135M-Instruct (demo)",
        source="embedded",
        context_tokens=4_096,
        slots=1,
        demo=True,
        removable=False,
    )


def line(name: str, state: str, text: str) -> dict[str, str]:
    """One thing that a live test looked at."""
    return {"name": name, "state": state, "text": text}


class PageOffice:
    """Profiles and endpoints, in memory."""

    def __init__(self) -> None:
        #: All versions by scope, the oldest first.
        self.versions: dict[str, list[dict[str, Any]]] = {"workspace": [], "channel": []}
        self.endpoints = [bundled()]
        self.removed: dict[str, dict[str, Any]] = {}
        self.report: dict[str, Any] = {
            "lines": [
                line("reach", "ok", "The server answers."),
                line("models", "ok", "It offers 2 models."),
                line("structured", "warning", "It can't be made to answer in JSON: plans are repaired instead."),
                line("speed", "ok", "41 tokens a second."),
            ],
            "models": ["tiny", "large"],
            "ok": True,
        }

    @property
    def routes(self) -> list[tuple[str, str, Act]]:
        return [
            ("GET", "/profile", self._profile),
            ("GET", "/profile/{scope}", self._scope),
            ("PUT", "/profile/{scope}", self._save),
            ("GET", "/profile/{scope}/versions", self._versions),
            ("GET", "/profile/{scope}/compare", self._compare),
            ("POST", "/profile/{scope}/restore", self._restore),
            ("GET", "/endpoints", lambda _, __: {"endpoints": self.endpoints}),
            ("POST", "/endpoints/test", lambda _, __: self.report),
            ("PUT", "/endpoints/{name}", self._put),
            ("DELETE", "/endpoints/{name}", self._remove),
            ("POST", "/endpoints/{name}/restore", self._bring_back),
        ]

    def set(self, scope: str, **values: Any) -> None:
        """A new version of a place."""
        self._add(scope, values)

    def now(self, scope: str) -> dict[str, Any]:
        """What is set at a place."""
        versions = self.versions[scope]
        return dict(versions[-1]["values"]) if versions else {}

    def _add(self, scope: str, values: dict[str, Any], restores: int | None = None) -> None:
        before = self.now(scope)
        changed = [name for name in FIELDS if before.get(name) != values.get(name)]
        version = {"version": len(self.versions[scope]) + 1, "author": "on this page", "at": AT}
        self.versions[scope].append({**version, "restores": restores, "changed": changed, "values": values})

    def _values(self, *scopes: str) -> list[dict[str, Any]]:
        found = {name: (value, "default", 1) for name, value in to_values(Profile()).items()}
        for scope in scopes:
            found |= {name: (value, scope, len(self.versions[scope])) for name, value in self.now(scope).items()}
        return [
            {"name": name, "about": f"What {name} is for.", "value": value, "scope": scope, "version": version}
            for name, (value, scope, version) in found.items()
        ]

    def _profile(self, request: web.Request, _: Any) -> Any:
        scopes = ("workspace", "channel") if "conversation" in request.query else ("workspace",)
        values = self._values(*scopes)
        by_name = {one["name"]: one["value"] for one in values}
        choices = {"tools": TOOLS, "styles": ["auto", "kuaiagent", "router"], "max_iter_num": 50}
        return {"agent_name": by_name["agent_name"], "icon": by_name["icon"], "values": values, "choices": choices}

    def _scope(self, request: web.Request, _: Any) -> Any:
        scope = request.match_info["scope"]
        return {
            "scope": scope,
            "version": len(self.versions[scope]),
            "values": self.now(scope),
            "inherited": self._values(*(["workspace"] if scope == "channel" else [])),
            "warnings": [],
        }

    def _save(self, request: web.Request, body: Any) -> Any:
        scope = request.match_info["scope"]
        if body["based_on"] != len(self.versions[scope]):
            raise WebError(409, "conflict", CONFLICT)
        if body["values"].get("icon") == "word":
            raise WebError(400, "invalid_profile", WRONG, about="icon")
        self._add(scope, body["values"])
        return self._scope(request, None)

    def _versions(self, request: web.Request, _: Any) -> Any:
        found = [{k: v for k, v in one.items() if k != "values"} for one in self.versions[request.match_info["scope"]]]
        return {"versions": found[::-1], "next": None}

    def _compare(self, request: web.Request, _: Any) -> Any:
        versions = self.versions[request.match_info["scope"]]
        a, b = (int(request.query[name]) for name in ("a", "b"))
        before, after = ({} if n == 0 else versions[n - 1]["values"] for n in (a, b))
        names = [name for name in FIELDS if before.get(name) != after.get(name)]
        found = [{"name": name, "before": before.get(name), "after": after.get(name)} for name in names]
        return {"a": a, "b": b, "differences": found}

    def _restore(self, request: web.Request, body: Any) -> Any:
        scope, number = request.match_info["scope"], body["version"]
        self._add(scope, self.versions[scope][number - 1]["values"] if number else {}, number)
        return self._scope(request, None)

    def _put(self, request: web.Request, body: Any) -> Any:
        name = request.match_info["name"]
        made = endpoint(name, model=body["model"], priority=body["priority"], slots=body["slots"])
        self.endpoints = [one for one in self.endpoints if one["name"] != name] + [made]
        return made

    def _remove(self, request: web.Request, _: Any) -> Any:
        name = request.match_info["name"]
        self.removed[name] = next(one for one in self.endpoints if one["name"] == name)
        self.endpoints.remove(self.removed[name])

    def _bring_back(self, request: web.Request, _: Any) -> Any:
        self.endpoints.append(self.removed.pop(request.match_info["name"]))
        return self.endpoints[-1]


def traced(kind: str, key: str, **fields: Any) -> dict[str, Any]:
    """One step of a trace."""
    return {
        "key": key,
        "kind": kind,
        "state": "done",
        "title": "",
        "tool": "",
        "args": {},
        "task": "",
        "thought": "",
        "reasoning": "",
        "calls": [],
        "end": None,
        "detail": "",
        "html": "",
        "sources": [],
        "allowed": None,
        "model": None,
        "tokens": {"prompt": None, "completion": None},
        "attempts": 1,
        "style": "",
        "started_at": "2026-01-02T03:04:05Z",
        "finished_at": "2026-01-02T03:04:06.500Z",
        **fields,
    }


def trace(**fields: Any) -> dict[str, Any]:
    """A trace; without steps unless they are given."""
    return {
        "lang": "en",
        "steps": [],
        "profiles": [],
        "sources": [],
        "notes": [],
        "model": None,
        "tokens": {"prompt": None, "completion": None},
        "attempts": 1,
        "created_at": "2026-01-02T03:04:05Z",
        "started_at": "2026-01-02T03:04:05Z",
        "finished_at": "2026-01-02T03:04:08.200Z",
        **fields,
    }


ARGS = {"start": "2024-02-28", "end": "2024-03-01"}
#: A trace with something of everything.
WHOLE = trace(
    steps=[
        traced(
            "plan",
            "plan/0",
            task="Count the days between the dates",
            thought="<p>2024 is a <strong>leap year</strong>, so I had better compute it.</p>",
            reasoning="<p>The user wants days. February 2024 has 29 of them.</p>",
            calls=[{"tool": "time_delta", "title": "Computing the time between two dates", "args": ARGS}],
            model="Large-72B",
            tokens={"prompt": 1_204, "completion": 61},
            attempts=2,
            style="kuaiagent",
        ),
        traced(
            "act",
            "act/0/0",
            title="Computing the time between two dates",
            tool="time_delta",
            args=ARGS,
            html="<p><strong>2 days</strong></p>",
            sources=["https://example.org/calendar"],
        ),
        traced("act", "act/0/1", title="Calculating", tool="calculator", state="failed", html="<p>No sum.</p>"),
        traced("plan", "plan/1", end="complete", detail="The task is complete.", model="Large-72B", style="kuaiagent"),
        traced("consent", "consent/1/0", tool="write_file", args={"name": "a.txt"}, allowed=False),
        traced("conclude", "conclude", model="Large-72B", tokens={"prompt": 900, "completion": 40}),
    ],
    profiles=[
        {"scope": "default", "version": 1, "author": "the settings", "at": AT},
        {"scope": "workspace", "version": 3, "author": "on this page", "at": AT},
    ],
    model="Large-72B",
    tokens={"prompt": 2_104, "completion": 101},
    attempts=2,
)
