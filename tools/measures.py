"""What people did in a window, a row a person: the parts that metrics are added up from (domain: metrics, precision).

A part is a table of `user_id` (and `by`, where acts are split by hour, item, category or channel) and measures of that person.
Acts come from the facts per person and day; only splits by what stands in the event itself read the raw events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tools.crowds import CROWDS, active
from tools.scope import Moments

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

NO_VALUE = "—"
Part = Callable[["Reader", Moments, str | None], "ir.Table"]

# What is added up over a crowd's people, and the part that it comes from. A sum of money has no value when no line has one,
# and is 0 when there is no line: so each money measure names, in LINES, the measure that counts its lines.
PARTS: dict[str, tuple[str, ...]] = {
    "acts": ("visitors", "carters"),
    "deposits": ("deposit_buyers",),
    "payments": (
        "balance_buyers", "balance_lines", "presale_paid_amount", "cart_buyers", "cart_lines", "cart_paid_amount",
        "buyers", "paid_orders", "paid_lines", "paid_amount", "refund_amount",
    ),
    "relations": ("rv_total", "rv_active"),
    "activity": ("is_active",),
    "cohort": ("old_size",),
    "joined": ("new_members",),
    "coupons": ("coupons_claimed", "coupons_redeemed"),
    "touches": ("touch_sent", "touch_delivered", "touch_clicked", "touch_converted", "cost_lines", "touch_cost"),
    "attributed": ("attributed_lines", "touch_revenue"),
}  # fmt: skip
LINES = {
    "presale_paid_amount": "balance_lines",
    "cart_paid_amount": "cart_lines",
    "paid_amount": "paid_lines",
    "refund_amount": "paid_lines",
    "rv_active_amount": "rv_active_lines",
    "touch_cost": "cost_lines",
    "touch_revenue": "attributed_lines",
}
# Measures that hang on two parts, or on who somebody is: from which measures they are worked out per person.
COMBINED: dict[str, tuple[str, ...]] = {
    "rv_active_buyers": ("rv_active", "buyers"),
    "rv_active_lines": ("rv_active", "paid_lines"),
    "rv_active_amount": ("rv_active", "paid_amount", "paid_lines"),
    "active_members": ("is_active",),
    "active_member_buyers": ("is_active", "buyers"),
    "active_fans_only": ("is_active",),
    "active_fan_only_buyers": ("is_active", "buyers"),
    "old_buyers": ("old_size", "buyers"),
}
# Numbers of the whole shop that a crowd's ratio may stand on.
SHOP = ("shop_paid_amount", "shop_size", "non_rv_amount", "non_rv_people")
PART_OF = {measure: part for part, measures in PARTS.items() for measure in measures}


def within(column: Any, since: Any, until: Any) -> Any:
    """Whether a moment lies in the span, for a filter; unknown where the moment is, and a filter drops that."""
    return (column >= since) & (column <= until)


def joined_on(by: str | None) -> list[str]:
    return ["user_id", "by"] if by else ["user_id"]


# --- acts --------------------------------------------------------------------------------------------------------


def acts(e: Reader, at: Moments, by: str | None) -> ir.Table:
    """`visitors`, `carters` (0/1) of whoever visited or carted."""
    t = _first_acts(e, at) if by is None else _split_acts(e, at, by)
    return t.select(
        *joined_on(by),
        visitors=t.first_visit.notnull().cast("int64"),
        carters=t.first_cart.notnull().cast("int64"),
    )


def _first_acts(e: Reader, at: Moments) -> ir.Table:
    """`user_id`, `first_visit`, `first_cart` in the window, from the facts; who did neither is not there."""
    a = e.table("activity")
    a = a.filter(a.day >= at.since.date(), a.day <= at.at.date())
    # The window begins with a day; only its last day may be cut, and there the first event decides.
    t = a.group_by("user_id").agg(
        first_visit=a.first_visit.min(where=a.first_visit <= at.at),
        first_cart=a.first_cart.min(where=a.first_cart <= at.at),
    )
    return t.filter(t.first_visit.notnull() | t.first_cart.notnull())


def _split_acts(e: Reader, at: Moments, by: str) -> ir.Table:
    t = e.table("events")
    t = t.filter(t.ts >= at.since, t.ts <= at.at, t.kind.isin(("visit", "cart")))
    t = t.mutate(by=t.source.fill_null(NO_VALUE)) if by == "channel" else _valued(e, t, by, t.ts)
    return t.group_by("user_id", "by").agg(
        first_visit=t.ts.min(where=t.kind == "visit"), first_cart=t.ts.min(where=t.kind == "cart")
    )


def _valued(e: Reader, t: ir.Table, by: str, moment: Any) -> ir.Table:
    """`t` (events or order lines) with `by`: the hour of `moment`, the item, or the row's category (else its item's)."""
    if by == "hour":
        return t.mutate(by=moment.hour().cast("string").lpad(2, "0"))
    if by == "item":
        return t.mutate(by=t.item_id.fill_null(NO_VALUE))
    items = e.table("items").select("item_id", item_category="category_id")
    t = t.left_join(items, "item_id").drop("item_id_right")
    return t.mutate(by=t.category_id.fill_null(t.item_category).fill_null(NO_VALUE)).drop("item_category")


# --- order lines -------------------------------------------------------------------------------------------------


def deposits(e: Reader, at: Moments, by: str | None) -> ir.Table:
    o = e.table("orders")
    t = o.filter(o.kind == "presale", within(o.deposit_paid_at, at.since, at.at))
    if by:
        t = _valued(e, t, by, t.deposit_paid_at)
    return t.group_by(joined_on(by)).agg(deposit_buyers=t.count()).mutate(deposit_buyers=1)


def payments(e: Reader, at: Moments, by: str | None) -> ir.Table:
    """Lines paid in the window: presale balances, those paid at or after the first cart, all; and what was refunded of them."""
    import ibis

    o = e.table("orders")
    t = o.filter(within(o.paid_at, at.since, at.at))
    if by:
        t = _valued(e, t, by, t.paid_at)
    # By hour, a payment follows the window's first cart; by item, the first cart of that item.
    split = None if by == "hour" else by
    carts = _first_acts(e, at) if split is None else _split_acts(e, at, split)
    t = t.left_join(carts.select(*joined_on(split), "first_cart"), joined_on(split))
    t = t.drop(*(c for c in t.columns if c.endswith("_right")))
    carted = (t.paid_at >= t.first_cart).fill_null(False)
    presale = t.kind == "presale"
    refunded = (t.refunded_at <= at.at).fill_null(True) & t.refund_amount.notnull()
    # A line without a refund was not refunded, if the shop's data tell of refunds at all.
    told = o.aggregate(told=o.refund_amount.count() > 0).told.as_scalar()
    refund = ibis.cases(
        (t.amount.isnull() | ~told, ibis.null("float64")), (refunded, t.refund_amount.cast("float64")), else_=0.0
    )
    t = t.mutate(carted=carted, presale=presale, refund=refund)
    t = t.group_by(joined_on(by)).agg(
        balance_lines=t.presale.sum(),
        presale_paid_amount=t.amount.sum(where=t.presale),
        cart_lines=t.carted.sum(),
        cart_paid_amount=t.amount.sum(where=t.carted),
        paid_orders=t.order_id.nunique(),
        paid_lines=t.count(),
        paid_amount=t.amount.sum(),
        refund_amount=t.refund.sum(),
    )
    return t.mutate(
        balance_buyers=(t.balance_lines > 0).cast("int64"), cart_buyers=(t.cart_lines > 0).cast("int64"), buyers=1
    )


# --- who people are ----------------------------------------------------------------------------------------------


def relations(e: Reader, at: Moments, by: str | None) -> ir.Table:
    """Members and fans at the cohort date, nobody twice, and whether they were active then."""
    c = e.table("customers")
    t = c.filter(
        (c.member_joined_at <= at.cohort_until).fill_null(False) | (c.fan_since <= at.cohort_until).fill_null(False)
    ).select("user_id", rv_total=1)
    moved = active(e, at.cohort_until, at.cohort_active).mutate(rv_active=1)
    t = t.left_join(moved, "user_id").drop("user_id_right")
    return t.mutate(rv_active=t.rv_active.fill_null(0))


def activity(e: Reader, at: Moments, by: str | None) -> ir.Table:
    return active(e, at.at, at.active_from).mutate(is_active=1)


def cohort(e: Reader, at: Moments, by: str | None) -> ir.Table:
    return CROWDS["old"](e, at).mutate(old_size=1)


def joined(e: Reader, at: Moments, by: str | None) -> ir.Table:
    c = e.table("customers")
    return c.filter(within(c.member_joined_at, at.since, at.at)).select("user_id", new_members=1)


def coupons(e: Reader, at: Moments, by: str | None) -> ir.Table:
    c = e.table("coupons")
    t = c.filter(within(c.claimed_at, at.since, at.at))
    return t.group_by("user_id").agg(coupons_claimed=t.count(), coupons_redeemed=t.redeemed_order_id.count())


# --- touches -----------------------------------------------------------------------------------------------------


def _sent(e: Reader, at: Moments) -> ir.Table:
    """The touches of the window, with `by` (their channel) and `counts_until`, up to when a payment counts as theirs."""
    import ibis

    t = e.table("touches")
    t = t.filter(within(t.sent_at, at.since, at.at))
    return t.select(
        "touch_id", "user_id", "sent_at", "delivered", "clicked_at", "cost",
        by=t.channel.fill_null(NO_VALUE),
        counts_until=ibis.least(t.sent_at + ibis.interval(hours=at.settings.attribution_hours), at.at),
    )  # fmt: skip


def touches(e: Reader, at: Moments, by: str | None) -> ir.Table:
    """Messages sent in the window; converted: their person paid within the hours that count."""
    t = _sent(e, at)
    bought = _bought(t, e.table("orders")).select("touch_id").distinct().mutate(bought=1)
    t = t.left_join(bought, "touch_id").drop("touch_id_right")
    return t.group_by(joined_on(by)).agg(
        touch_sent=t.count(),
        touch_delivered=(t.delivered == 1).sum(),
        touch_clicked=(t.clicked_at <= at.at).sum(),
        touch_converted=t.bought.count(),
        cost_lines=t.count(),
        touch_cost=t.cost.sum(),
    )


def attributed(e: Reader, at: Moments, by: str | None) -> ir.Table:
    """Lines paid within the hours after a message of the window: each line once (once a channel, where split)."""
    import ibis

    o = e.table("orders")
    o = o.filter(o.paid_at.notnull()).select("user_id", "paid_at", "amount", "order_id", "item_id")
    numbered = ibis.window(order_by=["order_id", "item_id", "paid_at", "amount"])  # two equal lines are two
    t = _bought(_sent(e, at), o.mutate(line=ibis.row_number().over(numbered)))
    t = t.select(*joined_on(by), "line", "amount").distinct()
    return t.group_by(joined_on(by)).agg(attributed_lines=t.count(), touch_revenue=t.amount.sum())


def _bought(sent: ir.Table, orders: ir.Table) -> ir.Table:
    """A row a message and order line of its person that was paid while that counts."""
    t = sent.inner_join(orders, "user_id")
    return t.filter(t.paid_at >= t.sent_at, t.paid_at <= t.counts_until)


BUILD: dict[str, Part] = {
    "acts": acts, "deposits": deposits, "payments": payments, "relations": relations, "activity": activity,
    "cohort": cohort, "joined": joined, "coupons": coupons, "touches": touches, "attributed": attributed,
}  # fmt: skip
