"""The scenes that the stories of all chat platforms have: what people do, one after the other."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

from adapters.chat import actions
from agent.language import Text
from tests.support.story import (
    ABOUT_FILE,
    AFTER,
    ALONE,
    BEFORE,
    CHANNEL_LIMIT,
    FILE,
    HIGH_TIDE,
    LEAVE,
    SAIL,
    TIDE,
    Asked,
    Said,
    Story,
)

S = TypeVar("S", bound=Said)
M = TypeVar("M", bound=Any)


async def question(story: Story[S, M]) -> Asked[S, M]:
    """A mention; the answer grows, with its step, and ends with its source."""
    await story.begin(Text("A question that needs a tool", "一个需要工具的问题"))
    return await looked_up(story, gap=gap(story, HIGH_TIDE))


async def looked_up(story: Story[S, M], **pace: Any) -> Asked[S, M]:
    """A question in a new channel, whose answer needs a tool."""
    plan = 'tide_table{"place": "Rostock"}'
    channel = await story.channel()
    return await story.answer(await story.ask(story.say(TIDE), channel, plan=plan, say=story.say(HIGH_TIDE), **pace))


def gap(story: Story[S, M], text: Text) -> float:
    """Seconds between words with which a text takes longer than an answer that is posted at once."""
    return round(2.4 / max(1, len(story.say(text).split())), 2)


class Humans(NamedTuple):
    """What the bot said among people: an answer, that it leaves, an answer to whoever named it again."""

    asked: Asked[Any, Any]
    left: Asked[Any, Any]
    again: Asked[Any, Any]


async def humans(story: Story[S, M]) -> Humans:
    """People talk among themselves; one of them asks the bot; it is told to leave, and is back when it is named."""
    await story.begin(Text("Three people in a thread", "三个人的消息列"))
    channel = await story.channel()
    first, second = story.others
    who = {"first": first, "second": second, "ours": story.user}
    root = await story.talk(story.say(SAIL), first, channel)
    for name, text in BEFORE:
        await story.speak(story.say(text), who[name], channel, root.thread)
    one = await story.asked(channel, thread=root.thread)
    for name, text in AFTER:
        await story.speak(story.say(text, first=first), who[name], channel, root.thread)
    left = await story.answer(await story.bid(LEAVE, channel, root.thread))
    await story.speak(story.say(ALONE), story.user, channel, root.thread)
    return Humans(one, left, await story.asked(channel, thread=root.thread))


async def file(story: Story[S, M]) -> Asked[S, M]:
    """A file that comes with a question."""
    await story.begin(Text("Notes in a file", "文件里的笔记"))
    channel = await story.channel()
    name = await story.upload("notes.txt", story.say(FILE).encode())
    fake = f"[fake:say={story.say(FILE)}]"
    return await story.answer(await story.mention(f"{story.say(ABOUT_FILE)} {fake}", channel, files=(name,)))


async def one_too_many(story: Story[S, M]) -> tuple[str, list[Asked[S, M]]]:
    """As many questions as a channel has in a minute: the channel, and their replies."""
    await story.begin(Text("One question too many", "超出上限的提问"))
    channel = await story.channel()
    return channel, [await story.asked(channel) for _ in range(CHANNEL_LIMIT)]


async def failed(story: Story[S, M], channel: str) -> Asked[S, M]:
    """A model that refuses to answer."""
    return await with_button(story, await story.ask(story.say(TIDE), channel, status=400), actions.RETRY)


async def killed(story: Story[S, M]) -> Asked[S, M]:
    """The server is killed in the middle of an answer and started again."""
    await story.begin(Text("The server dies in mid-answer and comes back", "回答途中服务被杀死后重启"))
    channel = await story.channel()
    said = await story.ask(story.say(TIDE), channel, say=story.say(HIGH_TIDE), gap=gap(story, HIGH_TIDE))
    await story.shown(said)
    await story.bot.kill()
    await story.start()
    return await with_button(story, said, actions.FEEDBACK)


async def with_button(story: Story[S, M], said: S, action: str) -> Asked[S, M]:
    """The finished reply, once it has the button that only the end has."""
    await story.button(said, action)
    return await story.answer(said)


async def next_answer(story: Story[S, M], instructions: Text, channel: str) -> Asked[S, M]:
    """The next answer, and whether the model was given these instructions for it."""
    asked = await story.asked(channel)
    if story.say(instructions) in str(story.prompts(asked.said)):
        told = story.say(instructions)
        story.note(Text(f"gets an answer of a model that was told: {told}", f"得到了回答，模型收到的要求是：{told}"))
    return asked
