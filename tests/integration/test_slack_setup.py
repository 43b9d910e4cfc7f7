"""`kagentbot slack` and the doctor's look at Slack: what is asked, tried, written and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from adapters.slack.setup.doctor import look_at_slack, problems
from adapters.slack.setup.manifest import SCOPES
from agent.language import Lang, detect
from bot.settings import Settings, load
from tests.fakes.slack import FakeSlack
from tests.support.typed import Run, in_empty_folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`kagentbot slack`; `slack` is the Slack that it shall ask."""
    command = in_empty_folder("slack", tmp_path, monkeypatch)

    async def call(*arguments: str, slack: FakeSlack | None = None, **how: Any) -> Result:
        if slack is not None:
            how["KAGENTBOT_SLACK__API_URL"] = slack.api_url
        return await command(*arguments, **how)

    return call


def written(folder: Path) -> Settings:
    """The settings as the server will read them."""
    return load(environ={"HOME": str(folder)})


async def test_the_tokens_are_taken_tried_and_written(run: Run, tmp_path: Path) -> None:
    async with FakeSlack() as slack:
        done = await run("setup", typed=(slack.app_token, slack.bot_token), slack=slack)
    assert done.exit_code == 0, done.output
    assert "https://api.slack.com/apps?new_app=1&manifest_json=" in done.output
    assert [scope for scope in SCOPES if scope not in done.output] == []
    assert "Slack takes them: Lighthouse (T1)" in done.output
    assert "/invite @kagent" in done.output
    found = written(tmp_path)
    assert found.uses_slack
    assert found.slack.mode == "socket"
    assert found.credentials.slack_bot_token is not None
    assert found.credentials.slack_bot_token.get_secret_value() == slack.bot_token
    assert found.credentials.slack_app_token is not None
    assert found.credentials.slack_app_token.get_secret_value() == slack.app_token
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


async def test_no_token_is_ever_printed(run: Run) -> None:
    async with FakeSlack() as slack:
        done = await run("setup", typed=(slack.app_token, slack.bot_token), slack=slack)
    assert slack.bot_token not in done.output
    assert slack.app_token not in done.output


async def test_tokens_that_slack_refuses_are_asked_for_again(run: Run, tmp_path: Path) -> None:
    async with FakeSlack() as slack:
        typed = (slack.app_token, "xoxb-wrong", "y", "", slack.bot_token)
        done = await run("setup", typed=typed, slack=slack)
    assert done.exit_code == 0, done.output
    assert "Slack doesn't know this token" in done.output
    token = written(tmp_path).credentials.slack_bot_token
    assert token is not None
    assert token.get_secret_value() == slack.bot_token


async def test_whoever_gives_up_has_nothing_written(run: Run, tmp_path: Path) -> None:
    async with FakeSlack() as slack:
        done = await run("setup", typed=(slack.app_token, "xoxb-wrong", "n"), slack=slack)
    assert done.exit_code == 1
    assert done.stderr.endswith("Nothing was written.\n")
    assert not (tmp_path / ".env").exists()


async def test_a_token_in_the_wrong_place_is_found_out_while_it_is_typed(run: Run) -> None:
    done = await run("setup", "--no-test", typed=("xoxb-1", "two words", "xapp-1", "xoxb-1"))
    assert done.exit_code == 0, done.output
    assert "It begins with xapp-" in done.output
    assert "one word without spaces" in done.output


async def test_a_missing_scope_is_named(run: Run) -> None:
    async with FakeSlack() as slack:
        await slack.control("add", kind="install", team="T1", scopes=sorted(SCOPES.keys() - {"users:read"}))
        done = await run("setup", typed=(slack.app_token, slack.bot_token, "n"), slack=slack)
    assert "The app lacks the permission users:read: add this scope" in done.output


