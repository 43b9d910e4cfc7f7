"""The judge of Discord's kill tests, judged: logs of apps that break a promise, and of some that only seem to.

What all platforms' judges weigh alike is tested with Slack's (`test_fake_slack_judge`)."""

from __future__ import annotations

from typing import Any

from tests.fakes.discord.judge import GRACE, Report, judge
from tests.fakes.discord.log import Entry
from tests.fakes.discord.replay import Place, Replay
from tests.fakes.discord.world import LOADING, SUPPRESS_NOTIFICATIONS


class Story:
    """Writes a log as the fake does, one second per entry. Messages have small numbers for ids; a thread that is opened
    from a message has its number."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._shown: dict[str, dict[str, Any]] = {}
        self._at = 0.0

    def wait(self, seconds: float) -> None:
        self._at += seconds

    def ask(
        self,
        number: str,
        *,
        channel: str = "1",
        parent: str = "",
        addressed: bool = True,
        readable: bool = True,
        bot: bool = False,
    ) -> None:
        """A message, marked with its own name."""
        self._write(
            "said",
            subject=f"{channel}/{number}",
            guild="9",
            channel=channel,
            parent=parent,
            id=number,
            user="7",
            bot=bot,
            text=f"What? [m:{number}]",
            files=[],
            direct=False,
            mentions=[],
            mentions_us=addressed,
            replies_to=None,
            replies_to_us=False,
            everyone=False,
            readable=readable,
            sent_at=float(number),
        )

    def thread(self, message: str, channel: str = "1") -> None:
        """The app opens a thread from a message."""
        route = "POST /channels/{channel}/messages/{message}/threads"
        self._write("call", method=route, ids={"channel": channel, "message": message}, accepted=True, shown=[])

    def post(
        self,
        number: str,
        text: str,
        *,
        channel: str = "1",
        parent: str | None = None,
        turn: str = "",
        part: int = 0,
        stop: bool = False,
        webhook: str = "",
        flags: int = 0,
        reply_to: str | None = None,
        pings: tuple[str, ...] = (),
        interaction: str = "",
        to: str = "",
        recipient: str = "",
        buttons: tuple[str, ...] = (),
    ) -> None:
        """Something that the app posts and Discord accepts."""
        self._shown[number] = {
            "subject": f"{channel}/{number}",
            "id": number,
            "channel": channel,
            "guild": "9",
            "parent": parent,
            "recipient": recipient,
            "type": 0,
            "author": "8",
            "name": "Ada" if webhook else "",
            "webhook": webhook,
            "content": text,
            "embeds": [],
            "components": _row(*buttons, *(("kagent.stop:1",) if stop else ())),
            "attachments": [],
            "flags": flags,
            "reply_to": reply_to,
            "interaction": interaction,
            "ephemeral_to": to,
            "nonce": f"{turn}.{part}.abc" if turn else None,
            "pings": list(pings),
            "edited": None,
            "gone": False,
        }
        self._call(number)

    def change(self, number: str, **changes: Any) -> None:
        """The app edits or deletes what it posted."""
        self._shown[number] = self._shown[number] | changes
        self._call(number)

    def typing(self, channel: str = "1") -> None:
        route = "POST /channels/{channel}/typing"
        self._write("call", method=route, ids={"channel": channel}, accepted=True, shown=[])

    def erase(self, number: str, *, heard: bool = True) -> None:
        """The author deletes a message, and the app's heartbeat says that it knows."""
        self._write("erased", subject=f"1/{number}")
        if heard:
            self._write("heard", session="s", subjects=[["MESSAGE_DELETE", f"1/{number}"]])

    def press(self, number: str, custom_id: str = "kagent.stop:1", channel: str = "1", *, failed: bool = False) -> None:
        where = {"user": "7", "channel": channel}
        self._write("pressed", subject=f"{channel}/{number}", custom_id=custom_id, values=None, **where)
        self._write("interaction", id=f"i{number}", type=3, name=custom_id, message=number, **where)
        if failed:
            self._write("interaction_failed", id=f"i{number}", **where)

    def judge(self, **how: Any) -> Report:
        return judge(self.entries, **how)

    def kinds(self, **how: Any) -> list[str]:
        return sorted(problem.kind for problem in self.judge(**how).problems)

    def _call(self, number: str) -> None:
        route = "POST /channels/{channel}/messages"
        self._write("call", method=route, ids={}, accepted=True, shown=[self._shown[number]])

    def _write(self, kind: str, **fields: Any) -> None:
        self._at += 1.0
        self.entries.append({"at": self._at, "kind": kind, **fields})


