"""What this machine says of itself where no setting does: the user's folders, the time zone, the language."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.language import Lang, of_locale

#: Our folder in the user's folders.
_OURS = "kagentbot"
_ETC = Path("/etc")


def data_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """Where this user's programs keep what they make, with our name in it; None for a user without a home.

    $XDG_DATA_HOME or ~/.local/share (XDG Base Directory Specification 0.8), on macOS ~/Library/Application Support.
    """
    return _folder(environ, "XDG_DATA_HOME", ".local/share", platform)


def config_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """Where this user's programs look for their settings, as in `data_folder`: $XDG_CONFIG_HOME or ~/.config."""
    return _folder(environ, "XDG_CONFIG_HOME", ".config", platform)


def _folder(environ: Mapping[str, str], variable: str, usual: str, platform: str) -> Path | None:
    named = environ.get(variable, "")
    # The specification: a relative path is invalid and must be ignored.
    if named.startswith("/"):
        return Path(named) / _OURS
    home = _home(environ)
    if home is None:
        return None
    return home / ("Library/Application Support" if platform == "darwin" else usual) / _OURS


def _home(environ: Mapping[str, str]) -> Path | None:
    named = environ.get("HOME", "")
    if named.startswith("/"):
        return Path(named)
    try:
        return Path.home()
    except RuntimeError:
        return None


def is_zone(name: str) -> bool:
    """Whether this machine's time zone database has a zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: the name of a folder of the database, such as "Europe".
        return False
    return True


def zone(environ: Mapping[str, str], etc: Path = _ETC) -> str:
    """The name of this machine's time zone, for example Asia/Shanghai; UTC where it can't be told."""
    return next((name for name in _zones(environ, etc) if name and is_zone(name)), "UTC")


def _zones(environ: Mapping[str, str], etc: Path) -> Iterator[str]:
    # A leading colon is how POSIX marks a name of the database.
    yield environ.get("TZ", "").removeprefix(":")
    target = (etc / "localtime").resolve()
    yield str(target).partition("/zoneinfo/")[2]
    try:
        # Debian, and containers that hold a copy instead of a link.
        yield (etc / "timezone").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return


def language(environ: Mapping[str, str]) -> Lang:
    """The language of messages on the terminal."""
    return of_locale(environ)
