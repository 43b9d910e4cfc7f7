"""The simulator: somebody types lines, and reads what a bot shows, with a bolt app in the server's place."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.fakes.slack import FakeSlack
from tests.fakes.slack.sim import server_environment, talk
from tests.fakes.slack.sim_screen import Screen
from tests.support.bolt_app import bolt_app
from tests.support.slack_bench import call
from tests.support.typed import talked

_SO = {"type": "markdown", "text": "It is so."}


async def _typed(*lines: str) -> str:
    """What is printed when these lines are piped in."""
    async with FakeSlack(mode="socket") as slack, bolt_app(slack, "socket"):
        return await talked(lines, partial(talk, slack, wait=True))


async def test_a_mention_and_its_answer_are_printed_one_after_the_other() -> None:
    text = await _typed("@kagent hello", "@kagent bye")
    order = ["@kagent hello", "You said: <@UBOTT1> hello", "@kagent bye", "You said: <@UBOTT1> bye"]
    assert [text.index(piece) for piece in order] == sorted(text.index(piece) for piece in order)
    assert "[2] kagent, #general > 1:" in text


async def test_direct_messages_threads_and_other_people_have_prompts_of_their_own() -> None:
    text = await _typed("/dm psst", "/as bob", "/channel plans", "@kagent hello", "/thread", "@kagent more")
    assert "alice, #general> /dm psst" in text
    assert "Privately: psst" in text
    assert "bob, #plans> @kagent hello" in text
    assert "bob, #plans, thread> @kagent more" in text
    assert "[5] bob, #plans > 3: <@UBOTT1> more" in text


async def test_commands_and_buttons_and_modals_work_and_mistakes_are_explained() -> None:
    text = await _typed(
        "/kagent status",
        "@kagent menu",
        "/press Open",
        "/wait",
        "/fill name=nobody",
        "/submit",
        "/fill name=Carol",
        "/submit",
        "/press nonsense",
        "/nonsense",
        "/stop",
    )
    assert "only alice sees it:" in text
    assert "pong status" in text
    assert "[Open] [X]" in text
    assert "== Form ==\nWho (name): …" in text
    assert "  who: There is no such person" in text
    assert "(closed)" in text
    assert "nothing says “nonsense”" in text
    assert "There is no /nonsense" in text
    assert "Slack doesn't let you do that: no_stop_button" in text


async def test_commands_are_not_for_threads() -> None:
    text = await _typed("hello", "/thread", "/kagent status", "/out", "/kagent status")
    assert text.count("Slack has no slash commands in threads") == 1
    assert text.count("pong status") == 1


async def test_an_edit_a_deletion_and_the_home_are_shown() -> None:
    text = await _typed("hello", "/edit bye", "/delete", "/home")
    assert "[1] edited: bye" in text
    assert "[1] deleted by its author" in text
    assert "App Home of alice is new" in text


async def test_pictures_are_shown_by_their_names() -> None:
    printed: list[str] = []
    screen = Screen(printed.append, {"C1": "#general"})
    async with FakeSlack() as slack:
        said = await slack.say("hello")
        file = await slack.upload("chart.png", b"png", mimetype="image/png")
        image = {"type": "image", "alt_text": "a chart", "slack_file": {"id": file}}
        where = {"channel": said.channel, "thread_ts": said.ts}
        made = await call(slack, "chat.postMessage", **where, text="so", blocks=[_SO, image])
        await call(slack, "chat.update", channel=said.channel, ts=made["ts"], text="so", blocks=[_SO])
        for entry in (await slack.replay()).entries:
            screen.feed(entry)
    assert [line for line in printed if "picture" in line] == [
        "[2]   pictures: chart.png",
        "[2]   pictures: none any more",
    ]


async def test_the_server_gets_the_fakes_tokens_and_nothing_of_the_callers_slack(tmp_path: Path) -> None:
    mine = {"SLACK_BOT_TOKEN": "xoxb-real", "SLACK_CLIENT_ID": "1", "KAGENTBOT_SLACK__MODE": "http", "HOME": "/home/me"}
    async with FakeSlack(mode="socket") as slack:
        environment = server_environment(slack, tmp_path, mine)
        assert environment["KAGENTBOT_SLACK__API_URL"] == slack.api_url
        assert environment["SLACK_BOT_TOKEN"] == slack.bot_token
        assert environment["HOME"] == "/home/me"
        assert environment["KAGENTBOT_SLACK__MODE"] == "socket"
        assert "SLACK_CLIENT_ID" not in environment
