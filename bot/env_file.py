"""Writes `.env`, and files beside it, as a whole: what was there before is kept beside the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.language import Lang, Text

_HEAD = Text(
    "# Secrets of kagentbot. For this user only; keep it out of version control.\n",
    "# kagentbot 的密钥。仅供当前用户读取，不要纳入版本控制。\n",
)


def with_values(file: Path, values: Mapping[str, str], lang: Lang) -> str:
    """The file's text with these values, "" for none; the lines of others stay as they are."""
    try:
        kept = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        kept = []
    ours = tuple(f"{prefix}{name}=" for name in values for prefix in ("", "export "))
    lines = [line for line in kept if not line.lstrip().startswith(ours)]
    text = "\n".join(lines) + "\n" if lines else _HEAD.say(lang)
    # A secret is one word of visible characters; in single quotes nothing in it has a meaning but the quote itself.
    return text + "".join(f"{name}={_quoted(value)}\n" for name, value in values.items() if value)


def put(file: Path, text: str, mode: int) -> Path | None:
    """Write the file as a whole; what was there before is kept beside it under the name that is returned.

    Raises `OSError`.
    """
    temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as new:
        new.write(text)
    backup = None
    if os.path.lexists(file):
        backup = next(name for name in _backups(file) if not os.path.lexists(name))
        file.rename(backup)
        if mode == 0o600 and not backup.is_symlink():
            backup.chmod(mode)
    temporary.replace(file)
    return backup


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _backups(file: Path) -> Iterator[Path]:
    yield file.with_name(f"{file.name}.bak")
    number = 2
    while True:
        yield file.with_name(f"{file.name}.bak{number}")
        number += 1
