"""Every table. Alembic's migrations must agree with this file (a test compares them); `docs/state.md` explains the
states.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.store import bench_tables, human_tables
from bot.store.columns import ID, UtcTime, partial

#: With the tables of benchmarks and of ratings by people, which have files of their own.
(metadata,) = {bench_tables.metadata, human_tables.metadata}

_LIVE_TURN = "state IN ('queued', 'running', 'waiting')"
_LIVE_JOB = "state IN ('queued', 'running')"
_OVERHEARD = "turn_id IS NULL AND role = 'user'"
#: Conditions for queries about turns and jobs that are not over. Spelled out in SQL, because a partial index serves
#: only a condition that the database can compare with the index's own; a bound parameter hides it.
LIVE_TURN = text(f"turn.{_LIVE_TURN}")
LIVE_JOB = text(f"job.{_LIVE_JOB}")
OVERHEARD = text("message.turn_id IS NULL AND message.role = 'user'")


conversation = Table(
    "conversation",
    metadata,
    Column("id", ID, primary_key=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("platform", String(32), nullable=False),
    Column("workspace", String(128), nullable=False),
    Column("channel", String(128), nullable=False),
    Column("thread", String(128)),
    Column("title", String(200), nullable=False, server_default=text("''")),
    # Raised by "new" and by twelve idle hours where there are no threads; history never crosses it.
    Column("generation", Integer, nullable=False, server_default="1"),
    Column("created_at", UtcTime, nullable=False),
    Column("last_message_at", UtcTime, nullable=False),
    # The lease.
    Column("owner", String(64)),
    Column("lease_until", UtcTime),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("next_seq", Integer, nullable=False, server_default="1"),
    # When to look for strays after a take-over, and from which platform time on.
    Column("tidy_at", UtcTime),
    Column("tidy_since", UtcTime),
    # Nobody but one person and the agent is there; that person may do here what an administrator may elsewhere.
    Column("direct", Boolean, nullable=False, server_default=text("false")),
    # Told to be silent here until it is mentioned again.
    Column("muted", Boolean, nullable=False, server_default=text("false")),
    # It began without the agent: what was said before has to be read from the platform once.
    Column("past_wanted", Boolean, nullable=False, server_default=text("false")),
    # Whether any message in it is context only, so that claims of the others need not look.
    Column("overheard", Boolean, nullable=False, server_default=text("false")),
    # Deleted by a person: the row stays, without its title, so that its key and its messages' ids are not taken as new.
    Column("erased_at", UtcTime),
    Index(None, "platform", "last_message_at"),
    Index("ix_conversation_leased", "lease_until", **partial("owner IS NOT NULL")),
    Index("ix_conversation_tidy", "tidy_at", **partial("tidy_at IS NOT NULL")),
)

message = Table(
    "message",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("platform", String(32), nullable=False),
    Column("workspace", String(128), nullable=False),
    Column("channel", String(128), nullable=False),
    Column("message_id", String(128), nullable=False),
    # user: written by a person or another bot; assistant: an answer of ours (message_id is then turn/<id>).
    Column("role", String(16), nullable=False),
    Column("author_id", String(128), nullable=False),
    Column("author_name", String(200), nullable=False, server_default=text("''")),
    # member, guest, external or bot; and the person's own workspace where it is another one.
    Column("author_kind", String(16), nullable=False, server_default=text("'member'")),
    Column("author_team", String(64), nullable=False, server_default=text("''")),
    Column("text", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("attachments", JSON, nullable=False),
    Column("sent_at", UtcTime, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    # Whether the agent was asked; such a message always has a turn.
    Column("addressed", Boolean, nullable=False, server_default=text("false")),
    # The turn that answers it (user), or whose answer it is (assistant). No foreign key, so that a message can be
    # stored before its turn.
    Column("turn_id", ID),
    Column("erased_at", UtcTime),
    UniqueConstraint("platform", "workspace", "channel", "message_id"),
    Index(None, "turn_id"),
    Index(None, "conversation_id", "generation", "id"),
    Index("ix_message_overheard", "conversation_id", "sent_at", **partial(_OVERHEARD)),
)

delivery = Table(
    "delivery",
    metadata,
    Column("platform", String(32), primary_key=True),
    Column("delivery_id", String(128), primary_key=True),
    Column("received_at", UtcTime, nullable=False),
    Index(None, "received_at"),
)

turn = Table(
    "turn",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("generation", Integer, nullable=False),
    # Order of arrival within the conversation, from conversation.next_seq.
    Column("seq", Integer, nullable=False),
    Column("sent_at", UtcTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Given back by a process that shut down in order: the next claim is no attempt.
    Column("handed_over", Boolean, nullable=False, server_default=text("false")),
    Column("lang", String(8), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("touched_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("waiting_until", UtcTime),
    # An end asked for from outside: stopped, superseded or withdrawn.
    Column("end_as", String(16)),
    Column("end_asked_at", UtcTime),
    Column("end_asked_by", String(128)),
    # Why it was refused or how it failed: a code of bot.texts; or "erased", with its conversation.
    Column("reason", String(64)),
    Column("merged_into", ID),
    Column("retry_of", ID),
    # A command that was given by mentioning the agent, in its canonical words; the worker runs it instead of the agent.
    Column("command", String(200)),
    Column("profile_id", ID),
    Column("answer", Text),
    # Notes, sources, model, usage: what the page shows below the answer.
    Column("answer_meta", JSON),
    UniqueConstraint("conversation_id", "seq"),
    Index("ix_turn_live", "conversation_id", "state", **partial(_LIVE_TURN)),
    Index("ix_turn_history", "conversation_id", "generation", "finished_at"),
    Index(None, "merged_into"),
    Index(None, "retry_of"),
)

step = Table(
    "step",
    metadata,
    Column("id", ID, primary_key=True),
    Column("turn_id", ForeignKey("turn.id", ondelete="CASCADE"), nullable=False),
    Column("key", String(64), nullable=False),
    Column("writes", Boolean, nullable=False, server_default=text("false")),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("detail", JSON),
    Column("result", JSON),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    UniqueConstraint("turn_id", "key"),
)

part = Table(
    "part",
    metadata,
    Column("id", ID, primary_key=True),
    Column("turn_id", ForeignKey("turn.id", ondelete="CASCADE"), nullable=False),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("external_id", String(128)),
    Column("epoch", Integer, nullable=False),
    Column("intended_at", UtcTime, nullable=False),
    Column("posted_at", UtcTime),
    UniqueConstraint("turn_id", "position"),
    Index(None, "conversation_id", "external_id"),
    Index("ix_part_open", "intended_at", **partial("state = 'intended'")),
)

draft = Table(
    "draft",
    metadata,
    Column("turn_id", ForeignKey("turn.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Index(None, "conversation_id"),
)

job = Table(
    "job",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(64)),
    Column("lease_until", UtcTime),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("progress", JSON),
    Column("error", String(500)),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("run_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Index("uq_job_live", "kind", "key", unique=True, **partial(_LIVE_JOB)),
    Index("ix_job_due", "run_at", **partial(_LIVE_JOB)),
)

job_part = Table(
    "job_part",
    metadata,
    # The messages that a job has posted; as in `part`.
    Column("job_id", ForeignKey("job.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("platform", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("external_id", String(128)),
    Column("epoch", Integer, nullable=False),
    Column("intended_at", UtcTime, nullable=False),
    Column("posted_at", UtcTime),
    Index(None, "platform", "external_id"),
    Index("ix_job_part_open", "intended_at", **partial("state = 'intended'")),
)

watermark = Table(
    "watermark",
    metadata,
    # Up to which number everything that was said in a channel or a thread has been handed on, on platforms that don't
    # deliver again what was missed.
    Column("platform", String(32), primary_key=True),
    Column("workspace", String(128), primary_key=True),
    Column("place", String(128), primary_key=True),
    Column("mark", BigInteger, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

blob = Table(
    "blob",
    metadata,
    # SHA-256 of the bytes, in hex.
    Column("digest", String(64), primary_key=True),
    Column("media_type", String(128), nullable=False),
    Column("size", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

profile = Table(
    "profile",
    metadata,
    Column("id", ID, primary_key=True),
    # default, workspace, channel or thread.
    Column("scope", String(16), nullable=False),
    Column("scope_key", String(255), nullable=False),
    Column("version", Integer, nullable=False),
    # Only the values that are set here; the rest is inherited.
    Column("data", JSON, nullable=False),
    Column("author_id", String(128), nullable=False),
    Column("author_name", String(200), nullable=False, server_default=text("''")),
    # The version that this one brings back, if it does.
    Column("restores", Integer),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("scope", "scope_key", "version"),
)

endpoint = Table(
    "endpoint",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    # Encrypted JSON: address, key, model and everything else about it (the address may hold credentials).
    Column("sealed", Text, nullable=False),
    # Raised by every change, so that other processes notice.
    Column("version", Integer, nullable=False, server_default="1"),
    Column("author_id", String(128), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", ID, primary_key=True),
    Column("turn_id", ForeignKey("turn.id", ondelete="CASCADE"), nullable=False),
    Column("author_id", String(128), nullable=False),
    # 1 thumb up, -1 thumb down, 0 neither.
    Column("value", Integer, nullable=False),
    # From 1 to 5 where somebody gave one.
    Column("rating", Integer),
    # What wrote the answer: agent system and model.
    Column("style", String(32)),
    Column("model", String(200)),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("turn_id", "author_id"),
)

person = Table(
    "person",
    metadata,
    # As the platform described them when they were last looked up.
    Column("platform", String(32), primary_key=True),
    Column("workspace", String(128), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("name", String(200), nullable=False, server_default=text("''")),
    Column("kind", String(16), nullable=False),
    Column("team", String(64), nullable=False, server_default=text("''")),
    Column("is_admin", Boolean, nullable=False, server_default=text("false")),
    Column("zone", String(64), nullable=False, server_default=text("''")),
    Column("lang", String(8)),
    Column("fetched_at", UtcTime, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    # One row per turn that was let in: what limits and the usage command count.
    Column("turn_id", ForeignKey("turn.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("platform", String(32), nullable=False),
    Column("workspace", String(128), nullable=False),
    Column("channel", String(128), nullable=False),
    Column("author_id", String(128), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("prompt_tokens", Integer, nullable=False, server_default="0"),
    Column("completion_tokens", Integer, nullable=False, server_default="0"),
    Index(None, "platform", "workspace", "author_id", "at"),
    Index(None, "platform", "workspace", "channel", "at"),
)

installation = Table(
    "installation",
    metadata,
    Column("id", ID, primary_key=True),
    Column("platform", String(32), nullable=False),
    # The workspace, or the organisation where an app is installed for all of its workspaces.
    Column("workspace", String(128), nullable=False),
    # Encrypted JSON: tokens and everything else about it. Where there is no secret, a hash of what was registered.
    Column("sealed", Text, nullable=False),
    # Raised by every change, so that other processes notice.
    Column("version", Integer, nullable=False, server_default="1"),
    # active or revoked.
    Column("state", String(16), nullable=False),
    Column("installed_by", String(128), nullable=False, server_default=text("''")),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("platform", "workspace"),
)
