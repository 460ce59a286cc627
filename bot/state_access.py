"""Who may see a shop, who asked to, and what was done: grants by person and shop, requests, the audit log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from bot import state_tables as t

if TYPE_CHECKING:
    from bot.state import State

_ASK_AGAIN_AFTER = 3600.0  # seconds: an owner hears of one stranger once an hour


@dataclass(frozen=True)
class Grant:
    """`role` is viewer, operator or admin; `by` gave it; `at` in seconds since 1970."""

    person: int
    shop: str
    role: str
    name: str
    by: int
    at: float


@dataclass(frozen=True)
class Request:
    """`shop` is None when the person did not say which; `chat` is where the answer is waited for."""

    person: int
    shop: str | None
    name: str
    chat: int
    at: float


@dataclass(frozen=True)
class AuditRow:
    id: int
    at: float
    actor: int
    shop: str
    action: str
    detail: dict[str, Any]


def grant(state: State, person: int, shop: str, role: str, by: int, name: str = "") -> None:
    """Give `role` in `shop`, instead of any earlier one; the person's open requests for it are settled."""
    values = {"role": role, "name": name, "by": by, "at": state.now()}
    given = state.insert(t.grants).values(person=person, shop=shop, **values)
    with state.transaction() as connection:
        connection.execute(given.on_conflict_do_update(index_elements=["person", "shop"], set_=values))
        connection.execute(delete(t.requests).where(t.requests.c.person == person, t.requests.c.shop.in_([shop, ""])))


def revoke(state: State, person: int, shop: str) -> bool:
    """Whether there was something to take away."""
    return state.write(delete(t.grants).where(t.grants.c.person == person, t.grants.c.shop == shop)) > 0


def role(state: State, person: int, shop: str) -> str | None:
    rows = state.rows(select(t.grants.c.role).where(t.grants.c.person == person, t.grants.c.shop == shop))
    return str(rows[0].role) if rows else None


def shops_of(state: State, person: int) -> list[tuple[str, str]]:
    """(shop, role) for each shop the person may see."""
    found = select(t.grants.c.shop, t.grants.c.role).where(t.grants.c.person == person).order_by(t.grants.c.shop)
    return [(r.shop, r.role) for r in state.rows(found)]


def people(state: State, shop: str) -> list[Grant]:
    found = select(t.grants).where(t.grants.c.shop == shop).order_by(t.grants.c.at, t.grants.c.person)
    return [Grant(**r._mapping) for r in state.rows(found)]


def request_access(state: State, person: int, name: str, chat: int, shop: str | None = None) -> bool:
    """Whether this is worth telling the owner: the person has not asked for this shop in the last hour."""
    now = state.now()
    values = {"name": name, "chat": chat, "at": now}
    asked = state.insert(t.requests).values(person=person, shop=shop or "", **values)
    return (
        state.write(
            asked.on_conflict_do_update(
                index_elements=["person", "shop"], set_=values, where=t.requests.c.at <= now - _ASK_AGAIN_AFTER
            )
        )
        > 0
    )


def requests(state: State) -> list[Request]:
    """Requests not granted yet, oldest first."""
    found = state.rows(select(t.requests).order_by(t.requests.c.at, t.requests.c.person))
    return [Request(r.person, r.shop or None, r.name, r.chat, r.at) for r in found]


def audit(state: State, actor: int, shop: str, action: str, detail: dict[str, Any]) -> None:
    """Write down who did what. Nothing in the code changes or deletes such a row."""
    words = json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str)
    state.write(
        insert(t.audit).values(at=state.now(), actor=actor, shop=shop, action=action, detail=words), durable=True
    )


def audit_rows(state: State, shop: str, limit: int = 50) -> list[AuditRow]:
    """The newest first."""
    found = select(t.audit).where(t.audit.c.shop == shop).order_by(t.audit.c.id.desc()).limit(limit)
    return [AuditRow(**{**r._mapping, "detail": json.loads(r.detail)}) for r in state.rows(found)]
