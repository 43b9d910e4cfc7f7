"""`make slack-live`, the same script as against a real workspace, against the fake Slack."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from agent.language import Lang
from scripts.live.people import Favour
from scripts.live.report import Step
from scripts.slack_live.__main__ import check
from scripts.slack_live.check import Check
from scripts.slack_live.steps import STEPS
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.prepared import ALICE, C1, USER_TOKEN
from tests.fakes.slack.replay import Place
from tests.fakes.slack.world import SCOPES
from tests.support.slack_story import press_stop

#: Seconds between two looks: quicker than in Slack, where calls are counted.
_PAUSE = 0.1


class Run(NamedTuple):
    """How a check ended."""

    status: int
    said: list[str]

    def line(self, number: int) -> str:
        """What was said about one step."""
        return next(line for line in self.said if line.startswith(f"{number:>2}  "))

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def variables(slack: FakeSlack, **more: str) -> dict[str, str]:
    """What somebody sets who runs the check."""
    home = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return home | {
        # No file of whoever runs the tests has a say.
        "KAGENTBOT_CONFIG": os.devnull,
        "KAGENTBOT_SLACK__API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_LIVE_USER_TOKEN": USER_TOKEN,
        "SLACK_LIVE_CHANNEL": C1,
        **more,
    }


async def people(slack: FakeSlack, favour: Favour) -> None:
    """Do what the check asks a person for."""
    if favour.kind == "stop":
        return await press_stop(slack, Place(favour.channel, favour.ts))
    if favour.kind == "edit":
        await slack.control("edit", channel=favour.channel, ts=favour.ts, text=favour.text)
    elif favour.kind == "delete":
        await slack.control("delete", channel=favour.channel, ts=favour.ts)
    else:
        content = await asyncio.to_thread(favour.file.read_bytes) if favour.file else b""
        files = [await slack.upload(favour.file.name, content, mimetype="text/plain")] if favour.file else []
        await slack.say(favour.text, user=ALICE, channel=favour.channel, thread=favour.ts, files=files)
    return None


async def run(slack: FakeSlack, *, steps: Sequence[Step[Check]] = STEPS, lang: Lang = "en", **more: str) -> Run:
    said: list[str] = []

    async def ask(favour: Favour) -> None:
        await people(slack, favour)

    status = await check(variables(slack, **more), lang, said.append, ask, pause=_PAUSE, steps=steps)
    return Run(status, said)


def named(*names: str) -> list[Step[Check]]:
    """Some of the steps."""
    return [step for step in STEPS if step.name in names]


async def test_all_steps_go_well_and_leave_nothing_behind() -> None:
    # Posts in quick succession, so that the check waits for nothing but what it is about.
    async with FakeSlack(mode="socket", post_burst=100.0) as slack:
        await slack.control("add", kind="install", team="T1", scopes=sorted(SCOPES | {"chat:write.customize"}))
        before = await slack.messages()
        done = await run(slack)
        assert done.status == 0, done.text
        assert "15 of 15 steps went well." in done.said
        assert "Nothing was left behind." in done.said
        assert "a streamed message took" in done.text
        assert "then asked to wait" in done.text
        assert "with a name and icon of its own: chat.update ok" in done.text
        assert [message for message in await slack.messages() if not message["ephemeral_to"]] == before


async def test_where_slack_names_the_app_of_a_person_s_token_the_person_is_asked_to_type() -> None:
    steps = named("tokens", "sockets", "mention", "direct", "edit", "delete", "file")
    async with FakeSlack(mode="socket", personal_bot_id=True) as slack:
        done = await run(slack, steps=steps, lang="zh")
        assert done.status == 0, done.text
        assert "7 步中 7 步通过。" in done.said
        assert "因此需要你亲自输入" in done.text


async def wrong_token(slack: FakeSlack) -> dict[str, str]:
    return {"SLACK_BOT_TOKEN": "xoxb-wrong"}


async def scope_missing(slack: FakeSlack) -> dict[str, str]:
    world = await slack.world()
    scopes = [scope for scope in world["installs"][0]["scopes"] if scope != "files:read"]
    await slack.control("add", kind="install", team="T1", scopes=scopes)
    return {}


async def not_in_channel(slack: FakeSlack) -> dict[str, str]:
    return {"SLACK_LIVE_CHANNEL": "C4"}


async def no_agent(slack: FakeSlack) -> dict[str, str]:
    await slack.app(agent=False)
    return {}


async def no_stop_event(slack: FakeSlack) -> dict[str, str]:
    await slack.app(events=["app_mention", "message.channels"])
    return {}


async def wrong_app_token(slack: FakeSlack) -> dict[str, str]:
    return {"SLACK_APP_TOKEN": "xapp-wrong"}


@pytest.mark.parametrize(
    ("trouble", "step", "reason", "fix"),
    [
        (wrong_token, 1, "auth.test was refused: invalid_auth.", "copy the bot token (xoxb-…)"),
        (scope_missing, 1, "The app lacks the permission files:read", "kagentbot slack manifest"),
        (not_in_channel, 1, "The bot is not in the channel", "/invite @kagent"),
        (no_agent, 2, "agents.sessions.setStatus was refused: not_authorized.", "switch on Agents & AI Apps"),
        (
            no_stop_event,
            2,
            "Slack warns: missing_agent_session_stopped",
            "Subscribe to the event agent_session_stopped",
        ),
        (wrong_app_token, 3, "Slack doesn't know this token", "Make an app-level token with connections:write"),
    ],
)
async def test_a_step_that_fails_says_what_is_wrong_and_how_to_mend_it(
    trouble: Any, step: int, reason: str, fix: str
) -> None:
    async with FakeSlack(mode="socket") as slack:
        done = await run(slack, steps=STEPS[:step], **await trouble(slack))
        assert done.status == 1
        assert done.line(step).startswith(f"{step:>2}  FAILED")
        assert reason in done.line(step)
        told = done.said[done.said.index(done.line(step)) + 1]
        assert told.strip().startswith("To mend it: ")
        assert fix in told


async def test_what_needs_a_step_that_failed_is_left_out() -> None:
    async with FakeSlack(mode="socket") as slack:
        done = await run(slack, SLACK_BOT_TOKEN="xoxb-wrong")
        assert done.status == 1
        assert all("left out" in done.line(number) for number in range(2, 16))


async def test_what_is_not_set_is_named_and_nothing_is_tried() -> None:
    async with FakeSlack(mode="socket") as slack:
        done = await run(slack, SLACK_LIVE_USER_TOKEN="", SLACK_APP_TOKEN="")
        assert done.status == 2
        assert "SLACK_APP_TOKEN, SLACK_LIVE_USER_TOKEN" in done.text
        assert (await slack.replay()).calls == []
