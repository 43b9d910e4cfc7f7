"""One operation of the JSON API: its route and what describes it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

#: What the variable parts of a path may be; anything else is an address at which there is nothing.
PARTS = {
    "key": "[0-9a-f]{32}",
    "turn_id": "[0-9]{1,18}",
    "message_id": "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "scope": "workspace|channel",
    "name": "[^/]{1,80}",
    "run_id": "[0-9a-f]{8}",
    "place": "[0-9]{1,7}",
    "chart": "radar|bars",
    "set_id": "[0-9a-z]{4,32}",
    "schedule_id": "[0-9]{1,18}",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a client can ask for."""

    #: Name of the handler and of the operation.
    id: str
    method: str
    #: With names of `PARTS` in braces.
    path: str
    summary: str
    status: int
    response: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    #: Whether the answer is a stream of `turn` events, each with a `response`.
    events: bool = False
    #: Whether the answer is a file: `response` as JSON, or Markdown.
    file: bool = False
    #: The media type of an answer that is no JSON; "" for JSON.
    media: str = ""

    @property
    def changes(self) -> bool:
        """Whether it needs the header that only our own page and programs send."""
        return self.method != "GET"

    @property
    def route(self) -> str:
        """The path as the server's router wants it."""
        path = self.path
        for name, pattern in PARTS.items():
            path = path.replace(f"{{{name}}}", f"{{{name}:{pattern}}}")
        return path
