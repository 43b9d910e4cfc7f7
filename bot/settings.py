"""All settings of the server: one class per group, what each means, and `load`, which finds them.

Sources, the stronger first: the environment, `.env` beside the settings file, `kagentbot.toml`, the defaults here. docs/settings.md and
kagentbot.example.toml are written from these classes by `scripts/settings_reference.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agent.language import Lang, Text
from agent.profile import Profile
from bot import machine
from bot.settings_sources import (
    CONFIG_VARIABLE,
    Found,
    Leaves,
    Read,
    Setting,
    describe,
    read_dotenv,
    read_toml,
    read_variables,
    wrong,
)

#: The settings file's name, wherever it is looked for.
FILE_NAME = "kagentbot.toml"
#: Where OpenAI's own models are; taken when there is a key and no address.
OPENAI_URL = "https://api.openai.com/v1"
#: What `profile.style` may be; `agent.styles` implements them.
STYLES = ("auto", "noagent", "router")

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")

_NO_HOME = Text(
    "`data_dir` has no default, because this user has no home folder: set KAGENTBOT_DATA_DIR to a folder that it can write.",
    "当前用户没有主目录，`data_dir` 没有默认值：请把 KAGENTBOT_DATA_DIR 设为该用户可写的目录。",
)
_NO_ZONES = Text(
    "`timezone` can't be set, because this machine has no time zone database: install the system's package `tzdata`.",
    "这台机器没有时区数据库，无法设置 `timezone`：请安装系统软件包 `tzdata`。",
)
_UNUSED = Text(
    "{name} is set, but this version has no {what} yet: it is not used.", "已设置 {name}，但当前版本还没有{what}：不会用到它。"
)


class SettingsError(Exception):
    """Settings that can't be used. `str()` has a line for each problem: a sentence with the setting, its place and what is right."""

    def __init__(self, problems: Sequence[Text], lang: Lang = "en") -> None:
        self.problems = tuple(problems)
        self.lang: Lang = lang
        super().__init__(self.say(lang))

    def say(self, lang: Lang) -> str:
        """The lines in one of the languages."""
        return "\n".join(problem.say(lang) for problem in self.problems)


class SettingsFile(NamedTuple):
    """A file that settings were read from."""

    path: Path
    #: Whether a token, a key or a password stands in it.
    holds_secrets: bool


# --- Types of values, each with what would be right


def _number(value: object) -> object:
    # Python counts booleans among the numbers, a person doesn't.
    if isinstance(value, bool):
        raise ValueError("a boolean is not a number")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


def _whole(least: int, most: int) -> Text:
    return Text(f"a whole number from {least:,} to {most:,}", f" {least:,} 到 {most:,} 之间的整数")


def _one_of(*values: str) -> Text:
    quoted = [f'"{value}"' for value in values]
    return Text("one of " + ", ".join(quoted), "以下之一：" + "、".join(quoted))


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _database(url: str) -> str:
    """The address in the form that the store takes; a relative SQLite file is made absolute."""
    scheme, separator, rest = url.strip().partition("://")
    start = scheme.lower() + separator
    if start in _POSTGRES:
        url = _POSTGRES[0] + rest
        _parsed(url)
        return url
    file = None if start + rest[:1] != _SQLITE else _parsed(start + rest).database
    if not file or file == ":memory:" or "?" in rest:
        raise ValueError("not a database that the store knows")
    return _sqlite_url(Path(file).expanduser().absolute())


