"""Metrics of crowds in a window, all of them from one statement (domain: metrics).

Per person there is one row with what the person did in the window (tools/measures.py) and which of the asked crowds they are
in. People with the same memberships are added up first, so a crowd's number is a sum over few rows however many crowds are
asked about. Only people with a trace in the window are looked at; sizes are counted beside them. Ratios are computed in the
same statement: every number has a query that gives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from tools import audience, measures
from tools.campaigns import Campaign, campaign_for
from tools.crowds import CROWDS, lifecycle
from tools.errors import AskAgain
from tools.measures import COMBINED, LINES, NO_VALUE, PART_OF
from tools.periods import Window
from tools.scope import Moments, Scope
from tools.shop import Thresholds
from tools.sql import quote

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

# How numbers can be split: by who people are, or by what their acts were about.
OF_PEOPLE = ("member_level", "city", "lifecycle")
OF_ACTS = ("hour", "item", "category", "channel")
BY = ("day", *OF_ACTS[:3], "member_level", "city", "channel", "lifecycle")


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
    return Scope(window.until, campaign_for(window.last, campaigns), settings, window.first, campaigns)


def compute(
    engine: Reader, metrics: Sequence[str], crowds: Sequence[str], window: Window, scope: Scope, by: str | None = None
) -> list[Cell]:
    """All `metrics` × `crowds` (keys or crowd expressions) of one window, in that order; with `by`, per value of it.

    AskAgain when a metric cannot be split like that.
    """
    if by is not None:
        refuse_split(metrics, by)
    if by == "day":
        out = []
        for i in range(window.days):
            day = window.first + timedelta(days=i)
            part = scope.of_day(day)
            out += [
                Cell(c.crowd, c.metric, day.isoformat(), c.value, c.query)
                for c in compute(engine, metrics, crowds, Window(day, day, part.at), part)
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
    engine: Reader, metrics: Sequence[str], crowds: Sequence[str], scope: Scope, by: str | None = None
) -> str:
    """The one statement that gives all `metrics` of all `crowds` at the scope's moments."""
    shape = ("panel", tuple(metrics), tuple(crowds), by)
    return engine.statement(shape, lambda at: panel(engine, metrics, crowds, at, by), scope)


def _cell_query(sql: str, metric: str, crowd: str, by: str | None) -> str:
    where = f'"crowd" = {quote(crowd)}' + ("" if by is None else f' AND "by" = {quote(by)}')
    return f'SELECT "{metric}" FROM (\n{sql}\n) AS panel WHERE {where}'


# --- which metrics can be split how ------------------------------------------------------------------------------


def splittable(metric: str, by: str) -> bool:
    """Whether the metric's definition still means something for one value of `by`."""
    if by == "day":
        return True
    if catalog.metrics()[metric].peer_of:
        return False
    if by in OF_PEOPLE:
        return True
    needed = _needed([metric])
    parts = {PART_OF[m] for m in _base_measures(needed)}
    if by == "channel":  # orders carry no channel
        return bool(parts) and (parts <= {"acts"} or parts <= {"touches", "attributed"})
    return parts <= {"acts", "deposits", "payments"} and not needed & {"non_rv_amount", *COMBINED}


def refuse_split(metrics: Sequence[str], by: str) -> None:
    wrong = next((m for m in metrics if not splittable(m, by)), None)
    if wrong is not None:
        fits = ", ".join(m for m in catalog.metrics() if splittable(m, by))
        raise AskAgain("no_such_split", metric=wrong, by=by, fits=fits)


def _needed(metrics: Sequence[str]) -> set[str]:
    """The asked metrics and, for ratios, what they are made of."""
    known = catalog.metrics()
    out = {m for m in metrics if not known[m].peer_of}
    for key in list(out):
        m = known[key]
        if m.numerator and m.denominator:
            out |= {m.numerator, m.denominator}
    if out & {"non_rv_amount", "non_rv_people"}:
        out |= {"rv_active_amount", "rv_active", "shop_paid_amount", "shop_size"}
    return out


def _base_measures(needed: set[str]) -> list[str]:
    """What has to be known of each person, in the order of the parts."""
    wanted = {"paid_amount"} if "shop_paid_amount" in needed else set()
    for m in needed:
        wanted |= set(COMBINED.get(m, (m,)))
        if m in LINES and LINES[m] in COMBINED:
            wanted |= set(COMBINED[LINES[m]])
    wanted |= {LINES[m] for m in list(wanted) if m in LINES}
    return [m for m in PART_OF if m in wanted]


# --- the statement -----------------------------------------------------------------------------------------------


