"""What Discord's error codes mean for people: one sentence each, which says what to do."""

from __future__ import annotations

from typing import Final

from agent.language import Lang, Text

#: A code of our own: files aren't taken from us there.
NO_FILES: Final = "no_files"

_DEVELOPERS: Final = "https://discord.com/developers/applications"

#: By Discord's JSON error code as text (docs, opcodes and status codes), or the HTTP status where there is none.
SENTENCES: Final[dict[str, Text]] = {
    # The token and the application
    "401": Text(
        f"Discord doesn't take the bot token: open {_DEVELOPERS}, choose the application, press Reset Token under Bot, "
        "and put the new one into DISCORD_TOKEN (`kagentbot discord setup` does).",
        f"Discord 不接受机器人令牌：请打开 {_DEVELOPERS}，选择应用，在 Bot 页面点击 Reset Token，"
        "并把新令牌写入 DISCORD_TOKEN（可使用 `kagentbot discord setup`）。",
    ),
    "20012": Text(
        "This token may not manage that application: take the token from the Bot page of the same application.",
        "该令牌无权管理这个应用：请使用同一应用 Bot 页面的令牌。",
    ),
    "40002": Text(
        "Discord wants the account behind the application verified: sign in at discord.com as its owner.",
        "Discord 要求验证应用所属的账号：请以所有者身份登录 discord.com。",
    ),
    # Permissions
    "50001": Text(
        "I can't see that channel: give my role View Channels there, and Read Message History.",
        "我看不到这个频道：请在该频道给我的角色“查看频道”和“阅读消息历史记录”权限。",
    ),
    "50013": Text(
        "A permission is missing there: give my role View Channels, Send Messages, Send Messages in Threads, Create "
        "Public Threads, Embed Links, Attach Files, Read Message History and Add Reactions (`kagentbot discord check` "
        "says which).",
        "缺少权限：请给我的角色查看频道、发送消息、在子区内发送消息、创建公共子区、嵌入链接、附加文件、"
        "阅读消息历史记录和添加反应权限（`kagentbot discord check` 会指出缺哪一项）。",
    ),
    NO_FILES: Text(
        "Give my role Attach Files there, then ask for it once more.",
        "请在该频道给我的角色“附加文件”权限，然后再试一次。",
    ),
    "50007": Text(
        "You don't take direct messages from me: allow them in this server's privacy settings, or ask me in a channel.",
        "你没有允许我给你发私信：请在该服务器的隐私设置中允许，或在频道里问我。",
    ),
    "160005": Text(
        "This thread is locked, so I can't write in it: unlock it or ask me elsewhere.",
        "这个子区已锁定，我无法在其中发言：请解锁，或换个地方提问。",
    ),
    "50083": Text(
        "This thread is archived: write something in it, then ask again.",
        "这个子区已归档：请先在其中发一条消息，再问一次。",
    ),
    "160006": Text(
        "This server has as many open threads as Discord allows: close some, then ask again.",
        "这个服务器的活跃子区已达 Discord 上限：请关闭一些后再问。",
    ),
    "40067": Text(
        "This forum demands a tag for each post: choose one and post again.",
        "这个论坛要求帖子带标签：请选择后重新发布。",
    ),
    "200000": Text(
        "The server's AutoMod doesn't let this text through: ask an admin about its rules.",
        "服务器的 AutoMod 拦截了这段文字：请向管理员了解规则。",
    ),
    "20016": Text(
        "Slow mode is on in this channel: wait a moment, or give my role Bypass Slowmode.",
        "这个频道开启了慢速模式：请稍候，或给我的角色“绕过慢速模式”权限。",
    ),
    "30007": Text(
        "This channel has as many webhooks as Discord allows: delete one under Edit Channel, Integrations.",
        "这个频道的 Webhook 已达 Discord 上限：请在“编辑频道 → 整合”中删除一个。",
    ),
    "30034": Text(
        "Discord takes no further commands of this application today: they are sent again tomorrow.",
        "Discord 今天不再接受该应用创建命令：明天会再次提交。",
    ),
    # What is gone
    "10003": Text("This channel is gone: ask me in another one.", "这个频道已不存在：请到其他频道提问。"),
    "10004": Text(
        "I am not in that server: invite me with the link that `kagentbot discord setup` prints.",
        "我不在那个服务器里：请用 `kagentbot discord setup` 打印的链接邀请我。",
    ),
    "10008": Text("The message is gone: ask again to get a new answer.", "消息已不存在：请重新提问。"),
    "10015": Text("This took too long: ask again.", "耗时太长：请再问一次。"),
    "10062": Text("That took too long: click once more.", "耗时太长：请再点一次。"),
    "40060": Text("This was answered already.", "已经回应过了。"),
    "50027": Text("This took too long: ask again.", "耗时太长：请再问一次。"),
    # What is too much
    "40005": Text(
        "The file is larger than Discord takes here (10 MiB, more in boosted servers): ask for a smaller one.",
        "文件超过了 Discord 的上限（10 MiB，助力后的服务器更大）：请索取较小的文件。",
    ),
    "50035": Text(
        "Discord didn't take this message as it was: ask again, and tell the operators if it happens twice.",
        "Discord 没有接受这条消息：请再问一次；如果再次发生，请告诉运维人员。",
    ),
    # Ours
    "no_token": Text(
        "DISCORD_TOKEN is missing: run `kagentbot discord setup`.",
        "缺少 DISCORD_TOKEN：请运行 `kagentbot discord setup`。",
    ),
    "intents": Text(
        f"The application may not read messages: open {_DEVELOPERS}, choose it, and switch on Message Content Intent "
        'under Bot; until then, or with discord.message_content = "off", it hears only mentions, direct messages and '
        "commands.",
        f"应用无权读取消息内容：请打开 {_DEVELOPERS}，选择应用，在 Bot 页面开启 Message Content Intent；"
        '在此之前（或设置 discord.message_content = "off" 时）它只能收到提及、私信和命令。',
    ),
    "invalid_requests": Text(
        "Discord has refused very many calls within ten minutes, so none are made for now: run `kagentbot discord "
        "check` and mend what it names.",
        "十分钟内有大量请求被 Discord 拒绝，因此暂停调用：请运行 `kagentbot discord check` 并解决它指出的问题。",
    ),
    "unreachable": Text(
        "Discord can't be reached: check the network and the proxy (HTTPS_PROXY); a running server tries again all the "
        "time.",
        "无法连接 Discord：请检查网络和代理（HTTPS_PROXY）；运行中的服务会不断重试。",
    ),
}

#: The token itself is refused.
TOKEN_CODES: Final = frozenset({"401"})
#: The thread is locked.
LOCKED: Final = "160005"
#: Discord doesn't let us do that there; asking again changes nothing.
PERMISSION_CODES: Final = frozenset({"50001", "50013", "403", LOCKED})
#: The channel or thread is gone.
GONE_CODES: Final = frozenset({"10003", "10004"})
#: The interaction can't be answered any more.
EXPIRED_CODES: Final = frozenset({"10015", "10062", "50027"})

_OTHER = Text(
    "Discord refused this ({code}): see https://docs.discord.com for what it means.",
    "Discord 拒绝了这个请求（{code}）：含义见 https://docs.discord.com。",
)


def sentence(code: str, lang: Lang) -> str:
    """What this code means and what to do."""
    text = SENTENCES.get(code)
    return _OTHER.say(lang, code=code[:80]) if text is None else text.say(lang)
