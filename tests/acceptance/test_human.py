"""Ratings by people as somebody has them made: `kagent-bench human` from the questions to the table."""

from __future__ import annotations

import json
from pathlib import Path

from agent.styles.registry import STYLES
from tests.support.benching import Bench, ended
from tests.support.human_story import MODELS, QUESTIONS, HumanStory
from tests.support.process import is_one_sentence


async def test_every_system_answers_on_every_model_people_rate_blind_and_the_table_is_the_published_one(
    tmp_path: Path,
) -> None:
    async with HumanStory(tmp_path, QUESTIONS[1:3]) as story:
        made = await story.run()
        assert made == {"set": made["set"], "answers": 2 * len(STYLES) * len(MODELS), "failed": 0, "state": "open"}
        seen = await story.rate(made["set"])
        assert {sheet["question"] for sheet in seen} == {one["question"] for one in story.questions}
        assert [word for word in (*STYLES, *MODELS, "demo model") if word in json.dumps(seen)] == []

        early = await story.human("report")
        assert (early.status, early.out) == (2, "")
        assert is_one_sentence(early.err.strip(), "en")
        assert (await story.human("close", made["set"])).status == 0
        done = await story.human("report", made["set"], "--html", "table.html")
        assert done.status == 0, done.err
        assert done.out.startswith("Ratings made by a test driver")
        head = next(line for line in done.out.splitlines() if line.startswith("Model"))
        assert head.split() == ["Model", *sorted(STYLES, key=lambda name: name != "noagent")]
        assert "Pass: rating ≥ 4 of 1–5. n = 2 questions; 2 raters" in done.out
        assert "Ratings made by a test driver" in (story.bench.here / "table.html").read_text("utf-8")
        found = json.loads((await story.human("report", "--json", "--pass", "5")).out)
        assert (found["passed"], found["only_driven"], found["raters"]) == (5, True, 2)

        lines = [json.loads(line) for line in (await story.human("export")).out.splitlines()]
        assert len(lines) == made["answers"]
        assert all(set(line["ratings"]) == {"driver-1", "driver-2"} for line in lines)
        assert (await story.human("delete", made["set"])).status == 2


async def test_a_killed_run_goes_on_and_repeats_at_most_the_calls_in_flight(tmp_path: Path) -> None:
    async with HumanStory(tmp_path, QUESTIONS[2:4], first=0.1) as story:
        process = await story.bench.start(*story.run_words, "--concurrency", "2")
        await story.servers["large"].until(lambda calls: sum(one.outcome == "finished" for one in calls) >= 3)
        process.kill()
        await ended(process)
        before = story.asked()
        unfinished = json.loads((await story.human("list", "--json")).out)
        assert [one["state"] for one in unfinished] == ["answering"]

        made = await story.run("--resume", "--concurrency", "2")
        assert made["set"] == unfinished[0]["id"]
        assert made["failed"] == 0
        killed = story.asked()
        # The same again without a kill.
        await story.run()
        whole = story.asked() - killed
        for name in story.servers:
            assert before[name] > 0
            # Two at a time were in flight.
            assert whole[name] <= killed[name] <= whole[name] + 2


async def test_a_model_that_is_away_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    async with HumanStory(tmp_path, QUESTIONS[:1]) as story:
        await story.servers["small"].stop()
        done = await story.bench.run(*story.run_words)
        assert (done.status, done.out) == (3, "")
        assert is_one_sentence(done.err.strip().splitlines()[-1], "en")


async def test_without_a_database_the_commands_say_what_to_do(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for words in (("report",), ("feedback",)):
        done = await bench.inside("human", *words)
        assert (done.status, done.out) == (2, "")
        assert is_one_sentence(done.err.strip(), "en")
    assert not (bench.data / "kagentbot.db").exists()