def _parsed(url: str) -> Any:
    """SQLAlchemy's own reading. Imported late: it takes longer than all the rest."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url)
    except ArgumentError:
        raise ValueError("not an address of a database") from None


def _sqlite_url(file: Path) -> str:
    return _SQLITE + quote(str(file))


def _web_address(url: str) -> str:
    url = url.strip().rstrip("/")
    parts = urlsplit(url)
    # Reading the port checks it.
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or re.search(r"\s", url):
        raise ValueError("not an address of an HTTP server")
    return url


def _zone(name: str) -> str:
    if not machine.is_zone(name):
        raise ValueError("no such time zone")
    return name


def _sendable(secret: SecretStr) -> SecretStr:
    # It travels in an HTTP header; whatever else is in it was pasted by mistake.
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError("not one word of ASCII characters")
    return secret


Whole = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Secret = Annotated[SecretStr, AfterValidator(_sendable)]
HostName = Annotated[str, BeforeValidator(_lower), Field(pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$")]

_KEY = Text("one word without spaces, as it was issued", "不含空格的一个词，与签发时一致")
_TEXT = Text("text", "文本")
_FOLDER = Text("the path of a folder", "目录的路径")


# --- The groups


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True, hide_input_in_errors=True)


class ServerSettings(_Group):
    """How the web page and the API are reached."""

    host: Annotated[
        str,
        Setting(
            Text(
                "Address to listen on. Beyond this machine (for example 0.0.0.0) a token is demanded.",
                "监听地址。对外（例如 0.0.0.0）时必须提供令牌。",
            ),
            Text('an address or a host name, for example "127.0.0.1"', '地址或主机名，例如 "127.0.0.1"'),
        ),
        Field(pattern=r"^[A-Za-z0-9.:_%-]+$"),
    ] = "127.0.0.1"
    port: Annotated[
        Whole,
        Setting(
            Text(
                "Port. When it is busy, the next free one is taken and printed; 0 takes any free one.",
                "端口。被占用时使用下一个空闲端口并打印出来；0 表示任意空闲端口。",
            ),
            _whole(0, 65535),
            names=("PORT",),
        ),
        Field(ge=0, le=65535),
    ] = 8765
    token: Annotated[
        Secret | None,
        Setting(
            Text(
                "What visitors must know. Without it, one is made and kept in the data folder as soon as others than this machine "
                "can connect.",
                "访问者必须提供的令牌。未设置时，一旦本机以外可以连接，就会生成一个并保存在数据目录中。",
            ),
            Text(
                "at least 8 characters: letters, digits and signs, without spaces",
                "至少 8 个字符：字母、数字和符号，不含空格",
            ),
        ),
        Field(min_length=8),
    ] = None
    hosts: Annotated[
        tuple[HostName, ...],
        Setting(
            Text(
                "Further names that the server is reached by, for example behind a proxy.",
                "访问本服务时使用的其他主机名，例如经过反向代理时。",
            ),
            Text(
                'host names without http:// and port, for example ["bot.example.com"]',
                '主机名，不带 http:// 和端口，例如 ["bot.example.com"]',
            ),
        ),
    ] = ()


class EndpointSettings(_Group):
    """A model behind an OpenAI-compatible API: vLLM, llama.cpp's server, OpenAI itself."""

    api_key: Annotated[
        Secret | None,
        Setting(
            Text("Key of the endpoint, if it asks for one.", "端点的密钥（如果需要）。"), _KEY, ("OPENAI_API_KEY",)
        ),
    ] = None
    base_url: Annotated[
        Annotated[str, AfterValidator(_web_address)] | None,
        Setting(
            Text(
                "Address of the API. Without it and without a key the bundled demo model answers.",
                "API 的地址。既没有地址也没有密钥时，由内置的演示模型回答。",
            ),
            Text(
                'an address with its path, for example "http://localhost:8000/v1"',
                '带路径的地址，例如 "http://localhost:8000/v1"',
            ),
            names=("OPENAI_BASE_URL",),
            default=Text(f"{OPENAI_URL} if there is a key, else none", f"有密钥时为 {OPENAI_URL}，否则没有"),
            hidden=True,
        ),
        Field(default_factory=lambda data: OPENAI_URL if data.get("api_key") else None, repr=False),
    ]
    model: Annotated[
        str | None,
        Setting(
            Text("Name of the model.", "模型名称。"),
            Text('the name of a model, for example "gpt-4o"', '模型名称，例如 "gpt-4o"'),
            names=("OPENAI_MODEL",),
            default=Text("the first one that the endpoint lists", "端点列出的第一个"),
        ),
    ] = None
    context_tokens: Annotated[
        Annotated[Whole, Field(ge=512, le=10_000_000)] | None,
        Setting(
            Text("Tokens that prompt and answer may have together.", "提示和回答合计的最大 token 数。"),
            _whole(512, 10_000_000),
            default=Text("what the endpoint says, else 4096", "由端点给出，否则 4096"),
        ),
    ] = None
    slots: Annotated[
        Whole,
        Setting(Text("Calls that run side by side.", "同时进行的调用数。"), _whole(1, 1024)),
        Field(ge=1, le=1024),
    ] = 8
    temperature: Annotated[
        Annotated[Number, Field(ge=0, le=2)] | None,
        Setting(
            Text("How freely the model chooses its words.", "模型选词的随机程度。"),
            Text("a number from 0 to 2", " 0 到 2 之间的数"),
            default=Text("the endpoint's own", "由端点决定"),
        ),
    ] = None
    max_tokens: Annotated[
        Annotated[Whole, Field(ge=1, le=1_000_000)] | None,
        Setting(
            Text("Tokens of the longest answer.", "最长回答的 token 数。"),
            _whole(1, 1_000_000),
            default=Text("the endpoint's own", "由端点决定"),
        ),
    ] = None


