"""What the JSON API says to people."""

from __future__ import annotations

from agent.language import Text

EMPTY = Text("The message is empty: write something first.", "消息是空的：请先写点内容。")
TOO_LONG = Text(
    "The message has {length} characters, and at most {limit} fit: shorten it or send it in pieces.",
    "消息共 {length} 个字符，最多 {limit} 个：请缩短，或分几条发送。",
)
INVALID = Text("The field “{field}” is missing or not what it should be.", "字段“{field}”缺失或内容不正确。")
INVALID_BODY = Text("The request is not JSON of the expected form.", "请求不是所要求格式的 JSON。")
NO_CONVERSATION = Text("There is no such conversation.", "没有这个对话。")
NO_TURN = Text("There is no such answer.", "没有这条回答。")
NO_MESSAGE = Text("There is no such message.", "没有这条消息。")
NO_VERSION = Text("There is no such version of this profile.", "这份配置没有该版本。")
ERASED = Text("This message was deleted.", "这条消息已被删除。")
NOT_RETRYABLE = Text(
    "This answer can't be asked for again: it is not over, or somebody asked already.",
    "无法重试这条回答：它尚未结束，或已有人重试过。",
)
SHUTTING_DOWN = Text(
    "The server is shutting down and didn't take this: send it again in a moment.",
    "服务器正在关闭，未接收该请求：请稍后重新发送。",
)

#: Who changed a profile, where it was no person with a name.
AUTHORS = {"web": Text("on this page", "本页面"), "settings": Text("the settings", "设置文件")}
NO_SET = Text(
    "There is no such set, or it can't be changed like this now: reload the list.",
    "没有这组回答，或当前不能这样更改：请刷新列表。",
)
NOT_CLOSED = Text(
    "Close the set first: while people rate, nobody sees what the others gave.",
    "请先关闭这组回答：评分期间任何人都看不到别人的评分。",
)
NOT_WRITTEN = Text("The suite can't be written; the log says why.", "评测集无法写入，原因见日志。")
