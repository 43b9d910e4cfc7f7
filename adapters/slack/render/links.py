"""Whether what a link is called says truly where it leads. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from markdown_it.common.normalize_url import normalizeLink

#: Characters; a longer label isn't examined, it gets its target shown.
_LABEL: Final = 300
#: An address as people read one: with a scheme, of a mailbox, or a host's name.
_ADDRESS: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://[^\s<>\"'()（）]+|[\w.+-]+@(?:[\w-]+\.)+[^\W\d_]{2,}"
    r"|(?<![\w@.])(?:[\w-]+\.)+[^\W\d_]{2,}(?::\d+)?(?:[/?#][^\s<>\"'()（）]*)?",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:(?://)?", re.IGNORECASE)
#: Endings of files that no host's name has (those of .md, .py, .sh, .rs are countries').
_NO_HOST: Final = re.compile(
    r"\.(?:c|cfg|cpp|css|csv|docx|gif|go|h|html|htm|ini|ipynb|java|jpeg|jpg|js|json|jsx|log|pdf|php|png|pptx|rb|rst|svg"
    r"|toml|ts|tsx|txt|xlsx|xml|yaml|yml)$",
    re.IGNORECASE,
)
#: Signs that turn the direction of reading.
_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_DOTS: Final = str.maketrans({"\u3002": ".", "\u2024": ".", "\u2044": "/", "\u2215": "/"})
_AFTER: Final = ".,:;!?，。：；！？、)]}）】」』”’\"'*_~"


def is_disguised(label: str, url: str) -> bool:
    """Whether a label names an address other than that which the link leads to, or the beginning of it."""
    if len(label) > _LABEL or _TURNS.search(label):
        return True
    plain = "".join(ch for ch in unicodedata.normalize("NFKC", label) if unicodedata.category(ch) != "Cf")
    target = _canonical(url)
    return any(
        _is_address(found[0]) and not _leads(_canonical(found[0]), target)
        for found in _ADDRESS.finditer(plain.translate(_DOTS))
    )


def _is_address(found: str) -> bool:
    bare = found.rstrip(_AFTER)
    return "://" in bare or "/" in bare or not _NO_HOST.search(bare)


def _leads(said: str, target: str) -> bool:
    return target == said or target.startswith((f"{said}/", f"{said}?", f"{said}#"))


def _canonical(address: str) -> str:
    """An address without what makes no difference to people: the scheme of the web, www, the last slash, case."""
    address = address.rstrip("…").rstrip(_AFTER)
    scheme = _SCHEME.match(address)
    if scheme is None or ("://" not in scheme[0] and scheme[0].lower() != "mailto:"):
        address = f"mailto:{address}" if "@" in address and "/" not in address else f"https://{address}"
    normal = normalizeLink(address).lower()
    for prefix in ("https://", "http://", "mailto:"):
        normal = normal.removeprefix(prefix)
    return normal.removeprefix("www.").rstrip("/")
