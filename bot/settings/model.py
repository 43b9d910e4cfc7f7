"""All settings: one class per group, and for each setting its type, its default and what people are told about it.

docs/settings.md and kagentbot.example.toml are written from here by `scripts/settings_reference.py`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.language import Lang, Text
from bot.settings import machine
from bot.settings.access import AccessSettings, LimitSettings
from bot.settings.discord import DiscordSettings
from bot.settings.group import Group
from bot.settings.models import ModelSettings
from bot.settings.profile import ProfileSettings
from bot.settings.slack import SlackSettings
from bot.settings.sources import Setting
from bot.settings.values import (
    KEY,
    POSTGRES,
    Database,
    File,
    HostName,
    LowerCase,
    Secret,
    Whole,
    Zone,
    one_of,
    parse_database,
    sqlite_url,
    whole,
)

_UNUSED = Text(
    "{name} is set, but this version has no {what} yet: it is not used.",
    "已设置 {name}，但当前版本还没有{what}：不会用到它。",
)


#: Characters of a secret key: 24 random ones can't be guessed.
_LEAST_KEY = 24


def _long_keys(keys: SecretStr) -> SecretStr:
    if any(len(key) < _LEAST_KEY for key in keys.get_secret_value().split(",")):
        raise ValueError("a key that is too short")
    return keys


class SettingsFile(NamedTuple):
    """A file that settings were read from."""

    path: Path
    #: Whether a token, a key or a password stands in it.
    holds_secrets: bool


class ServerSettings(Group):
    """How the web page and the API are reached."""

    host: Annotated[
        str,
        Setting(
            "Address to listen on. Beyond this machine (for example 0.0.0.0) a token is demanded.",
            "监听地址。对外（例如 0.0.0.0）时必须提供令牌。",
            Text('an address or a host name, for example "127.0.0.1"', '地址或主机名，例如 "127.0.0.1"'),
        ),
        Field(pattern=r"^[A-Za-z0-9.:_%-]+$"),
    ] = "127.0.0.1"
    port: Annotated[
        Whole,
        Setting(
            "Port. When it is busy, the next free one is taken and printed; 0 takes any free one.",
            "端口。被占用时使用下一个空闲端口并打印出来；0 表示任意空闲端口。",
            whole(0, 65535),
            names=("PORT",),
        ),
        Field(ge=0, le=65535),
    ] = 8765
    token: Annotated[
        Annotated[Secret, Field(min_length=8)] | None,
        Setting(
            "What visitors must know. Without it, one is made and kept in the data folder as soon as others than this "
            "machine can connect.",
            "访问者必须提供的令牌。未设置时，一旦本机以外可以连接，就会生成一个并保存在数据目录中。",
            Text(
                "at least 8 characters: letters, digits and signs, without spaces",
                "至少 8 个字符：字母、数字和符号，不含空格",
            ),
        ),
    ] = None
    hosts: Annotated[
        tuple[HostName, ...],
        Setting(
            "Further names that the server is reached by, for example behind a proxy.",
            "访问本服务时使用的其他主机名，例如经过反向代理时。",
            Text(
                'host names without http:// and port, for example ["bot.example.com"]',
                '主机名，不带 http:// 和端口，例如 ["bot.example.com"]',
            ),
        ),
    ] = ()


class ToolSettings(Group):
    """Tools of your own, see docs/tools.md."""

    files: Annotated[
        tuple[File, ...],
        Setting(
            "Python files whose public functions become tools. They run with all the rights of the server.",
            "Python 文件，其中公开的函数会成为工具。它们以服务的全部权限运行。",
            Text(
                'a list of paths of Python files, for example ["tools/dice.py"]',
                'Python 文件路径的列表，例如 ["tools/dice.py"]',
            ),
        ),
    ] = ()


class CredentialSettings(Group):
    """Keys of platforms and services. What this version can't use yet is named when the server starts."""

    slack_bot_token: Annotated[
        Secret | None, Setting("Slack: bot token.", "Slack 机器人令牌。", KEY, ("SLACK_BOT_TOKEN",))
    ] = None
    slack_app_token: Annotated[
        Secret | None, Setting("Slack: app-level token.", "Slack 应用级令牌。", KEY, ("SLACK_APP_TOKEN",))
    ] = None
    slack_signing_secret: Annotated[
        Secret | None, Setting("Slack: signing secret.", "Slack 签名密钥。", KEY, ("SLACK_SIGNING_SECRET",))
    ] = None
    discord_token: Annotated[
        Secret | None, Setting("Discord: bot token.", "Discord 机器人令牌。", KEY, ("DISCORD_TOKEN",))
    ] = None
    weather_api_key: Annotated[
        Secret | None, Setting("Key of the weather service.", "天气服务的密钥。", KEY, ("WEATHER_API_KEY",))
    ] = None


#: Credentials that nothing uses yet, and what would.
_NOT_YET = {
    "weather_api_key": Text("weather tool", "天气工具"),
}


