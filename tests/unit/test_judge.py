"""The judge of kill tests, judged: logs of bots that break a promise, and of some that only seem to."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.platform.judge import GRACE, Report, judge
from tests.fakes.platform.log import Entry
from tests.fakes.platform.rules import Place

HERE = Place("T1", "C1", "1")
THERE = Place("T1", "C2", "1")
DONE = ("up", "down")
GOING = ("stop",)


class Story:
    """Writes a log as the platform does, one second per entry."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._shown: dict[str, dict[str, Any]] = {}
        self._at = 0.0

    def wait(self, seconds: float) -> None:
        self._at += seconds

    def ask(self, message: str, *, text: str | None = None, place: Place = HERE, addressed: bool = True) -> None:
        """A question, marked with its own id, that the bot acks."""
        self.say(message, text=text, place=place, addressed=addressed)
        self._event("acked", "message", message, addressed=addressed)

    def say(self, message: str, *, text: str | None = None, place: Place = HERE, addressed: bool = True) -> None:
        """A question that nobody acks."""
        said = f"What? [m:{message}]" if text is None else text
        self._write(
            "said", message=message, place=list(place), author="U1", text=said, addressed=addressed, sent_at=self._at
        )
        self._event("sent", "message", message, addressed=addressed)

    def post(
        self,
        message: str,
        text: str,
        *,
        turn: str | None = None,
        part: int = 0,
        buttons: tuple[str, ...] = DONE,
        place: Place = HERE,
        streaming: bool = False,
        pings: tuple[str, ...] = (),
        told: str = "ok",
    ) -> None:
        """An accepted post of the bot."""
        self._shown[message] = {
            "id": message,
            "place": list(place),
            "text": text,
            "created_at": self._at,
            "metadata": {"turn": turn, "part": part} if turn else None,
            "buttons": list(buttons),
            "pings": list(pings),
            "streaming": streaming,
        }
        self._call("post", shown=self._shown[message], told=told)

    def edit(self, message: str, **changes: Any) -> None:
        """An accepted edit of the bot."""
        self._shown[message] = self._shown[message] | changes
        self._call("edit", shown=self._shown[message])

    def delete(self, message: str) -> None:
        """The bot takes a message back."""
        self._call("delete", gone=message)

    def refused(self, text: str) -> None:
        """A post that the platform refused."""
        self._write(
            "call",
            method="post",
            accepted=False,
            error="msg_too_long",
            fault=None,
            told="msg_too_long",
            early=False,
            body={"text": text},
        )

    def erase(self, message: str) -> None:
        """The author deletes a message, and the bot acks that."""
        self._write("erased", message=message)
        self._event("acked", "deleted", message, addressed=False)

    def press(self, message: str, *, taken: bool = True) -> None:
        """Somebody presses Stop, and the bot acks that."""
        self._write("pressed", message=message, by="U1", shown=self._shown[message])
        self._event("acked", "stop", message, addressed=False, answer=json.dumps({"stopped": taken}))

    def judge(self, **how: Any) -> Report:
        return judge(self.entries, **how)

    def kinds(self, **how: Any) -> list[str]:
        return [problem.kind for problem in self.judge(**how).problems]

    def _event(self, kind: str, event: str, subject: str, *, addressed: bool, answer: str = "{}") -> None:
        self._write(
            kind, delivery=f"Ev-{subject}", event=event, subject=subject, attempt=1, addressed=addressed, answer=answer
        )

    def _call(self, method: str, told: str = "ok", **after: Any) -> None:
        self._write(
            "call", method=method, accepted=True, error=None, fault=None, told=told, early=False, body={}, **after
        )

    def _write(self, kind: str, **fields: Any) -> None:
        self._at += 1.0
        self.entries.append({"at": self._at, "kind": kind, **fields})


def test_one_answer_to_one_question_is_right() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    report = story.judge()
    assert report.ok
    assert (report.accepted, report.outcomes) == (1, {"answered": 1})


def test_a_question_without_an_answer_is_missing() -> None:
    story = Story()
    story.ask("1")
    assert story.kinds() == ["missing"]


def test_a_question_that_was_never_acked_is_not_owed_an_answer() -> None:
    story = Story()
    story.say("1")
    report = story.judge()
    assert report.ok
    assert report.unacked == ("1",)


