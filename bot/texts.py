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
}

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
    name, _, until = code.partition("@")
    if until.isdecimal():
        at = datetime.fromtimestamp(int(until), zone or UTC)
        fields["when"] = f"{at:%Y-%m-%d %H:%M} ({at:%Z})"
    return REASONS.get(name, REASONS["internal"]).say(lang, **fields)
