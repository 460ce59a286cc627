"""What must survive a restart and be agreed on by several processes: access, chats, answers, inbox, send ledger.

SQLite by default (WAL), PostgreSQL by URL. Every claim is one statement whose row count says who won; what needs several
statements runs in `State.transaction`, one at a time. Power may fail between a commit and the disk only where that loses
no more than a message not yet answered: what guards against sending twice is written through (`durable=True`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import URL, Connection, Engine, Executable, Table, create_engine, event, exc, make_url
from sqlalchemy.dialects import postgresql, sqlite

from bot import state_access, state_answers, state_chats, state_inbox, state_ledger, state_tables, state_usage
from bot.state_access import AuditRow, Grant, Request
from bot.state_answers import Approval, Saved, Upload
from bot.state_chats import Chat, Subscription
from bot.state_inbox import Received
from bot.state_ledger import LedgerKey, LedgerRow
from tools.errors import NeedsPerson

__all__ = [
    "Approval", "AuditRow", "Chat", "Grant", "LedgerKey", "LedgerRow", "Received", "Request", "Saved", "State",
    "Subscription", "Upload",
]  # fmt: skip

_BUSY_SECONDS = 30.0
_CONNECT_SECONDS = 5
_LOCK = 0x57415252  # the advisory lock of several-statement transactions on PostgreSQL


class State:
    """One open state database; safe to use from many threads and, each with its own State, many processes.

    Every method raises NeedsPerson when the database is away, full, broken or busy for longer than half a minute.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine  # a statement is a transaction of its own
        self._lite = engine.dialect.name == "sqlite"
        self._several = engine if self._lite else engine.execution_options(isolation_level="READ COMMITTED")
        self._insert = sqlite.insert if self._lite else postgresql.insert
        # SQLite has one writer at a time and lets the others sleep longer and longer: our own threads queue up instead.
        self._turn: AbstractContextManager[Any] = threading.Lock() if self._lite else nullcontext()
        self.now = clock

    @staticmethod
    def open(url: str, clock: Callable[[], float] = time.time) -> State:
        """The state at `url`: `sqlite:///path` or `postgresql://…`; tables are made where missing.

        `clock` gives seconds since 1970. NeedsPerson: the URL is not one of these, the database cannot be reached, or
        a later version of the war room has written it.
        """
        state = State(_engine(url), clock)
        try:
            with state.transaction() as connection:
                found = state_tables.create(connection)
                if found > state_tables.SCHEMA:
                    raise NeedsPerson("state_newer", where=state.where, found=found, known=state_tables.SCHEMA)
        except BaseException:
            state.close()
            raise
        return state

    def close(self) -> None:
        self._engine.dispose()

    @property
    def where(self) -> str:
        """The database as a person may see it: without a password."""
        return _shown(self._engine.url)

    # How the functions of state_*.py reach the database.

    def insert(self, table: Table) -> Any:
        """An INSERT that knows ON CONFLICT."""
        return self._insert(table)

    def write(self, statement: Executable, values: Mapping[str, Any] | None = None, *, durable: bool = False) -> int:
        """Run one statement as one transaction; the number of rows it changed. `durable`: on the disk when this returns."""
        with self._translated(), self._turn, self._engine.connect() as connection:
            if not (durable and self._lite):
                return connection.execute(statement, values).rowcount
            connection.exec_driver_sql("PRAGMA synchronous = FULL")
            try:
                return connection.execute(statement, values).rowcount
            finally:
                connection.exec_driver_sql("PRAGMA synchronous = NORMAL")

    def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """The rows of a SELECT, or of a statement with RETURNING."""
        with self._translated(), self._engine.connect() as connection:
            return connection.execute(statement, values).all()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Several statements, all or none. One at a time over all processes, so they may look before they write."""
        with self._translated(), self._turn, self._several.begin() as connection:
            lock = "BEGIN IMMEDIATE" if self._lite else f"SELECT pg_advisory_xact_lock({_LOCK})"
            connection.exec_driver_sql(lock)
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The one boundary to SQLAlchemy's errors: what a person can repair says so, the rest is our fault and is raised."""
        try:
            yield
        except (exc.IntegrityError, exc.ProgrammingError, exc.DataError):
            raise
        except exc.TimeoutError as e:  # every connection of the pool is in use
            raise NeedsPerson("state_busy", where=self.where) from e
        except exc.DatabaseError as e:
            reason = str(e.orig).strip().splitlines()[0].rstrip(".") if str(e.orig).strip() else type(e.orig).__name__
            if "is locked" in reason:
                raise NeedsPerson("state_busy", where=self.where) from e
            if "not a database" in reason or "malformed" in reason:
                raise NeedsPerson("state_broken", where=self.where) from e
            raise NeedsPerson("state_unreachable", where=self.where, reason=reason) from e

    # What the state can do, by subject; each is written where it says.

    grant, revoke, role = state_access.grant, state_access.revoke, state_access.role
    shops_of, people = state_access.shops_of, state_access.people
    request_access, requests = state_access.request_access, state_access.requests
    audit, audit_rows = state_access.audit, state_access.audit_rows

    bind, chat, chats, move = state_chats.bind, state_chats.chat, state_chats.chats, state_chats.move
    set_lang, set_active = state_chats.set_lang, state_chats.set_active
    subscribe, unsubscribe = state_chats.subscribe, state_chats.unsubscribe
    subscription, subscriptions = state_chats.subscription, state_chats.subscriptions

    save_answer, answer, set_message = state_answers.save_answer, state_answers.answer, state_answers.set_message
    feedback, feedback_of, prune = state_answers.feedback, state_answers.feedback_of, state_answers.prune
    submit, decide, approval = state_answers.submit, state_answers.decide, state_answers.approval
    stage, staged, take = state_answers.stage, state_answers.staged, state_answers.take
    put_back, drop_uploads = state_answers.put_back, state_answers.drop_uploads

    receive, begin, sending, done = state_inbox.receive, state_inbox.begin, state_inbox.sending, state_inbox.done
    orphans, adopt, older_open = state_inbox.orphans, state_inbox.adopt, state_inbox.older_open
    prune_inbox, gap_before = state_inbox.prune_inbox, state_inbox.gap_before
    beat, live, leave = state_inbox.beat, state_inbox.live, state_inbox.leave
    lock, unlock = state_inbox.lock, state_inbox.unlock

    claim, advance, reclaim = state_ledger.claim, state_ledger.advance, state_ledger.reclaim
    ledger, stuck = state_ledger.ledger, state_ledger.stuck

    spend, spent, spent_today = state_usage.spend, state_usage.spent, state_usage.spent_today


def _engine(url: str) -> Engine:
    """An engine on which each statement commits by itself."""
    try:
        at = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise NeedsPerson("bad_state_url") from None  # the reason could hold the password
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "execution_options": {"preserve_rowcount": True}}
    if at.drivername in ("postgres", "postgresql"):
        timeout = {} if "connect_timeout" in at.query else {"connect_timeout": _CONNECT_SECONDS}
        at = at.set(drivername="postgresql+psycopg")
        # A connection that a restart of the server has cut is noticed before it is used.
        return create_engine(at, connect_args=timeout, pool_pre_ping=True, **options)
    if at.drivername != "sqlite" or at.database in (None, "", ":memory:"):
        raise NeedsPerson("bad_state_url")
    engine = create_engine(at, connect_args={"timeout": _BUSY_SECONDS}, **options)

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: object) -> None:
        for pragma in ("journal_mode = WAL", "foreign_keys = ON", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _shown(url: URL) -> str:
    """A file's path, or the URL with its password starred out."""
    return str(url.database) if url.drivername == "sqlite" else url.render_as_string(hide_password=True)
