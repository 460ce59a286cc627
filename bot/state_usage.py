"""What language models cost: a row an answer, added up by day and chat. A chat's budget is checked against today's sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from bot import state_tables as t

if TYPE_CHECKING:
    from bot.state import State


@dataclass(frozen=True)
class Spent:
    """A day's use of one model by one shop; `cost` 0 where no price was set."""

    day: str
    model: str
    answers: int
    input_tokens: int
    output_tokens: int
    cost: float


def spend(
    state: State, shop: str, session: str, day: str, model: str, input_tokens: int, output_tokens: int, cost: float
) -> None:
    """Note what one answer used; `day` is the shop's (YYYY-MM-DD)."""
    row = {"shop": shop, "session": session, "day": day, "model": model, "cost": cost, "at": state.now()}
    state.write(insert(t.usage).values(**row, input_tokens=input_tokens, output_tokens=output_tokens))


def spent_today(state: State, shop: str, session: str, day: str) -> float:
    """What a conversation cost on a day."""
    u = t.usage.c
    query = select(func.coalesce(func.sum(u.cost), 0.0)).where(u.shop == shop, u.session == session, u.day == day)
    return float(state.rows(query)[0][0])


def spent(state: State, shop: str, since: str) -> list[Spent]:
    """A shop's use by day and model, newest day first."""
    u = t.usage.c
    sums = (func.count(), func.sum(u.input_tokens), func.sum(u.output_tokens), func.sum(u.cost))
    query = select(u.day, u.model, *sums).where(u.shop == shop, u.day >= since)
    rows = state.rows(query.group_by(u.day, u.model).order_by(u.day.desc(), u.model))
    return [Spent(day, model, int(n), int(sent), int(made), float(cost)) for day, model, n, sent, made, cost in rows]
