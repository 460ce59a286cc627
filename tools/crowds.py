"""Crowds as Ibis expressions: each function gives a table of distinct `user_id` (domain: crowds, precision).

A crowd is taken at a moment T (`s.at`); nothing after T is ever seen. Panel crowds in a window are taken at the window's
end. "Last N days" is T − N × 24 h to T, both included; "on k days" counts calendar days. Moments are names here (tools/scope.py):
an expression is built and compiled once, and its moments are filled in for each question.

Who did something in a span is read from the facts per person and day (tools/daily.py); raw events only where the item matters
or where the last event before T does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tools.scope import Moments

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.reader import Reader

Crowd = Callable[["Reader", Moments], "ir.Table"]
CROWDS: dict[str, Crowd] = {}


def _crowd(f: Crowd) -> Crowd:
    CROWDS[f.__name__.strip("_")] = f
    return f


# --- building blocks ---------------------------------------------------------------------------------------------


def events(e: Reader, since: Any, until: Any, *kinds: str) -> ir.Table:
    """Raw events of `kinds` in a span."""
    t = e.table("events")
    return t.filter(t.ts >= since, t.ts <= until, t.kind.isin(kinds))


def acts(e: Reader, since: Any, until: Any, *kinds: str) -> ir.Table:
    """`user_id`, `day`, `first_at` of the people's days with an event of `kinds` (none given: of any kind) in a span.

    The span begins with a day, or on an earlier day than it ends on: then a day's first and last event of a kind tell
    whether one lies inside. `first_at` is the first one of the day, and lies in the span if the span begins with a day.
    """
    import ibis

    t = e.table("activity")
    t = t.filter(t.day >= since.date(), t.day <= until.date())
    found = []
    for kind in kinds or ("event",):
        first, last = t[f"first_{kind}"], t[f"last_{kind}"]
        found.append(((first <= until) & (last >= since)).ifelse(first, ibis.null("timestamp")))
    first_at = ibis.least(*found) if len(found) > 1 else found[0]
    t = t.select("user_id", "day", first_at=first_at)
    return t.filter(t.first_at.notnull())


def _paid(e: Reader, since: Any, until: Any) -> ir.Table:
    t = e.table("orders")
    t = t.filter(t.paid_at <= until)
    return t if since is None else t.filter(t.paid_at >= since)


def users(t: ir.Table) -> ir.Table:
    return t.select("user_id").distinct()


def both(a: ir.Table, b: ir.Table) -> ir.Table:
    return a.semi_join(b, "user_id").select("user_id")


def without(a: ir.Table, b: ir.Table) -> ir.Table:
    return a.anti_join(b, "user_id").select("user_id")


def either(a: ir.Table, *others: ir.Table) -> ir.Table:
    import ibis

    return ibis.union(a, *others, distinct=True)


def _acted_on_days(e: Reader, since: Any, until: Any, kind: str, at_least: int) -> ir.Table:
    """People with an event of `kind` on at least so many calendar days of the span."""
    t = acts(e, since, until, kind)
    counted = t.group_by("user_id").agg(days=t.count())
    return counted.filter(counted.days >= at_least).select("user_id")


def _paid_on_days(e: Reader, since: Any, until: Any, at_least: int) -> ir.Table:
    t = _paid(e, since, until)
    counted = t.group_by("user_id").agg(days=t.paid_at.date().nunique())
    return counted.filter(counted.days >= at_least).select("user_id")


# --- panel crowds ------------------------------------------------------------------------------------------------


@_crowd
def _all(e: Reader, s: Moments) -> ir.Table:
    p = e.table("people")
    known = (p.customer == 1) | (p.first_event <= s.at).fill_null(False) | (p.first_order <= s.at).fill_null(False)
    return p.filter(known).select("user_id")


@_crowd
def old(e: Reader, s: Moments) -> ir.Table:
    t = _paid(e, s.old_from, s.at)
    return users(t.filter(t.paid_at < s.cohort))


@_crowd
def new(e: Reader, s: Moments) -> ir.Table:
    """Visited or paid in the window, and not old."""
    came = either(users(acts(e, s.since, s.at, "visit")), users(_paid(e, s.since, s.at)))
    return without(came, old(e, s))


@_crowd
def member(e: Reader, s: Moments) -> ir.Table:
    t = e.table("customers")
    return t.filter(t.member_joined_at <= s.at).select("user_id")


@_crowd
def fan(e: Reader, s: Moments) -> ir.Table:
    t = e.table("customers")
    return t.filter(t.fan_since <= s.at).select("user_id")


def active(e: Reader, until: Any, since_day: Any) -> ir.Table:
    """People with an event, or an order created, on the calendar days from `since_day` to `until`, seen at `until`."""
    a, o = e.table("activity"), e.table("orders")
    a = a.filter(a.day >= since_day.date(), a.day <= until.date(), a.first_event <= until)
    o = o.filter(o.created_at >= since_day, o.created_at <= until)
    return either(a.select("user_id"), o.select("user_id"))


# --- acquisition crowds ------------------------------------------------------------------------------------------


def _bought(e: Reader, s: Moments) -> ir.Table:
    return users(_paid(e, None, s.at))


@_crowd
def public_new(e: Reader, s: Moments) -> ir.Table:
    """First event within the window (without one: the wave), no order ever, not a member."""
    p = e.table("people")
    fresh = p.filter(p.first_event >= s.new_since, p.first_event <= s.at).select("user_id")
    o = e.table("orders")
    ordered = users(o.filter(o.created_at <= s.at))
    return without(without(fresh, ordered), member(e, s))


@_crowd
def nonmember_unbought(e: Reader, s: Moments) -> ir.Table:
    return without(without(_all(e, s), member(e, s)), _bought(e, s))


@_crowd
def member_unbought(e: Reader, s: Moments) -> ir.Table:
    return without(member(e, s), _bought(e, s))


@_crowd
def nonmember_bought(e: Reader, s: Moments) -> ir.Table:
    return without(_bought(e, s), member(e, s))


@_crowd
def member_bought(e: Reader, s: Moments) -> ir.Table:
    return both(member(e, s), _bought(e, s))


# --- action crowds -----------------------------------------------------------------------------------------------


def _wanted_unpaid(e: Reader, s: Moments, *kinds: str) -> ir.Table:
    """Showed interest in this wave and paid nothing at or after the first sign of it."""
    signs = acts(e, s.wave_start, s.wave_until, *kinds)
    first = signs.group_by("user_id").agg(first_sign=signs.first_at.min())
    paid = _paid(e, s.wave_start, s.at)
    last = paid.group_by("user_id").agg(last_paid=paid.paid_at.max())
    t = first.left_join(last, "user_id")
    return t.filter(t.last_paid.isnull() | (t.last_paid < t.first_sign)).select("user_id")


@_crowd
def cart_unpaid(e: Reader, s: Moments) -> ir.Table:
    return _wanted_unpaid(e, s, "cart")


@_crowd
def cart_fav_unpaid(e: Reader, s: Moments) -> ir.Table:
    return _wanted_unpaid(e, s, "cart", "favorite")


@_crowd
def balance_due(e: Reader, s: Moments) -> ir.Table:
    t = e.table("orders")
    return users(
        t.filter(
            t.kind == "presale",
            t.deposit_paid_at >= s.campaign_start,
            t.deposit_paid_at <= s.campaign_until,
            t.paid_at.isnull() | (t.paid_at > s.at),
        )
    )


@_crowd
def last_push(e: Reader, s: Moments) -> ir.Table:
    recent = users(acts(e, s.ago(3), s.at, "cart", "favorite"))
    returning = _acted_on_days(e, s.ago(7), s.at, "visit", 2)
    return both(both(cart_fav_unpaid(e, s), recent), returning)


@_crowd
def high_potential(e: Reader, s: Moments) -> ir.Table:
    keen = either(
        users(acts(e, s.ago(30), s.at, "cart", "favorite")),
        _acted_on_days(e, s.ago(30), s.at, "visit", 3),
    )
    return without(keen, users(_paid(e, s.campaign_start, s.campaign_until)))


@_crowd
def category_interest(e: Reader, s: Moments) -> ir.Table:
    items = e.table("items")
    heroes = items.filter(items.is_hero == 1, items.category_id.notnull()).select("category_id").distinct()
    own = items.select("item_id", item_category=items.category_id)
    t = events(e, s.ago(30), s.at, "visit", "favorite", "cart").left_join(own, "item_id").drop("item_id_right")
    interest = t.mutate(category_id=t.category_id.fill_null(t.item_category)).semi_join(heroes, "category_id")
    return without(users(interest), users(_paid(e, s.ago(180), s.at)))


@_crowd
def presale_history(e: Reader, s: Moments) -> ir.Table:
    t = e.table("orders")
    return users(t.filter(t.kind == "presale", t.paid_at < s.campaign_start, t.paid_at <= s.at))


@_crowd
def gold_intent(e: Reader, s: Moments) -> ir.Table:
    return both(member(e, s), _paid_on_days(e, s.ago(365), s.at, 2))


@_crowd
def repurchase(e: Reader, s: Moments) -> ir.Table:
    return both(member(e, s), users(_paid(e, s.ago(365), s.at)))


@_crowd
def member_dormant_intent(e: Reader, s: Moments) -> ir.Table:
    active = both(member(e, s), users(acts(e, s.ago(30), s.at)))
    return without(active, users(_paid(e, s.ago(180), s.at)))


@_crowd
def member_hesitating(e: Reader, s: Moments) -> ir.Table:
    c = e.table("coupons")
    signs = either(
        users(acts(e, s.ago(7), s.at, "coupon_claim", "cart", "favorite")),
        users(c.filter(c.claimed_at >= s.ago(7), c.claimed_at <= s.at)),
        _acted_on_days(e, s.ago(30), s.at, "visit", 3),
    )
    return without(both(member(e, s), signs), users(_paid(e, s.wave_start, s.wave_until)))


@_crowd
def bought_nonmember(e: Reader, s: Moments) -> ir.Table:
    return without(users(_paid(e, s.recruit_start, s.at)), member(e, s))


@_crowd
def live_member(e: Reader, s: Moments) -> ir.Table:
    return both(member(e, s), _acted_on_days(e, s.ago(30), s.at, "live_watch", 2))


@_crowd
def coupon_unredeemed(e: Reader, s: Moments) -> ir.Table:
    t = e.table("coupons")
    held = t.filter(t.claimed_at <= s.at, t.valid_from <= s.at, t.valid_to >= s.at, t.redeemed_order_id.isnull())
    return both(member(e, s), users(held))


@_crowd
def challenge_open(e: Reader, s: Moments) -> ir.Table:
    joins = events(e, s.campaign_start, s.campaign_until, "challenge_join")
    joined = joins.group_by("user_id").agg(joined_at=joins.ts.max())
    done = events(e, s.campaign_start, s.campaign_until, "challenge_done")
    finished = done.group_by("user_id").agg(done_at=done.ts.max())
    t = joined.left_join(finished, "user_id")
    return t.filter(t.done_at.isnull() | (t.done_at < t.joined_at)).select("user_id")


@_crowd
def dormant_vip(e: Reader, s: Moments) -> ir.Table:
    """3+ paid orders, or lifetime paid amount at or above the 80th percentile of buyers; last paid over 180 days ago."""
    paid = _paid(e, None, s.at)
    per = paid.group_by("user_id").agg(
        orders=paid.order_id.nunique(), amount=paid.amount.sum().cast("float64"), last_paid=paid.paid_at.max()
    )
    top_fifth = per.aggregate(bar=per.amount.quantile(0.8))
    t = per.cross_join(top_fifth)
    return t.filter(t.last_paid < s.ago(180), (t.orders >= 3) | (t.amount >= t.bar)).select("user_id")


# --- lifecycle (members; the first state that fits) --------------------------------------------------------------


def lifecycle(e: Reader, s: Moments) -> ir.Table:
    """`user_id`, `state` of every member at T. An order is a distinct order_id with a paid line that is no sample."""
    import ibis

    paid = _paid(e, None, s.at)
    real = paid.kind != "sample"
    per = paid.group_by("user_id").agg(
        orders=paid.order_id.nunique(where=real),
        samples=(~real).sum(),
        last_paid=paid.paid_at.max(),
    )
    repeat = per.filter(per.orders >= 2)
    median = repeat.aggregate(median=repeat.orders.median())
    c = e.table("customers")
    c = c.filter(c.member_joined_at <= s.at).select("user_id", "member_joined_at")
    t = c.left_join(per, "user_id").drop("user_id_right").cross_join(median)
    orders, samples = t.orders.fill_null(0), t.samples.fill_null(0)
    state = ibis.cases(
        ((t.member_joined_at >= s.ago(s.settings.new_member_days)) & (orders <= 1), "new_member"),
        ((orders == 0) & (samples > 0), "trial"),
        (orders == 0, "potential"),
        (t.last_paid >= s.ago(s.settings.active_old_days), "active_old"),
        ((t.last_paid >= s.ago(s.settings.prechurn_days)) & (orders >= t.median), "prechurn_high"),
        (t.last_paid >= s.ago(s.settings.prechurn_days), "prechurn_low"),
        else_="churned",
    )
    return t.select("user_id", state=state)


def _state(name: str) -> Crowd:
    def of(e: Reader, s: Moments) -> ir.Table:
        t = lifecycle(e, s)
        return users(t.filter(t.state == name))

    return of


for _name in ("new_member", "active_old", "prechurn_high", "prechurn_low", "churned", "trial", "potential"):
    CROWDS[_name] = _state(_name)


# --- helpers of our own, for splitting an audience ---------------------------------------------------------------


@_crowd
def group_member(e: Reader, s: Moments) -> ir.Table:
    t = e.table("customers")
    return users(t.filter(t.in_group == 1))


@_crowd
def service_contact(e: Reader, s: Moments) -> ir.Table:
    t = e.table("customers")
    return users(t.filter(t.in_exclusive_service == 1))


@_crowd
def sms_opted_out(e: Reader, s: Moments) -> ir.Table:
    t = e.table("customers")
    return users(t.filter(t.sms_opt_out == 1))


@_crowd
def deposit_unpaid(e: Reader, s: Moments) -> ir.Table:
    """Carted a presale item in this wave and has paid no deposit on it at or after that, nor bought it."""
    items = e.table("items")
    presale = items.filter(items.is_presale == 1).select("item_id").distinct()
    carts = events(e, s.wave_start, s.wave_until, "cart").semi_join(presale, "item_id")
    first = carts.group_by("user_id", "item_id").agg(first_cart=carts.ts.min())
    o = e.table("orders")
    settled = o.filter((o.deposit_paid_at <= s.at) | (o.paid_at <= s.at))
    last = settled.group_by("user_id", "item_id").agg(
        deposit_at=settled.deposit_paid_at.max(where=settled.deposit_paid_at <= s.at),
        paid_at=settled.paid_at.max(where=settled.paid_at <= s.at),
    )
    t = first.left_join(last, ["user_id", "item_id"])
    settled_since = (t.deposit_at >= t.first_cart).fill_null(False) | (t.paid_at >= t.first_cart).fill_null(False)
    return users(t.filter(~settled_since))


@_crowd
def wave_buyers(e: Reader, s: Moments) -> ir.Table:
    return users(_paid(e, s.wave_start, s.wave_until))
