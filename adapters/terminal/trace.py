"""What an agent does, step by step, as KAgentSys tells it: a chain of messages, each with one of twelve actions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from agent.events import AgentEvent, Finished, StepFinished, StepStarted
from agent.journal import Recalled
from agent.language import Lang, Text

Action = Literal[
    "search",
    "click",
    "execute",
    "observation",
    "thinking",
    "thought",
    "reading",
    "reason",
    "finish",
    "conclusion",
    "fail",
    "chain_end",
]

#: What people read before the message; "" for actions that are only marks in the chain.
LABELS: Final[dict[Action, Text]] = {
    "search": Text("Search", "搜索"),
    "click": Text("Open", "打开"),
    "execute": Text("Call", "调用"),
    "observation": Text("Observation", "观察"),
    "thinking": Text("Thinking…", "思考中…"),
    "thought": Text("Thought", "想法"),
    "reading": Text("Reading…", "阅读中…"),
    "reason": Text("Reason", "理由"),
    "finish": Text("Done", "完成"),
    "conclusion": Text("Response", "回答"),
    "fail": Text("Failed", "失败"),
    "chain_end": Text("", ""),
}
#: Between a label and its text.
SEPARATOR: Final = Text(": ", "：")
#: Characters of `short_text`.
SHORT = 100

#: Tools whose calls have an action of their own, and the argument that says what they are about.
_SPECIAL: Final[dict[str, tuple[Action, str]]] = {"web_search": ("search", "text"), "browse_website": ("click", "url")}
_ENDS: Final[dict[str, Action]] = {
    "complete": "finish",
    "nothing": "finish",
    "repeated": "reason",
    "unknown": "fail",
    "unusable": "fail",
}


@dataclass(frozen=True, slots=True)
class ChainMessage:
    """One entry of the chain."""

    #: From 0.
    index: int
    action: Action
    text: str
    #: Unix time in seconds.
    finish_time: float

    def to_json(self) -> dict[str, Any]:
        """With the names that KAgentSys gives them."""
        return {
            "index": self.index,
            "action": self.action,
            "text": self.text,
            "short_text": self.text.strip()[:SHORT],
            "finish_time": self.finish_time,
        }

    def line(self, lang: Lang) -> str:
        """As a line for people."""
        label = LABELS[self.action].say(lang)
        return f"{label}{SEPARATOR.say(lang)}{self.text}" if self.text else label


class Chain:
    """Folds the agent's events into chain messages; `on_message` hears of each as it comes."""

    def __init__(
        self,
        recall: Callable[[str], Recalled | None],
        on_message: Callable[[ChainMessage], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`recall` looks into the run's journal, which knows why planning ended."""
        self._recall = recall
        self._on_message = on_message
        self._now = now
        self._messages: list[ChainMessage] = []
        self._kinds: dict[str, str] = {}

    @property
    def messages(self) -> tuple[ChainMessage, ...]:
        return tuple(self._messages)

    def fold(self, event: AgentEvent) -> None:
        """Take one more event."""
        for action, text in self._told(event):
            self._add(action, text)

    def text(self, lang: Lang) -> str:
        """The whole chain as text, a line or more for each message."""
        return "".join(f"{message.line(lang)}\n" for message in self._messages if message.action != "chain_end")

    def _add(self, action: Action, text: str) -> None:
        message = ChainMessage(len(self._messages), action, text, self._now())
        self._messages.append(message)
        self._on_message(message)

    def _told(self, event: AgentEvent) -> Iterator[tuple[Action, str]]:
        match event:
            case StepStarted(key, "plan"):
                self._kinds[key] = "plan"
                yield "thinking", ""
            case StepStarted(key, "act", tool, args):
                self._kinds[key] = "act"
                yield from _call(tool or "", args)
            case StepFinished(key) if self._kinds.get(key) == "plan":
                yield from self._planned(event)
            case StepFinished(key, ok, result) if self._kinds.get(key) == "act":
                yield "observation" if ok else "fail", result
            case Finished(text):
                yield "conclusion", text
                yield "chain_end", ""
            case _:
                return

    def _planned(self, event: StepFinished) -> Iterator[tuple[Action, str]]:
        found = self._recall(event.key)
        plan = found.result if found is not None and isinstance(found.result, dict) else {}
        thought = event.thought or plan.get("task_name") or ""
        if thought:
            yield "thought", thought
        end = plan.get("end")
        why = event.result or plan.get("detail") or ""
        if end is not None or not event.ok:
            yield _ENDS.get(str(end), "fail"), why


def _call(tool: str, args: dict[str, Any]) -> Iterator[tuple[Action, str]]:
    if tool in _SPECIAL:
        action, argument = _SPECIAL[tool]
        yield action, str(args.get(argument, ""))
        if action == "click":
            yield "reading", ""
        return
    yield "execute", f"{tool} {json.dumps(args, ensure_ascii=False)}"
