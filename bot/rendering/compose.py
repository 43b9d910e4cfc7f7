"""A reply as one Markdown text: the whole of it at the end, and what a draft shows where a platform has no rows for
steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.language import Lang, Text
from bot.messages import Draft, Final, StepView
from bot.present import title_of
from bot.rendering.split import closed, fenced

SOURCES = Text("Sources", "来源")

_SIGNS = {"running": "…", "done": "✓", "failed": "✗"}
_URL = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_ESCAPED = re.compile(r"[\\`*_~\[\]<>&|]")
#: What would end the address, or be taken for a mark, on one platform or another.
_UNSAFE_IN_URL = re.compile(r"[<>()|*\\^`{}\"\x00-\x1f\x7f]")


def compose(final: Final) -> str:
    """The whole reply: the text, remarks in italics, numbered sources. A refusal or failure is its sentence alone."""
    if final.outcome in ("refused", "failed"):
        return final.text.strip()
    blocks = [fenced(final.text.rstrip())] if final.text.strip() else []
    blocks += [remark(note) for note in final.notes if note.strip()]
    if final.sources:
        listed = (f"{number}. {source_link(source)}" for number, source in enumerate(final.sources, 1))
        blocks.append(f"**{SOURCES.say(final.lang)}**\n\n" + "\n".join(listed))
    return "\n\n".join(blocks)


def working(draft: Draft, titles: Mapping[str, Text], lang: Lang) -> str:
    """A draft as one text: its steps, what is going on, the text so far, and the question that a person has to answer.

    "" while there is nothing to show.
    """
    blocks = ["\n".join(step_line(step, titles, lang) for step in draft.steps if step.tool)]
    blocks += [remark(draft.status), closed(draft.text.rstrip())]
    if draft.consent is not None:
        blocks.append("\n".join(f"> {line}".rstrip() for line in escaped(draft.consent.question).splitlines()))
    return "\n\n".join(block for block in blocks if block)


def step_line(step: StepView, titles: Mapping[str, Text], lang: Lang) -> str:
    """One step as an item of a list."""
    return f"- {_SIGNS[step.state]} {escaped(title_of(titles, step.tool, lang))}"


def remark(note: str) -> str:
    """A short text of ours, which may hold code spans, in italics; as it is where its own marks would end them."""
    line = " ".join(note.split())
    return f"*{line}*" if line and "*" not in line else line


def source_link(source: str) -> str:
    """A source (an address, or a title with its address behind it) as a link; other text as it is."""
    words = " ".join(source.split())
    found = _URL.search(words)
    if found is None:
        return escaped(words)
    title = words[: found.start()].strip(" -–—:：|<([") if found.end() == len(words) else ""
    if found.start() and not title:
        return escaped(words)
    url = _UNSAFE_IN_URL.sub(lambda bad: "".join(f"%{byte:02X}" for byte in bad[0].encode()), found[0])
    return f"[{escaped(title)}]({url})" if title else f"<{url}>"


def escaped(text: str) -> str:
    """Plain text as Markdown shows it unchanged."""
    return _ESCAPED.sub(r"\\\g<0>", text)
