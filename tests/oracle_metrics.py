"""The oracle's second half: every metric of domain.md section 4 and every breakdown, recomputed naively.

The first eighteen metrics and all crowds are those of oracle.py; here are the relation values, active members and
fans, peers, refunds, coupons and touches, and `split`, one number a value. Plain loops again, nothing imported from
the product.

The moments: `end` is the end of the window's last day or the as-of time, whichever is earlier; `start` the first
second of its first day; K the end of the cohort date, but not after `end`. Nothing after `end` is seen.

Readings (where the definitions leave a choice open, the one taken here):
 1. The relation at K of a crowd: the people of the crowd at `end` who were members or fans at K.
 2. "Active at" a moment: an event, or an order created, from the first second of the earliest of the
    `active_days` calendar days that end with the moment's day, up to the moment.
 3. Without any campaign the cohort date is the window's first day (as for `old`).
 4. A refund of unknown time counts; one refunded after `end` is 0. Whether the shop's data carry refunds at all
    is asked of every line there is, paid or not, whenever refunded, and whatever the crowd or the part: a refund
    of 0 says that they do.
 5. A click counts whether or not the touch is marked delivered; `delivered` unknown is not delivered.
 6. An order line is a row: two rows of one order and item are two lines, each with its own amount.
 7. Touches are of the crowd's people, so are the lines they are credited with (a touch and its line have one person).
 8. Peers are compared with a crowd by its key, of the window's campaign by its key (the year is not asked). Neither
    an expression nor a part of a crowd (a level, a city, a lifecycle state) is that crowd: no value.
 9. By hour, item and category `amount_share` is the part's amount of the shop's amount of the whole window, so
    that the parts add up to the crowd's share; rates relate the part's numbers (visitors of that item), sizes are the crowd's.
10. Values listed for hour, item, category and channel come from the whole shop, not from the crowd alone, so that
    two crowds list the same. A deposit there is one of a presale line, as in `deposit_buyers`.
11. A row without item is the item "—", as without category.
12. By hour, a line belongs to the hour of its deposit for `deposit_buyers` and of its payment for all else.
13. By member level: a person who is no member at `end` has none, whatever the customer row says.
14. Whoever is known by a touch or coupon alone (no customer row, event or order) is not in `all`, so not counted.
15. By channel, a value listed is one of the metric's own side: sources of visits and carts, or channels of touches
    sent in the window.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tests import oracle
from tests.oracle import (
    Campaign,
    Number,
    Row,
    Settings,
    Tables,
    end_of,
    inside,
    moment,
    ratio,
    start_of,
    text,
    total,
    until,
    user_of,
    window_end,
)

RATIOS = oracle.RATIOS | {
    "aov": ("paid_amount", "buyers"),
    "rv_value": ("rv_active_amount", "rv_active"),
}
PEERS = ("rv_value", "amount_share", "visit_rate", "conversion_rate")
RELATION = (
    "rv_total", "rv_active", "rv_active_buyers", "rv_active_amount", "rv_value", "non_rv_value",
    "active_members", "active_member_buyers", "active_fans_only", "active_fan_only_buyers",
)  # fmt: skip
TOUCH = ("touch_sent", "touch_delivery_rate", "touch_click_rate", "touch_conversion_rate", "touch_roi")
METRICS = (
    *oracle.METRICS, *RELATION, *(f"peer_{key}" for key in PEERS), "aov", "refund_rate", "repurchase_rate",
    "new_members", "coupon_redeem_rate", "paid_orders", *TOUCH,
)  # fmt: skip
OF_ACTS = (*oracle.METRICS, "aov", "refund_rate", "paid_orders")  # made of visits, carts, deposits and paid lines
OF_SOURCES = ("visitors", "carters", "visit_rate", "visit_cart_rate")
BREAKDOWNS = ("day", "hour", "item", "category", "member_level", "city", "lifecycle", "channel")
NONE = "—"


@dataclass(frozen=True)
class Asked:
    """What a number is asked of: the data, whole days [first, last] seen at `as_of`, the campaigns, the cut-offs."""

    tables: Tables
    first: date
    last: date
    campaigns: Sequence[Campaign]
    settings: Settings
    as_of: datetime | None = None

    @property
    def start(self) -> datetime:
        return start_of(self.first)

    @property
    def end(self) -> datetime:
        return window_end(self.last, self.as_of)

    @property
    def campaign(self) -> Campaign | None:
        return oracle.campaign_of(self.last, self.campaigns)

    @property
    def cohort_date(self) -> date:
        return self.first if self.campaign is None else self.campaign.cohort_date

    @property
    def cohort_moment(self) -> datetime:
        return min(end_of(self.cohort_date), self.end)


Acts = Callable[[str], Tables]  # the rows that a part's metric is made of


# ---------------------------------------------------------------- crowds


def crowd_people(crowd: str, asked: Asked) -> set[str]:
    """The people of a crowd key or of an expression with and, or, not and brackets (not binds first, or last)."""
    tokens = re.findall(r"[()]|[^\s()]+", crowd)

    def any_of() -> set[str]:
        found = all_of()
        while tokens and tokens[0] == "or":
            tokens.pop(0)
            found = found | all_of()
        return found

    def all_of() -> set[str]:
        found = one()
        while tokens and tokens[0] == "and":
            tokens.pop(0)
            found = found & one()
        return found

    def one() -> set[str]:
        token = tokens.pop(0)
        if token == "not":
            return oracle.everyone(asked.tables, asked.end) - one()
        if token == "(":
            found = any_of()
            assert tokens.pop(0) == ")"
            return found
        return key_people(token, asked)

    people = any_of()
    assert not tokens, f"{crowd!r} goes on at {tokens}"
    return people


def key_people(key: str, asked: Asked) -> set[str]:
    """One crowd key, as oracle.metric takes it: panel crowds of the window, the others at its end."""
    if key in oracle.PANEL_CROWDS:
        return oracle.panel_crowd(
            key, asked.tables, asked.first, asked.last, asked.campaigns, asked.settings, asked.as_of
        )
    window = (asked.first, asked.last)
    return oracle.action_crowd(key, asked.tables, asked.end, asked.campaigns, asked.settings, window)


def active(asked: Asked, at: datetime) -> set[str]:
    """An event, or an order created, on one of the `active_days` calendar days that end with the day of `at`."""
    since = start_of(at.date() - timedelta(days=asked.settings.active_days - 1))
    people = {user_of(e) for e in asked.tables.get("events", []) if inside(e["ts"], since, at)}
    return people | {user_of(o) for o in asked.tables.get("orders", []) if inside(o["created_at"], since, at)}


# ---------------------------------------------------------------- metrics


def metric(
    key: str,
    crowd: str,
    tables: Tables,
    first: date,
    last: date,
    campaigns: Sequence[Campaign],
    settings: Settings,
    as_of: datetime | None = None,
) -> Number:
    """Any metric of section 4 for a crowd (a key or an expression) over whole days [first, last] up to T."""
    asked = Asked(tables, first, last, campaigns, settings, as_of)
    if key.startswith("peer_"):
        return peer(key.removeprefix("peer_"), crowd, asked)
    return value(key, crowd_people(crowd, asked), asked)


def value(key: str, crowd: set[str], asked: Asked, acts: Acts | None = None) -> Number:
    """A metric of the given people; `acts` narrows the rows of visits, carts, deposits and paid lines to a part."""
    tables = asked.tables if acts is None else acts(key)

    def same(other: str) -> Number:
        return value(other, crowd, asked, acts)

    def of_shop(other: str) -> Number:
        return value(other, oracle.everyone(asked.tables, asked.end), asked)

    if key in RATIOS:
        numerator, denominator = RATIOS[key]
        return ratio(same(numerator), same(denominator))
    if key == "amount_share":
        return ratio(same("paid_amount"), of_shop("paid_amount"))
    if key in oracle.METRICS:
        return oracle.measure(key, crowd, tables, asked.start, asked.end)
    if key == "refund_rate":
        return refund_rate(crowd, tables, asked)
    if key == "paid_orders":
        paid = oracle.lines_paid(tables, asked.start, asked.end)
        return len({(user_of(line), text(line["order_id"])) for line in paid if user_of(line) in crowd})
    if key == "non_rv_value":
        shop_amount, relation_amount = of_shop("paid_amount"), same("rv_active_amount")
        shop_people, relation_people = of_shop("crowd_size"), same("rv_active")
        if shop_amount is None or relation_amount is None or shop_people is None or relation_people is None:
            return None
        return ratio(shop_amount - relation_amount, shop_people - relation_people)
    if key in RELATION:
        return relation(key, crowd, asked)
    if key in TOUCH:
        return touched(key, [t for t in asked.tables.get("touches", []) if user_of(t) in crowd], asked)
    if key == "repurchase_rate":
        old = oracle.old_customers(asked.tables, asked.cohort_date, asked.end, asked.settings) & crowd
        return ratio(len(old & oracle.payers(asked.tables, asked.start, asked.end)), len(old))
    if key == "new_members":
        customers = asked.tables.get("customers", [])
        joined = {user_of(row) for row in customers if inside(row["member_joined_at"], asked.start, asked.end)}
        return len(crowd & joined)
    if key == "coupon_redeem_rate":
        coupons = [c for c in asked.tables.get("coupons", []) if user_of(c) in crowd]
        claimed = [c for c in coupons if inside(c["claimed_at"], asked.start, asked.end)]
        return ratio(len([c for c in claimed if text(c["redeemed_order_id"]) is not None]), len(claimed))
    raise KeyError(key)


def relation(key: str, crowd: set[str], asked: Asked) -> Number:
    """Members and fans: rv_* as they were at the cohort date, active_* at the window's end."""
    paid = [line for line in oracle.lines_paid(asked.tables, asked.start, asked.end) if user_of(line) in crowd]
    buyers = {user_of(line) for line in paid}
    if key.startswith("rv_"):
        at = asked.cohort_moment
        related = crowd & (oracle.members(asked.tables, at) | oracle.fans(asked.tables, at))
        if key == "rv_total":
            return len(related)
        related &= active(asked, at)
        if key == "rv_active":
            return len(related)
        if key == "rv_active_buyers":
            return len(related & buyers)
        assert key == "rv_active_amount"
        return total(line["amount"] for line in paid if user_of(line) in related)
    members = crowd & oracle.members(asked.tables, asked.end)
    fans_only = (crowd & oracle.fans(asked.tables, asked.end)) - members
    lively = active(asked, asked.end)
    counted = {
        "active_members": members & lively,
        "active_member_buyers": members & lively & buyers,
        "active_fans_only": fans_only & lively,
        "active_fan_only_buyers": fans_only & lively & buyers,
    }
    return len(counted[key])


