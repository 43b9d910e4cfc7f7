"""All that is printed, in both languages."""

from __future__ import annotations

from typing import Final

from agent.language import Text

# --- At the beginning

BEGIN: Final = Text(
    "Checking kagentbot against Slack, in channel {channel}. It takes about three minutes; you are asked to press Stop "
    "once.",
    "正在频道 {channel} 中检查 kagentbot 与 Slack，大约需要三分钟；中途会请你点击一次停止按钮。",
)
MISSING: Final = Text(
    "Not set: {names}. docs/slack.md, “Checking against a real workspace”, says where to get them.",
    "未设置：{names}。获取方法见 docs/slack.md 的“Checking against a real workspace”一节。",
)

# --- The steps

TOKENS: Final = Text("Tokens, scopes, channel", "令牌、scope、频道")
AGENT: Final = Text("The app is an agent, and Stop is subscribed to", "应用是智能体，且已订阅停止事件")
SOCKETS: Final = Text("The server's sockets are open", "服务已建立连接")
MENTION: Final = Text("A mention gets one answer in its thread", "提及后在消息列中得到一条回答")
DIRECT: Final = Text("A direct message gets its answer", "私信得到回答")
EDITED: Final = Text("An edited question is answered as edited", "编辑后的问题按新内容回答")
DELETED: Final = Text("A deleted question is not answered", "删除的问题不会得到回答")
STREAM: Final = Text("A stream with a step's row and a table", "带步骤和表格的流式消息")
SIZE: Final = Text("A streamed message holds what we put into one", "单条流式消息的容量")
UPDATE: Final = Text("chat.update takes long Markdown", "chat.update 接受长 Markdown")
FEEDBACK: Final = Text("Feedback buttons and rating are accepted", "反馈按钮和评分可用")
EPHEMERAL: Final = Text("A private message in a thread is accepted", "消息列中的私密消息可用")
FILE: Final = Text("A file is read", "文件可读取")
STOP: Final = Text("Slack's own Stop stops", "Slack 自带的停止按钮有效")
RATES: Final = Text("Too many calls are told with Retry-After", "超限时返回 Retry-After")

# --- What was seen

WHO: Final = Text("{team} ({id}), bot @{bot}, person @{person}", "{team}（{id}），机器人 @{bot}，用户 @{person}")
BYTES: Final = Text("at least {size} bytes", "至少 {size} 字节")
BLOCKS: Final = Text("blocks", "个 block")

# --- What is posted

ROOT: Final = Text("kagentbot checks itself here; this goes away.", "kagentbot 正在自检；这条消息会被删除。")
PROBE: Final = Text("A check of kagentbot; this goes away.", "kagentbot 自检；这条消息会被删除。")
PRIVATE: Final = Text("Only you see this: a check of kagentbot.", "只有你能看到：kagentbot 自检。")

# --- What people are asked to do

SAY: Final = Text("In the channel or DM, write: {text}", "请在频道或私信中发送：{text}")
SAY_IN_THREAD: Final = Text("In the last thread, write: {text}", "请在最近的消息列中发送：{text}")
SHARE: Final = Text(
    "In the channel, share the file {file} with this text: {text}", "请在频道中发送文件 {file}，并附上：{text}"
)
PRESS_STOP: Final = Text(
    "Press Stop under the answer that is being written in the thread; there are {seconds} seconds.",
    "请在 {seconds} 秒内，点击消息列中正在生成的回答下方的停止按钮。",
)

# --- What goes wrong, and how to mend it

