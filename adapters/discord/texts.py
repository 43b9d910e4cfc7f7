"""What only Discord's commands, private answers and forms say."""

from __future__ import annotations

from typing import Final

from adapters.chat.platform import Platform
from agent.language import Text

DISCORD: Final = Platform("discord", "Discord", Text("server", "服务器"), Text("thread", "子区"))

# --- Commands: at most 100 characters each

COMMAND_ABOUT: Final = Text("Talk to the agent about itself", "查看、设置和管理智能体")
BENCH_ABOUT: Final = Text("Measure the models (operators only)", "评测模型（仅限运维人员）")
PROFILE_ABOUT: Final = Text("Who I am here", "我在这里的配置")
PROFILE_SHOW: Final = Text("Show every value and where it comes from", "显示每个值及其来源")
PROFILE_EDIT: Final = Text("Change values in a form", "用表单修改配置")
PROFILE_SET: Final = Text("Change one value", "修改一个值")
PROFILE_UNSET: Final = Text("Inherit a value again", "清除一个值，恢复继承")
PROFILE_VERSIONS: Final = Text("List the changes", "列出历史修改")
PROFILE_UNDO: Final = Text("Take the last change back", "撤回最近一次修改")
PROFILE_RESTORE: Final = Text("Bring an old version back", "恢复到以前的版本")
FORGET_ABOUT: Final = Text("Delete what I keep, for good", "永久删除我保存的数据")
FORGET_THIS: Final = Text("Delete this conversation, for good", "永久删除这个对话")
FORGET_ME: Final = Text("Delete all that I know of you in this server, for good", "永久删除你在这个服务器的全部数据")

OPTION_COMMAND: Final = Text("The command to read about", "要了解的命令")
OPTION_MODEL: Final = Text(
    "The model or endpoint to ask first; auto for the usual order", "优先使用的模型或端点；auto 为通常的顺序"
)
OPTION_WHERE: Final = Text("Where it holds; here, if left out", "生效范围；不填则为此处")
OPTION_NAME: Final = Text("The value's name", "值的名称")
OPTION_VALUE: Final = Text("What it shall be", "要设置的内容")
OPTION_VERSION: Final = Text("The version's number", "版本号")
OPTION_WHOSE: Final = Text("Whose usage; yours, if left out", "查看谁的用量；不填则为你自己")
OPTION_FORMAT: Final = Text("Kind of file", "文件格式")
OPTION_CONFIRM: Final = Text("Do it; without this I only say what would go", "确认删除；不填则只说明会删除什么")
HERE_THREAD: Final = Text("this thread", "本子区")
HERE_CHANNEL: Final = Text("this channel", "本频道")
HERE_SERVER: Final = Text("the whole server", "整个服务器")
FOR_PEOPLE: Final = Text("Markdown, for people", "Markdown，便于阅读")
FOR_PROGRAMS: Final = Text("JSON, for programs", "JSON，供程序使用")

BENCH: Final[dict[str, Text]] = {
    "run": Text("Begin a benchmark", "开始一次评测"),
    "status": Text("How a benchmark is getting on", "查看评测进度"),
    "cancel": Text("Stop a benchmark", "停止评测"),
    "compare": Text("Compare models", "比较模型"),
    "leaderboard": Text("The best so far", "查看排行榜"),
    "data": Text("What is measured with", "查看评测数据"),
    "schedule": Text("Measure regularly", "定期评测"),
}
#: Of the options of these commands.
BENCH_OPTIONS: Final[dict[str, Text]] = {
    "model": Text("The model or endpoint to measure; the usual one, if left out", "要评测的模型或端点；不填则为默认"),
    "limit": Text("At most so many items, evenly over types and languages", "最多评测多少题，按类型和语言均匀抽取"),
    "data": Text("The data set; our own sample, if left out", "数据集；不填则用自带的样例"),
    "types": Text("Only these types of items, with commas between them", "只评测这些类型，用逗号分隔"),
    "templates": Text("Only these prompt templates, with commas between them", "只用这些提示模板，用逗号分隔"),
    "lang": Text("Only items in this language", "只评测该语言的题目"),
    "constrained": Text("Let the server allow well-formed plans only", "让服务器只输出格式正确的计划"),
    "fresh": Text("Ask anew what an earlier run has asked", "以前运行问过的也重新提问"),
    "repeats": Text("How often everything is asked", "全部题目重复几次"),
    "preset": Text("The form in which prompts are sent", "提示词的发送格式"),
    "reasoning": Text("What is done with a model's reasoning", "如何处理模型的推理内容"),
    "judge": Text("Who judges answers of an own suite: a model or endpoint", "自有测试集的评判模型或端点"),
    "a": Text("The earlier run", "先前的运行"),
    "b": Text("The later run", "之后的运行"),
    "when": Text("How often; a list, if left out", "频率；不填则列出"),
}
BENCH_CANCELLED: Final = Text(
    "The model whose run is stopped, where there are several", "要停止哪个模型的评测（有多个时）"
)
BENCH_ENGLISH: Final = Text("English", "英文")
BENCH_CHINESE: Final = Text("Chinese", "中文")
BENCH_WEEKLY: Final = Text("weekly", "每周")
BENCH_OFF: Final = Text("off", "关闭")
BENCH_REASONING: Final[dict[str, Text]] = {
    "strip": Text("Strip it before scoring", "评分前去掉"),
    "off": Text("Ask the model not to reason", "要求模型不推理"),
    "keep": Text("Keep it in what is scored", "保留并参与评分"),
}

