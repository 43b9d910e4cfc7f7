"""Whether the text of a link shows another address than the one it leads to."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

#: Where a link may lead.
SCHEMES = frozenset({"http", "https", "mailto"})
#: Characters of a link's text; an address behind so many is not looked for, the link is shown as not to be trusted.
MAX_LABEL = 500

#: Not seen, and dropped by many a program: they could split a word for one reader and join it for another. The zero
#: width space is not among them: it stays, it is what this room parts words with.
INVISIBLE = "\u00ad\u034f\u061c\u180e\u200c-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
_HIDDEN = re.compile(f"[\u200b{INVISIBLE}\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MARKS = re.compile(r"\\(?=[!-/:-@\[-`{-~])|[*_~`]")

_HOST = r"(?:[a-z0-9-]{1,63}\.){1,8}(?:xn--[a-z0-9-]{1,59}|[a-z]{2,24})(?![a-z0-9-])|\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
_ADDRESS = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+.-]{{0,30}}://)?(?P<user>[a-z0-9.%+-]{{1,64}}@)?(?P<host>{_HOST})(?P<rest>[:/?#]\S*)?"
)
#: An address with letters that are not ASCII, or without a dot.
_FOREIGN = re.compile(
    r"://(?P<host>[^\s/?#()<>\[\]{}\"',;!、。]+)|(?<![\w.-])(?P<name>(?:[^\W_][\w-]{0,62}\.){1,8}(?:[a-z]{2,24}|[\u4e00-\u9fff]{2,4}))(?!\w)"
)
_TARGET = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?://)?(?P<host>[^/?#]*)(?P<rest>.*)", re.DOTALL)
#: What a Chinese sentence puts right before an address, without a space.
_GLUED = re.compile("[\u2e80-\u9fff\uac00-\ud7af]*")
#: Endings of file names that are no top-level domains.
_FILES = re.compile(
    r"jsx?|tsx?|html?|php|txt|json|ya?ml|toml|xml|csv|pdf|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|exe|dll|[ch]pp|java|rb|go|"
    r"css?|sql|log|ini|cfg|conf|lock|tar|gz|ipynb|jl|kt|swift|lua"
)
#: Endings of file names that are top-level domains, too: no address where the link leads to that very file.
_ALSO_FILES = re.compile("md|py|sh|rs|pl|zip|cc|so|mk|tf")


def plain(text: str) -> str:
    """What a reader sees of Markdown, in small letters and without invisible characters."""
    for _ in range(3):
        decoded = html.unescape(text)
        if decoded == text:
            break
        text = decoded
    return _MARKS.sub("", unicodedata.normalize("NFKC", _HIDDEN.sub("", text))).casefold()


def scheme(target: str) -> str:
    """The scheme of an address, "" if it has none."""
    found = re.match(r"\s*([a-z][a-z0-9+.-]*):", plain(target))
    return found[1] if found else ""


def disguised(label: str, target: str) -> bool:
    """Whether `label`, the Markdown text of a link to `target`, shows another address."""
    if len(label) > MAX_LABEL or _BIDI.search(label):
        return True
    if "." not in label and "/" not in label and "&" not in label and label.isascii():
        return False
    shown, leads = plain(label), plain(target)
    agreed: set[str] = set()
    for found in _ADDRESS.finditer(shown):
        if _is_file(found, leads):
            continue
        if not _same(found, leads):
            return True
        agreed.add(found["host"])
    for found in _FOREIGN.finditer(shown):
        host = (found["host"] or found["name"]).rpartition("@")[2].partition(":")[0].rstrip(".")
        if found["name"] and host.isascii():
            continue
        glued = any(host.endswith(name) and _GLUED.fullmatch(host.removesuffix(name)) for name in agreed)
        if not glued and _host_of(leads) not in (host.removeprefix("www."), _ascii(host)):
            return True
    return False


def shows_address(label: str) -> bool:
    """Whether there is any address in the text of a link."""
    return disguised(label, "")


def _is_file(found: re.Match[str], leads: str) -> bool:
    name = found["host"]
    ending = name.rpartition(".")[2]
    if found["scheme"] or found["user"] or name.startswith("www."):
        return False
    if _FILES.fullmatch(ending):
        return True
    return _ALSO_FILES.fullmatch(ending) is not None and unquote(leads).rstrip("/").endswith("/" + name)


def _same(found: re.Match[str], leads: str) -> bool:
    target = _TARGET.fullmatch(leads.strip("<> "))
    host = _host_of(leads)
    if target is None or not host or "\\" in leads or host != found["host"].removeprefix("www."):
        return False
    if "@" in target["host"] and target["scheme"] != "mailto":
        return False
    if found["user"] and target["scheme"] == "mailto":
        return target["host"].startswith(found["user"])
    rest = unquote(found["rest"] or "").rstrip("/.…,;:!?)]\"'>")
    port = target["host"].rpartition("@")[2].partition(":")[2]
    return unquote((f":{port}" if port else "") + target["rest"]).startswith(rest)


def _host_of(leads: str) -> str:
    target = _TARGET.fullmatch(leads.strip("<> "))
    authority = target["host"] if target else re.split(r"[/?#]", leads, maxsplit=1)[0]
    return authority.rpartition("@")[2].partition(":")[0].rstrip(".").removeprefix("www.")


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host
