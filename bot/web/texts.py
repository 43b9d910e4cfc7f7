"""What the HTTP server says to people."""

from __future__ import annotations

from agent.language import Text

WRONG_HOST = Text(
    "This server doesn't answer to the name {host}: add it to server.hosts, or open the address that it printed.",
    "本服务器不接受主机名 {host}：请将其加入 server.hosts，或打开服务器启动时显示的地址。",
)
NO_HOST = Text("The request names no host.", "请求没有指明主机名。")
PROXY_NEEDS_TOKEN = Text(
    "This server is reached through a proxy but asks for no token: set server.token.",
    "本服务器经由代理访问，但未设置访问令牌：请设置 server.token。",
)
CROSS_SITE = Text(
    "This request didn't come from this server's own page, so it was refused.",
    "该请求并非来自本服务器自己的页面，已被拒绝。",
)
NO_HEADER = Text(
    "A request that changes something needs the header X-Kagentbot: 1.",
    "修改数据的请求必须带有请求头 X-Kagentbot: 1。",
)
TOKEN_NEEDED = Text("Please enter this server's access token.", "请输入本服务器的访问令牌。")
TOKEN_WRONG = Text("This is not this server's access token.", "访问令牌不正确。")
TOO_MANY_ATTEMPTS = Text(
    "Too many wrong tokens: wait a minute and try again.",
    "错误的令牌次数过多：请一分钟后再试。",
)
TOO_MANY_STREAMS = Text(
    "Too many open pages follow conversations here: close some of them.",
    "打开的对话页面过多：请关闭其中一些。",
)
BAD_REQUEST = Text("The server can't read this request.", "服务器无法读懂该请求。")
NOT_JSON = Text("The request is not JSON in UTF-8.", "请求不是 UTF-8 编码的 JSON。")
NOT_FOUND = Text("There is nothing at this address.", "该地址没有内容。")
WRONG_METHOD = Text("This address can't be used in this way.", "该地址不支持这种操作。")
TOO_LARGE = Text(
    "The request is larger than this server accepts ({limit} bytes).",
    "请求超过了服务器允许的大小（{limit} 字节）。",
)
INTERNAL = Text(
    "Something went wrong on the server; its log says what.",
    "服务器内部出错，详情见服务器日志。",
)

PORTS_BUSY = Text(
    "The ports {first} to {last} on {host} are all in use: set another port (server.port or PORT).",
    "{host} 上的端口 {first} 至 {last} 均被占用：请设置其他端口（server.port 或 PORT）。",
)
PORT_FORBIDDEN = Text(
    "This user may not open port {port} on {host}: choose a port above 1023 (server.port or PORT).",
    "当前用户无权打开 {host} 的端口 {port}：请选择大于 1023 的端口（server.port 或 PORT）。",
)
HOST_UNKNOWN = Text(
    "This machine has no address {host} to listen on: set server.host to one that it has, for example 127.0.0.1.",
    "本机没有可监听的地址 {host}：请将 server.host 设为本机的地址，例如 127.0.0.1。",
)
CANNOT_LISTEN = Text(
    "The server can't listen on {host}, port {port}: {error}.",
    "服务器无法监听 {host} 的端口 {port}：{error}。",
)
NO_TOKEN_KEPT = Text(
    "Others than this machine could connect, but no token can be kept ({error}): set server.token.",
    "其他机器可以连接，但无法保存访问令牌（{error}）：请设置 server.token。",
)
NO_ANSWER = Text("It did not answer within {seconds} seconds.", "{seconds} 秒内没有响应。")