async def test_over_http_the_address_and_the_signing_secret_are_asked_for(run: Run, tmp_path: Path) -> None:
    async with FakeSlack() as slack:
        typed = ("bot.example.com", "https://bot.example.com/", slack.signing_secret, slack.bot_token)
        done = await run("setup", "--mode", "http", typed=typed, slack=slack)
    assert done.exit_code == 0, done.output
    assert "must begin with https://" in done.output
    assert 'add "bot.example.com" to server.hosts' in done.output
    found = written(tmp_path)
    assert (found.slack.mode, found.slack.public_url) == ("http", "https://bot.example.com")
    assert found.credentials.slack_signing_secret is not None


async def test_with_oauth_no_bot_token_is_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WEATHER_API_KEY=w\nSLACK_BOT_TOKEN=xoxb-old\n")
    typed = ("signing", "1.1", "client-secret", "t1", "T1, T2")
    done = await run("setup", "--mode", "http", "--oauth", "--url", "https://bot.example.com", "--no-test", typed=typed)
    assert done.exit_code == 0, done.output
    assert "https://bot.example.com/slack/install" in done.output
    found = written(tmp_path)
    assert found.slack.uses_oauth
    assert found.slack.workspaces == ("T1", "T2")
    assert found.credentials.slack_bot_token is None
    assert found.credentials.weather_api_key is not None
    assert (tmp_path / ".env.bak").read_text() == "WEATHER_API_KEY=w\nSLACK_BOT_TOKEN=xoxb-old\n"


