"""What windows and private answers say, besides the buttons of an answer (`labels`).

`{platform}` is the platform's name, `{workspace}` and `{thread}` are its words for these
(`adapters.chat.platform.Platform`).
"""

from __future__ import annotations

from typing import Final

from agent.language import Text

# --- Presses

OVER: Final = Text(
    "This answer is over already: there is nothing left to stop.", "这条回答已经结束，没有需要停止的内容。"
)
NOT_RETRYABLE: Final = Text(
    "This can't be tried again: it is being answered already, or somebody was faster.",
    "无法重试：它正在回答中，或者已有人重试过。",
)
DECIDED: Final = Text(
    "This question is settled: there is nothing left to decide.", "这个问题已经有了结果，无需再决定。"
)
NOT_YOURS: Final = Text(
    "Only whoever asked, or an admin, can decide this: ask them to press the button.",
    "只有提问者或管理员可以决定：请让他们来点击按钮。",
)
THANKS: Final = Text("Thank you, your rating was noted.", "谢谢，已记录你的评价。")
RATED: Final = Text("Thank you: {rating} of 5 was noted.", "谢谢，已记录评分：{rating} 分（满分 5 分）。")
NOT_HERE: Final = Text(
    "This answer isn't known here any more: ask again to get a new one.", "这条回答已不存在：请重新提问。"
)
TROUBLE: Final = Text(
    "Something went wrong on my side and was logged: try again.", "我这边出错了，已记录日志：请再试一次。"
)
BUSY: Final = Text(
    "{platform} can't be reached just now: try again in a moment.", "暂时无法连接 {platform}：请稍后再试。"
)
FILE_SENT: Final = Text("I have sent you the file {name} in our direct messages.", "文件 {name} 已通过私信发给你。")
CUT: Final = Text("The rest doesn't fit here: ask me in a direct message.", "其余内容这里放不下：请在私信中向我询问。")

# --- Windows in general

CLOSE: Final = Text("Close", "关闭")
SAVE: Final = Text("Save", "保存")
CANCEL: Final = Text("Cancel", "取消")
ONE_MOMENT: Final = Text("One moment…", "请稍候…")

# --- Steps

STEPS: Final = Text("Steps", "步骤")
NO_STEPS: Final = Text("There were no steps: it was answered right away.", "没有中间步骤，直接给出了回答。")
PLAN: Final = Text("Plan", "计划")
CONCLUDE: Final = Text("Answer", "回答")
CONSENT: Final = Text("Permission", "许可")
THOUGHT: Final = Text("Thought", "想法")
REASONING: Final = Text("Reasoning", "推理")
RESULT: Final = Text("Result", "结果")
SOURCES: Final = Text("Sources", "来源")
NOTES: Final = Text("Notes", "备注")
ALLOWED: Final = Text("allowed", "已允许")
DENIED: Final = Text("not allowed", "未允许")
RUNNING: Final = Text("running", "进行中")
FAILED: Final = Text("failed", "失败")
MODEL: Final = Text("Model: {model}", "模型：{model}")
TOKENS: Final = Text("{prompt} + {completion} tokens", "{prompt} + {completion} 个 token")
SECONDS: Final = Text("{seconds} s", "{seconds} 秒")
PAGE: Final = Text("Page {page} of {pages}", "第 {page} 页，共 {pages} 页")
PREVIOUS: Final = Text("Previous", "上一页")
NEXT: Final = Text("Next", "下一页")
ENDS: Final[dict[str, Text]] = {
    "complete": Text("Enough is known to answer.", "信息已足够回答。"),
    "nothing": Text("No tool is needed.", "不需要使用工具。"),
    "repeated": Text("The same step again would bring nothing new.", "重复同样的步骤不会有新结果。"),
    "unknown": Text("The plan names a tool that there isn't.", "计划中的工具不存在。"),
    "unusable": Text("The plan could not be read.", "无法读懂计划。"),
}
STATES: Final[dict[str, Text]] = {
    "queued": Text("waiting", "排队中"),
    "running": Text("being answered", "正在回答"),
    "waiting": Text("waiting for permission", "等待许可"),
    "answered": Text("answered", "已回答"),
    "merged": Text("answered together with a later message", "已与之后的消息一并回答"),
    "superseded": Text("replaced by a newer answer", "已被新的回答取代"),
    "stopped": Text("stopped", "已停止"),
    "refused": Text("declined", "未受理"),
    "failed": Text("failed", "失败"),
    "withdrawn": Text("deleted", "已删除"),
}

# --- Profile

