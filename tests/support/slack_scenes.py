"""The scenes of the story: what people do, one after the other; each returns what there is to see."""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.chat import actions
from adapters.slack import home, modals
from agent.language import Text
from tests.fakes.slack.harness import Said
from tests.fakes.slack.prepared import ALICE, BOB, CAROL
from tests.support.slack_story import (
    ABOUT_FILE,
    CHANNEL_LIMIT,
    FILE,
    FORGET,
    FORGET_FOR_GOOD,
    HELP,
    HIGH_TIDE,
    INSTRUCTIONS,
    LEAVE,
    LONG,
    NAME,
    OTHER_INSTRUCTIONS,
    SECRET,
    TIDE,
    Asked,
    Story,
    start,
)


async def help_(story: Story) -> str:
    """/kagent help."""
    await story.begin(Text("They ask what it can do", "先看看它能做什么"))
    channel = await story.channel()
    return await story.told(channel, lambda: story.slack.command(story.say(HELP), user=story.user, channel=channel))


async def question(story: Story) -> Asked:
    """A mention; the answer streams, with a step's row, and ends with its source."""
    await story.begin(Text("A question that needs a tool", "一个需要工具的问题"))
    return await looked_up(story, gap=_gap(story, HIGH_TIDE))


async def looked_up(story: Story, **pace: Any) -> Asked:
    """A question in a new channel, whose answer needs a tool."""
    plan = 'tide_table{"place": "Rostock"}'
    channel = await story.channel()
    return await story.answer(await story.ask(story.say(TIDE), channel, plan=plan, say=story.say(HIGH_TIDE), **pace))


def _gap(story: Story, text: Text) -> float:
    """Seconds between words with which a text takes longer than an answer that is posted at once."""
    return round(2.4 / max(1, len(story.say(text).split())), 2)


async def feedback(story: Story, asked: Asked) -> str:
    """Good, and four of five."""
    story.tell(Text("They rate it", "评价这个回答"))
    said = []
    for action, detail in ((actions.FEEDBACK, 1), (actions.RATE, 4)):

        async def press(action: str = action, value: str = actions.value_of(asked.turn_id, detail)) -> None:
            await story.slack.press(action, value, on=asked.last, user=story.user)

        said.append(await story.told(asked.said.channel, press))
    return "\n".join(said)


async def steps(story: Story, asked: Asked) -> dict[str, Any]:
    """Show steps."""
    story.tell(Text("They look at how it came about", "查看回答的步骤"))
    await story.over(asked)
    view = await story.window(lambda: story.slack.press(actions.STEPS, on=asked.last, user=story.user))
    await story.slack.close(user=story.user)
    return view


async def stop(story: Story) -> Asked:
    """A long answer, ended by Slack's own Stop."""
    await story.begin(Text("A long answer, stopped with Slack's own button", "用 Slack 自带的按钮停止一个长回答"))
    channel = await story.channel()
    said = await story.ask(story.say(LONG), channel, say=story.say(LONG) * 200, gap=0.1)
    await story.slack.until(lambda replay: [m for m in replay.visible(said.place) if m.text.strip()])
    await story.press_stop(said.place)
    # Slack ends the stream at once, the server the answer.
    return await _with_button(story, said, actions.RETRY)


class Changed(NamedTuple):
    """Before and after a change of the profile."""

    home: dict[str, Any]
    form: dict[str, Any]
    saved: str
    asked: Asked


async def change(story: Story) -> Changed:
    """App Home; a channel's profile is changed there; the change is seen in the next answer."""
    await story.begin(Text("Another name and manner for one channel", "为一个频道换个名字和风格"))
    channel = await story.channel()
    shown = await story.home()
    form, saved = await save(story, channel, agent_name=NAME, agent_instructions=story.say(INSTRUCTIONS))
    return Changed(shown, form, saved, await _with(story, INSTRUCTIONS, channel))


async def save(story: Story, channel: str, **values: str) -> tuple[dict[str, Any], str]:
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


async def roll_back(story: Story) -> RolledBack:
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
    return RolledBack(versions, restored, await _with(story, INSTRUCTIONS, channel))


async def _with(story: Story, instructions: Text, channel: str) -> Asked:
    """The next answer, and whether the model was given these instructions for it."""
    asked = await story.asked(channel)
    if story.say(instructions) in str(story.prompts(asked.said)):
        told = story.say(instructions)
        story.note(Text(f"gets an answer of a model that was told: {told}", f"得到了回答，模型收到的要求是：{told}"))
    return asked


class Humans(NamedTuple):
    """What the bot said among people: an answer, that it leaves, an answer to whoever named it again."""

    asked: Asked
    left: Asked
    again: Asked


SAIL = Text("Shall we sail tomorrow?", "明天出海吗？")


