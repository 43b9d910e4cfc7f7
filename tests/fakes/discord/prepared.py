"""The world that every test starts with: two servers, people of every kind, and the app in one of them."""

from __future__ import annotations

from tests.fakes.discord import permissions
from tests.fakes.discord.state import Discord
from tests.fakes.discord.world import FORUM, MESSAGE_CONTENT_LIMITED, NEWS, VOICE, Application, Overwrite

#: The app, its bot user and its token.
APP = "1100000000000000000"
BOT_TOKEN = "MTEwMDAwMDAwMDAwMDAwMDAwMA.fake.discord-token"
#: A server with the app, and one without.
LIGHTHOUSE = "1000000000000000001"
HARBOUR = "1000000000000000002"
#: The owner, two members and a moderator of Lighthouse; Carol reads Chinese.
ALICE = "1000000000000000011"
BOB = "1000000000000000012"
CAROL = "1000000000000000013"
MONA = "1000000000000000014"
#: The owner of Harbour, who is a stranger in Lighthouse.
DORA = "1000000000000000021"
#: Another app's bot in Lighthouse.
ROBOT = "1000000000000000031"
#: Roles of Lighthouse: the bot's own, the moderators', one that nobody has.
BOT_ROLE = "1000000000000000041"
MODERATORS = "1000000000000000042"
READERS = "1000000000000000043"
#: Channels of Lighthouse: #general; #plans, for moderators, the owner and the bot; #silent, where the bot may read and
#: not write; #lonely, which the bot can't view; announcements, a forum, a voice channel.
GENERAL = "1000000000000000051"
PLANS = "1000000000000000052"
SILENT = "1000000000000000053"
LONELY = "1000000000000000054"
NEWS_CHANNEL = "1000000000000000055"
FORUM_CHANNEL = "1000000000000000056"
VOICE_CHANNEL = "1000000000000000057"
#: The forum's tags.
QUESTION, IDEA = "1000000000000000061", "1000000000000000062"
#: A channel of Harbour.
QUAY = "1000000000000000071"

#: What the invite link asks for (facts 4.10), Manage Webhooks besides.
BOT_PERMISSIONS = (
    permissions.VIEW_CHANNEL
    | permissions.SEND_MESSAGES
    | permissions.SEND_MESSAGES_IN_THREADS
    | permissions.CREATE_PUBLIC_THREADS
    | permissions.EMBED_LINKS
    | permissions.ATTACH_FILES
    | permissions.READ_MESSAGE_HISTORY
    | permissions.ADD_REACTIONS
    | permissions.MANAGE_WEBHOOKS
)


def application() -> Application:
    """The app."""
    return Application(APP, "kagent", BOT_TOKEN, owner_id=ALICE, flags=MESSAGE_CONTENT_LIMITED)


def prepare(discord: Discord) -> None:
    """Fill an empty fake."""
    for who, name, shown, locale in (
        (ALICE, "alice", "Alice Lind", "en-US"),
        (BOB, "bob", "Bob Stone", "en-GB"),
        (CAROL, "carol", "Carol Chen", "zh-CN"),
        (MONA, "mona", "Mona Moderates", "en-US"),
        (DORA, "dora", "Dora Berg", "en-US"),
    ):
        discord.add_user(name, id_=who, global_name=shown, locale=locale)
    discord.add_user("robot", id_=ROBOT, bot=True)
    discord.add_guild("Lighthouse", ALICE, id_=LIGHTHOUSE, members=[BOB, CAROL, MONA, ROBOT])
    discord.add_guild("Harbour", DORA, id_=HARBOUR)
    discord.add_channel(HARBOUR, "quay", id_=QUAY)
    moderating = permissions.MANAGE_MESSAGES | permissions.MANAGE_GUILD | permissions.MANAGE_THREADS
    discord.add_role(LIGHTHOUSE, "kagent", BOT_PERMISSIONS, id_=BOT_ROLE, bot=APP)
    discord.add_role(LIGHTHOUSE, "moderators", moderating | permissions.MANAGE_CHANNELS, id_=MODERATORS)
    discord.add_role(LIGHTHOUSE, "readers", id_=READERS, mentionable=True)
    discord.add_member(LIGHTHOUSE, APP, [BOT_ROLE])
    discord.add_member(LIGHTHOUSE, MONA, [MODERATORS])
    hidden = Overwrite(LIGHTHOUSE, 0, deny=permissions.VIEW_CHANNEL)
    shown_to = [Overwrite(role, 0, allow=permissions.VIEW_CHANNEL) for role in (BOT_ROLE, MODERATORS)]
    quiet = permissions.SEND_MESSAGES | permissions.SEND_MESSAGES_IN_THREADS
    discord.add_channel(LIGHTHOUSE, "general", id_=GENERAL)
    discord.add_channel(LIGHTHOUSE, "plans", id_=PLANS, overwrites=[hidden, *shown_to])
    discord.add_channel(LIGHTHOUSE, "silent", id_=SILENT, overwrites=[Overwrite(APP, 1, deny=quiet)])
    discord.add_channel(
        LIGHTHOUSE, "lonely", id_=LONELY, overwrites=[Overwrite(BOT_ROLE, 0, deny=permissions.VIEW_CHANNEL)]
    )
    discord.add_channel(LIGHTHOUSE, "news", NEWS, id_=NEWS_CHANNEL)
    discord.add_channel(LIGHTHOUSE, "help", FORUM, id_=FORUM_CHANNEL, tags={QUESTION: "question", IDEA: "idea"})
    discord.add_channel(LIGHTHOUSE, "talk", VOICE, id_=VOICE_CHANNEL)
