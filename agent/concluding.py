"""The end of a run: the answer, written by a model or taken from what the tools gave."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, dataclass

from agent import texts
from agent.addresses import known_addresses, unknown_in
from agent.asking import Call, with_more
from agent.events import AgentEvent, Finished, TextDelta, TextReset, Usage
from agent.journal import Json
from agent.llm.chat import ModelError
from agent.planning import MAX_REPLY
from agent.run import Run
from agent.styles import files
from agent.styles.base import Ask, Done, Verbatim
from agent.styles.noagent import left_out_note
from agent.tools.documents import shown_name

#: Addresses that are named in a note.
_NAMED = 3
#: How a plan or a tool call begins, as far as it has come; and the characters after which it is none.
_LIKE_A_CALL = re.compile(r"\s*(?:$|\{|\[\s*(?:$|\{)|`{1,2}$|```\w*\s*(?:$|[{\[])|<(?:$|t))")
_MOST_HELD = 4000


@dataclass(frozen=True, slots=True)
class Before:
    """What the planning of a run left for its conclusion."""

    done: tuple[Done, ...] = ()
    usage: Usage = Usage()
    #: Endpoints that could not answer.
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Conclusion:
    """A conclusion as the journal has it."""

    text: str
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    model: str | None = None
    #: Of the conclusion's own calls.
    usage: Usage = Usage()
    reasoning: str = ""

    def finished(self, before: Before) -> Finished:
        return Finished(self.text, self.notes, self.sources, self.model, before.usage.plus(self.usage))


async def conclude(run: Run, before: Before) -> AsyncGenerator[AgentEvent, None]:
    """Give the answer; the last event is `Finished`. Raises `ModelError`."""
    found = run.journal.recall("conclude")
    if found is not None and found.state == "done":
        conclusion = _from_json(found.result)
        yield TextDelta(conclusion.text)
        yield conclusion.finished(before)
        return

    task = run.task
    demo = run.pool.serving(task.profile.model).demo
    asked = run.style.conclude(task, before.done, demo=demo, tools=run.tools)
    await run.journal.begin("conclude")
    if isinstance(asked, Verbatim):
        conclusion = _Conclusion(asked.text, asked.notes, asked.sources)
        await run.journal.finish("conclude", _to_json(conclusion))
        yield TextDelta(conclusion.text)
        yield conclusion.finished(before)
        return

    question, usage, reasoning = asked, Usage(), ""
    for last_try in (False, True):
        call = Call(run, question)
        async with aclosing(_told(call, asked)) as events:
            async for event in events:
                yield event
        usage, reasoning = usage.plus(call.usage), reasoning or call.reasoning
        if call.text.strip() and _is_answer(asked, call.text):
            conclusion = _written(run, before, asked, call, usage, reasoning)
            break
        if call.text:
            yield TextReset()
        if call.text.strip():
            question = with_more(asked, texts.PROMPT_NO_CALL.say(task.lang))
        if last_try and not before.done:
            raise ModelError("empty", "two replies without any text for people")
    else:
        conclusion = _from_results(run, before, usage, reasoning)
        yield TextDelta(conclusion.text)
    await run.journal.finish("conclude", _to_json(conclusion))
    yield conclusion.finished(before)


async def _told(call: Call, asked: Ask) -> AsyncGenerator[TextDelta | TextReset, None]:
    """The call's text as it comes. One that begins like a plan or a tool call is held back until its end tells."""
    held, given = "", False
    async with aclosing(call.events()) as events:
        async for event in events:
            if isinstance(event, TextReset):
                held = ""
                if given:
                    given = False
                    yield event
                continue
            held += event.text
            if not given and asked.is_answer is not None and len(held) < _MOST_HELD and _LIKE_A_CALL.match(held):
                continue
            yield TextDelta(held)
            held, given = "", True
    if held and _is_answer(asked, call.text):
        yield TextDelta(held)


def _is_answer(asked: Ask, text: str) -> bool:
    return asked.is_answer is None or asked.is_answer(text[:MAX_REPLY])


def _written(run: Run, before: Before, asked: Ask, call: Call, usage: Usage, reasoning: str) -> _Conclusion:
    lang = run.task.lang
    notes = list(asked.notes)
    if call.cut:
        notes.insert(0, texts.NOTE_REPLY_CUT.say(lang))
    if call.fitted is not None:
        notes += left_out_note(call.fitted.left_out, lang)
        if call.fitted.memory_cut:
            notes.append(texts.NOTE_MEMORY_CUT.say(lang, count=call.fitted.memory_cut))
        notes += files.cut_notes(asked.files, call.fitted.files_cut, lang)
    notes += files.notes(run.task)
    if call.unseen and files.own(run.task):
        unseen = texts.NOTE_CANNOT_SEE if call.blind else texts.NOTE_NOT_SHOWN
        notes.append(unseen.say(lang, names=files.named(map(shown_name, call.unseen), lang)))
    # One that could not plan may have come back for the answer.
    failed = [name for name in dict.fromkeys((*before.instead_of, *call.instead_of)) if name != call.endpoint]
    if failed:
        others = texts.FAILED_SEPARATOR.say(lang).join(texts.FAILED_ENDPOINT.say(lang, name=name) for name in failed)
        notes.append(texts.NOTE_FAILED_OVER.say(lang, name=call.endpoint, others=others))
    text = call.text
    if unknown := unknown_in(text, known_addresses(run.task, before.done)):
        named = ", ".join(f"`{address}`" for address in unknown[:_NAMED])
        notes.append(texts.NOTE_UNKNOWN_ADDRESSES.say(lang, addresses=named))
    return _Conclusion(text, tuple(notes), _sources(before.done), call.model, usage, reasoning)


def _from_results(run: Run, before: Before, usage: Usage, reasoning: str) -> _Conclusion:
    """An answer without a model's: what the tools gave."""
    useful = [item for item in before.done if item.ok] or list(before.done)
    parts = [texts.NO_CONCLUSION.say(run.task.lang), *(item.result.answer_md for item in useful)]
    return _Conclusion("\n\n".join(parts), sources=_sources(before.done), usage=usage, reasoning=reasoning)


def _sources(done: tuple[Done, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(url for item in done if item.ok for url in item.result.urls))


def _to_json(conclusion: _Conclusion) -> Json:
    return asdict(conclusion)


def _from_json(row: Json) -> _Conclusion:
    return _Conclusion(
        row["text"],
        notes=tuple(row["notes"]),
        sources=tuple(row["sources"]),
        model=row["model"],
        usage=Usage(**row["usage"]),
        reasoning=row.get("reasoning", ""),
    )
