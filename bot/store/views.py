"""What people see of conversations: queries that only read, each a constant number of statements however long the page.

Statements are built once; the live states are spelled out in SQL, because a partial index serves only a condition that
the database can compare with the index's own text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, exists, or_, select, text, tuple_

from agent.language import Lang
from bot.messages import LIVE_STATES, EndAs, Target, TurnState
from bot.store.columns import UtcTime
from bot.store.erasure import ERASED
from bot.store.tables import conversation, draft, feedback, message, step, turn

#: Live turns of one conversation that a watcher is told about; more wait in line behind these.
MAX_LIVE = 100


class ConversationView(NamedTuple):
    """A conversation in a list."""

    id: int
    key: str
    title: str
    last_message_at: datetime
    #: Whether a turn of it has no outcome yet.
    live: bool


class MessageView(NamedTuple):
    """A person's message. An erased one has no text."""

    message_id: str
    text: str
    revision: int
    sent_at: datetime
    erased: bool


class StepRowView(NamedTuple):
    """One run of a tool, as the journal has it."""

    key: str
    #: `started` or `done`.
    state: str
    detail: Any
    result: Any


class DraftView(NamedTuple):
    """The newest stored picture of a turn that runs."""

    version: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn with all that a page shows of it."""

    id: int
    conversation_id: int
    #: The conversation's key.
    key: str
    state: TurnState
    lang: Lang
    created_at: datetime
    finished_at: datetime | None
    end_as: EndAs | None
    reason: str | None
    merged_into: int | None
    retry_of: int | None
    answer: str
    meta: dict[str, Any]
    messages: tuple[MessageView, ...]
    steps: tuple[StepRowView, ...]
    draft: DraftView | None
    #: The viewer's rating: 1, -1, or 0 for none.
    rating: int

    @property
    def live(self) -> bool:
        """Whether it has no outcome yet."""
        return self.state in LIVE_STATES


class Beat(NamedTuple):
    """The little of a live turn that changes when anything does."""

    id: int
    state: str
    end_as: str | None
    merged_into: int | None
    version: int | None


class Pulse(NamedTuple):
    """Just enough of a conversation to see whether anything changed."""

    #: Its last turn; None while it has none.
    newest: int | None
    live: tuple[Beat, ...]
    #: Whether the conversation was deleted.
    gone: bool = False


class MessagePlace(NamedTuple):
    """Where a message is."""

    conversation_id: int
    turn_id: int | None
    erased: bool


_LIVE = text("turn.state IN ('queued', 'running', 'waiting')")

#: Of a conversation that was deleted, nothing is shown any more.
_NOT_ERASED = conversation.c.erased_at.is_(None)
_LIVE_IN_CONVERSATION = exists().where(turn.c.conversation_id == conversation.c.id, _LIVE)
_CONVERSATIONS = (
    select(
        conversation.c.id,
        conversation.c.key,
        conversation.c.title,
        conversation.c.last_message_at,
        _LIVE_IN_CONVERSATION.label("live"),
    )
    .where(conversation.c.platform == bindparam("platform"), _NOT_ERASED)
    .order_by(conversation.c.last_message_at.desc(), conversation.c.id.desc())
    .limit(bindparam("limit"))
)
_CONVERSATIONS_BEFORE = _CONVERSATIONS.where(
    tuple_(conversation.c.last_message_at, conversation.c.id) < tuple_(bindparam("at", type_=UtcTime), bindparam("id"))
)
_CONVERSATION = select(
    conversation.c.id,
    conversation.c.key,
    conversation.c.title,
    conversation.c.last_message_at,
    _LIVE_IN_CONVERSATION.label("live"),
).where(conversation.c.key == bindparam("key"), conversation.c.platform == bindparam("platform"), _NOT_ERASED)

_TURNS = (
    select(
        turn.c.id,
        turn.c.conversation_id,
        conversation.c.key,
        turn.c.state,
        turn.c.lang,
        turn.c.created_at,
        turn.c.finished_at,
        turn.c.end_as,
        turn.c.reason,
        turn.c.merged_into,
        turn.c.retry_of,
        turn.c.answer,
        turn.c.answer_meta,
    )
    .join(conversation, conversation.c.id == turn.c.conversation_id)
    .where(_NOT_ERASED)
)
#: Turns that another one took the place of (edited, asked again) or whose messages are gone: nothing of them is shown.
_SHOWN = and_(
    turn.c.state.not_in(("withdrawn", "superseded")),
    or_(turn.c.merged_into.is_(None), turn.c.state == "merged"),
    turn.c.reason.is_distinct_from(ERASED),
)
_PAGE = (
    _TURNS.where(turn.c.conversation_id == bindparam("conversation_id"), _SHOWN)
    .order_by(turn.c.seq.desc())
    .limit(bindparam("limit"))
)
_PAGE_BEFORE = _PAGE.where(
    turn.c.seq
    < select(turn.c.seq)
    .where(turn.c.id == bindparam("before"), turn.c.conversation_id == bindparam("conversation_id"))
    .correlate(None)
    .scalar_subquery()
)
_LIVE_TURNS = (
    _TURNS.where(turn.c.conversation_id == bindparam("conversation_id"), _LIVE).order_by(turn.c.id).limit(MAX_LIVE)
)
_BY_IDS = _TURNS.where(turn.c.id.in_(bindparam("ids", expanding=True))).order_by(turn.c.id)
_ONE = _TURNS.where(turn.c.id == bindparam("turn_id"), conversation.c.platform == bindparam("platform"))

_MESSAGES = (
    select(
        message.c.turn_id,
        message.c.message_id,
        message.c.text,
        message.c.revision,
        message.c.sent_at,
        message.c.erased_at.is_not(None).label("erased"),
    )
    .where(message.c.turn_id.in_(bindparam("ids", expanding=True)), message.c.role == "user")
    .order_by(message.c.sent_at, message.c.id)
)
_STEPS = (
    select(step.c.turn_id, step.c.key, step.c.state, step.c.detail, step.c.result)
    .where(step.c.turn_id.in_(bindparam("ids", expanding=True)), step.c.key.like("act/%"))
    .order_by(step.c.id)
)
_DRAFTS = select(draft.c.turn_id, draft.c.version, draft.c.body).where(
    draft.c.turn_id.in_(bindparam("ids", expanding=True))
)
_RATINGS = select(feedback.c.turn_id, feedback.c.value).where(
    feedback.c.turn_id.in_(bindparam("ids", expanding=True)), feedback.c.author_id == bindparam("viewer")
)
_PULSE = (
    select(turn.c.id, turn.c.state, turn.c.end_as, turn.c.merged_into, draft.c.version)
    .join(draft, draft.c.turn_id == turn.c.id, isouter=True)
    .where(turn.c.conversation_id == bindparam("conversation_id"), _LIVE)
    .order_by(turn.c.id)
    .limit(MAX_LIVE)
)
_NEWEST = (
    select(turn.c.id).where(turn.c.conversation_id == bindparam("conversation_id")).order_by(turn.c.seq.desc()).limit(1)
)
_MESSAGE_PLACE = select(message.c.conversation_id, message.c.turn_id, message.c.erased_at).where(
    message.c.platform == bindparam("platform"),
    message.c.workspace == bindparam("workspace"),
    message.c.channel == bindparam("channel"),
    message.c.message_id == bindparam("message_id"),
    message.c.role == "user",
)
_TURN_PLACE = (
    select(turn.c.conversation_id)
    .join(conversation, conversation.c.id == turn.c.conversation_id)
    .where(turn.c.id == bindparam("turn_id"), conversation.c.platform == bindparam("platform"), _NOT_ERASED)
)
_GONE = select(conversation.c.erased_at.is_not(None)).where(conversation.c.id == bindparam("conversation_id"))


def conversations(
    connection: Connection, platform: str, limit: int, before: tuple[datetime, int] | None = None
) -> list[ConversationView]:
    """A platform's conversations, the newest first, from `before` (last message's time, id) on."""
    values: dict[str, Any] = {"platform": platform, "limit": limit}
    if before is None:
        rows = connection.execute(_CONVERSATIONS, values)
    else:
        rows = connection.execute(_CONVERSATIONS_BEFORE, {**values, "at": before[0], "id": before[1]})
    return [ConversationView(*row) for row in rows]


def conversation_by_key(connection: Connection, platform: str, key: str) -> ConversationView | None:
    """The platform's conversation with this key."""
    row = connection.execute(_CONVERSATION, {"platform": platform, "key": key}).first()
    return None if row is None else ConversationView(*row)


