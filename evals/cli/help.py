"""What `kagent-bench --help` and each command's `--help` say, in the language of the terminal."""

from __future__ import annotations

import os
from typing import Final

from agent.language import Lang, Text, of_locale
from bot import click_words

#: Help is made before any setting is read.
LANG: Final[Lang] = of_locale(os.environ)
# Before any command is declared, because what a declaration says is fixed then.
click_words.speak(LANG)

HEADINGS: Final = {
    Text("Measure", "评测"): ("run", "infer", "eval", "human"),
    Text("Look at results", "查看结果"): ("list", "show", "compare"),
    Text("Data", "数据"): ("import", "data"),
}
OTHERS: Final = Text("Further commands", "其他命令")

MAIN: Final = Text(
    """Measure models with KAgentBench: ask them, score the replies exactly as the published scorer does, compare.

    \b
    First steps, with nothing to bring or to set up:
      kagent-bench run --limit 8           the demo model on our sample
      kagent-bench list                    what was run, and which data there is

    \b
    With a model and the official file of yours:
      kagent-bench import benchmark_eval.jsonl
      kagent-bench run --data benchmark_eval --base-url http://localhost:8000/v1 --preset qwen
      kagent-bench compare 20260301-140522 20260302-091500

    \b
    Files that exist already, as with the published scripts:
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl

    A line that begins with [sample N], [partial] or [constrained] is no published score: its data, its coverage or its
    conditions differ. Works beside a running server and without one.

    \b
    Exit status:
      0    all went well
      1    a score is below --fail-under
      2    wrong use, a wrong file or a wrong setting: the sentence says what and where
      3    the model can't be asked
      4    something can't be written
      130  ended by Ctrl-C: every reply that came is kept, --resume goes on

    What each command does: kagent-bench COMMAND --help, docs/cli.md and docs/kagentbench.md.
    """,
    """用 KAgentBench 评测模型：向模型提问，按官方评分程序的方式精确打分，并进行比较。

    \b
    第一步，什么都不用准备：
      kagent-bench run --limit 8           用内置演示模型跑自带的样例
      kagent-bench list                    查看已有的运行和数据

    \b
    使用你自己的模型和官方文件：
      kagent-bench import benchmark_eval.jsonl
      kagent-bench run --data benchmark_eval --base-url http://localhost:8000/v1 --preset qwen
      kagent-bench compare 20260301-140522 20260302-091500

    \b
    已有的文件，用法与官方脚本相同：
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl

    以 [sample N]、[partial] 或 [constrained] 开头的成绩不能与官方成绩相比：它的数据、覆盖范围或条件不同。\
有没有正在运行的服务都可以使用。

    \b
    退出状态：
      0    一切正常
      1    有分数低于 --fail-under
      2    用法、文件或设置有误：提示会说明是什么、在哪里
      3    无法向模型提问
      4    有内容无法写入
      130  被 Ctrl-C 终止：已收到的回复都已保存，用 --resume 继续

    各命令的说明：kagent-bench 命令 --help，以及 docs/cli.md 和 docs/kagentbench.md。
    """,
)
CONFIG: Final = Text(
    "Settings file. Default: kagentbot.toml here, then in your configuration folder; none is needed.",
    "设置文件。默认：当前目录中的 kagentbot.toml，其次是用户配置目录中的；没有也可以。",
)

