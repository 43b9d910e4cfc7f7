"""`noagent`: no planning and no tools; the model answers from what it knows and from the conversation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from agent import texts
from agent.language import Lang
from agent.llm.chat import ChatMessage, ChatRequest
from agent.styles import files
from agent.styles.base import Ask, Done, Plan
from agent.styles.fitting import squeeze
from agent.task import Task
from agent.tools import almanac
from agent.tools.dates import WEEKDAYS
from agent.tools.registry import Tool

#: The demo model reads some 140 tokens per second on one core, and rambles: short prompts and short replies.
DEMO_PROMPT_TOKENS, DEMO_REPLY_TOKENS = 900, 150
#: Little chance, because a small model soon loses the thread.
DEMO_TEMPERATURE = 0.2


#: The earthly branches, which name the twelve double-hours of a day.
_BRANCHES: dict[Lang, tuple[str, ...]] = {
    "en": ("zi", "chou", "yin", "mao", "chen", "si", "wu", "wei", "shen", "you", "xu", "hai"),
    "zh": ("子", "丑", "寅", "卯", "辰", "巳", "午", "未", "申", "酉", "戌", "亥"),
}


class NoAgent:
    """Asks the model once."""

    name = "noagent"

    def plan(self, task: Task, tools: tuple[Tool, ...], done: tuple[Done, ...]) -> Plan:
        return Plan()

    def conclude(self, task: Task, done: tuple[Done, ...], *, demo: bool, tools: tuple[Tool, ...] = ()) -> Ask:
        return ask(task, demo=demo)


def ask(task: Task, *, demo: bool) -> Ask:
    """The model's call for a question without tools; a demo model's answer is labelled."""
    lang = task.lang
    if demo and not files.own(task):
        # Its prompts are short, and each question would be answered out of an old file.
        task = replace(task, files=())
    with_it = files.attached(task)
    asked = stamped(files.words(task), task.now, lang)
    question = ChatMessage("user", f"{asked}\n\n{with_it.text}" if with_it.text else asked, with_it.images)
    request = ChatRequest((ChatMessage("system", system_prompt(task)), *history(task), question))
    if not demo:
        return Ask(request, files=with_it.excerpts)

    small = replace(request, max_tokens=DEMO_REPLY_TOKENS, temperature=DEMO_TEMPERATURE)
    fitted = squeeze(small, with_it.excerpts, DEMO_PROMPT_TOKENS, lang)
    cut = files.cut_notes(with_it.excerpts, fitted.files_cut, lang)
    return Ask(fitted.request, (texts.NOTE_DEMO.say(lang), *left_out_note(fitted.left_out, lang), *cut))


def system_prompt(task: Task) -> str:
    """Who the agent is. The same for every question of a conversation, so that a server's prefix cache keeps it."""
    profile, lang = task.profile, task.lang
    parts = [texts.PROMPT_WHO.say(lang, name=profile.agent_name)]
    if profile.agent_bio:
        parts.append(texts.PROMPT_BIO.say(lang, bio=profile.agent_bio))
    parts += [texts.PROMPT_RULES.say(lang), texts.PROMPT_STAMPED.say(lang)]
    if profile.agent_instructions:
        parts.append(texts.PROMPT_INSTRUCTIONS.say(lang, instructions=profile.agent_instructions))
    return "\n".join(parts)


def history(task: Task, mark: str = "") -> tuple[ChatMessage, ...]:
    """Earlier questions and answers, oldest first, each question as it stood in its own prompt: what a server has read
    and written then, it needn't read again. `mark` is what stood below it."""
    messages: list[ChatMessage] = []
    for exchange in task.history:
        asked = exchange.question
        if exchange.at is not None:
            asked = stamped(asked, exchange.at, task.lang) + mark
        messages.append(ChatMessage("user", asked))
        messages.append(ChatMessage("assistant", exchange.answer or texts.PROMPT_NO_ANSWER.say(task.lang)))
    return tuple(messages)


def stamped(question: str, at: datetime, lang: Lang) -> str:
    """A question with its time below it."""
    return f"{question}\n\n{time_line(at, lang)}"


def time_line(at: datetime, lang: Lang) -> str:
    """Weekday, date, time, zone, lunar date and Chinese double-hour, as `PROMPT_STAMPED` announces them."""
    return texts.PROMPT_NOW.say(
        lang,
        weekday=WEEKDAYS[lang][at.weekday()],
        now=f"{at:%Y-%m-%d %H:%M} UTC{_offset(at)}",
        lunar=_lunar(at, lang),
    )


def _offset(at: datetime) -> str:
    """For example +8 or +5:30; "" for UTC itself."""
    offset = f"{at:%z}" or "+0000"
    hours, minutes = int(offset[1:3]), offset[3:5]
    if minutes != "00":
        return f"{offset[0]}{hours}:{minutes}"
    return f"{offset[0]}{hours}" if hours else ""


def _lunar(at: datetime, lang: Lang) -> str:
    if not almanac.FIRST_YEAR <= at.year <= almanac.LAST_YEAR:
        return ""
    lunar = almanac.day(at.date()).lunar
    if lang == "zh":
        date = lunar.in_chinese()
        # Its year is worth its tokens only where it is another one.
        date = date.partition("年")[2] if lunar.year == at.year else date
    else:
        year = "" if lunar.year == at.year else f"{lunar.year}-"
        date = f"{year}{'leap ' if lunar.leap else ''}{lunar.month}-{lunar.day}"
    # The first double-hour, 子, is from 23 to 1 o'clock.
    return texts.PROMPT_LUNAR.say(lang, date=date, hour=_BRANCHES[lang][(at.hour + 1) // 2 % 12])


def left_out_note(messages: int, lang: Lang) -> tuple[str, ...]:
    """A remark for people when the window had no room for all of the history."""
    return (texts.NOTE_HISTORY_LEFT_OUT.say(lang, count=messages),) if messages else ()