def page(
    connection: Connection, conversation_id: int, viewer: str, limit: int, before: int | None = None
) -> list[TurnView]:
    """The last `limit` turns of a conversation (before the turn `before`, if given), oldest first."""
    values: dict[str, Any] = {"conversation_id": conversation_id, "limit": limit}
    if before is None:
        rows = connection.execute(_PAGE, values).all()
    else:
        rows = connection.execute(_PAGE_BEFORE, {**values, "before": before}).all()
    return _load(connection, rows[::-1], viewer)


def current(connection: Connection, conversation_id: int, viewer: str) -> list[TurnView]:
    """What a watcher of a conversation needs first: the newest turn, and all that are live."""
    newest = connection.execute(_PAGE, {"conversation_id": conversation_id, "limit": 1}).all()
    rows = connection.execute(_LIVE_TURNS, {"conversation_id": conversation_id}).all()
    seen = {row.id for row in rows}
    return _load(connection, [*(row for row in newest if row.id not in seen), *rows], viewer)


def by_ids(connection: Connection, turn_ids: Sequence[int], viewer: str) -> list[TurnView]:
    """These turns, as far as they exist."""
    return _load(connection, connection.execute(_BY_IDS, {"ids": list(turn_ids)}).all(), viewer)


def one(connection: Connection, platform: str, turn_id: int, viewer: str) -> TurnView | None:
    """The turn, if it belongs to this platform."""
    rows = connection.execute(_ONE, {"turn_id": turn_id, "platform": platform}).all()
    return next(iter(_load(connection, rows, viewer)), None)


