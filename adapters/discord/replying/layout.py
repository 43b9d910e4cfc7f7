"""A reply as messages: how its text is cut, what is below it, and when it becomes a file. Pure.

A text is cut in the same way while it grows and at its end, so that no message but the last is ever changed, as long as
it is a few. What is longer is a file, which can be read in one piece, beside its beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from adapters.chat.drafts import NOTHING, step_title, with_question
from adapters.discord import limits
from adapters.discord.render.parts import parts
from adapters.discord.render.quiet import clean, escaped
from adapters.discord.replying.look import Look, Row, consent_rows, end_rows, stop_row
from agent.language import Lang, Text
from bot.messages import Consent, Draft, ReplyFile, StepView
from bot.messages import Final as End
from bot.rendering.compose import compose
from bot.rendering.split import closed, utf16

#: Messages that one answer may have. Five are 10,000 characters, about as much as anybody scrolls through, and as many
#: as a channel takes in five seconds.
PARTS_MOST: Final = 5
#: Name of the file that a longer answer becomes.
ANSWER_FILE: Final = "answer.md"
IN_FILE: Final = Text("The whole answer is in the file.", "完整回答见附件。")
GOES_ON: Final = Text(
    "The answer goes on. You will get all of it as a file.", "回答还在继续，完成后会以文件形式发送全文。"
)
EARLIER: Final = Text("Earlier steps: {count}", "之前的步骤：{count}")

#: Before a step, by its state.
_SIGNS: Final[Mapping[str, str]] = {"running": "⏳", "done": "✓", "failed": "✗"}
#: Steps that a draft shows; the latest ones.
_STEPS: Final = 12
#: A small grey line.
_SMALL: Final = "\n-# "


def drafted(draft: Draft, turn_id: int, titles: Mapping[str, Text], lang: Lang) -> list[Look]:
    """What the messages of a draft show; none while there is nothing to show but a status. `turn_id`: 0 for a job,
    which is stopped by a command."""
    if draft.consent is not None:
        return _asking(draft.text, draft.consent, consent_rows(turn_id, draft.consent, lang), lang)
    stop = stop_row(turn_id, lang) if turn_id else ()
    if draft.text.strip():
        return _growing(closed(draft.text.rstrip()), stop, lang)
    steps = step_lines(draft.steps, titles, lang)
    return [Look(steps, stop)] if steps else []


def ended(final: End, turn_id: int) -> list[Look]:
    """What the messages of a reply show at its end; its pictures are below the last one."""
    *others, last = layout(compose(final), final.lang, end_rows(turn_id, final))
    return [*others, replace(last, pictures=final.images)]


def layout(text: str, lang: Lang, rows: tuple[Row, ...] = ()) -> list[Look]:
    """A Markdown text as messages, the last of which has the rows; as its beginning and a file where it is long."""
    shown = list(islice(parts(text), PARTS_MOST + 1)) or [NOTHING]
    if len(shown) <= PARTS_MOST:
        *others, last = shown
        return [*map(Look, others), Look(last, rows)]
    note = _SMALL + IN_FILE.say(lang)
    beginning = next(parts(text, limits.CONTENT - utf16(note)))
    return [Look(beginning + note, rows, (answer_file(text),))]


def answer_file(text: str) -> ReplyFile:
    """An answer as a file, in Markdown as it was written: a file pings nobody. Cut to what Discord takes."""
    data = clean(text).encode()[: limits.FILE_BYTES].decode(errors="ignore")
    return ReplyFile(ANSWER_FILE, "text/markdown; charset=utf-8", data.encode())


def step_lines(steps: Sequence[StepView], titles: Mapping[str, Text], lang: Lang) -> str:
    """The steps in Discord's Markdown, a line each; those without a tool are none."""
    shown = [step for step in steps if step.tool]
    lines = [f"{_SIGNS[step.state]} {escaped(clean(step_title(step, titles, lang)))}" for step in shown[-_STEPS:]]
    if len(shown) > _STEPS:
        lines.insert(0, "-# " + EARLIER.say(lang).format(count=len(shown) - _STEPS))
    return "\n".join(lines)


def _growing(text: str, rows: tuple[Row, ...], lang: Lang) -> list[Look]:
    """A text in the making: when it has become long, its first messages stay as they are until the end."""
    shown = list(islice(parts(text), PARTS_MOST + 1)) or [NOTHING]
    *others, last = shown[:PARTS_MOST]
    if len(shown) > PARTS_MOST:
        note = _SMALL + GOES_ON.say(lang)
        last = last + note if utf16(last + note) <= limits.CONTENT else last
    return [*map(Look, others), Look(last, rows)]


def _asking(text: str, consent: Consent, rows: tuple[Row, ...], lang: Lang) -> list[Look]:
    """A text in the making and the question below it, which must be seen, however long the text is."""
    shown = list(islice(parts(with_question(text, consent)), PARTS_MOST + 1))
    if len(shown) <= PARTS_MOST:
        *others, last = shown or [NOTHING]
        return [*map(Look, others), Look(last, rows)]
    asked = layout(with_question("", consent), lang, rows)
    return [*_growing(closed(text.rstrip()), (), lang)[: PARTS_MOST - len(asked)], *asked]
