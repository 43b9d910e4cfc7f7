"""What `bench …` says: in a message and behind a platform's own command, in both languages."""

from __future__ import annotations

import re
import time

import pytest

from agent.language import detect
from bot.bench.words import Mistake, Said, Wanted, in_message, packed, said, scheduled, unpacked, wanted, words_of
from bot.command_words import command_of, parse


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bench run", "bench run"),
        ("bench run qwen:7b limit=40", "bench run qwen:7b limit=40"),
        ("benchmark run qwen --limit 40", "bench run qwen limit=40"),
        ("bench run qwen —limit=40", "bench run qwen limit=40"),
        ("bench run --model gpu/qwen --data=official", "bench run model=gpu/qwen data=official"),
        ("bench run types=plan,profile lang:zh constrained", "bench run types=plan,profile lang=zh constrained"),
        ("Bench Run Qwen", "bench run Qwen"),
        ("评测 运行 qwen 数量=40 受约束", "bench run qwen limit=40 constrained"),
        ("基准测试 运行 模型：qwen 语言：中文", "bench run model=qwen lang=中文"),
        ("评测运行 qwen", "bench run qwen"),
        ("基准测试状态。", "bench status"),
        ("bench status!", "bench status"),
        ("bench cancel qwen", "bench cancel qwen"),
        ("评测 停止", "bench cancel"),
        ("bench compare 1a2b3c4d ffee", "bench compare 1a2b3c4d ffee"),
        ("评测 对比", "bench compare"),
        ("bench leaderboard", "bench leaderboard"),
        ("评测 数据集", "bench data"),
        ("bench schedule weekly qwen limit=40", "bench schedule weekly qwen limit=40"),
        ("评测 定时 每周 qwen", "bench schedule weekly qwen"),
        ("评测 定时 关闭", "bench schedule off"),
        ("bench run temperature=3", "bench run temperature=3"),
        # As it is written elsewhere.
        ("/kagent-bench run qwen --limit 40", "bench run qwen limit=40"),
        ("/kagent-bench 定时 每周 qwen", "bench schedule weekly qwen"),
        ("kagent-bench status", "bench status"),
        ("/kagent bench status", "bench status"),
    ],
)
def test_a_message_about_benchmarks_is_a_command_with_canonical_words(text: str, words: str) -> None:
    assert command_of(text) == words
    assert parse(words) == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "bench press is fun",
        "bench run away with me",
        "a bench",
        "benchmarking is hard",
        "bench data please",
        "评测一下这部电影",
        "评测运行环境的配置方法",
        "bench run " + "x" * 2_000,
        "bench compare a b c",
        "bench run what? limit=3",
    ],
)
def test_what_people_say_of_benches_is_a_question(text: str) -> None:
    assert command_of(text) is None


def test_the_own_command_leaves_out_its_name() -> None:
    assert said("run qwen --limit 5") == Said("run", ("qwen", "limit=5"))
    assert said("") == Said("")
    assert said("取消") == Said("cancel")
    assert said("dance") is None
    assert in_message("run qwen") is None


def test_hostile_words_are_taken_to_pieces_quickly() -> None:
    began = time.process_time()
    for text in (
        "bench run " + "=" * 100_000,
        "bench " + " " * 100_000,
        "评测" * 50_000,
        "bench run " + "a=b " * 20_000,
    ):
        in_message(text)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("run", Wanted()),
        ("run qwen", Wanted(model="qwen")),
        ("run model=qwen", Wanted(model="qwen")),
        ("run limit=1,000", Wanted(limit=1000)),
        (
            "run types=plan,反思 templates=react,KUAIAGENT",
            Wanted(types=("plantooluse", "reflextion"), templates=("ReACT", "KuaiAgent")),
        ),
        ("run types=plan、tooluse", Wanted(types=("plantooluse",))),
        # As the report calls them.
        ("run 类型=工具使用，人设", Wanted(types=("plantooluse", "profile"))),
        ("run lang=中文,en", Wanted(langs=("zh", "en"))),
        ("run preset=Qwen repeats=3 reasoning=off seed=7", Wanted(preset="qwen", repeats=3, reasoning="off", seed=7)),
        ("run 受约束 data=official", Wanted(constrained=True, data="official")),
        ("run --fresh gpu", Wanted(fresh=True, model="gpu")),
        ("运行 重新", Wanted(fresh=True)),
    ],
)
def test_options_are_understood(words: str, meant: Wanted) -> None:
    found = said(words)
    assert found is not None
    assert wanted(found.args) == meant
    assert unpacked(packed(meant) | {"newer": 1}) == meant


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("run temperature=3", "There is no option `temperature`"),
        ("run limit=0", "from 1 to 1,000,000, not `0`"),
        ("run limit=many", "not `many`"),
        ("run limit=９", "not `９`"),
        ("run limit=", "needs a value"),
        ("run types=dance", "choose among `plantooluse`, `reflextion`, `conclusion`, `profile`"),
        ("run templates=Kuaiagent2", "`KuaiAgent`"),
        ("run lang=fr", "choose among `en`, `zh`"),
        ("run preset=gpt", "`plain`, `qwen`, `baichuan2`"),
        ("run limit=3 limit=4", "given twice"),
        ("run qwen model=other", "given twice"),
        ("run data=a`b` x=1", "no option `x`"),
    ],
)
def test_a_value_that_makes_no_sense_is_told_with_what_does(words: str, why: str) -> None:
    found = said(words)
    assert found is not None
    with pytest.raises(Mistake) as raised:
        wanted(found.args)
    assert why in raised.value.text.en
    assert detect(re.sub("`[^`]*`", "", raised.value.text.zh)) == "zh"


def test_a_schedule_is_weekly_or_off() -> None:
    assert scheduled(()) == ("", ())
    assert scheduled(("weekly", "qwen", "limit=4")) == ("weekly", ("qwen", "limit=4"))
    assert scheduled(("off",)) == ("off", ())
    with pytest.raises(Mistake, match="`hourly`"):
        scheduled(("hourly",))


@pytest.mark.parametrize(
    "one",
    [
        Wanted(),
        Wanted(data="d", types=("profile",), langs=("zh",), limit=3, seed=1, repeats=2, constrained=True, fresh=True),
    ],
)
def test_options_are_written_as_they_are_read(one: Wanted) -> None:
    found = said(f"run {words_of(one)}")
    assert found is not None
    assert wanted(found.args) == one
