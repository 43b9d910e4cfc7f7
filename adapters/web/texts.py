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

#: What a step of a bundled tool does, by the tool's name; other steps are called what their tool is called.
STEP_TITLES = {
    "time_delta": Text("Computing the time between two dates", "计算两个日期之间的时间"),
    "get_calendar_info": Text("Looking at the calendar", "查看日历"),
    "get_solar_terms_info": Text("Looking up the solar terms of a year", "查询一年的节气"),
    "calculator": Text("Calculating", "计算"),
}

# --- A conversation as a Markdown file -------------------------------------------------------------------------------

UNTITLED = Text("Conversation", "对话")
EXPORTED = Text("Exported {at}", "导出于 {at}")
ASKED = Text("Asked {at}", "提问于 {at}")
QUESTION = Text("Question", "问题")
ANSWER = Text("Answer", "回答")
STEPS = Text("Steps", "步骤")
SOURCES = Text("Sources", "来源")
MODEL = Text("Model", "模型")
RATED_UP = Text("Rated: good", "评价：好")
RATED_DOWN = Text("Rated: bad", "评价：不好")
#: What a step that did not come to a good end is marked with.
STEP_STATES = {"running": Text("running", "进行中"), "failed": Text("failed", "失败")}
#: What stands where there is no text, by the turn's state.
OUTCOMES = {
    "queued": Text("Not answered yet", "尚未回答"),
    "running": Text("Being answered", "正在回答"),
    "waiting": Text("Waiting for permission", "等待许可"),
    "answered": Text("An empty answer", "空的回答"),
    "merged": Text("Answered together with a later question", "已与之后的问题一并回答"),
    "superseded": Text("Replaced by a newer answer", "已被新的回答取代"),
    "stopped": Text("Stopped", "已停止"),
    "refused": Text("Declined", "未受理"),
    "failed": Text("Failed", "回答失败"),
    "withdrawn": Text("Deleted", "已删除"),
}
