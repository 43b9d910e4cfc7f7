"""Files in the benchmark's format: what is read from them, what is wrong with them, and how two are scored together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evals.kagentbench.data import DataError, iter_items, read_items, sha256_of
from evals.kagentbench.gathering import StrictError
from evals.kagentbench.items import Item
from evals.kagentbench.pairing import Share
from evals.kagentbench.score import evaluate, published_line, score_items, total
from evals.kagentbench.working import WorkerLost, Working
from evals.library import is_suite
from tests.support.kagentbench import (
    CONCLUSION,
    GOLDENS,
    ITEMS,
    PLAN,
    PROFILE,
    REFLEXTION,
    REPLIES,
    pair,
    prediction,
    raised,
    rated,
    write,
)


def test_an_item_has_what_its_line_says() -> None:
    items = read_items(GOLDENS / "benchmark_eval.jsonl")

    plan = next(item for item in items if item.type == "plantooluse")
    assert len(items) == 120
    assert set(plan.prompts) == {"ReACT", "AutoGPT", "ToolLlama", "ModelScope", "KuaiAgent"}
    assert plan.goldens[0]["tool_name"]
    assert plan.funcs[0]["name"]
    assert items[plan.line - 1] is plan
    assert {item.lang for item in items} == {"en", "zh"}


def test_fields_may_be_json_in_a_string(tmp_path: Path) -> None:
    packed = {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in PLAN.items()}

    (item,) = read_items(write(tmp_path / "packed.jsonl", [packed]), partial=True)

    assert item.goldens == tuple(PLAN["golden_result_list"])
    assert item.funcs == tuple(PLAN["funcs"])
    assert item.prompts == PLAN["prompt_input"]


def test_packed_items_are_scored_as_others(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)
    packed = [{key: json.dumps(v) if isinstance(v, dict | list) else v for key, v in item.items()} for item in ITEMS]

    assert evaluate(write(tmp_path / "packed.jsonl", packed), predictions).scores == evaluate(bench, predictions).scores


def test_numbers_beyond_64_bits_stay_whole(tmp_path: Path) -> None:
    big = {**PLAN, "golden_result_list": [{"thought": "a", "tool_name": "b", "tool_args": {"n": 2**70}}]}

    (item,) = read_items(write(tmp_path / "big.jsonl", [big]), partial=True)

    assert item.goldens[0]["tool_args"] == {"n": 2**70}


def test_a_line_may_begin_with_a_byte_order_mark_and_end_with_a_carriage_return(tmp_path: Path) -> None:
    path = tmp_path / "marked.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(json.dumps(item).encode() for item in ITEMS))

    assert [item.id for item in read_items(path)] == ["p1", "r1", "c1", "f1"]


def broken(number: int, line: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        lines = [json.dumps(item).encode() for item in ITEMS]
        path = folder / "broken.jsonl"
        path.write_bytes(b"\n".join([*lines[: number - 1], line, *lines[number - 1 :]]) + b"\n")
        return path

    return make


def lines_of(*values: Any) -> Callable[[Path], Path]:
    return lambda folder: write(folder / "lines.jsonl", values)


def pipe(folder: Path) -> Path:
    path = folder / "pipe"
    os.mkfifo(path)
    return path


WRONG: dict[str, tuple[Callable[[Path], Path], int | None, str]] = {
    "no file": (lambda folder: folder / "none.jsonl", None, "no file"),
    "folder": (lambda folder: folder, None, "folder"),
    "pipe": (pipe, None, "is a pipe or a device"),
    "empty": (lines_of(), None, "is empty"),
    "blank line": (broken(3, b""), 3, "Line 3 of .* is blank"),
    "no JSON": (broken(2, b'{"type": '), 2, "Line 2 of .* is not valid JSON"),
    "null": (broken(1, b"null"), 1, "Line 1 of .* is not a JSON object"),
    "list": (broken(5, b"[]"), 5, "Line 5 of .* is not a JSON object"),
    "not UTF-8": (broken(2, b'{"type": "\xff"}'), 2, "Line 2 of .* is not UTF-8"),
    "too deep": (broken(2, b"[" * 100_000 + b"]" * 100_000), 2, "Line 2 of .* nests too deeply"),
    "no type": (broken(2, b'{"id": 1}'), 2, "Line 2 of .* has no “type”"),
    "no id": (broken(2, b'{"type": "profile"}'), 2, "Line 2 of .* has no “id”"),
    "odd id": (broken(2, b'{"type": "profile", "id": []}'), 2, "“id” in line 2 of .* has the wrong form"),
    "missing type": (lines_of(PLAN, CONCLUSION, PROFILE), None, "no items of type reflextion"),
    "duplicate": (lines_of(*ITEMS, PLAN), 5, "Lines 1 and 5 of .* have the same type and id"),
}


@pytest.mark.parametrize(("make", "line", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_file_is_said_with_the_line(
    make: Callable[[Path], Path], line: int | None, said: str, tmp_path: Path
) -> None:
    path = make(tmp_path)

    for read in (read_items, lambda path: evaluate(path, path), lambda path: evaluate(pair(tmp_path)[0], path)):
        with pytest.raises(DataError, match=said) as caught:
            read(path)
        assert (caught.value.line, caught.value.path) == (line, path)
        assert caught.value.text.zh != caught.value.text.en
        assert str(path) in caught.value.text.zh


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"type": "planning"}, "Line 1 of .* has the unknown type “planning”"),
        ({"golden_result_list": "none"}, "“golden_result_list” in line 1 of .* has the wrong form"),
        ({"prompt_input": {"ReACT": 5}}, "“prompt_input” in line 1 of .* has the wrong form"),
    ],
)
def test_an_item_that_is_none_is_refused(changed: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read_items(write(tmp_path / "odd.jsonl", [{**PLAN, **changed}]), partial=True)


def test_items_come_before_the_rest_of_the_file_is_read(tmp_path: Path) -> None:
    items = iter_items(broken(4, b"nonsense")(tmp_path))

    assert [next(items).id for _ in range(3)] == ["p1", "r1", "c1"]


def test_files_with_different_counts_do_not_belong_together(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)
    write(bench, [*ITEMS, {**PLAN, "id": "p2"}])

    with pytest.raises(DataError, match=r"has 2 items of type plantooluse, .* has 1"):
        evaluate(bench, predictions)
    with pytest.raises(StrictError, match="AssertionError"):
        evaluate(bench, predictions, strict=True)


def test_a_prediction_for_an_unknown_item_is_named(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)
    write(predictions, [prediction(item) for item in (*ITEMS[:3], {**PROFILE, "id": "f2"})])

    with pytest.raises(DataError, match=r"Line 4 of .* is for the item profile f2") as caught:
        evaluate(bench, predictions)
    assert caught.value.line == 4
    with pytest.raises(StrictError, match="KeyError: 'f2'"):
        evaluate(bench, predictions, strict=True)


def test_an_id_of_several_lines_is_named_in_one(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)
    write(predictions, [prediction(item) for item in (*ITEMS[:3], {**PROFILE, "id": "f\n\t2"})])

    with pytest.raises(DataError, match="for the item profile f 2, which"):
        evaluate(bench, predictions)


def test_a_missing_type_ends_the_published_scorer_by_a_division(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path, ITEMS[:3])

    with pytest.raises(StrictError, match="ZeroDivisionError: division by zero"):
        evaluate(bench, predictions, strict=True)


def test_a_partial_evaluation_has_the_numbers_that_it_can_have(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)
    write(predictions, [prediction(PLAN)])

    found = evaluate(bench, predictions, partial=True)

    assert (
        published_line(found)
        == "plan : 50.00, tooluse : 50.00, reflextion : -, conclusion : -, profile : -, overall : -"
    )
    assert dict(found.expected) == {"plantooluse": 1, "reflextion": 1, "conclusion": 1, "profile": 1}
    assert not found.complete


def test_an_evaluation_is_complete_with_a_reply_to_every_prompt(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)
    complete = evaluate(bench, predictions).complete
    write(
        predictions, [prediction(CONCLUSION, {"ReACT": "It is warm."}), *map(prediction, (PLAN, REFLEXTION, PROFILE))]
    )

    assert complete
    assert not evaluate(bench, predictions).complete


def test_predictions_in_any_order_have_the_same_scores(tmp_path: Path) -> None:
    items = [{**item, "id": f"{item['id']}-{n}", "line": n} for n in range(40) for item in ITEMS]
    bench, predictions = pair(tmp_path, items)
    in_order = evaluate(bench, predictions)
    write(predictions, [prediction(item) for item in reversed(items)])

    turned = evaluate(bench, predictions)

    assert turned.scores == in_order.scores
    assert [item.id for item in turned.items if item.type == "profile"][:2] == ["f1-39", "f1-38"]


def test_the_published_scorer_takes_the_last_of_several_lines_with_one_id_at_the_place_of_the_first(
    tmp_path: Path,
) -> None:
    bench, predictions = pair(tmp_path, [*ITEMS, {**PROFILE, "id": "f2"}])
    again = prediction(PROFILE, "Nothing like it at all")
    with predictions.open("a") as file:
        file.write(json.dumps(again) + "\n")

    found = evaluate(bench, predictions, strict=True)

    assert [(item.id, item.scores["profile"] > 0.9) for item in found.items[3:]] == [("f1", False), ("f2", True)]


def test_types_that_nobody_knows_are_left_out(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)
    scores = evaluate(bench, predictions).scores
    write(bench, [{**PLAN, "type": "general"}, *ITEMS])

    assert evaluate(bench, predictions).scores == scores


def test_child_processes_find_the_same(tmp_path: Path) -> None:
    bench, predictions = GOLDENS / "benchmark_eval.jsonl", GOLDENS / "predictions_mix.jsonl"
    seen: list[tuple[int, int]] = []

    found = evaluate(bench, predictions, workers=2, progress=lambda done, all_: seen.append((done, all_)))

    assert repr(found) == repr(evaluate(bench, predictions, workers=0))  # a NaN in it equals nothing
    assert seen[-1] == (120, 120)


def test_a_child_process_says_which_line_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Line 3 of .* is blank") as caught:
        evaluate(broken(3, b"")(tmp_path), pair(tmp_path)[1], workers=2)
    assert caught.value.line == 3


def test_a_child_process_that_is_killed_is_an_error_and_no_wait(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)

    with Working(bench, predictions, strict=False, workers=1) as working:
        working._children[0]._process.kill()
        with pytest.raises(WorkerLost, match="free some memory"):
            list(working.score([Share([], [])]))


def test_a_prediction_without_replies_is_an_error_of_its_item(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)
    written = [json.loads(line) for line in predictions.read_text("utf-8").splitlines()]
    del written[0]["model_predict"]
    write(predictions, written)

    found = evaluate(bench, predictions)

    assert {item.raises for item in found.items} == {"", "KeyError: 'model_predict'"}
    assert (found.raised, found.complete) == (1, False)


def test_files_in_the_wrong_order_are_told_and_get_no_score_of_zero(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)

    for no_predictions in (bench, predictions):
        with pytest.raises(DataError, match=r"No line of .*bench.* has “model_predict”"):
            evaluate(no_predictions, bench)
    bare = [json.loads(line) for line in predictions.read_text("utf-8").splitlines()]
    write(predictions, [{name: one[name] for name in ("type", "id", "query", "model_predict")} for one in bare])
    with pytest.raises(DataError, match=r"No line of .*pred.* has “golden_result_list”"):
        evaluate(predictions, predictions)


def test_strictly_the_first_thing_that_the_published_scorer_comes_to_ends_it(tmp_path: Path) -> None:
    items = [PROFILE, {**CONCLUSION, "golden_result_list": ["plain"]}, {**PLAN, "golden_result_list": []}, REFLEXTION]
    bench, predictions = pair(tmp_path, items)

    with pytest.raises(StrictError, match=r"^TypeError: string indices must be integers, not 'str'$"):
        evaluate(bench, predictions, strict=True)


def test_an_error_of_a_reply_comes_before_one_of_the_item_that_is_met_later(tmp_path: Path) -> None:
    item = {**PLAN, "golden_result_list": [{"thought": "a"}]}
    bench, predictions = pair(tmp_path, [item, REFLEXTION, CONCLUSION, PROFILE])
    first, *others = [json.loads(line) for line in predictions.read_text("utf-8").splitlines()]
    write(predictions, [{**first, "model_predict": {"Unknown": "a", "KuaiAgent": "{}"}}, *others])

    with pytest.raises(StrictError, match="UnboundLocalError"):
        evaluate(bench, predictions, strict=True)


@pytest.mark.parametrize("last", [{"id": "f2"}, {"type": "other"}], ids=["unknown id", "no type"])
def test_an_error_of_a_reply_comes_before_one_of_the_files_that_is_met_later(
    last: dict[str, Any], tmp_path: Path
) -> None:
    bench, predictions = pair(tmp_path)
    first, *others = map(prediction, ITEMS[:3])
    unread = {**first, "model_predict": {"Unknown": "a"}}
    write(predictions, [unread, *others, {**prediction(PROFILE), **last}])
    if "type" in last:
        write(bench, [*ITEMS[:3], {**PROFILE, **last}])

    with pytest.raises(StrictError, match="UnboundLocalError"):
        evaluate(bench, predictions, strict=True)


@pytest.mark.parametrize("make", [pipe, broken(1, b"[" * 100_000)], ids=["pipe", "too deep"])
def test_what_is_no_file_of_lines_is_no_suite(make: Callable[[Path], Path], tmp_path: Path) -> None:
    assert not is_suite(make(tmp_path))


@pytest.mark.parametrize("item", [CONCLUSION, PROFILE], ids=["conclusion", "profile"])
def test_plain_texts_are_goldens_as_in_the_data_card(item: dict[str, Any]) -> None:
    plain = {**item, "golden_result_list": [one["golden_result"] for one in item["golden_result_list"]]}

    result = rated(plain, REPLIES[item["type"]])

    assert not raised(result)
    assert result.scores == rated(item, REPLIES[item["type"]]).scores


def test_items_are_scored_in_memory_as_in_files(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)
    in_files = evaluate(bench, predictions)
    items = read_items(bench)

    results = score_items([(item, REPLIES[item.type]) for item in items])
    found = total(results, in_files.expected, complete=True)

    assert found.items == in_files.items
    assert (found.scores, found.overall) == (in_files.scores, in_files.overall)


def test_an_item_that_came_from_no_file_is_scored(tmp_path: Path) -> None:
    golden = {"golden_result": "It is warm."}
    item = Item("profile", 7, "Who are you?", {"prompt": "a"}, "", (), (golden,), "en")

    (result,) = score_items([(item, "It is warm.")])

    assert result.scores["profile"] > 0.99
    assert (result.type, result.id) == ("profile", "7")


def test_what_can_not_be_read_and_which_tool_is_right_is_said_of_each_reply() -> None:
    plan = rated(PLAN, REPLIES["plantooluse"]).templates
    conclusion = rated(
        CONCLUSION, {"ReACT": "It is warm.", "AutoGPT": "", "ToolLlama": '{"final_answer": ""}'}
    ).templates

    assert [(one.unreadable, one.right_tool) for one in plan] == [(False, True), (True, False)]
    assert [(one.unreadable, one.right_tool) for one in conclusion] == [(False, None), (True, None), (True, None)]


def test_an_evaluation_says_what_it_depends_on(tmp_path: Path) -> None:
    bench, predictions = pair(tmp_path)

    found = evaluate(bench, predictions)

    assert found.data_sha256 == sha256_of(bench)
    assert set(found.versions) == {"rules", "unicode", "punkt"}


def test_a_child_process_does_not_outlive_its_parent() -> None:
    waits = "import os; from evals.kagentbench.working import _end_with; own = os.getppid(); print(); _end_with(own)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-uc', {waits!r}])"
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        process.kill()
        # The child has the same output, which ends when both have ended.
        assert process.communicate(timeout=30.0)[0] == b""
