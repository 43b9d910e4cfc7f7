"""People with the bot in Discord: the real server as a process, the fake Discord, in English and in Chinese.

One server for each language. Every scene has a channel of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from agent.language import Lang, Text
from tests.fakes.discord.judge import judge, replies
from tests.fakes.discord.sim_screen import form_text
from tests.support import discord_scenes as scenes
from tests.support import scenes as common
from tests.support.discord_story import DiscordStory as Story
from tests.support.discord_story import story
from tests.support.process import is_one_sentence
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
    SHORT_ANSWER,
)
from tests.support.words import wrong

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["en", "zh"])
async def told(request: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    """A story that has begun."""
    async with story(tmp_path_factory.mktemp("story"), request.param) as begun:
        yield begun


async def all_is_in_one_language(story: Story) -> None:
    """What our person saw in this scene is in their language, and the check would have noticed the other one."""
    texts = await story.seen()
    other: Lang = "en" if story.lang == "zh" else "zh"
    assert wrong(texts, story.lang) == {}
    assert wrong(texts, other), "nothing in this scene could have been wrong"


async def called(story: Story) -> list[dict[str, Any]]:
    """The calls of the server in this scene that make or change messages and signs of work."""
    return [entry for entry in await story.entries() if entry["kind"] == "call" and entry["method"][:3] != "GET"]


async def test_help_is_told_to_whoever_asks(told: Story) -> None:
    said = await scenes.help_(told)
    assert told.say(Text("help", "帮助")) in said
    assert len(said.splitlines()) > 10
    await all_is_in_one_language(told)


async def test_an_answer_opens_a_thread_and_grows_there_and_ends_with_its_source(told: Story) -> None:
    asked = await common.question(told)
    calls = await called(told)
    methods = [call["method"] for call in calls]
    posts = [call for call in calls if call["method"] == "POST /channels/{channel}/messages"]
    changes = [call for call in calls if call["method"] == "PATCH /channels/{channel}/messages/{message}"]
    # A sign at once, then the thread, before the answer was complete; one message that is changed.
    first = methods.index("POST /channels/{channel}/messages")
    assert methods.index("POST /channels/{channel}/typing") < first
    assert methods.index("POST /channels/{channel}/messages/{message}/threads") < first
    assert len(posts) == 1
    assert told.say(HIGH_TIDE)[-4:] not in str(posts[0]["arguments"])
    assert len(changes) >= 1
    assert asked.reply.place.thread == asked.said.message
    assert "**Rostock**" in asked.reply.text
    assert "https://tides.example/today" in asked.reply.text
    assert {name.partition(":")[0] for name in asked.last.buttons} == {"kagent.feedback", "kagent.steps"}
    await all_is_in_one_language(told)


async def test_while_it_works_its_steps_are_shown(told: Story) -> None:
    await told.begin(Text("They wait for something", "等待查询"))
    await common.looked_up(told, first=1.5, when="all")
    shown = [call["arguments"]["content"] for call in await called(told) if "content" in (call["arguments"] or {})]
    assert any(told.say(Text("Tide table: Rostock", "潮汐表：Rostock")) in one for one in shown[:-1])
    await all_is_in_one_language(told)


async def test_ratings_are_kept_with_agent_system_and_model(told: Story) -> None:
    await told.begin(Text("They rate an answer", "评价一个回答"))
    asked = await told.asked(await told.channel())
    thanked = await scenes.feedback(told, asked)
    assert told.say(Text("4 of 5", "4 分")) in thanked[1]
    kept = told.row("SELECT value, rating, style, model FROM feedback WHERE turn_id = ?", asked.turn_id)
    assert kept == {"value": 1, "rating": 4, "style": "kuaiagent", "model": "fake-model"}
    await all_is_in_one_language(told)


async def test_the_steps_of_an_answer_are_shown_to_whoever_asks(told: Story) -> None:
    await told.begin(Text("They look something up", "查询"))
    asked = await common.looked_up(told)
    text = scenes.plain(await scenes.steps(told, asked))
    assert told.say(Text("Tide table", "潮汐表")) in text
    assert "place: Rostock" in text
    assert "https://tides.example/today" in text
    assert "fake-model" in text
    await all_is_in_one_language(told)


async def test_our_stop_button_ends_a_long_answer(told: Story) -> None:
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
    who, instructions = changed.forms
    # The form says what holds and where it is from.
    assert told.say(Text("settings", "设置")) in form_text(who) + str(who)
    assert instructions["title"] == told.say(Text("Instructions", "要求"))
    for number, said in enumerate(changed.saved, 1):
        assert told.say(Text(f"version {number}", f"版本 {number}")) in said
    assert told.say(INSTRUCTIONS) in told.prompts(changed.asked.said)[-1]
    assert changed.asked.last.username == NAME
    await all_is_in_one_language(told)


async def test_an_older_version_of_the_profile_comes_back(told: Story) -> None:
    rolled = await scenes.roll_back(told)
    assert told.say(Text("Version 2", "版本 2")) in rolled.versions
    assert told.say(Text("Version 1", "版本 1")) in rolled.sure
    assert told.say(Text("version 3", "版本 3")) in rolled.restored
    asked = told.prompts(rolled.asked.said)[-1]
    assert told.say(INSTRUCTIONS) in asked
    assert told.say(OTHER_INSTRUCTIONS) not in asked
    await all_is_in_one_language(told)


async def test_among_three_people_it_speaks_only_when_it_is_named(told: Story) -> None:
    humans = await common.humans(told)
    # Two answers and the word with which it leaves: everything else in the thread is people's own.
    there = [reply for reply in replies(await told.discord.replay()) if reply.place == humans.left.reply.place]
    wanted = [humans.asked.reply, humans.left.reply, humans.again.reply]
    assert [reply.id for reply in there] == [reply.id for reply in wanted]
    assert await told.private(humans.left.said.channel) == []
    # What a command replies is nothing to be rated.
    assert humans.left.last.buttons == []
    # What the others said before was read.
    assert told.say(SAIL) in told.prompts(humans.asked.said)[-1]
    await all_is_in_one_language(told)


async def test_an_attached_file_is_read(told: Story) -> None:
    asked = await common.file(told)
    prompt = told.prompts(asked.said)[-1]
    assert told.say(FILE) in prompt.replace(f"[fake:say={told.say(FILE)}]", "")
    assert told.say(ABOUT_FILE) in prompt
    await all_is_in_one_language(told)


async def test_a_refused_question_is_told_once_where_it_was_asked(told: Story) -> None:
    asked, late, said = await scenes.refused(told)
    assert len(asked) == CHANNEL_LIMIT
    [refusal] = said
    assert told.say(Text("ask me again from", "再问我")) in refusal.text
    # No thread is opened for it.
    assert refusal.channel == late.channel
    assert told.prompts(late) == []
    await all_is_in_one_language(told)


async def test_a_question_that_is_changed_is_answered_as_it_is_then(told: Story) -> None:
    asked = await scenes.edited(told)
    assert told.say(scenes.EDITED_ANSWER) in asked.reply.text
    shown = [reply for reply in replies(await told.discord.replay()) if reply.place == asked.reply.place]
    assert [reply.id for reply in shown] == [asked.reply.id]
    await all_is_in_one_language(told)


async def test_a_question_that_is_deleted_gets_no_answer_and_no_thread(told: Story) -> None:
    said = await scenes.deleted(told)
    assert await told.end(said.message) in ("withdrawn", "")
    assert not [m for m in (await told.discord.replay()).created() if said.marker in m.text]
    assert said.message not in {channel["id"] for channel in (await told.discord.world())["channels"]}


async def test_in_private_no_mention_is_needed(told: Story) -> None:
    first, second = await scenes.direct(told)
    assert first.reply.place == second.reply.place
    assert first.reply.place.thread == ""
    assert {told.say(SHORT_ANSWER)} <= {first.reply.text.partition(" ")[2], second.reply.text.partition(" ")[2]}
    await all_is_in_one_language(told)


async def test_a_channel_s_profile_may_have_it_answer_in_place(told: Story) -> None:
    _, asked, again = await scenes.in_place(told)
    for one in (asked, again):
        assert one.last.channel == one.said.channel
        assert one.last.reply_to == one.said.message
    await all_is_in_one_language(told)


async def test_a_post_in_a_forum_is_answered_where_it_is(told: Story) -> None:
    first, second = await scenes.post(told)
    assert first.reply.place == second.reply.place
    assert first.reply.place.thread == first.said.channel
    await all_is_in_one_language(told)


async def test_an_answer_beyond_five_messages_is_a_file(told: Story) -> None:
    asked, whole = await scenes.long(told)
    assert len(asked.reply.messages) == 1
    assert told.say(Text("The whole answer is in the file.", "完整回答见附件。")) in asked.reply.text
    assert len(whole.split()) >= 2_400


async def test_what_is_forgotten_is_gone_from_the_database(told: Story) -> None:
    secret = told.say(SECRET)
    before, warned, done = await scenes.forget(told)
    assert secret in str(told.prompts(before.said))
    assert warned.strip()
    assert done.reply.text.strip()
    assert told.row("SELECT id FROM message WHERE text LIKE ?", f"%{secret}%") is None
    assert told.row("SELECT id FROM step WHERE result LIKE ?", f"%{secret}%") is None
    assert told.row("SELECT erased_at FROM message WHERE message_id = ?", before.said.message) is not None
    await all_is_in_one_language(told)


async def test_what_goes_wrong_is_a_sentence_in_the_language_of_whoever_meets_it(told: Story) -> None:
    failed, wrongly = await scenes.troubles(told)
    assert is_one_sentence(failed.reply.text, told.lang)
    assert told.say(Text("Nothing was saved yet:", "尚未保存：")) in wrongly
    assert told.say(Text("Icon", "图标")) in wrongly
    await all_is_in_one_language(told)


async def test_a_server_that_is_killed_in_mid_answer_gives_one_answer(told: Story) -> None:
    asked = await common.killed(told)
    there = [reply for reply in replies(await told.discord.replay()) if reply.place == asked.reply.place]
    assert [reply.id for reply in there] == [asked.reply.id]
    assert len(told.prompts(asked.said)) >= 2
    assert asked.reply.text.count("**Rostock**") == 1
    assert told.row("SELECT attempts FROM turn WHERE id = ?", asked.turn_id) == {"attempts": 2}
    await all_is_in_one_language(told)


async def test_what_was_asked_while_it_was_down_is_answered_once(told: Story) -> None:
    asked = await scenes.away(told)
    assert [told.say(SHORT_ANSWER) in one.reply.text for one in asked] == [True] * 3
    await all_is_in_one_language(told)


async def test_after_all_of_it_every_message_has_one_outcome(told: Story) -> None:
    # What the failed model, the stopped answer and the commands left are no answers to a marker.
    report = judge(await told.log())
    assert {problem.kind for problem in report.problems} <= {"missing", "stray"}, str(report)