EVAL: Final = Text(
    """Score PREDICTIONS against BENCH and print the published line and a table.

    BENCH is a file in the official format, the name of an imported data set, or `sample`. PREDICTIONS is a file in the
    official prediction format: each line an id, a type, a query and model_predict. The numbers are those of the
    published scorer, to the last digit. Where that one dies, the reply counts 0 here and is counted; --strict ends
    like it.

    \b
    Examples:
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl --json | jq .scores.overall
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl --fail-under overall=40 --fail-under plan=30
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl --html report.html --chart charts/
    """,
    """用 BENCH 给 PREDICTIONS 打分，输出官方格式的成绩行和一张表。

    BENCH 是官方格式的文件、已导入的数据集名称，或 `sample`。PREDICTIONS 是官方预测格式的文件：每行包含 id、type、\
query 和 model_predict。分数与官方评分程序完全一致，精确到最后一位。官方评分程序会崩溃的地方，这里记 0 分并计数；\
--strict 则与它一样终止。

    \b
    示例：
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl --json | jq .scores.overall
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl --fail-under overall=40 --fail-under plan=30
      kagent-bench eval benchmark_eval.jsonl predictions.jsonl --html report.html --chart charts/
    """,
)
EVAL_SHORT: Final = Text("Score a predictions file.", "给预测文件打分。")
STRICT: Final = Text(
    "End where the published scorer ends, with its message.", "在官方评分程序会终止的地方同样终止，并给出它的错误信息。"
)
PARTIAL: Final = Text(
    "Accept that types or predictions are missing; the line begins with [partial] then.",
    "允许缺少某些类型或预测；此时成绩行以 [partial] 开头。",
)
HTML: Final = Text(
    "Write a report of one file, with every prompt, reply, parse, golden and score; of a suite, every check.",
    "写出单文件报告，包含每个提示、回复、解析结果、标准答案和得分；测试集则为各项检查的结论。",
)
CHART: Final = Text(
    "Draw charts: a folder gets radar.png and bars.png, a name that ends in .png the radar; a suite has bars alone.",
    "绘制图表：给目录则写入 radar.png 和 bars.png，给以 .png 结尾的文件名则写入雷达图；测试集只有条形图。",
)
JSON: Final = Text("Print one JSON object and nothing else.", "只输出一个 JSON 对象。")
FAIL_UNDER: Final = Text(
    "Exit with 1 if this number, as it is printed, is lower; may be given several times. "
    "METRIC is plan, tooluse, reflextion, conclusion, profile, overall, or pass for a suite.",
    "若该项（按打印的数值）低于给定值，则退出状态为 1；可多次使用。"
    "METRIC 为 plan、tooluse、reflextion、conclusion、profile、overall，测试集用 pass。",
)

