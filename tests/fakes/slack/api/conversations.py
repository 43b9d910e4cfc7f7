"""conversations.replies, .history, .info, .open, .members; users.conversations."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack import shapes
from tests.fakes.slack.api.call import Answer, Call, Method, invalid
from tests.fakes.slack.tiers import TIER3, TIER4
from tests.fakes.slack.world import Channel, Message, SlackError

#: Messages on one page (facts 2.1), and for an app that is distributed outside the Marketplace.
PAGE, UNLISTED_PAGE = 1_000, 15

#: Channel kind → the prefix of its scopes.
_SCOPES = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
#: What users.conversations calls the kinds.
_KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def replies(call: Call) -> Answer:
    """A thread, oldest first, its root on every page (facts 5.15); as of `read_lag` ago."""
    place = _readable(call)
    asked = call.required("ts")
    named = call.slack.messages.get((place.id, asked))
    if named is None or named.ephemeral_to or not (_listed(call, named) or _tombstone(call, named)):
        raise SlackError("thread_not_found")
    thread = call.slack.threaded(place.id, named.root)
    rest = [item for item in thread if item.ts != named.root and _listed(call, item) and _within(call, item)]
    rest.sort(key=lambda item: item.ts)
    page, cursor = call.page(rest, _most(call))
    answer = _messages(call, [item for item in thread if item.ts == named.root] + page, cursor)
    if not _listed(call, call.slack.messages[place.id, named.root]):
        answer["messages"][0] = call.slack.tombstone(call.slack.messages[place.id, named.root])
    return answer


def history(call: Call) -> Answer:
    """What is not in a thread, newest first; as of `read_lag` ago."""
    place = _readable(call)
    items = [
        item
        for item in call.slack.listed(place.id)
        if (item.thread_ts is None or item.subtype == "thread_broadcast")
        and _listed(call, item)
        and _within(call, item)
    ]
    items.sort(key=lambda item: item.ts, reverse=True)
    page, cursor = call.page(items, _most(call))
    return _messages(call, page, cursor)


def info(call: Call) -> Answer:
    """A public channel can be looked at from outside."""
    place = call.channel()
    call.need(f"{_SCOPES[place.kind]}:read")
    return {"channel": shapes.channel(place, call.install)}


def members(call: Call) -> Answer:
    """Ids of users."""
    place = call.channel()
    call.need(f"{_SCOPES[place.kind]}:read")
    page, cursor = call.page(sorted(place.members), PAGE)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def open_direct(call: Call) -> Answer:
    """The DM with one person, or a conversation with several."""
    if call.has("channel"):
        return {"channel": {"id": call.channel().id}}
    names = [name for name in call.required("users").split(",") if name]
    call.need("im:write" if len(names) == 1 else "mpim:write")
    people = [call.slack.user(name) for name in names]
    if not call.slack.app.messages_tab:
        raise SlackError("messages_tab_disabled")
    if len(people) == 1:
        return {"channel": {"id": call.slack.dm(call.install.team or people[0].team, people[0].id).id}}
    everybody = {person.id for person in people} | {call.install.bot_user}
    found = [item for item in call.slack.channels.values() if item.kind == "mpim" and item.members == everybody]
    team = call.install.team or people[0].team
    name = f"G{len(call.slack.channels) + 1:04d}"
    place = found[0] if found else call.slack.add_channel(name, team, kind="mpim", members=sorted(everybody))
    return {"channel": {"id": place.id}}


def of_caller(call: Call) -> Answer:
    """The conversations that the bot is in; each kind that is asked for needs its scope."""
    kinds = [kind.strip() for kind in call.text("types", "public_channel").split(",")]
    if not set(kinds) <= _KINDS.keys():
        raise invalid("invalid types")
    for kind in kinds:
        call.need(f"{_SCOPES[_KINDS[kind]]}:read")
    wanted = {_KINDS[kind] for kind in kinds}
    found = [
        place
        for place in call.slack.channels.values()
        if call.install.bot_user in place.members
        and place.kind in wanted
        and any(call.slack.sees(call.install, team) for team in place.teams)
        and not (place.archived and call.flag("exclude_archived"))
    ]
    page, cursor = call.page(found, PAGE)
    shown = [shapes.channel(place, call.install) for place in page]
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def _readable(call: Call) -> Channel:
    place = call.channel()
    call.need(f"{_SCOPES[place.kind]}:history")
    if call.install.bot_user not in place.members:
        raise SlackError("not_in_channel")
    return place


def _listed(call: Call, item: Message) -> bool:
    """Whether a listing has it already, or has it still."""
    then = call.slack.now() - call.slack.config.read_lag
    return item.created_at <= then and (item.deleted_at is None or item.deleted_at > then)


def _tombstone(call: Call, item: Message) -> bool:
    """Whether it is a deleted root that its replies keep."""
    return item.deleted_at is not None and bool(call.slack.replies(item.channel, item.ts))


def _within(call: Call, item: Message) -> bool:
    """`oldest` and `latest` are left out themselves, unless `inclusive`."""
    try:
        at, oldest, latest = (float(text) for text in (item.ts, call.text("oldest", "0"), call.text("latest", "inf")))
    except ValueError:
        raise invalid("invalid timestamp") from None
    return oldest <= at <= latest if call.flag("inclusive") else oldest < at < latest


def _most(call: Call) -> int:
    return UNLISTED_PAGE if call.slack.config.unlisted else PAGE


def _messages(call: Call, items: list[Message], cursor: str) -> Answer:
    metadata = call.flag("include_all_metadata")
    shown = [call.slack.shown_message(item, metadata=metadata) for item in items]
    answer: dict[str, Any] = {"messages": shown, "has_more": bool(cursor)}
    return answer | {"response_metadata": {"next_cursor": cursor}} if cursor else answer


METHODS = {
    "conversations.replies": Method(replies, TIER3),
    "conversations.history": Method(history, TIER3),
    "conversations.info": Method(info, TIER3),
    "conversations.open": Method(open_direct, TIER3),
    "conversations.members": Method(members, TIER4),
    "users.conversations": Method(of_caller, TIER3),
}