def panel(
    engine: Reader, metrics: Sequence[str], crowds: Sequence[str], at: Moments, by: str | None = None
) -> ir.Table:
    """One row per crowd (and value of `by`): `crowd`, `by`, and the asked metrics with what they are made of."""
    import ibis

    needed = _needed(metrics)
    base = _base_measures(needed)
    combined = [m for m in COMBINED if m in needed or m in {LINES.get(n) for n in needed}]
    sums = [*base, *combined]
    people = _people(engine, base, combined, crowds, at, by)
    flags = [f"in_{i}" for i in range(len(crowds))]
    groups = people.group_by(flags + (["by"] if by else [])).agg(
        people=people.count(), **{m: people[m].sum() for m in sums}
    )
    values = groups.select("by").distinct() if by in OF_ACTS else None
    rows = []
    for flag, crowd in zip(flags, crowds, strict=True):
        mine = groups.filter(groups[flag])
        totals = {m: mine[m].sum() for m in [*sums, "people"]}
        t = mine.group_by("by").agg(**totals) if by else mine.agg(**totals)
        if values is not None:
            t = values.left_join(t, "by").drop("by_right")
        if crowd == "new" and values is None:  # whoever is new did something in the window
            t = t.rename(crowd_size="people")
        elif "crowd_size" in needed or by in OF_PEOPLE:  # where people are split, their values are the crowd's
            t = _sized(engine, t, crowd, at, by)
        rows.append(t.mutate(crowd=ibis.literal(crowd), **({} if by else {"by": ibis.null("string")})))
    columns = ["crowd", "by", *sums, *(["crowd_size"] if "crowd_size" in needed else [])]
    t = ibis.union(*(r.select(*columns) for r in rows)) if len(rows) > 1 else rows[0].select(*columns)
    if "shop_paid_amount" in needed:
        t = t.cross_join(groups.agg(shop_lines=groups.paid_lines.sum(), shop_amount=groups.paid_amount.sum()))
    if "shop_size" in needed:
        everyone = audience.expression(engine, "all", at)
        t = t.cross_join(everyone.aggregate(shop_size=everyone.count()))
    for key in metrics:
        if base_key := catalog.metrics()[key].peer_of:
            t = _with_peers(engine, t, key, base_key, at)
    return _finished(t, metrics, needed)


def _people(
    engine: Reader,
    base: Sequence[str],
    combined: Sequence[str],
    crowds: Sequence[str],
    at: Moments,
    by: str | None,
) -> ir.Table:
    """Per person (and value of `by`): membership flags in_0… (one per crowd) and the person's own measures."""
    import ibis

    split = by if by in OF_ACTS else None
    parts = list(dict.fromkeys(PART_OF[m] for m in base))
    if "new" in crowds and not split:  # who is new shows in what they did
        parts = list(dict.fromkeys(["acts", *parts, "payments"]))
        base = list(dict.fromkeys([*base, "visitors", "buyers"]))
    if not parts:  # only sizes are asked for: of whatever happened
        parts, base = ["acts", "deposits", "payments"], ["visitors", "deposit_buyers", "buyers"]
    t: ir.Table | None = None
    for part in parts:
        asked = [m for m in measures.PARTS[part] if m in base]
        mine = measures.BUILD[part](engine, at, split).select(*measures.joined_on(split), *asked)
        t = mine if t is None else _full_join(t, mine, measures.joined_on(split))
    assert t is not None
    c = engine.table("customers")
    member, fan = c.member_joined_at <= at.at, c.fan_since <= at.at
    known = c.filter(member | fan).select("user_id", is_member=member.fill_null(False), is_fan=fan.fill_null(False))
    t = t.left_join(known, "user_id").drop("user_id_right")
    is_member, is_fan = t.is_member.fill_null(False), t.is_fan.fill_null(False)
    columns: dict[str, Any] = {m: t[m] if m in LINES else t[m].fill_null(0) for m in base}
    columns |= {m: _of_person(columns, m, is_member, is_fan) for m in combined}
    t = t.mutate(**columns, is_member=is_member, is_fan=is_fan)
    keep = [*measures.joined_on(split), *base, *combined]
    for i, crowd in enumerate(crowds):
        if crowd == "member":
            inside = t.is_member
        elif crowd == "fan":
            inside = t.is_fan
        elif crowd == "all" and set(parts) <= {"acts", "deposits", "payments", "relations", "activity", "joined"}:
            inside = ibis.literal(True)  # whoever did that is known to the shop
        elif crowd == "old" or (crowd == "new" and not split):
            if "was_old" not in t.columns:
                t = _flag(t, CROWDS["old"](engine, at), "was_old")
            inside = t.was_old if crowd == "old" else ((t.visitors > 0) | (t.buyers > 0)) & ~t.was_old
        else:
            t = _flag(t, audience.expression(engine, crowd, at), f"in_{i}")
            inside = t[f"in_{i}"]
        t = t.mutate(**{f"in_{i}": inside})
        keep.append(f"in_{i}")
    if by in OF_PEOPLE:
        t = _with_attribute(engine, t, at, by)
        keep.append("by")
    return t.select(*dict.fromkeys(keep))


