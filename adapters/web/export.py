"""The name of a downloaded conversation."""

from __future__ import annotations

import re
from urllib.parse import quote

from bot.exporting import file_name


def disposition(title: str, key: str, extension: str) -> str:
    """The `Content-Disposition` of a download: a name from the title, safe on every system (RFC 6266)."""
    full = file_name(title, key, extension)
    plain = re.sub(r"[^A-Za-z0-9 ._()-]+", "-", full).strip(" -")
    fallback = plain if re.search(r"[A-Za-z0-9]", plain.removesuffix(extension)) else f"conversation.{extension}"
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(full, safe='')}"
