"""Metrics of crowds in a window, all of them from one statement (domain: metrics).

Per person there is one row with what the person did in the window and which of the asked crowds they are in. People with the
same memberships are added up first, so a crowd's number is a sum over few rows however many crowds are asked about. Ratios
are computed in the same statement: every number has a query that gives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from tools import audience
from tools.campaigns import Campaign, campaign_for, day_start
from tools.periods import Window
from tools.scope import Moments, Scope
from tools.shop import Thresholds

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.engine import Engine

SHOP_AMOUNT = "shop_paid_amount"
NO_VALUE = "—"
BY = ("day", "member_level", "city")
_COUNTS = ("visitors", "carters", "deposit_buyers", "balance_buyers", "cart_buyers", "buyers")
_AMOUNTS = {"presale_paid_amount": "balance_lines", "cart_paid_amount": "cart_lines", "paid_amount": "paid_lines"}


@dataclass(frozen=True)
class Cell:
    """One number: `value` is None where it has none (zero denominator, amounts unknown)."""

    crowd: str
    metric: str
    by: str | None
    value: float | int | None
    query: str


def scope_of(window: Window, campaigns: tuple[Campaign, ...], settings: Thresholds) -> Scope:
    """The scope of a window: its crowds are taken at its end, its campaign is that of its last day."""
    return Scope(window.until, campaign_for(window.last, campaigns), settings, window.first)


def compute(
    engine: Engine, metrics: Sequence[str], crowds: Sequence[str], window: Window, scope: Scope, by: str | None = None
) -> list[Cell]:
    """All `metrics` × `crowds` (keys or crowd expressions) of one window, in that order; with `by`, per value of it."""
    if by == "day":
        out = []
        for i in range(window.days):
            day = window.first + timedelta(days=i)
            part = Window(day, day, min(window.until, day_start(day) + timedelta(days=1, seconds=-1)))
            day_scope = Scope(part.until, scope.campaign, scope.settings, day)
            out += [
                Cell(c.crowd, c.metric, day.isoformat(), c.value, c.query)
                for c in compute(engine, metrics, crowds, part, day_scope)
            ]
        return out
    sql = statement(engine, metrics, crowds, scope, by)
    rows = engine.query(sql)
    found: dict[tuple[str, str | None], dict[str, Any]] = {(r["crowd"], r.get("by")): r for r in rows}
    values = sorted({r["by"] for r in rows}) if by else [None]
    return [
        Cell(crowd, metric, value, row[metric], _cell_query(sql, metric, crowd, value))
        for crowd in crowds
        for metric in metrics
        for value in values
        if (row := found.get((crowd, value))) is not None
    ]


def statement(
    engine: Engine, metrics: Sequence[str], crowds: Sequence[str], scope: Scope, by: str | None = None
) -> str:
    """The one statement that gives all `metrics` of all `crowds` at the scope's moments."""
    shape = ("panel", tuple(metrics), tuple(crowds), by)
    return engine.statement(shape, lambda at: panel(engine, metrics, crowds, at, by), scope)


def _cell_query(sql: str, metric: str, crowd: str, by: str | None) -> str:
    where = f"\"crowd\" = '{crowd}'" + ("" if by is None else f" AND \"by\" = '{by.replace(chr(39), chr(39) * 2)}'")
    return f'SELECT "{metric}" FROM (\n{sql}\n) AS panel WHERE {where}'


def panel(
    engine: Engine, metrics: Sequence[str], crowds: Sequence[str], at: Moments, by: str | None = None
) -> ir.Table:
    """One row per crowd (and value of `by`): `crowd`, `by`, and the asked metrics with what they are made of."""
    import ibis

    needed = _needed(metrics)
    measures = [m for m in (*_COUNTS, *_AMOUNTS) if m in needed or (m == "paid_amount" and SHOP_AMOUNT in needed)]
    measures += [_AMOUNTS[m] for m in measures if m in _AMOUNTS]
    people = _people(engine, measures, crowds, at, by, everyone="crowd_size" in needed)
    flags = [f"in_{i}" for i in range(len(crowds))]
    groups = people.group_by(flags + (["by"] if by else [])).agg(
        people=people.count(), **{m: people[m].sum() for m in measures}
    )
    rows = []
    for flag, crowd in zip(flags, crowds, strict=True):
        mine = groups.filter(groups[flag])
        sums = {m: mine[m].sum() for m in ["people", *measures]}
        if by:
            rows.append(mine.group_by("by").agg(**sums).mutate(crowd=ibis.literal(crowd)))
        else:
            rows.append(mine.agg(**sums).mutate(crowd=ibis.literal(crowd), by=ibis.null("string")))
    t = ibis.union(*rows) if len(rows) > 1 else rows[0]
    if SHOP_AMOUNT in needed:
        t = t.cross_join(groups.agg(shop_lines=groups.paid_lines.sum(), shop_amount=groups.paid_amount.sum()))
    return _finished(t, metrics, needed)


def _needed(metrics: Sequence[str]) -> set[str]:
    """The asked metrics and, for ratios, what they are made of."""
    known = catalog.metrics()
    out = set(metrics)
    for key in metrics:
        m = known[key]
        if m.numerator and m.denominator:
            out |= {m.numerator, m.denominator}
    return out


