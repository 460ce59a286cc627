"""Who gets a touch message: a crowd without those it must not or cannot reach, each left out for the first reason that fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knowledge.copy_templates import Reason, copy_file
from tools import audience
from tools.audience import Counted
from tools.context import Context
from tools.crowds import CROWDS
from tools.scope import Moments

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader


@dataclass(frozen=True)
class HeldCoupon:
    """A coupon (threshold and value in the shop's currency, last day as YYYY-MM-DD) and how many recipients hold it unused."""

    threshold: float | None
    value: float | None
    last_day: str
    people: Counted


@dataclass(frozen=True)
class Recipients:
    """`crowd` = `send` + all of `removed`. `holders`: recipients with any coupon that is valid now and not redeemed."""

    crowd: Counted
    removed: dict[str, Counted]
    send: Counted
    holders: Counted
    coupons: list[HeldCoupon]


def recipients(ctx: Context, crowd: str, reasons: Sequence[Reason], within: str | None) -> Recipients:
    """The people of a crowd expression that a message goes to.

    within: the crowd expression that alone can be meant; whoever is outside it is counted under "left_out", first of all. A
    touch counts as recent for `touch_gap_days` × 24 hours before the moment. One statement per crowd serves every channel:
    it counts people by what holds for them, and each number is a sum over it.
    """
    tree = audience.parse(crowd)
    gap = copy_file().touch_gap_days
    in_wave = ctx.campaign is not None
    shape = ("recipients", audience.canonical(tree), within, gap, in_wave)
    rows, sql = ctx.engine.rows(shape, lambda at: _build(ctx.engine, crowd, within, gap, in_wave, at), ctx.scope)
    steps = [*(["left_out"] if within else []), *(r for r in reasons if in_wave or r not in _OF_A_WAVE)]

    def counted(part: str, kept: Sequence[str], column: str = "", more: str = "") -> Counted:
        """People of a part whom no step of `kept` takes out, and in whom `column` holds."""
        found = sum(
            r["people"] for r in rows if r["part"] == part and not any(r[k] for k in kept) and (not column or r[column])
        )
        where = [f"\"part\" = '{part}'", *(f'NOT "{k}"' for k in kept), *([f'"{column}"'] if column else [])]
        query = f'SELECT coalesce(sum("people"), 0) FROM (\n{sql}\n) AS recipients WHERE {" AND ".join(where)}{more}'
        return Counted(found, query)

    def held(row: dict[str, Any]) -> HeldCoupon:
        people = sum(r["people"] for r in rows if _same_coupon(r, row) and not any(r[k] for k in steps))
        query = counted("coupon", steps, more="".join(f" AND {_equals(c, row[c])}" for c in _COUPON)).query
        return HeldCoupon(row["threshold"], row["value"], row["last_day"], Counted(people, query))

    kinds = {tuple(r[c] for c in _COUPON): r for r in rows if r["part"] == "coupon"}
    coupons = [c for r in kinds.values() if (c := held(r)).people.people]
    coupons.sort(key=lambda c: (-c.people.people, -(c.value or 0), c.threshold or 0, c.last_day))
    return Recipients(
        crowd=counted("person", []),
        removed={step: counted("person", steps[:i], step) for i, step in enumerate(steps)},
        send=counted("person", steps),
        holders=counted("person", steps, "holds"),
        coupons=coupons,
    )


_OF_A_WAVE: tuple[Reason, ...] = ("paid", "owing")
_REASONS: tuple[Reason, ...] = (
    "paid", "owing", "opted_out", "no_phone", "not_in_service", "not_in_group", "touched",
)  # fmt: skip
_COUPON = ("threshold", "value", "last_day")


def _same_coupon(row: dict[str, Any], other: dict[str, Any]) -> bool:
    return row["part"] == "coupon" and all(row[c] == other[c] for c in _COUPON)


def _equals(column: str, value: float | str | None) -> str:
    if value is None:
        return f'"{column}" IS NULL'
    return f'"{column}" = ' + (f"'{value}'" if isinstance(value, str) else f"{value}")


def _build(engine: Reader, crowd: str, within: str | None, gap: int, in_wave: bool, at: Moments) -> ir.Table:
    """People counted by what holds for them (part "person"), and again by the coupon they hold (part "coupon")."""
    import ibis

    people = audience.expression(engine, crowd, at)
    c = engine.table("coupons")
    held = c.filter(c.claimed_at <= at.at, c.valid_from <= at.at, c.valid_to >= at.at, c.redeemed_order_id.isnull())

    def among(t: ir.Table) -> ir.BooleanValue:
        return people.user_id.isin(t.user_id)

    flags: dict[str, ir.BooleanValue] = {
        r: _holds(engine, r, among, gap, at) for r in _REASONS if in_wave or r not in _OF_A_WAVE
    }
    flags["holds"] = among(held)
    if within:
        flags["left_out"] = ~among(audience.expression(engine, within, at))
    t = people.mutate(**flags)
    counted = t.group_by(*flags).agg(people=t.count())
    none = {"threshold": ibis.null("float64"), "value": ibis.null("float64"), "last_day": ibis.null("string")}
    persons = counted.mutate(part=ibis.literal("person"), **none)
    kinds = held.select(
        "user_id",
        threshold=held.threshold.cast("float64"),
        value=held.value.cast("float64"),
        last_day=held.valid_to.date().cast("string"),
    ).distinct()
    joined = t.join(kinds, "user_id")
    holding = joined.group_by(*flags, *_COUPON).agg(people=joined.count()).mutate(part=ibis.literal("coupon"))
    columns = ["part", *flags, *_COUPON, "people"]
    return ibis.union(persons.select(*columns), holding.select(*columns))


def _holds(
    engine: Reader, reason: Reason, among: Callable[[ir.Table], ir.BooleanValue], gap: int, at: Moments
) -> ir.BooleanValue:
    """Whether a reason to leave somebody out holds."""
    if reason == "no_phone":
        c = engine.table("customers")
        return ~among(c.filter(c.phone.notnull(), c.phone.strip() != ""))
    if reason == "not_in_service":
        return ~among(CROWDS["service_contact"](engine, at))
    if reason == "not_in_group":
        return ~among(CROWDS["group_member"](engine, at))
    if reason == "touched":
        t = engine.table("touches")
        return among(t.filter(t.sent_at >= at.ago(gap), t.sent_at <= at.at))
    crowd = {"paid": "wave_buyers", "owing": "balance_due", "opted_out": "sms_opted_out"}[reason]
    return among(CROWDS[crowd](engine, at))
