"""Deleting what was said in a conversation for good. Ids stay, so that nothing of it is taken as new."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from bot.messages import LIVE_STATES, Target
from bot.store import conversations, files
from bot.store.tables import LIVE_TURN, conversation, draft, feedback, message, profile, step, turn

#: The reason of a turn that was over when its conversation was deleted: nothing of it is shown any more.
ERASED = "erased"


class Found(NamedTuple):
    """A conversation that is held until the transaction ends."""

    id: int
    target: Target
    #: Turns without an outcome.
    live: tuple[int, ...]
    #: Whether nobody but one person is there.
    direct: bool


def hold(connection: Connection, key: str) -> Found | None:
    """Lock the conversation with this key, so that no turn of it starts or ends meanwhile; None if there is none."""
    conversation_id = connection.execute(select(conversation.c.id).where(conversation.c.key == key)).scalar()
    if conversation_id is None:
        return None
    conversations.lock(connection, conversation_id)
    row = connection.execute(select(conversation).where(conversation.c.id == conversation_id)).one()
    live = connection.execute(
        select(turn.c.id).where(LIVE_TURN, turn.c.conversation_id == conversation_id).order_by(turn.c.seq)
    )
    target = Target(row.platform, row.workspace, row.channel, row.thread, row.key)
    return Found(conversation_id, target, tuple(live.scalars()), row.direct)


def is_shared(connection: Connection, found: Found) -> bool:
    """Whether another conversation that isn't deleted has the same channel, such as a thread of it."""
    target = found.target
    others = select(conversation.c.id).where(
        conversation.c.platform == target.platform,
        conversation.c.workspace == target.workspace,
        conversation.c.channel == target.channel,
        conversation.c.id != found.id,
        conversation.c.erased_at.is_(None),
    )
    return connection.execute(others.limit(1)).first() is not None


def erase(connection: Connection, conversation_id: int, now: datetime) -> None:
    """Empty the conversation; the caller holds it and has asked its live turns to end.

    A running turn keeps its steps and its draft: its worker writes them, and deletes them when it ends as withdrawn.
    """
    _empty(connection, message.c.conversation_id == conversation_id, now)
    every = turn.c.conversation_id == conversation_id
    _forget_steps(connection, every)
    _forget_answers(connection, every)
    connection.execute(
        update(conversation)
        .where(conversation.c.id == conversation_id)
        # What is said here later begins afresh.
        .values(
            title="",
            erased_at=func.coalesce(conversation.c.erased_at, now),
            generation=conversation.c.generation + 1,
        )
    )


# --- What one person has said


def keys_of(connection: Connection, platform: str, workspace: str, user_id: str) -> list[str]:
    """The conversations of a workspace in which somebody has ever said something."""
    statement = (
        select(conversation.c.key)
        .where(
            conversation.c.platform == platform,
            conversation.c.workspace == workspace,
            conversation.c.id.in_(select(message.c.conversation_id).where(*_said_by(user_id))),
        )
        .order_by(conversation.c.id)
    )
    return list(connection.execute(statement).scalars())


def live_of(connection: Connection, found: Found, user_id: str) -> list[int]:
    """The turns without an outcome that answer this person, among others or alone."""
    theirs = select(message.c.turn_id).where(
        message.c.conversation_id == found.id, *_said_by(user_id), message.c.erased_at.is_(None)
    )
    live = select(turn.c.id).where(LIVE_TURN, turn.c.id.in_(theirs)).order_by(turn.c.seq)
    return list(connection.execute(live).scalars())


