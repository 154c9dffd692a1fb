"""The tables. Every row that belongs to a tenant carries `install_id`, and every question asks for it."""

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
    MetaData,
    SmallInteger,
    Table,
    UniqueConstraint,
    false,
    literal_column,
)

from canvas.domain.message import IN_FLIGHT
from canvas.store.database import Document, Instant, Name, VendorId, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSON(none_as_null=True)

installs = Table(
    "installs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("platform", Name(16), nullable=False),
    Column("external_id", Name(64), nullable=False),
    Column("name", Name(200)),
    Column("region", Name(8)),
    Column("status", Name(16), nullable=False, default="active"),
    Column("token_sealed", Words),
    # One renewal of an expiring token at a time: whoever moves this into the future renews.
    Column("renewing_until", Instant),
    Column("removed_at", Instant),
    Column("settings", Json, nullable=False, default=dict),
    # {reason: {fix: [tried, arrived]}}: read with the install, so that ranking the fixes costs no question.
    Column("fix_scores", Json),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("platform", "external_id"),
)

channels = Table(
    "channels",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Name(16), nullable=False),
    Column("name", Name(200), nullable=False),
    Column("number", Name(20)),
    Column("key_sealed", Words, nullable=False),
    Column("key_hash", Name(64), nullable=False, index=True),
    Column("key_last4", Name(4), nullable=False),
    Column("worked_at", Instant),
    Column("delivered_at", Instant),
    Column("changed_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("removed_at", Instant),
    Index("ix_channels_install", "install_id"),
)

# A key is shared property: a block or a budget holds for every channel and process that uses it.
key_limits = Table(
    "key_limits",
    metadata,
    Column("key_hash", Name(64), primary_key=True),
    Column("blocked_until", Instant),
    Column("next_poll_at", Instant),
    # Where the queue of those who wait for a turn ends.
    Column("poll_tail", Instant),
    # Requests in this minute and in the one before; `tolerated` is what was let through when a 429 came.
    Column("minute", Instant),
    Column("used", Integer, nullable=False, server_default="0"),
    Column("used_before", Integer, nullable=False, server_default="0"),
    Column("tolerated", Integer),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Name(40), primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("channel_id", Integer),
    Column("channel", Name(16), nullable=False),
    Column("status", Name(16), nullable=False),
    Column("raw_to", Name(64), nullable=False, default=""),
    Column("to", Name(20)),
    Column("content", Json, nullable=False, default=dict),
    Column("template_id", VendorId(64)),
    Column("preview", Words),
    Column("contact_id", Name(64)),
    Column("conversation_id", Name(64)),
    Column("source", Name(16), nullable=False),
    Column("sender", Json),
    Column("sender_key", Name(80)),
    Column("number_end", Name(4)),
    Column("octopods_id", VendorId(64)),
    Column("request_id", VendorId(64)),
    Column("provider_id", VendorId(128)),
    Column("failure", Json),
    Column("failure_raw", Words),
    Column("doubt", Words),
    Column("reason", Name(40)),
    Column("category", Name(16)),
    Column("diagnosis", Json),
    Column("keeps_failing", Boolean, nullable=False, default=False, server_default=false()),
    # At most once: the database itself refuses a second message sent for the same failed one.
    Column("parent_id", Name(40), unique=True),
    Column("thread_id", Name(40), nullable=False),
    Column("attempt", SmallInteger, nullable=False, default=1),
    Column("fix_id", Name(40)),
    Column("open", Boolean, nullable=False, default=False),
    Column("handled_at", Instant),
    Column("handled_by", Json),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("failed_at", Instant),
    Column("version", Integer, nullable=False, default=1),
    Column("content_dropped", Boolean, nullable=False, default=False, server_default=false()),
    UniqueConstraint("install_id", "channel", "octopods_id"),
    Index("ix_messages_install", "install_id", "id"),
    Index("ix_messages_thread", "install_id", "thread_id", "id"),
    # A provider's id is one message's: told twice at once, a failure is still one row.
    Index("uq_messages_provider", "install_id", "provider_id", "channel", unique=True),
)
# What a card asks for: the open messages of one person, newest first. Partial, so it stays small for ever.
_open = messages.c.open.is_(True)
Index(
    "ix_messages_open_contact",
    messages.c.install_id,
    messages.c.contact_id,
    messages.c.id,
    sqlite_where=_open,
    postgresql_where=_open,
)
Index(
    "ix_messages_open_to",
    messages.c.install_id,
    messages.c.to,
    messages.c.id,
    sqlite_where=_open,
    postgresql_where=_open,
)
# Sends that were answered with a request id alone (Viber, HubSpot workspaces) are asked for by it.
_request = messages.c.octopods_id.is_(None)
Index(
    "ix_messages_request",
    messages.c.install_id,
    messages.c.request_id,
    sqlite_where=_request,
    postgresql_where=_request,
)
# What the history filters by: each index ends in the id, so that a page of any filter is one range of it.
Index("ix_messages_status", messages.c.install_id, messages.c.status, messages.c.id)
Index("ix_messages_channel", messages.c.install_id, messages.c.channel, messages.c.id)
for _name, _when in {
    "attention": _open,
    **{name: messages.c[name].is_not(None) for name in ("reason", "category", "template_id", "contact_id")},
    **{name: messages.c[name].is_not(None) for name in ("sender_key", "number_end")},
}.items():
    _column = [messages.c[_name]] if _name in messages.c else []
    Index(
        f"ix_messages_{_name}",
        messages.c.install_id,
        *_column,
        messages.c.id,
        sqlite_where=_when,
        postgresql_where=_when,
    )
