"""What `kagentbot chat` says to people."""

from __future__ import annotations

from agent.language import Text

# --- The server

ATTACHED = Text("Talking to the server that runs at {url}.", "已连接到正在运行的服务：{url}。")
OWN = Text(
    "Started a server for this chat; it ends with it. Its log: {log}",
    "已为本次聊天启动一个服务，聊天结束时它也会结束。日志：{log}",
)
STARTING = Text("Starting a server…", "正在启动服务…")
ENDING = Text("Ending the server…", "正在结束服务…")
NO_SERVER_AT = Text(
    "No server answers at {url}: check the address, or leave --url out to use the one on this machine.",
    "{url} 没有服务应答：请检查地址，或去掉 --url 使用本机的服务。",
)
NOT_STARTED = Text("No server could be started ({reason}): its log is {log}", "无法启动服务（{reason}）：日志在 {log}")
NO_REASON = Text("it said nothing", "它没有给出原因")
BAD_URL = Text(
    "--url needs the address of a server, for example http://127.0.0.1:8765.",
    "--url 需要服务的地址，例如 http://127.0.0.1:8765。",
)
TOKEN_IN_URL = Text(
    "Leave the token out of --url, where others on this machine can read it: set KAGENTBOT_SERVER__TOKEN instead.",
    "请不要把令牌写在 --url 里，本机其他人可以看到：请改为设置 KAGENTBOT_SERVER__TOKEN。",
)
TOKEN_NEEDED = Text(
    "This server asks for its token: set KAGENTBOT_SERVER__TOKEN to it.",
    "该服务需要令牌：请把 KAGENTBOT_SERVER__TOKEN 设为它的令牌。",
)
AWAY = Text("The server has gone away. Reconnecting…", "服务断开了，正在重新连接…")
BACK = Text("Connected again.", "已重新连接。")
BACK_OWN = Text(
    "It did not come back, so this chat started a server of its own. Its log: {log}",
    "原来的服务没有恢复，已为本次聊天启动一个服务。日志：{log}",
)
KEPT = Text(
    "The server is away. Your question is kept and will be answered when it is back: /list shows it then.",
    "服务不在线。你的问题已保存，恢复后会继续回答：届时用 /list 查看。",
)
NOT_SENT = Text(
    "The server is away and did not confirm your question: send it again when it is back (↑ brings it up).",
    "服务不在线，问题未确认送达：请等它恢复后重新发送（按 ↑ 可取回）。",
)
NO_ANSWER = Text("The server doesn't answer: try again in a moment.", "服务没有应答：请稍后再试。")

# --- Beginning and end

MODEL = Text("Model: {name}", "模型：{name}")
MODEL_DEMO = Text(
    "Model: {name}. It only shows that everything works; `kagentbot init` connects one of yours.",
    "模型：{name}。它只用来证明一切正常；用 `kagentbot init` 可接入你自己的模型。",
)
MODEL_DOWN = Text("The model can't be reached. {detail}", "模型无法访问。{detail}")
TRY = Text("Try: {question}", "试试：{question}")
HINT = Text(
    "Enter sends, Alt-Enter begins a new line, Ctrl-C stops an answer, Ctrl-D leaves. /help shows the commands.",
    "Enter 发送，Alt-Enter 换行，Ctrl-C 停止回答，Ctrl-D 退出，/help 查看命令。",
)
AGAIN_LEAVES = Text("Ctrl-C once more leaves.", "再按一次 Ctrl-C 退出。")
NEEDS_TERMINAL = Text(
    'The chat needs a terminal: give it a question instead, for example kagentbot chat "What day is it?".',
    "聊天需要终端：请改为直接给出问题，例如 kagentbot chat “今天星期几？”。",
)
NO_CONVERSATION = Text(
    "There is no conversation {key}: a key is the last part of a conversation's address on the page, and `last` means "
    "the newest one.",
    "没有对话 {key}：标识是该对话网页地址的最后一段，`last` 表示最近的一个。",
)
NO_QUESTION = Text(
    'There is no question: write one, for example kagentbot chat "What day is it?".',
    "没有问题：请写一个，例如 kagentbot chat “今天星期几？”。",
)

# --- A turn

THINKING = Text("Thinking", "思考中")
WRITING = Text("Writing", "撰写中")
QUEUED = Text("Waiting for the answer before this one", "等待上一条回答完成")
STOPPING = Text("Stopping", "正在停止")
RECONNECTING = Text("Reconnecting", "正在重新连接")
STOPS = Text("Ctrl-C stops", "Ctrl-C 停止")
SECONDS = Text("{seconds} s", "{seconds} 秒")
MINUTES = Text("{minutes} min {seconds:02d} s", "{minutes} 分 {seconds:02d} 秒")
STEPS = Text("{count} steps", "{count} 个步骤")
ONE_STEP = Text("1 step", "1 个步骤")
SOURCES = Text("Sources", "来源")
STOPPED = Text("Stopped.", "已停止。")
FAILED = Text("The answer failed.", "回答失败。")
REFUSED = Text("The question was declined.", "问题被拒绝。")
WITHDRAWN = Text("The question was deleted.", "问题已被删除。")
SUPERSEDED = Text("The question was changed and is answered elsewhere.", "问题已被修改，将另行回答。")
TRY_AGAIN = Text("/retry asks again.", "用 /retry 重试。")
ANEW = Text("The answer begins anew:", "回答重新开始：")
CONSENT = Text("Your permission is needed: {question}", "需要你的许可：{question}")
ALLOW = Text("Allow it? [y/N] ", "允许吗？[y/N] ")
ALLOWED = Text("Allowed.", "已允许。")
DENIED = Text("Not allowed.", "未允许。")
NOBODY_TO_ASK = Text(
    "Nobody is here to allow it, so it is not allowed: {question}", "没有人可以许可，因此不允许：{question}"
)

