"""Discord's refusals: status, code and words of each that the fake gives."""

from __future__ import annotations

from typing import Any

from tests.fakes.discord.world import DiscordError


def missing_access() -> DiscordError:
    """Not in the server, or no View Channel."""
    return DiscordError(403, 50001, "Missing Access")


def missing_permissions() -> DiscordError:
    """The channel is seen, and this isn't allowed in it."""
    return DiscordError(403, 50013, "Missing Permissions")


def wrong_channel_type() -> DiscordError:
    """Threads of threads, webhooks of DMs, …"""
    return DiscordError(400, 50024, "Cannot execute action on this channel type")


def archived(status: int = 400) -> DiscordError:
    """Editing and reacting in the archive; with 403, writing in a locked thread (facts 4.8)."""
    return DiscordError(status, 50083, "Thread is archived")


def unknown_webhook() -> DiscordError:
    """No such webhook, or a token of an interaction that nothing is known of."""
    return DiscordError(404, 10015, "Unknown Webhook")


def invalid_webhook_token() -> DiscordError:
    """A wrong token, or one of an interaction that is over (facts 4.6)."""
    return DiscordError(401, 50027, "Invalid Webhook Token")


def unknown_message() -> DiscordError:
    """Not there, not there any more, or not for this caller."""
    return DiscordError(404, 10008, "Unknown Message")


def unknown_interaction() -> DiscordError:
    """Not there, or not answered in time (facts 1)."""
    return DiscordError(404, 10062, "Unknown interaction")


def too_large() -> DiscordError:
    """More bytes than a file may have."""
    return DiscordError(413, 40005, "Request entity too large")


def invalid_form(path: str, code: str, message: str) -> DiscordError:
    """50035 about one field; `path` is "embeds.0.title"."""
    return invalid_fields({path: (code, message)})


def invalid_fields(fields: dict[str, tuple[str, str]]) -> DiscordError:
    """50035 about several fields."""
    errors: dict[str, Any] = {}
    for path, (code, message) in fields.items():
        place = errors
        for step in path.split("."):
            place = place.setdefault(step, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})
    return DiscordError(400, 50035, "Invalid Form Body", errors)


def too_long(path: str, most: int) -> DiscordError:
    """50035: too many characters or items."""
    return invalid_form(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")


def bad_length(path: str, least: int, most: int) -> DiscordError:
    """50035: too few or too many characters or items."""
    return invalid_form(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")


def required(path: str) -> DiscordError:
    """50035: a field is missing."""
    return invalid_form(path, "BASE_TYPE_REQUIRED", "This field is required")


def bad_choice(path: str, allowed: str) -> DiscordError:
    """50035: not one of the values that there are."""
    return invalid_form(path, "BASE_TYPE_CHOICES", f"Value must be one of {{{allowed}}}.")
