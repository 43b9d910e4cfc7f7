"""The server's own sentences for people, each in English and Chinese. Codes are what `turn.reason` stores."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from agent.language import Lang, Text

#: Why a turn was refused or failed, by code. Model faults have their sentences in `agent.llm.faults`.
REASONS: dict[str, Text] = {
    "empty": Text("Your message is empty: write something and I will answer.", "消息是空的：请写点内容，我会回答。"),
    "too_long": Text(
        "Your message is too long, at most {limit} characters fit: shorten it or send it in pieces.",
        "消息太长了，最多 {limit} 个字符：请缩短，或分几条发送。",
    ),
    "crashed": Text(
        "I had to give up on this: the server stopped {attempts} times while I was working on it.",
        "我不得不放弃：处理这条消息时服务中断了 {attempts} 次。",
    ),
    "internal": Text(
        "Something went wrong on my side and was logged: try again.",
        "我这边出错了，已记录日志：请再试一次。",
    ),
    "undeliverable": Text(
        "The answer could not be posted here.",
        "回答无法发送到这里。",
    ),
    "denied_user": Text(
        "I may not answer you: ask whoever runs me to let me.",
        "我没有获准回答你：请联系管理我的人。",
    ),
    "denied_channel": Text(
        "I may not answer in this channel: write to me directly, or ask whoever runs me to let me.",
        "我没有获准在这个频道回答：请私聊我，或联系管理我的人。",
    ),
    "limit_user_minute": Text(
        "You have sent me as many messages as fit in a minute: ask me again from {when} on.",
        "你这一分钟发给我的消息已达上限：请从 {when} 起再问我。",
    ),
    "limit_user_day": Text(
        "You have used up your messages for today: I answer you again from {when} on.",
        "你今天的消息次数已用完：从 {when} 起我会再次回答你。",
    ),
    "limit_channel_minute": Text(
        "This channel has sent me as many messages as fit in a minute: ask me again from {when} on.",
        "这个频道这一分钟发给我的消息已达上限：请从 {when} 起再问我。",
    ),
    "limit_channel_day": Text(
        "This channel has used up its messages for today: I answer here again from {when} on.",
        "这个频道今天的消息次数已用完：从 {when} 起我会再次在这里回答。",
    ),
    "limit_user_tokens_minute": Text(
        "My answers to you have been long for one minute: ask me again from {when} on.",
        "这一分钟给你的回答已达用量上限：请从 {when} 起再问我。",
    ),
    "limit_user_tokens_day": Text(
        "My answers to you have used up what you have for today: I answer you again from {when} on.",
        "你今天的回答用量已用完：从 {when} 起我会再次回答你。",
    ),
    "limit_channel_tokens_minute": Text(
        "My answers in this channel have been long for one minute: ask me again from {when} on.",
        "这个频道这一分钟的回答已达用量上限：请从 {when} 起再问我。",
    ),
    "limit_channel_tokens_day": Text(
        "My answers in this channel have used up what it has for today: I answer here again from {when} on.",
        "这个频道今天的回答用量已用完：从 {when} 起我会再次在这里回答。",
    ),
}

NOT_HANDED = Text(
    "I can't hand out files here: use the export in the menu of the page, or `/export` in the terminal.",
    "我无法在这里发送文件：请使用页面菜单中的导出，或终端中的 `/export`。",
)
HAND_FAILED = Text("The file could not be sent: try again in a moment.", "文件发送失败：请稍后再试。")
STOPPED = Text("Stopped.", "已停止。")
WORKING = Text("Thinking…", "思考中…")
CONSENT = Text(
    "I would like to run {tool} with {args}. It changes something outside this conversation. May I?",
    "我想运行 {tool}，参数为 {args}。这会改变对话之外的内容，可以吗？",
)


def reason_text(code: str, lang: Lang, *, zone: tzinfo | None = None, **fields: object) -> str:
    """The sentence for a reason code; an unknown code (of a newer version) gets the general one.

    A code may end with `@` and a Unix time: when what is refused now would work. It is shown in `zone`.
    """
    return reason(code, zone).say(lang, **fields)


def reason(code: str, zone: tzinfo | None = None) -> Text:
    """The same in both languages; a gap that isn't about time stays one."""
    name, _, until = code.partition("@")
    text = REASONS.get(name, REASONS["internal"])
    if not until.isdecimal():
        return text
    at = datetime.fromtimestamp(int(until), zone or UTC)
    # An abbreviation would do for few: CST is China's time, and Chicago's.
    offset = f"UTC{at:%z}".removesuffix("+0000")
    when = f"{at:%Y-%m-%d %H:%M} ({offset[:-2]}:{offset[-2:]})" if offset != "UTC" else f"{at:%Y-%m-%d %H:%M} (UTC)"
    return Text(*(half.replace("{when}", when) for half in text))
