"""What Slack's error codes mean for people: one sentence each, which says what to do."""

from __future__ import annotations

from typing import Final

from agent.language import Lang, Text

_REINSTALL = Text(
    "Slack no longer takes the bot token: install the app again (Install App on the app's page) and put the new token "
    "into SLACK_BOT_TOKEN.",
    "Slack 不再接受机器人令牌：请在应用页面的 Install App 中重新安装，并把新令牌写入 SLACK_BOT_TOKEN。",
)
_REMOVED = Text(
    "The app was removed from this workspace: install it again to be served there.",
    "应用已从该工作区移除：重新安装后才能继续使用。",
)

#: By Slack's code; `{needed}` is the scope. Codes of our own: file_slow, file_unreachable, not_installed, not_allowed,
#: not_bot_token, bad_signature, and those of Socket Mode.
SENTENCES: Final[dict[str, Text]] = {
    "invalid_auth": Text(
        "Slack doesn't know this token: copy the bot token (xoxb-…) from OAuth & Permissions once more.",
        "Slack 不认识这个令牌：请重新复制 OAuth & Permissions 页面的机器人令牌（xoxb-…）。",
    ),
    "not_authed": Text(
        "No token was sent to Slack: set SLACK_BOT_TOKEN.", "没有向 Slack 提供令牌：请设置 SLACK_BOT_TOKEN。"
    ),
    "token_revoked": _REINSTALL,
    "token_expired": Text(
        "The bot token has expired: turn token rotation off for the app and install it again.",
        "机器人令牌已过期：请为应用关闭令牌轮换，并重新安装。",
    ),
    "account_inactive": _REMOVED,
    "app_uninstalled": _REMOVED,
    "invalid_token": _REINSTALL,
    "not_allowed_token_type": Text(
        "This is the wrong kind of token: SLACK_BOT_TOKEN begins with xoxb-, SLACK_APP_TOKEN with xapp-.",
        "令牌类型不对：SLACK_BOT_TOKEN 以 xoxb- 开头，SLACK_APP_TOKEN 以 xapp- 开头。",
    ),
    "not_bot_token": Text(
        "This token is a person's, not the bot's: take the Bot User OAuth Token (xoxb-…) from OAuth & Permissions.",
        "这是个人令牌，不是机器人令牌：请使用 OAuth & Permissions 页面的 Bot User OAuth Token（xoxb-…）。",
    ),
    "missing_scope": Text(
        "The app lacks the permission {needed}: add this scope under OAuth & Permissions and install the app again.",
        "应用缺少权限 {needed}：请在 OAuth & Permissions 中添加该 scope，然后重新安装应用。",
    ),
    "no_permission": Text(
        "Slack doesn't permit this to the app: check its scopes under OAuth & Permissions and install it again.",
        "Slack 不允许应用这样做：请在 OAuth & Permissions 中检查 scope，然后重新安装应用。",
    ),
    "not_authorized": Text(
        "The app is not declared an agent: switch on Agents & AI Apps on the app's page, or update its manifest with "
        "`kagentbot slack manifest`.",
        "应用没有声明为智能体：请在应用页面开启 Agents & AI Apps，或用 `kagentbot slack manifest` 更新清单。",
    ),
    "missing_agent_session_stopped_event_subscription": Text(
        "Slack's own Stop button stays away, because the app isn't subscribed to the event agent_session_stopped: add "
        "it under Event Subscriptions.",
        "Slack 自带的停止按钮不会出现，因为应用没有订阅事件 agent_session_stopped：请在 Event Subscriptions 中添加。",
    ),
    "messages_tab_disabled": Text(
        "People can't write to the app: switch on the Messages tab under App Home.",
        "用户无法给应用发消息：请在 App Home 中开启 Messages 标签页。",
    ),
    "team_access_not_granted": Text(
        "The organisation has not let this app into that workspace: an organisation admin has to add it there.",
        "组织尚未允许该应用进入这个工作区：请组织管理员添加。",
    ),
    "access_denied": Text("The installation was cancelled: nothing was changed.", "安装已取消，没有做任何改动。"),
    "not_in_channel": Text(
        "I am not in this channel: invite me with /invite, then ask again.",
        "我不在这个频道里：请用 /invite 邀请我，然后再问一次。",
    ),
    "channel_not_found": Text(
        "I can't see this channel: invite me with /invite, then ask again.",
        "我看不到这个频道：请用 /invite 邀请我，然后再问一次。",
    ),
    "is_archived": Text(
        "This channel is archived, so nothing can be posted: take it out of the archive or ask elsewhere.",
        "这个频道已归档，无法发布消息：请取消归档，或换个地方提问。",
    ),
    "restricted_action": Text(
        "The workspace doesn't let me post here: ask an admin, or ask me elsewhere.",
        "工作区不允许我在这里发消息：请联系管理员，或换个地方提问。",
    ),
    "user_not_in_channel": Text(
        "This can be seen only by members of the channel: join it first.", "只有频道成员才能看到：请先加入频道。"
    ),
    "message_not_found": Text("The message is gone: ask again to get a new answer.", "消息已不存在：请重新提问。"),
    "expired_trigger_id": Text(
        "That took too long, and Slack won't open the window any more: click once more.",
        "耗时太长，Slack 已不再打开窗口：请再点一次。",
    ),
    "invalid_trigger_id": Text(
        "Slack won't open a window from this click: click once more.", "Slack 无法从这次点击打开窗口：请再点一次。"
    ),
    "user_is_restricted": Text(
        "Guests can't do this here: ask a member of the workspace.", "访客不能在这里这样做：请联系工作区成员。"
    ),
    "file_not_found": Text("The file is gone: send it again.", "文件已不存在：请重新发送。"),
    "file_deleted": Text("The file was deleted: send it again.", "文件已删除：请重新发送。"),
    "file_slow": Text(
        "Slack has not made a picture of the file: ask for it once more.",
        "Slack 未能把文件处理成图片：请稍后再试一次。",
    ),
    "file_unreachable": Text(
        "Slack takes no files just now: ask for it once more.", "Slack 暂时不接收文件：请稍后再试一次。"
    ),
    "storage_limit_reached": Text(
        "The workspace has no room for files left: delete some, then try again.",
        "工作区的文件空间已满：请删除一些文件后重试。",
    ),
    # Ours
    "not_installed": Text(
        "The app isn't installed in this workspace: an admin has to install it first.",
        "应用尚未安装到这个工作区：请管理员先安装。",
    ),
    "not_allowed": Text(
        "This workspace isn't served here: an operator has to add its id to slack.workspaces.",
        "本服务不为这个工作区提供服务：请运维人员将其 ID 加入 slack.workspaces。",
    ),
    "bad_signature": Text(
        "A request was refused because its signature is wrong or too old: check SLACK_SIGNING_SECRET and the clock.",
        "拒绝了一个签名错误或过期的请求：请检查 SLACK_SIGNING_SECRET 和系统时钟。",
    ),
    "unreachable": Text(
        "Slack can't be reached: check the network and the proxy (HTTPS_PROXY); a running server tries again all the "
        "time.",
        "无法连接 Slack：请检查网络和代理（HTTPS_PROXY）；运行中的服务会不断重试。",
    ),
    # Socket Mode
    "link_disabled": Text(
        "Socket Mode is switched off for this app: switch it on on the app's page, or set slack.mode to http.",
        "该应用未启用 Socket Mode：请在应用页面启用，或将 slack.mode 设为 http。",
    ),
    "too_many_websockets": Text(
        "The app has too many sockets open: stop other servers that use the same app, or lower slack.sockets.",
        "该应用打开的连接过多：请停掉使用同一应用的其他服务，或减小 slack.sockets。",
    ),
}

