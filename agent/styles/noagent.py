"""`noagent`: no planning and no tools; the model answers from what it knows and from the conversation."""

from __future__ import annotations

from datetime import datetime

from agent import texts
from agent.language import Lang
from agent.llm.chat import ChatMessage, ChatRequest
from agent.styles.base import Ask, Done, Plan
from agent.styles.fitting import shorten
from agent.task import Task
from agent.tools import almanac
from agent.tools.almanac_names import lunar_date
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
    messages = [ChatMessage("system", system_prompt(task))]
    for exchange in task.history:
        messages.append(ChatMessage("user", exchange.question))
        messages.append(ChatMessage("assistant", exchange.answer or texts.PROMPT_NO_ANSWER.say(lang)))
    messages.append(ChatMessage("user", f"{now_line(task)}\n\n{task.question}"))
    request = ChatRequest(tuple(messages))
    if not demo:
        return Ask(request)

    small = ChatRequest(request.messages, max_tokens=DEMO_REPLY_TOKENS, temperature=DEMO_TEMPERATURE)
    fitted = shorten(small, DEMO_PROMPT_TOKENS)
    notes = (texts.NOTE_DEMO.say(lang), *left_out_note(fitted.left_out, lang))
    return Ask(fitted.request, notes)


def system_prompt(task: Task) -> str:
    """Who the agent is. The same for every question of a conversation, so that a server's prefix cache keeps it."""
    profile, lang = task.profile, task.lang
    parts = [texts.PROMPT_WHO.say(lang, name=profile.agent_name)]
    if profile.agent_bio:
        parts.append(texts.PROMPT_BIO.say(lang, bio=profile.agent_bio))
    parts.append(texts.PROMPT_RULES.say(lang))
    if profile.agent_instructions:
        parts.append(texts.PROMPT_INSTRUCTIONS.say(lang, instructions=profile.agent_instructions))
    return "\n".join(parts)


def now_line(task: Task) -> str:
    """Date, time, zone, weekday, lunar date and Chinese double-hour. It changes with every question, so it stands right
    before it."""
    now, lang = task.now, task.lang
    return texts.PROMPT_NOW.say(
        lang,
        weekday=WEEKDAYS[lang][now.weekday()],
        now=f"{now:%Y-%m-%d %H:%M}, UTC{_offset(task)}",
        lunar=_lunar(now, lang),
    )


def _offset(task: Task) -> str:
    offset = f"{task.now:%z}"
    return f"{offset[:3]}:{offset[3:5]}" if offset else "+00:00"


def _lunar(now: datetime, lang: Lang) -> str:
    if not almanac.FIRST_YEAR <= now.year <= almanac.LAST_YEAR:
        return ""
    # The first double-hour, 子, is from 23 to 1 o'clock.
    index = (now.hour + 1) // 2 % 12
    hour = texts.PROMPT_HOUR.say(lang, name=_BRANCHES[lang][index])
    # In English without its Chinese name, which costs a small model as many tokens as the rest.
    date = lunar_date(almanac.day(now.date()).lunar, lang).partition(" (")[0]
    return texts.PROMPT_LUNAR.say(lang, date=date, hour=hour)


def left_out_note(messages: int, lang: Lang) -> tuple[str, ...]:
    """A remark for people when the window had no room for all of the history."""
    return (texts.NOTE_HISTORY_LEFT_OUT.say(lang, count=messages),) if messages else ()
