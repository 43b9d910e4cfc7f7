"""`kagentbot discord` and the doctor's look at Discord: what is asked, tried, written and said."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
from click.testing import Result

from adapters.discord.setup import permissions
from adapters.discord.setup.doctor import look_at_discord
from agent.language import detect
from bot.settings import Settings, load
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import APP, BOT_PERMISSIONS, BOT_ROLE, GENERAL, HARBOUR, LIGHTHOUSE, PLANS
from tests.support.discord_bot import NearDiscord, pointed_at
from tests.support.pages import ROOT
from tests.support.typed import Run, in_empty_folder

WRONG = "MTEwMDAwMDAwMDAwMDAwMDAwMA.fake.another-token"


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    fake = NearDiscord()
    async with fake:
        # discord.py's addresses are changed by the commands, and are put back here.
        with pointed_at(fake):
            yield fake


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`kagentbot discord`; `fake` is the Discord that it shall ask."""
    command = in_empty_folder("discord", tmp_path, monkeypatch)

    async def call(*arguments: str, fake: FakeDiscord | None = None, **how: Any) -> Result:
        if fake is not None:
            how["KAGENTBOT_DISCORD__API_URL"] = fake.api_url
            how["KAGENTBOT_DISCORD__GATEWAY_URL"] = fake.gateway_url
        return await command(*arguments, **how)

    return call


def written(folder: Path) -> Settings:
    """The settings as the server will read them."""
    return load(environ={"HOME": str(folder)})


def token_of(settings: Settings) -> str | None:
    token = settings.credentials.discord_token
    return token.get_secret_value() if token is not None else None


# --- What the bot may do


def test_the_link_asks_for_exactly_what_is_needed() -> None:
    named = discord.Permissions(
        view_channel=True,
        send_messages=True,
        send_messages_in_threads=True,
        create_public_threads=True,
        embed_links=True,
        attach_files=True,
        read_message_history=True,
        add_reactions=True,
    )
    link = permissions.invite_link(42, persona=False)

    assert permissions.number(permissions.wanted(persona=False)) == named.value
    assert link == (
        f"https://discord.com/oauth2/authorize?client_id=42&scope=bot+applications.commands&permissions={named.value}"
    )


def test_with_the_profiles_name_and_picture_it_asks_for_webhooks_too() -> None:
    without, with_ = (permissions.number(permissions.wanted(persona=persona)) for persona in (False, True))

    assert with_ - without == discord.Permissions(manage_webhooks=True).value
    assert with_ == BOT_PERMISSIONS


@pytest.mark.parametrize("permission", permissions.wanted(persona=True), ids=lambda each: each.name.en)
def test_each_permission_is_named_and_explained_in_both_languages(permission: permissions.Permission) -> None:
    assert detect(permission.why.zh) == "zh"
    assert permission.name.en != permission.name.zh


def test_the_page_has_every_permission_and_the_numbers() -> None:
    page = (ROOT / "docs" / "discord.md").read_text("utf-8")

    for persona in (False, True):
        wanted = permissions.wanted(persona=persona)
        assert str(permissions.number(wanted)) in page
        assert [each.name.en for each in wanted if each.name.en not in page] == []


# --- Setting up


async def test_the_token_is_taken_tried_and_written_with_the_servers(
    run: Run, fake: FakeDiscord, tmp_path: Path
) -> None:
    done = await run("setup", typed=(fake.token, "1"), fake=fake)

    assert done.exit_code == 0, done.output
    assert "https://discord.com/developers/applications" in done.output
    assert "Discord takes it: kagent" in done.output
    assert permissions.invite_link(APP, persona=False) in done.output
    assert [each for each in permissions.PERMISSIONS if each.name.en not in done.output] == []
    assert "Message Content Intent" in done.output
    assert "Public Bot" in done.output
    assert f"1. Lighthouse ({LIGHTHOUSE})" in done.output
    assert "kagentbot serve" in done.output
    found = written(tmp_path)
    assert found.uses_discord
    assert token_of(found) == fake.token
    assert found.discord.servers == (LIGHTHOUSE,)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


async def test_the_token_is_never_printed(run: Run, fake: FakeDiscord) -> None:
    done = await run("setup", typed=(fake.token, "1"), fake=fake)

    assert fake.token not in done.output