RUN: Final = Text(
    """Ask a model everything, score the replies, print the line and a table.

    Without options the first endpoint of your settings, else the bundled demo model, answers our sample. Every reply is
    kept at once: after Ctrl-C or a kill, the same command with --resume goes on and repeats at most the calls that were
    under way. Replies that an earlier run got to the very same question are used again, unless --fresh says otherwise.

    \b
    Examples:
      kagent-bench run --limit 8
      kagent-bench run --data benchmark_eval.jsonl --model gpu --preset qwen --html report.html
      kagent-bench run --base-url http://localhost:8000/v1 --types conclusion,profile --lang zh
      kagent-bench run --limit 8 --constrained --json
      kagent-bench run --data benchmark_eval --model gpu --resume
      kagent-bench run --data my-suite.jsonl --fail-under pass=90
      kagent-bench run --limit 8 --post slack:#bench
    """,
    """向模型提出全部问题，给回复打分，输出成绩行和表格。

    不加选项时，由设置中的第一个端点（没有则由内置演示模型）回答自带的样例。\
每条回复都会立即保存：按下 Ctrl-C 或被强制终止后，在同一命令后加 --resume 即可继续，最多重复当时正在进行的调用。\
对完全相同的问题，会直接使用以前运行得到的回复，除非使用 --fresh。

    \b
    示例：
      kagent-bench run --limit 8
      kagent-bench run --data benchmark_eval.jsonl --model gpu --preset qwen --html report.html
      kagent-bench run --base-url http://localhost:8000/v1 --types conclusion,profile --lang zh
      kagent-bench run --limit 8 --constrained --json
      kagent-bench run --data benchmark_eval --model gpu --resume
      kagent-bench run --data my-suite.jsonl --fail-under pass=90
      kagent-bench run --limit 8 --post slack:#bench
    """,
)
RUN_SHORT: Final = Text("Ask a model and score its replies.", "向模型提问并打分。")
INFER: Final = Text(
    """Ask a model everything and write OUT, a file in the official prediction format.

    OUT is written when all is asked, as a whole or not at all; until then every reply is kept with the run. With
    --repeats N there is a file for each: OUT, then the same name with .2, .3 and so on before its ending.

    \b
    Examples:
      kagent-bench infer predictions.jsonl --data benchmark_eval.jsonl --model gpu --preset qwen
      kagent-bench infer predictions.jsonl --limit 8
      kagent-bench infer predictions.jsonl --data benchmark_eval.jsonl --model gpu --preset qwen --resume
    """,
    """向模型提出全部问题，写出官方预测格式的文件 OUT。

    全部问完后才写入 OUT，要么完整写入，要么不写；在此之前，每条回复都随这次运行保存。\
使用 --repeats N 时，每次各有一个文件：OUT，以及在扩展名前加上 .2、.3 等的同名文件。

    \b
    示例：
      kagent-bench infer predictions.jsonl --data benchmark_eval.jsonl --model gpu --preset qwen
      kagent-bench infer predictions.jsonl --limit 8
      kagent-bench infer predictions.jsonl --data benchmark_eval.jsonl --model gpu --preset qwen --resume
    """,
)
INFER_SHORT: Final = Text("Ask a model and write the predictions file.", "向模型提问并写出预测文件。")
DATA: Final = Text(
    "A file in the official format or a suite, or the name of a data set; default: our sample.",
    "官方格式的文件、自己的测试集，或数据集名称；默认：自带样例。",
)
MODEL: Final = Text(
    "Endpoint or model, as the server's settings and page have it (--endpoint is the same); with --base-url, the "
    "model's name there. Default: the first endpoint, else the demo model.",
    "端点或模型，名称与服务的设置和网页一致（--endpoint 相同）；与 --base-url 一起使用时，是那里的模型名称。"
    "默认：第一个端点，没有则用演示模型。",
)
BASE_URL: Final = Text(
    "Ask this OpenAI-compatible API and no configured endpoint, for example http://localhost:8000/v1.",
    "改用这个 OpenAI 兼容接口，例如 http://localhost:8000/v1。",
)
API_KEY_ENV: Final = Text(
    "The environment variable that holds its key; no option takes the key itself, because others can see options.",
    "存放其密钥的环境变量名；密钥本身没有选项，因为命令行参数会被他人看到。",
)
LIMIT: Final = Text(
    "At most so many items, drawn evenly from types and languages; the line begins with [sample N] then.",
    "最多评测这么多题，从各类型和语言中均匀抽取；此时成绩行以 [sample N] 开头。",
)
TYPES: Final = Text(
    "Only these, with commas between them: plantooluse, reflextion, conclusion, profile.",
    "只评测这些类型，用逗号分隔：plantooluse、reflextion、conclusion、profile。",
)
TEMPLATES: Final = Text(
    "Only prompts of these templates, with commas between them, for example ReACT,AutoGPT.",
    "只使用这些模板的提示，用逗号分隔，例如 ReACT,AutoGPT。",
)
LANGS: Final = Text("Only questions in these languages: en, zh.", "只评测这些语言的问题：en、zh。")
SEED: Final = Text("Which items --limit draws.", "--limit 抽题所用的随机种子。")
REPEATS: Final = Text("Ask everything so often.", "全部重复提问的次数。")
PRESET: Final = Text(
    "How a prompt reaches the model: plain as a user's message; qwen and baichuan2 in the form and with the input "
    "limit of the published scripts (3,096 and 3,400 tokens).",
    "提示的发送方式：plain 作为用户消息；qwen 和 baichuan2 采用官方脚本的格式和输入上限（3,096 和 3,400 个 token）。",
)
REASONING: Final = Text(
    "What becomes of a model's thinking: taken out of the reply, asked not to happen, or left in.",
    "如何处理模型的思考：从回复中去除（strip）、要求不思考（off）或保留（keep）。",
)
REASONING_TOKENS: Final = Text(
    "Tokens for thinking, on top of the reply's 520.", "用于思考的 token 数，不含回复的 520 个。"
)
CONSTRAINED: Final = Text(
    "Hold replies to a JSON Schema where the template is JSON; the line begins with [constrained] then.",
    "模板为 JSON 时，按 JSON Schema 约束回复；此时成绩行以 [constrained] 开头。",
)
CONCURRENCY: Final = Text(
    "Calls side by side, at most. Default: as many as keep the server's queue just full, found out on the way.",
    "同时进行的调用数上限。默认：自动调整，使服务端队列刚好排满。",
)
RESUME: Final = Text(
    "Go on with the newest unfinished run that these very options began.",
    "继续由相同选项开始、尚未完成的最近一次运行。",
)
FRESH: Final = Text("Ask again what an earlier run has a reply to.", "以前运行已有的回复也重新提问。")
JUDGE: Final = Text(
    "Endpoint or model that decides a suite's judge checks; without it they stay undecided.",
    "用于判定测试集中 judge 检查的端点或模型；不指定则这些检查不作判定。",
)
OUT: Final = Text("Write the predictions to this file, too.", "同时把预测写入此文件。")
POST: Final = Text(
    "Post line, table, chart and the difference to the last run: slack:#channel or discord:channel-id. A running "
    "server does it, else this command.",
    "发布成绩行、表格、图表以及与上一次运行的差异：slack:#频道 或 discord:频道ID。"
    "由正在运行的服务发布，没有服务则由本命令发布。",
)