async def test_what_is_set_is_kept_by_pressing_enter(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xoxb-kept\nSLACK_APP_TOKEN=xapp-kept\n")
    done = await run("setup", "--no-test", typed=("", ""))
    assert done.exit_code == 0, done.output
    assert "xoxb-kept" not in done.output
    token = written(tmp_path).credentials.slack_bot_token
    assert token is not None
    assert token.get_secret_value() == "xoxb-kept"


async def test_the_manifest_is_printed_as_json_alone(run: Run) -> None:
    done = await run("manifest", "--mode", "http", "--url", "https://bot.example.com", "--language", "zh")
    content = json.loads(done.stdout)
    assert content["settings"]["interactivity"]["request_url"] == "https://bot.example.com/slack/events"
    assert detect(content["display_information"]["description"]) == "zh"


async def test_a_manifest_without_the_address_it_needs_is_refused(run: Run) -> None:
    done = await run("manifest", "--mode", "http")
    assert done.exit_code == 2
    assert "add --url" in done.stderr


async def test_the_check_says_whose_the_token_is(run: Run) -> None:
    async with FakeSlack() as slack:
        done = await run("check", slack=slack, SLACK_BOT_TOKEN=slack.bot_token, SLACK_APP_TOKEN=slack.app_token)
    assert (done.exit_code, done.output) == (0, "ok       slack: 2 sockets, workspace Lighthouse (T1) as UBOTT1\n")


async def test_the_check_fails_where_slack_refuses(run: Run) -> None:
    async with FakeSlack() as slack:
        done = await run("check", slack=slack, SLACK_BOT_TOKEN="xoxb-wrong", SLACK_APP_TOKEN="xapp-wrong")
    assert done.exit_code == 1
    bot, app = done.output.splitlines()
    assert "Slack doesn't know this token: copy the bot token (xoxb-…)" in bot
    assert "Slack doesn't know this token: copy the app-level token (xapp-…)" in app
    assert "wrong" not in done.output


async def test_with_http_the_check_says_where_events_are_taken(run: Run) -> None:
    environ = {"SLACK_SIGNING_SECRET": "s", "KAGENTBOT_SLACK__MODE": "http"}
    async with FakeSlack() as slack:
        done = await run("check", slack=slack, SLACK_BOT_TOKEN=slack.bot_token, **environ)
    assert "events at /slack/events, workspace Lighthouse" in done.output


async def test_the_check_without_slack_says_what_to_do(run: Run) -> None:
    done = await run("check")
    assert (done.exit_code, done.stderr) == (1, "Slack isn't set up: run `kagentbot slack setup`.\n")


# --- The doctor


def settings(folder: Path, **environ: str) -> Settings:
    return load(environ={"HOME": str(folder), **environ})


async def test_without_slack_the_doctor_says_nothing_of_it(tmp_path: Path) -> None:
    assert await look_at_slack(settings(tmp_path), "en") == []


async def test_a_slack_that_is_away_is_an_error(tmp_path: Path) -> None:
    environ = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    found = await look_at_slack(settings(tmp_path, KAGENTBOT_SLACK__API_URL="http://127.0.0.1:1/api", **environ), "en")
    assert [line.level for line in found] == ["error"]
    assert "can't be reached" in found[0].text


WRONG: tuple[tuple[dict[str, str], str, bool], ...] = (
    ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN is missing", True),
    ({"SLACK_BOT_TOKEN": "xapp-1", "SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN must begin with xoxb-", True),
    ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN must begin with xapp-", True),
    ({"SLACK_BOT_TOKEN": "xoxb-1", "KAGENTBOT_SLACK__MODE": "http"}, "SLACK_SIGNING_SECRET is missing", True),
    ({"SLACK_CLIENT_ID": "1.1", "SLACK_APP_TOKEN": "xapp-1"}, "OAuth needs both", True),
    ({"SLACK_CLIENT_ID": "1.1", "SLACK_CLIENT_SECRET": "s"}, "slack.workspaces is empty", False),
    ({"SLACK_CLIENT_ID": "1.1", "SLACK_CLIENT_SECRET": "s"}, "slack.public_url is missing", True),
    (
        {"SLACK_CLIENT_ID": "1.1", "SLACK_CLIENT_SECRET": "s", "SLACK_BOT_TOKEN": "xoxb-1"},
        "SLACK_BOT_TOKEN is not used",
        False,
    ),
    (
        {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "KAGENTBOT_SLACK__MODE": "http",
            "KAGENTBOT_SLACK__PUBLIC_URL": "http://bot.example.com",
        },
        "is not https",
        False,
    ),
    (
        {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "KAGENTBOT_SLACK__MODE": "http",
            "KAGENTBOT_SLACK__PUBLIC_URL": "https://bot.example.com",
        },
        "add it to server.hosts",
        False,
    ),
)


@pytest.mark.parametrize(("environ", "said", "fatal"), WRONG)
def test_settings_that_cannot_work_are_named(tmp_path: Path, environ: dict[str, str], said: str, fatal: bool) -> None:
    found = problems(settings(tmp_path, **environ))
    assert [problem.fatal for problem in found if said in problem.text.en] == [fatal]
    languages: tuple[Lang, Lang] = ("en", "zh")
    for problem in found:
        assert tuple(detect(words) for words in problem.text) == languages


@pytest.mark.parametrize(
    "admitted",
    [
        {"KAGENTBOT_SERVER__HOSTS": "bot.example.com"},
        {"KAGENTBOT_SERVER__TOKEN": "a-long-token"},
        {"KAGENTBOT_SERVER__HOST": "0.0.0.0"},
    ],
)
def test_settings_that_work_have_no_problem(tmp_path: Path, admitted: dict[str, str]) -> None:
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": "s",
        "KAGENTBOT_SLACK__MODE": "http",
        "KAGENTBOT_SLACK__PUBLIC_URL": "https://bot.example.com",
    }
    assert problems(settings(tmp_path, **environ, **admitted)) == []


def test_a_list_of_names_that_lacks_ours_is_named(tmp_path: Path) -> None:
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": "s",
        "KAGENTBOT_SLACK__MODE": "http",
        "KAGENTBOT_SLACK__PUBLIC_URL": "https://bot.example.com",
        "KAGENTBOT_SERVER__HOSTS": "other.example.com",
        "KAGENTBOT_SERVER__TOKEN": "a-long-token",
    }
    assert ["server.hosts" in problem.text.en for problem in problems(settings(tmp_path, **environ))] == [True]
