"""Addresses in answers: found whole, compared sensibly, known from where they may come from."""

from __future__ import annotations

import pytest

from agent.addresses import addresses, known_addresses, unknown_in
from agent.profile import Profile
from agent.styles.base import Done, ToolCall
from agent.tools.registry import ToolResult
from tests.support.agent import task


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://a.example/b.", "https://a.example/b"),
        ("([b](https://a.example/b))", "https://a.example/b"),
        ("<https://a.example/b>", "https://a.example/b"),
        ("**https://a.example/b**!", "https://a.example/b"),
        ("见https://a.example/b。很好", "https://a.example/b"),
        ("“https://a.example/b”，好", "https://a.example/b"),
        ("https://a.example/B_(c), or", "https://a.example/B_(c)"),
        ("HTTP://A.example?q=1&r=2#s", "HTTP://A.example?q=1&r=2#s"),
        ("`https://a.example/b`", "https://a.example/b"),
    ],
)
def test_an_address_ends_where_people_see_its_end(text: str, found: str) -> None:
    assert addresses(text) == (found,)


def test_text_without_an_address_has_none() -> None:
    assert addresses("http and https:// and a.example/b") == ()


@pytest.mark.parametrize(
    "same", ["http://Words.example/one", "https://words.example/one/", "https://words.example/one#x"]
)
def test_what_makes_no_difference_makes_none(same: str) -> None:
    done = Done(ToolCall("t"), ToolResult("", "", ("https://words.example/one",)))
    assert unknown_in(f"See {same}.", known_addresses(task("?"), [done])) == ()


def test_question_history_profile_and_every_part_of_a_result_name_addresses() -> None:
    asked = task(
        "About https://q.example",
        history=[("https://h1.example", "https://h2.example")],
        profile=Profile(agent_bio="https://b.example", agent_instructions="https://i.example"),
    )
    result = ToolResult(
        "https://r1.example", "[r](https://r2.example)", ("https://r3.example",), {"u": "https://r4.example"}
    )
    known = known_addresses(asked, [Done(ToolCall("t", {"url": "https://arg.example"}), result)])
    assert known == {f"{name}.example" for name in ("q", "h1", "h2", "b", "i", "r1", "r2", "r3", "r4")}
    # What a model wrote as an argument proves nothing.
    assert unknown_in("https://arg.example https://r1.example", known) == ("https://arg.example",)
