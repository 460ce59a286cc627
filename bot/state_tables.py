"""The tables of the state, and the values they hold. Moments are seconds since 1970 (UTC); a shop's days are ISO text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    inspect,
    literal_column,
    select,
    update,
)
from sqlalchemy.types import TypeDecorator

SCHEMA = 2  # one more with every change of the tables; a database of a later version is left alone
_OPEN = ("received", "working", "sending")  # an update that still owes an answer

metadata = MetaData()


class Words(TypeDecorator[str]):
    """Text that a database takes: Telegram lets NUL and half surrogates through in names, PostgreSQL does not."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if isinstance(value, str) and not value.isascii():
            value = value.encode("utf-8", "replace").decode("utf-8")
        return value.replace("\0", "") if isinstance(value, str) else value


def _table(name: str, *columns: Any) -> Table:
    """A table whose name tells it apart where the database is shared with other programs."""
    return Table(f"warroom_{name}", metadata, *columns)


def _words(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Words, primary_key=key, nullable=False)


def _id(name: str, *, key: bool = False) -> Column[int]:
    """Telegram's ids have up to 52 bits."""
    return Column(name, BigInteger, primary_key=key, nullable=False, autoincrement=False)


def _moment(name: str) -> Column[float]:
    return Column(name, Double, nullable=False)


schema = _table("schema", Column("one", Integer, primary_key=True), Column("version", Integer, nullable=False))

grants = _table(
    "grants",
    _id("person", key=True),
    _words("shop", key=True),
    _words("role"),
    _words("name"),
    _id("by"),
    _moment("at"),
    CheckConstraint("role IN ('viewer', 'operator', 'admin')"),
)
requests = _table(  # shop '' = the person did not say which
    "requests", _id("person", key=True), _words("shop", key=True), _words("name"), _id("chat"), _moment("at")
)
audit = _table(
    "audit",
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _moment("at"),
    _id("actor"),
    Column("shop", Words, nullable=False, index=True),
    _words("action"),
    _words("detail"),
)

chats = _table(
    "chats",
    _id("id", key=True),
    _words("shop"),
    _words("kind"),
    _words("title"),
    Column("lang", Words),
    Column("active", Boolean, nullable=False),
    _id("bound_by"),
    _moment("at"),
)
moves = _table("moves", _id("old", key=True), _id("new"))
subscriptions = _table(
    "subscriptions",
    Column(
        "chat",
        BigInteger,
        ForeignKey(chats.c.id, ondelete="CASCADE", onupdate="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("thread", BigInteger),
    _words("at"),
    _id("by"),
)

answers = _table(
    "answers",
    _words("token", key=True),
    _words("shop"),
    _id("chat"),
    Column("thread", BigInteger),
    _id("person"),
    _words("question"),
    _words("answer"),
    Column("message_id", BigInteger),
    Column("created", Double, nullable=False, index=True),
)
feedback = _table(
    "feedback",
    Column("token", Words, ForeignKey(answers.c.token, ondelete="CASCADE"), primary_key=True),
    _id("person", key=True),
    Column("value", SmallInteger, CheckConstraint("value IN (-1, 1)"), nullable=False),
    _moment("at"),
)
approvals = _table(
    "approvals",
    _words("draft_id", key=True),
    Column("token", Words, nullable=False, index=True),
    _words("shop"),
    _id("person"),
    _words("status"),
    _moment("at"),
    Column("decided_by", BigInteger),
    Column("decided_at", Double),
)
uploads = _table(
    "uploads",
    _words("token", key=True),
    _words("shop"),
    _id("chat"),
    _id("person"),
    _words("kind"),
    _words("path"),
    _words("detail"),
    Column("taken_by", Words),
    _moment("at"),
)

inbox = _table(
    "inbox",
    _id("bot", key=True),
    _id("update_id", key=True),
    Column("chat", BigInteger),
    _words("payload"),
    _words("status"),
    _words("worker"),
    _moment("received_at"),
    _moment("changed_at"),
)
# Nearly all rows are done; what is asked at every update is about the few that are not.
# Written out, not bound: a planner uses the index only for a query that it can see to ask for the same.
still_open = inbox.c.status.in_([literal_column(f"'{status}'") for status in _OPEN])
Index(
    "warroom_inbox_open",
    inbox.c.bot,
    inbox.c.chat,
    inbox.c.update_id,
    sqlite_where=still_open,
    postgresql_where=still_open,
)

workers = _table("workers", _words("name", key=True), _moment("seen"))
locks = _table("locks", _words("name", key=True), _words("worker"), _moment("until"))

ledger = _table(
    "ledger",
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _words("shop"),
    _words("campaign"),
    _words("day"),
    _words("kind"),
    _id("chat"),
    _words("status"),
    _words("worker"),
    Column("message_id", BigInteger),
    _words("note"),
    _moment("claimed_at"),
    _moment("changed_at"),
    UniqueConstraint("campaign", "day", "kind", "chat"),
)

usage = _table(
    "usage",
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _words("shop"),
    _words("session"),
    _words("day"),
    _words("model"),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost", Double, nullable=False),
    _moment("at"),
    Index("warroom_usage_day", "shop", "day", "session"),
)


def current_chat(chat: int) -> ColumnElement[int]:
    """The id that `chat` has now: whoever still holds the id of a group from before it became a supergroup is right too."""
    return func.coalesce(select(moves.c.new).where(moves.c.old == chat).scalar_subquery(), chat)


def create(connection: Connection) -> int:
    """Make what is missing, inside the caller's transaction; the version found. A later version is not touched.

    Until now every version only added tables to the one before it, so that bringing one up to date is making what is missing.
    """
    if not inspect(connection).has_table(schema.name):
        schema.create(connection)
        connection.execute(insert(schema).values(one=1, version=SCHEMA))
    found = int(connection.execute(select(schema.c.version)).scalar_one())
    if found <= SCHEMA:
        metadata.create_all(connection)
        connection.execute(update(schema).values(version=SCHEMA))
    return found
