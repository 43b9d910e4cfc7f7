"""What one fake is like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.llm import kinds
from tests.fakes.llm.script import Pace


@dataclass(slots=True)
class Config:
    """Settings of one fake; the directives are those that `/control` may change."""

    kind: kinds.Kind = kinds.KINDS["vllm"]
    model: str = "fake-model"
    #: Window that it reports, and enforces when `enforce` is set; None: reports none.
    context: int | None = None
    enforce: bool = False
    #: Key that it demands; "" demands none.
    api_key: str = ""
    #: Whether the model looks at pictures.
    vision: bool = False
    #: Whether the model has a chat template.
    template: bool = True
    #: Whether llama_cpp.server ends a stream when another request waits (`--interrupt_requests`, on by default there).
    interrupt: bool = True
    #: Whether the log has the requests' headers (without the key).
    log_headers: bool = False
    #: Whether the log has the requests' bodies.
    log_requests: bool = False
    pace: Pace = field(default_factory=Pace)
    #: Share by which the time to the first token differs from call to call, at most.
    spread: float = 0.0
    #: Calls that run side by side; None for any number.
    slots: int | None = None
    #: Calls that may wait for a slot, the others get `refuses_with`; None for any number.
    queue: int | None = None
    refuses_with: int = 429
    #: Directives for requests that carry none, and for how many requests they hold; None: for ever.
    directives: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
