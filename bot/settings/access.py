"""Settings of who is served, and how much."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from agent.language import Text
from bot.settings.group import Group
from bot.settings.sources import Setting
from bot.settings.values import Number, Whole, whole

#: A platform and an id of its own, with the workspace between them where the id alone would mean too much.
Named = Annotated[str, Field(pattern=r"^[a-z]+:([^:\s]+:)?[^:\s]+$", max_length=300)]
_USERS: Final = Text(
    'a list of PLATFORM:USER or PLATFORM:WORKSPACE:USER, for example ["slack:U0123ABCD"]',
    '由 平台:用户 或 平台:工作区:用户 组成的列表，例如 ["slack:U0123ABCD"]',
)
_CHANNELS: Final = Text(
    'a list of PLATFORM:CHANNEL or PLATFORM:WORKSPACE:CHANNEL, for example ["slack:C0123ABCD"]',
    '由 平台:频道 或 平台:工作区:频道 组成的列表，例如 ["slack:C0123ABCD"]',
)
_MOST: Final = 1_000_000_000
_COUNT: Final = whole(0, _MOST)


class AccessSettings(Group):
    """Who is served and who may change what, see docs/policy.md."""

    operators: Annotated[
        tuple[Named, ...],
        Setting(
            "People who may do everything in a chat, besides the administrators whom the platform knows.",
            "除平台管理员外，在聊天中拥有全部权限的人。",
            _USERS,
        ),
    ] = ()
    benchmark: Annotated[
        tuple[Named, ...],
        Setting(
            "People who may run benchmarks in a chat, besides operators.",
            "除运维人员外，可以在聊天中运行基准测试的人。",
            _USERS,
        ),
    ] = ()
    allow_users: Annotated[
        tuple[Named, ...],
        Setting(
            "Only these people are answered. Empty: everybody who isn't denied.",
            "只回答这些人。留空表示回答所有未被拒绝的人。",
            _USERS,
        ),
    ] = ()
    deny_users: Annotated[
        tuple[Named, ...],
        Setting("These people are not answered, whatever else is set.", "不回答这些人，优先于其他设置。", _USERS),
    ] = ()
    allow_channels: Annotated[
        tuple[Named, ...],
        Setting(
            "Only in these channels questions are answered; direct conversations are not meant. Empty: in all that "
            "aren't denied.",
            "只在这些频道中回答，不影响私聊。留空表示在所有未被拒绝的频道中回答。",
            _CHANNELS,
        ),
    ] = ()
    deny_channels: Annotated[
        tuple[Named, ...],
        Setting(
            "In these channels nothing is answered, whatever else is set.",
            "在这些频道中不回答，优先于其他设置。",
            _CHANNELS,
        ),
    ] = ()


class LimitSettings(Group):
    """What keeps the server in bounds. Limits of people and channels: 0 is no limit; see docs/policy.md."""

    message_chars: Annotated[
        Whole,
        Setting("Longest message that is taken, in characters.", "可接受的最长消息（字符数）。", whole(1, 1_000_000)),
        Field(ge=1, le=1_000_000),
    ] = 100_000
    turns: Annotated[
        Whole,
        Setting("Answers that are worked on at the same time.", "同时处理的回答数。", whole(1, 10_000)),
        Field(ge=1, le=10_000),
    ] = 64
    grace: Annotated[
        Number,
        Setting(
            "Seconds that running answers have when the server stops.",
            "服务停止时留给未完成回答的秒数。",
            Text("a number of seconds from 0 to 600", " 0 到 600 之间的秒数"),
        ),
        Field(ge=0, le=600),
    ] = 8.0
    user_per_minute: Annotated[
        Whole,
        Setting("Messages of one person that are answered in a minute.", "每人每分钟可获回答的消息数。", _COUNT),
        Field(ge=0, le=_MOST),
    ] = 0
    user_per_day: Annotated[
        Whole,
        Setting(
            "Messages of one person that are answered in a day, which begins at midnight where that person is.",
            "每人每天可获回答的消息数；一天从此人所在时区的零点开始。",
            _COUNT,
        ),
        Field(ge=0, le=_MOST),
    ] = 0
    channel_per_minute: Annotated[
        Whole,
        Setting("Messages of one channel that are answered in a minute.", "每个频道每分钟可获回答的消息数。", _COUNT),
        Field(ge=0, le=_MOST),
    ] = 0
    channel_per_day: Annotated[
        Whole,
        Setting(
            "Messages of one channel that are answered in a day, which begins at midnight in `timezone`.",
            "每个频道每天可获回答的消息数；一天从 `timezone` 的零点开始。",
            _COUNT,
        ),
        Field(ge=0, le=_MOST),
    ] = 0
    user_tokens_per_minute: Annotated[
        Whole,
        Setting(
            "Tokens that the answers to one person may take in a minute, prompts included.",
            "每人每分钟的回答可用的 token 数，含提示词。",
            _COUNT,
        ),
        Field(ge=0, le=_MOST),
    ] = 0
    user_tokens_per_day: Annotated[
        Whole,
        Setting("The same for a day.", "每人每天的回答可用的 token 数，含提示词。", _COUNT),
        Field(ge=0, le=_MOST),
    ] = 0
    channel_tokens_per_minute: Annotated[
        Whole,
        Setting(
            "Tokens that the answers in one channel may take in a minute, prompts included.",
            "每个频道每分钟的回答可用的 token 数，含提示词。",
            _COUNT,
        ),
        Field(ge=0, le=_MOST),
    ] = 0
    channel_tokens_per_day: Annotated[
        Whole,
        Setting("The same for a day.", "每个频道每天的回答可用的 token 数，含提示词。", _COUNT),
        Field(ge=0, le=_MOST),
    ] = 0