class Settings(BaseSettings):
    """All settings. `load` makes them from files and environment; this class alone reads neither."""

    model_config = SettingsConfigDict(
        extra="forbid",
        validate_assignment=True,
        hide_input_in_errors=True,
        # Defaults are right, and checking the database's address would import SQLAlchemy.
        validate_default=False,
    )

    data_dir: Annotated[
        File,
        Setting(
            "Folder of everything that the server keeps.",
            "服务保存数据的目录。",
            Text("the path of a folder", "目录的路径"),
            default=Text("`kagentbot` in the user's data folder", "用户数据目录中的 `kagentbot`"),
        ),
    ] = Field(default_factory=lambda: machine.data_folder(os.environ) or Path.cwd() / "kagentbot")
    database_url: Annotated[
        Database,
        Setting(
            "Database. One machine needs nothing but SQLite.",
            "数据库。单机使用 SQLite 即可。",
            Text(
                "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME, special characters percent-encoded",
                " sqlite:///FILE 或 postgresql://USER:PASSWORD@HOST/NAME，特殊字符用百分号编码",
            ),
            names=("DATABASE_URL",),
            default=Text("`kagentbot.db` in `data_dir`", "`data_dir` 中的 `kagentbot.db`"),
            hidden=True,
        ),
    ] = Field(default_factory=lambda data: sqlite_url(data["data_dir"] / "kagentbot.db"), repr=False)
    timezone: Annotated[
        Zone,
        Setting(
            "Zone that “today” is in.",
            "“今天”所在的时区。",
            Text('a time zone, for example "Europe/Berlin" or "Asia/Shanghai"', '时区，例如 "Asia/Shanghai"'),
            default=Text("the machine's, else UTC", "本机时区，否则 UTC"),
        ),
    ] = Field(default_factory=lambda: machine.zone(os.environ))
    secret_key: Annotated[
        Annotated[Secret, AfterValidator(_long_keys)] | None,
        Setting(
            "Encrypts the endpoints that are entered on the page. To change it, write the new one before the old one, "
            "with a comma between them.",
            "用于加密在页面上填写的端点。更换时，把新密钥写在旧密钥前面，用逗号分隔。",
            Text(
                f"at least {_LEAST_KEY} characters without spaces, as `openssl rand -base64 32` prints them",
                f"至少 {_LEAST_KEY} 个字符，不含空格，例如 `openssl rand -base64 32` 的输出",
            ),
            default=Text(
                "made when needed and kept in `secret-key` in `data_dir`",
                "需要时生成，保存在 `data_dir` 的 `secret-key` 中",
            ),
        ),
    ] = None
    language: Annotated[
        Literal["auto", "en", "zh"],
        Setting(
            "Language of what the server prints; `auto` follows LANG.",
            "服务打印信息的语言；`auto` 跟随 LANG。",
            one_of("auto", "en", "zh"),
        ),
    ] = "auto"
    log_level: Annotated[
        Annotated[Literal["debug", "info", "warning", "error"], LowerCase],
        Setting("What is logged.", "日志级别。", one_of("debug", "info", "warning", "error")),
    ] = "info"
    server: ServerSettings = Field(default_factory=ServerSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    profile: ProfileSettings = Field(default_factory=ProfileSettings)
    tools: ToolSettings = Field(default_factory=ToolSettings)
    slack: SlackSettings = Field(default_factory=SlackSettings)
    discord: DiscordSettings = Field(default_factory=DiscordSettings)
    access: AccessSettings = Field(default_factory=AccessSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    credentials: CredentialSettings = Field(default_factory=CredentialSettings)

    _files: tuple[SettingsFile, ...] = PrivateAttr(())
    _locale: Lang | None = PrivateAttr(None)

    @classmethod
    def settings_customise_sources(cls, settings_cls: Any, init_settings: Any, *_: Any, **__: Any) -> tuple[Any, ...]:
        # Only what it is given: `load` reads the sources, so that an error can say where a value was set.
        return (init_settings,)

    def read_from(self, files: tuple[SettingsFile, ...], locale: Lang) -> Settings:
        """Remembers where these settings are from and the language of the terminal."""
        self._files, self._locale = files, locale
        return self

    @property
    def files(self) -> tuple[SettingsFile, ...]:
        """The files that settings were read from."""
        return self._files

    @property
    def lang(self) -> Lang:
        """The language of what the server prints."""
        return self.language if self.language != "auto" else self._locale or machine.language(os.environ)

    @property
    def uses_slack(self) -> bool:
        """Whether there is a Slack to connect to: a bot token, or an app that workspaces install themselves."""
        return self.credentials.slack_bot_token is not None or self.slack.uses_oauth

    @property
    def uses_discord(self) -> bool:
        """Whether there is a Discord to connect to."""
        return self.credentials.discord_token is not None

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys of `secret_key`, the one to encrypt with first; () when it isn't set."""
        return tuple(self.secret_key.get_secret_value().split(",")) if self.secret_key else ()

    def shown_database(self) -> str:
        """The database for people: the file, or the server without user and password."""
        url = parse_database(self.database_url)
        if url.get_backend_name() == "sqlite":
            return str(url.database)
        port = f":{url.port}" if url.port else ""
        return f"{POSTGRES}{url.host or ''}{port}/{url.database or ''}"

    def unused(self) -> list[str]:
        """One sentence for each credential that is set and that nothing in this version uses."""
        return [
            _UNUSED.say(self.lang, name=name.upper(), what=what.say(self.lang))
            for name, what in _NOT_YET.items()
            if getattr(self.credentials, name) is not None
        ]