def erase_said(connection: Connection, found: Found, user_id: str, now: datetime) -> None:
    """Empty what somebody has said in a conversation, and what was answered; the caller holds the conversation.

    The steps of every answer since go, too: they were made with these words before them. Of turns that are live, those
    of others keep theirs.
    """
    here = message.c.conversation_id == found.id
    theirs = and_(here, *_said_by(user_id))
    _untitle(connection, found.id, connection.execute(select(message.c.text).where(theirs)).scalars())
    # Under another name, because it stands in statements about messages.
    said = message.alias("said")
    answering = select(said.c.turn_id).where(
        said.c.conversation_id == found.id,
        said.c.role == "user",
        said.c.author_id == user_id,
        said.c.turn_id.is_not(None),
    )
    answered = and_(
        turn.c.conversation_id == found.id,
        # A stopped turn that was asked again keeps what it had said, and no message.
        or_(turn.c.id.in_(answering), turn.c.merged_into.in_(answering)),
    )
    ids = select(turn.c.id).where(answered)
    _empty(connection, or_(theirs, and_(here, message.c.role == "assistant", message.c.turn_id.in_(ids))), now)
    _forget_answers(connection, answered)
    first = select(func.min(message.c.received_at)).where(theirs).scalar_subquery()
    since = and_(turn.c.conversation_id == found.id, turn.c.created_at >= first)
    _forget_steps(connection, and_(since, or_(turn.c.state.not_in(LIVE_STATES), turn.c.id.in_(answering))))


def erase_name(connection: Connection, platform: str, workspace: str, user_id: str) -> None:
    """Forget somebody's ratings, and their name where they have changed profiles of a workspace."""
    here = and_(conversation.c.platform == platform, conversation.c.workspace == workspace)
    turns = select(turn.c.id).join(conversation, conversation.c.id == turn.c.conversation_id).where(here)
    connection.execute(delete(feedback).where(feedback.c.author_id == user_id, feedback.c.turn_id.in_(turns)))
    place = f"{platform}:{workspace}"
    connection.execute(
        update(profile)
        .where(
            profile.c.author_id == user_id,
            or_(
                profile.c.scope_key == place,
                profile.c.scope_key.startswith(f"{place}:", autoescape=True),
                profile.c.scope_key.in_(select(conversation.c.key).where(here)),
            ),
        )
        .values(author_name="")
    )


def forget_names(connection: Connection, found: Found, user_id: str | None = None) -> None:
    """Take everybody's name, or one person's, out of what live turns have noted."""
    live = select(turn.c.id).where(LIVE_TURN, turn.c.conversation_id == found.id)
    kept = select(step.c.id, step.c.result).where(step.c.turn_id.in_(live), step.c.result.is_not(None))
    for row_id, result in connection.execute(kept).all():
        if not isinstance(result, dict) or not isinstance(result.get("people"), dict):
            continue
        people = {id_: who for id_, who in result["people"].items() if user_id is not None and id_ != user_id}
        changed: dict[str, Any] = {**result, "people": people}
        connection.execute(update(step).where(step.c.id == row_id).values(result=changed))


def _said_by(user_id: str) -> tuple[ColumnElement[bool], ...]:
    return message.c.role == "user", message.c.author_id == user_id


def _untitle(connection: Connection, conversation_id: int, said: Iterable[str]) -> None:
    """Take the title away if one of these texts gave it."""
    title = connection.execute(select(conversation.c.title).where(conversation.c.id == conversation_id)).scalar()
    if title and any(conversations.title_of(text) == title for text in said):
        conversations.retitle(connection, conversation_id, title, "")


def _empty(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    """Empty these messages; files that no other message names go, too."""
    named = files.of_messages(connection, which)
    connection.execute(
        update(message)
        .where(which, message.c.erased_at.is_(None))
        .values(text="", author_name="", attachments=[], erased_at=now, revision=message.c.revision + 1)
    )
    files.forget_unnamed(connection, named)


def _forget_steps(connection: Connection, which: ColumnElement[bool]) -> None:
    """Delete steps and drafts of those of these turns that don't run."""
    at_rest = select(turn.c.id).where(which, turn.c.state != "running")
    connection.execute(delete(step).where(step.c.turn_id.in_(at_rest)))
    connection.execute(delete(draft).where(draft.c.turn_id.in_(at_rest)))


def _forget_answers(connection: Connection, which: ColumnElement[bool]) -> None:
    """Take what these turns have answered, and how that was rated."""
    ids = select(turn.c.id).where(which)
    connection.execute(delete(feedback).where(feedback.c.turn_id.in_(ids)))
    connection.execute(
        update(turn).where(which, turn.c.state.not_in(LIVE_STATES)).values(answer=None, answer_meta=None, reason=ERASED)
    )
