"""What one message of ours shows, against the sizes that Slack takes."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from adapters.chat import actions
from adapters.slack import limits
from adapters.slack.replying.look import Look, consent_buttons, end_buttons, fallback, stop_button
from agent.language import Lang
from bot.messages import Consent, Final, StepView
from tests.fakes.slack import sizes

_TURN = 2**62
_STEP = StepView("act/0/0", "search", {}, "done")


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for part in value.values() for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list | tuple) else []


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("outcome", ["answered", "stopped", "refused", "failed"])
def test_slack_takes_the_buttons_of_every_end(outcome: Any, lang: Lang) -> None:
    final = Final(outcome, "42", lang, steps=(_STEP,), can_retry=True)
    sizes.check_message_blocks(Look("x" * 11_500, end_buttons(_TURN, final)).blocks["blocks"])


@pytest.mark.parametrize("lang", get_args(Lang))
def test_slack_takes_the_buttons_of_drafts(lang: Lang) -> None:
    consent = Consent("consent/" + "9" * 60, "May I?")
    for buttons in (stop_button(_TURN, lang), consent_buttons(_TURN, consent, lang)):
        sizes.check_message_blocks(Look("x" * 7_000, buttons).blocks["blocks"])


def test_chinese_buttons_have_no_english_in_them() -> None:
    final = Final("answered", "42", "zh", steps=(_STEP,), can_retry=True)
    failed = Final("failed", "42", "zh", can_retry=True)
    buttons = [*end_buttons(1, final), *end_buttons(1, failed), *stop_button(1, "zh")]
    buttons += consent_buttons(1, Consent("k", "?"), "zh")
    shown = "".join(_texts(buttons))
    assert shown
    assert not any(letter.isascii() and letter.isalpha() for letter in shown)


def test_a_message_without_buttons_is_markdown_text() -> None:
    assert Look("a *b*").content == {"markdown_text": "a *b*"}


def test_a_message_with_buttons_is_a_markdown_block_with_a_text_for_notifications() -> None:
    content = Look("a **b**", stop_button(1, "en")).content
    assert [block["type"] for block in content["blocks"]] == ["markdown", "actions"]
    assert "*b*" in content["text"]


@pytest.mark.parametrize("text", ["&" * 12_000, "<" * 12_000, "啊" * 12_000, "`" * 12_000, "| a " * 3_000, "", "x"])
def test_the_text_for_notifications_stays_below_its_limit(text: str) -> None:
    assert len(fallback(text)) <= limits.UPDATE_TEXT


def test_the_text_for_notifications_rings_nobody() -> None:
    assert sizes.pings([fallback("<!channel> <@U1> @here")]) == []


def test_a_private_end_has_no_buttons() -> None:
    assert end_buttons(1, Final("answered", "42", "en", steps=(_STEP,), private=True)) == ()


def test_a_refusal_has_nothing_to_press() -> None:
    assert end_buttons(1, Final("refused", "No.", "en")) == ()


# The values of what people press.


@pytest.mark.parametrize("detail", ["", 1, -1, "consent/0/0", "a:b"])
def test_a_value_says_what_was_put_into_it(detail: str | int) -> None:
    assert actions.pressed(actions.value_of(7, detail)) == (7, str(detail))


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "１", "9" * 30, ":1", " 1"])
def test_a_value_that_is_none_of_ours_says_nothing(value: str) -> None:
    assert actions.pressed(value) is None