def _people(
    engine: Engine,
    measures: Sequence[str],
    crowds: Sequence[str],
    at: Moments,
    by: str | None,
    *,
    everyone: bool,
) -> ir.Table:
    """Per person: membership flags in_0… (one per crowd) and the person's own measures in the window.

    `everyone`: people without a trace in the window count too (for crowd_size); otherwise history is not read.
    """
    import ibis

    since, until = at.since, at.at
    e, o, c = engine.table("events"), engine.table("orders"), engine.table("customers")

    e = e.filter(e.ts <= until) if everyone else e.filter(e.ts <= until, e.ts >= since)
    in_window = e.ts >= since
    acts = e.group_by("user_id").agg(
        visited=((e.kind == "visit") & in_window).any(),
        first_cart=e.ts.min(where=(e.kind == "cart") & in_window),
    )
    if everyone:
        o = o.filter((o.created_at <= until) | (o.paid_at <= until))
    lines = o.left_join(acts.select("user_id", "first_cart"), "user_id").drop("user_id_right")
    paid = ((lines.paid_at >= since) & (lines.paid_at <= until)).fill_null(False)
    presale = lines.kind == "presale"
    carted = paid & (lines.paid_at >= lines.first_cart).fill_null(False)
    deposit = presale & ((lines.deposit_paid_at >= since) & (lines.deposit_paid_at <= until)).fill_null(False)
    past = (lines.paid_at >= at.old_from) & (lines.paid_at < at.cohort) & (lines.paid_at <= until)
    money = lines.group_by("user_id").agg(
        bought_before=past.fill_null(False).any(),
        deposited=deposit.any(),
        balance_lines=(paid & presale).sum(),
        presale_paid_amount=lines.amount.sum(where=paid & presale),
        cart_lines=carted.sum(),
        cart_paid_amount=lines.amount.sum(where=carted),
        paid_lines=paid.sum(),
        paid_amount=lines.amount.sum(where=paid),
    )
    known = c.select(
        "user_id",
        is_member=(c.member_joined_at <= until).fill_null(False),
        is_fan=(c.fan_since <= until).fill_null(False),
        level=c.member_level,
        city=c.city,
    )
    t = _full_join(_full_join(known, acts), money)
    buyer = (t.paid_lines > 0).fill_null(False)
    visited = t.visited.fill_null(False)
    old = t.bought_before.fill_null(False)
    panel_flags = {
        "all": ibis.literal(True),
        "old": old,
        "new": (visited | buyer) & ~old,
        "member": t.is_member.fill_null(False),
        "fan": t.is_fan.fill_null(False),
    }
    counts = {
        "visitors": visited,
        "carters": t.first_cart.notnull(),
        "deposit_buyers": t.deposited.fill_null(False),
        "balance_buyers": (t.balance_lines > 0).fill_null(False),
        "cart_buyers": (t.cart_lines > 0).fill_null(False),
        "buyers": buyer,
    }
    columns: dict[str, Any] = {m: counts[m].cast("int64") if m in counts else t[m] for m in measures}
    if by == "member_level":
        columns["by"] = ibis.ifelse(panel_flags["member"], t.level, ibis.null("string")).fill_null(NO_VALUE)
    elif by == "city":
        columns["by"] = t.city.fill_null(NO_VALUE)
    flags = {f"in_{i}": panel_flags[crowd] for i, crowd in enumerate(crowds) if crowd in panel_flags}
    t = t.select("user_id", **columns, **flags)
    for i, crowd in enumerate(crowds):
        if crowd not in panel_flags:
            inside = audience.expression(engine, crowd, at).mutate(yes=True)
            t = t.left_join(inside, "user_id").drop("user_id_right")
            t = t.mutate(**{f"in_{i}": t.yes.fill_null(False)}).drop("yes")
    return t


def _full_join(a: ir.Table, b: ir.Table) -> ir.Table:
    t = a.outer_join(b, "user_id")
    return t.mutate(user_id=t.user_id.fill_null(t.user_id_right)).drop("user_id_right")


def _finished(t: ir.Table, metrics: Sequence[str], needed: set[str]) -> ir.Table:
    """Counts with 0 for nobody, amounts with null where no amount is known, and the ratios (null over 0)."""
    import ibis

    def amount(value: Any, lines: Any) -> Any:
        return ibis.ifelse(lines.fill_null(0) == 0, 0, value).cast("float64")

    out: dict[str, Any] = {}
    if "crowd_size" in needed:
        out["crowd_size"] = t.people.fill_null(0)
    out |= {m: t[m].fill_null(0) for m in _COUNTS if m in needed}
    out |= {m: amount(t[m], t[lines]) for m, lines in _AMOUNTS.items() if m in needed}
    if SHOP_AMOUNT in needed:
        out[SHOP_AMOUNT] = amount(t.shop_amount, t.shop_lines)
    base = t.select("crowd", "by", **out)
    ratios = {}
    for key in metrics:
        m = catalog.metrics()[key]
        if m.numerator and m.denominator:
            ratios[key] = base[m.numerator].cast("float64") / base[m.denominator].nullif(0).cast("float64")
    return base.select("crowd", "by", *out, **ratios)