def test_an_answer_in_another_conversation_is_missing_here_and_a_stray_there() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", place=THERE)
    assert sorted(story.kinds()) == ["missing", "stray"]


def test_two_answers_are_one_too_many() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", turn="a")
    story.post("b2", "It is so [m:1]", turn="b")
    assert story.kinds() == ["twice"]


def test_the_same_part_twice_is_broken() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", turn="a")
    story.post("b2", "It is so [m:1]", turn="a")
    assert story.kinds() == ["broken"]


def test_a_post_whose_answer_got_lost_and_that_was_made_again_is_seen() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", told="reset")
    story.post("b2", "It is so [m:1]")
    assert story.kinds() == ["twice"]


def test_a_second_post_that_was_taken_back_is_forgiven_and_counted() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", told="reset")
    story.post("b2", "It is so [m:1]")
    story.delete("b1")
    report = story.judge()
    assert report.ok
    assert report.taken_back == 1


def test_a_refused_post_is_no_answer() -> None:
    story = Story()
    story.ask("1")
    story.refused("It is so [m:1]")
    assert story.kinds() == ["missing"]


def test_an_answer_that_was_taken_back_is_no_answer() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    story.delete("b1")
    assert story.kinds() == ["missing"]


def test_parts_of_one_reply_are_one_answer() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", turn="a", part=0, buttons=())
    story.post("b2", " and more", turn="a", part=1)
    report = story.judge(complete=lambda question, answer: answer == "It is so [m:1] and more")
    assert report.ok


def test_a_reply_without_its_first_part_is_broken() -> None:
    story = Story()
    story.ask("1")
    story.post("b2", "It is so [m:1]", turn="a", part=1)
    assert story.kinds() == ["broken"]


def test_parts_in_the_wrong_order_on_the_screen_are_broken() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", " and more", turn="a", part=1)
    story.post("b2", "It is so [m:1]", turn="a", part=0)
    assert story.kinds() == ["broken"]


def test_a_reply_that_can_still_be_stopped_is_unfinished() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]", buttons=GOING)
    assert story.kinds() == ["unfinished"]


def test_a_reply_that_still_streams_is_unfinished() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]", streaming=True)
    assert story.kinds() == ["unfinished"]


def test_one_unfinished_part_makes_a_reply_unfinished() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", turn="a", part=0)
    story.post("b2", "and more", turn="a", part=1, buttons=GOING)
    assert story.kinds() == ["unfinished"]


def test_an_answer_that_quotes_a_badge_is_an_answer() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It would say [stopped] [m:1]")
    assert story.judge().outcomes == {"answered": 1}


def test_a_draft_that_was_edited_into_its_end_is_finished() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is", buttons=GOING)
    story.edit("b1", text="It is so [m:1]", buttons=list(DONE))
    assert story.judge().ok


def test_an_answer_that_is_cut_short_is_incomplete_where_the_test_can_tell() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]")
    assert story.kinds() == []
    assert story.kinds(complete=lambda question, answer: answer.endswith("so [m:1]")) == ["incomplete"]


def test_a_message_of_the_bot_that_answers_nothing_is_a_stray() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    story.post("b2", "Hello there")
    assert story.kinds() == ["stray"]


def test_an_answer_to_a_message_that_was_not_for_the_bot_is_a_stray() -> None:
    story = Story()
    story.ask("1", addressed=False)
    story.post("b1", "It is so [m:1]")
    assert story.kinds() == ["stray"]


def test_a_twin_is_owed_an_answer_only_when_the_addressed_event_was_acked() -> None:
    story = Story()
    story.say("1")
    story._event("acked", "message", "1", addressed=False)
    assert story.judge().ok
    story._event("acked", "mention", "1", addressed=True)
    assert story.kinds() == ["missing"]


def test_one_answer_may_answer_two_messages_that_were_merged() -> None:
    story = Story()
    story.ask("1")
    story.ask("2")
    story.post("b1", "It is so [m:1] [m:2]")
    report = story.judge()
    assert report.ok
    assert report.outcomes == {"answered": 2}


def test_an_edited_question_has_one_answer_to_any_of_its_revisions() -> None:
    story = Story()
    story.ask("1")
    story._write("reworded", message="1", text="What now? [m:1b]")
    story.post("b1", "It is so [m:1b]")
    assert story.judge().ok
    story.post("b2", "It is so [m:1]")
    assert story.kinds() == ["twice"]


