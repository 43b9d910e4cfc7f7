"""The invariants of `docs/state.md` as queries. Each finding is one sentence for an operator, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from agent.language import Text
from bot.messages import LIVE_STATES
from bot.store.tables import LIVE_TURN, conversation, job, job_part, message, part, turn

#: A lease that ended less than this ago may just be waiting for the sweep.
_SWEEP_MARGIN = timedelta(seconds=10)
#: Time that work may lie unclaimed, or an intent open, before something is wrong.
_STALE = timedelta(minutes=1)
#: States in which a turn answers nobody, as words: its messages must have gone to another turn, or be erased.
_EMPTY_HANDED = {
    "merged": Text("merged", "合并"),
    "superseded": Text("superseded", "取代"),
    "withdrawn": Text("withdrawn", "撤回"),
}


def findings(connection: Connection, now: datetime) -> list[Text]:
    """What is wrong with the stored state; empty when all invariants hold."""
    return [finding for check in _CHECKS for finding in check(connection, now)]


def _running_without_lease(connection: Connection, now: datetime) -> Iterator[Text]:
    rows = connection.execute(
        select(turn.c.id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(
            LIVE_TURN,
            turn.c.state == "running",
            # One that was handed over in order waits for the next start, however long the server is stopped.
            ~turn.c.handed_over,
            _unleased(now),
            turn.c.touched_at < now - _SWEEP_MARGIN,
        )
    )
    return _each(
        rows.scalars(),
        "turn {id} is running, but nobody holds its conversation's lease",
        "第 {id} 轮正在运行，但没有进程持有其对话的租约",
    )


def _queued_for_long(connection: Connection, now: datetime) -> Iterator[Text]:
    rows = connection.execute(
        select(turn.c.id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(
            LIVE_TURN,
            turn.c.state == "queued",
            # A turn that was parked waits since then.
            func.coalesce(turn.c.touched_at, turn.c.created_at) < now - _STALE,
            _unleased(now),
        )
    )
    return _each(
        rows.scalars(),
        "turn {id} waits, and nobody works on its conversation",
        "第 {id} 轮在等待，而没有进程在处理其对话",
    )


def _parked_for_long(connection: Connection, now: datetime) -> Iterator[Text]:
    rows = connection.execute(
        select(turn.c.id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(
            LIVE_TURN,
            turn.c.state == "waiting",
            or_(turn.c.waiting_until < now - _STALE, turn.c.end_asked_at < now - _STALE),
            _unleased(now),
        )
    )
    return _each(
        rows.scalars(),
        "turn {id} waits for consent beyond its time or its end",
        "第 {id} 轮仍在等待许可，而它的期限已过或早该结束",
    )


def _many_running(connection: Connection, now: datetime) -> Iterator[Text]:
    rows = connection.execute(
        select(turn.c.conversation_id)
        .where(LIVE_TURN, turn.c.state == "running")
        .group_by(turn.c.conversation_id)
        .having(func.count() > 1)
    )
    return _each(rows.scalars(), "conversation {id} has more than one running turn", "对话 {id} 有不止一轮正在运行")


def _open_intents(connection: Connection, now: datetime) -> Iterator[Text]:
    over = turn.c.state.not_in(LIVE_STATES)
    rows = connection.execute(
        select(part.c.turn_id, part.c.position)
        .join(turn, turn.c.id == part.c.turn_id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        # While somebody works on it, a platform that is away or wants quiet may leave it open for longer.
        .where(part.c.state == "intended", or_(and_(part.c.intended_at < now - _STALE, _unleased(now)), over))
    )
    return (
        Text(
            f"part {position} of turn {id_} was intended, but has no message id",
            f"第 {id_} 轮的第 {position} 部分打算发出，但没有消息编号",
        )
        for id_, position in rows
    )


def _open_intents_of_jobs(connection: Connection, now: datetime) -> Iterator[Text]:
    rows = connection.execute(
        select(job_part.c.job_id)
        .join(job, job.c.id == job_part.c.job_id)
        .where(job_part.c.state == "intended", job.c.finished_at.is_not(None))
    )
    return _each(
        rows.scalars(),
        "job {id} is over, but a message that it intended has no id",
        "任务 {id} 已结束，但它打算发出的一条消息没有编号",
    )


def _messages_without_turn(connection: Connection, now: datetime) -> Iterator[Text]:
    unanswered = select(message.c.id).where(message.c.addressed, message.c.turn_id.is_(None))
    for id_ in connection.execute(unanswered).scalars():
        yield Text(f"message {id_} was accepted, but has no turn", f"消息 {id_} 已被接受，但没有对应的轮次")
    rows = connection.execute(
        select(message.c.id, turn.c.id, turn.c.state)
        .outerjoin(turn, turn.c.id == message.c.turn_id)
        .where(
            message.c.role == "user",
            message.c.turn_id.is_not(None),
            or_(turn.c.id.is_(None), and_(turn.c.state.in_(tuple(_EMPTY_HANDED)), message.c.erased_at.is_(None))),
        )
    )
    for id_, turn_id, state in rows:
        if turn_id is None:
            yield Text(f"message {id_} belongs to a turn that does not exist", f"消息 {id_} 所属的轮次不存在")
        else:
            how = _EMPTY_HANDED[state]
            yield Text(
                f"message {id_} belongs to turn {turn_id}, which was {how.en}: nobody answers it",
                f"消息 {id_} 属于已被{how.zh}的第 {turn_id} 轮：没有人回答它",
            )


def _turns_without_message(connection: Connection, now: datetime) -> Iterator[Text]:
    asked = exists().where(message.c.turn_id == turn.c.id, message.c.role == "user")
    # A turn that handed its messages on points to the one that has them.
    rows = connection.execute(select(turn.c.id).where(turn.c.merged_into.is_(None), ~asked))
    return _each(rows.scalars(), "turn {id} answers no message", "第 {id} 轮没有回答任何消息")


def _ended_without_time(connection: Connection, now: datetime) -> Iterator[Text]:
    rows = connection.execute(select(turn.c.id).where(turn.c.state.not_in(LIVE_STATES), turn.c.finished_at.is_(None)))
    return _each(rows.scalars(), "turn {id} is over, but has no time of ending", "第 {id} 轮已结束，但没有结束时间")


def _live_with_outcome(connection: Connection, now: datetime) -> Iterator[Text]:
    rows = connection.execute(select(turn.c.id).where(LIVE_TURN, turn.c.finished_at.is_not(None)))
    return _each(rows.scalars(), "turn {id} has an outcome, but is still live", "第 {id} 轮已有结果，但仍未结束")


def _merged_into_nothing(connection: Connection, now: datetime) -> Iterator[Text]:
    other = turn.alias("other")
    rows = connection.execute(
        select(turn.c.id)
        .outerjoin(other, other.c.id == turn.c.merged_into)
        .where(turn.c.state == "merged", or_(other.c.id.is_(None), other.c.state == "merged"))
    )
    return _each(
        rows.scalars(),
        "turn {id} was merged into a turn that has no outcome of its own",
        "第 {id} 轮被合并到没有自己结果的一轮",
    )


def _answers_not_kept(connection: Connection, now: datetime) -> Iterator[Text]:
    answers = (
        select(func.count()).where(message.c.turn_id == turn.c.id, message.c.role == "assistant").scalar_subquery()
    )
    rows = connection.execute(select(turn.c.id).where(turn.c.state == "answered", turn.c.answer != "", answers != 1))
    return _each(
        rows.scalars(),
        "turn {id} was answered, but its answer is not among the messages once",
        "第 {id} 轮已回答，但它的回答在消息中并非恰好一条",
    )


def _each(ids: Iterable[int], en: str, zh: str) -> Iterator[Text]:
    """One finding for each id."""
    return (Text(en.format(id=id_), zh.format(id=id_)) for id_ in ids)


def _unleased(now: datetime) -> ColumnElement[bool]:
    return or_(conversation.c.owner.is_(None), conversation.c.lease_until < now - _SWEEP_MARGIN)


_CHECKS: tuple[Callable[[Connection, datetime], Iterator[Text]], ...] = (
    _running_without_lease,
    _open_intents,
    _open_intents_of_jobs,
    _messages_without_turn,
    _turns_without_message,
    _ended_without_time,
    _live_with_outcome,
    _queued_for_long,
    _parked_for_long,
    _many_running,
    _merged_into_nothing,
    _answers_not_kept,
)
