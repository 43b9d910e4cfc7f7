"""What the machine has besides us: a port, a clock that is right, fonts, a browser."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import text as sql
from sqlalchemy.exc import SQLAlchemyError

from agent.language import Lang, Text
from bot.doctor.lines import Line, line
from bot.known import known_endpoints
from bot.settings import Settings
from bot.settings.values import POSTGRES
from bot.store.db import sync_engine
from bot.web.listen import ListenError, listen

#: Seconds for whoever has our port to say who it is, and for a server to tell its time.
_ASK_SECONDS = 2.0
#: Seconds that clocks may differ: leases live for some ten, and a turn's order is its message's time.
_MOST_SKEW = 2.0
#: Seconds for the system's list of fonts; the first call builds a cache.
_FONT_SECONDS = 10.0
#: No clock that is right says less: the first version is younger.
_EARLIEST: Final = datetime(2025, 1, 1, tzinfo=UTC)
#: Where fonts are, below the home folder and for all.
_FONT_FOLDERS: Final = (
    "~/.local/share/fonts",
    "~/.fonts",
    "~/Library/Fonts",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
)
#: What the files of common fonts with Chinese characters are called.
_CHINESE_FONTS: Final = (
    "cjk",
    "sourcehan",
    "wqy",
    "uming",
    "ukai",
    "droidsansfallback",
    "pingfang",
    "hiragino",
    "stheiti",
    "songti",
    "heiti",
    "simsun",
    "simhei",
    "msyh",
    "unifont",
)
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome")
_MAC_BROWSER: Final = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"

_PORT_FREE: Final = Text("port: {port} is free", "端口：{port} 空闲")
_PORT_OURS: Final = Text("port: a kagentbot server answers on {port}", "端口：kagentbot 服务正在 {port} 上运行")
_PORT_WRONG: Final = Text("port: {sentence}", "端口：{sentence}")
_PORT_TAKEN: Final = Text(
    "port: another program has {port}, so the server would take {other}: end that program, or set PORT",
    "端口：{port} 被其他程序占用，服务将使用 {other}：请结束该程序，或设置 PORT",
)
_CLOCK: Final = Text("clock: agrees with {names}", "时钟：与 {names} 一致")
_CLOCK_ALONE: Final = Text(
    "clock: runs evenly; there is no other machine to compare it with", "时钟：运行均匀；没有其他机器可供比对"
)
_CLOCK_OFF: Final = Text(
    "clock: {seconds:.0f} s away from that of {name}: keep both right with NTP, because the order of messages and the "
    "taking over of work rest on time",
    "时钟：与 {name} 相差 {seconds:.0f} 秒：请用 NTP 校准两边的时钟，因为消息的先后和任务的接管都依赖时间",
)
_CLOCK_JUMPED: Final = Text(
    "clock: it jumped by {seconds:.0f} s while it was looked at: let NTP slew it instead of setting it",
    "时钟：检查期间跳动了 {seconds:.0f} 秒：请让 NTP 平滑校准，而不是直接改时间",
)
_CLOCK_WRONG: Final = Text(
    "clock: it says {now:%Y-%m-%d}, which can't be: set it with NTP",
    "时钟：显示为 {now:%Y-%m-%d}，不可能正确：请用 NTP 校准",
)
_FONT: Final = Text("fonts: {name} has Chinese characters", "字体：{name} 含有中文字符")
_NO_FONT: Final = Text(
    "fonts: none with Chinese characters was found, so pictures of charts can't show them: install one, for example "
    "the system's package fonts-noto-cjk",
    "字体：没有找到中文字体，图表图片将无法显示中文：请安装一种，例如系统软件包 fonts-noto-cjk",
)
_BROWSER: Final = Text("browser: {path}", "浏览器：{path}")
_NO_BROWSER: Final = Text(
    "browser: none was found, so tools can't read web pages that need one (everything else works): install Chromium",
    "浏览器：没有找到，工具无法读取需要浏览器的网页（其他功能不受影响）：请安装 Chromium",
)


async def look_at_port(host: str, port: int, lang: Lang) -> list[Line]:
    """Whether the server can have its port, or has it already."""
    try:
        listening = await listen(host, port)
    except ListenError as error:
        return [Line("error", _PORT_WRONG.say(lang, sentence=error.say(lang)))]
    for sock in listening.sockets:
        sock.close()
    if port in (0, listening.port):
        return [Line("ok", _PORT_FREE.say(lang, port=listening.port))]
    # A server of ours is on the port that was free when it started: any of those that are busy now.
    tried = range(port, listening.port)
    for busy, ours in zip(tried, await asyncio.gather(*(_is_ours(host, one) for one in tried)), strict=True):
        if ours:
            return [Line("ok", _PORT_OURS.say(lang, port=busy))]
    return [Line("warning", _PORT_TAKEN.say(lang, port=port, other=listening.port))]


async def _is_ours(host: str, port: int) -> bool:
    """Whether a kagentbot server is what listens there."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    shown = f"[{reachable}]" if ":" in reachable else reachable
    limit = aiohttp.ClientTimeout(total=_ASK_SECONDS)
    url = f"http://{shown}:{port}/healthz"
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url, allow_redirects=False) as response:
            return response.headers.get("Server") == "kagentbot"
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return False


