"""What benchmarks say in a chat, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.language import Text

# --- The message of a run

TITLE: Final = Text("**KAgentBench** · {model} · {data}", "**KAgentBench** · {model} · {data}")
TITLE_SUITE: Final = Text("**Own suite** · {model} · {data}", "**自有测试集** · {model} · {data}")
DATA: Final = Text("{name} ({items} items)", "{name}（{items} 题）")
WAITING: Final = Text("Waiting for the model.", "正在等待模型。")
DONE: Final = Text("{done} of {total} replies", "已得到 {done}/{total} 条回复")
CACHED: Final = Text("{count} kept from earlier runs", "沿用此前 {count} 条")
FAILED: Final = Text("{count} failed", "失败 {count} 条")
RATE: Final = Text("{rate} replies/s", "每秒 {rate} 条")
RATE_MINUTE: Final = Text("{rate} replies/min", "每分钟 {rate} 条")
LEFT: Final = Text("about {time} left", "约剩 {time}")
SO_FAR: Final = Text("So far, over {items} items: {scores}", "目前（{items} 题）：{scores}")
SCORING: Final = Text("All replies are there; they are being scored.", "全部回复已得到，正在评分。")
JUDGING: Final = Text(
    "All replies are there and checked; the judge reads them.", "全部回复已得到并检查完毕，评判模型正在评判。"
)
RUN: Final = Text("Run {run}. Stop it with {stop}.", "运行 {run}。停止：{stop}。")
RUN_DONE: Final = Text("Run {run}, {time}.", "运行 {run}，用时 {time}。")
CANCELLED: Final = Text(
    "Cancelled after {done} of {total} replies; they are kept, and a new run asks only for the others.",
    "已取消，共得到 {done}/{total} 条回复；这些回复会保留，再次运行时只会补问其余部分。",
)
OTHER_VERSION: Final = Text(
    "The run is done, but its numbers were written by another version and can't be shown: run it again, its replies "
    "are kept. Run {run}",
    "运行已完成，但结果由另一个版本写成，无法显示：请重新运行，已有的回复会保留。运行 {run}",
)
#: Of a schedule whose author has lost the right to it.
NOT_GRANTED: Final = Text(
    "The weekly benchmark of {model} was left out, because whoever set it up may not run benchmarks any more: somebody "
    "who may can set it up again here, or end it.",
    "本周对 {model} 的定时基准测试已跳过，因为设置者不再有权运行基准测试：有权限的人可以在这里重新设置，或将其关闭。",
)
BROKEN: Final = Text("The run has failed: {error}", "运行失败：{error}")
DIFFERENCE: Final = Text("Difference to run {run} of {date}:", "与 {date} 的运行 {run} 相比：")
NO_RADAR: Final = Text("An own suite has no radar chart; its bars are there.", "自有测试集没有雷达图，请查看条形图。")
NO_CHART: Final = Text("The chart could not be drawn.", "图表未能绘制。")
RADAR: Final = Text("Radar chart of the five numbers: {line}", "五项指标的雷达图：{line}")
RATES: Final = Text("Pass rates with their intervals: {line}", "通过率及区间：{line}")
BARS: Final = Text("Bars of the numbers with their 95 % intervals: {line}", "各项指标及其 95% 区间的条形图：{line}")

#: Why a run failed.
MODEL_AWAY: Final = Text(
    "the model can't be asked ({why}). What has been asked is kept: run it again when the model is back.",
    "模型无法访问（{why}）。已得到的回复会保留：模型恢复后请重新运行。",
)
DATA_GONE: Final = Text(
    "the data set {name} is not there any more, or is another one: import it again with `kagent-bench import`.",
    "数据集 {name} 已不存在或已更换：请用 `kagent-bench import` 重新导入。",
)
NOT_SCORED: Final = Text(
    "the replies could not be scored; the log says why. They are kept: run it again.",
    "回复未能评分，原因见日志。回复会保留：请重新运行。",
)
GAVE_UP: Final = Text(
    "it was begun {count} times and got no further; the log says why.", "已启动 {count} 次仍无进展，原因见日志。"
)
INSIDE: Final = Text("something went wrong inside; the log says what.", "内部出错，详情见日志。")
NOTHING_LEFT: Final = Text(
    "the data set has no item of these types, templates and languages: choose others.",
    "数据集中没有符合这些类型、模板和语言的条目：请换一种选择。",
)

# --- Replies to commands

BEGUN: Final = Text(
    "Begun: run {run}, {data} on {model}. Stop it with {stop}.",
    "已开始：运行 {run}，用 {model} 评测 {data}。停止：{stop}。",
)
BEGUN_HERE: Final = Text(
    "Begun: run {run}, {data} on {model}. It goes on while this server runs, so keep it running; nothing appears "
    "here by itself: look with {status}, stop it with {stop}.",
    "已开始：运行 {run}，用 {model} 评测 {data}。期间请保持服务器运行；这里不会自动显示结果："
    "用 {status} 查看进度，用 {stop} 停止。",
)
QUEUED: Final = Text("It begins when run {run} of {model} is over.", "运行 {run}（{model}）结束后开始。")
BUSY: Final = Text(
    "A run of {model} is under way, and there is one per model at a time: wait for it, or stop it with {stop}.",
    "{model} 正在评测中，同一模型一次只能运行一个：请等它结束，或用 {stop} 停止它。",
)
NO_MODEL: Final = Text(
    "No endpoint or model is called {name}: there are {known}.", "没有名为 {name} 的端点或模型：现有 {known}。"
)
NO_DATA: Final = Text(
    "No data set is called {name}: there are {known}. Import one on the server with `kagent-bench import FILE`.",
    "没有名为 {name} 的数据集：现有 {known}。请在服务器上用 `kagent-bench import 文件` 导入。",
)
NO_FOLDER: Final = Text(
    "The folder of the data sets can't be read ({why}): check its rights.", "数据集目录无法读取（{why}）：请检查权限。"
)
NO_TYPES: Final = Text(
    "{name} is a suite of your own, which has no types and no templates: leave out `types` and `templates`.",
    "{name} 是自有测试集，没有类型和模板：请去掉 `types` 和 `templates`。",
)
NO_JUDGING: Final = Text(
    "Nothing in {name} is for a judge: leave out `judge`.", "{name} 中没有需要评判模型的检查：请去掉 `judge`。"
)
NEEDS_JUDGE: Final = Text(
    "Some of its checks need a judge and stay undecided without one: {how}.",
    "其中部分检查需要评判模型，否则不作判定：{how}。",
)
NOTHING_RUNS: Final = Text("No benchmark is running. Begin one with {run}.", "没有正在进行的评测。用 {run} 开始。")
LAST: Final = Text("The last one that is over:", "最近结束的一次：")
STATES: Final[Mapping[str, Text]] = {
    "running": Text("running", "进行中"),
    "done": Text("done", "已完成"),
    "cancelled": Text("cancelled", "已取消"),
    "failed": Text("failed", "失败"),
}
CANCELLING: Final = Text(
    "Run {run} of {model} ends now; what it has is kept.", "运行 {run}（{model}）即将停止，已有结果会保留。"
)
NOT_RUNNING: Final = Text("No benchmark of {name} is running.", "{name} 没有正在进行的评测。")
WHICH: Final = Text("Several are running; say which: {known}.", "有多个评测正在进行，请指明：{known}。")
NO_RUN: Final = Text(
    "No run that is over is called {name}: {status} and {leaderboard} name some.",
    "没有名为 {name} 的已完成运行：{status} 和 {leaderboard} 会列出一些。",
)
NONE_TO_COMPARE: Final = Text(
    "There are no two finished runs of the same data yet. Begin one with {run}.",
    "还没有两次使用同一数据的已完成运行。用 {run} 开始一次。",
)
NOT_COMPARABLE: Final = Text(
    "Runs {a} and {b} measured different data, so their numbers can't be compared.",
    "运行 {a} 和 {b} 使用的数据不同，无法比较。",
)
NOT_COMPARED: Final = Text("The two runs could not be compared; the log says why.", "两次运行未能比较，原因见日志。")
COMPARED: Final = Text("Run {a} ({a_about}) and run {b} ({b_about}):", "运行 {a}（{a_about}）与运行 {b}（{b_about}）：")
NO_RESULTS: Final = Text("Nothing has been measured yet. Begin with {run}.", "还没有评测结果。用 {run} 开始。")
BOARD: Final = Text("Best and last runs per model on {data}:", "{data} 上各模型的最佳和最近运行：")
BOARD_HEAD: Final = Text(
    "| Model | Best | Run | Last | Run |\n|---|---|---|---|---|",
    "| 模型 | 最佳 | 运行 | 最近 | 运行 |\n|---|---|---|---|---|",
)
BOARD_GROUPS: Final = Text(
    "Each table has runs that asked the same; numbers of different tables can't be compared.",
    "每张表只含提问范围相同的运行，不同表之间的数值不能比较。",
)
BOARD_NOTE: Final = Text(
    "Overall with its 95 % interval; where a number is missing there is none.",
    "总分及其 95% 区间；缺少某项指标时没有总分。",
)
BOARD_NOTE_SUITE: Final = Text(
    "Cases that passed, of those that are decided, in per cent with the 95 % interval.",
    "已有结论的用例中通过的百分比及其 95% 区间。",
)
DATA_SETS: Final = Text("Data sets:", "数据集：")
DATA_LINE: Final = Text(
    "- {name}: {items} items ({types}; {langs}), SHA-256 {hash}",
    "- {name}：{items} 题（{types}；{langs}），SHA-256 {hash}",
)
DATA_HOW: Final = Text(
    "Import the official file, or one of your own, on the server: `kagent-bench import FILE`. Then {run}.",
    "在服务器上导入官方文件或自己的文件：`kagent-bench import 文件`。之后用 {run} 评测。",
)
GRANTED_ONLY: Final = Text(
    "Only operators, and whom they grant it (`access.benchmark`), may run benchmarks: ask whoever runs me.",
    "只有运维人员和获其授权的人（`access.benchmark`）可以运行基准测试：请联系管理我的人。",
)
DOWN: Final = Text("The model {model} can't be asked just now: {why}", "模型 {model} 暂时无法访问：{why}")

# --- Schedules

SCHEDULED: Final = Text(
    "{model} is measured here every week, the next time on {at}: {what}. {off} ends that.",
    "{model} 将每周在这里评测，下次为 {at}：{what}。用 {off} 可以取消。",
)
SCHEDULES: Final = Text("Measured every week:", "每周评测：")
SCHEDULE_LINE: Final = Text(
    "- {model}: {what}; next on {at}; reported in {place}", "- {model}：{what}；下次 {at}；报告在 {place}"
)
HERE: Final = Text("this place", "这里")
ELSEWHERE: Final = Text("another place ({place})", "其他位置（{place}）")
NO_SCHEDULES: Final = Text("Nothing is measured every week. {how} begins that.", "没有每周的评测。用 {how} 开始。")
UNSCHEDULED: Final = Text("No longer measured here every week: {models}.", "这里不再每周评测：{models}。")
NOT_SCHEDULED: Final = Text("Nothing is measured here every week.", "这里没有每周的评测。")
NOT_HERE: Final = Text(
    "I can't write here by myself, so there is nowhere to report: say that in a channel of a chat platform, or set it "
    "up on the page, under Benchmarks and ratings, which shows every run.",
    "我无法在这里主动发消息，因此无处报告：请在聊天平台的频道中设置，或在网页的“基准测试与评分”中设置，那里会显示每次运行。",
)
USUAL: Final = Text("the sample", "自带样本")

# --- On a page

DATA_AWAY: Final = Text(
    "The data set {name} is not there any more, or is another one: import it again to see the items.",
    "数据集 {name} 已不存在或已更换：请重新导入后再查看条目。",
)
NOT_THERE: Final = Text("There is no such run any more: reload the list.", "没有这次运行：请刷新列表。")
STILL_RUNNING: Final = Text(
    "The run is not over yet: cancel it first, or wait.", "运行尚未结束：请先取消，或等它结束。"
)
NO_NUMBERS: Final = Text(
    "The run has no result that can be shown: run it again.", "这次运行没有可显示的结果：请重新运行。"
)
NO_ITEMS: Final = Text("The items could not be put together; the log says why.", "条目未能整理出来，原因见日志。")
NO_ITEM: Final = Text("There is no such item: reload the page.", "没有这个条目：请刷新页面。")
NO_SCHEDULE: Final = Text("There is no such schedule any more: reload the list.", "没有这个定时任务：请刷新列表。")
RUNS_ALREADY: Final = Text(
    "A run of {model} is under way, and there is one per model at a time: wait for it, or cancel it.",
    "{model} 正在评测中，同一模型一次只能运行一个：请等它结束，或先取消它。",
)
SAME_DATA: Final = Text(
    "These two runs measured different data, so their numbers can't be compared.",
    "这两次运行使用的数据不同，无法比较。",
)