def _row(*names: str) -> list[dict[str, Any]]:
    buttons = [{"type": 2, "style": 2, "label": name, "custom_id": name} for name in names]
    return [{"type": 1, "components": buttons}] if buttons else []


def test_an_answer_in_the_thread_that_was_opened_is_right() -> None:
    story = Story()
    story.ask("10")
    story.thread("10")
    story.post("11", "It is so [m:10]", channel="10", parent="1")
    report = story.judge()
    assert report.ok
    assert (report.accepted, report.outcomes) == (1, {"answered": 1})


def test_an_answer_in_place_is_right_too() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "It is so [m:10]")
    assert story.judge().ok


def test_an_answer_beside_its_thread_is_right_when_it_replies_to_the_message() -> None:
    story = Story()
    story.ask("10")
    story.thread("10")
    story.post("11", "It is so [m:10]")
    assert story.kinds() == ["missing", "stray"]
    story.change("11", reply_to="10")
    assert story.judge().ok


def test_a_message_is_accepted_whether_the_app_was_there_or_not() -> None:
    story = Story()
    story.ask("10")
    assert story.kinds() == ["missing"]


def test_a_thread_that_stays_empty_is_no_outcome() -> None:
    story = Story()
    story.ask("10")
    story.thread("10")
    assert story.kinds() == ["missing"]


def test_what_the_app_may_not_read_is_owed_nothing() -> None:
    story = Story()
    story.ask("10", readable=False)
    report = story.judge()
    assert report.ok
    assert report.accepted == 0


def test_another_bot_is_owed_nothing() -> None:
    story = Story()
    story.ask("10", bot=True)
    assert story.judge().ok


def test_the_parts_of_one_turn_are_one_answer() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "It is so [m:10]", turn="kagentbot-1")
    story.post("12", "and more", turn="kagentbot-1", part=1)
    assert story.judge(complete=lambda question, answer: answer == "It is so [m:10]\nand more").ok


def test_the_same_part_twice_is_broken() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "It is so [m:10]", turn="kagentbot-1")
    story.post("12", "It is so [m:10]", turn="kagentbot-1")
    assert story.kinds() == ["broken"]


def test_parts_in_the_wrong_order_on_the_screen_are_broken() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "and more", turn="kagentbot-1", part=1)
    story.post("12", "It is so [m:10]", turn="kagentbot-1")
    assert story.kinds() == ["broken"]


def test_two_answers_are_one_too_many_unless_one_is_taken_back() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "It is so [m:10]", turn="kagentbot-1")
    story.post("12", "It is so [m:10]", turn="kagentbot-2")
    assert story.kinds() == ["twice"]
    story.change("11", gone=True)
    assert story.judge().ok
    assert story.judge().taken_back == 1


def test_what_a_webhook_says_in_several_messages_is_one_answer() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "It is so [m:10]", webhook="5")
    story.post("12", "and more", webhook="5", buttons=("kagent.retry:1",))
    story.ask("13")
    story.post("14", "Yes [m:13]", webhook="5", buttons=("kagent.retry:2",))
    assert story.judge().ok
    assert story.judge().outcomes == {"answered": 2}


def test_a_stop_button_that_is_left_is_unfinished() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "It is [m:10]", stop=True)
    assert story.kinds() == ["unfinished"]
    story.change("11", content="It is so [m:10]", components=[])
    assert story.judge().ok