_NEW_APP_TOKEN = Text(
    "Slack no longer takes the app-level token: make a new one with the scope connections:write under Basic "
    "Information, App-Level Tokens, and put it into SLACK_APP_TOKEN.",
    "Slack 不再接受应用级令牌：请在 Basic Information 的 App-Level Tokens 中新建一个（scope 选 connections:write），"
    "并写入 SLACK_APP_TOKEN。",
)
#: What codes mean where the app-level token was refused, and not the bot's.
_OF_APP_TOKEN: Final[dict[str, Text]] = {
    "invalid_auth": Text(
        "Slack doesn't know this token: copy the app-level token (xapp-…) from Basic Information once more.",
        "Slack 不认识这个令牌：请重新复制 Basic Information 页面的应用级令牌（xapp-…）。",
    ),
    "missing_scope": Text(
        "The app-level token lacks the permission connections:write: make one with this scope under Basic Information, "
        "App-Level Tokens, and put it into SLACK_APP_TOKEN.",
        "应用级令牌缺少权限 connections:write：请在 Basic Information 的 App-Level Tokens 中新建一个带该 scope 的令牌，"
        "并写入 SLACK_APP_TOKEN。",
    ),
    "not_authed": Text(
        "No token was sent to Slack: set SLACK_APP_TOKEN.", "没有向 Slack 提供令牌：请设置 SLACK_APP_TOKEN。"
    ),
    "token_revoked": _NEW_APP_TOKEN,
    "token_expired": _NEW_APP_TOKEN,
    "invalid_token": _NEW_APP_TOKEN,
}

#: The installation is gone for good; only installing again mends it.
REVOKED: Final = frozenset({"token_revoked", "account_inactive", "app_uninstalled"})
#: The token itself is refused.
TOKEN_CODES: Final = (
    REVOKED
    | {"invalid_auth", "not_authed", "token_expired", "invalid_token", "not_allowed_token_type"}
    | {"not_bot_token"}
)
#: What an operator or an admin can mend; all else is between Slack and whoever asked.
OPERATOR: Final = TOKEN_CODES | {
    "missing_agent_session_stopped_event_subscription",
    "messages_tab_disabled",
    "missing_scope",
    "no_permission",
    "not_allowed",
    "not_authorized",
    "not_installed",
    "team_access_not_granted",
}

_OTHER = Text(
    "Slack refused this ({code}): see https://docs.slack.dev for what it means.",
    "Slack 拒绝了这个请求（{code}）：含义见 https://docs.slack.dev。",
)


def sentence(code: str, lang: Lang, *, needed: str = "") -> str:
    """What this code means and what to do. `needed`: the scopes of a `missing_scope`."""
    text = SENTENCES.get(code)
    if text is None:
        return _OTHER.say(lang, code=code[:80])
    return text.say(lang, needed=needed or "?")


def of_app_token(code: str, lang: Lang) -> str:
    """The same about `apps.connections.open`, the one method that takes the app-level token."""
    text = _OF_APP_TOKEN.get(code)
    return sentence(code, lang) if text is None else text.say(lang)
