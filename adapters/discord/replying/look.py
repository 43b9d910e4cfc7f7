"""What one message of ours shows: its text, the rows of buttons below it, its files and pictures. Pure.

A press brings back nothing but its `custom_id`, which is the action and its value in one: `kagent.stop:17`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from adapters.chat import actions, labels
from adapters.discord import limits
from agent.language import Lang, Text
from bot.messages import Consent, ReplyFile
from bot.messages import Final as End

Row = dict[str, Any]

#: Flag of a message whose links are shown without previews: loading one tells its server that somebody asked.
SUPPRESS_EMBEDS: Final = 1 << 2
#: Flag of a message that is no turn's, and of no turn's ever: by it they are told apart where our own are listed.
SUPPRESS_NOTIFICATIONS: Final = 1 << 12

_ACTION_ROW: Final = 1
_BUTTON: Final = 2
_STYLES: Final = {"primary": 1, "plain": 2, "danger": 4}
Style = Literal["primary", "plain", "danger"]

_THUMBS: Final = {1: "👍", -1: "👎"}


@dataclass(frozen=True, slots=True)
class Look:
    """What one message shows, or shall show."""

    #: Discord's Markdown in which nothing rings; at most 2,000 characters.
    text: str
    #: The rows of buttons below, as Discord's API has them.
    rows: tuple[Row, ...] = ()
    files: tuple[ReplyFile, ...] = ()
    #: Beside the files; Discord's clients show them as a gallery below the text.
    pictures: tuple[ReplyFile, ...] = ()

    @property
    def attached(self) -> tuple[ReplyFile, ...]:
        """All that is attached."""
        return (*self.files, *self.pictures)

    @property
    def content(self) -> dict[str, Any]:
        """The body of a call that creates or edits a message to look like this, its files aside.

        Rows are always in it: an edit leaves what it isn't given, and the buttons of a draft must go.
        """
        return {"content": self.text, "components": list(self.rows), "flags": SUPPRESS_EMBEDS}


def stop_row(turn_id: int, lang: Lang) -> tuple[Row, ...]:
    """Below a draft."""
    return (row(_stop(turn_id, lang)),)


def consent_rows(turn_id: int, consent: Consent, lang: Lang) -> tuple[Row, ...]:
    """Below a question that a person has to answer."""
    value = actions.value_of(turn_id, consent.key)
    return (
        row(
            button(actions.ALLOW, value, labels.ALLOW, lang, style="primary"),
            button(actions.DENY, value, labels.DENY, lang),
            _stop(turn_id, lang),
        ),
    )


def end_rows(turn_id: int, final: End) -> tuple[Row, ...]:
    """Below the end of a reply."""
    if final.private:
        return ()
    below = []
    if final.outcome == "answered" and final.can_rate:
        below += [_thumb(turn_id, 1), _thumb(turn_id, -1)]
    if final.outcome != "answered" and final.can_retry:
        below.append(button(actions.RETRY, actions.value_of(turn_id), labels.RETRY, final.lang, style="primary"))
    if final.steps:
        below.append(button(actions.STEPS, actions.value_of(turn_id), labels.STEPS, final.lang))
    return (row(*below),) if below else ()


def rating_row(turn_id: int) -> tuple[Row, ...]:
    """Below the thanks for a thumb, for whoever wants to say it more precisely: 1 to 5."""
    return (
        row(*(_made(actions.RATE, actions.value_of(turn_id, rating), label=str(rating)) for rating in range(1, 6))),
    )


def _thumb(turn_id: int, value: int) -> Row:
    return _made(actions.FEEDBACK, actions.value_of(turn_id, value), emoji={"name": _THUMBS[value]})


def _stop(turn_id: int, lang: Lang) -> Row:
    return button(actions.STOP, actions.value_of(turn_id), labels.STOP, lang, style="danger")


def button(action: str, value: str, label: Text, lang: Lang, *, style: Style = "plain") -> Row:
    """What can be pressed; in at most 100 characters, action and value are its `custom_id`."""
    return _made(action, value, style=style, label=label.say(lang)[: limits.BUTTON_LABEL])


def _made(action: str, value: str, *, style: Style = "plain", **shown: Any) -> Row:
    return {"type": _BUTTON, "style": _STYLES[style], "custom_id": f"{action}:{value}", **shown}


def row(*buttons: Row) -> Row:
    """At most five buttons side by side, or one menu."""
    return {"type": _ACTION_ROW, "components": list(buttons)}