async def humans(story: Story) -> Humans:
    """People talk among themselves; one of them asks the bot; it is told to leave, and is back when it is named."""
    await story.begin(Text("Three people in a thread", "三个人的消息列"))
    channel = await story.channel()
    first, second = (BOB, CAROL) if story.user == ALICE else (BOB, ALICE)
    said = story.say
    root = await story.slack.say(said(SAIL), user=first, channel=channel)
    talk = [
        (second, Text("If the weather holds.", "要看天气。")),
        (story.user, Text("I could ask somebody.", "我可以问问。")),
    ]
    thread = {"channel": channel, "thread": root.thread}
    for user, text in talk:
        await story.slack.say(said(text), user=user, **thread)
    one = await story.asked(channel, thread=root.thread)
    more = [
        (first, Text("Good to know.", "知道了。")),
        (second, Text("What do you think, Alice?", "大家觉得呢？")),
        (story.user, Text("Let us go then.", "那就走吧。")),
        (story.user, Text("<@UBOB> and you?", "<@UBOB> 你呢？")),
    ]
    for user, text in more:
        await story.slack.say(said(text), user=user, **thread)
    left = await story.answer(await story.bid(LEAVE, channel, root.thread))
    await story.slack.say(said(Text("Alone at last.", "清静了。")), user=story.user, **thread)
    return Humans(one, left, await story.asked(channel, thread=root.thread))


async def file(story: Story) -> Asked:
    """A file that comes with a question."""
    await story.begin(Text("Notes in a file", "文件里的笔记"))
    channel = await story.channel()
    name = await story.slack.upload("notes.txt", story.say(FILE).encode(), user=story.user, mimetype="text/plain")
    fake = f"[fake:say={story.say(FILE)}]"
    said = await story.slack.ask(f"{story.say(ABOUT_FILE)} {fake}", user=story.user, channel=channel, files=[name])
    return await story.answer(said)


async def refused(story: Story) -> tuple[list[Asked], Said, str]:
    """As many questions as a channel has in a minute, and one more."""
    await story.begin(Text("One question too many", "超出上限的提问"))
    channel = await story.channel()
    asked = [await story.asked(channel) for _ in range(CHANNEL_LIMIT)]
    late: list[Said] = []

    async def one_more() -> None:
        late.append(await story.ask(story.say(TIDE), channel))

    told = await story.told(channel, one_more)
    return asked, late[0], told


async def forget(story: Story) -> tuple[Asked, str, Asked]:
    """Something is said in confidence, and forgotten for good."""
    await story.begin(Text("Something to be forgotten", "需要忘记的事"))
    channel = await story.channel(story.user)
    told = await story.asked(channel, text=SECRET)
    thread = told.said.thread
    warned = await story.told(channel, lambda: story.bid(FORGET, channel, thread))
    done = await story.answer(await story.bid(FORGET_FOR_GOOD, channel, thread))
    return told, warned, done


async def troubles(story: Story) -> tuple[Asked, dict[str, str]]:
    """A model that fails, and a form with something wrong in it: the reply, and what is said at the form's fields."""
    await story.begin(Text("A model that fails, and a form that is filled in wrongly", "模型出错，表单填写有误"))
    channel = await story.channel()
    failed = await _with_button(story, await story.ask(story.say(TIDE), channel, status=400), actions.RETRY)
    await story.home()
    press = (home.CHANNEL, channel)
    await story.window(lambda: story.slack.press(*press, home=True, user=story.user))
    wrong = {modals.block_id("channel", "icon"): "http://"}
    result = await story.slack.submit(wrong, user=story.user)
    await story.slack.close(user=story.user)
    return failed, result["errors"]


async def killed(story: Story) -> Asked:
    """The server is killed in the middle of an answer and started again."""
    await story.begin(Text("The server dies in mid-answer and comes back", "回答途中服务被杀死后重启"))
    channel = await story.channel()
    said = await story.ask(story.say(TIDE), channel, say=story.say(HIGH_TIDE), gap=_gap(story, HIGH_TIDE))
    await story.slack.until(lambda replay: [m for m in replay.visible(said.place) if m.text.strip()])
    await story.bot.kill()
    await start(story.bot, story.slack, story.mode)
    # The stream that was left open is ended first, and gone on with as a message.
    return await _with_button(story, said, actions.FEEDBACK)


async def _with_button(story: Story, said: Said, action_id: str) -> Asked:
    """The finished reply, once it has the button that only the end has."""
    await story.slack.until(lambda replay: any(action_id in m.buttons for m in replay.visible(said.place)), 60.0)
    return await story.answer(said)


async def play(story: Story) -> None:
    """The whole of it."""
    await help_(story)
    asked = await question(story)
    await feedback(story, asked)
    await steps(story, asked)
    for scene in (stop, change, roll_back, humans, file, refused, forget, troubles, killed):
        await scene(story)