def refund_rate(crowd: set[str], tables: Tables, asked: Asked) -> float | None:
    """What was given back of the lines paid in the window; no value where the whole data know of no refund."""
    if all(line.get("refund_amount") is None for line in asked.tables.get("orders", [])):
        return None
    paid = refunded = 0.0
    for line in oracle.lines_paid(tables, asked.start, asked.end):
        if user_of(line) not in crowd or line["amount"] is None:
            continue
        paid += line["amount"]
        at = moment(line.get("refunded_at"))
        if line.get("refund_amount") is not None and (at is None or at <= asked.end):
            refunded += line["refund_amount"]
    return ratio(refunded, paid)


def peer(key: str, crowd: str, asked: Asked) -> Number:
    """The peers' average of a metric, of this campaign and this very crowd."""
    if asked.campaign is None or crowd not in oracle.CROWDS:
        return None
    wanted = (asked.campaign.key, crowd, key)
    rows = asked.tables.get("peers", [])
    found = [row["value"] for row in rows if (text(row["campaign"]), text(row["crowd"]), text(row["metric"])) == wanted]
    return found[0] if found else None


def touched(key: str, touches: Iterable[Row], asked: Asked) -> Number:
    """The metrics of the given touches, those sent in the window."""
    sent = [t for t in touches if inside(t["sent_at"], asked.start, asked.end)]
    delivered = [t for t in sent if t["delivered"] == 1]
    if key == "touch_sent":
        return len(sent)
    if key == "touch_delivery_rate":
        return ratio(len(delivered), len(sent))
    if key == "touch_click_rate":
        return ratio(len([t for t in sent if until(t["clicked_at"], asked.end)]), len(delivered))
    converted = 0
    credited: set[int] = set()  # positions of order lines, so that a line counts once however many touches led to it
    for touch in sent:
        at = moment(touch["sent_at"])
        assert at is not None
        upto = min(at + timedelta(hours=asked.settings.attribution_hours), asked.end)
        lines = set()
        for position, line in enumerate(asked.tables.get("orders", [])):
            if user_of(line) == user_of(touch) and inside(line["paid_at"], at, upto):
                lines.add(position)
        converted += 1 if lines else 0
        credited |= lines
    if key == "touch_conversion_rate":
        return ratio(converted, len(sent))
    assert key == "touch_roi"
    gained = total(asked.tables["orders"][position]["amount"] for position in sorted(credited))
    return ratio(gained, total(t["cost"] for t in sent))