COMPARE: Final = Text(
    """Compare A and B on the questions that both have: per number the difference, its 95 % interval and its p-value.

    A and B are runs (an id or its beginning, as `kagent-bench list` shows it), or predictions files; files need --data.

    \b
    Examples:
      kagent-bench compare 20260301-140522 20260302-091500
      kagent-bench compare old.jsonl new.jsonl --data benchmark_eval.jsonl
    """,
    """在 A 和 B 共有的问题上进行比较：给出每项的差异、95% 置信区间和 p 值。

    A 和 B 是运行（id 或其开头，见 `kagent-bench list`）或预测文件；使用文件时需要 --data。

    \b
    示例：
      kagent-bench compare 20260301-140522 20260302-091500
      kagent-bench compare old.jsonl new.jsonl --data benchmark_eval.jsonl
    """,
)
COMPARE_SHORT: Final = Text("Compare two runs or predictions files.", "比较两次运行或两个预测文件。")
COMPARE_DATA: Final = Text("What predictions files are scored against.", "给预测文件打分所用的数据。")

IMPORT: Final = Text(
    """Check FILE and keep a copy as a data set: official format, or a suite of your own.

    Says how many items of which type and language it has, and its hash. `kagent-bench data remove NAME` undoes it.

    \b
    Examples:
      kagent-bench import benchmark_eval.jsonl
      kagent-bench import suite.jsonl --name support-questions
    """,
    """检查 FILE，并作为数据集保存一份：可以是官方格式，也可以是你自己的测试集。

    会说明各类型、各语言的题数以及文件的哈希值。`kagent-bench data remove NAME` 可以撤销。

    \b
    示例：
      kagent-bench import benchmark_eval.jsonl
      kagent-bench import suite.jsonl --name support-questions
    """,
)
IMPORT_SHORT: Final = Text("Check a data file and keep it.", "检查并保存一个数据文件。")
IMPORT_NAME: Final = Text("Name of the data set; default: the file's.", "数据集的名称；默认与文件同名。")
DATA_GROUP: Final = Text(
    """Data sets: what was imported, and the sample that is always there.

    \b
    Examples:
      kagent-bench data list
      kagent-bench data remove benchmark_eval
    """,
    """数据集：已导入的数据，以及始终存在的样例。

    \b
    示例：
      kagent-bench data list
      kagent-bench data remove benchmark_eval
    """,
)
DATA_GROUP_SHORT: Final = Text("List and remove data sets.", "列出和删除数据集。")
DATA_LIST: Final = Text("List data sets with their items, languages and hashes.", "列出数据集及其题数、语言和哈希值。")
DATA_REMOVE: Final = Text("Remove a data set; runs with it stay.", "删除一个数据集；用它完成的运行会保留。")

LIST: Final = Text(
    """List runs, the newest first, and data sets.

    \b
    Examples:
      kagent-bench list
      kagent-bench list --json | jq -r '.runs[0].id'
    """,
    """列出运行（最近的在前）和数据集。

    \b
    示例：
      kagent-bench list
      kagent-bench list --json | jq -r '.runs[0].id'
    """,
)
LIST_SHORT: Final = Text("List runs and data sets.", "列出运行和数据集。")
MOST: Final = Text("At most so many runs.", "最多列出的运行数。")
SHOW: Final = Text(
    """Show ITEM of a run: each prompt, reply, what was read from it, the goldens and the score.

    ITEM is an id or its beginning, or TYPE:ID where several types have that id. Without --run it is the newest run.

    \b
    Examples:
      kagent-bench show 17
      kagent-bench show conclusion:17 --run 20260301-140522 --templates ReACT
      kagent-bench show 17 --json
    """,
    """显示某次运行中的一道题 ITEM：每个提示、回复、解析结果、标准答案和得分。

    ITEM 是 id 或其开头；若多个类型有相同的 id，则写成 类型:ID。不加 --run 时为最近一次运行。

    \b
    示例：
      kagent-bench show 17
      kagent-bench show conclusion:17 --run 20260301-140522 --templates ReACT
      kagent-bench show 17 --json
    """,
)
SHOW_SHORT: Final = Text("Show one item of a run.", "显示一次运行中的一道题。")
SHOW_RUN: Final = Text(
    "The run: an id or its beginning; default: the newest that has a reply to it.",
    "运行：id 或其开头；默认为有该题回复的最近一次运行。",
)
HUMAN: Final = Text(
    "Have people rate answers of agent systems without knowing whose they are.", "由人给匿名的智能体回答评分。"
)
