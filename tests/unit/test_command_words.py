"""What counts as a command, and what is a question all the same."""

from __future__ import annotations

import time

import pytest

from agent.profile import FIELDS
from bot.command_words import CHINESE, NAMES, command_of, parse
from bot.commands import spares


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_an_english_and_a_chinese_name(name: str) -> None:
    chinese = next(zh for en, zh in CHINESE.items() if en == name)
    forms = (name, name.upper(), f" {name}! ", f"/{name}", f"/kagent {name}")
    assert [command_of(text) for text in forms] == [name] * 5
    assert [command_of(text) for text in (chinese, f"{chinese}。", f"{chinese}！")] == [name] * 3
    assert command_of(f"help {name}") == command_of(f"帮助 {chinese}") == f"help {name}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profile set agent_name Ada Lovelace", "profile set agent_name Ada Lovelace"),
        ("Profile set name: Ada", "profile set agent_name Ada"),
        ("profile set lang=zh for channel", "profile set lang zh for channel"),
        ("profile set agent_instructions Be brief.\nBe kind.", "profile set agent_instructions Be brief.\nBe kind."),
        ("profile set nmae Ada", "profile set nmae Ada"),
        ("profile unset language for workspace", "profile unset lang for workspace"),
        ("profile undo", "profile undo"),
        ("profile versions for thread", "profile versions for thread"),
        ("profile restore 3", "profile restore 3"),
        ("model qwen3-8b", "model qwen3-8b"),
        ("model gpu for thread", "model gpu for thread"),
        ("forget me confirm", "forget me confirm"),
        ("export json", "export json"),
        ("usage channel", "usage channel"),
        ("配置 语言 中文 用于频道", "profile set lang 中文 for channel"),
        ("配置 设置 名字 小助手", "profile set agent_name 小助手"),
        ("设置 语言：英文", "profile set lang 英文"),
        ("配置撤销", "profile undo"),
        ("配置 恢复 3 用于工作区", "profile restore 3 for workspace"),
        ("配置 清除 工具", "profile unset tool_names"),
        ("模型 qwen3 用于话题", "model qwen3 for thread"),
        ("模型 qwen3 用于消息列", "model qwen3 for thread"),
        ("模型 qwen3 用于子区", "model qwen3 for thread"),
        ("profile undo for server", "profile undo for workspace"),
        ("配置 撤销 用于服务器", "profile undo for workspace"),
        ("usage server", "usage workspace"),
        ("用量 服务器", "usage workspace"),
        ("帮助 评测", "help bench"),
        ("help models", "help model"),
        ("忘记这个对话", "forget this"),
        ("忘记我 确认", "forget me confirm"),
        ("导出 JSON", "export json"),
        ("频道用量", "usage channel"),
        ("停", "stop"),
        ("?", "help"),
    ],
)
def test_a_command_is_understood_in_its_canonical_words_too(text: str, words: str) -> None:
    assert command_of(text) == words
    assert command_of(words) == words
    assert parse(words) == parse(text)


@pytest.mark.parametrize("field", FIELDS)
def test_every_value_of_a_profile_can_be_set_by_its_name(field: str) -> None:
    assert command_of(f"profile set {field} x") == f"profile set {field} x"
    assert command_of(f"profile unset {field}") == f"profile unset {field}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "help me with my taxes",
        "help with the profile",
        "stop the music",
        "how do I stop?",
        "stop it, please",
        "new shoes",
        "what is new",
        "profile of Ada Lovelace",
        "profile name of the author",
        "profile set up for my page",
        "profile unset the table",
        "model trains are fun",
        "model for thread",
        "tools for gardening",
        "forget it",
        "forget me not",
        "forget this, what about tomorrow?",
        "export of wheat",
        "usage of the word",
        "status of the project",
        "leave of absence",
        "停止工作的流程是什么？",
        "忘记密码怎么办",
        "帮助我写一封信",
        "模型训练怎么做？",
        "配置文件在哪里",
        "配置一台电脑要多少钱",
        "设置闹钟 七点",
        "导出 报表",
        "离开北京的火车",
        "状态不好怎么办",
        "工具有哪些种类？",
        "//stop",
        "stop\nbut only the second one",
        "help " * 30_000,
    ],
)
def test_what_merely_begins_like_a_command_is_a_question(text: str) -> None:
    assert command_of(text) is None


@pytest.mark.parametrize(
    "text", [f"profile set name a{' ' * 50_000}b", f"设置 名字 a{' ' * 50_000}用于{' ' * 49_000}b", "model " * 16_000]
)
def test_no_message_takes_long_to_be_told_from_a_command(text: str) -> None:
    # Some milliseconds; where each blank is tried with each other one, it is half a minute.
    begun = time.process_time()
    command_of(text)
    assert time.process_time() - begun < 2


def test_nobody_is_denied_having_their_data_deleted() -> None:
    assert [spares(text) for text in ("forget me", "忘记我 确认", "forget this", "help", "forget it")] == [
        True,
        True,
        True,
        False,
        False,
    ]
