"""Which prompts a run asks, how they are cut, and what becomes of the replies."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from agent.language import Lang
from agent.llm.tokens import estimate
from evals.kagentbench.items import TYPES, Item
from evals.running.cutting import fit, halves
from evals.running.predictions import latest, model_predict, prediction_lines, write_predictions
from evals.running.presets import input_limit
from evals.running.selecting import select
from evals.running.work import how, prompts_of
from evals.runs import Prediction, PredictionKey
from tests.support.asking import MemoryAsker, item, spec


class WordTokenizer(MemoryAsker):
    """A server whose tokens are words with the blank before them."""

    def __init__(self, *, tells: bool = True, counts: bool = True, merges: str = "") -> None:
        super().__init__()
        self._words: list[str] = []
        self._tells, self._counts, self._merges = tells, counts, merges

    async def tokens(self, text: str) -> list[int] | None:
        return self._ids(text) if self._tells else None

    async def text_of(self, tokens: list[int]) -> str | None:
        return "".join(self._words[token] for token in tokens)

    async def count(self, text: str) -> int:
        return len(self._ids(text)) if self._counts else estimate(text)

    def _ids(self, text: str) -> list[int]:
        words = [word + " " for word in text.split(" ")]
        words[-1] = words[-1][:-1]
        if self._merges and self._merges in text and not text.startswith(self._merges):
            words = ["merged"] * len(words)
        for word in words:
            if word not in self._words:
                self._words.append(word)
        return [self._words.index(word) for word in words if word]


def _numbered(count: int, name: str = "m") -> str:
    return "".join(f"{name}{number} " for number in range(count))


async def test_head_and_tail_of_the_memory_are_kept_floor_and_ceiling() -> None:
    memory = _numbered(40)
    prompt = f"before it {memory}after it"
    cut = await fit(prompt, memory, 15, WordTokenizer())
    kept = [f"m{number}" for number in (0, 1, 2, 3, 4, 34, 35, 36, 37, 38, 39)]
    assert cut.text == f"before it {' '.join(kept)} after it"
    assert cut.tokens == 29
    assert halves(11) == (5, 6)


async def test_a_prompt_that_fits_is_not_touched() -> None:
    prompt = f"before {_numbered(10)}after"
    assert await fit(prompt, _numbered(10), 12, WordTokenizer()) == (prompt, 0)
    assert await fit(prompt, _numbered(10), None, WordTokenizer()) == (prompt, 0)


async def test_nothing_is_cut_without_a_memory() -> None:
    prompt = _numbered(100)
    assert await fit(prompt, "", 10, WordTokenizer()) == (prompt, 0)


async def test_nothing_is_cut_where_the_rest_is_too_long_alone() -> None:
    prompt = f"{_numbered(30, 'a')}{_numbered(10)}end"
    assert await fit(prompt, _numbered(10), 20, WordTokenizer()) == (prompt, 0)


async def test_where_the_rest_just_fits_the_memory_goes_as_a_whole() -> None:
    cut = await fit(f"one two {_numbered(30)}end", _numbered(30), 3, WordTokenizer())
    assert cut == ("one two end", 30)


async def test_a_memory_that_is_not_in_the_prompt_means_head_and_tail_of_the_whole() -> None:
    prompt = _numbered(100, "w").rstrip()
    cut = await fit(prompt, "something else", 11, WordTokenizer())
    assert cut.text == "w0 w1 w2 w3 w4 w94 w95 w96 w97 w98 w99"


async def test_a_memory_whose_tokens_are_no_part_of_the_prompts_means_the_whole_too() -> None:
    memory = _numbered(20)
    prompt = f"before {memory}after {_numbered(20, 'w')}end"
    found = await fit(prompt, memory, 21, WordTokenizer(merges="m0 m1"))
    assert len(found.text) < len(prompt) - 20
    assert found.text.startswith("before m0 m1")
    assert found.text.endswith("w19 end")


@pytest.mark.parametrize("counts", [True, False])
async def test_without_a_tokenizer_that_tells_the_prompt_fits_all_the_same(counts: bool) -> None:
    memory = _numbered(2000)
    prompt = f"before it {memory}after it"
    server = WordTokenizer(tells=False, counts=counts)
    cut = await fit(prompt, memory, 500, server)
    assert await server.count(cut.text) <= 500
    assert await server.count(cut.text) > 400
    assert cut.text.startswith("before it m0 m1 ")
    assert cut.text.endswith(" m1999 after it")
    assert cut.tokens > 0


async def test_a_chinese_memory_is_cut_between_characters() -> None:
    memory = "".join(chr(0x4E00 + number) for number in range(3000))
    cut = await fit(f"之前{memory}之后", memory, 1000, MemoryAsker())
    assert estimate(cut.text) <= 1000
    assert cut.text.startswith("之前一")
    assert cut.text.endswith(memory[-1] + "之后")


@pytest.mark.parametrize(
    ("preset", "window", "limit"),
    [
        ("qwen", None, 3096),
        ("baichuan2", None, 3400),
        ("plain", None, None),
        ("qwen", 32768, 3096),
        ("qwen", 2048, 1488),
        ("plain", 4096, 3536),
    ],
)
def test_a_prompt_leaves_room_for_the_reply(preset: str, window: int | None, limit: int | None) -> None:
    assert input_limit(spec(preset=preset), window) == limit


def _mixed() -> list[Item]:
    langs: tuple[Lang, ...] = ("en", "zh")
    groups = [(type_, lang) for type_ in TYPES for lang in langs for _ in range(10)]
    return [item(number, type_, lang, ("ReACT", "AutoGPT")) for number, (type_, lang) in enumerate(groups)]


def test_a_limit_takes_evenly_from_types_and_languages() -> None:
    chosen = select(_mixed(), spec(limit=16))
    assert set(Counter((one.type, one.lang) for one in chosen).values()) == {2}
    assert len({one.type for one in select(_mixed(), spec(limit=4))}) == 4
    assert len({one.lang for one in select(_mixed(), spec(limit=4))}) == 2


def test_the_same_seed_selects_the_same_and_another_seed_something_else() -> None:
    first, again, other = (select(_mixed(), spec(limit=16, seed=seed)) for seed in (1, 1, 2))
    assert [one.id for one in first] == [one.id for one in again]
    assert [one.id for one in first] != [one.id for one in other]
    assert select(first, spec(limit=16, seed=1)) == first


def test_types_templates_and_languages_are_chosen() -> None:
    chosen = select(_mixed(), spec(types=("conclusion", "profile"), templates=("AutoGPT",), langs=("zh",)))
    assert {(one.type, one.lang, *one.prompts) for one in chosen} == {
        ("conclusion", "zh", "AutoGPT"),
        ("profile", "zh", "prompt"),
    }


def test_repeats_ask_everything_once_before_anything_twice() -> None:
    asked = [prompt.place for prompt in prompts_of([item(1), item(2)], spec(repeats=2))]
    assert [place[3] for place in asked] == [0, 0, 1, 1]


def test_what_shapes_a_reply_is_part_of_its_key() -> None:
    shapes = {
        how(spec(), None),
        how(spec(preset="qwen"), None),
        how(spec(reasoning="off"), None),
        how(spec(reasoning_tokens=9), None),
        how(spec(), {"type": "object"}),
    }
    assert len(shapes) == 5
    assert how(spec(model="other", limit=3, constrained=True), None) == how(spec(), None)


def _reply(one: Item, template: str, text: str, error: str = "", repeat: int = 0) -> Prediction:
    return Prediction(PredictionKey(*one.key, template, "00", "m", "how", repeat), text, error=error)


def test_a_predictions_file_has_the_items_fields_and_their_replies_in_order(tmp_path: Path) -> None:
    two, profile, left_out = item(1, templates=("ReACT", "AutoGPT")), item(2, "profile", "zh"), item(3)
    replies = [
        _reply(profile, "prompt", "两行\n"),
        _reply(two, "AutoGPT", "b"),
        _reply(two, "ReACT", "a"),
        _reply(two, "ReACT", "of another time", repeat=1),
    ]
    path = tmp_path / "out.jsonl"
    assert write_predictions(path, [two, profile, left_out], replies) == 2
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == {**two.raw, "model_predict": {"ReACT": "a", "AutoGPT": "b"}}
    assert list(first["model_predict"]) == ["ReACT", "AutoGPT"]
    assert second["model_predict"] == "两行\n"
    assert [line["model_predict"] for line in prediction_lines([two], replies, 1)] == [{"ReACT": "of another time"}]


def test_a_later_reply_counts_and_a_failure_only_where_there_is_no_reply() -> None:
    one = item(1)
    replies = [_reply(one, "ReACT", "", "timeout"), _reply(one, "ReACT", "fine"), _reply(one, "ReACT", "", "timeout")]
    [kept] = latest(replies).values()
    assert kept.text == "fine"
    [failed] = prediction_lines([one], replies[:1])
    assert failed["model_predict"] == {"ReACT": ""}
    assert model_predict(one, {}) is None


def test_half_of_a_surrogate_pair_is_written_as_json_can(tmp_path: Path) -> None:
    one = replace(item(1), raw={})
    path = tmp_path / "out.jsonl"
    write_predictions(path, [one], [_reply(one, "ReACT", "\ud83d")])
    assert json.loads(path.read_text())["model_predict"]["ReACT"] == "\ud83d"
