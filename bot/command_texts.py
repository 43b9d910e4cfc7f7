"""What commands say, in English and Chinese. `{workspace}` and `{thread}` are the platform's words (`bot.wording`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.language import Text
from bot.command_words import Name

# --- Help

HELP: Final = Text(
    "I answer questions: mention me in a channel, or write to me directly. These words, as a whole message to me, are "
    "commands:",
    "我来回答问题：在频道中提及我，或直接私聊我。整条消息只写下面的词语，就是命令：",
)
HELP_BEHIND: Final = Text(
    "I answer questions: mention me in a channel, or write to me directly. These words, behind {lead} or as a whole "
    "message to me (in a {thread}: with a mention), are commands:",
    "我来回答问题：在频道中提及我，或直接私聊我。下面的词语写在 {lead} 之后，或作为发给我的整条消息"
    "（在{thread}中需提及我），就是命令：",
)
HELP_MORE: Final = Text("More about one of them: {example}.", "查看某个命令的详细说明：{example}。")
HELP_ASK: Final = Text("Ask me, for example:", "可以这样问我：")
ABOUT: Final[Mapping[Name, Text]] = {
    "help": Text("what I can be told", "显示可用的命令"),
    "new": Text("begin anew: I don't look back at what was said here", "重新开始，不再参考这里之前的内容"),
    "profile": Text("who I am here, where each value comes from, and change it", "查看和修改我在这里的配置及其来源"),
    "model": Text("which models there are, and choose one", "查看和选择模型"),
    "tools": Text("which tools I have here", "查看我在这里可用的工具"),
    "stop": Text("stop what I am answering here", "停止正在进行的回答"),
    "forget": Text("delete this conversation, or all that I know of you, for good", "永久删除这个对话，或你的全部数据"),
    "export": Text("this conversation as a file", "把这个对话导出为文件"),
    "usage": Text("how much you have used", "查看你的用量"),
    "status": Text("how I am", "查看运行状态"),
    "leave": Text("be silent in this {thread} until I am mentioned again", "在这个{thread}中保持安静，直到再次被提及"),
    "bench": Text("measure the models", "评测模型"),
}
DETAILS: Final[Mapping[Name, Text]] = {
    "help": Text("`help COMMAND` tells more about a command.", "`帮助 命令名` 显示某个命令的详细说明。"),
    "new": Text(
        "What was said here before stays readable, but I don't look back at it.",
        "之前的内容仍可查看，但我回答时不再参考。",
    ),
    "profile": Text(
        "`profile` shows every value and where it comes from.\n"
        "`profile set NAME VALUE` changes one, `profile unset NAME` inherits it again.\n"
        "`profile versions` lists the changes, `profile undo` takes the last one back, `profile restore 3` brings "
        "version 3 back.\n"
        "`for {thread}`, `for channel` or `for {workspace}` at the end says where; without it the {thread} is "
        "meant, or the channel outside of {thread}s and in direct conversations.",
        "`配置` 显示每个值及其来源。\n"
        "`配置 设置 名称 值` 修改一个值，`配置 清除 名称` 恢复继承。\n"
        "`配置 版本` 列出历史修改，`配置 撤销` 撤回最近一次修改，`配置 恢复 3` 恢复到版本 3。\n"
        "末尾加上 `用于{thread}`、`用于频道` 或 `用于{workspace}` 指定范围；不写时指当前{thread}，"
        "不在{thread}中或在私聊中时指频道。",
    ),
    "model": Text(
        "`model` lists the models. `model NAME` asks that one first from now on, `model auto` goes back to the usual "
        "order; `for {thread}`, `for channel` or `for {workspace}` at the end says where.",
        "`模型` 列出所有模型。`模型 名称` 表示今后优先使用它，`模型 auto` 恢复通常的顺序；末尾可加 `用于{thread}`、"
        "`用于频道` 或 `用于{workspace}` 指定范围。",
    ),
    "tools": Text("Which ones I have is decided by the profile.", "可用的工具由配置决定。"),
    "stop": Text(
        "In a {thread} it stops all that runs there; elsewhere in the channel, all that you have asked for.",
        "在{thread}中会停止其中的所有回答；在{thread}之外会停止你在该频道发起的所有回答。",
    ),
    "forget": Text(
        "`forget this` deletes this conversation, `forget me` deletes all that I know of you in this {workspace}. I "
        "say what goes and what stays, and ask before I do it.",
        "`忘记这个对话` 删除这个对话，`忘记我` 删除你在这个{workspace}的全部数据。我会先说明哪些会删除、"
        "哪些会保留，并请你确认。",
    ),
    "export": Text(
        "`export` gives Markdown for people, `export json` JSON for programs.",
        "`导出` 生成便于阅读的 Markdown 文件，`导出 json` 生成供程序使用的 JSON 文件。",
    ),
    "usage": Text(
        "`usage` is about you; `usage channel` and `usage {workspace}` are for administrators.",
        "`用量` 显示你自己的用量；`用量 频道` 和 `用量 {workspace}` 仅供管理员使用。",
    ),
    "status": Text(
        "Version, models, what runs here, and which messages I answer here.",
        "显示版本、模型、正在进行的回答，以及我在这里回答哪些消息。",
    ),
    "leave": Text("Mention me, and I am back.", "再次提及我，我就会回来。"),
    "bench": Text(
        "`bench run [MODEL]` measures a model with KAgentBench; options: `data=NAME`, `limit=40`, `types=…`, "
        "`templates=…`, `lang=en|zh`, `preset=plain|qwen|baichuan2`, `repeats=3`, `reasoning=strip|off|keep`, "
        "`seed=1`, `constrained`, `fresh` (asks anew what an earlier run has asked).\n"
        "`bench status` shows what runs and what came out last, `bench cancel [MODEL]` stops it.\n"
        "`bench compare [A] [B]` compares two runs, by default the two newest of the same data; `bench leaderboard` "
        "lists the best and the last of each model.\n"
        "`bench data` lists the data sets.\n"
        "`bench schedule weekly [MODEL]` measures every week and reports here, `bench schedule off` ends that, "
        "`bench schedule` lists.\n"
        "Only operators, and whom they grant it (`access.benchmark`), may do that.",
        "`基准测试 运行 [模型]` 用 KAgentBench 评测一个模型；选项：`data=名称`、`limit=40`、`types=…`、`templates=…`、"
        "`lang=en|zh`、`preset=plain|qwen|baichuan2`、`repeats=3`、`reasoning=strip|off|keep`、`seed=1`、`constrained`、"
        "`fresh`（以前运行问过的也重新提问）（也可写 数据=、数量=、类型=、模板=、语言=、次数=、受约束、重新）。\n"
        "`基准测试 状态` 显示正在进行的评测和最近的结果，`基准测试 取消 [模型]` 停止评测。\n"
        "`基准测试 比较 [A] [B]` 比较两次运行，默认为使用同一数据的最近两次；"
        "`基准测试 排行榜` 列出各模型的最佳和最近结果。\n"
        "`基准测试 数据` 列出数据集。\n"
        "`基准测试 定时 每周 [模型]` 每周评测并在这里报告，`基准测试 定时 关闭` 取消，`基准测试 定时` 列出全部。\n"
        "仅限运维人员及其授权的人（`access.benchmark`）使用。",
    ),
}
UNKNOWN: Final = Text(
    "I don't know the command {words}: {help} lists all.", "没有 {words} 这个命令：{help} 会列出所有命令。"
)
UNKNOWN_FORM: Final = Text(
    "I don't understand {words}: {help} tells how {name} is used.", "我不明白 {words}：{help} 会说明 {name} 的用法。"
)

#: What stands for the workspace where a direct conversation belongs to none.
ALONE: Final = Text("direct conversation", "私聊")

# --- Who may what

ADMINS_ONLY: Final = Text(
    "Only administrators of this {workspace} and operators may do that: ask one of them.",
    "只有{workspace}管理员和运维人员可以这样做：请联系他们。",
)
OPERATORS_ONLY: Final = Text(
    "Only operators may do that: ask whoever runs me.", "只有运维人员可以这样做：请联系管理我的人。"
)
ADMINS_OF_VALUES: Final = Text(
    "Only administrators and operators may change {names} here: ask one of them.",
    "只有管理员和运维人员可以在这里修改 {names}：请联系他们。",
)
OPERATORS_OF_VALUES: Final = Text(
    "Only operators may change {names} here: ask whoever runs me.",
    "只有运维人员可以在这里修改 {names}：请联系管理我的人。",
)
TUNE_THREAD: Final = Text(
    "Only administrators and operators may change that for more than a {thread}: in a {thread} you may change {names} "
    "yourself, so mention me there.",
    "只有管理员和运维人员可以修改{thread}以外的配置：你可以在{thread}中自行修改 {names}，请在{thread}中提及我。",
)
MEMBERS_ONLY: Final = Text(
    "Only members of this {workspace} may do that: ask one of them.", "只有{workspace}成员可以这样做：请联系他们。"
)
IN_CONVERSATION: Final = Text(
    "Say that in the {thread} that you mean: mention me there with {words}.",
    "请在相应的{thread}中这样说：在那里提及我并写上 {words}。",
)
IN_THREAD: Final = Text("Write {words} in the {thread} that you mean.", "请在相应的{thread}中写 {words}。")

# --- Stop, new, leave

STOPPED: Final = Text("Stopped.", "已停止。")
NOTHING_RUNS: Final = Text("Nothing is running: there is nothing to stop.", "没有正在进行的回答，无需停止。")
NEW: Final = Text(
    "A new beginning: I don't look back at what was said here before.", "重新开始：我不再参考这里之前的内容。"
)
NEW_THREAD: Final = Text(
    "Every {thread} is a conversation of its own: mention me outside of {thread}s to begin one.",
    "每个{thread}都是独立的对话：在{thread}之外提及我即可开始新的对话。",
)
LEFT: Final = Text(
    "I am silent here now. Mention me when you need me again.", "我会在这里保持安静。需要时请再次提及我。"
)
NOT_LEFT: Final = Text(
    "Nobody else is here, so I answer whatever you write: simply write nothing.",
    "这里只有你我，你写什么我都会回答：不需要时不写即可。",
)

# --- Profile and model

EFFECTIVE: Final = Text("This holds here:", "这里生效的配置：")
HELD: Final = Text("- {name}: {value} ({origin})", "- {name}：{value}（{origin}）")
NOTHING: Final = Text("nothing", "无")
FROM_SETTINGS: Final = Text("settings", "设置文件")
FROM_PLACE: Final = Text("{place}, version {number}", "{place}，版本 {number}")
PLACES: Final = {
    "default": Text("the settings", "设置文件"),
    "workspace": Text("the {workspace}", "{workspace}"),
    "channel": Text("the channel", "频道"),
    "thread": Text("the {thread}", "{thread}"),
    "direct": Text("this direct conversation", "这个私聊"),
}
ALL_ALONE: Final = Text("all direct conversations", "所有私聊")
SET: Final = Text(
    "From the next answer on {name} is {value} for {place} (version {number}). {undo} takes that back.",
    "从下一个回答起，{place}的 {name} 为 {value}（版本 {number}）。{undo} 可以撤回。",
)
UNSET: Final = Text(
    "From the next answer on {place} inherits {name} again (version {number}).",
    "从下一个回答起，{place}的 {name} 恢复继承（版本 {number}）。",
)
SAME: Final = Text("Nothing to change: that holds for {place} already.", "无需修改：{place}已是如此。")
RESTORED: Final = Text(
    "{place}: version {old} is back, as version {number}; changed: {names}.",
    "{place}：已恢复版本 {old}，记为版本 {number}；变更：{names}。",
)
UNDONE: Final = Text(
    "{place}: the last change is taken back, as version {number}; changed: {names}.",
    "{place}：已撤回最近一次修改，记为版本 {number}；变更：{names}。",
)
NOTHING_SET: Final = Text("Nothing is set for {place}: all is inherited.", "{place}没有设置任何值，全部继承。")
NO_VERSION: Final = Text(
    "{place} has no version {number}: {versions} lists them.", "{place}没有版本 {number}：{versions} 会列出所有版本。"
)
VERSIONS: Final = Text("Versions for {place}, the newest first:", "{place}的历史版本，最新的在前：")
VERSION: Final = Text("- {number} · {at} · {author}: {names}", "- {number} · {at} · {author}：{names}")
NO_CHANGE: Final = Text("no change", "无变化")
RESTORES: Final = Text("brings back version {number}", "恢复版本 {number}")
ALL_UNSET: Final = Text("everything unset", "全部清除")
NO_PLACE: Final = Text("There is no {thread} here: leave that out.", "这里没有{thread}：请去掉该范围。")
MODELS: Final = Text("Models that I can ask, in this order:", "可用的模型，按使用顺序：")
MODEL: Final = Text("- {name}: {model}, {health}", "- {name}：{model}，{health}")
MODEL_HERE: Final = Text("Here {name} is asked first.", "这里优先使用 {name}。")
MODEL_ANY: Final = Text("Here the usual order holds.", "这里按通常的顺序。")
MODEL_HOW: Final = Text("Choose one with {example}.", "用 {example} 选择。")
NO_MODEL: Final = Text(
    "No endpoint or model is called {name}: there are {known}.", "没有名为 {name} 的端点或模型：现有 {known}。"
)
HEALTHY: Final = {
    "ok": Text("works", "正常"),
    "starting": Text("is starting", "正在启动"),
    "degraded": Text("works in part", "部分可用"),
    "down": Text("can't be asked just now", "暂时不可用"),
}
UNKNOWN_MODEL: Final = Text("its model is not known yet", "模型未知")
DEMO: Final = Text("demo model", "演示模型")

# --- Tools, status, usage

TOOLS: Final = Text("Tools that I have here:", "我在这里可用的工具：")
TOOL: Final = Text("- {name}: {title}", "- {name}：{title}")
TOOL_WRITES: Final = Text("asks before it changes anything", "修改内容前会先询问")
NO_TOOLS: Final = Text(
    "I have no tools here: the profile decides that (`tool_names`, `network`).",
    "我在这里没有可用的工具：这由配置（`tool_names`、`network`）决定。",
)
STATUS_VERSION: Final = Text("- Version {version}", "- 版本 {version}")
STATUS_MODEL: Final = Text("- Model {name}: {health}", "- 模型 {name}：{health}")
STATUS_IDLE: Final = Text("- Nothing is being answered here.", "- 这里没有正在进行的回答。")
STATUS_LIVE: Final = Text("- Being answered here: {count}", "- 这里正在进行的回答：{count} 个")
STATUS_MUTED: Final = Text("- I am silent here until somebody mentions me.", "- 我在这里保持安静，直到有人提及我。")
STATUS_DIRECT: Final = Text("- Nobody else is here: I answer everything.", "- 这里只有你我：我会回答所有消息。")
STATUS_FOLLOW: Final = {
    "addressed": Text(
        "- I answer what mentions me, and in my {thread}s everything while only one person writes there.",
        "- 我回答提及我的消息；在我参与的{thread}中，只有一个人发言时回答其所有消息。",
    ),
    "always": Text(
        "- I answer what mentions me, and everything in my {thread}s.",
        "- 我回答提及我的消息，以及我参与的{thread}中的所有消息。",
    ),
    "mention": Text("- I answer only what mentions me.", "- 我只回答提及我的消息。"),
}
USAGE: Final = {
    "": Text("Your usage in this {workspace}:", "你在这个{workspace}的用量："),
    "channel": Text("Usage of this channel:", "这个频道的用量："),
    "workspace": Text("Usage of this {workspace}:", "这个{workspace}的用量："),
}
USAGE_ALONE: Final = Text("Usage of all direct conversations:", "所有私聊的用量：")
USED: Final = {
    "today": Text("- Today: {turns} asked, {tokens} tokens", "- 今天：{turns} 条消息，{tokens} 个 token"),
    "week": Text("- 7 days: {turns} asked, {tokens} tokens", "- 最近 7 天：{turns} 条消息，{tokens} 个 token"),
    "month": Text("- 30 days: {turns} asked, {tokens} tokens", "- 最近 30 天：{turns} 条消息，{tokens} 个 token"),
}
LEFT_TODAY: Final = Text("- Messages left today: {left}", "- 今天剩余：{left} 条消息")
LEFT_TOKENS: Final = Text("- Tokens left today: {left}", "- 今天剩余：{left} 个 token")

# --- Export, forget, benchmark

EXPORTED: Final = Text(
    "This conversation is in the file {name}, which I have sent to you alone.",
    "这个对话已导出为文件 {name}，只发给了你。",
)
FORGET: Final = Text(
    "{this} deletes this conversation, {me} all that I know of you in this {workspace}. Both are for good.",
    "{this} 会删除这个对话，{me} 会删除你在这个{workspace}的全部数据，两者都无法恢复。",
)
FORGET_THIS: Final = Text(
    "This deletes for good what I keep of this conversation: everybody's messages in it, my answers and their steps, "
    "files, ratings and its own profile. What this platform itself shows stays until somebody deletes it there, and I "
    "keep ids without words, so that nothing comes back. To do it, write {words}.",
    "这将永久删除我保存的这个对话：其中所有人的消息、我的回答及步骤、文件、评价和它自己的配置。平台上显示的内容仍会保留，需在平台上"
    "自行删除；我只保留不含文字的编号，以免内容被重新收录。确认请写：{words}。",
)
FORGET_ME: Final = Text(
    "This deletes for good what I keep of you in this {workspace}: your messages, my answers to them and their steps, "
    "files, your ratings, your name and what you used; direct conversations with you go as a whole. What stays: what "
    "this platform itself shows, my answers to others, values that you have set in profiles, and ids without words, so "
    "that nothing comes back. To do it, write {words}.",
    "这将永久删除我在这个{workspace}保存的与你有关的数据：你的消息、我对它们的回答及步骤、文件、你的评价、你的名字和用量；与你的私聊会整个"
    "删除。保留的有：平台上显示的内容、我给其他人的回答、你在配置中设置的值，以及不含文字的编号（以免内容被重新收录）。确认请写：{words}。",
)
#: Where direct conversations belong to no workspace.
FORGET_ME_ALONE: Final = Text(
    "This deletes for good what I keep of our direct conversation: your messages, my answers and their steps, files, "
    "your ratings, your name and what you used here. What you have said elsewhere stays: say the same there. What this "
    "platform itself shows stays, too, and ids without words, so that nothing comes back. To do it, write {words}.",
    "这将永久删除我保存的这个私聊的数据：你的消息、我的回答及步骤、文件、你的评价、你的名字和在这里的用量。你在其他地方说过的内容"
    "会保留，需要在那里再说一次。平台上显示的内容和不含文字的编号（以免内容被重新收录）也会保留。确认请写：{words}。",
)
FORGOT_ME_ALONE: Final = Text(
    "What I kept of our direct conversation is deleted. What you have said elsewhere is still there.",
    "我保存的这个私聊的数据已删除。你在其他地方说过的内容仍然保留。",
)
FORGOT_THIS: Final = Text("This conversation is deleted.", "这个对话已删除。")
FORGOT_ME: Final = Text(
    "What I kept of you in this {workspace} is deleted.", "我在这个{workspace}保存的与你有关的数据已删除。"
)
SHARED: Final = Text(
    "Others have spoken here, too: ask an administrator to delete this conversation, or write {words} to delete what "
    "is yours.",
    "其他人也在这里发过言：请联系管理员删除这个对话，或写 {words} 只删除你自己的数据。",
)