def pulse(connection: Connection, conversation_id: int) -> Pulse:
    """The state of a conversation in three small statements."""
    place = {"conversation_id": conversation_id}
    newest = connection.execute(_NEWEST, place).scalar()
    beats = tuple(Beat(*row) for row in connection.execute(_PULSE, place))
    return Pulse(newest, beats, connection.execute(_GONE, place).scalar() is not False)


def message_place(connection: Connection, target: Target, message_id: str) -> MessagePlace | None:
    """Where a person's message is, by the platform's id."""
    values = {
        "platform": target.platform,
        "workspace": target.workspace,
        "channel": target.channel,
        "message_id": message_id,
    }
    row = connection.execute(_MESSAGE_PLACE, values).first()
    return None if row is None else MessagePlace(row[0], row[1], row[2] is not None)


def conversation_of_turn(connection: Connection, platform: str, turn_id: int) -> int | None:
    """The conversation of a turn that belongs to this platform."""
    return connection.execute(_TURN_PLACE, {"turn_id": turn_id, "platform": platform}).scalar()


def _load(connection: Connection, rows: Sequence[Any], viewer: str) -> list[TurnView]:
    """The turns of these rows with everything around them: one statement per kind, and none for what can't be there."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    live = [row.id for row in rows if row.state in LIVE_STATES]
    over = [row.id for row in rows if row.state not in LIVE_STATES]
    messages: defaultdict[int, list[MessageView]] = defaultdict(list)
    for turn_id, *rest in connection.execute(_MESSAGES, {"ids": ids}):
        messages[turn_id].append(MessageView(*rest))
    begun = [row.id for row in rows if row.state != "merged"]
    steps: defaultdict[int, list[StepRowView]] = defaultdict(list)
    for turn_id, *rest in connection.execute(_STEPS, {"ids": begun}) if begun else ():
        steps[turn_id].append(StepRowView(*rest))
    drafts = {row[0]: DraftView(row[1], row[2]) for row in (connection.execute(_DRAFTS, {"ids": live}) if live else ())}
    ratings = {
        row[0]: row[1] for row in (connection.execute(_RATINGS, {"ids": over, "viewer": viewer}) if over else ())
    }
    return [
        TurnView(
            row.id,
            row.conversation_id,
            row.key,
            row.state,
            row.lang,
            row.created_at,
            row.finished_at,
            row.end_as,
            row.reason,
            row.merged_into,
            row.retry_of,
            row.answer or "",
            row.answer_meta or {},
            tuple(messages[row.id]),
            tuple(steps[row.id]),
            drafts.get(row.id),
            ratings.get(row.id, 0),
        )
        for row in rows
    ]
