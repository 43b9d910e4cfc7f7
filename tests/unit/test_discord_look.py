"""What the messages of a reply show: buttons against the sizes that Discord takes, and how a text becomes messages."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from adapters.chat import actions
from adapters.discord import limits
from adapters.discord.replying.layout import (
    ANSWER_FILE,
    EARLIER,
    GOES_ON,
    IN_FILE,
    PARTS_MOST,
    drafted,
    ended,
    layout,
    step_lines,
)
from adapters.discord.replying.look import SUPPRESS_EMBEDS, Look, consent_rows, end_rows, rating_row, stop_row
from agent.language import Lang, Text
from bot.messages import Consent, Draft, Final, StepView
from bot.rendering.split import utf16
from tests.fakes.discord import components
from tests.support.discord_reader import seen

_TURN = 2**62
_STEP = StepView("act/0/0", "search", {"query": "Rostock"}, "done")
_TITLES = {"search": Text("Search the *web*", "搜索网页")}
#: About 420 characters.
_PARAGRAPH = "Some words of a long answer, with a_name and **marks**. " * 7 + "这里也有中文。"


def long_text(paragraphs: int) -> str:
    return "\n\n".join(f"Paragraph {number}. {_PARAGRAPH}" for number in range(paragraphs))


def buttons(rows: Any) -> list[dict[str, Any]]:
    return [button for row in rows for button in row["components"]]


def ids(rows: Any) -> list[str]:
    return [button["custom_id"] for button in buttons(rows)]


# Buttons


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("outcome", ["answered", "stopped", "refused", "failed"])
def test_discord_takes_the_buttons_of_every_end(outcome: Any, lang: Lang) -> None:
    final = Final(outcome, "42", lang, steps=(_STEP,), can_retry=True)
    components.check_message(list(end_rows(_TURN, final)), v2=False)


@pytest.mark.parametrize("lang", get_args(Lang))
def test_discord_takes_the_buttons_of_drafts_and_of_the_rating(lang: Lang) -> None:
    consent = Consent("act/" + "9" * 50 + "/0", "May I?")
    for rows in (stop_row(_TURN, lang), consent_rows(_TURN, consent, lang), rating_row(_TURN)):
        components.check_message(list(rows), v2=False)


def test_a_press_tells_its_action_and_its_turn() -> None:
    final = Final("answered", "42", "en", steps=(_STEP,))
    assert ids(end_rows(7, final)) == ["kagent.feedback:7:1", "kagent.feedback:7:-1", "kagent.steps:7"]
    assert ids(stop_row(7, "en")) == ["kagent.stop:7"]
    consent = consent_rows(7, Consent("act/0/1", "?"), "en")
    assert ids(consent) == ["kagent.allow:7:act/0/1", "kagent.deny:7:act/0/1", "kagent.stop:7"]
    assert ids(rating_row(7)) == [f"kagent.rate:7:{rating}" for rating in range(1, 6)]
    for pressed in ids(end_rows(7, final)):
        told = actions.pressed(pressed.partition(":")[2])
        assert told is not None
        assert told.turn_id == 7


def test_what_failed_may_be_tried_again_and_is_not_rated() -> None:
    failed = Final("failed", "No.", "en", steps=(_STEP,), can_retry=True)
    assert ids(end_rows(7, failed)) == ["kagent.retry:7", "kagent.steps:7"]


def test_a_refusal_and_a_private_end_have_nothing_to_press() -> None:
    assert end_rows(1, Final("refused", "No.", "en")) == ()
    assert end_rows(1, Final("answered", "42", "en", steps=(_STEP,), private=True)) == ()


def test_chinese_buttons_have_no_english_in_them() -> None:
    failed = Final("failed", "42", "zh", steps=(_STEP,), can_retry=True)
    shown = [*end_rows(1, failed), *stop_row(1, "zh"), *consent_rows(1, Consent("k", "?"), "zh")]
    labels = [button["label"] for button in buttons(shown)]
    assert len(labels) == 6
    assert not any(letter.isascii() and letter.isalpha() for label in labels for letter in label)


def test_an_edit_takes_away_the_buttons_that_the_new_look_does_not_have() -> None:
    assert Look("x").content["components"] == []


def test_links_have_no_previews() -> None:
    assert Look("x").content["flags"] & SUPPRESS_EMBEDS


# Ends


def test_a_short_answer_is_one_message_with_its_sources_and_buttons() -> None:
    final = Final(
        "answered", "**42**", "en", notes=("Cut.",), sources=("https://a.example/x_y", "Title https://b.example")
    )
    (look,) = ended(final, 7)
    assert look.text == (
        "**42**\n\n*Cut.*\n\n**Sources**\n\n1. <https://a.example/x_y>\n2. [Title](<https://b.example>)"
    )
    assert ids(look.rows) == ["kagent.feedback:7:1", "kagent.feedback:7:-1"]
    assert look.files == ()


def test_only_the_last_of_several_messages_has_buttons() -> None:
    looks = layout(long_text(9), "en", stop_row(7, "en"))
    assert 1 < len(looks) <= PARTS_MOST
    assert [bool(look.rows) for look in looks] == [False] * (len(looks) - 1) + [True]
    assert all(utf16(look.text) <= limits.CONTENT for look in looks)


def test_an_answer_of_as_many_messages_as_it_may_have_is_no_file() -> None:
    counts = {len(layout(long_text(number), "en")) for number in range(1, 30)}
    assert counts == set(range(1, PARTS_MOST + 1))


@pytest.mark.parametrize("lang", get_args(Lang))
def test_a_longer_answer_is_its_beginning_and_a_file(lang: Lang) -> None:
    text = long_text(60)
    (look,) = layout(text, lang, stop_row(7, lang))
    assert look.text.startswith("Paragraph 0. ")
    assert look.text.endswith(f"\n-# {IN_FILE.say(lang)}")
    assert utf16(look.text) <= limits.CONTENT
    assert look.rows
    (file,) = look.files
    assert file.name == ANSWER_FILE
    assert file.data.decode() == text


def test_the_beginning_of_a_long_answer_closes_its_fence() -> None:
    (look,) = layout("```py\n" + "x = 1\n" * 3_000 + "```", "en")
    assert look.text.count("```") == 2
    assert seen(look.text).code[0][0] == "py"


def test_a_file_is_no_larger_than_discord_takes_and_ends_with_a_whole_character(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "FILE_BYTES", 20_000)
    (look,) = layout("字" * 10_000, "zh")
    assert look.files[0].data.decode() == "字" * 6_666


def test_what_no_text_can_hold_is_not_in_the_file() -> None:
    (look,) = layout("a\ud800\x00" + long_text(60), "en")
    assert look.files[0].data.decode().startswith("a\ufffdParagraph")


def test_an_end_without_a_word_is_still_a_message() -> None:
    assert [look.text for look in layout("", "en")] == ["…"]
    assert [look.text for look in layout("\u200b", "en")] == ["…"]


# Drafts


def test_nothing_is_posted_for_a_status_alone() -> None:
    assert drafted(Draft(status="Thinking…"), 7, _TITLES, "en") == []


def test_steps_are_shown_until_there_is_text() -> None:
    steps = (
        _STEP,
        StepView("b", "search", {}, "failed"),
        StepView("c", "get_tide_info", {"a": "Rostock"}),
        StepView("d", ""),
    )
    (look,) = drafted(Draft(steps=steps), 7, _TITLES, "en")
    assert look.text == "✓ Search the \\*web\\*: Rostock\n✗ Search the \\*web\\*\n⏳ Tide: Rostock"
    assert ids(look.rows) == ["kagent.stop:7"]
    (look,) = drafted(Draft("So far", steps), 7, _TITLES, "en")
    assert look.text == "So far"


def test_of_many_steps_the_latest_are_shown() -> None:
    steps = [StepView(f"act/{number}", "search", {"q": f"number {number}"}, "done") for number in range(40)]
    shown = step_lines(steps, _TITLES, "zh").split("\n")
    assert shown[0] == f"-# {EARLIER.say('zh').format(count=28)}"
    assert [re.sub(r"\D", "", line) for line in shown[1:]] == [str(number) for number in range(28, 40)]


def test_arguments_of_a_step_ring_nobody_and_stay_on_their_line() -> None:
    hostile = StepView("a", "search", {"q": "@everyone <@123>\n# big ||x||"})
    found = seen(step_lines([hostile] * 12, _TITLES, "en"))
    assert found.pings == []
    assert found.odd == []
    assert found.marks == []


@pytest.mark.parametrize("text", ["```py\nx = 1", "so **bold", "`code", "> quote\n> ```\n> x"])
def test_a_draft_closes_what_is_open(text: str) -> None:
    (look,) = drafted(Draft(text), 7, _TITLES, "en")
    assert look.text.count("```") % 2 == 0
    assert look.text.count("**") % 2 == 0


def test_the_messages_of_a_draft_are_those_of_its_end() -> None:
    text = long_text(20)
    looks = drafted(Draft(text), 7, _TITLES, "en")
    assert [look.text for look in looks] == [look.text for look in layout(text, "en")]
    assert looks[-1].rows == stop_row(7, "en")


def test_a_draft_that_becomes_long_leaves_its_first_messages_alone_and_says_so() -> None:
    before = drafted(Draft(long_text(18)), 7, _TITLES, "zh")
    looks = drafted(Draft(long_text(60)), 7, _TITLES, "zh")
    assert len(looks) == PARTS_MOST
    assert looks[: len(before) - 1] == before[:-1]
    assert GOES_ON.say("zh") in looks[-1].text
    assert all(utf16(look.text) <= limits.CONTENT for look in looks)
    assert looks == drafted(Draft(long_text(80)), 7, _TITLES, "zh")


def test_a_question_is_below_the_text_and_nothing_in_it_means_anything() -> None:
    consent = Consent("act/0/0", "May I run `rm` for @everyone **now**?")
    (look,) = drafted(Draft("So far **bold", consent=consent), 7, _TITLES, "en")
    assert look.text.startswith("So far **bold**\n\n> May I run \\`rm\\` for @")
    assert seen(look.text).pings == []
    assert ids(look.rows)[0] == "kagent.allow:7:act/0/0"


def test_a_question_is_seen_however_long_the_text_before_it_is() -> None:
    looks = drafted(Draft(long_text(60), consent=Consent("act/0/0", "May I?")), 7, _TITLES, "en")
    assert len(looks) <= PARTS_MOST
    assert looks[-1].text == "> May I?"
    assert looks[-1].rows
    assert not any(look.rows for look in looks[:-1])


def test_a_question_that_is_itself_long_is_a_file_beside_its_beginning() -> None:
    looks = drafted(Draft("x", consent=Consent("act/0/0", "word " * 4_000)), 7, _TITLES, "en")
    assert len(looks) <= PARTS_MOST
    assert looks[-1].files
    assert looks[-1].rows