class EmbeddedSettings(_Group):
    """The model that runs inside the server when there is no endpoint."""

    gguf: Annotated[
        Path | None,
        Setting(
            Text("Another model file.", "另一个模型文件。"),
            Text("the path of a GGUF file", "GGUF 文件的路径"),
            default=Text("the bundled demo model", "内置的演示模型"),
        ),
    ] = None
    threads: Annotated[
        Annotated[Whole, Field(ge=1, le=1024)] | None,
        Setting(
            Text("Threads that it computes with.", "计算使用的线程数。"),
            _whole(1, 1024),
            default=Text("all cores but one", "比核心数少一个"),
        ),
    ] = None


class ModelSettings(_Group):
    """What answers."""

    endpoint: EndpointSettings = Field(default_factory=EndpointSettings)
    embedded: EmbeddedSettings = Field(default_factory=EmbeddedSettings)


class ProfileSettings(_Group):
    """Who the agent is."""

    agent_name: Annotated[
        str,
        Setting(
            Text("Its name.", "名字。"), Text("a name of 1 to 80 characters", " 1 到 80 个字符的名字")
        ),
        Field(min_length=1, max_length=80),
    ] = "kagentbot"
    agent_bio: Annotated[
        str,
        Setting(
            Text("Who it is, in a sentence or two; the model reads it.", "一两句话的介绍，模型会读到。"),
            Text("text of at most 2,000 characters", "最多 2,000 个字符的文本"),
        ),
        Field(max_length=2000),
    ] = ""
    agent_instructions: Annotated[
        str,
        Setting(
            Text("What it should heed in every answer; the model reads it.", "每次回答都要遵守的要求，模型会读到。"),
            Text("text of at most 8,000 characters", "最多 8,000 个字符的文本"),
        ),
        Field(max_length=8000),
    ] = ""
    lang: Annotated[
        Literal["auto", "en", "zh"],
        Setting(
            Text("Language of the answers; `auto` follows the question.", "回答的语言；`auto` 表示与提问一致。"),
            _one_of("auto", "en", "zh"),
        ),
    ] = "auto"
    tool_names: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Setting(
            Text("Tools that it may use: `auto` means all, `notool` none.", "可用的工具：`auto` 表示全部，`notool` 表示不用。"),
            Text('names of tools, for example ["time_delta"]', '工具名称，例如 ["time_delta"]'),
        ),
    ] = ("auto",)
    max_iter_num: Annotated[
        Whole,
        Setting(Text("Most tool runs for one answer.", "一次回答中最多运行工具的次数。"), _whole(0, 50)),
        Field(ge=0, le=50),
    ] = 5
    style: Annotated[
        Literal["auto", "noagent", "router"],
        Setting(
            Text(
                "Agent system: `noagent` only talks, `router` picks a tool by rules, `auto` is `router` for the demo model and "
                "`noagent` otherwise.",
                "智能体系统：`noagent` 只对话，`router` 按规则选择工具，`auto` 对演示模型用 `router`，否则用 `noagent`。",
            ),
            _one_of(*STYLES),
        ),
    ] = "auto"
    overlap: Annotated[
        Literal["queue", "merge"],
        Setting(
            Text(
                "Messages that arrive during an answer: each gets its own (`queue`), or all waiting ones share one (`merge`).",
                "回答期间到达的消息：逐条回答（`queue`），或合并为一次回答（`merge`）。",
            ),
            _one_of("queue", "merge"),
        ),
    ] = "queue"

    def build(self) -> Profile:
        """The profile that these settings describe."""
        return Profile(**dict(self))


