"""Attached files in a prompt: late, between marks that their text can't end, and called what they are: data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from agent import texts
from agent.language import Lang
from agent.llm.chat import ChatRequest
from agent.llm.images import Image
from agent.styles import thread
from agent.styles.base import Ask, AskPlan, Excerpt
from agent.task import Task
from agent.tools.documents import shown_name

Asked = TypeVar("Asked", bound=Ask | AskPlan)


@dataclass(frozen=True, slots=True)
class Attached:
    """A question's files as its prompt has them."""

    #: "" for no files.
    text: str = ""
    excerpts: tuple[Excerpt, ...] = ()
    images: tuple[Image, ...] = ()


def attached(task: Task) -> Attached:
    """The files of the task's question, after what else was said in the conversation."""
    lang = task.lang
    heard = thread.excerpt(task)
    excerpts = [] if heard is None else [heard]
    parts = [part for part in (thread.introduction(task), heard.whole if heard else "") if part]
    if task.files:
        heading = texts.PROMPT_FILES if own(task) else texts.PROMPT_FILES_EARLIER
        parts.append(heading.say(lang))
    for number, file in enumerate(task.files, 1):
        name = shown_name(file.name)
        if file.problem is not None:
            parts.append(texts.PROMPT_UNREAD.say(lang, problem=file.problem.say(lang)))
        elif file.image is not None:
            parts.append(texts.PROMPT_PICTURE.say(lang, name=name))
        else:
            opening = f'<attached_file number="{number}" name="{name}">\n'
            excerpts.append(Excerpt(name, opening, thread.unmarked(file.text), "\n</attached_file>"))
            parts.append(excerpts[-1].whole)
    images = tuple(file.image for file in task.files if file.image is not None and file.problem is None)
    return Attached("\n".join(parts), tuple(excerpts), images)


def own(task: Task) -> bool:
    """Whether files came with the question itself."""
    return any(not file.earlier for file in task.files)


def words(task: Task) -> str:
    """The question; where it has no words but files, what to do with them."""
    return texts.PROMPT_ONLY_FILES.say(task.lang) if own(task) and not task.question.strip() else task.question


def notes(task: Task) -> tuple[str, ...]:
    """What people should know about the files, whoever answers; of earlier ones, the earlier answer has said it."""
    if not own(task):
        return ()
    lang = task.lang
    problems = (file.problem.say(lang) for file in task.files if file.problem is not None)
    long = (
        texts.NOTE_FILE_LONG.say(lang, name=shown_name(file.name), count=len(file.text))
        for file in task.files
        if file.cut
    )
    return (*problems, *long)


def cut_notes(excerpts: Sequence[Excerpt], cut: Sequence[int], lang: Lang) -> tuple[str, ...]:
    """Which files had to be shortened for the model's window. `cut`: characters, for each of them."""
    return tuple(
        texts.NOTE_FILE_CUT.say(lang, name=file.name, count=count)
        for file, count in zip(excerpts, cut, strict=False)
        # What others said has no name; old words left out are no surprise to anybody.
        if count and file.name
    )


def unused_notes(task: Task) -> tuple[str, ...]:
    """For an answer that had no use for the files."""
    return (texts.NOTE_FILES_UNUSED.say(task.lang),) if own(task) else ()


def named(names: Iterable[str], lang: Lang) -> str:
    """Several files in a sentence."""
    return texts.NAMES_SEPARATOR.say(lang).join(texts.NAMED_FILE.say(lang, name=name) for name in names)


def images_of(asked: Ask | AskPlan) -> tuple[Image, ...]:
    """The pictures of the question."""
    return asked.request.messages[-1].images


def with_images(asked: Asked, count: int, lang: Lang) -> Asked:
    """The same question with the first so many of its pictures; of the others it says that they can't be seen."""
    images = images_of(asked)
    if count >= len(images):
        return asked
    said = texts.PROMPT_UNSEEN.say(lang, names=named((shown_name(one.name) for one in images[count:]), lang))

    def shown(request: ChatRequest) -> ChatRequest:
        *before, last = request.messages
        changed = replace(last, content=f"{last.content}\n\n{said}", images=images[:count])
        return replace(request, messages=(*before, changed))

    smaller = tuple(replace(variant, request=shown(variant.request)) for variant in asked.smaller)
    return replace(asked, request=shown(asked.request), smaller=smaller)