def test_an_interaction_that_is_left_thinking_is_unfinished() -> None:
    story = Story()
    story.post("11", "", interaction="6", flags=LOADING)
    assert story.kinds() == ["unfinished"]
    story.change("11", content="pong", flags=0)
    assert story.judge().ok


def test_typing_of_which_nothing_has_come_is_listed() -> None:
    story = Story()
    story.ask("10")
    story.typing()
    story.post("11", "It is so [m:10]", channel="10", parent="1")
    assert story.judge().processing == ()
    story.typing()
    assert story.judge().processing == (Place("1", ""),)


def test_answers_of_one_place_come_in_the_order_of_their_questions() -> None:
    story = Story()
    story.ask("10")
    story.ask("11")
    story.post("12", "It is so [m:11]")
    story.post("13", "It is so [m:10]")
    assert story.kinds() == ["disorder"]
    assert story.judge(in_order=False).ok


def test_answers_of_different_threads_need_no_order() -> None:
    story = Story()
    story.ask("10")
    story.ask("11")
    story.post("12", "It is so [m:11]", channel="11", parent="1")
    story.post("13", "It is so [m:10]", channel="10", parent="1")
    assert story.judge().ok


def test_a_notice_of_a_job_is_no_reply() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "I was away.", flags=SUPPRESS_NOTIFICATIONS)
    story.post("12", "It is so [m:10]")
    assert story.judge().ok


def test_who_is_told_in_private_why_there_is_no_answer_is_refused_once() -> None:
    story = Story()
    story.ask("10")
    story.ask("11")
    story.post("12", "I can't write there.", channel="2", recipient="7", flags=SUPPRESS_NOTIFICATIONS)
    assert story.kinds() == ["missing"]
    assert story.judge().outcomes == {"refused": 1}


def test_what_answers_an_interaction_is_no_reply() -> None:
    story = Story()
    story.post("11", "pong", interaction="6")
    story.post("12", "only you", interaction="6", to="7")
    assert story.judge().ok


def test_a_deletion_counts_once_the_heartbeat_says_that_it_has_come() -> None:
    story = Story()
    story.ask("10")
    story.erase("10", heard=False)
    story.wait(GRACE)
    story.post("11", "It is so [m:10]")
    assert story.judge().ok
    story.erase("10")
    story.wait(GRACE)
    story.change("11", content="It is so, after all [m:10]")
    assert story.kinds() == ["undead"]


def test_a_button_stops_its_own_turn_only() -> None:
    story = Story()
    story.ask("10")
    story.ask("11")
    story.post("12", "It is [m:10]", turn="kagentbot-1", stop=True)
    story.press("12")
    story.change("12", content="It is [m:10] [stopped]", components=[])
    story.post("13", "[m:11] [stopped]", turn="kagentbot-2")
    assert story.kinds() == ["unasked"]


def test_an_answer_that_goes_on_after_a_stop_is_unstoppable() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "It is", turn="kagentbot-1", stop=True)
    story.press("11")
    story.wait(GRACE)
    story.change("11", content="It is so [m:10]", components=[])
    assert story.kinds() == ["unstoppable"]


def test_whoever_was_told_that_stop_had_failed_may_get_the_whole_answer_or_none() -> None:
    for end in ("It is so [m:10]", "[m:10] [stopped]"):
        story = Story()
        story.ask("10")
        story.post("11", "It is", turn="kagentbot-1", stop=True)
        story.press("11", failed=True)
        story.wait(GRACE)
        story.change("11", content=end, components=[])
        assert story.kinds() == []


def test_a_phone_that_rings_is_a_problem() -> None:
    story = Story()
    story.ask("10")
    story.post("11", "It is so [m:10]", pings=("everyone",))
    assert story.kinds() == ["ping"]


def test_a_replay_knows_the_channel_of_a_thread() -> None:
    story = Story()
    story.ask("10")
    story.thread("10")
    story.ask("11", channel="10", parent="1")
    replay = Replay(story.entries)
    assert replay.humans["1/10"].place == replay.humans["10/11"].place == Place("1", "10")