async def test_setting_up_speaks_chinese(run: Run, fake: FakeDiscord, tmp_path: Path) -> None:
    done = await run("setup", typed=(fake.token, "all"), fake=fake, KAGENTBOT_LANGUAGE="zh")

    assert "Discord 已接受：kagent" in done.output
    assert "在子区内发送消息" in done.output
    assert written(tmp_path).discord.servers == (LIGHTHOUSE,)


async def test_a_token_that_discord_refuses_is_asked_for_again(run: Run, fake: FakeDiscord, tmp_path: Path) -> None:
    done = await run("setup", typed=(WRONG, "y", fake.token, "1"), fake=fake)

    assert done.exit_code == 0, done.output
    assert "Discord doesn't take the bot token" in done.output
    assert token_of(written(tmp_path)) == fake.token


async def test_whoever_gives_up_has_nothing_written(run: Run, fake: FakeDiscord, tmp_path: Path) -> None:
    done = await run("setup", typed=(WRONG, "n"), fake=fake)

    assert done.exit_code == 1
    assert done.stderr.endswith("Nothing was written.\n")
    assert not (tmp_path / ".env").exists()


async def test_what_is_no_token_is_found_out_while_it_is_typed(run: Run, fake: FakeDiscord, tmp_path: Path) -> None:
    typed = ("two words", APP, "0" * 64, "abcdefghijklmnopqrstuvwxyz012345", f"Bot {fake.token}", "1")
    done = await run("setup", typed=typed, fake=fake)

    assert done.exit_code == 0, done.output
    for said in ("one word without spaces", "This is an id", "This is the public key", "perhaps the client secret"):
        assert said in done.output
    assert token_of(written(tmp_path)) == fake.token


async def test_without_a_server_it_looks_again_after_the_link_was_opened(run: Run, fake: FakeDiscord) -> None:
    await fake.control("kick", guild=LIGHTHOUSE)
    done = await run("setup", typed=(fake.token, "", "", HARBOUR), fake=fake)

    assert done.exit_code == 0, done.output
    assert done.output.count("The bot is in no server yet.") == 3
    assert len((await fake.replay()).called("GET /users/@me/guilds")) == 3


async def test_several_servers_are_chosen_by_number_and_id(run: Run, fake: FakeDiscord, tmp_path: Path) -> None:
    await fake.control("invite", guild=HARBOUR)
    done = await run("setup", typed=(fake.token, "7", "look", f"2, {LIGHTHOUSE}"), fake=fake)

    assert done.exit_code == 0, done.output
    assert "“7” is neither one of the numbers nor an id." in done.output
    assert sorted(written(tmp_path).discord.servers) == [LIGHTHOUSE, HARBOUR]


async def test_a_profile_as_persona_is_written_and_asks_for_webhooks(
    run: Run, fake: FakeDiscord, tmp_path: Path
) -> None:
    done = await run("setup", "--persona", typed=(fake.token, "1"), fake=fake)

    assert "Manage Webhooks" in done.output
    assert written(tmp_path).discord.persona


async def test_what_is_set_is_kept_by_pressing_enter(run: Run, tmp_path: Path) -> None:
    before = f"WEATHER_API_KEY=w\nDISCORD_TOKEN={WRONG}\nKAGENTBOT_DISCORD__SERVERS={LIGHTHOUSE}\n"
    (tmp_path / ".env").write_text(before)
    done = await run("setup", "--no-test", typed=("", ""))

    assert done.exit_code == 0, done.output
    # The application's id is in the token.
    assert permissions.invite_link(APP, persona=False) in done.output
    found = written(tmp_path)
    assert token_of(found) == WRONG
    assert found.discord.servers == (LIGHTHOUSE,)
    assert found.credentials.weather_api_key is not None
    assert (tmp_path / ".env.bak").read_text() == before


async def test_without_the_intent_setting_up_says_what_is_lost_and_goes_on(
    run: Run, fake: FakeDiscord, tmp_path: Path
) -> None:
    await fake.control("app", content=False)
    done = await run("setup", typed=(fake.token, "1"), fake=fake)

    assert "it will hear only mentions, direct messages" in done.output
    assert written(tmp_path).uses_discord


# --- The check