class LimitSettings(_Group):
    """What keeps the server in bounds."""

    message_chars: Annotated[
        Whole,
        Setting(
            Text("Longest message that is accepted, in characters.", "可接受的最长消息（字符数）。"), _whole(1, 1_000_000)
        ),
        Field(ge=1, le=1_000_000),
    ] = 100_000
    turns: Annotated[
        Whole,
        Setting(Text("Answers that are worked on at the same time.", "同时处理的回答数。"), _whole(1, 10_000)),
        Field(ge=1, le=10_000),
    ] = 64
    grace: Annotated[
        Number,
        Setting(
            Text("Seconds that running answers have when the server stops.", "服务停止时留给未完成回答的秒数。"),
            Text("a number of seconds from 0 to 600", " 0 到 600 之间的秒数"),
        ),
        Field(ge=0, le=600),
    ] = 8.0


class CredentialSettings(_Group):
    """Keys of platforms and services. What this version can't use yet is named when the server starts."""

    slack_bot_token: Annotated[
        Secret | None, Setting(Text("Slack: bot token.", "Slack 机器人令牌。"), _KEY, ("SLACK_BOT_TOKEN",))
    ] = None
    slack_app_token: Annotated[
        Secret | None, Setting(Text("Slack: app-level token.", "Slack 应用级令牌。"), _KEY, ("SLACK_APP_TOKEN",))
    ] = None
    slack_signing_secret: Annotated[
        Secret | None,
        Setting(Text("Slack: signing secret.", "Slack 签名密钥。"), _KEY, ("SLACK_SIGNING_SECRET",)),
    ] = None
    discord_token: Annotated[
        Secret | None, Setting(Text("Discord: bot token.", "Discord 机器人令牌。"), _KEY, ("DISCORD_TOKEN",))
    ] = None
    weather_api_key: Annotated[
        Secret | None,
        Setting(Text("Key of the weather service.", "天气服务的密钥。"), _KEY, ("WEATHER_API_KEY",)),
    ] = None


#: Credentials that nothing uses yet, and what would.
_NOT_YET = {
    "slack_bot_token": Text("Slack adapter", " Slack 适配器"),
    "slack_app_token": Text("Slack adapter", " Slack 适配器"),
    "slack_signing_secret": Text("Slack adapter", " Slack 适配器"),
    "discord_token": Text("Discord adapter", " Discord 适配器"),
    "weather_api_key": Text("weather tool", "天气工具"),
}


def _default_data_dir(environ: Mapping[str, str]) -> Path:
    folder = machine.data_folder(environ)
    if folder is None:
        raise SettingsError([_NO_HOME], machine.language(environ))
    return folder


