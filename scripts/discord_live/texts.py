"""What only the check of Discord prints, in both languages."""

from __future__ import annotations

from typing import Final

from agent.language import Text

BEGIN: Final = Text(
    "Checking kagentbot against Discord, in channel {channel}. It takes about six minutes; you are asked to write "
    "something eight times, to change and to delete a message, and to press Stop.",
    "正在频道 {channel} 中检查 kagentbot 与 Discord，大约需要六分钟；中途会请你发八次消息、修改和删除各一条消息，"
    "并点击一次停止按钮。",
)
MISSING: Final = Text(
    "Not set: {names}. docs/discord.md, “Checking against a real server”, says where to get them.",
    "未设置：{names}。获取方法见 docs/discord.md 的“Checking against a real server”一节。",
)

# --- The steps

TOKEN: Final = Text("Token, intent, channel, permissions", "令牌、intent、频道、权限")
CONNECTION: Final = Text("The server's connection is open", "服务已建立连接")
COMMANDS: Final = Text("Discord knows the slash commands", "Discord 已知斜杠命令")
MENTION: Final = Text("A mention gets one answer, in a thread opened from it", "提及后在由它开启的子区中得到一条回答")
FOLLOW: Final = Text("In its thread no mention is needed", "在它的子区中无需提及")
DIRECT: Final = Text("A direct message gets its answer", "私信得到回答")
EDITED: Final = Text("An edited question is answered as edited", "编辑后的问题按新内容回答")
DELETED: Final = Text("A deleted question is not answered", "删除的问题不会得到回答")
FILE: Final = Text("A file is read", "文件可读取")
STOP: Final = Text("The Stop button stops", "停止按钮有效")
AWAY: Final = Text("What was asked while it was down is answered", "离线期间的提问得到回答")
NONCE: Final = Text("A message that is sent twice is there once", "重复发送的消息只出现一次")
SIZE: Final = Text("A message holds what we put into one", "单条消息的容量")
EDITS: Final = Text("A message with buttons is changed and loses them", "带按钮的消息可编辑并移除按钮")
LISTED: Final = Text("What was posted is listed at once", "已发送的消息立即可查")
WEBHOOK: Final = Text("Another name on a message, by a webhook", "通过 Webhook 使用其他名字")
RATES: Final = Text("Limits are told before they are met", "限制可提前获知")

# --- What was seen

WHO: Final = Text("bot @{bot}, server {server}, channel #{channel}", "机器人 @{bot}，服务器 {server}，频道 #{channel}")
UNITS: Final = Text("{count} characters outside the basic plane", "{count} 个基本平面外的字符")
NO_WEBHOOKS: Final = Text("not tried: Manage Webhooks isn't granted", "未测：没有“管理 Webhook”权限")

# --- What is posted

PROBE: Final = Text("A check of kagentbot; this goes away.", "kagentbot 自检；这条消息会被删除。")
WEBHOOK_NAME: Final = "kagentbot check"

# --- What people are asked to do

SAY: Final = Text("In the channel, write: {text}", "请在频道中发送：{text}")
SAY_IN_THREAD: Final = Text("In the thread of the first answer, write: {text}", "请在第一条回答的子区中发送：{text}")
SAY_DIRECT: Final = Text("To the bot in private, write: {text}", "请私信机器人：{text}")
SHARE: Final = Text(
    "In the channel, share the file {file} with this text: {text}", "请在频道中发送文件 {file}，并附上：{text}"
)
PRESS_STOP: Final = Text(
    "Press Stop under the answer that is being written in the thread; there are {seconds} seconds.",
    "请在 {seconds} 秒内，点击子区中正在生成的回答下方的停止按钮。",
)

# --- What goes wrong, and how to mend it

