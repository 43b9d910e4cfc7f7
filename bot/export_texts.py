"""What a conversation says as a Markdown file, besides what was said in it."""

from __future__ import annotations

from agent.language import Text

ERASED = Text("This message was deleted.", "这条消息已被删除。")
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
