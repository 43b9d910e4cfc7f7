"""The scenes of the story in Discord: what people do, one after the other; each returns what there is to see."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, NamedTuple

from adapters.chat import actions
from adapters.discord.controls import modals, steps_view
from agent.language import Text
from tests.fakes.discord.harness import Said
from tests.fakes.discord.prepared import FORUM_CHANNEL, QUESTION
from tests.fakes.discord.replay import BotMessage
from tests.support import scenes
from tests.support.discord_story import Asked, DiscordStory, has, visible
from tests.support.scenes import with_button
from tests.support.story import (
    FORGET_FOR_GOOD,
    INSTRUCTIONS,
    LONG,
    NAME,
    OTHER_INSTRUCTIONS,
    SECRET,
    SHORT,
    SHORT_ANSWER,
    TIDE,
)

#: Words that a question is changed into.
EDITED = Text("And tomorrow?", "那明天呢？")
EDITED_ANSWER = Text("Tomorrow, too.", "明天也是。")
#: Seconds that the model takes before it begins, so that something can happen before.
_SLOW = 2.0


async def help_(story: DiscordStory) -> str:
    """/kagent help."""
    await story.begin(Text("They ask what it can do", "先看看它能做什么"))
    return (await story.command("help", await story.channel())).text


async def feedback(story: DiscordStory, asked: Asked) -> list[str]:
    """A thumb; the thanks have five buttons, of which the fourth is pressed."""
    story.tell(Text("They rate it", "评价这个回答"))
    thumb, four = (actions.value_of(asked.turn_id, value) for value in (1, 4))
    thanks = await story.answered(lambda: story.press(actions.FEEDBACK, thumb, asked.last))
    first = thanks.text
    rated = await story.answered(lambda: story.press(actions.RATE, four, thanks))
    return [first, rated.text]


async def steps(story: DiscordStory, asked: Asked) -> str:
    """Show steps, page by page."""
    story.tell(Text("They look at how it came about", "查看回答的步骤"))
    await story.over(asked)
    value = actions.value_of(asked.turn_id)
    page = await story.answered(lambda: story.press(actions.STEPS, value, asked.last))
    found, number = [page.text], 0
    while (following := f"{steps_view.PAGE}:{actions.value_of(asked.turn_id, number + 1)}") in page.buttons:
        turn = partial(story.discord.press, following, on=page, user=story.user)
        page = await story.answered(turn)
        found.append(page.text)
        number += 1
    return "\n".join(found)


async def stop(story: DiscordStory) -> Asked:
    """A long answer, ended by our Stop button."""
    await story.begin(Text("A long answer, stopped", "停止一个长回答"))
    channel = await story.channel()
    said = await story.ask(story.say(LONG), channel, say=story.say(LONG) * 40, gap=0.1)
    await story.button(said, actions.STOP)
    [running] = [m for m in visible(await story.discord.replay(), said) if has(m, actions.STOP)]
    await story.discord.press(actions.STOP, on=running, user=story.user)
    return await with_button(story, said, actions.RETRY)


class Changed(NamedTuple):
    """A change of the profile: the panel, the forms, what was said of them, and the next answer."""

    panel: str
    forms: list[dict[str, Any]]
    saved: list[str]
    asked: Asked


async def change(story: DiscordStory) -> Changed:
    """A channel gets a name and instructions of its own by two forms; the next answer has them."""
    await story.begin(Text("Another name and manner for one channel", "为一个频道换个名字和风格"))
    channel = await story.channel()
    panel = await story.command("profile edit", channel)
    shown, forms, saved = panel.text, [], []
    for page, values in (
        ("who", {"agent_name": NAME}),
        ("instructions", {"agent_instructions": story.say(INSTRUCTIONS)}),
    ):
        forms.append(await story.form(f"{modals.OPEN}:channel:{page}", panel))
        saved.append((await story.submit(**values)).text)
    return Changed(shown, forms, saved, await scenes.next_answer(story, INSTRUCTIONS, channel))


class RolledBack(NamedTuple):
    """A list of versions, the question whether one is sure, what is said afterwards, and the next answer."""

    versions: str
    sure: str
    restored: str
    asked: Asked


async def roll_back(story: DiscordStory) -> RolledBack:
    """Two versions; the first one is brought back."""
    await story.begin(Text("The older version comes back", "恢复旧版本"))
    channel = await story.channel()
    panel = await story.command("profile edit", channel)
    for instructions in (INSTRUCTIONS, OTHER_INSTRUCTIONS):
        await story.form(f"{modals.OPEN}:channel:instructions", panel)
        await story.submit(agent_instructions=story.say(instructions))

    async def press(name: str, values: list[str] | None = None) -> str:
        shown = await story.answered(lambda: story.discord.press(name, on=panel, values=values, user=story.user))
        assert shown.id == panel.id
        return shown.text

    versions = await press(f"{modals.VERSIONS}:channel")
    sure = await press(f"{modals.PICK}:channel", ["1"])
    restored = await press(f"{modals.RESTORE}:channel:1")
    return RolledBack(versions, sure, restored, await scenes.next_answer(story, INSTRUCTIONS, channel))


async def refused(story: DiscordStory) -> tuple[list[Asked], Said, list[BotMessage]]:
    """As many questions as a channel has in a minute, and one more; what is said to that one."""
    channel, asked = await scenes.one_too_many(story)
    late = await story.ask(story.say(TIDE), channel)
    await story.discord.until(lambda replay: [m for m in replay.visible() if m.reply_to == late.message])
    told = [m for m in (await story.discord.replay()).visible() if m.reply_to == late.message]
    return asked, late, told


async def forget(story: DiscordStory) -> tuple[Asked, str, Asked]:
    """Something is said in confidence, and forgotten for good."""
    await story.begin(Text("Something to be forgotten", "需要忘记的事"))
    channel = await story.channel()
    told = await story.asked(channel, text=SECRET)
    thread = told.said.thread
    warned = await story.command("forget this", thread)
    done = await story.answer(await story.bid(FORGET_FOR_GOOD, channel, thread))
    return told, warned.text, done


async def troubles(story: DiscordStory) -> tuple[Asked, str]:
    """A model that fails, and a form with something wrong in it: the reply, and what is said of the form."""
    await story.begin(Text("A model that fails, and a form that is filled in wrongly", "模型出错，表单填写有误"))
    channel = await story.channel()
    failed = await scenes.failed(story, channel)
    panel = await story.command("profile edit", channel)
    await story.form(f"{modals.OPEN}:channel:who", panel)
    return failed, (await story.submit(icon="http://")).text


async def edited(story: DiscordStory) -> Asked:
    """A question is changed before it is answered."""
    await story.begin(Text("A question that is changed while it is being answered", "回答途中修改问题"))
    said = await story.ask(story.say(SHORT), await story.channel(), say=story.say(SHORT_ANSWER), first=_SLOW)
    await story.model.until(lambda calls: any(said.marker in call.user for call in calls))
    words = f"{story.say(EDITED)} [fake:say={story.say(EDITED_ANSWER)}] {said.marker}"
    await story.discord.edit(said, f"<@{story.discord.application_id}> {words}")
    return await story.answer(said)


async def deleted(story: DiscordStory) -> Said:
    """A question is deleted before it is answered."""
    await story.begin(Text("A question that is deleted while it is being answered", "回答途中删除问题"))
    said = await story.ask(story.say(SHORT), await story.channel(), say=story.say(SHORT_ANSWER), first=_SLOW)
    await story.model.until(lambda calls: any(said.marker in call.user for call in calls))
    await story.discord.delete(said)
    calls = await story.model.until(
        lambda calls: any(said.marker in call.user and call.outcome == "aborted" for call in calls), 20.0
    )
    assert calls
    return said


async def direct(story: DiscordStory) -> list[Asked]:
    """Two questions in private, without a mention."""
    await story.begin(Text("In private", "私信"))
    fake = story.directed(say=story.say(SHORT_ANSWER))
    found = []
    for text in (TIDE, SHORT):
        said = await story.discord.ask(story.say(text) + fake, direct=True, user=story.user)
        found.append(await story.answer(said))
    return found


async def in_place(story: DiscordStory) -> tuple[str, Asked, Asked]:
    """A channel's profile says that it answers there; a reply to the answer goes on."""
    await story.begin(Text("Answers in the channel itself", "直接在频道中回答"))
    channel = await story.channel()
    told = await story.command("profile set", channel, name="answer_in", value="channel")
    asked = await story.asked(channel)
    words = story.say(TIDE) + story.directed(say=story.say(SHORT_ANSWER))
    said = await story.discord.ask(words, user=story.user, channel=channel, mention=False, reply_to=asked.last.message)
    return told.text, asked, await story.answer(said)