def test_a_deleted_question_without_an_answer_is_withdrawn() -> None:
    story = Story()
    story.ask("1")
    story.erase("1")
    report = story.judge()
    assert report.ok
    assert report.outcomes == {"withdrawn": 1}


def test_an_answer_that_was_out_before_the_deletion_may_stay() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    story.erase("1")
    assert story.judge().ok


def test_an_answer_after_the_deletion_is_undead() -> None:
    story = Story()
    story.ask("1")
    story.erase("1")
    story.wait(GRACE)
    story.post("b1", "It is so [m:1]")
    assert story.kinds() == ["undead"]


def test_two_answers_to_a_deleted_question_are_still_one_too_many() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    story.post("b2", "It is so [m:1]")
    story.erase("1")
    assert "twice" in story.kinds()


def test_a_stopped_answer_that_says_so_is_an_outcome() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]", buttons=GOING)
    story.press("b1")
    story.edit("b1", text="It is [m:1]\n\n[stopped]", buttons=[])
    report = story.judge()
    assert report.ok
    assert report.outcomes == {"stopped": 1}


def test_a_turn_stopped_before_any_text_is_an_outcome_of_the_question_without_one() -> None:
    story = Story()
    story.ask("1")
    story.ask("2")
    story.post("b1", "Thinking…", turn="a", buttons=GOING)
    story.press("b1")
    story.edit("b1", text="[stopped]", buttons=[])
    story.post("b2", "It is so [m:2]", turn="b")
    report = story.judge()
    assert report.ok
    assert report.outcomes == {"stopped": 1, "answered": 1}


def test_a_notice_too_many_is_a_stray_and_one_too_few_is_missing() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "Sorry [failed]")
    assert story.judge().outcomes == {"failed": 1}
    story.post("b2", "Sorry [failed]")
    assert story.kinds() == ["stray"]
    story.ask("2")
    story.ask("3")
    assert story.kinds() == ["missing"]


def test_a_notice_that_was_out_before_the_deletion_may_stay() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "Sorry [failed]")
    story.erase("1")
    report = story.judge()
    assert report.ok
    assert report.outcomes == {"failed": 1, "withdrawn": 0}


def test_notices_are_matched_so_that_all_can_be_right() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "Sorry [failed]")
    story.erase("1")
    story.wait(GRACE)
    story.ask("2")
    story.post("b2", "Sorry [failed]")
    report = story.judge()
    assert report.ok
    assert report.outcomes == {"failed": 2, "withdrawn": 0}


def test_a_notice_after_the_deletion_is_a_stray() -> None:
    story = Story()
    story.ask("1")
    story.erase("1")
    story.wait(GRACE)
    story.post("b1", "Sorry [failed]")
    assert story.kinds() == ["stray"]


def test_an_answer_that_goes_on_after_it_was_stopped_is_unstoppable() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]", buttons=GOING)
    story.press("b1")
    story.wait(GRACE)
    story.edit("b1", text="It is so [m:1]", buttons=list(DONE))
    assert story.kinds() == ["unstoppable"]


def test_a_stop_that_the_bot_did_not_take_is_not_held_against_it() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]", buttons=GOING)
    story.press("b1", taken=False)
    story.wait(GRACE)
    story.edit("b1", text="It is so [m:1]", buttons=list(DONE))
    assert story.judge().ok


def test_a_turn_that_says_stopped_although_nobody_stopped_it_is_a_problem() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]\n\n[stopped]")
    assert story.kinds() == ["unasked"]


def test_a_stop_pressed_on_a_part_that_is_gone_by_the_end_counts_for_its_reply() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "Half [m:1]", turn="a", part=0, buttons=())
    story.post("b2", "and half", turn="a", part=1, buttons=GOING)
    story.press("b2")
    story.edit("b1", text="Half [m:1] [stopped]")
    story.delete("b2")
    assert story.judge().ok


def test_a_mention_that_rang_is_a_problem() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1] @all", pings=("@all",))
    assert story.kinds() == ["ping"]


def test_a_report_reads_like_a_verdict() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    story.ask("2")
    assert str(story.judge()) == "2 accepted: 1 answered; 0 never accepted\n  missing 2"
