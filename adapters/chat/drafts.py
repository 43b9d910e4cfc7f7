"""What messages say while an answer is made, besides its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from agent.language import Lang, Text
from bot.messages import Consent, StepView
from bot.present import title_of
from bot.rendering.compose import escaped
from bot.rendering.split import closed

#: What stands for an end without a word.
NOTHING: Final = "…"
#: Before a step, by its state.
SIGNS: Final[Mapping[str, str]] = {"running": "…", "done": "✓", "failed": "✗"}
#: Characters of a step's title, and of what of its arguments is in it.
_TITLE: Final = 80
_ARGUMENT: Final = 40


def with_question(text: str, consent: Consent) -> str:
    """A draft and what is asked below it: in a quote, and as it is, because arguments of a model's choice are in it."""
    quoted = "\n".join(f"> {line}".rstrip() for line in escaped(consent.question).splitlines())
    return "\n\n".join(part for part in (closed(text.rstrip()), quoted) if part)


def step_title(step: StepView, titles: Mapping[str, Text], lang: Lang) -> str:
    """What a step is called, in plain text: the tool's title, and what it is about."""
    title = title_of(titles, step.tool, lang)
    about = next((value for value in step.args.values() if isinstance(value, str) and value.strip()), "")
    about = " ".join(about.split())
    if len(about) > _ARGUMENT:
        about = f"{about[: _ARGUMENT - 1]}…"
    if about:
        title = f"{title}：{about}" if lang == "zh" else f"{title}: {about}"
    return _harmless(title)[:_TITLE]


def step_lines(steps: Sequence[StepView], titles: Mapping[str, Text], lang: Lang) -> str:
    """The steps as a list in Markdown; those without a tool are none."""
    shown = [step for step in steps if step.tool]
    return "\n".join(f"- {SIGNS[step.state]} {escaped(step_title(step, titles, lang))}" for step in shown)


def _harmless(title: str) -> str:
    """A title is plain text, but nobody promises that no client reads markup in it."""
    return title.replace("<", "‹").replace(">", "›")
