"""What else was said in a conversation of several people, as its prompt has it: data between marks, like a file."""

from __future__ import annotations

import re
from typing import Final

from agent import texts
from agent.styles.base import Excerpt
from agent.task import Task
from agent.tools.documents import shown_name

#: What could pass for the marks of a prompt's blocks. Gives no blanks back: a file may have a million of them.
_MARKS: Final = re.compile(r"<(?=\s*+/?\s*+(?:attached_file|completed_tasks|conversation))", re.IGNORECASE)
#: Characters of one message; who has more to say can be asked to say it again.
_MOST: Final = 2_000


def introduction(task: Task) -> str:
    """What the excerpt is, and who asks; "" where nobody else is there."""
    said = texts.PROMPT_OVERHEARD.say(task.lang) if task.overheard else ""
    asks = texts.PROMPT_ASKER.say(task.lang, name=shown_name(task.asker.name)) if task.asker.name else ""
    return " ".join(part for part in (asks, said) if part)


def excerpt(task: Task) -> Excerpt | None:
    """The messages that were not for the agent, oldest first, each with its time and author; None for none."""
    if not task.overheard:
        return None
    lines = [f"[{one.at:%m-%d %H:%M}] {shown_name(one.author)}: {_indented(one.text)}" for one in task.overheard]
    return Excerpt("", "<conversation>\n", unmarked("\n".join(lines)), "\n</conversation>")


def unmarked(text: str) -> str:
    """The text without anything that could pass for the marks of a prompt's blocks."""
    return _MARKS.sub("< ", text)


def _indented(text: str) -> str:
    """A message whose second line doesn't look like somebody else's message."""
    return text[:_MOST].replace("\n", "\n  ")
