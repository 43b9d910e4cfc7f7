"""What the value of a setting may be: types that check, and the words for what would be right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from agent.language import Text
from bot.settings import machine

#: How the address of a SQLite file begins.
SQLITE = "sqlite:///"
#: How the store wants the address of a PostgreSQL database to begin.
POSTGRES = "postgresql://"
#: The same, as hosting services like to write it.
_POSTGRES_SHORT = "postgres://"


def whole(least: int, most: int) -> Text:
    """What is right for a whole number."""
    return Text(f"a whole number from {least} to {most}", f" {least} 到 {most} 之间的整数")


def one_of(*values: str) -> Text:
    """What is right for a word out of some."""
    quoted = [f'"{value}"' for value in values]
    return Text("one of " + ", ".join(quoted), "以下之一：" + "、".join(quoted))


def text(most: int) -> Text:
    """What is right for a text of at most so many characters."""
    return Text(f"a text of at most {most} characters", f"最多 {most} 个字符的文本")


KEY = Text("one word without spaces, as it was issued", "不含空格的一个词，与签发时一致")


def parse_database(url: str) -> Any:
    """SQLAlchemy's own reading of a database's address. Raises `ValueError`."""
    # Imported here, because it takes longer than all the rest of the settings.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url)
    except ArgumentError:
        raise ValueError("not an address of a database") from None


def sqlite_url(file: Path) -> str:
    """The address of a SQLite file."""
    return SQLITE + quote(str(file))


def _database(url: str) -> str:
    """In the form that the store takes; the file of SQLite made absolute."""
    scheme, separator, rest = url.strip().partition("://")
    start = scheme.lower() + separator
    if start in (POSTGRES, _POSTGRES_SHORT):
        parse_database(POSTGRES + rest)
        return POSTGRES + rest
    if start + rest[:1] != SQLITE or "?" in rest:
        raise ValueError("not a database that the store knows")
    file = parse_database(start + rest).database
    if not file or file == ":memory:":
        raise ValueError("what is kept in memory would be lost")
    return sqlite_url(_absolute(Path(file)))


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        # ~somebody who doesn't exist.
        raise ValueError("no such user") from None


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


def _number(value: object) -> object:
    # Python counts booleans among the numbers, a person doesn't.
    if isinstance(value, bool):
        raise ValueError("a boolean is not a number")
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Whole = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
LowerCase = BeforeValidator(_lower)
#: Made absolute.
File = Annotated[Path, AfterValidator(_absolute)]
Secret = Annotated[SecretStr, AfterValidator(_sendable)]
Zone = Annotated[str, AfterValidator(_zone)]
Database = Annotated[str, AfterValidator(_database)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
HostName = Annotated[str, LowerCase, Field(pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$")]
