"""The score equals what the published scorer gave, on everything that is known of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evals.kagentbench.extract import read_json
from evals.kagentbench.parse import parse
from evals.kagentbench.results import Evaluation
from evals.kagentbench.score import evaluate, published_line
from evals.kagentbench.similarity import Similarity, common_length
from evals.kagentbench.tokens import tokens
from tests.support.kagentbench import GOLDENS, golden_lines, raised, rated

NAMES = sorted(path.stem.removeprefix("expected_") for path in GOLDENS.glob("expected_*.json"))
NAMES.remove("summary")


@pytest.fixture(scope="module", params=NAMES)
def found(request: pytest.FixtureRequest) -> tuple[Evaluation, Any]:
    """A whole file, and what it must be."""
    bench, predictions = GOLDENS / "benchmark_eval.jsonl", GOLDENS / f"predictions_{request.param}.jsonl"
    return evaluate(bench, predictions), json.loads((GOLDENS / f"expected_{request.param}.json").read_text("utf-8"))


def test_the_printed_line_is_the_same_text(found: tuple[Evaluation, Any]) -> None:
    ours, theirs = found

    assert published_line(ours) == theirs["printed"]


def test_every_mean_is_the_same(found: tuple[Evaluation, Any]) -> None:
    ours, theirs = found

    scores: dict[str, float | None] = {"overall": ours.overall}
    scores.update((str(metric), score) for metric, score in ours.scores.items())
    assert scores == pytest.approx(theirs["scores"], abs=1e-12, rel=0)


def test_every_item_and_template_has_the_same_score(found: tuple[Evaluation, Any]) -> None:
    ours, theirs = found
    results = {(item.type, item.id): item for item in ours.items}

    assert len(results) == len(theirs["items"])
    for wanted in theirs["items"]:
        item = results[wanted["type"], wanted["id"]]
        assert item.scores == pytest.approx({name: wanted[name] for name in item.scores}, abs=1e-12, rel=0)
        for one, of_template in zip(item.templates, wanted.get("templates", ()), strict=item.type != "profile"):
            assert one.template == of_template["template"]
            assert one.scores == pytest.approx({name: of_template[name] for name in one.scores}, abs=1e-12, rel=0)


def test_every_reply_is_read_the_same(found: tuple[Evaluation, Any]) -> None:
    ours, theirs = found
    results = {(item.type, item.id): item for item in ours.items}

    for wanted in theirs["items"]:
        if wanted["type"] in ("plantooluse", "reflextion"):
            item = results[wanted["type"], wanted["id"]]
            read = [json.dumps(one.parsed and one.parsed._asdict()) for one in item.templates]
            fields = ("thought", "tool_name", "tool_args")
            assert read == [json.dumps({name: one[name] for name in fields}) for one in wanted["templates"]]


def test_what_it_died_on_is_counted_and_has_the_score_zero_and_its_words() -> None:
    lines = list(golden_lines("crash_inputs.jsonl"))

    for line in lines:
        lenient = rated(line["label"], line["model_predict"])
        strict = rated(line["label"], line["model_predict"], strict=True)
        assert raised(lenient) == raised(strict) == f"{line['error']}: {line['message']}"
        assert all(set(one.scores.values()) == {0.0} for one in lenient.templates if one.raises)
    assert len(lines) == 16


def test_tokens_are_the_same() -> None:
    for line in golden_lines("unit_tokens.jsonl"):
        assert tokens(line["text"]) == line["tokens"]["ok"]


@pytest.mark.parametrize("common", [None, common_length], ids=["installed", "plain"])
def test_similarities_are_the_same(common: Any) -> None:
    alike = Similarity(common)

    for line in golden_lines("unit_rouge.jsonl"):
        wanted = line["score"]
        if "ok" in wanted:
            wanted["ok"] = pytest.approx(wanted["ok"], abs=1e-12, rel=0)
        assert outcome(alike.score, line["label"], line["predict"]) == wanted


def test_replies_are_read_the_same_alone() -> None:
    for line in golden_lines("unit_parse.jsonl"):
        found = outcome(parse, line["template"], line["response"], line["funcs"])
        if "ok" in found:
            found["ok"] = found["ok"]._asdict()
        assert json.dumps(found) == json.dumps(line["parsed"])


def test_json_is_found_and_mended_the_same() -> None:
    for line in golden_lines("unit_json.jsonl"):
        assert json.dumps(outcome(read_json, line["text"])) == json.dumps(line["value"])


def outcome(function: Any, *arguments: Any) -> dict[str, Any]:
    """What it returns, or what it raises, as the golden files have it."""
    try:
        return {"ok": function(*arguments)}
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}