class Settings(BaseSettings):
    """All settings. `load` makes them from file and environment; this class alone reads neither."""

    model_config = SettingsConfigDict(extra="forbid", validate_assignment=True, hide_input_in_errors=True)

    data_dir: Annotated[
        Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())],
        Setting(
            Text("Folder of everything that the server keeps.", "服务保存数据的目录。"),
            _FOLDER,
            default=Text("`kagentbot` in the user's data folder", "用户数据目录中的 `kagentbot`"),
        ),
        Field(default_factory=lambda: _default_data_dir(os.environ)),
    ]
    database_url: Annotated[
        Annotated[str, AfterValidator(_database)],
        Setting(
            Text("Database. One machine needs no other than SQLite.", "数据库。单机使用 SQLite 即可。"),
            Text(
                "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME (special characters percent-encoded)",
                " sqlite:///FILE 或 postgresql://USER:PASSWORD@HOST/NAME（特殊字符用百分号编码）",
            ),
            names=("DATABASE_URL",),
            default=Text("`kagentbot.db` in `data_dir`", "`data_dir` 中的 `kagentbot.db`"),
            hidden=True,
        ),
        Field(default_factory=lambda data: _sqlite_url(data["data_dir"] / "kagentbot.db"), repr=False),
    ]
    timezone: Annotated[
        Annotated[str, AfterValidator(_zone)],
        Setting(
            Text("Zone that “today” is in.", "“今天”所在的时区。"),
            Text('a time zone, for example "Europe/Berlin" or "Asia/Shanghai"', '时区，例如 "Asia/Shanghai"'),
            default=Text("the machine's", "本机时区"),
        ),
        Field(default_factory=lambda: machine.zone(os.environ)),
    ]
    language: Annotated[
        Literal["auto", "en", "zh"],
        Setting(
            Text("Language of what the server prints; `auto` follows LANG.", "服务打印信息的语言；`auto` 跟随 LANG。"),
            _one_of("auto", "en", "zh"),
        ),
    ] = "auto"
    log_level: Annotated[
        Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)],
        Setting(Text("What is logged.", "日志级别。"), _one_of("debug", "info", "warning", "error")),
    ] = "info"
    server: ServerSettings = Field(default_factory=ServerSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    profile: ProfileSettings = Field(default_factory=ProfileSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    credentials: CredentialSettings = Field(default_factory=CredentialSettings)

    _files: tuple[SettingsFile, ...] = PrivateAttr(())
    _locale: Lang | None = PrivateAttr(None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load` reads the sources itself, because only then can an error say where a value was set and what was meant.
        return (init_settings,)

    @property
    def files(self) -> tuple[SettingsFile, ...]:
        """The files that settings were read from."""
        return self._files

    @property
    def lang(self) -> Lang:
        """The language of what the server prints."""
        if self.language != "auto":
            return self.language
        return self._locale or machine.language(os.environ)

    def shown_database(self) -> str:
        """The database for people: the file, or the server without user and password."""
        url = _parsed(self.database_url)
        if url.get_backend_name() == "sqlite":
            return str(url.database)
        port = f":{url.port}" if url.port else ""
        return f"{_POSTGRES[0]}{url.host or ''}{port}/{url.database or ''}"

    def unused(self) -> list[str]:
        """One sentence for each credential that is set and that nothing in this version uses."""
        return [
            _UNUSED.say(self.lang, name=name.upper(), what=what.say(self.lang))
            for name, what in _NOT_YET.items()
            if getattr(self.credentials, name) is not None
        ]


# --- Finding them


def load(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings from file and environment.

    The file is `config`, else $KAGENTBOT_CONFIG, else kagentbot.toml in the current or in the user's configuration folder;
    there need not be one. Raises `SettingsError` with everything that is wrong.
    """
    environ = os.environ if environ is None else environ
    leaves = {leaf.name: leaf for leaf in describe(Settings)}
    file = _settings_file(config, environ)
    dotenv = (file.parent if file else Path.cwd()) / ".env"
    reads = [] if file is None else [read_toml(file, leaves)]
    if _is_file(dotenv):
        reads.append(read_dotenv(dotenv, leaves))
    reads.append(read_variables(environ, leaves, Path.cwd()))

    found: dict[str, Found] = {}
    for read in reads:
        found |= read.values
    problems = [problem for read in reads for problem in read.problems]
    locale = machine.language(environ)
    if "timezone" not in found and not machine.is_zone("UTC"):
        problems.append(_NO_ZONES)
    values = _nested({name: _from_base(leaves, name, value) for name, value in found.items()})
    values.setdefault("timezone", machine.zone(environ))
    if "data_dir" not in values:
        values["data_dir"] = _default_data_dir(environ)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += _explain(error, leaves, found)
        settings = None
    if settings is None or problems:
        language = found["language"].value if "language" in found else None
        raise SettingsError(problems, language if language in ("en", "zh") else locale)
    settings._files = tuple(
        SettingsFile(path, _holds_secrets(path, leaves, reads)) for path in (file, dotenv) if path and _is_file(path)
    )
    settings._locale = locale
    return settings
