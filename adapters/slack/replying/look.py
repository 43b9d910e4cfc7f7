"""What one message of ours shows: its text, and the pictures and buttons below it. Pure.

A message of text alone is posted as `markdown_text`. Slack takes no blocks beside that, so one with buttons or pictures
is a Markdown block with theirs below, which is read in the same way. Edits are always blocks: `chat.update`
leaves what it isn't given, and the buttons of a draft must go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from adapters.chat import actions, labels
from adapters.slack import limits
from adapters.slack.render.mrkdwn import sections
from agent.language import Lang, Text
from bot.messages import Consent
from bot.messages import Final as End

Block = dict[str, Any]

#: Characters of the text that notifications and screen readers get beside blocks; they cut it themselves much earlier.
_FALLBACK: Final = 1_000


@dataclass(frozen=True, slots=True)
class Look:
    """What one message shows, or shall show."""

    #: Markdown in which nothing rings.
    text: str
    #: The blocks below.
    buttons: tuple[Block, ...] = ()
    #: Between the two.
    pictures: tuple[Block, ...] = ()

    @property
    def below(self) -> tuple[Block, ...]:
        """All blocks below the text."""
        return (*self.pictures, *self.buttons)

    @property
    def content(self) -> dict[str, Any]:
        """Arguments of a call that creates a message with this look."""
        return self.blocks if self.below else {"markdown_text": self.text}

    @property
    def blocks(self) -> dict[str, Any]:
        """The same as blocks, with the text that notifications show."""
        shown = [{"type": "markdown", "text": self.text}] if self.text.strip() else []
        return {"text": fallback(self.text), "blocks": [*shown, *self.below]}


def fallback(text: str) -> str:
    """The beginning of a text in Slack's own markup, below all limits of `text`."""
    beginning, *_ = [*sections(text[:_FALLBACK]), ""]
    return f"{beginning}…" if len(text) > _FALLBACK else beginning


def stop_button(turn_id: int, lang: Lang) -> tuple[Block, ...]:
    """Below a draft where Slack shows no Stop of its own."""
    return (_row(_button(actions.STOP, labels.STOP, actions.value_of(turn_id), lang, style="danger")),)


def consent_buttons(turn_id: int, consent: Consent, lang: Lang) -> tuple[Block, ...]:
    """Below a question that a person has to answer."""
    value = actions.value_of(turn_id, consent.key)
    return (
        _row(
            _button(actions.ALLOW, labels.ALLOW, value, lang, style="primary"),
            _button(actions.DENY, labels.DENY, value, lang),
            _button(actions.STOP, labels.STOP, actions.value_of(turn_id), lang, style="danger"),
        ),
    )


def end_buttons(turn_id: int, final: End) -> tuple[Block, ...]:
    """Below the end of a reply."""
    if final.private:
        return ()
    answered, lang = final.outcome == "answered" and final.can_rate, final.lang
    below = []
    if final.outcome != "answered" and final.can_retry:
        below.append(_button(actions.RETRY, labels.RETRY, actions.value_of(turn_id), lang, style="primary"))
    if answered:
        below.append(_rating(turn_id, lang))
    if final.steps:
        below.append(_button(actions.STEPS, labels.STEPS, actions.value_of(turn_id), lang))
    thumbs = (_thumbs(turn_id, lang),) if answered else ()
    return (*thumbs, _row(*below)) if below else thumbs


def _thumbs(turn_id: int, lang: Lang) -> Block:
    def thumb(label: Text, value: int) -> Block:
        return {
            "text": _plain(label, lang),
            "value": actions.value_of(turn_id, value),
            "accessibility_label": label.say(lang),
        }

    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": actions.FEEDBACK,
                "positive_button": thumb(labels.GOOD, 1),
                "negative_button": thumb(labels.BAD, -1),
            }
        ],
    }


def _rating(turn_id: int, lang: Lang) -> Block:
    return {
        "type": "static_select",
        "action_id": actions.RATE,
        "placeholder": _plain(labels.RATE, lang),
        "options": [
            {"text": _plain(label, lang), "value": actions.value_of(turn_id, rating)}
            for rating, label in labels.RATINGS.items()
        ],
    }


def _button(action_id: str, label: Text, value: str, lang: Lang, *, style: str = "") -> Block:
    made: Block = {"type": "button", "action_id": action_id, "text": _plain(label, lang), "value": value}
    return made | {"style": style} if style else made


def _row(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def _plain(label: Text, lang: Lang) -> Block:
    return {"type": "plain_text", "text": label.say(lang)[: limits.BUTTON_TEXT], "emoji": True}