# What the purge drops contents by. Written out, so that SQLite, too, sees that its questions fit the indexes.
settled_with_content = (
    messages.c.content_dropped.is_(False)
    & messages.c.open.is_(False)
    & literal_column(f"status NOT IN ({', '.join(sorted(repr(str(status)) for status in IN_FLIGHT))})")
)
_handled = settled_with_content & messages.c.handled_at.is_not(None)
Index(
    "ix_messages_settled",
    messages.c.updated_at,
    sqlite_where=settled_with_content,
    postgresql_where=settled_with_content,
)
Index("ix_messages_handled", messages.c.handled_at, sqlite_where=_handled, postgresql_where=_handled)
_sending = messages.c.status == "sending"
Index("ix_messages_sending", messages.c.updated_at, sqlite_where=_sending, postgresql_where=_sending)

actions = Table(
    "actions",
    metadata,
    Column("id", Name(40), primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", Name(40)),
    Column("kind", Name(24), nullable=False),
    Column("key", Name(120), nullable=False, unique=True),
    Column("state", Name(16), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("lease", Name(40)),
    Column("tries", Integer, nullable=False, default=0),
    Column("payload", Document, nullable=False, default=dict),
    Column("result", Json),
    Column("actor", Json),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index("ix_actions_due", "state", "due_at"),
    Index("ix_actions_message", "message_id"),
)
# Deeds about no message: a few for each install, however many sends there were.
_alone = actions.c.message_id.is_(None)
Index("ix_actions_alone", actions.c.kind, actions.c.key, sqlite_where=_alone, postgresql_where=_alone)

templates = Table(
    "templates",
    metadata,
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), primary_key=True),
    Column("channel_id", Integer, primary_key=True),
    Column("template_id", VendorId(64), primary_key=True),
    Column("data", Json, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

# `to` is the number, or its keyed hash once the person was erased.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), primary_key=True),
    Column("to", Name(64), primary_key=True),
    Column("channel", Name(16), primary_key=True),
    Column("message_id", Name(40)),
    Column("created_at", Instant, nullable=False),
)

# Failure texts nobody knows, by their shape: what an admin may name, for this install, without a release.
unknown_reasons = Table(
    "unknown_reasons",
    metadata,
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), primary_key=True),
    Column("shape_hash", Name(64), primary_key=True),
    Column("shape", Words, nullable=False),
    Column("example", Words, nullable=False),
    Column("channel", Name(16), nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("reason", Name(40)),
)

# Token buckets shared by all processes: the moment (epoch milliseconds) at which each would be full again.
rates = Table(
    "rates",
    metadata,
    Column("bucket", Name(80), primary_key=True),
    Column("full_at", BigInteger, nullable=False),
)

