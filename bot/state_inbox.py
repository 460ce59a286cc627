"""Updates that came in, each answered once: received → working → sending → done, unknown or failed. Workers and leases.

Who gets True from `begin` works on an update, who gets True from `sending` may write to the chat: nobody else does, also
when a worker that was taken for dead wakes up again. An update whose worker died while sending may have been answered; it
is not answered again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, or_, select, update

from bot import state_tables as t

if TYPE_CHECKING:
    from bot.state import State


@dataclass(frozen=True)
class Received:
    """`payload` is the update as JSON; `received_at` in seconds since 1970."""

    bot: int
    update_id: int
    chat: int | None
    payload: str
    status: str
    worker: str
    received_at: float


_RECEIVED = [t.inbox.c[name] for name in Received.__dataclass_fields__]


# Every update runs through these, so they are built once: building costs as much as running.
_ONE = and_(t.inbox.c.bot == bindparam("b_bot"), t.inbox.c.update_id == bindparam("b_id"))
_CHANGE: dict[str, ColumnElement[Any]] = {"status": bindparam("to"), "changed_at": bindparam("now")}
_BEGIN = (
    update(t.inbox)
    .where(_ONE, t.inbox.c.status == "received", t.inbox.c.worker == bindparam("b_worker"))
    .values(_CHANGE)
)
_SENDING = update(t.inbox).where(_ONE, t.inbox.c.status == "working").values(_CHANGE)
_DONE = update(t.inbox).where(_ONE, t.still_open).values({**_CHANGE, "payload": ""})
_OLDER = (
    select(t.inbox.c.update_id)
    .where(
        t.inbox.c.bot == bindparam("b_bot"),
        t.inbox.c.chat == bindparam("b_chat"),
        t.inbox.c.update_id < bindparam("b_id"),
        t.still_open,
    )
    .limit(1)
)


def receive(state: State, bot: int, update_id: int, chat: int | None, payload: str, worker: str) -> bool:
    """Write an update down for `worker`. False when it is known already."""
    now = state.now()
    row = {
        "bot": bot, "update_id": update_id, "chat": chat, "payload": payload, "status": "received", "worker": worker,
        "received_at": now, "changed_at": now,
    }  # fmt: skip
    return state.write(state.insert(t.inbox).on_conflict_do_nothing(), row) > 0


def begin(state: State, bot: int, update_id: int, worker: str) -> bool:
    """received → working, once, and only for the worker that holds it."""
    values = {"b_bot": bot, "b_id": update_id, "b_worker": worker, "to": "working", "now": state.now()}
    return state.write(_BEGIN, values) > 0


def sending(state: State, bot: int, update_id: int) -> bool:
    """working → sending, once. False: somebody else has this update; do not write to the chat."""
    values = {"b_bot": bot, "b_id": update_id, "to": "sending", "now": state.now()}
    return state.write(_SENDING, values, durable=True) > 0


def done(state: State, bot: int, update_id: int, outcome: str = "done") -> bool:
    """Close an update as done, unknown (it may have been answered) or failed. What the person wrote is not kept."""
    if outcome not in ("done", "unknown", "failed"):
        raise ValueError(f"no outcome {outcome!r}")
    return state.write(_DONE, {"b_bot": bot, "b_id": update_id, "to": outcome, "now": state.now()}) > 0


def orphans(state: State, bot: int, live_since: float) -> list[Received]:
    """Open updates whose worker has not been seen since `live_since` (seconds since 1970), oldest first."""
    found = select(*_RECEIVED).where(t.inbox.c.bot == bot, t.still_open, t.inbox.c.worker.not_in(living(live_since)))
    return [Received(**r._mapping) for r in state.rows(found.order_by(t.inbox.c.update_id))]


def adopt(state: State, bot: int, update_id: int, old_worker: str, new_worker: str) -> bool:
    """Take over an open update of a dead worker; the first to do so gets True.

    One that was being worked on is received again; one that was being sent stays so: close it as unknown.
    """
    theirs = update(t.inbox).where(_ONE, t.still_open, t.inbox.c.worker == old_worker)
    status = case((t.inbox.c.status == "working", "received"), else_=t.inbox.c.status)
    taken = theirs.values(worker=new_worker, status=status, changed_at=state.now())
    return state.write(taken, {"b_bot": bot, "b_id": update_id}) > 0


def older_open(state: State, bot: int, chat: int, update_id: int) -> bool:
    """Whether an earlier update of the same chat is still open: answers keep the order of the questions."""
    return bool(state.rows(_OLDER, {"b_bot": bot, "b_chat": chat, "b_id": update_id}))


_NEAR = 8  # webhook calls that overtake each other are neighbours


def gap_before(state: State, bot: int, update_id: int) -> bool:
    """Whether one of the updates just before this one has not come in: Telegram numbers them one after the other."""
    near = and_(t.inbox.c.bot == bot, t.inbox.c.update_id.between(update_id - _NEAR, update_id - 1))
    return len(state.rows(select(t.inbox.c.update_id).where(near))) < _NEAR


def prune_inbox(state: State, before: float) -> int:
    """Forget closed updates from before `before` (seconds since 1970): at least two days, Telegram repeats for one."""
    return state.write(delete(t.inbox).where(~t.still_open, t.inbox.c.changed_at < before))


def beat(state: State, worker: str, now: float) -> None:
    """The worker is alive at `now` (seconds since 1970)."""
    alive = state.insert(t.workers).values(name=worker, seen=now)
    state.write(alive.on_conflict_do_update(index_elements=["name"], set_={"seen": now}))


def live(state: State, since: float) -> set[str]:
    """The workers seen since `since` (seconds since 1970)."""
    return {r.name for r in state.rows(living(since))}


def living(since: float) -> Select[tuple[str]]:
    return select(t.workers.c.name).where(t.workers.c.seen >= since)


def leave(state: State, worker: str) -> None:
    """The worker stops: what it leaves open is taken over at once, its leases are free."""
    state.write(delete(t.workers).where(t.workers.c.name == worker))
    state.write(delete(t.locks).where(t.locks.c.worker == worker))


def lock(state: State, name: str, worker: str, ttl: float) -> bool:
    """Lease `name` for `ttl` seconds. Who holds it already renews it; False while somebody else does."""
    now = state.now()
    values = {"worker": worker, "until": now + ttl}
    lease = state.insert(t.locks).values(name=name, **values)
    free = or_(t.locks.c.until <= now, t.locks.c.worker == worker)
    return state.write(lease.on_conflict_do_update(index_elements=["name"], set_=values, where=free)) > 0


def unlock(state: State, name: str, worker: str) -> bool:
    """Give a lease back; False when it was not (or no longer) the worker's."""
    return state.write(delete(t.locks).where(t.locks.c.name == name, t.locks.c.worker == worker)) > 0