async def check(run: Run, fake: FakeDiscord, **environ: str) -> Result:
    return await run(
        "check", fake=fake, **{"DISCORD_TOKEN": fake.token, "KAGENTBOT_DISCORD__SERVERS": LIGHTHOUSE, **environ}
    )


async def lines(run: Run, fake: FakeDiscord, level: str, **environ: str) -> list[str]:
    output = (await check(run, fake, **environ)).output
    return [line.removeprefix(level).strip() for line in output.splitlines() if line.startswith(level)]


async def test_the_check_says_whose_the_token_is_and_where_it_answers(run: Run, fake: FakeDiscord) -> None:
    done = await check(run, fake)

    assert done.exit_code == 0, done.output
    assert f"ok       discord: bot kagent, application {APP}" in done.output
    assert f"Lighthouse ({LIGHTHOUSE}), channels in which it answers: 5" in done.output


async def test_the_check_names_each_channel_with_what_is_missing_there(run: Run, fake: FakeDiscord) -> None:
    found = await lines(run, fake, "warning")

    (line,) = [line for line in found if "#" in line]
    assert line == (
        f"discord: server Lighthouse ({LIGHTHOUSE}), #silent: the bot lacks Send Messages, Send Messages in Threads "
        "there: open Edit Channel, Permissions, and grant it to the bot's role"
    )


async def test_what_a_channel_gives_back_is_not_missing(run: Run, fake: FakeDiscord) -> None:
    history = discord.Permissions(read_message_history=True).value
    await fake.control("overwrite", channel=GENERAL, id=LIGHTHOUSE, deny=history)
    assert "#general: the bot lacks Read Message History" in "".join(await lines(run, fake, "warning"))

    await fake.control("overwrite", channel=GENERAL, id=BOT_ROLE, allow=history)
    assert "#general" not in "".join(await lines(run, fake, "warning"))


async def test_a_permission_that_the_whole_server_lacks_is_said_once_with_the_link(run: Run, fake: FakeDiscord) -> None:
    everyone = discord.Permissions(attach_files=True).value
    world = await fake.world()
    guild = next(each for each in world["guilds"] if each["id"] == LIGHTHOUSE)
    for role in guild["roles"]:
        bits = int(role["permissions"]) & ~everyone
        await fake.control("role", guild=LIGHTHOUSE, role=role["id"], permissions=bits)

    done = await check(run, fake)

    assert done.exit_code == 1
    (line,) = [line for line in done.output.splitlines() if "Attach Files" in line]
    assert line.startswith("error")
    assert "https://discord.com/oauth2/authorize" in line


async def test_an_administrator_lacks_nothing_anywhere(run: Run, fake: FakeDiscord) -> None:
    await fake.control("role", guild=LIGHTHOUSE, role=BOT_ROLE, permissions=permissions.ADMINISTRATOR)

    assert [line for line in await lines(run, fake, "warning") if "lacks" in line] == []


async def test_a_server_in_which_it_sees_nothing_is_an_error(run: Run, fake: FakeDiscord) -> None:
    for channel in (await fake.world())["channels"]:
        if channel.get("guild_id") == LIGHTHOUSE:
            await fake.control("overwrite", channel=channel["id"], id=APP, deny=permissions.VIEW_CHANNEL)

    done = await check(run, fake)

    assert done.exit_code == 1
    assert "sees no channel in which it could answer" in done.output


async def test_with_the_persona_the_check_wants_webhooks(run: Run, fake: FakeDiscord) -> None:
    hooks = permissions.PERSONA.bit
    await fake.control("overwrite", channel=PLANS, id=APP, deny=hooks)

    assert "#plans" not in "".join(await lines(run, fake, "warning"))
    found = await lines(run, fake, "warning", KAGENTBOT_DISCORD__PERSONA="true")
    assert "#plans: the bot lacks Manage Webhooks" in "".join(found)


async def test_the_check_fails_where_discord_refuses_the_token(run: Run, fake: FakeDiscord) -> None:
    done = await check(run, fake, DISCORD_TOKEN=WRONG)

    assert done.exit_code == 1
    assert "Discord doesn't take the bot token" in done.output
    assert WRONG not in done.output


