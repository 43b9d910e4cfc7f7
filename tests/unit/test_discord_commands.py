"""What Discord is told of our commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import discord
import pytest

from adapters.discord import limits
from adapters.discord.controls.commands import payload
from adapters.discord.controls.interactions import command_tree
from adapters.discord.controls.spelling import spelled
from agent.language import Lang
from bot.bench import words as bench_words
from bot.command_words import CHINESE, parse

Json = Mapping[str, Any]


@pytest.fixture
async def commands() -> list[Json]:
    return list(await payload(command_tree()))


def inside(command: Json) -> Iterator[Json]:
    """A command and everything in it that has a name."""
    yield command
    for one in (*command.get("options", ()), *command.get("choices", ())):
        yield from inside(one)


def leaves(command: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """What can be typed, by the names below the command."""
    below = [one for one in command.get("options", ()) if one["type"] in (1, 2)]
    if not below:
        yield path, command
    for one in below:
        yield from leaves(one, (*path, one["name"]))


def longest(texts: Json, name: str) -> int:
    return max(len(text) for text in (texts.get(name, ""), *texts.get(f"{name}_localizations", {}).values()))


async def test_each_command_is_within_discords_limits_in_every_language(commands: list[Json]) -> None:
    for command in commands:
        everything = list(inside(command))
        said = sum(longest(one, "name") + longest(one, "description") for one in everything)
        assert said + sum(len(str(one.get("value", ""))) for one in everything) <= limits.COMMAND_TEXT
        for one in everything:
            assert len(one.get("options", ())) <= 25
            assert len(one.get("choices", ())) <= limits.AUTOCOMPLETE_CHOICES
            assert longest(one, "description") <= limits.COMMAND_DESCRIPTION
            assert longest(one, "name") <= (limits.CHOICE_NAME if "value" in one else 32)


async def test_everything_below_a_command_is_named_and_described_in_chinese_too(commands: list[Json]) -> None:
    for command in commands:
        for one in inside(command):
            if one is command:
                continue
            assert set(one["name_localizations"]) == {"zh-CN", "zh-TW"}, one["name"]
            if "value" not in one:
                assert set(one["description_localizations"]) == {"zh-CN", "zh-TW"}, one["name"]


async def test_names_in_one_place_differ_in_every_language(commands: list[Json]) -> None:
    for command in commands:
        for one in inside(command):
            options = one.get("options", ())
            english = [option["name"] for option in options]
            chinese = [option.get("name_localizations", {}).get("zh-CN", option["name"]) for option in options]
            assert len(set(english)) == len(set(chinese)) == len(options), one["name"]


async def test_the_chinese_path_of_a_command_is_what_people_say_to_the_agent(commands: list[Json]) -> None:
    kagent = next(command for command in commands if command["name"] == "kagent")
    named = {one["name"]: one["name_localizations"]["zh-CN"] for one in kagent["options"]}
    assert named == dict(CHINESE)


async def test_the_chinese_path_of_a_command_about_benchmarks_is_what_the_core_calls_it(commands: list[Json]) -> None:
    bench = next(command for command in commands if command["name"] == "kagent-bench")
    named = {one["name"]: one["name_localizations"]["zh-CN"] for one in bench["options"]}
    assert named == dict(bench_words.CHINESE)
    for path, _ in leaves(bench):
        assert bench_words.said(" ".join(path)) is not None


async def test_what_can_be_typed_without_options_is_a_command_of_the_core(commands: list[Json]) -> None:
    kagent = next(command for command in commands if command["name"] == "kagent")
    for path, leaf in leaves(kagent):
        if any(option.get("required") for option in leaf.get("options", ())) or path in (
            ("profile", "show"),
            ("profile", "edit"),
        ):
            continue
        assert parse(" ".join(path)) is not None, path


async def test_everybody_is_offered_the_agents_commands_and_managers_alone_those_of_operators(
    commands: list[Json],
) -> None:
    offered = {command["name"]: command["default_member_permissions"] for command in commands}
    assert offered == {"kagent": None, "kagent-bench": discord.Permissions(manage_guild=True).value}
    for command in commands:
        assert command["contexts"] == [0, 1]
        assert command["integration_types"] == [0]


def shown(one: Json, lang: Lang) -> str:
    """What a client calls it."""
    return str(one.get("name_localizations", {}).get("zh-CN") if lang == "zh" else one["name"])


def typed(commands: list[Json], line: str, lang: Lang) -> list[str]:
    """The options of a line that somebody types into a client, which knows these names alone."""
    lead, *words = line.split(" ")
    here = next(command for command in commands if f"/{command['name']}" == lead)
    while (
        found := next((one for one in here.get("options", ()) if words and shown(one, lang) == words[0]), None)
    ) and (found["type"] in (1, 2)):
        here = found
        words.pop(0)
    assert not any(one["type"] in (1, 2) for one in here.get("options", ())), line
    given = re.findall(r"(\w+):(.+?)(?= \w+:|$)", " ".join(words))
    options = {shown(one, lang): one for one in here.get("options", ())}
    for name, value in given:
        choices = [shown(choice, lang) for choice in options[name].get("choices", ())]
        assert not choices or value in choices, line
    assert " ".join(f"{name}:{value}" for name, value in given) == " ".join(words), line
    return [name for name, _ in given]


@pytest.mark.parametrize(
    ("en", "zh", "options"),
    [
        ("help", "帮助", 0),
        ("help profile", "帮助 配置", 1),
        ("profile", "配置", 0),
        ("profile versions", "配置 版本", 0),
        ("profile undo for channel", "配置 撤销 用于频道", 0),
        ("profile undo for workspace", "配置 撤销 用于服务器", 1),
        ("model NAME", "模型 名称", 1),
        ("forget this", "忘记这个对话", 0),
        ("forget me confirm", "忘记我 确认", 1),
        ("export", "导出", 0),
        ("leave", "离开", 0),
    ],
)
async def test_what_people_are_told_to_type_is_what_their_client_takes(
    commands: list[Json], en: str, zh: str, options: int
) -> None:
    assert len(typed(commands, spelled(en, "/kagent ", "en", "channel"), "en")) == options
    assert len(typed(commands, spelled(zh, "/kagent ", "zh", "channel"), "zh")) == options


@pytest.mark.parametrize(
    ("en", "zh", "options"),
    [
        ("status", "状态", 0),
        ("cancel", "取消", 0),
        ("cancel demo", "取消 demo", 1),
        ("run demo limit=40 constrained", "运行 demo limit=40 constrained", 3),
        ("run data=NAME", "运行 data=名称", 1),
        ("compare 1f2e 3d4c", "比较 1f2e 3d4c", 2),
        ("schedule weekly demo", "定时 每周 demo", 2),
        ("schedule off", "定时 关闭", 1),
    ],
)
async def test_what_people_are_told_to_type_about_benchmarks_is_what_their_client_takes(
    commands: list[Json], en: str, zh: str, options: int
) -> None:
    for lead, before in (("/kagent-bench ", ("", "")), ("/kagent ", ("bench ", "基准测试 "))):
        assert len(typed(commands, spelled(f"{before[0]}{en}", lead, "en", "channel"), "en")) == options
        assert len(typed(commands, spelled(f"{before[1]}{zh}", lead, "zh", "channel"), "zh")) == options


def test_what_is_no_command_is_spelled_as_it_is() -> None:
    assert spelled("dance with me", "/kagent ", "en", "channel") == "/kagent dance with me"