# What all processes counted, added up; read by /metrics.
counts = Table(
    "counts",
    metadata,
    Column("name", Name(40), primary_key=True),
    Column("label", Name(120), primary_key=True),
    Column("sublabel", Name(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# Append-only: the database refuses to change a line (see the triggers in migration 0003_audit).
audit = Table(
    "audit",
    metadata,
    Column("id", Integer().with_variant(BigInteger, "postgresql"), primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor_kind", Name(24), nullable=False),
    Column("actor_id", Name(64)),
    Column("actor_name", Name(200)),
    Column("deed", Name(40), nullable=False),
    Column("about", Name(64)),
    Column("before", Json),
    Column("after", Json),
    Column("result", Words),
    Index("ix_audit_install", "install_id", "id"),
    Index("ix_audit_at", "at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Name(255), primary_key=True),
    Column("request_hash", Name(64), nullable=False),
    Column("message_id", Name(40), nullable=False),
    Column("state", Name(16), nullable=False),
    Column("status", SmallInteger),
    Column("content_type", Name(200)),
    Column("body", LargeBinary),
    Column("created_at", Instant, nullable=False),
    Index("ix_idempotency_created", "created_at"),
)

teammates = Table(
    "teammates",
    metadata,
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", Name(64), primary_key=True),
    Column("name", Name(200), nullable=False),
    Column("role", Name(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("signed_in_at", Instant),
    Column("removed_at", Instant),
)

# Only the hash of what the cookie holds is kept, so that a copy of this table opens nothing.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Name(64), primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", Name(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_sessions_teammate", "install_id", "person_id"),
)

# Belongs to nobody yet: who comes back from the authorize page is known only then.
oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state_hash", Name(64), primary_key=True),
    Column("platform", Name(16), nullable=False),
    Column("browser_hash", Name(64), nullable=False),
    Column("region", Name(2), nullable=False),
    Column("back", Name(200), nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("used_at", Instant),
)

# Numbers and vendors' ids of what was erased, as keyed hashes: so that a list or a hook does not bring it back.
erased = Table(
    "erased",
    metadata,
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), primary_key=True),
    Column("name_hash", Name(64), primary_key=True),
    Column("erased_at", Instant, nullable=False),
)

# How far each WhatsApp channel's list was read, and the stretches of it that passed by unseen.
list_marks = Table(
    "list_marks",
    metadata,
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), primary_key=True),
    Column("channel_id", Integer, primary_key=True),
    Column("newest_id", Name(64), nullable=False),
    Column("newest_at", Instant, nullable=False),
)
list_gaps = Table(
    "list_gaps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("channel_id", Integer, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("to_at", Instant, nullable=False),
    Column("at_most", Integer),
    Column("noticed_at", Instant, nullable=False),
    Index("ix_list_gaps_install", "install_id", "id"),
)

hook_secrets = Table(
    "hook_secrets",
    metadata,
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Name(16), primary_key=True),
    Column("secret_sealed", Words, nullable=False),
    Column("verify_sealed", Words),
    Column("changed_at", Instant, nullable=False),
)

# What happened on each day, by what it may be asked for; a worker counts, so that no page ever counts messages.
# An empty text stands for none: it belongs to the key. `cured` is the reason of the message that a fix was for.
day_tallies = Table(
    "day_tallies",
    metadata,
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), primary_key=True),
    Column("day", Name(10), primary_key=True),
    Column("channel", Name(16), primary_key=True),
    Column("template_id", VendorId(64), primary_key=True),
    Column("reason", Name(40), primary_key=True),
    Column("fix_id", Name(40), primary_key=True),
    Column("cured", Name(40), primary_key=True),
    Column("total", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("first_failed", Integer, nullable=False),
    Column("arrived", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
)

# One cause that hits many people. `open_key` is there while it is open, so that each is opened once.
incidents = Table(
    "incidents",
    metadata,
    Column("id", Name(40), primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("open_key", Name(200), unique=True),
    Column("scope", Name(16), nullable=False),
    Column("reason", Name(40), nullable=False),
    Column("channel", Name(16), nullable=False),
    Column("channel_id", Integer),
    Column("template_id", VendorId(64)),
    Column("people", Integer, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("first_id", Name(40), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("solved_at", Instant),
    Index("ix_incidents_install", "install_id", "id"),
)

alert_events = Table(
    "alert_events",
    metadata,
    Column("id", Name(40), primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("target", Name(16), nullable=False),
    Column("key", Name(120), nullable=False),
    Column("kind", Name(24), nullable=False),
    Column("title", Name(200), nullable=False),
    Column("text", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("told_at", Instant),
    UniqueConstraint("install_id", "target", "key"),
)

# Many fixes at once. A job is a draft (the dry run) until somebody starts it; its items are the truth of its progress.
bulk_jobs = Table(
    "bulk_jobs",
    metadata,
    Column("id", Name(40), primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("state", Name(16), nullable=False),
    Column("choice", Name(24), nullable=False),
    Column("filter", Document, nullable=False),
    Column("actor", Json, nullable=False),
    Column("spread", Json, nullable=False, default=dict),
    Column("note", Words),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Index("ix_bulk_jobs_install", "install_id", "id"),
)

bulk_items = Table(
    "bulk_items",
    metadata,
    Column("job_id", Name(40), ForeignKey("bulk_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("message_id", Name(40), primary_key=True),
    Column("install_id", Integer, ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("fix_id", Name(40)),
    Column("target", Integer),
    Column("state", Name(16), nullable=False),
    Column("why", Words),
    Column("child_id", Name(40)),
    Index("ix_bulk_items_state", "job_id", "state", "message_id"),
)