PROFILE: Final = Text("Profile", "配置")
FIELDS: Final[dict[str, Text]] = {
    "agent_name": Text("Name", "名字"),
    "icon": Text("Icon", "图标"),
    "agent_bio": Text("Bio", "自我介绍"),
    "agent_instructions": Text("Instructions", "要求"),
    "lang": Text("Language", "语言"),
    "tool_names": Text("Tools", "工具"),
    "max_iter_num": Text("Most tool runs", "工具运行次数上限"),
    "style": Text("Agent system", "智能体系统"),
    "model": Text("Model", "模型"),
    "follow": Text("Follow-ups in threads", "跟进方式"),
    "answer_in": Text("Where questions in a channel are answered", "频道中的提问在哪里回答"),
    "overlap": Text("Messages during an answer", "回答期间的新消息"),
    "network": Text("Network", "网络"),
}
MORE_INSTRUCTIONS: Final = Text("Instructions, continued", "要求（续）")
#: What stored values are called; other values are shown as they are.
VALUES: Final[dict[str, dict[str, Text]]] = {
    "lang": {
        "auto": Text("that of the question", "与提问一致"),
        "en": Text("English", "英语"),
        "zh": Text("Chinese", "中文"),
    },
    "tool_names": {"auto": Text("all", "全部"), "notool": Text("none", "不使用")},
    "style": {
        "auto": Text("whatever suits the model", "按模型自动选择"),
        "kuaiagent": Text("plans step by step (kuaiagent)", "逐步规划（kuaiagent）"),
        "noagent": Text("only talks (noagent)", "只对话（noagent）"),
        "router": Text("one tool by rules (router)", "按规则选一个工具（router）"),
    },
    "follow": {
        "addressed": Text("answer what is meant for it", "只回答对它说的话"),
        "always": Text("answer everything", "全部回答"),
        "mention": Text("answer mentions only", "只回答提及它的消息"),
    },
    "answer_in": {
        "thread": Text("in a thread", "新开子区"),
        "channel": Text("in the channel itself", "直接在频道中"),
    },
    "overlap": {
        "queue": Text("an answer for each", "逐条回答"),
        "merge": Text("one answer for all", "合并为一次回答"),
    },
    "network": {"on": Text("on", "开启"), "off": Text("off", "关闭")},
}
EMPTY_VALUES: Final[dict[str, Text]] = {
    "icon": Text("the app's own", "应用自带图标"),
    "agent_bio": Text("none", "无"),
    "agent_instructions": Text("none", "无"),
    "model": Text("the usual order", "按默认顺序"),
}
#: Where a value comes from.
ORIGINS: Final[dict[str, Text]] = {
    "default": Text("settings", "设置文件"),
    "workspace": Text("{workspace}, version {version}", "{workspace}，版本 {version}"),
    "channel": Text("channel, version {version}", "频道，版本 {version}"),
    "thread": Text("{thread}, version {version}", "{thread}，版本 {version}"),
}
INHERITED: Final = Text("{value} ({origin})", "{value}（{origin}）")
INHERIT: Final = Text("Inherit: {value}", "继承：{value}")
HOLDS_IN: Final = Text("Holds in", "生效范围")
WORKSPACE: Final = Text("the whole {workspace}", "整个{workspace}")
CHANNEL: Final = Text("this channel", "本频道")
THREAD: Final = Text("this {thread}", "本{thread}")
IN_WORKSPACE: Final = Text(
    "What you set here holds in the whole {workspace}, except where a channel sets its own. "
    "Empty fields are inherited.",
    "这里的设置在整个{workspace}生效，频道自己的设置优先。留空的字段沿用上一级的值。",
)
IN_CHANNEL: Final = Text(
    "What you set here holds in {channel} only. Empty fields are inherited.",
    "这里的设置只在{channel}生效。留空的字段沿用上一级的值。",
)
IN_THREAD: Final = Text(
    "What you set here holds in this {thread} only. Empty fields are inherited.",
    "这里的设置只在本{thread}生效。留空的字段沿用上一级的值。",
)
SAVED: Final = Text(
    "Saved as version {version}. The next answer uses it.", "已保存为版本 {version}，从下一次回答起生效。"
)
ADMINS_ONLY: Final = Text(
    "Only admins of the {workspace} can change the profile: ask one of them.",
    "只有{workspace}管理员可以修改配置：请联系管理员。",
)
NOT_NOW: Final = Text("This can't be saved just now: try again in a moment.", "暂时无法保存：请稍后再试。")

# --- Versions

VERSIONS: Final = Text("Versions", "历史版本")
NO_VERSIONS: Final = Text("Nothing was ever set here.", "这里还没有任何设置。")
VERSION: Final = Text("Version {version}", "版本 {version}")
BY: Final = Text("{who}, {when}", "{who}，{when}")
CHANGED: Final = Text("changed: {fields}", "改动：{fields}")
CHANGED_NOTHING: Final = Text("changed nothing", "没有改动")
ALL_UNSET: Final = Text("unset everything", "全部清除")
RESTORED: Final = Text("brought back version {version}", "恢复了版本 {version}")
BRING_BACK: Final = Text("Bring back", "恢复")
NEWEST: Final = Text("in force", "当前")
SURE: Final = Text("Bring back this version?", "恢复这个版本？")
SURE_TEXT: Final = Text(
    "Its values are set again, as a new version. Nothing is lost.", "它的值会作为新版本重新生效，不会丢失任何内容。"
)
YES: Final = Text("Bring back", "恢复")
BROUGHT_BACK: Final = Text(
    "Version {number} is back, as version {version}. The next answer uses it.",
    "已恢复版本 {number}，成为版本 {version}，从下一次回答起生效。",
)
GONE_VERSION: Final = Text(
    "There is no such version any more: open this window anew.", "该版本已不存在：请重新打开窗口。"
)
