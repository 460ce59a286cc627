"""What is sent on its own (briefings): one row a campaign, day, kind and chat, claimed before sending.

    claimed → sending → sent | unknown | failed        claimed → missed: too late to send

`unknown` (the connection broke after the message may have left) is never sent again on its own. `sending → claimed` is for
a message that certainly did not leave: it may be tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, select, update

from bot import state_tables as t
from bot.state_inbox import living

if TYPE_CHECKING:
    from bot.state import State

STEPS = {
    "claimed": {"sending", "missed", "failed"},
    "sending": {"sent", "unknown", "failed", "claimed"},
}


@dataclass(frozen=True)
class LedgerKey:
    """`day` is the shop's day (YYYY-MM-DD)."""

    campaign: str
    day: str
    kind: str
    chat: int


@dataclass(frozen=True)
class LedgerRow:
    shop: str
    campaign: str
    day: str
    kind: str
    chat: int
    status: str
    worker: str
    message_id: int | None
    note: str
    claimed_at: float
    changed_at: float

    @property
    def key(self) -> LedgerKey:
        return LedgerKey(self.campaign, self.day, self.kind, self.chat)


_ROW = [t.ledger.c[name] for name in LedgerRow.__dataclass_fields__]


def claim(state: State, shop: str, campaign: str, day: str, kind: str, chat: int, worker: str) -> bool:
    """Whether `worker` is the one to send it: the first to ask is."""
    now = state.now()
    row = state.insert(t.ledger).values(
        shop=shop,
        campaign=campaign,
        day=day,
        kind=kind,
        chat=t.current_chat(chat),
        status="claimed",
        worker=worker,
        note="",
        claimed_at=now,
        changed_at=now,
    )
    return state.write(row.on_conflict_do_nothing(), durable=True) > 0


def advance(
    state: State, key: LedgerKey, from_status: str, to_status: str, message_id: int | None = None, note: str = ""
) -> bool:
    """One step of `STEPS`; False when the row is not (or no longer) at `from_status`: then do not send."""
    if to_status not in STEPS.get(from_status, ()):
        raise ValueError(f"no step from {from_status!r} to {to_status!r}")
    step = update(t.ledger).where(_is(key), t.ledger.c.status == from_status)
    values = {"status": to_status, "message_id": message_id, "note": note, "changed_at": state.now()}
    return state.write(step.values(values), durable=True) > 0


def reclaim(state: State, key: LedgerKey, old_worker: str, worker: str) -> bool:
    """Take over a row of a dead worker that is claimed or sending; the first to do so gets True."""
    theirs = update(t.ledger).where(
        _is(key), t.ledger.c.worker == old_worker, t.ledger.c.status.in_(["claimed", "sending"])
    )
    return state.write(theirs.values(worker=worker, changed_at=state.now()), durable=True) > 0


def ledger(state: State, shop: str | None = None, chat: int | None = None, limit: int = 50) -> list[LedgerRow]:
    """The newest first."""
    found = select(*_ROW).order_by(t.ledger.c.id.desc()).limit(limit)
    if shop is not None:
        found = found.where(t.ledger.c.shop == shop)
    if chat is not None:
        found = found.where(t.ledger.c.chat == t.current_chat(chat))
    return [LedgerRow(**r._mapping) for r in state.rows(found)]


def stuck(state: State, live_since: float) -> list[LedgerRow]:
    """Rows claimed or sending whose worker has not been seen since `live_since` (seconds since 1970), oldest first."""
    found = select(*_ROW).where(
        t.ledger.c.status.in_(["claimed", "sending"]), t.ledger.c.worker.not_in(living(live_since))
    )
    return [LedgerRow(**r._mapping) for r in state.rows(found.order_by(t.ledger.c.id))]


def _is(key: LedgerKey) -> ColumnElement[bool]:
    return and_(
        t.ledger.c.campaign == key.campaign,
        t.ledger.c.day == key.day,
        t.ledger.c.kind == key.kind,
        t.ledger.c.chat == t.current_chat(key.chat),
    )
