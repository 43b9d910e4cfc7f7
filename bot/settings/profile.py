"""Settings of who the agent is: also what a profile's values may be wherever they are set."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from unicodedata import category
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from agent.language import Text
from agent.profile import Profile
from bot.settings.group import Group
from bot.settings.sources import Setting
from bot.settings.values import Whole, one_of, text, whole

#: Most tool runs that anybody can ask for in one answer.
MOST_RUNS: Final = 50

_NAME: Final = Text("a name of 1 to 80 characters", " 1 到 80 个字符的名字")
#: Code points of the longest emoji: families and flags of regions have up to 10, and skin tones add some.
_EMOJI_LENGTH: Final = 16
#: Emoji that Unicode counts among letters, digits and punctuation (emoji-data.txt, Emoji_Presentation=No).
_PLAIN_EMOJI: Final = frozenset("#*0123456789‼⁉〰〽ℹ")
#: Categories of the others, and of skin tones.
_EMOJI_KINDS: Final = frozenset({"So", "Sm", "Sk"})
#: What joins emoji, picks their coloured form, makes keycaps, and names the flag of a region.
_EMOJI_JOINTS: Final = frozenset("\u200d\ufe0e\ufe0f\u20e3") | frozenset(map(chr, range(0xE0020, 0xE0080)))
_FIRST_SYMBOL: Final = 0xA8


def _icon(icon: str) -> str:
    if not icon:
        return icon
    if icon.startswith("https://"):
        parts = urlsplit(icon)
        # Whoever sees the picture sees its address.
        if not parts.hostname or parts.username is not None or any(ch.isspace() for ch in icon):
            raise ValueError("not an address of a picture")
        return icon
    # Near enough to what Unicode calls an emoji; platforms have the last word.
    symbols = [ch for ch in icon if ch not in _PLAIN_EMOJI | _EMOJI_JOINTS]
    if any(category(ch) not in _EMOJI_KINDS or ord(ch) <= _FIRST_SYMBOL for ch in symbols):
        raise ValueError("not an emoji")
    # A bare digit is no emoji; one with a keycap around it is.
    if len(icon) > _EMOJI_LENGTH or icon.isascii() or icon[0] in _EMOJI_JOINTS:
        raise ValueError("not an emoji")
    return icon


class ProfileSettings(Group):
    """Who the agent is."""

    agent_name: Annotated[str, Setting("Its name.", "名字。", _NAME), Field(min_length=1, max_length=80)] = "kagentbot"
    icon: Annotated[
        str,
        Setting(
            "Its icon: an emoji, or the address of a picture for platforms that show one.",
            "图标：一个表情符号，或图片地址（用于支持图片的平台）。",
            Text(
                "an emoji, or the address of a picture that begins with https://",
                "一个表情符号，或以 https:// 开头的图片地址",
            ),
        ),
        Field(max_length=500),
        AfterValidator(_icon),
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
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...],
        Setting(
            "Tools that it may use: `auto` means all, `notool` none.",
            "可用的工具：`auto` 表示全部，`notool` 表示不用。",
            Text('a list of tools, for example ["time_delta"]', '工具名称的列表，例如 ["time_delta"]'),
        ),
        Field(max_length=100),
    ] = ("auto",)
    max_iter_num: Annotated[
        Whole,
        Setting("Most tool runs for one answer.", "一次回答中最多运行工具的次数。", whole(0, MOST_RUNS)),
        Field(ge=0, le=MOST_RUNS),
    ] = 5
    style: Annotated[
        Literal["auto", "kuaiagent", "noagent", "router"],
        Setting(
            "Agent system: `kuaiagent` plans and uses tools step by step, `router` picks a tool by rules, `noagent` "
            "only talks, `auto` is `router` for the demo model and `kuaiagent` otherwise.",
            "智能体系统：`kuaiagent` 逐步规划并使用工具，`router` 按规则选择工具，`noagent` 只对话，`auto` 对演示模型"
            "用 `router`，否则用 `kuaiagent`。",
            one_of("auto", "kuaiagent", "noagent", "router"),
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
    answer_in: Annotated[
        Literal["thread", "channel"],
        Setting(
            "Where a question in a Discord channel is answered: in a thread that the answer opens (`thread`), or in "
            "the channel itself (`channel`). In Slack it is always the question's thread.",
            "Discord 频道中的提问在哪里回答：新开子区（`thread`），或直接在频道中（`channel`）。"
            "在 Slack 中始终在提问的话题中回答。",
            one_of("thread", "channel"),
        ),
    ] = "thread"
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