FIX_NETWORK: Final = Text(
    "See whether discord.com can be reached from this machine, and try again in a minute.",
    "请确认本机可以访问 discord.com，一分钟后重试。",
)
NOT_A_CHANNEL: Final = Text(
    "DISCORD_LIVE_CHANNEL is no text channel of a server.", "DISCORD_LIVE_CHANNEL 不是服务器中的文字频道。"
)
FIX_CHANNEL: Final = Text(
    "Take the id of a text channel: switch on Developer Mode under Advanced, right-click the channel, Copy Channel ID.",
    "请填写文字频道的 ID：在“高级”中开启开发者模式，右键点击频道，选择“复制频道 ID”。",
)
LACKS: Final = Text("In this channel the bot lacks {permissions}.", "机器人在该频道缺少权限：{permissions}。")
FIX_LACKS: Final = Text(
    "Open the link that `kagentbot discord setup` prints once more, or grant them under Edit Channel, Permissions.",
    "请再次打开 `kagentbot discord setup` 打印的链接，或在“编辑频道 → 权限”中授予。",
)
FIX_INTENT: Final = Text(
    "Switch on Message Content Intent under Bot on the developer page.",
    "请在开发者页面的 Bot 中开启 Message Content Intent。",
)
NOT_CONNECTED: Final = Text("The server did not connect: {log}", "服务未能连接：{log}")
FIX_CONNECTION: Final = Text(
    "Run `kagentbot discord check` and do what it says.", "请运行 `kagentbot discord check` 并按提示处理。"
)
NO_COMMANDS: Final = Text("These commands are missing: {names}.", "缺少以下命令：{names}。")
FIX_COMMANDS: Final = Text(
    "Run `kagentbot discord sync`; it says what Discord has against them.",
    "请运行 `kagentbot discord sync`，它会说明 Discord 的拒绝原因。",
)
FIX_NO_REPLY: Final = Text(
    "See whether the text was copied as it stands, with the mention, and whether the bot sees the channel.",
    "请确认原样复制了文字（包括提及），且机器人能看到该频道。",
)
NO_THREAD: Final = Text("The answer opened no thread.", "回答没有开启子区。")
FIX_THREAD: Final = Text(
    "Grant Create Public Threads and Send Messages in Threads in this channel.",
    "请在该频道授予“创建公共子区”和“在子区内发送消息”权限。",
)
FIX_REPORT: Final = Text(
    "This is a defect, or Discord has changed: report it with the server's log.",
    "这是缺陷，或 Discord 有变化：请附上服务日志反馈。",
)
FIX_FILE: Final = Text(
    "See whether cdn.discordapp.com can be reached from this machine.", "请确认本机可以访问 cdn.discordapp.com。"
)
FIX_STOP: Final = Text(
    "If you pressed it, this is a defect: report it with the server's log.",
    "如果已点击，这是缺陷：请附上服务日志反馈。",
)
NOT_ONE: Final = Text("Two calls with one nonce made two messages.", "两次使用相同 nonce 的调用产生了两条消息。")
TOO_SMALL: Final = Text("A message of {size} characters was refused ({code}).", "{size} 个字符的消息被拒绝（{code}）。")
FIX_SIZE: Final = Text(
    "Lower CONTENT in adapters/discord/limits.py below that, and report it.",
    "请把 adapters/discord/limits.py 中的 CONTENT 调低，并反馈。",
)
KEPT_BUTTONS: Final = Text("An edit without buttons left them there.", "编辑后按钮仍然存在。")
UNLISTED: Final = Text("What was posted is not in the list of the channel.", "已发送的消息不在频道列表中。")

# --- What was measured

CONNECTED_IN: Final = Text(
    "the connection was open {seconds} s after the server was ready", "服务就绪 {seconds} 秒后建立连接"
)
SIZE_TAKEN: Final = Text(
    "a message takes {plain} letters, and {others} characters outside the basic plane",
    "单条消息可容纳 {plain} 个字母，或 {others} 个基本平面外的字符",
)
LISTED_AFTER: Final = Text(
    "a message was in the list {seconds} s after it was posted", "消息发送 {seconds} 秒后可在列表中查到"
)
PACE: Final = Text(
    "for ever, one message in {post} s and one edit in {edit} s may be sent in one channel",
    "同一频道可持续每 {post} 秒发送一条消息、每 {edit} 秒编辑一次",
)
NONCE_KEPT: Final = Text("the same nonce gave back the same message", "相同的 nonce 返回同一条消息")
