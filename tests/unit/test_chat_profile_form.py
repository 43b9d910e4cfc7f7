"""The profile as a form whose inputs are small: nothing is lost on the way there and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.chat import profile_form
from adapters.chat.platform import Platform
from adapters.chat.profile_form import INHERIT, LONG, Field, Form, Given, Sizes, fields, joints, read, spread
from agent.language import Text
from agent.profile import FIELDS, Profile
from bot.messages import Author
from bot.places import DEFAULT, Place
from bot.profiles import Origin, Version

HERE = Platform("here", "Here", Text("server", "服务器"), Text("thread", "子区"))
#: Fewer choices than there are tools, and short inputs.
SMALL = Sizes(text=100, choices=25, choice_value=100, inputs=4)
TOOLS = {f"tool{number}": Text("A tool", "工具") for number in range(5)}


def form(values: dict[str, Any] | None = None, **more: Any) -> Form:
    given: dict[str, Any] = {"tools": TOOLS, "models": ["small", "big"], "lang": "en"} | more
    origins = dict.fromkeys(FIELDS, Origin(DEFAULT, 0))
    return Form(HERE, "channel", "W1", "C1", 3, values=values or {}, inherited=Profile(), origins=origins, **given)


def untouched(field: Field) -> Given:
    """What comes back of a field that nobody has touched."""
    if field.kind == "several":
        return field.chosen
    return field.chosen[0] if field.kind == "one" else field.value


def submitted(shown: Form, sizes: Sizes = SMALL) -> dict[str, Any]:
    given = {(field.name, field.number): untouched(field) for field in fields(shown, sizes)}
    return read(given, joints(shown, sizes))


SET: dict[str, Any] = {
    "agent_name": "Ada",
    "agent_bio": "Knows things.\nMany.",
    "lang": "zh",
    "tool_names": ["tool1", "gone"],
    "max_iter_num": 3,
    "model": "no longer there",
    "answer_in": "channel",
}


def test_what_nobody_touches_stays_as_it_is() -> None:
    assert submitted(form(SET)) == SET
    assert submitted(form()) == {}


def test_the_same_where_there_is_too_much_to_choose_from() -> None:
    tiny = Sizes(text=100, choices=2, choice_value=100, inputs=4)
    kinds = {field.name: field.kind for field in fields(form(SET), tiny)}
    assert kinds["tool_names"] == kinds["model"] == kinds["lang"] == "line"
    assert submitted(form(SET), tiny) == SET


def test_choices_that_are_too_long_are_typed() -> None:
    shown = form(models=["m" * 101])
    assert {field.name: field.kind for field in fields(shown, SMALL)}["model"] == "line"


def test_the_first_choice_is_to_inherit() -> None:
    [field] = fields(form(), SMALL, ["lang"])
    assert (field.choices[0].value, field.chosen) == (INHERIT, (INHERIT,))
    assert "that of the question" in field.choices[0].label


def test_only_the_fields_that_are_asked_for_are_shown_in_the_profile_s_order() -> None:
    assert [field.name for field in fields(form(), SMALL, ["model", "agent_name"])] == ["agent_name", "model"]


def test_a_platform_may_say_something_else_about_a_field() -> None:
    shown = form(hints={"icon": Text("An address of a picture.", "图片地址。")})
    [icon] = fields(shown, SMALL, ["icon"])
    assert icon.hint == "An address of a picture."


def test_every_value_says_what_holds_without_it() -> None:
    assert all(field.inherited for field in fields(form(SET), SMALL) if field.number == 0)


@given(st.text(alphabet="ab \n", max_size=399))
def test_a_long_text_is_spread_and_comes_back(text: str) -> None:
    parts, between = spread(text, SMALL)
    assert all(len(part) <= SMALL.text for part in parts)
    assert len(between) == len(parts) - 1
    given = {(LONG, number): part for number, part in enumerate(parts)}
    assert read(given, between).get(LONG, "") == text.strip()


def test_there_is_room_to_go_on_writing() -> None:
    parts, between = spread("x" * 60, SMALL)
    assert parts == ["x" * 60, ""]
    assert read({(LONG, 0): "x", (LONG, 1): "y"}, between) == {LONG: "x\ny"}


@pytest.mark.parametrize("typed", ["tool1, tool2", "tool1，tool2", " tool1 ,, tool2 "])
def test_names_may_be_typed(typed: str) -> None:
    assert read({("tool_names", 0): typed}) == {"tool_names": ["tool1", "tool2"]}


@pytest.mark.parametrize("given", [None, "", "  ", INHERIT, []])
def test_nothing_is_not_set(given: Given) -> None:
    assert read({("agent_name", 0): given, ("nobody_s", 0): "x"}) == {}


def test_a_number_that_is_none_is_left_for_the_check() -> None:
    assert read({("max_iter_num", 0): " 7 "}) == {"max_iter_num": 7}
    assert read({("max_iter_num", 0): "many"}) == {"max_iter_num": "many"}


def test_a_thread_of_another_workspace_is_no_place() -> None:
    assert profile_form.place_of("here", "W1", "thread", "C1", "here:W1:T1").key == "here:W1:T1"
    for key in ("", "here:W2:T1", "here:W1", "there:W1:T1"):
        with pytest.raises(ValueError, match="workspace"):
            profile_form.place_of("here", "W1", "thread", "C1", key)


def test_a_value_is_called_what_people_call_it() -> None:
    assert profile_form.value_name("tool_names", ["tool1", "x"], TOOLS, "zh") == "工具 (tool1), x"
    assert profile_form.value_name("model", "", TOOLS, "en") == "the usual order"
    assert profile_form.value_name("answer_in", "thread", TOOLS, "en") == "in a thread"


def test_a_version_that_takes_everything_back_says_so_and_names_no_version_that_never_was() -> None:
    when = datetime(2026, 11, 22, tzinfo=UTC)
    undone = Version(Place("channel", "here:W1:C1"), 2, {}, Author("ann", "Ann"), when, restores=0, changed=("lang",))
    shown = profile_form.version_view(undone, "en", newest=True)
    assert shown.remarks == ("unset everything", "changed: Language")
