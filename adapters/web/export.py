"""A conversation as a file: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from adapters.web import models_trace as models
from adapters.web import texts
from adapters.web.present import journaled, public_key, rating_of
from agent.language import Lang, Text
from bot.store.views import ConversationView, TurnView

#: Bytes that file systems take for a name are 255; a Chinese character has three, and an extension follows.
_NAME_CHARS = 60
#: What some file system or shell refuses or takes for something else, and what can't be seen.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff<>:"/\\|?*]+')


def exported(conversation: ConversationView, turns: Sequence[TurnView], now: datetime) -> models.Export:
    """The conversation with its turns, oldest first."""
    return models.Export(
        key=public_key(conversation.key),
        title=conversation.title,
        exported_at=now,
        turns=[_turn(view) for view in turns],
    )


def _turn(view: TurnView) -> models.ExportedTurn:
    steps = [
        models.ExportedStep(tool=tool, args=args, state=state, result=result)
        for _, tool, args, state, result in (journaled(step, view.live) for step in view.steps)
    ]
    return models.ExportedTurn(
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
        rating=rating_of(view.rating),
    )


def markdown(export: models.Export, lang: Lang) -> str:
    """The conversation for people. Texts stay as they were written; what is ours is in `lang`."""
    title = " ".join(export.title.split()) or texts.UNTITLED.say(lang)
    blocks = [f"# {title}", _stamp(texts.EXPORTED, lang, export.exported_at)]
    for turn in export.turns:
        blocks += _blocks(turn, lang)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _blocks(turn: models.ExportedTurn, lang: Lang) -> list[str]:
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


def _step(step: models.ExportedStep, lang: Lang) -> str:
    args = json.dumps(step.args, ensure_ascii=False)
    mark = "" if step.state == "done" else f" ({texts.STEP_STATES[step.state].say(lang)})"
    return f"- {_code(f'{step.tool}({args})')}{mark}" + (f"\n\n{_quoted(step.result, '  > ')}" if step.result else "")


def _code(text: str) -> str:
    """As code, whatever backticks are in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"


def _quoted(text: str, mark: str = "> ") -> str:
    return "\n".join(f"{mark}{line}".rstrip() for line in text.splitlines())


def _stamp(text: Text, lang: Lang, at: datetime) -> str:
    return f"*{text.say(lang, at=at.strftime('%Y-%m-%d %H:%M UTC'))}*"


def disposition(title: str, key: str, extension: str) -> str:
    """The `Content-Disposition` of a download: a name from the title, safe on every system (RFC 6266)."""
    name = " ".join(_UNSAFE.sub(" ", title).split())[:_NAME_CHARS].strip(" .") or f"conversation-{key[:8]}"
    full = f"{name}.{extension}"
    plain = re.sub(r"[^A-Za-z0-9 ._()-]+", "-", full).strip(" -")
    fallback = plain if re.search(r"[A-Za-z0-9]", plain.removesuffix(extension)) else f"conversation.{extension}"
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(full, safe='')}"
