"""What the app wants a message to show, checked: text, embeds, components, files, flags, mentions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.fakes.discord import components, errors
from tests.fakes.discord.mentions import check_allowed
from tests.fakes.discord.world import (
    EPHEMERAL,
    IS_COMPONENTS_V2,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    DiscordError,
)

Json = dict[str, Any]

CONTENT = 2000
_NONCE = 25
_EMBEDS, _EMBED_TOTAL, _FILES = 10, 6000, 10
#: Parts of an embed and how many characters they may have.
_EMBED = {"title": 256, "description": 4096}
_FIELDS, _FIELD = 25, {"name": 256, "value": 1024}
#: Flags that an app may set on a message of its own; others are taken off.
_FLAGS = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | IS_COMPONENTS_V2


class Upload(NamedTuple):
    """A file as it came in a form."""

    filename: str
    content: bytes
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Content:
    """The checked body of a create or an edit; None: not given, which an edit leaves as it is."""

    text: str | None
    embeds: list[Json] | None
    components: list[Json] | None
    #: Ids of attachments to keep; None: all.
    kept: frozenset[str] | None
    #: New files with their descriptions.
    files: list[tuple[Upload, str]]
    flags: int | None
    allowed: Json | None
    nonce: str | None = None
    poll: Json | None = None
    stickers: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it that a message could be made of."""
        return not (self.text or self.embeds or self.components or self.files or self.poll or self.stickers)


def read(body: Json, uploads: dict[int, Upload], *, file_size: int, ephemeral: bool = False) -> Content:
    """A message's body as it came; `ephemeral`: that flag may be set as well (answers to interactions)."""
    text = body.get("content")
    if text is not None and not isinstance(text, str | int | float):
        raise errors.invalid_form("content", "STRING_TYPE_CONVERT", "Could not interpret value as string.")
    if text is not None and len(str(text)) > CONTENT:
        raise errors.too_long("content", CONTENT)
    flags = body.get("flags")
    if flags is not None:
        flags = int(flags) & (_FLAGS | (EPHEMERAL if ephemeral else 0))
    v2 = bool((flags or 0) & IS_COMPONENTS_V2)
    if v2 and (text or body.get("embeds")):
        code, words = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The 'content' field cannot be used"
        raise errors.invalid_form("content", code, f"{words} when using MessageFlags.IS_COMPONENTS_V2")
    embeds = body.get("embeds")
    if embeds is not None:
        check_embeds(embeds)
    rows = body.get("components")
    allowed = body.get("allowed_mentions")
    check_allowed(allowed)
    kept, files = _attachments(body.get("attachments"), uploads, file_size)
    return Content(
        # Discord takes white space off both ends.
        text=None if text is None else str(text).strip(),
        embeds=[{"type": "rich", **one} for one in embeds] if embeds is not None else None,
        components=components.check_message(rows, v2=v2) if rows is not None else None,
        kept=kept,
        files=files,
        flags=flags,
        allowed=allowed,
        nonce=_nonce(body.get("nonce")),
        poll=body.get("poll"),
        stickers=[str(one) for one in body.get("sticker_ids") or ()],
    )


def no_content() -> DiscordError:
    """50006."""
    return DiscordError(400, 50006, "Cannot send an empty message")


def check_embeds(embeds: Any) -> None:
    """Ten embeds of 6,000 characters in all, and what each part may have."""
    if not isinstance(embeds, list) or len(embeds) > _EMBEDS:
        raise errors.too_long("embeds", _EMBEDS)
    total = 0
    for number, embed in enumerate(embeds):
        total += _check_embed(embed, f"embeds.{number}")
    if total > _EMBED_TOTAL:
        code, words = "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {_EMBED_TOTAL}"
        raise errors.invalid_form("embeds", code, words)


def _check_embed(embed: Json, path: str) -> int:
    size = sum(_text(embed, name, path, most) for name, most in _EMBED.items())
    size += _text(embed.get("footer") or {}, "text", f"{path}.footer", 2048)
    size += _text(embed.get("author") or {}, "name", f"{path}.author", 256)
    fields = embed.get("fields") or []
    if len(fields) > _FIELDS:
        raise errors.too_long(f"{path}.fields", _FIELDS)
    for number, one in enumerate(fields):
        for name, most in _FIELD.items():
            if not one.get(name):
                raise errors.required(f"{path}.fields.{number}.{name}")
            size += _text(one, name, f"{path}.fields.{number}", most)
    return size


def _text(item: Json, name: str, path: str, most: int) -> int:
    length = len(str(item.get(name) or ""))
    if length > most:
        raise errors.too_long(f"{path}.{name}", most)
    return length


def _nonce(given: Any) -> str | None:
    if given is None:
        return None
    nonce = str(given)
    if len(nonce) > _NONCE:
        raise errors.too_long("nonce", _NONCE)
    return nonce


def _attachments(
    listed: Any, uploads: dict[int, Upload], most: int
) -> tuple[frozenset[str] | None, list[tuple[Upload, str]]]:
    """`attachments`: the ids of those to keep, and the number of each new file with its description. Without it
    everything stays and every file is new."""
    if len(uploads) > _FILES or len(listed or ()) > _FILES:
        raise errors.too_long("attachments", _FILES)
    if any(len(upload.content) > most for upload in uploads.values()):
        raise errors.too_large()
    if listed is None:
        return None, [(uploads[number], "") for number in sorted(uploads)]
    kept, files = set(), []
    for item in listed:
        name = str(item.get("id"))
        if name.isdigit() and int(name) in uploads:
            upload = uploads[int(name)]
            files.append(
                (upload._replace(filename=item.get("filename") or upload.filename), item.get("description") or "")
            )
        else:
            kept.add(name)
    return frozenset(kept), files
