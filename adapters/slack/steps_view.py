"""How an answer came about, as a modal: plans, tools with what they gave, sources. Pure.

What models and tools wrote is shown in Slack's markup by the same renderer as answers, cut into sections without losing
anything; what is too much for one modal is on its next page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.chat import texts
from adapters.chat.actions import value_of
from adapters.slack import limits
from adapters.slack.block_kit import DIVIDER, Block, actions, button, context, cut, modal, quoted, section
from adapters.slack.render.mrkdwn import sections
from agent.language import Lang, Text
from bot.messages import LIVE_STATES
from bot.present import title_of
from bot.store.traces import StepTrace, Trace

CALLBACK: Final = "kagent.steps"
#: Action ids of the buttons below; their value is `turn:page`, pages from 0.
PREVIOUS: Final = "kagent.steps.previous"
NEXT: Final = "kagent.steps.next"

#: Room for the line above and the buttons below a page.
_FRAME: Final = 4
#: Characters of all text on one page: a view may have 250 kB (docs.slack.dev, views.open), and a Chinese character
#: takes six bytes of them.
_PAGE_TEXT: Final = 25_000
#: Characters of a call's arguments, and of the title of a step.
_ARGS: Final = 400
_TITLE: Final = 150
_URL: Final = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """How steps are shown."""

    lang: Lang
    #: What tools are called, by their names.
    titles: Mapping[str, Text]


def loading(lang: Lang) -> Block:
    """The modal until the steps are there."""
    return modal(texts.STEPS, lang, [section(texts.ONE_MOMENT.say(lang))], close=texts.CLOSE, callback_id=CALLBACK)


def note(text: str, lang: Lang) -> Block:
    """The modal with one sentence instead."""
    return modal(texts.STEPS, lang, [section(quoted(text, limits.SECTION_TEXT))], close=texts.CLOSE)


def view(trace: Trace, shown: Shown, *, page: int = 0, channel: str = "") -> Block:
    """One page of a turn's steps; the nearest where there is no such page. `channel` comes back with the buttons."""
    lang = shown.lang
    pages = list(_pages(_blocks(trace, shown)))
    page = max(0, min(page, len(pages) - 1))
    frame = [context(_summary(trace, lang))]
    below: list[Block] = []
    if len(pages) > 1:
        below.append(context(texts.PAGE.say(lang, page=page + 1, pages=len(pages))))
        turn = ((PREVIOUS, texts.PREVIOUS, page - 1), (NEXT, texts.NEXT, page + 1))
        there = [(name, label, to) for name, label, to in turn if 0 <= to < len(pages)]
        below.append(actions(*(button(name, label, lang, value_of(trace.turn_id, to)) for name, label, to in there)))
    return modal(
        texts.STEPS,
        lang,
        [*frame, *pages[page], *below],
        close=texts.CLOSE,
        callback_id=CALLBACK,
        private_metadata=json.dumps({"channel": channel}),
    )


def _pages(blocks: list[Block]) -> Iterator[list[Block]]:
    page: list[Block] = []
    size = 0
    for block in blocks:
        length = sum(len(text) for text in _texts(block))
        if page and (len(page) >= limits.BLOCKS_PER_VIEW - _FRAME or size + length > _PAGE_TEXT):
            yield page
            page, size = [], 0
        page.append(block)
        size += length
    yield page


def _texts(block: Block) -> Iterator[str]:
    yield block.get("text", {}).get("text", "")
    for element in block.get("elements", ()):
        yield element.get("text", "")


def _summary(trace: Trace, lang: Lang) -> str:
    """One line about the turn: how it stands, by which model, how long it took."""
    said = [texts.STATES[trace.state].say(lang)] if trace.state in texts.STATES else []
    model = trace.meta.get("model")
    if isinstance(model, str) and model:
        said.append(texts.MODEL.say(lang, model=quoted(model, _TITLE)))
    if trace.started_at is not None and trace.finished_at is not None:
        seconds = (trace.finished_at - trace.started_at).total_seconds()
        said.append(texts.SECONDS.say(lang, seconds=f"{seconds:.1f}"))
    return " · ".join(said)


def _blocks(trace: Trace, shown: Shown) -> list[Block]:
    lang, live = shown.lang, trace.state in LIVE_STATES
    blocks: list[Block] = []
    for step in trace.steps:
        found = list(_step(step, trace, shown, live))
        blocks += [DIVIDER, *found] if blocks and found else found
    if not blocks:
        blocks = [section(texts.NO_STEPS.say(lang))]
    for label, name in ((texts.SOURCES, "sources"), (texts.NOTES, "notes")):
        listed = _strings(trace.meta.get(name))
        if listed:
            blocks += [DIVIDER, section(f"*{label.say(lang)}*"), *_list(listed)]
    return blocks


