"""What the checks of all platforms print, in both languages."""

from __future__ import annotations

from typing import Final

from agent.language import Text

STATES: Final[dict[str, Text]] = {
    "ok": Text("ok", "通过"),
    "failed": Text("FAILED", "失败"),
    "skipped": Text("left out", "跳过"),
}
FIX: Final = Text("To mend it: {fix}", "解决办法：{fix}")
SKIPPED: Final = Text("it needs “{step}”", "依赖“{step}”")
MEASURED: Final = Text("Measured:", "测得：")
CLEAN: Final = Text("Nothing was left behind.", "没有留下任何内容。")
LEFT: Final = Text("Left behind, delete by hand: {what}", "以下内容未能清理，请手动删除：{what}")
SUM: Final = Text("{well} of {all} steps went well.", "{all} 步中 {well} 步通过。")
STOPPED_AFTER: Final = Text(
    "the model was let go {seconds} s after the request to press it", "请求点击后 {seconds} 秒，模型已停止"
)
NOT_STARTED: Final = Text("The server did not start: {why}", "服务未能启动：{why}")
FIX_SETTINGS: Final = Text("Run `kagentbot doctor` and do what it says.", "请运行 `kagentbot doctor` 并按提示处理。")
NO_REPLY: Final = Text(
    "Nothing came of it within {seconds} seconds; the server's last words: {log}",
    "{seconds} 秒内没有结果；服务日志最后一行：{log}",
)
TWICE: Final = Text("{count} answers came to one question.", "同一问题得到了 {count} 条回答。")
OLD_ANSWERED: Final = Text(
    "The old text was answered although it was changed or deleted.", "内容已修改或删除，但旧内容仍得到了回答。"
)
NOT_WITHDRAWN: Final = Text("The question was deleted, and the model went on.", "问题已删除，但模型没有停止。")
FILE_UNREAD: Final = Text(
    "The question came, the words of its file did not: {log}", "收到了问题，但没有读到文件内容：{log}"
)
NOT_STOPPED: Final = Text("Within {seconds} seconds nothing stopped.", "{seconds} 秒内没有停止。")
NOT_DONE: Final = Text("It wasn't done within {seconds} seconds.", "{seconds} 秒内没有完成。")
FIX_NOT_DONE: Final = Text(
    "Run the check again, and do what it asks for in time; copy the text as it stands.",
    "请重新运行检查，并及时完成所要求的操作；文字请原样复制。",
)
ANSWERED_IN: Final = Text(
    "a mention was answered within {seconds} s (the model needs none)", "提及后 {seconds} 秒内得到回答（模型耗时为零）"
)
FIX_TWICE: Final = Text(
    "Stop other servers that use this app; if there are none, this is a defect: report it with the server's log.",
    "请停掉使用该应用的其他服务；如果没有，这是缺陷：请附上服务日志反馈。",
)
EDIT: Final = Text("Change that message to: {text}", "请把那条消息改为：{text}")
DELETE: Final = Text("Delete that message.", "请删除那条消息。")
NO_ANSWER: Final = Text("{method} brought no answer: {trouble}.", "{method} 没有得到答复：{trouble}。")
REFUSED: Final = Text("{method} was refused: {code}.", "{method} 被拒绝：{code}。")
