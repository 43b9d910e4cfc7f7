"""Settings of who the agent is: also what a profile's values may be wherever they are set."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agent.language import Text
from agent.profile import Profile
from bot.settings.group import Group
from bot.settings.sources import Setting
from bot.settings.values import Whole, one_of, text, whole


class ProfileSettings(Group):
    """Who the agent is."""

    agent_name: Annotated[str, Setting("Its name.", "名字。", text(80)), Field(max_length=80)] = "kagentbot"
    icon: Annotated[
        str,
        Setting(
            "Its icon: an emoji, or the address of a picture for platforms that show one.",
            "图标：一个表情符号，或图片地址（用于支持图片的平台）。",
            text(500),
        ),
        Field(max_length=500),
    ] = ""
    agent_bio: Annotated[
        str,
        Setting("Who it is; the model reads it.", "自我介绍，模型会读到。", text(2000)),
        Field(max_length=2000),
    ] = ""
    agent_instructions: Annotated[
        str,
        Setting(
            "What it should heed in every answer; the model reads it.",
            "每次回答都要遵守的要求，模型会读到。",
            text(8000),
        ),
        Field(max_length=8000),
    ] = ""
    lang: Annotated[
        Literal["auto", "en", "zh"],
        Setting(
            "Language of the answers; `auto` follows the question.",
            "回答的语言；`auto` 表示与提问一致。",
            one_of("auto", "en", "zh"),
        ),
    ] = "auto"
    tool_names: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Setting(
            "Tools that it may use: `auto` means all, `notool` none.",
            "可用的工具：`auto` 表示全部，`notool` 表示不用。",
            Text('a list of tools, for example ["time_delta"]', '工具名称的列表，例如 ["time_delta"]'),
        ),
    ] = ("auto",)
    max_iter_num: Annotated[
        Whole,
        Setting("Most tool runs for one answer.", "一次回答中最多运行工具的次数。", whole(0, 50)),
        Field(ge=0, le=50),
    ] = 5
    style: Annotated[
        Literal["auto", "noagent", "router"],
        Setting(
            "Agent system: `noagent` only talks, `router` picks a tool by rules, `auto` is `router` for the demo model "
            "and `noagent` otherwise.",
            "智能体系统：`noagent` 只对话，`router` 按规则选择工具，`auto` 对演示模型用 `router`，否则用 `noagent`。",
            one_of("auto", "noagent", "router"),
        ),
    ] = "auto"
    model: Annotated[
        str,
        Setting(
            "The endpoint or model that is asked first, by its name; empty for the order of the endpoints.",
            "优先使用的端点或模型的名称；留空则按端点的顺序。",
            text(200),
        ),
        Field(max_length=200),
    ] = ""
    follow: Annotated[
        Literal["addressed", "always", "mention"],
        Setting(
            "Which messages of a thread are answered that don't mention the agent: `addressed` (while only one person "
            "besides it has spoken there, or a reply to it), `always`, or `mention` (none).",
            "话题中未提及它的哪些消息会得到回答：`addressed`（其中只有一个人发过言，或回复了它）、`always`（全部）"
            "或 `mention`（都不回答）。",
            one_of("addressed", "always", "mention"),
        ),
    ] = "addressed"
    overlap: Annotated[
        Literal["queue", "merge"],
        Setting(
            "Messages that arrive during an answer: each gets its own (`queue`), or all waiting ones get one together "
            "(`merge`).",
            "回答期间到达的消息：逐条回答（`queue`），或合并为一次回答（`merge`）。",
            one_of("queue", "merge"),
        ),
    ] = "queue"
    network: Annotated[
        Literal["on", "off"],
        Setting(
            "`off` takes away every tool that would contact anything but the configured platform and model.",
            "`off` 会去掉所有需要访问外部网络的工具，只访问已配置的平台和模型。",
            one_of("on", "off"),
        ),
    ] = "on"

    def build(self) -> Profile:
        """The profile that these settings describe."""
        return Profile(**dict(self))
