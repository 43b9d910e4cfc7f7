"""A conversation as a file: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.language import Lang, Text
from bot import export_texts as texts
from bot.messages import TurnState
from bot.present import journaled
from bot.store.views import TurnView

#: Bytes that file systems take for a name are 255; a Chinese character has three, and an extension follows.
_NAME_CHARS: Final = 60
#: What some file system or shell refuses or takes for something else, and what can't be seen.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff<>:"/\\|?*]+')


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExportedStep(_Part):
    """One run of a tool."""

    tool: str
    args: dict[str, Any]
    state: Literal["running", "done", "failed"]
    result: str = Field(description="Markdown")


class ExportedTurn(_Part):
    """A question and its answer."""

    id: int
    state: TurnState
    asked_at: datetime
    finished_at: datetime | None
    questions: list[str] = Field(description='"" for one that was deleted')
    answer: str = Field(description="Markdown")
    steps: list[ExportedStep]
    sources: list[str]
    notes: list[str]
    model: str | None
    rating: Literal[1, -1, 0]


class Export(_Part):
    """A whole conversation, oldest turn first."""

    key: str
    title: str
    exported_at: datetime
    turns: list[ExportedTurn]


def exported(key: str, title: str, turns: Sequence[TurnView], now: datetime) -> Export:
    """The conversation with its turns, oldest first; `key` is what the reader knows it by."""
    return Export(
        key=key,
        title=title,
        exported_at=now,
        turns=[_turn(view) for view in turns],
    )


def _turn(view: TurnView) -> ExportedTurn:
    steps = [
        ExportedStep(tool=tool, args=args, state=state, result=result)
        for _, tool, args, state, result in (journaled(step, view.live) for step in view.steps)
    ]
    return ExportedTurn(
        id=view.id,
        state=view.state,
        asked_at=view.created_at,
        finished_at=view.finished_at,
        questions=[message.text for message in view.messages],
        answer=view.answer,
        steps=steps,
        sources=view.meta.get("sources") or [],
        notes=view.meta.get("notes") or [],
        model=view.meta.get("model"),
        rating=1 if view.rating > 0 else -1 if view.rating < 0 else 0,
    )


def markdown(export: Export, lang: Lang) -> str:
    """The conversation for people. Texts stay as they were written; what is ours is in `lang`."""
    title = " ".join(export.title.split()) or texts.UNTITLED.say(lang)
    blocks = [f"# {title}", _stamp(texts.EXPORTED, lang, export.exported_at)]
    for turn in export.turns:
        blocks += _blocks(turn, lang)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _blocks(turn: ExportedTurn, lang: Lang) -> list[str]:
    asked = [_stamp(texts.ASKED, lang, turn.asked_at)]
    asked += [_quoted(text) if text else f"*{texts.ERASED.say(lang)}*" for text in turn.questions]
    steps = [_step(step, lang) for step in turn.steps]
    sources = "\n".join(f"{number}. {source}" for number, source in enumerate(turn.sources, 1))
    remarks = [*turn.notes]
    if turn.model:
        remarks.append(f"{texts.MODEL.say(lang)}: {turn.model}")
    if turn.rating:
        remarks.append((texts.RATED_UP if turn.rating > 0 else texts.RATED_DOWN).say(lang))
    answer = turn.answer or f"*{texts.OUTCOMES[turn.state].say(lang)}*"
    return [
        f"## {texts.QUESTION.say(lang)}",
        *asked,
        *([f"### {texts.STEPS.say(lang)}", *steps] if steps else []),
        f"### {texts.ANSWER.say(lang)}",
        answer,
        *([f"### {texts.SOURCES.say(lang)}", sources] if sources else []),
        "\n".join(f"- {remark}" for remark in remarks),
    ]


def _step(step: ExportedStep, lang: Lang) -> str:
    args = json.dumps(step.args, ensure_ascii=False)
    mark = "" if step.state == "done" else f" ({texts.STEP_STATES[step.state].say(lang)})"
    return f"- {code(f'{step.tool}({args})')}{mark}" + (f"\n\n{_quoted(step.result, '  > ')}" if step.result else "")


def _quoted(text: str, mark: str = "> ") -> str:
    return "\n".join(f"{mark}{line}".rstrip() for line in text.splitlines())


def _stamp(text: Text, lang: Lang, at: datetime) -> str:
    return f"*{text.say(lang, at=at.strftime('%Y-%m-%d %H:%M UTC'))}*"


def sound(text: str) -> str:
    """The text as UTF-8 can carry it. A model may send half of a character; halves that belong together are joined."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def dumped(model: BaseModel, indent: int | None = None) -> bytes:
    """The model as JSON in UTF-8, whatever models and tools have put into it."""
    try:
        return model.model_dump_json(indent=indent).encode()
    except ValueError:
        # pydantic's PydanticSerializationError: half of a character somewhere, say in a tool's argument.
        return sound(json.dumps(model.model_dump(mode="json"), ensure_ascii=False, indent=indent)).encode()


def code(text: str) -> str:
    """As code, whatever backticks are in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"


def file_name(title: str, key: str, extension: str) -> str:
    """A name from the title, safe on every system."""
    name = " ".join(_UNSAFE.sub(" ", title).split())[:_NAME_CHARS].strip(" .") or f"conversation-{key[:8]}"
    return f"{name}.{extension}"