class Ticks:
    """The wall clock beside the monotonic one, which nobody sets."""

    def __init__(self) -> None:
        self._wall, self._even = time.time(), time.monotonic()

    def jumped(self) -> float:
        """Seconds by which the wall clock has been moved since."""
        return (time.time() - self._wall) - (time.monotonic() - self._even)


async def look_at_clock(settings: Settings, ticks: Ticks, lang: Lang) -> list[Line]:
    """Whether it runs evenly and agrees with the other machines that we work with."""
    now = datetime.now(UTC)
    if now < _EARLIEST:
        return [line("error", _CLOCK_WRONG, lang, now=now)]
    if abs(jumped := ticks.jumped()) > _MOST_SKEW:
        return [line("warning", _CLOCK_JUMPED, lang, seconds=abs(jumped))]
    asked = await asyncio.gather(_ask_database(settings), *(_ask_endpoint(url) for url in await _addresses(settings)))
    known = [one for one in asked if one is not None]
    off = [line("warning", _CLOCK_OFF, lang, name=name, seconds=skew) for name, skew in known if skew > _MOST_SKEW]
    if off or not known:
        return off or [line("ok", _CLOCK_ALONE, lang)]
    return [line("ok", _CLOCK, lang, names=", ".join(name for name, _ in known))]


async def _addresses(settings: Settings) -> list[str]:
    known = await known_endpoints(settings, with_entered=False)
    return [one.settings.base_url for one in known if one.settings is not None and one.settings.base_url]


async def _ask_endpoint(url: str) -> tuple[str, float] | None:
    """(host, seconds between its clock and ours) by its Date header (RFC 9110, 6.6.1); None if it doesn't tell."""
    parts = urlsplit(url)
    shown = parts.hostname or ""
    limit = aiohttp.ClientTimeout(total=_ASK_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session:
            before = time.time()
            async with session.get(url, allow_redirects=False) as response:
                after = time.time()
                theirs = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError):
        return None
    return shown, _skew(before, after, theirs, 1.0)


async def _ask_database(settings: Settings) -> tuple[str, float] | None:
    """The same of a PostgreSQL server."""
    if not settings.database_url.startswith(POSTGRES):
        return None
    shown = urlsplit(settings.database_url).hostname or "PostgreSQL"

    def ask() -> tuple[float, float, float]:
        engine = sync_engine(settings.database_url)
        try:
            with engine.connect() as connection:
                before = time.time()
                theirs = connection.execute(sql("SELECT clock_timestamp()")).scalar_one().timestamp()
                return before, time.time(), theirs
        finally:
            engine.dispose()

    try:
        return shown, _skew(*await asyncio.to_thread(ask), 0.0)
    except SQLAlchemyError:
        # The database has lines of its own.
        return None


def _skew(before: float, after: float, theirs: float, grain: float) -> float:
    """Seconds that a clock surely is away, which said `theirs` (cut to `grain` seconds) between these two times."""
    return max(0.0, before - (theirs + grain), theirs - after)


def look_at_fonts(lang: Lang) -> list[Line]:
    """Whether a font has Chinese characters."""
    name = _listed_font() or _font_file()
    return [line("ok", _FONT, lang, name=name) if name else line("warning", _NO_FONT, lang)]


def _listed_font() -> str:
    """As fontconfig knows it; "" for none, or without fontconfig."""
    program = shutil.which("fc-list")
    if program is None:
        return ""
    try:
        done = subprocess.run([program, ":lang=zh", "family"], capture_output=True, timeout=_FONT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    families = done.stdout.decode(errors="replace").splitlines()
    return next((family.partition(",")[0].strip() for family in families if family.strip()), "")


def _font_file() -> str:
    for folder in _FONT_FOLDERS:
        for _, _, names in os.walk(Path(folder).expanduser()):
            for name in names:
                if any(known in name.lower().replace("-", "") for known in _CHINESE_FONTS):
                    return name
    return ""


def look_at_browser(lang: Lang) -> list[Line]:
    """Whether there is a browser that later tools can drive."""
    found = next(filter(None, map(shutil.which, (*_BROWSERS, _MAC_BROWSER))), None)
    return [line("ok", _BROWSER, lang, path=found) if found else line("warning", _NO_BROWSER, lang)]
