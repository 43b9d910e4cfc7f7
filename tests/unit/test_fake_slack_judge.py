"""The judge of Slack's kill tests, judged: logs of apps that break a promise, and of some that only seem to."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.judge import GRACE, Report, judge
from tests.fakes.slack.log import Entry

DONE = ("kagent.feedback",)
GOING = ("kagent.stop",)


class Story:
    """Writes a log as the fake does, one second per entry. Messages of people are named by their ts, "1" to "9", and
    the thread they start by the same; the bot's are named "b1" and so on."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._shown: dict[str, dict[str, Any]] = {}
        self._at = 0.0

    def wait(self, seconds: float) -> None:
        self._at += seconds

    def ask(self, ts: str, *, thread: str | None = None, addressed: bool = True, user: str = "U1") -> None:
        """A message, marked with its own name, that the app acks."""
        self.say(ts, thread=thread, addressed=addressed, user=user)
        self._event("acked", ts)

    def say(self, ts: str, *, thread: str | None = None, addressed: bool = True, user: str = "U1") -> None:
        """A message that nobody acks."""
        self._write(
            "said",
            subject=f"C1/{ts}",
            channel="C1",
            ts=ts,
            thread_ts=thread,
            user=user,
            author_team="T1",
            text=f"What? [m:{ts}]",
            direct=False,
            mentions_us=addressed,
        )
        self._event("sent", ts)

    def post(
        self,
        name: str,
        text: str,
        *,
        thread: str | None = "1",
        turn: str = "",
        part: int = 0,
        buttons: tuple[str, ...] = DONE,
        streaming: bool = False,
        to: str = "",
        pings: tuple[str, ...] = (),
        kind: str = "call",
    ) -> None:
        """Something that the app posts and Slack accepts."""
        metadata = {"event_type": "kagentbot_turn", "event_payload": {"turn": turn, "part": part}} if turn else None
        self._shown[name] = {
            "subject": f"C1/{name}",
            "channel": "C1",
            "ts": name,
            "thread_ts": thread,
            "created_at": self._at + 1.0,
            "visible": text,
            "blocks": [],
            "buttons": list(buttons),
            "metadata": metadata,
            "pings": list(pings),
            "streaming": streaming,
            "tasks": [],
            "ephemeral_to": to,
            "username": "",
            "icon": "",
            "files": [],
            "pictures": [],
            "gone": False,
        }
        self._write(kind, method="chat.postMessage", accepted=True, shown=[self._shown[name]])

    def change(self, name: str, **changes: Any) -> None:
        """The app edits or deletes what it posted."""
        self._shown[name] = self._shown[name] | changes
        self._write("call", method="chat.update", accepted=True, shown=[self._shown[name]])

    def refused(self) -> None:
        """A post that Slack refuses."""
        self._write("call", method="chat.postMessage", accepted=False, error="msg_too_long")

    def erase(self, ts: str) -> None:
        """The author deletes a message, and the app acks that."""
        self._write("erased", subject=f"C1/{ts}")
        self._event("acked", ts, "message_deleted")

    def session(self, status: str, thread: str = "1") -> None:
        """The app sets the status of the thread's session."""
        arguments = {"channel_id": "C1", "thread_ts": thread, "status": status}
        self._write("call", method="agents.sessions.setStatus", accepted=True, arguments=arguments, shown=[])

    def stop(self, thread: str = "1") -> None:
        """Slack's own Stop."""
        self._write("stopped", channel="C1", thread_ts=thread, user="U1", shown=[])

    def press(self, name: str, action: str = "kagent.stop", user: str = "U1") -> None:
        """A button."""
        self._write("pressed", subject=f"C1/{name}", user=user, action_id=action, value="1")

    def judge(self, **how: Any) -> Report:
        return judge(self.entries, **how)

    def kinds(self, **how: Any) -> list[str]:
        return [problem.kind for problem in self.judge(**how).problems]

    def _event(self, kind: str, ts: str, subtype: str = "") -> None:
        self._write(kind, delivery=f"Ev{ts}", event="message", subtype=subtype, subject=f"C1/{ts}", attempt=0)

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
    story.refused()
    assert story.kinds() == ["missing"]


def test_a_question_that_was_never_acked_is_not_owed_an_answer() -> None:
    story = Story()
    story.say("1")
    report = story.judge()
    assert report.ok
    assert report.unacked == ("C1/1",)


def test_an_answer_in_another_thread_is_missing_here_and_a_stray_there() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", thread="2")
    assert sorted(story.kinds()) == ["missing", "stray"]


def test_two_answers_are_one_too_many_unless_one_is_taken_back() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", turn="a")
    story.post("b2", "It is so [m:1]", turn="b")
    assert story.kinds() == ["twice"]
    story.change("b1", gone=True)
    assert story.judge().ok
    assert story.judge().taken_back == 1


def test_the_parts_of_one_turn_are_one_answer_whatever_posted_them() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", turn="a", part=0, buttons=())
    story.post("b2", "and more", turn="a", part=1)
    assert story.judge(complete=lambda question, answer: answer == "It is so [m:1]\nand more").ok


def test_the_same_part_twice_is_broken() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", turn="a")
    story.post("b2", "It is so [m:1]", turn="a")
    assert story.kinds() == ["broken"]


def test_parts_in_the_wrong_order_on_the_screen_are_broken() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "and more", turn="a", part=1)
    story.post("b2", "It is so [m:1]", turn="a", part=0)
    assert story.kinds() == ["broken"]


def test_a_stream_left_open_is_unfinished_and_beside_its_replacement_one_too_many() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]", streaming=True)
    assert story.kinds() == ["unfinished"]
    story.post("b2", "It is so [m:1]", turn="a")
    assert sorted(story.kinds()) == ["twice", "unfinished"]