def _step(step: StepTrace, trace: Trace, shown: Shown, live: bool) -> Iterator[Block]:
    kind = step.key.partition("/")[0]
    result, detail = _mapping(step.result), _mapping(step.detail)
    if kind == "plan":
        yield from _plan(step, result, trace, shown, live)
    elif kind == "act":
        yield from _act(step, detail, result, shown, live)
    elif kind == "consent":
        yield from _consent(step, detail, result, shown, live)
    elif kind == "conclude":
        yield section(_headline(texts.CONCLUDE.say(shown.lang), _state(step, live, failed=False), shown.lang))
        yield from _labelled(texts.REASONING, result.get("reasoning"), shown)
        yield from _cost(result, shown.lang)


def _plan(step: StepTrace, result: Mapping[str, Any], trace: Trace, shown: Shown, live: bool) -> Iterator[Block]:
    lang, end = shown.lang, _string(result.get("end"))
    yield section(_headline(texts.PLAN.say(lang), _state(step, live, failed=end == "unusable"), lang))
    yield from _labelled(texts.REASONING, result.get("reasoning"), shown)
    yield from _labelled(texts.THOUGHT, result.get("thought"), shown)
    calls = result.get("calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            yield section(f"→ {_call(_string(call.get('tool')), _mapping(call.get('args')), shown)}")
    # The detail is in the language of the answer.
    detail = _string(result.get("detail")) if trace.lang == lang else ""
    why = detail or (texts.ENDS[end].say(lang) if end in texts.ENDS else "")
    if why:
        yield from _sections(why)
    yield from _cost(result, lang)


def _act(
    step: StepTrace, detail: Mapping[str, Any], result: Mapping[str, Any], shown: Shown, live: bool
) -> Iterator[Block]:
    tool = _string(detail.get("tool"))
    title = _call(tool, _mapping(detail.get("args")), shown)
    yield section(_headline(title, _state(step, live, failed=not result.get("ok")), shown.lang, bold=False))
    yield from _labelled(texts.RESULT, result.get("answer_md") or result.get("answer"), shown)
    if urls := _strings(result.get("urls")):
        yield section(f"*{texts.SOURCES.say(shown.lang)}*")
        yield from _list(urls)


def _consent(
    step: StepTrace, detail: Mapping[str, Any], result: Mapping[str, Any], shown: Shown, live: bool
) -> Iterator[Block]:
    lang, allowed = shown.lang, result.get("allow")
    said = {True: texts.ALLOWED, False: texts.DENIED}.get(allowed) if isinstance(allowed, bool) else None
    tool = title_of(shown.titles, _string(detail.get("tool")), lang)
    title = f"{texts.CONSENT.say(lang)} – {tool}"
    state = said.say(lang) if said is not None else _state(step, live, failed=False)
    yield section(_headline(quoted(title, _TITLE), state, lang))


def _headline(title: str, state: str | Text | None, lang: Lang, *, bold: bool = True) -> str:
    said = state.say(lang) if isinstance(state, Text) else state
    return (f"*{title}*" if bold else title) + (f"  _{said}_" if said else "")


def _state(step: StepTrace, live: bool, *, failed: bool) -> Text | None:
    """What a step that did not come to a good end is marked with."""
    if step.state == "started":
        # What was under way when the turn ended (Stop, a crash) has not come to its end.
        return texts.RUNNING if live else texts.FAILED
    return texts.FAILED if failed else None


def _call(tool: str, args: Mapping[str, Any], shown: Shown) -> str:
    given = ", ".join(f"{name}: {value if isinstance(value, str) else _json(value)}" for name, value in args.items())
    title = f"*{quoted(title_of(shown.titles, tool, shown.lang), _TITLE)}*"
    return f"{title}  `{quoted(_one_line(given), _ARGS)}`" if given else title


def _one_line(text: str) -> str:
    """As it stands in a code span."""
    return " ".join(text.replace("`", "ˋ").split())


def _labelled(label: Text, text: object, shown: Shown) -> Iterator[Block]:
    said = _string(text).strip()
    if said:
        yield context(f"*{label.say(shown.lang)}*")
        yield from _sections(said)


def _sections(markdown: str) -> Iterator[Block]:
    """A Markdown text in sections, all of it."""
    yield from (section(text) for text in sections(markdown))


def _list(lines: list[str]) -> Iterator[Block]:
    """Numbered lines, in as many sections as they need."""
    said = ""
    for number, line in enumerate(lines, 1):
        item = f"{number}. {quoted(line, _URL)}"
        if len(said) + len(item) >= limits.SECTION_TEXT:
            yield section(said)
            said = ""
        said += f"\n{item}" if said else item
    if said:
        yield section(said)


def _cost(result: Mapping[str, Any], lang: Lang) -> Iterator[Block]:
    usage = _mapping(result.get("usage"))
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if isinstance(prompt, int) and isinstance(completion, int):
        yield context(texts.TOKENS.say(lang, prompt=f"{prompt:,}", completion=f"{completion:,}"))


def _json(value: object) -> str:
    return cut(json.dumps(value, ensure_ascii=False), _ARGS)


# Rows outlive the programs that wrote them: what isn't as expected is left out.


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _string(found: object) -> str:
    return found if isinstance(found, str) else ""


def _strings(found: object) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