# --- Private answers

NOT_SERVED: Final = Text(
    "I don't work in this server: ask whoever runs me to add it to `discord.servers`.",
    "我没有在这个服务器提供服务：请联系运维人员把它加入 `discord.servers`。",
)
NOT_SERVED_DIRECT: Final = Text(
    "I only talk to members of servers that I work in: ask me in one of those.",
    "我只与所服务的服务器的成员交谈：请在那些服务器中向我提问。",
)
OUTDATED: Final = Text(
    "I have changed since your Discord learned this: reload Discord, then try again.",
    "这个命令或按钮已经更新：请重新加载 Discord 后再试。",
)
SAID: Final = Text("Done, as everybody here can see.", "已完成，这里的所有人都能看到。")
SLOW: Final = Text("That took too long: try once more.", "耗时太长：请再试一次。")
LATE: Final = Text(
    "-# From <#{place}>, where it took too long to be answered:",
    "-# 来自 <#{place}>，因耗时太长而改为私信发送：",
)
TOO_LARGE: Final = Text(
    "The file {name} is larger than Discord takes here ({size} MiB): ask an operator for it.",
    "文件 {name} 超过了 Discord 在这里的上限（{size} MiB）：请向运维人员索取。",
)

# --- Forms of the profile

WHO: Final = Text("Who it is", "身份")
INSTRUCTIONS: Final = Text("Instructions", "要求")
HOW: Final = Text("How it answers", "回答方式")
TALK: Final = Text("Conversations", "对话")
VERSIONS_MENU: Final = Text("Bring a version back…", "恢复某个版本…")
BACK: Final = Text("Back", "返回")
OPEN_AGAIN: Final = Text("Open the form again", "重新打开表单")
NOTHING_SAVED: Final = Text("Nothing was saved yet:", "尚未保存：")
#: What is said about fields instead of the general words, of which a form has no room for more than 100 characters.
HINTS: Final[dict[str, Text]] = {
    "icon": Text(
        "Address of a picture (https://…), where answers carry this name.",
        "图片地址（https://…），在回答以这个名字显示的地方使用。",
    ),
    "style": Text(
        "How it works: step by step with tools, with one tool by rules, or without tools.",
        "工作方式：逐步使用工具、按规则选一个工具，或不使用工具。",
    ),
    "follow": Text(
        "Which messages that don't mention it are answered in its threads.",
        "在它参与的子区中，哪些未提及它的消息会得到回答。",
    ),
    "answer_in": Text(
        "A thread is opened from the question; in the channel, the answer replies to it.",
        "可以从提问新开子区，或直接在频道中回复提问。",
    ),
    "overlap": Text(
        "What becomes of messages that come while an answer is being made.", "回答期间又收到的消息怎样处理。"
    ),
}
#: To somebody who may set some values, but not by the forms, which have all.
FORMS_ARE_FOR_ADMINS: Final = Text(
    "The forms are for admins of the server. In a thread and in direct messages, you may set some values yourself: "
    "`/kagent profile set`.",
    "只有服务器管理员可以使用表单。在子区和私信中，你可以自行设置部分值：`/kagent 配置 设置`。",
)