FIX_NETWORK: Final = Text(
    "See whether slack.com can be reached from this machine, and try again in a minute.",
    "请确认本机可以访问 slack.com，一分钟后重试。",
)
FIX_BOT_TOKEN: Final = Text(
    "Set SLACK_BOT_TOKEN to the Bot User OAuth Token (xoxb-…).",
    "请将 SLACK_BOT_TOKEN 设为 Bot User OAuth Token（xoxb-…）。",
)
FIX_SCOPES: Final = Text(
    "Paste the manifest that `kagentbot slack manifest` prints under App Manifest, and install the app again.",
    "请把 `kagentbot slack manifest` 输出的清单粘贴到 App Manifest，并重新安装应用。",
)
FIX_APP_TOKEN: Final = Text(
    "Make an app-level token with connections:write under Basic Information and set SLACK_APP_TOKEN to it.",
    "请在 Basic Information 中创建带 connections:write 的应用级令牌，并写入 SLACK_APP_TOKEN。",
)
WRONG_PERSON: Final = Text(
    "SLACK_LIVE_USER_TOKEN is not the token of a person in {team}.",
    "SLACK_LIVE_USER_TOKEN 不是 {team} 中某个用户的令牌。",
)
FIX_PERSON: Final = Text(
    "Take a User OAuth Token (xoxp-…) of the same workspace.", "请使用同一工作区的 User OAuth Token（xoxp-…）。"
)
NOT_IN_CHANNEL: Final = Text(
    "The bot is not in the channel of SLACK_LIVE_CHANNEL, or it is archived.",
    "机器人不在 SLACK_LIVE_CHANNEL 指定的频道中，或该频道已归档。",
)
FIX_CHANNEL: Final = Text("Invite it there with /invite @{name}.", "请在该频道中用 /invite @{name} 邀请它。")
WARNED: Final = Text("Slack warns: {warning}.", "Slack 警告：{warning}。")
FIX_EVENTS: Final = Text(
    "Subscribe to the event agent_session_stopped under Event Subscriptions and save.",
    "请在 Event Subscriptions 中订阅事件 agent_session_stopped 并保存。",
)
NOT_ALONE: Final = Text(
    "{count} other sockets are open with this app, and Slack would send them our events.",
    "该应用另有 {count} 个连接，Slack 会把事件发给它们。",
)
FIX_NOT_ALONE: Final = Text(
    "Stop the other servers for the check, or use an app of its own for it.",
    "请在检查期间停掉其他服务，或为检查单独创建一个应用。",
)
NOT_CONNECTED: Final = Text("The server did not connect: {log}", "服务未能连接：{log}")
FIX_SOCKETS: Final = Text(
    "Switch Socket Mode on on the app's page and run `kagentbot slack check`.",
    "请在应用页面启用 Socket Mode，然后运行 `kagentbot slack check`。",
)
FIX_NO_REPLY: Final = Text(
    "See under Event Subscriptions whether app_mention, message.channels, message.groups and message.im are there, and "
    "install the app again.",
    "请检查 Event Subscriptions 中是否有 app_mention、message.channels、message.groups 和 message.im，并重新安装应用。",
)
FIX_EVENTS_OF_CHANNEL: Final = Text(
    "See under Event Subscriptions whether message.channels (for a private channel: message.groups) is there: edits "
    "and deletions come with it.",
    "请检查 Event Subscriptions 中是否有 message.channels（私有频道为 message.groups）：编辑和删除随它送达。",
)
STREAM_SMALL: Final = Text(
    "A streamed message takes {size} bytes only, less than we put into one.",
    "单条流式消息只能容纳 {size} 字节，小于我们的用量。",
)
FIX_LIMITS: Final = Text(
    "Lower {name} in adapters/slack/limits.py below {size}, and report it.",
    "请把 adapters/slack/limits.py 中的 {name} 调到 {size} 以下，并反馈。",
)
FIX_FILE: Final = Text(
    "See whether the bot has files:read, and whether files.slack.com can be reached from this machine.",
    "请确认机器人有 files:read，且本机可以访问 files.slack.com。",
)
FIX_STOP: Final = Text(
    "If you pressed it: see whether agent_session_stopped is under Event Subscriptions. If it wasn't there: switch on "
    "Agents & AI Apps.",
    "如果已点击：请检查 Event Subscriptions 中是否有 agent_session_stopped。如果没有按钮：请开启 Agents & AI Apps。",
)
NO_RETRY_AFTER: Final = Text("{method} was limited without Retry-After.", "{method} 超限，但没有返回 Retry-After。")
FIX_PROXY: Final = Text(
    "See whether a proxy takes headers away; without it the server waits 30 seconds.",
    "请检查代理是否去掉了响应头；没有它时服务会等待 30 秒。",
)
NO_LIMIT: Final = Text("{count} calls were taken without a limit.", "{count} 次调用都没有触发限制。")
FIX_NO_LIMIT: Final = Text(
    "Nothing has to be mended: Slack is more generous than it says.", "无需处理：Slack 的限制比文档宽松。"
)

# --- What was measured

TYPED_BY_PERSON: Final = Text(
    "what is posted with a person's token names no app, so the token typed for you",
    "用个人令牌发送的消息不带应用标识，因此由令牌代为输入",
)
TYPED_BY_APP: Final = Text(
    "what is posted with a person's token names its app (bot_id), so you had to type yourself",
    "用个人令牌发送的消息带有应用标识（bot_id），因此需要你亲自输入",
)
CONNECTED_IN: Final = Text(
    "the sockets were open {seconds} s after the server was ready", "服务就绪 {seconds} 秒后连接全部建立"
)
STREAM_METADATA: Final = Text("chat.stopStream keeps metadata", "chat.stopStream 会保留 metadata")
STREAM_NO_METADATA: Final = Text("chat.stopStream answers without metadata", "chat.stopStream 的答复中没有 metadata")
STREAM_SIZE: Final = Text(
    "a streamed message took {en} bytes of English and {zh} bytes ({characters} characters) of Chinese",
    "单条流式消息可容纳英文 {en} 字节、中文 {zh} 字节（{characters} 字）",
)
STREAM_CODE: Final = Text(
    "a full stream says {code} (after {size} bytes)", "流式消息写满时返回 {code}（{size} 字节后）"
)
STREAM_END: Final = Text("stopping a full stream says {code}", "结束写满的流式消息时返回 {code}")
UPDATE_TEXT: Final = Text(
    "chat.update with {size} characters of text: {code}", "chat.update 的 text 为 {size} 字符时：{code}"
)
MARKDOWN_BLOCKS: Final = Text(
    "two markdown blocks of 7,000 characters in one message: {code}",
    "一条消息中含两个 7,000 字符的 markdown block：{code}",
)
NOT_CUSTOM: Final = Text(
    "names and icons of profiles: not measured, chat:write.customize isn't granted",
    "配置中的名字和图标：未测，因为没有授予 chat:write.customize",
)
CUSTOM: Final = Text(
    "with a name and icon of its own: chat.update {update}, chat.startStream {stream}",
    "使用自定义名字和图标时：chat.update {update}，chat.startStream {stream}",
)
TOOK: Final = Text("{method} took {count} calls in a row without a limit", "{method} 连续 {count} 次调用未触发限制")
TOOK_UNTIL: Final = Text(
    "{method} took {count} calls in a row, then asked to wait {wait} s",
    "{method} 连续 {count} 次调用后要求等待 {wait} 秒",
)
