"""What a run needs to know of whatever it asks: an item of KAgentBench, or a case of an own suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from agent.language import Lang


class Asked(Protocol):
    """A frozen dataclass with prompts."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def type(self) -> str:
        """One of the benchmark's types; `suite` for a case."""

    @property
    def id(self) -> Any:
        """Unique within its type, as text."""

    @property
    def query(self) -> str:
        """For people."""

    @property
    def lang(self) -> Lang:
        """Language of the query."""

    @property
    def prompts(self) -> Mapping[str, str]:
        """Template → prompt."""

    @property
    def memory(self) -> str:
        """What may be cut in its middle where a prompt is too long; "" for nothing."""

    @property
    def raw(self) -> Mapping[str, Any]:
        """The whole line of its file."""

    @property
    def key(self) -> tuple[str, str]:
        """Its type and its id as text."""