def _of_person(columns: dict[str, Any], measure: str, is_member: Any, is_fan: Any) -> Any:
    """A measure that hangs on two others, or on who the person is."""
    import ibis

    if measure == "rv_active_buyers":
        return columns["rv_active"] * columns["buyers"]
    if measure == "rv_active_lines":
        return columns["rv_active"] * columns["paid_lines"]
    if measure == "rv_active_amount":
        return (columns["rv_active"] > 0).ifelse(columns["paid_amount"], ibis.null("decimal(18, 2)"))
    if measure == "old_buyers":
        return columns["old_size"] * columns["buyers"]
    of = is_member if "member" in measure else is_fan & ~is_member
    moved = columns["is_active"]
    return of.ifelse(moved if measure in ("active_members", "active_fans_only") else moved * columns["buyers"], 0)


def _flag(t: ir.Table, people: ir.Table, name: str) -> ir.Table:
    """`t` with a column that says who is among `people`."""
    t = t.left_join(people.mutate(**{name: True}), "user_id").drop("user_id_right")
    return t.mutate(**{name: t[name].fill_null(False)})


def _full_join(a: ir.Table, b: ir.Table, on: list[str]) -> ir.Table:
    t = a.outer_join(b, on)
    return t.mutate(**{c: t[c].fill_null(t[f"{c}_right"]) for c in on}).drop(*(f"{c}_right" for c in on))


# --- who people are ----------------------------------------------------------------------------------------------


def _with_attribute(engine: Reader, t: ir.Table, at: Moments, by: str) -> ir.Table:
    """`t` with `by`: the person's city, member level or lifecycle state at T (members only), NO_VALUE where there is none."""
    c = engine.table("customers")
    if by == "lifecycle":
        attribute = lifecycle(engine, at).select("user_id", by="state")
    elif by == "member_level":
        attribute = c.filter(c.member_joined_at <= at.at).select("user_id", by="member_level")
    else:
        attribute = c.select("user_id", by="city")
    t = t.left_join(attribute, "user_id").drop("user_id_right")
    return t.mutate(by=t.by.fill_null(NO_VALUE))


def _sized(engine: Reader, t: ir.Table, crowd: str, at: Moments, by: str | None) -> ir.Table:
    """`t` with the crowd's size; split by who people are, also the values of those who did nothing in the window."""
    people = audience.expression(engine, crowd, at)
    if by in OF_PEOPLE:
        people = _with_attribute(engine, people, at, by)
        return _full_join(t, people.group_by("by").agg(crowd_size=people.count()), ["by"])
    return t.cross_join(people.aggregate(crowd_size=people.count()))


def _with_peers(engine: Reader, t: ir.Table, key: str, metric: str, at: Moments) -> ir.Table:
    """`t` with the peers' average: that of the campaign's year, else of the campaign whatever the year."""
    import ibis

    p = engine.table("peers")
    p = p.filter(p.metric == metric)
    of_year, of_any = (p["value"].max(where=p.campaign == at.text(c)) for c in ("campaign_of_year", "campaign_key"))
    p = p.group_by(peer_crowd=p.crowd).agg(**{key: ibis.coalesce(of_year, of_any)})
    return t.left_join(p, t.crowd == p.peer_crowd).drop("peer_crowd")


# --- from sums to metrics ----------------------------------------------------------------------------------------


def _finished(t: ir.Table, metrics: Sequence[str], needed: set[str]) -> ir.Table:
    """Counts with 0 for nobody, amounts with null where no amount is known, and the ratios (null over 0)."""
    import ibis

    def amount(value: Any, lines: Any) -> Any:
        return ibis.ifelse(lines.fill_null(0) == 0, 0, value).cast("float64")

    out: dict[str, Any] = {}
    for key in sorted(needed):
        if key in LINES:
            out[key] = amount(t[key], t[LINES[key]])
        elif key in PART_OF or key in COMBINED or key == "crowd_size":
            out[key] = t[key].fill_null(0)
    if "shop_paid_amount" in needed:
        out["shop_paid_amount"] = amount(t.shop_amount, t.shop_lines)
    if needed & {"non_rv_amount", "non_rv_people"}:
        out["non_rv_amount"] = out["shop_paid_amount"] - out["rv_active_amount"]
        out["non_rv_people"] = t.shop_size - out["rv_active"]
    peers = [key for key in metrics if catalog.metrics()[key].peer_of]
    base = t.select("crowd", "by", *peers, **out)
    ratios = {}
    for key in metrics:
        m = catalog.metrics()[key]
        if m.numerator and m.denominator:
            ratios[key] = base[m.numerator].cast("float64") / base[m.denominator].nullif(0).cast("float64")
    return base.select("crowd", "by", *peers, *out, **ratios)
