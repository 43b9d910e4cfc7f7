"""The scenes of the story in Slack: what people do, one after the other; each returns what there is to see."""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.chat import actions
from adapters.slack.controls import home, modals
from agent.language import Text
from tests.fakes.slack.harness import Said
from tests.support import scenes
from tests.support.scenes import file, humans, looked_up, question, with_button
from tests.support.slack_story import Asked, SlackStory
from tests.support.story import (
    FORGET,
    FORGET_FOR_GOOD,
    HELP,
    INSTRUCTIONS,
    LONG,
    NAME,
    OTHER_INSTRUCTIONS,
    SECRET,
    TIDE,
)

__all__ = ["file", "humans", "looked_up", "question"]


async def help_(story: SlackStory) -> str:
    """/kagent help."""
    await story.begin(Text("They ask what it can do", "先看看它能做什么"))
    channel = await story.channel()
    return await story.told(channel, lambda: story.slack.command(story.say(HELP), user=story.user, channel=channel))


async def feedback(story: SlackStory, asked: Asked) -> str:
    """Good, and four of five."""
    story.tell(Text("They rate it", "评价这个回答"))
    said = []
    for action, detail in ((actions.FEEDBACK, 1), (actions.RATE, 4)):

        async def press(action: str = action, value: str = actions.value_of(asked.turn_id, detail)) -> None:
            await story.slack.press(action, value, on=asked.last, user=story.user)

        said.append(await story.told(asked.said.channel, press))
    return "\n".join(said)


async def steps(story: SlackStory, asked: Asked) -> dict[str, Any]:
    """Show steps."""
    story.tell(Text("They look at how it came about", "查看回答的步骤"))
    await story.over(asked)
    view = await story.window(lambda: story.slack.press(actions.STEPS, on=asked.last, user=story.user))
    await story.slack.close(user=story.user)
    return view


async def stop(story: SlackStory) -> Asked:
    """A long answer, ended by Slack's own Stop."""
    await story.begin(Text("A long answer, stopped with Slack's own button", "用 Slack 自带的按钮停止一个长回答"))
    channel = await story.channel()
    said = await story.ask(story.say(LONG), channel, say=story.say(LONG) * 200, gap=0.1)
    await story.slack.until(lambda replay: [m for m in replay.visible(said.place) if m.text.strip()])
    await story.press_stop(said.place)
    # Slack ends the stream at once, the server the answer.
    return await with_button(story, said, actions.RETRY)


class Changed(NamedTuple):
    """Before and after a change of the profile."""

    home: dict[str, Any]
    form: dict[str, Any]
    saved: str
    asked: Asked


async def change(story: SlackStory) -> Changed:
    """App Home; a channel's profile is changed there; the change is seen in the next answer."""
    await story.begin(Text("Another name and manner for one channel", "为一个频道换个名字和风格"))
    channel = await story.channel()
    shown = await story.home()
    form, saved = await save(story, channel, agent_name=NAME, agent_instructions=story.say(INSTRUCTIONS))
    return Changed(shown, form, saved, await scenes.next_answer(story, INSTRUCTIONS, channel))


async def save(story: SlackStory, channel: str, **values: str) -> tuple[dict[str, Any], str]:
    """Open the form of a channel from the App Home, fill it in, save it: the form, and what is said of it."""
    press = (home.CHANNEL, channel)
    form = await story.window(lambda: story.slack.press(*press, home=True, user=story.user))
    told = "; ".join(f"{name} = {value}" for name, value in values.items())
    story.note(Text(f"fills in {told}", f"填写 {told}"))
    filled = {modals.block_id("channel", name): value for name, value in values.items()}
    result = await story.slack.submit(filled, user=story.user)
    assert result["outcome"] == "updated", result
    note = await story.slack.view(user=story.user)
    await story.slack.close(user=story.user)
    return form, str(note)


class RolledBack(NamedTuple):
    """A list of versions, what is said of the one that came back, and the next answer."""

    versions: dict[str, Any]
    restored: dict[str, Any]
    asked: Asked


async def roll_back(story: SlackStory) -> RolledBack:
    """Two versions; the first one is brought back."""
    await story.begin(Text("The older version comes back", "恢复旧版本"))
    channel = await story.channel()
    await story.home()
    await save(story, channel, agent_instructions=story.say(INSTRUCTIONS))
    await save(story, channel, agent_instructions=story.say(OTHER_INSTRUCTIONS))
    press = (home.CHANNEL, channel)
    await story.window(lambda: story.slack.press(*press, home=True, user=story.user))
    versions = await story.window(lambda: story.slack.press(modals.SHOW_VERSIONS, user=story.user))
    restored = await story.window(lambda: story.slack.press(modals.RESTORE, "1", user=story.user))
    await story.slack.close(user=story.user)
    return RolledBack(versions, restored, await scenes.next_answer(story, INSTRUCTIONS, channel))


async def refused(story: SlackStory) -> tuple[list[Asked], Said, str]:
    """As many questions as a channel has in a minute, and one more."""
    channel, asked = await scenes.one_too_many(story)
    late: list[Said] = []

    async def one_more() -> None:
        late.append(await story.ask(story.say(TIDE), channel))

    told = await story.told(channel, one_more)
    return asked, late[0], told


async def forget(story: SlackStory) -> tuple[Asked, str, Asked]:
    """Something is said in confidence, and forgotten for good."""
    await story.begin(Text("Something to be forgotten", "需要忘记的事"))
    channel = await story.channel(story.user)
    told = await story.asked(channel, text=SECRET)
    thread = told.said.thread
    warned = await story.told(channel, lambda: story.bid(FORGET, channel, thread))
    done = await story.answer(await story.bid(FORGET_FOR_GOOD, channel, thread))
    return told, warned, done


async def troubles(story: SlackStory) -> tuple[Asked, dict[str, str]]:
    """A model that fails, and a form with something wrong in it: the reply, and what is said at the form's fields."""
    await story.begin(Text("A model that fails, and a form that is filled in wrongly", "模型出错，表单填写有误"))
    channel = await story.channel()
    failed = await scenes.failed(story, channel)
    await story.home()
    press = (home.CHANNEL, channel)
    await story.window(lambda: story.slack.press(*press, home=True, user=story.user))
    wrong = {modals.block_id("channel", "icon"): "http://"}
    result = await story.slack.submit(wrong, user=story.user)
    await story.slack.close(user=story.user)
    return failed, result["errors"]


async def play(story: SlackStory) -> None:
    """The whole of it."""
    await help_(story)
    asked = await question(story)
    await feedback(story, asked)
    await steps(story, asked)
    for scene in (stop, change, roll_back, humans, file, refused, forget, troubles):
        await scene(story)
    await scenes.killed(story)
