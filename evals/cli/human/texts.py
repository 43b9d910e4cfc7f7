"""What `kagent-bench human --help` and its commands say of themselves."""

from __future__ import annotations

from typing import Final

from agent.language import Text

GROUP: Final = Text(
    """Have people rate answers of agent systems without knowing whose they are.

    \b
      kagent-bench human questions questions.jsonl          is the file right?
      kagent-bench human run --questions questions.jsonl --models gpu,cpu
      kagent-bench human close 3fa9c1d2                      when enough people have rated
      kagent-bench human report 3fa9c1d2                     the published table, with intervals

    `run` lets every agent system answer every question on every model. Then people rate the answers from 1 to 5 on the
    page of the server that uses the same database: shuffled, without names. A line of the file is
    {"id": "1", "question": "…", "lang": "en"}; "lang" may be left out.

    Live feedback from chats (`feedback`) is about other questions and is never mixed with this.
    """,
    """由人给匿名的智能体回答评分。

    \b
      kagent-bench human questions questions.jsonl          检查文件
      kagent-bench human run --questions questions.jsonl --models gpu,cpu
      kagent-bench human close 3fa9c1d2                      评分足够后关闭
      kagent-bench human report 3fa9c1d2                     官方形式的表格，附区间

    `run` 让每个智能体系统用每个模型回答每个问题。随后，大家在使用同一数据库的服务页面上给回答打 1 到 5 分：\
顺序打乱，不显示名称。文件每行为 {"id": "1", "question": "…", "lang": "zh"}，"lang" 可以省略。

    聊天中的实时反馈（`feedback`）针对的是其他问题，不会与这里的评分混在一起。
    """,
)
QUESTIONS: Final = Text("Check a file of questions.", "检查问题文件。")
RUN: Final = Text(
    """Let every agent system answer every question on every model, and open the set for rating.

    Every answer is kept as soon as it is there. After Ctrl-C, a kill or an endpoint that went away, the same command
    with --resume goes on: finished steps of an answer are not asked again. Answers that failed are asked again, too, as
    long as nobody has rated. Tools are those of the settings; tools that change something are not offered.

    \b
    Examples:
      kagent-bench human run --questions questions.jsonl
      kagent-bench human run --questions questions.jsonl --systems noagent,kuaiagent --models gpu,cpu --name Spring
      kagent-bench human run --questions questions.jsonl --models gpu --resume
    """,
    """让每个智能体系统用每个模型回答每个问题，然后开放评分。

    每个回答产生后立即保存。遇到 Ctrl-C、进程被终止或端点不可用后，在同一命令后加 --resume 即可继续：\
已完成的步骤不会重复。只要还没有人评分，失败的回答也会重新尝试。工具与设置一致，会产生改动的工具不提供。

    \b
    示例：
      kagent-bench human run --questions questions.jsonl
      kagent-bench human run --questions questions.jsonl --systems noagent,kuaiagent --models gpu,cpu --name 春季
      kagent-bench human run --questions questions.jsonl --models gpu --resume
    """,
)
RUN_SHORT: Final = Text("Answer a set of questions with every agent system.", "用每个智能体系统回答一组问题。")
FILE: Final = Text("The questions, JSONL.", "问题文件（JSONL）。")
SYSTEMS: Final = Text("Agent systems, separated by commas; default: all.", "智能体系统，用逗号分隔；默认：全部。")
MODELS: Final = Text(
    "Endpoints or models by name, separated by commas; default: the one that answers chats.",
    "端点或模型的名称，用逗号分隔；默认：回答聊天的那个。",
)
NAME: Final = Text(
    "What raters see as the set's name; default: the file's. It should not tell who answers.",
    "评分人看到的名称；默认：文件名。名称不应透露由谁回答。",
)
CONCURRENCY: Final = Text("Answers that each model makes at the same time.", "每个模型同时生成的回答数。")
RESUME: Final = Text(
    "Go on with the newest unfinished set of these options.", "继续最近一次使用相同选项、尚未完成的回答。"
)
LIST: Final = Text("List sets, their state and how many rate them.", "列出各组回答、状态和评分人数。")
REPORT: Final = Text(
    """The table of a set: rows are models, columns are agent systems, each cell `pass rate % (mean score)` and n.

    Below it: 95 % intervals clustered by question, paired differences between systems with p-values, and how far raters
    agree (Krippendorff's alpha). Without SET it is the newest. While a set is open nobody sees what others give: close
    it first, or say --so-far.

    \b
    Examples:
      kagent-bench human report 3fa9c1d2
      kagent-bench human report --pass 5 --markdown
      kagent-bench human report --html table.html
    """,
    """一组回答的表格：行是模型，列是智能体系统，每格为“通过率 %（平均分）”和 n。

    下面是按问题聚类的 95% 区间、系统之间的配对差异及 p 值，以及评分人的一致程度（Krippendorff α）。\
不写 SET 则为最近一组。开放期间任何人都看不到别人的评分：请先关闭，或加 --so-far。

    \b
    示例：
      kagent-bench human report 3fa9c1d2
      kagent-bench human report --pass 5 --markdown
      kagent-bench human report --html table.html
    """,
)
REPORT_SHORT: Final = Text("The table of a set.", "一组回答的表格。")
PASS: Final = Text("Ratings from this one on count as passed.", "从该分数起算作通过。")
MARKDOWN: Final = Text("Tables as Markdown.", "以 Markdown 输出表格。")
HTML: Final = Text("Also write the report as one HTML file.", "同时把报告写成一个 HTML 文件。")
SO_FAR: Final = Text("Although the set is still open.", "即使这组回答仍在评分中。")
EXPORT: Final = Text(
    "Print a set as JSONL: one line for each answer, with what each rater gave it.",
    "以 JSONL 输出一组回答：每个回答一行，附每位评分人的评分。",
)
CLOSE: Final = Text(
    "Close a set: nobody rates it any more, and its result may be seen.", "关闭一组回答：不再接受评分，可以查看结果。"
)
OPEN: Final = Text("Open a closed set for ratings again.", "重新开放已关闭的一组回答。")
DELETE: Final = Text("Delete a set with its answers and ratings.", "删除一组回答及其评分。")
YES: Final = Text("Yes, delete it.", "确认删除。")
FEEDBACK: Final = Text(
    "Thumbs and ratings from chats, by agent system and model. Other questions than any set's: not comparable.",
    "聊天中的点赞、点踩和评分，按智能体系统和模型统计。问题与任何一组都不同，不可比较。",
)
DISLIKED: Final = Text("List answers from chats that got a thumbs-down.", "列出聊天中被点踩的回答。")
CASE: Final = Text(
    """Make a case of an own suite from an answer that got a thumbs-down: TURN is the number that `disliked` shows.

    The question and the answer are copied into the suite's file in the data folder, for as long as they are not deleted
    in the chat: whoever deletes the conversation, or what a person has said, deletes such cases, too. Direct
    conversations of others are never copied.

    \b
    Examples:
      kagent-bench human case 417 --suite chats --note "the year is wrong"
      kagent-bench run --data chats --judge gpu
    """,
    """把被点踩的回答变成自有测试集的一个用例：TURN 是 `disliked` 显示的编号。

    问题和回答会复制到数据目录中的测试集文件；在聊天中删除对话或某人的发言时，相应的用例也会一并删除。他人的私聊不会被复制。

    \b
    示例：
      kagent-bench human case 417 --suite chats --note "年份错了"
      kagent-bench run --data chats --judge gpu
    """,
)
CASE_SHORT: Final = Text("Make a suite's case from a bad answer.", "把差的回答变成测试用例。")
SUITE: Final = Text("The suite; it is made where there is none.", "测试集名称；没有则新建。")
NOTE: Final = Text("What was wrong, for the judge.", "问题所在，供评判模型参考。")
GROUP_SHORT: Final = Text("Have people rate answers without knowing whose they are.", "由人给匿名的智能体回答评分。")