# ---------------------------------------------------------------- breakdowns


def split(
    key: str,
    by: str,
    crowd: str,
    tables: Tables,
    first: date,
    last: date,
    campaigns: Sequence[Campaign],
    settings: Settings,
    as_of: datetime | None = None,
) -> dict[str, Number]:
    """A metric broken down: {value of `by`: number}. ValueError where the metric cannot be broken down so."""
    asked = Asked(tables, first, last, campaigns, settings, as_of)
    if by == "day":
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return {day.isoformat(): metric(key, crowd, tables, day, day, campaigns, settings, as_of) for day in days}
    people = crowd_people(crowd, asked)
    if by in ("member_level", "city", "lifecycle"):
        of = attributes(by, asked)
        listed = {of.get(user, NONE) for user in oracle.everyone(tables, asked.end)}
        parts = {v: {user for user in people if of.get(user, NONE) == v} for v in listed}
        return {v: None if key.startswith("peer_") else value(key, part, asked) for v, part in parts.items()}
    if by in ("hour", "item", "category"):
        if key not in OF_ACTS:
            raise ValueError(f"{key} is not made of visits, carts, deposits and paid lines")
        narrowed = by_hour if by == "hour" else by_thing
        return {v: value(key, people, asked, narrowed(by, v, tables)) for v in act_values(by, asked)}
    assert by == "channel"
    if key in TOUCH:
        touches = [t for t in tables.get("touches", []) if user_of(t) in people]
        return {
            v: touched(key, [t for t in touches if (text(t["channel"]) or NONE) == v], asked) for v in channels(asked)
        }
    if key not in OF_SOURCES:
        raise ValueError(f"{key} has no channel: orders and customers carry none")
    return {v: value(key, people, asked, by_source(v, tables)) for v in sources(asked)}