# --- The trace

PLAN = Text("Plan", "计划")
CONCLUDE = Text("Answer", "回答")
PERMISSION = Text("Permission", "许可")
NO_CALL = Text("no tool", "不用工具")
TOKENS = Text("{prompt} tokens in, {completion} out", "输入 {prompt} 个 token，输出 {completion} 个")
IN_ALL = Text("In all: {what}", "总计：{what}")

# --- Commands

UNKNOWN = Text("There is no command {name}: /help shows them all.", "没有命令 {name}：用 /help 查看全部命令。")
NO_TURN = Text("Nothing has been answered here yet: ask something first.", "这里还没有回答：请先提问。")
NOTHING_RUNS = Text("Nothing is being answered.", "当前没有正在进行的回答。")
NEW = Text("A new conversation.", "新对话。")
NONE_YET = Text("There is no conversation yet.", "还没有对话。")
NONE_FOUND = Text("No conversation has “{words}” in it.", "没有包含“{words}”的对话。")
UNTITLED = Text("Untitled", "无标题")
LIVE = Text("being answered", "正在回答")
OPENED = Text("Going on with “{title}”.", "继续“{title}”。")
EARLIER = Text("Earlier turns are on the page.", "更早的内容可在网页上查看。")
WHICH = Text("Say which one, for example /open 1: /list shows them.", "请指定编号，例如 /open 1：用 /list 查看。")
NO_STEPS = Text("This answer took no steps.", "这条回答没有步骤。")
THANKS = Text("Thank you. The rating is kept with the answer.", "谢谢，评价已保存。")
EXPORTED = Text("Written to {path}", "已写入 {path}")
NOT_WRITTEN = Text(
    "No file could be written in the current folder ({reason}): change to another one.",
    "无法在当前目录写入文件（{reason}）：请换一个目录。",
)
EXPORT_KIND = Text("/export takes markdown or json.", "/export 后面写 markdown 或 json。")
MODELS = Text("Used here: {name}", "本对话使用：{name}")
SERVERS_CHOICE = Text("the server's choice", "由服务选择")
NO_MODEL = Text("There is no model {name}: /model shows them.", "没有模型 {name}：用 /model 查看。")
NO_FIELD = Text("There is no field {name}: /profile shows them.", "没有 {name} 这一项：用 /profile 查看。")
NEEDS_QUESTION = Text("Ask something first: this is kept with a conversation.", "请先提问：这一项保存在对话中。")
SAVED = Text("Kept; it holds from the next question on.", "已保存，从下一个问题起生效。")
SCOPES = {
    "default": Text("settings", "设置"),
    "workspace": Text("all conversations", "所有对话"),
    "channel": Text("this conversation", "本对话"),
    "thread": Text("this thread", "本话题"),
}
ASKED_AGAIN = Text("Asking again: {question}", "重新提问：{question}")

HELP_KEYS = Text(
    "Keys: Enter sends; Alt-Enter, or \\ at the end of a line, begins a new line; ↑ and ↓ go through what you wrote; "
    "Tab completes commands; Ctrl-C stops an answer; Ctrl-C twice or Ctrl-D leaves.",
    "按键：Enter 发送；Alt-Enter 或行尾的 \\ 换行；↑ ↓ 浏览写过的内容；Tab 补全命令；Ctrl-C 停止回答；"
    "连按两次 Ctrl-C 或按 Ctrl-D 退出。",
)
ABOUT_HELP = Text("show this list", "显示本列表")
ABOUT_NEW = Text("begin a new conversation", "开始新对话")
ABOUT_LIST = Text(
    "conversations, the newest first; with words: those that contain them", "列出对话，新的在前；可加关键词搜索"
)
ABOUT_OPEN = Text(
    "go on with conversation N of the list, or with the last one", "继续列表中的第 N 个对话，或最近的一个"
)
ABOUT_STOP = Text("stop what is being answered in this conversation", "停止本对话中正在进行的回答")
ABOUT_RETRY = Text("ask the last question again", "重新提问上一个问题")
ABOUT_STEPS = Text(
    "how the last answer came about: plans, calls, results, times", "上一条回答的过程：计划、调用、结果、用时"
)
ABOUT_EXPORT = Text("write this conversation to a file here", "把本对话写入当前目录的文件")
ABOUT_GOOD = Text("rate the last answer as good", "评价上一条回答：好")
ABOUT_BAD = Text("rate the last answer as bad", "评价上一条回答：不好")
ABOUT_MODEL = Text("show the models, or use one in this conversation", "查看模型，或为本对话选择模型")
ABOUT_PROFILE = Text(
    "show the agent's profile, or set a field for this conversation", "查看助手设置，或为本对话修改一项"
)
ABOUT_QUIT = Text("leave", "退出")