async def away(story: DiscordStory) -> list[Asked]:
    """Questions in a channel, a thread and in private while the server is down."""
    await story.begin(Text("Questions while it is down", "离线期间的提问"))
    channel = await story.channel()
    before = await story.asked(channel)
    await story.bot.kill()
    fake = story.directed(say=story.say(SHORT_ANSWER))
    said = [
        await story.ask(story.say(SHORT), channel, say=story.say(SHORT_ANSWER)),
        await story.ask(story.say(SHORT), channel, thread=before.said.thread, say=story.say(SHORT_ANSWER)),
        await story.discord.ask(story.say(TIDE) + fake, direct=True, user=story.user),
    ]
    await story.start()
    return [await story.answer(one) for one in said]


async def long(story: DiscordStory) -> tuple[Asked, str]:
    """An answer that is longer than anybody scrolls: its reply, and the file."""
    await story.begin(Text("An answer that is longer than five messages", "超过五条消息的长回答"))
    said = await story.ask(story.say(LONG), await story.channel(), tokens=2_400, gap=0.0)
    asked = await story.answer(said, 60.0)
    [file] = asked.last.file_ids
    return asked, (await story.discord.download(file)).decode()


async def post(story: DiscordStory) -> list[Asked]:
    """A post in the forum, and what is said in it then without a mention."""
    await story.begin(Text("A post in the forum", "论坛帖子"))
    words = story.say(TIDE) + story.directed(say=story.say(SHORT_ANSWER))
    name = story.say(Text("Tides", "潮汐"))
    said = await story.discord.ask(words, post=name, channel=FORUM_CHANNEL, user=story.user, tags=[QUESTION])
    first = await story.answer(said)
    more = story.say(SHORT) + story.directed(say=story.say(SHORT_ANSWER))
    said = await story.discord.ask(more, user=story.user, channel=said.channel, mention=False)
    return [first, await story.answer(said)]


def plain(text: str) -> str:
    """A text without its marks."""
    return re.sub(r"[*_`~\\]", "", text)


async def play(story: DiscordStory) -> None:
    """The whole of it."""
    await help_(story)
    asked = await scenes.question(story)
    await feedback(story, asked)
    await steps(story, asked)
    for scene in (stop, change, roll_back):
        await scene(story)
    await scenes.humans(story)
    await scenes.file(story)
    for again in (refused, edited, deleted, direct, in_place, post, long, forget, troubles):
        await again(story)
    await scenes.killed(story)
    await away(story)
