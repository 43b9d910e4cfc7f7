"""The endpoints that answer: those of the settings, those that were entered on the page, and the embedded model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from agent.language import Lang, Text
from bot.messages import Author
from bot.ports import Health

Source = Literal["settings", "page", "embedded"]


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint as people may see it: without its key, and of its address only the host."""

    name: str
    #: Host and port; "" for the embedded model.
    host: str
    #: The model's name, as set or as the server told it; "" while unknown.
    model: str
    source: Source
    #: Lower goes first.
    priority: int
    #: Calls that it takes at the same time.
    slots: int
    chat_format: str
    #: Told in the language of whoever asks.
    health: Health
    #: None while unknown; then 4,096 are assumed.
    context_tokens: int | None
    #: What it can be made to follow: "json_schema", "json_object", "" for nothing or not known.
    structured: str
    #: Whether its model thinks before it answers.
    reasoning: bool
    #: Whether the server counts tokens for us.
    tokenizer: bool
    demo: bool
    #: Whether `remove` may be asked for it.
    removable: bool


@dataclass(frozen=True, slots=True)
class EndpointDraft:
    """What a person entered. Never logged: address and key may be secret."""

    name: str
    #: http or https, up to where `/chat/completions` begins.
    base_url: str = field(repr=False)
    #: "" sends none.
    api_key: str = field(default="", repr=False)
    #: "" takes the first one that the server lists.
    model: str = ""
    priority: int = 10
    slots: int = 8
    #: None asks the server.
    context_tokens: int | None = None
    chat_format: str = "auto"
    reasoning: str = "auto"


@dataclass(frozen=True, slots=True)
class TestLine:
    """One thing that a live test looked at."""

    # Not a test of pytest's.
    __test__ = False

    name: Literal["reach", "models", "context", "structured", "reply", "speed"]
    state: Literal["ok", "warning", "error"]
    #: One sentence in the language of whoever asked.
    text: str


@dataclass(frozen=True, slots=True)
class TestReport:
    """What a live test found."""

    __test__ = False

    lines: tuple[TestLine, ...]
    #: Names that the server lists.
    models: tuple[str, ...]
    #: Whether it can be used: no line is an error.
    ok: bool


class EndpointError(Exception):
    """A draft that can't be used, or an endpoint that can't be removed. `field` is the draft's field that is wrong, ""
    where it is none; `text` is one sentence that says what would be right.
    """

    def __init__(self, field: str, text: Text) -> None:
        super().__init__(text.en)
        self.field = field
        self.text = text


class Endpoints(Protocol):
    """The endpoints of a server; what is saved or removed holds for the next call of a model."""

    def list(self, lang: Lang) -> list[EndpointView]:
        """All of them, in the order in which they are asked."""

    async def test(self, draft: EndpointDraft, lang: Lang) -> TestReport:
        """Connect and ask: for models, window, structured output and a short reply. Takes at most some 20 seconds.

        Nothing is kept. Raises `EndpointError` for a draft that is wrong before anybody is asked.
        """

    async def save(self, draft: EndpointDraft, author: Author) -> EndpointView:
        """Keep the draft, encrypted; it is in use at once. Replaces one of the page with the same name.

        Raises `EndpointError`.
        """

    async def remove(self, name: str, author: Author) -> None:
        """Use it no more and forget it. Raises `EndpointError` for one that isn't there or isn't the page's."""

    async def restore(self, name: str, author: Author) -> EndpointView:
        """Bring back what `remove` has taken away in this process. Raises `EndpointError`."""
