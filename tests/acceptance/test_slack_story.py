"""People with the bot in Slack: the real server as a process, the fake Slack, in English and in Chinese.

One server for each language: Alice's is reached over sockets, Carol's over HTTP. Every scene has a channel of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from agent.language import Lang, Text
from tests.fakes.slack.judge import replies
from tests.fakes.slack.sim_screen import view_text
from tests.support import scenes as common
from tests.support import slack_scenes as scenes
from tests.support.process import is_one_sentence
from tests.support.slack_story import SlackStory as Story
from tests.support.slack_story import story
from tests.support.story import (
    ABOUT_FILE,
    CHANNEL_LIMIT,
    FILE,
    HIGH_TIDE,
    INSTRUCTIONS,
    NAME,
    OTHER_INSTRUCTIONS,
    SAIL,
    SECRET,
)
from tests.support.words import foreign, wrong

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=[("en", "socket"), ("zh", "http")], ids=["en-socket", "zh-http"]
)
async def told(request: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    """A story that has begun."""
    lang, mode = request.param
    async with story(tmp_path_factory.mktemp("story"), lang, mode) as begun:
        yield begun


async def all_is_in_one_language(story: Story) -> None:
    """What our person saw in this scene is in their language, and the check would have noticed the other one."""
    texts = await story.seen()
    other: Lang = "en" if story.lang == "zh" else "zh"
    assert wrong(texts, story.lang) == {}
    assert wrong(texts, other), "nothing in this scene could have been wrong"


def shown(view: dict[str, Any]) -> str:
    """A window or an App Home as text."""
    return view_text(view)


async def test_help_is_told_to_whoever_asks(told: Story) -> None:
    said = await scenes.help_(told)
    assert told.say(Text("help", "帮助")) in said
    assert len(said.splitlines()) > 10
    await all_is_in_one_language(told)


async def test_an_answer_streams_with_its_steps_and_ends_with_its_source(told: Story) -> None:
    asked = await scenes.question(told)
    calls = [entry for entry in await told.entries() if entry["kind"] == "call"]
    methods = [call["method"] for call in calls]
    started = methods.index("chat.startStream")
    # A sign at once, then the stream, before the answer was complete, with the step as a row of it.
    assert methods.index("assistant.threads.setStatus") < started
    assert "https://tides.example/today" not in str(calls[started])
    assert told.say(HIGH_TIDE)[-4:] not in str(calls[started]["arguments"])
    rows = {row["title"]: row["status"] for message in asked.reply.messages for row in message.tasks}
    assert rows == {told.say(Text("Tide table: Rostock", "潮汐表：Rostock")): "complete"}
    assert methods.count("chat.stopStream") == 1
    assert "**Rostock**" in asked.reply.text
    assert "https://tides.example/today" in asked.reply.text
    assert {"kagent.feedback", "kagent.rate", "kagent.steps"} <= set(asked.last.buttons)
    await all_is_in_one_language(told)


async def test_ratings_are_kept_with_agent_system_and_model(told: Story) -> None:
    await told.begin(Text("They rate an answer", "评价一个回答"))
    asked = await told.asked(await told.channel())
    thanked = await scenes.feedback(told, asked)
    assert told.say(Text("4 of 5", "4 分")) in thanked
    kept = told.row("SELECT value, rating, style, model FROM feedback WHERE turn_id = ?", asked.turn_id)
    assert kept == {"value": 1, "rating": 4, "style": "kuaiagent", "model": "fake-model"}
    await all_is_in_one_language(told)


async def test_the_steps_of_an_answer_open_in_a_window(told: Story) -> None:
    await told.begin(Text("They look something up", "查询"))
    asked = await scenes.looked_up(told)
    text = shown(await scenes.steps(told, asked))
    assert told.say(Text("Tide table", "潮汐表")) in text
    assert "place: Rostock" in text
    assert "https://tides.example/today" in text
    assert "fake-model" in text
    await all_is_in_one_language(told)


async def test_slack_s_own_stop_ends_a_long_answer(told: Story) -> None:
    asked = await scenes.stop(told)
    assert told.say(Text("Stopped.", "已停止。")) in asked.reply.text
    ended = [call for call in told.model.calls() if asked.said.marker in call.user]
    assert ended[-1].outcome == "aborted"
    await told.over(asked)
    state = told.row("SELECT state, end_asked_by FROM turn WHERE id = ?", asked.turn_id)
    assert state == {"state": "stopped", "end_asked_by": told.user}
    await all_is_in_one_language(told)


async def test_a_changed_profile_is_seen_in_the_next_answer(told: Story) -> None:
    changed = await scenes.change(told)
    # The Home says what holds and where it is from.
    assert told.say(Text("settings", "设置文件")) in shown(changed.home)
    assert told.say(Text("Instructions", "要求")) in shown(changed.home)
    assert told.say(Text("version 1", "版本 1")) in changed.saved
    assert told.say(INSTRUCTIONS) in told.prompts(changed.asked.said)[-1]
    assert changed.asked.last.username == NAME
    await all_is_in_one_language(told)


async def test_an_older_version_of_the_profile_comes_back(told: Story) -> None:
    rolled = await scenes.roll_back(told)
    assert told.say(Text("Version 2", "版本 2")) in shown(rolled.versions)
    assert told.say(Text("version 3", "版本 3")) in shown(rolled.restored)
    asked = told.prompts(rolled.asked.said)[-1]
    assert told.say(INSTRUCTIONS) in asked
    assert told.say(OTHER_INSTRUCTIONS) not in asked
    await all_is_in_one_language(told)


async def test_among_three_people_it_speaks_only_when_it_is_named(told: Story) -> None:
    humans = await scenes.humans(told)
    # Two answers and the word with which it leaves: everything else in the thread is people's own.
    there = [reply for reply in replies(await told.slack.replay()) if reply.place == humans.left.said.place]
    wanted = [humans.asked.reply, humans.left.reply, humans.again.reply]
    assert [reply.id for reply in there] == [reply.id for reply in wanted]
    assert await told.slack.ephemerals(told.user, humans.left.said.channel) == []
    # What a command replies is nothing to be rated.
    assert humans.left.last.buttons == []
    # What the others said before was read.
    assert told.say(SAIL) in told.prompts(humans.asked.said)[-1]
    await all_is_in_one_language(told)


async def test_an_attached_file_is_read(told: Story) -> None:
    asked = await scenes.file(told)
    prompt = told.prompts(asked.said)[-1]
    assert told.say(FILE) in prompt.replace(f"[fake:say={told.say(FILE)}]", "")
    assert told.say(ABOUT_FILE) in prompt
    await all_is_in_one_language(told)


async def test_a_refused_question_is_told_in_private_once(told: Story) -> None:
    asked, late, said = await scenes.refused(told)
    assert len(asked) == CHANNEL_LIMIT
    assert told.say(Text("ask me again from", "再问我")) in said
    assert len(await told.slack.ephemerals(told.user, late.channel)) == 1
    assert await told.slack.texts(late) == []
    assert told.prompts(late) == []
    await all_is_in_one_language(told)


async def test_what_is_forgotten_is_gone_from_the_database(told: Story) -> None:
    secret = told.say(SECRET)
    before, warned, done = await scenes.forget(told)
    assert secret in str(told.prompts(before.said))
    assert told.say(Text("forget this confirm", "忘记这个对话 确认")) in warned
    assert done.reply.text.strip()
    assert told.row("SELECT id FROM message WHERE text LIKE ?", f"%{secret}%") is None
    assert told.row("SELECT id FROM step WHERE result LIKE ?", f"%{secret}%") is None
    assert told.row("SELECT erased_at FROM message WHERE message_id = ?", before.said.ts) is not None
    await all_is_in_one_language(told)


async def test_what_goes_wrong_is_a_sentence_in_the_language_of_whoever_meets_it(told: Story) -> None:
    failed, errors = await scenes.troubles(told)
    assert is_one_sentence(failed.reply.text, told.lang)
    assert [is_one_sentence(said, told.lang) for said in errors.values()] == [True]
    await all_is_in_one_language(told)


async def test_a_server_that_is_killed_in_mid_answer_gives_one_answer(told: Story) -> None:
    asked = await common.killed(told)
    there = [reply for reply in replies(await told.slack.replay()) if reply.place == asked.said.place]
    assert [reply.id for reply in there] == [asked.reply.id]
    assert len(told.prompts(asked.said)) >= 2
    assert asked.reply.text.count("**Rostock**") == 1
    assert told.row("SELECT attempts FROM turn WHERE id = ?", asked.turn_id) == {"attempts": 2}
    await all_is_in_one_language(told)


async def test_the_check_of_languages_notices_each_of_them() -> None:
    assert foreign("Thank you, your rating was noted.", "zh") == ["Thank", "you", "your", "rating", "was", "noted"]
    assert foreign("谢谢，已记录你的评价。", "en") == ["谢谢", "已记录你的评价"]
    assert foreign("保存为 version 2", "zh") == ["version"]
    assert foreign("`/kagent help` 可以查看更多功能，用时 3 秒，见 https://tides.example", "zh") == []
    assert foreign("Saved as version 2, see `配置`.", "en") == []