async def test_the_check_says_which_server_is_not_served_and_which_it_is_not_in(run: Run, fake: FakeDiscord) -> None:
    done = await check(run, fake, KAGENTBOT_DISCORD__SERVERS=HARBOUR)

    assert done.exit_code == 1
    assert f"The bot is not in server {HARBOUR}" in done.output
    assert "Lighthouse" in done.output


async def test_the_check_with_no_server_listed_gives_the_line_to_add(run: Run, fake: FakeDiscord) -> None:
    done = await check(run, fake, KAGENTBOT_DISCORD__SERVERS="[]")

    assert done.exit_code == 1
    assert f'servers = ["{LIGHTHOUSE}"]' in done.output


async def test_the_check_tells_of_the_intent_and_of_who_may_invite_the_bot(run: Run, fake: FakeDiscord) -> None:
    await fake.control("app", content=False)

    found = "".join(await lines(run, fake, "warning"))

    assert "Message Content Intent" in found
    assert "Anybody may invite this bot" in found


async def test_an_intent_that_nobody_wants_is_no_warning(run: Run, fake: FakeDiscord) -> None:
    await fake.control("app", content=False)

    found = await lines(run, fake, "warning", KAGENTBOT_DISCORD__MESSAGE_CONTENT="off")

    assert "Message Content Intent" not in "".join(found)


async def test_the_check_speaks_chinese(run: Run, fake: FakeDiscord) -> None:
    done = await check(run, fake, KAGENTBOT_LANGUAGE="zh")

    assert "机器人在此缺少权限：发送消息、在子区内发送消息" in done.output
    assert [line for line in done.output.splitlines() if detect(line) != "zh"] == []


async def test_the_check_without_discord_says_what_to_do(run: Run) -> None:
    done = await run("check")

    assert (done.exit_code, done.stderr) == (1, "Discord isn't set up: run `kagentbot discord setup`.\n")


# --- Commands by hand


async def test_the_commands_are_sent_by_hand(run: Run, fake: FakeDiscord) -> None:
    done = await run("sync", fake=fake, DISCORD_TOKEN=fake.token)

    assert done.exit_code == 0, done.output
    assert "/kagent, /kagent-bench" in done.output
    assert {each["body"]["name"] for each in (await fake.world())["commands"]} == {"kagent", "kagent-bench"}


async def test_commands_that_can_not_be_sent_say_why(run: Run, fake: FakeDiscord) -> None:
    done = await run("sync", fake=fake, DISCORD_TOKEN=WRONG)

    assert done.exit_code == 1
    assert "Discord doesn't take the bot token" in done.stderr


# --- The doctor


def settings(folder: Path, **environ: str) -> Settings:
    return load(environ={"HOME": str(folder), **environ})


async def test_without_discord_the_doctor_says_nothing_of_it(tmp_path: Path) -> None:
    assert await look_at_discord(settings(tmp_path), "en") == []


async def test_servers_without_a_token_are_an_error(tmp_path: Path) -> None:
    found = await look_at_discord(settings(tmp_path, KAGENTBOT_DISCORD__SERVERS=LIGHTHOUSE), "en")

    assert [line.level for line in found] == ["error"]
    assert "DISCORD_TOKEN is missing" in found[0].text


async def test_a_discord_that_is_away_is_an_error(tmp_path: Path, fake: FakeDiscord) -> None:
    environ = {
        "DISCORD_TOKEN": WRONG,
        "KAGENTBOT_DISCORD__API_URL": "http://127.0.0.1:1/api/v10",
        "KAGENTBOT_DISCORD__GATEWAY_URL": "ws://127.0.0.1:1",
    }
    found = await look_at_discord(settings(tmp_path, **environ), "en")

    assert [line.level for line in found] == ["error"]
    assert "can't be reached" in found[0].text


@pytest.mark.parametrize("words", [("check",), ("sync",)])
async def test_a_wrong_token_is_told_once(fake: FakeDiscord, tmp_path: Path, words: tuple[str, ...]) -> None:
    environ = {"PATH": os.defpath, "HOME": str(tmp_path), "LANG": "C.UTF-8", **fake.environment(LIGHTHOUSE)}
    # In a process of its own, as the log is printed only where nobody else takes it.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "discord", *words),
        cwd=tmp_path,
        env=environ | {"DISCORD_TOKEN": WRONG, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()

    assert process.returncode == 1
    assert said.decode().count("doesn't take the bot token") == 1