def test_a_reply_that_can_still_be_stopped_is_unfinished() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]", buttons=GOING)
    assert story.kinds() == ["unfinished"]
    story.change("b1", visible="It is so [m:1]", buttons=list(DONE))
    assert story.judge().ok


def test_an_answer_that_is_cut_short_is_incomplete_where_the_test_can_tell() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1]")
    assert story.kinds(complete=lambda question, answer: answer.endswith("so [m:1]")) == ["incomplete"]


def test_a_message_of_the_app_that_answers_nothing_is_a_stray() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    story.post("b2", "Hello there", thread=None)
    assert story.kinds() == ["stray"]


def test_answering_what_was_not_said_to_the_app_is_listed_and_a_problem_where_nobody_wants_it() -> None:
    story = Story()
    story.ask("1", addressed=False)
    story.post("b1", "It is so [m:1]")
    assert story.judge().ok
    assert story.judge().followed == ("C1/1",)
    assert story.kinds(butting_in=True) == ["butted_in"]


def test_one_answer_may_answer_two_messages_that_were_merged() -> None:
    story = Story()
    story.ask("1")
    story.ask("2", thread="1")
    story.post("b1", "It is so [m:1] [m:2]")
    assert story.judge().outcomes == {"answered": 2}


def test_what_only_the_asker_sees_is_a_refusal_in_the_thread_or_beside_it() -> None:
    for thread in ("1", None):
        story = Story()
        story.ask("1")
        story.post("b1", "Not today", to="U1", thread=thread)
        assert story.judge().ok
        assert story.judge().outcomes == {"refused": 1}


def test_what_somebody_else_sees_is_no_outcome() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "Not today", to="U2")
    assert sorted(story.kinds()) == ["missing", "stray"]


def test_a_refusal_that_comes_twice_is_a_stray() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "Not today", to="U1")
    story.post("b2", "Not today", to="U1")
    assert story.kinds() == ["stray"]


def test_what_answers_a_command_or_a_press_is_no_reply() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    story.post("b2", "pong", to="U1", thread=None, kind="answered")
    story.press("b1", "kagent.steps", user="U2")
    story.post("b3", "You can't see that", to="U2")
    assert story.judge().ok


def test_a_deleted_question_without_an_answer_is_withdrawn() -> None:
    story = Story()
    story.ask("1")
    story.erase("1")
    assert story.judge().ok
    assert story.judge().outcomes == {"withdrawn": 1}


def test_an_answer_may_stay_when_it_was_out_before_the_deletion_and_is_undead_after_it() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    story.erase("1")
    assert story.judge().ok
    story.wait(GRACE)
    story.change("b1", visible="It is so, after all [m:1]")
    assert story.kinds() == ["undead"]


def test_stopped_is_an_outcome_when_somebody_stopped_it() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is [m:1] [stopped]", turn="a")
    assert story.kinds() == ["unasked"]
    story.stop()
    assert story.judge().ok
    assert story.judge().outcomes == {"stopped": 1}


def test_a_button_stops_its_own_turn_only() -> None:
    story = Story()
    story.ask("1")
    story.ask("2", thread="1")
    story.post("b1", "It is [m:1]", turn="a", buttons=GOING)
    story.press("b1")
    story.change("b1", visible="It is [m:1] [stopped]", buttons=[])
    story.post("b2", "[m:2] [stopped]", turn="b")
    assert story.kinds() == ["unasked"]


def test_an_answer_that_goes_on_after_a_stop_is_unstoppable() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is", turn="a", buttons=GOING)
    story.stop()
    story.wait(GRACE)
    story.change("b1", visible="It is so [m:1]", buttons=list(DONE))
    assert story.kinds() == ["unstoppable"]


def test_a_notice_is_the_outcome_of_the_message_that_has_no_other() -> None:
    story = Story()
    story.ask("1")
    story.ask("2", thread="1")
    story.post("b1", "Sorry [failed]", turn="a")
    story.post("b2", "It is so [m:2]", turn="b")
    assert story.judge().ok
    assert story.judge().outcomes == {"failed": 1, "answered": 1}


def test_a_test_says_how_its_app_words_a_notice() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "Something went wrong.", turn="a")
    assert sorted(story.kinds()) == ["missing", "stray"]
    assert story.judge(notice=lambda text: "failed" if "wrong" in text else None).outcomes == {"failed": 1}


def test_what_a_job_says_answers_nothing_and_twice_is_a_problem() -> None:
    story = Story()
    job = {"event_type": "kagentbot_job", "event_payload": {"job": "kagentbot-j7", "part": 0}}
    story.post("b1", "A report", thread=None)
    story.change("b1", metadata=job)
    assert story.kinds() == []
    story.post("b2", "A report", thread=None)
    story.change("b2", metadata=job)
    assert story.kinds() == ["broken"]


def test_a_picture_that_is_seen_twice_in_one_reply_is_a_problem() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", turn="t", part=0)
    story.post("b2", "and so on", turn="t", part=1)
    chart = {"file": "F1", "name": "chart.png", "about": "", "digest": "abc"}
    story.change("b2", pictures=[chart])
    assert story.kinds() == []
    story.change("b1", pictures=[chart | {"file": "F2"}])
    assert story.kinds() == ["pictured"]


def test_a_phone_that_rings_is_a_problem() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]", pings=("<!channel>",))
    assert story.kinds() == ["ping"]


def test_a_session_that_is_left_processing_is_listed() -> None:
    story = Story()
    story.ask("1")
    story.post("b1", "It is so [m:1]")
    story.session("processing")
    assert [place.thread for place in story.judge().processing] == ["1"]
    story.session("active")
    assert story.judge().processing == ()