def attributes(by: str, asked: Asked) -> dict[str, str]:
    """What each person is at the window's end; people of whom nothing is known are left out."""
    if by == "lifecycle":
        return oracle.lifecycle(asked.tables, asked.end, asked.settings)
    members = oracle.members(asked.tables, asked.end)
    found = {}
    for row in asked.tables.get("customers", []):
        user, known = user_of(row), text(row.get(by))
        if known is not None and (by != "member_level" or user in members):
            found[user] = known
    return found


def thing_of(row: Row, by: str, tables: Tables) -> str:
    """The item of an event or a line; its category, where the row has none that of its item."""
    item = text(row.get("item_id"))
    if by == "item":
        return item or NONE
    own = text(row.get("category_id"))
    if own is None and item is not None:
        for candidate in tables.get("items", []):
            if text(candidate["item_id"]) == item:
                own = text(candidate["category_id"])
    return own or NONE


def by_thing(by: str, wanted: str, tables: Tables) -> Acts:
    """Only the events and lines of that item or category: its first cart, its payments."""
    kept = {
        name: [row for row in tables.get(name, []) if thing_of(row, by, tables) == wanted]
        for name in ("events", "orders")
    }
    return lambda key: kept


def hour_of(at: date | datetime | None) -> str | None:
    known = moment(at)
    return None if known is None else f"{known.hour:02d}"


def by_hour(by: str, wanted: str, tables: Tables) -> Acts:
    """Only the acts in that hour of the day; a first cart stays the window's, whatever its hour."""

    def acts(key: str) -> Tables:
        events, orders = tables.get("events", []), tables.get("orders", [])
        if key not in ("cart_buyers", "cart_paid_amount"):
            events = [e for e in events if hour_of(e["ts"]) == wanted]
        column = "deposit_paid_at" if key == "deposit_buyers" else "paid_at"
        return {"events": events, "orders": [line for line in orders if hour_of(line[column]) == wanted]}

    return acts


def by_source(wanted: str, tables: Tables) -> Acts:
    kept = [e for e in tables.get("events", []) if (text(e.get("source")) or NONE) == wanted]
    return lambda key: {"events": kept, "orders": []}


def act_values(by: str, asked: Asked) -> set[str]:
    """The hours, items or categories in which something of the window happened."""
    start, end = asked.start, asked.end
    acts: list[tuple[Row, str]] = [
        (event, "ts") for event in oracle.events_of(asked.tables, ["visit", "cart"], start, end)
    ]
    for line in asked.tables.get("orders", []):
        if line["kind"] == "presale" and inside(line["deposit_paid_at"], start, end):
            acts.append((line, "deposit_paid_at"))
        if inside(line["paid_at"], start, end):
            acts.append((line, "paid_at"))
    if by == "hour":
        return {hour_of(row[column]) or NONE for row, column in acts}
    return {thing_of(row, by, asked.tables) for row, _ in acts}


def sources(asked: Asked) -> set[str]:
    events = oracle.events_of(asked.tables, ["visit", "cart"], asked.start, asked.end)
    return {text(e.get("source")) or NONE for e in events}


def channels(asked: Asked) -> set[str]:
    sent = [t for t in asked.tables.get("touches", []) if inside(t["sent_at"], asked.start, asked.end)]
    return {text(t["channel"]) or NONE for t in sent}
