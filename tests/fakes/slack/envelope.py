"""What Slack sends to an app: one envelope per delivery, whatever carries it (signed HTTP or a socket)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["events_api", "interactive", "slash_commands"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """One thing for the app. Slack's own retries repeat the payload word for word (facts 2.3)."""

    #: Named as Socket Mode names the three (facts 1.7).
    kind: Kind
    #: The workspace it is about, for the log and for choosing whom to deliver to; an org install has it, too.
    team_id: str
    #: The JSON body of the request, or the `payload` of the socket's envelope. A slash command's is flat: over HTTP it
    #: is sent as a form.
    payload: dict[str, Any]
    #: What it is about, for the log: "channel/ts" of a message, or a name such as "app_uninstalled".
    subject: str


def subject_of(channel: str, ts: str) -> str:
    """The subject of everything that is about one message."""
    return f"{channel}/{ts}"
