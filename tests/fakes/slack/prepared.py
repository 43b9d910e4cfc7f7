"""The world that every test starts with: two workspaces, people of every kind, and the app in one of them."""

from __future__ import annotations

from tests.fakes.slack.state import Slack

#: The workspace that has the app, and one that hasn't.
T1 = "T1"
T2 = "T2"
#: An admin, two members and a guest of T1.
ALICE = "UALICE"
BOB = "UBOB"
CAROL = "UCAROL"
GUS = "UGUS"
#: A member of T2, who sees T1's shared channel.
DORA = "UDORA"
#: Another app's bot in T1.
ROBOT = "UROBOT"
#: #general with everybody; a private channel of Alice, Bob and the bot; one that T1 shares with T2; #lonely, to which
#: the bot wasn't invited.
C1 = "C1"
C2 = "C2"
SHARED = "C3"
LONELY = "C4"
#: The app in T1.
BOT_TOKEN = "xoxb-fake-T1"
BOT_USER = "UBOTT1"
#: Alice's own.
USER_TOKEN = "xoxp-fake-UALICE"
APP_TOKEN = "xapp-1-A1-fake"
SIGNING_SECRET = "fake-signing-secret"


def prepare(slack: Slack) -> None:
    """Fill an empty fake."""
    slack.app.app_token = APP_TOKEN
    slack.app.signing_secret = SIGNING_SECRET
    slack.add_workspace(T1, "Lighthouse")
    slack.add_workspace(T2, "Harbour")
    slack.add_user(ALICE, T1, "alice", real_name="Alice Lind", is_admin=True)
    slack.add_user(BOB, T1, "bob", real_name="Bob Stone")
    slack.add_user(CAROL, T1, "carol", real_name="Carol Chen", tz="Asia/Shanghai", tz_offset=28800, locale="zh-CN")
    slack.add_user(GUS, T1, "gus", real_name="Gus Guest", is_restricted=True)
    slack.add_user(ROBOT, T1, "robot", is_bot=True, bot_id="BROBOT")
    slack.add_user(DORA, T2, "dora", real_name="Dora Berg", is_admin=True)
    slack.personal[USER_TOKEN] = ALICE
    bot = slack.install(T1, token=BOT_TOKEN, installer=ALICE).bot_user
    here = [ALICE, BOB, CAROL, GUS, ROBOT]
    slack.add_channel(C1, T1, name="general", members=[*here, bot])
    slack.add_channel(C2, T1, kind="group", name="plans", members=[ALICE, BOB, bot])
    slack.add_channel(SHARED, T1, T2, name="with-harbour", members=[ALICE, BOB, DORA, bot])
    slack.add_channel(LONELY, T1, name="lonely", members=here)
