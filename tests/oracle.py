"""An independent oracle: the numbers of domain.md (sections 1 to 4, "Precision" first), recomputed naively.

Plain loops over plain rows, no pandas, no SQL, nothing imported from the product. Each function
paraphrases the sentence that it implements, so that a person can hold the two side by side.

Readings (where domain.md leaves a choice open, the one taken here):
 1. The clock has whole seconds: a day ends at 23:59:59, and fractions of a second in the data are cut
    off.
 2. A date without a time is its midnight; only a coupon's date-only `valid_to` means the end of that day.
 3. Each time is judged on its own: a line is paid when paid_at <= T, whatever created_at says.
 4. A customer row makes a person known at any date (the row itself has no date).
 5. `old` before the cohort date sees only what was paid up to the window's end; its lower bound stays
    cohort - 365 days.
 6. The span of a campaign is first day of its first phase to last day of its last; of two that contain a
    day, the later.
 7. Days before the first wave that lie in a phase: that phase, as in pool. Days after the last sale
    phase: the last wave. A campaign without any sale phase has one wave, over its phases other than pool,
    prepare and review.
 8. W of an action crowd ends at min(T, end of the wave); payments "since" are looked at up to T, so also
    in review.
 9. The crowds that need a wave or campaign are undefined (ValueError) when there is no campaign at all.
10. `public_new` uses the wave up to T as its window, except inside a metric, where the metric's own
    window is used. "No order ever" looks at lines of any kind, paid or not, created up to T.
11. The other four acquisition crowds together are exactly `all` at T.
12. "In a category": the event's own category_id; where it has none, the category of its item in `items`.
13. "Claimed a coupon" (member_hesitating): a coupon_claim event or a coupon's claimed_at.
14. A coupon with an unknown claimed_at, valid_from or valid_to is not held (an unknown comparison does
    not hold). redeemed_order_id has no time of its own: when it is set, the coupon is redeemed at any T.
15. "Paid orders" of gold_intent, repurchase, dormant_vip, bought: lines of every kind, samples included.
16. "Top fifth": of the people with a known lifetime paid amount, the ceil(n / 5) greatest, ties at the
    edge included.
17. dormant_vip is (3+ paid orders, or top fifth) and last paid before T - 180 x 24 h.
18. Lifecycle: "last paid" looks at any paid line (a sample is a line like any other); the order count and
    the median do not count samples; the median is over all people, members or not; without repeat buyers
    nobody is prechurn_high.
19. Recruit date without a `pool` phase: the campaign's first day.
20. Money at stake and top items: carts in W only; "paid since" = a line of the same item, paid from the
    person's last cart of it (in W) up to T. Of two carts in the same second the later row counts. Carts
    without item are left out. Money at stake follows the rule for sums: 0 for no item, None where no item
    has a price.
21. Any `cart` event is a cart, whatever its quantity.
22. cart_buyers counts lines of any item, not only the carted one.
23. The shop of `amount_share` is the crowd `all`.
(active_days and attribution_hours of Settings belong to the metrics of oracle_metrics.py.)
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]
Number = int | float | None

PANEL_CROWDS = ("all", "old", "new", "member", "fan")
ACQUISITION_CROWDS = (
    "public_new", "nonmember_unbought", "member_unbought", "nonmember_bought", "member_bought",
)  # fmt: skip
ACTION_CROWDS = (
    "cart_unpaid", "cart_fav_unpaid", "balance_due", "last_push", "high_potential", "category_interest",
    "presale_history", "gold_intent", "repurchase", "member_dormant_intent", "member_hesitating",
    "bought_nonmember", "live_member", "coupon_unredeemed", "challenge_open", "dormant_vip",
)  # fmt: skip
LIFECYCLE_CROWDS = (
    "new_member", "active_old", "prechurn_high", "prechurn_low", "churned", "trial", "potential",
)  # fmt: skip
CROWDS = PANEL_CROWDS + ACQUISITION_CROWDS + ACTION_CROWDS + LIFECYCLE_CROWDS
METRICS = (
    "crowd_size", "visitors", "carters", "deposit_buyers", "balance_buyers", "presale_paid_amount",
    "cart_buyers", "cart_paid_amount", "buyers", "paid_amount", "visit_rate", "visit_cart_rate",
    "visit_deposit_rate", "cart_pay_rate", "deposit_balance_rate", "visit_pay_rate", "conversion_rate",
    "amount_share",
)  # fmt: skip
RATIOS = {
    "visit_rate": ("visitors", "crowd_size"),
    "visit_cart_rate": ("carters", "visitors"),
    "visit_deposit_rate": ("deposit_buyers", "visitors"),
    "cart_pay_rate": ("cart_buyers", "carters"),
    "deposit_balance_rate": ("balance_buyers", "deposit_buyers"),
    "visit_pay_rate": ("buyers", "visitors"),
    "conversion_rate": ("buyers", "crowd_size"),
}


@dataclass(frozen=True)
class Campaign:
    """One dated campaign; `phases` holds (phase key, first day, last day) in order."""

    key: str
    phases: tuple[tuple[str, date, date], ...]
    cohort_date: date
    recruit_date: date | None = None

    @property
    def first_day(self) -> date:
        return self.phases[0][1]

    @property
    def last_day(self) -> date:
        return self.phases[-1][2]


@dataclass(frozen=True)
class Settings:
    old_customer_days: int = 365
    active_days: int = 90
    attribution_hours: int = 72
    new_member_days: int = 30  # lifecycle: joined within
    new_member_orders: int = 1  # lifecycle: at most so many orders
    lifecycle_active_days: int = 90  # lifecycle: last paid within
    churn_days: int = 365  # lifecycle: churned when last paid longer ago


# ---------------------------------------------------------------- small helpers


def moment(value: date | datetime | None) -> datetime | None:
    """A time of the data as a whole second; a bare date is its midnight."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    return datetime.combine(value, time.min)


def start_of(day: date) -> datetime:
    return datetime.combine(day, time.min)


def end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59))


def window_end(last: date, as_of: datetime | None) -> datetime:
    """The window ends with its last day, or at the as-of time where that is earlier."""
    if as_of is None:
        return end_of(last)
    return min(end_of(last), as_of.replace(microsecond=0))


def inside(value: date | datetime | None, start: datetime, end: datetime) -> bool:
    """start <= value <= end, both included; an unknown time is never inside."""
    at = moment(value)
    return at is not None and start <= at <= end


def until(value: date | datetime | None, end: datetime) -> bool:
    at = moment(value)
    return at is not None and at <= end


def days_before(as_of: datetime, days: int) -> datetime:
    """ "The last N days" begin N x 24 hours before T."""
    return as_of - timedelta(hours=24 * days)


def text(value: Any) -> str | None:
    """An id as text without surrounding blanks; None where it is empty."""
    if value is None:
        return None
    stripped = str(value).strip()
    return stripped or None


def user_of(row: Row) -> str:
    return str(row["user_id"]).strip()


def events_of(tables: Tables, kinds: Iterable[str], start: datetime, end: datetime) -> list[Row]:
    wanted = set(kinds)
    return [e for e in tables.get("events", []) if e["kind"] in wanted and inside(e["ts"], start, end)]


def people_with_event(tables: Tables, kinds: Iterable[str], start: datetime, end: datetime) -> set[str]:
    return {user_of(e) for e in events_of(tables, kinds, start, end)}


def people_on_days(tables: Tables, kind: str, start: datetime, end: datetime, at_least: int) -> set[str]:
    """People with an event of the kind on at least so many different calendar days in [start, end]."""
    days: dict[str, set[date]] = {}
    for event in events_of(tables, [kind], start, end):
        at = moment(event["ts"])
        assert at is not None
        days.setdefault(user_of(event), set()).add(at.date())
    return {user for user, seen in days.items() if len(seen) >= at_least}


def lines_paid(tables: Tables, start: datetime, end: datetime) -> list[Row]:
    """Order lines with paid_at in [start, end]."""
    return [line for line in tables.get("orders", []) if inside(line["paid_at"], start, end)]


def payers(tables: Tables, start: datetime, end: datetime) -> set[str]:
    return {user_of(line) for line in lines_paid(tables, start, end)}


def first_times(events: Iterable[Row]) -> dict[str, datetime]:
    """The time of each person's first event among the given ones."""
    first: dict[str, datetime] = {}
    for event in events:
        user, at = user_of(event), moment(event["ts"])
        assert at is not None
        if user not in first or at < first[user]:
            first[user] = at
    return first


def total(amounts: Iterable[float | None]) -> float | None:
    """A sum skips unknown amounts; no value where all are unknown; 0 over nothing."""
    listed = list(amounts)
    known = [float(amount) for amount in listed if amount is not None]
    if listed and not known:
        return None
    return math.fsum(known)


def ratio(numerator: Number, denominator: Number) -> float | None:
    """No value where the denominator is zero or either side has no value."""
    if numerator is None or denominator is None or denominator == 0:
        return None
    return numerator / denominator


BEGINNING = datetime.min


# ---------------------------------------------------------------- campaigns and waves


def campaign_of(day: date, campaigns: Sequence[Campaign]) -> Campaign | None:
    """The campaign that contains the window's last day, else the latest that began before it."""
    containing = [c for c in campaigns if c.first_day <= day <= c.last_day]
    if containing:
        return max(containing, key=lambda c: c.first_day)
    begun = [c for c in campaigns if c.first_day < day]
    if begun:
        return max(begun, key=lambda c: c.first_day)
    return None


def waves(campaign: Campaign) -> list[tuple[date, date]]:
    """Each sale phase closes a wave that began the day after the one before it, the first with presale."""
    presale = [first for key, first, _ in campaign.phases if key == "presale"]
    aside = ("pool", "prepare", "review")
    other = [(first, last) for key, first, last in campaign.phases if key not in aside]
    if not other:
        return []
    start = presale[0] if presale else other[0][0]
    found: list[tuple[date, date]] = []
    for key, _, last in campaign.phases:
        if key.startswith("sale"):
            found.append((start, last))
            start = last + timedelta(days=1)
    return found or [(start, other[-1][1])]


def wave(as_of: datetime, campaign: Campaign) -> tuple[date, date]:
    """The wave that contains the day of T; in pool/prepare the phase itself; in review the last wave."""
    day = as_of.date()
    for first, last in waves(campaign):
        if first <= day <= last:
            return first, last
    if waves(campaign) and day > waves(campaign)[-1][1]:
        return waves(campaign)[-1]
    begun = [(first, last) for _, first, last in campaign.phases if first <= day]
    if begun:
        return begun[-1]
    return campaign.phases[0][1], campaign.phases[0][2]


# ---------------------------------------------------------------- panel crowds


def everyone(tables: Tables, end: datetime) -> set[str]:
    """`all`: a customer row, or an event or an order (by created_at) up to the end."""
    people = {user_of(row) for row in tables.get("customers", [])}
    people |= {user_of(row) for row in tables.get("events", []) if until(row["ts"], end)}
    people |= {user_of(row) for row in tables.get("orders", []) if until(row["created_at"], end)}
    return people


def members(tables: Tables, end: datetime) -> set[str]:
    """`member`: member_joined_at is set and not later than the end."""
    return {user_of(row) for row in tables.get("customers", []) if until(row["member_joined_at"], end)}


def fans(tables: Tables, end: datetime) -> set[str]:
    """`fan`: fan_since is set and not later than the end."""
    return {user_of(row) for row in tables.get("customers", []) if until(row["fan_since"], end)}


def old_customers(tables: Tables, cohort_date: date, end: datetime, settings: Settings) -> set[str]:
    """`old`: a line with paid_at in [cohort - 365 days, cohort), as far as it is seen at the end."""
    lower = start_of(cohort_date - timedelta(days=settings.old_customer_days))
    upper = start_of(cohort_date)
    people = set()
    for line in tables.get("orders", []):
        paid = moment(line["paid_at"])
        if paid is not None and lower <= paid < upper and paid <= end:
            people.add(user_of(line))
    return people


def panel_crowd(
    key: str,
    tables: Tables,
    first: date,
    last: date,
    campaigns: Sequence[Campaign],
    settings: Settings,
    as_of: datetime | None = None,
) -> set[str]:
    """A panel crowd of the window: the crowd at the end of its last day (or at T where that is earlier)."""
    end = window_end(last, as_of)
    if key == "all":
        return everyone(tables, end)
    if key == "member":
        return members(tables, end)
    if key == "fan":
        return fans(tables, end)
    campaign = campaign_of(last, campaigns)
    cohort_date = first if campaign is None else campaign.cohort_date
    old = old_customers(tables, cohort_date, end, settings)
    if key == "old":
        return old
    if key == "new":  # visited or paid in the window, and not old
        start = start_of(first)
        return (people_with_event(tables, ["visit"], start, end) | payers(tables, start, end)) - old
    raise KeyError(key)


# ---------------------------------------------------------------- acquisition crowds


def acquisition_crowd(key: str, tables: Tables, start: datetime, end: datetime) -> set[str]:
    """public_new by its window [start, end]; the other four cut `all` at the end by member and bought."""
    is_member = members(tables, end)
    bought = payers(tables, BEGINNING, end)
    if key == "public_new":  # first event within the window, no order ever, not a member
        ordered = {user_of(line) for line in tables.get("orders", []) if until(line["created_at"], end)}
        seen = [e for e in tables.get("events", []) if until(e["ts"], end)]
        arrived = {user for user, at in first_times(seen).items() if at >= start}
        return arrived - ordered - bought - is_member
    known = everyone(tables, end)
    if key == "nonmember_unbought":
        return known - is_member - bought
    if key == "member_unbought":
        return (known & is_member) - bought
    if key == "nonmember_bought":
        return (known & bought) - is_member
    if key == "member_bought":
        return known & bought & is_member
    raise KeyError(key)


# ---------------------------------------------------------------- action crowds


def last_payments(tables: Tables, as_of: datetime) -> dict[str, datetime]:
    """When each person paid last, up to T (any line)."""
    last: dict[str, datetime] = {}
    for line in lines_paid(tables, BEGINNING, as_of):
        user, paid = user_of(line), moment(line["paid_at"])
        assert paid is not None
        last[user] = max(paid, last.get(user, paid))
    return last


def unpaid_since(tables: Tables, kinds: Iterable[str], start: datetime, w_end: datetime, as_of: datetime) -> set[str]:
    """An event of the kinds in W, and no line paid from the person's first such event in W up to T."""
    last_paid = last_payments(tables, as_of)
    found = set()
    for user, first in first_times(events_of(tables, kinds, start, w_end)).items():
        paid_since = user in last_paid and last_paid[user] >= first
        if not paid_since:
            found.add(user)
    return found


def balance_due(tables: Tables, start: datetime, campaign_end: datetime, as_of: datetime) -> set[str]:
    """A presale line whose deposit was paid in the campaign up to T, and that has no paid_at up to T."""
    found = set()
    for line in tables.get("orders", []):
        deposit = inside(line["deposit_paid_at"], start, campaign_end)
        if line["kind"] == "presale" and deposit and not until(line["paid_at"], as_of):
            found.add(user_of(line))
    return found


def category_visitors(tables: Tables, start: datetime, end: datetime) -> set[str]:
    """A visit, favourite or cart in [start, end] in a category that a hero item belongs to."""
    category_of_item = {text(item["item_id"]): text(item["category_id"]) for item in tables.get("items", [])}
    hero = {text(item["category_id"]) for item in tables.get("items", []) if item["is_hero"] == 1} - {None}
    found = set()
    for event in events_of(tables, ["visit", "favorite", "cart"], start, end):
        category = text(event["category_id"])
        if category is None:
            category = category_of_item.get(text(event["item_id"]))
        if category in hero:
            found.add(user_of(event))
    return found


def coupon_holders(tables: Tables, as_of: datetime) -> set[str]:
    """A coupon with claimed_at <= T and valid_from <= T <= valid_to that has no redeemed_order_id."""
    found = set()
    for coupon in tables.get("coupons", []):
        valid_to = moment(coupon["valid_to"])
        if valid_to is not None and not isinstance(coupon["valid_to"], datetime):
            valid_to = end_of(valid_to.date())
        runs = until(coupon["valid_from"], as_of) and valid_to is not None and as_of <= valid_to
        if until(coupon["claimed_at"], as_of) and runs and text(coupon["redeemed_order_id"]) is None:
            found.add(user_of(coupon))
    return found


def challenge_open(tables: Tables, start: datetime, campaign_end: datetime, as_of: datetime) -> set[str]:
    """A challenge_join in the campaign, and no challenge_done from the person's last such join up to T."""
    last_join: dict[str, datetime] = {}
    for event in events_of(tables, ["challenge_join"], start, campaign_end):
        user, at = user_of(event), moment(event["ts"])
        assert at is not None
        if user not in last_join or at > last_join[user]:
            last_join[user] = at
    return {
        user
        for user, joined in last_join.items()
        if user not in people_with_event(tables, ["challenge_done"], joined, as_of)
    }


def dormant_vip(tables: Tables, as_of: datetime) -> set[str]:
    """3+ paid orders or lifetime paid amount in the top fifth; and last paid over 180 days ago."""
    orders: dict[str, set[str | None]] = {}
    amounts: dict[str, list[float | None]] = {}
    for line in lines_paid(tables, BEGINNING, as_of):
        orders.setdefault(user_of(line), set()).add(text(line["order_id"]))
        amounts.setdefault(user_of(line), []).append(line["amount"])
    lifetime = {user: total(listed) for user, listed in amounts.items()}
    ranked = sorted((amount for amount in lifetime.values() if amount is not None), reverse=True)
    edge = ranked[math.ceil(len(ranked) / 5) - 1] if ranked else math.inf
    recent = payers(tables, days_before(as_of, 180), as_of)
    found = set()
    for user in orders:
        amount = lifetime[user]
        top = amount is not None and amount >= edge
        if (len(orders[user]) >= 3 or top) and user not in recent:
            found.add(user)
    return found


def lifecycle(tables: Tables, as_of: datetime, settings: Settings) -> dict[str, str]:
    """The lifecycle state of each member at T; the first rule that holds, in domain.md's order."""
    orders: dict[str, set[str | None]] = {}  # distinct orders with a paid line that is no sample
    last_paid = last_payments(tables, as_of)
    samplers: set[str] = set()
    for line in lines_paid(tables, BEGINNING, as_of):
        user = user_of(line)
        if line["kind"] == "sample":
            samplers.add(user)
        else:
            orders.setdefault(user, set()).add(text(line["order_id"]))
    repeat_counts = [len(ids) for ids in orders.values() if len(ids) >= 2]
    median = statistics.median(repeat_counts) if repeat_counts else math.inf
    joined_lately = {
        user_of(row)
        for row in tables.get("customers", [])
        if inside(row["member_joined_at"], days_before(as_of, settings.new_member_days), as_of)
    }
    state: dict[str, str] = {}
    for user in members(tables, as_of):
        count = len(orders.get(user, set()))
        if user in joined_lately and count <= settings.new_member_orders:
            state[user] = "new_member"
        elif count == 0 and user in samplers:
            state[user] = "trial"
        elif user not in last_paid:
            state[user] = "potential"
        elif last_paid[user] >= days_before(as_of, settings.lifecycle_active_days):
            state[user] = "active_old"
        elif last_paid[user] >= days_before(as_of, settings.churn_days):
            state[user] = "prechurn_high" if count >= median else "prechurn_low"
        else:
            state[user] = "churned"
    return state


def the_campaign(as_of: datetime, campaigns: Sequence[Campaign], key: str) -> Campaign:
    campaign = campaign_of(as_of.date(), campaigns)
    if campaign is None:
        raise ValueError(f"{key} needs a campaign, and none has begun at {as_of}")
    return campaign


def wave_window(as_of: datetime, campaign: Campaign) -> tuple[datetime, datetime]:
    """W: this wave up to T."""
    first, last = wave(as_of, campaign)
    return start_of(first), min(end_of(last), as_of)


def action_crowd(
    key: str,
    tables: Tables,
    as_of: datetime,
    campaigns: Sequence[Campaign],
    settings: Settings,
    window: tuple[date, date] | None = None,
) -> set[str]:
    """Any crowd as of T; `window` is for panel crowds (default: the day of T) and public_new (default: W)."""
    as_of = as_of.replace(microsecond=0)
    if key in PANEL_CROWDS:
        first, last = window or (as_of.date(), as_of.date())
        return panel_crowd(key, tables, first, last, campaigns, settings, as_of)
    if key in ACQUISITION_CROWDS:
        start = BEGINNING
        if key == "public_new":
            if window is None:
                start = wave_window(as_of, the_campaign(as_of, campaigns, key))[0]
            else:
                start, as_of = start_of(window[0]), window_end(window[1], as_of)
        return acquisition_crowd(key, tables, start, as_of)
    if key in LIFECYCLE_CROWDS:
        return {user for user, state in lifecycle(tables, as_of, settings).items() if state == key}

    def since(days: int) -> datetime:
        return days_before(as_of, days)

    # crowds that know neither wave nor campaign
    is_member = members(tables, as_of)
    if key == "category_interest":
        return category_visitors(tables, since(30), as_of) - payers(tables, since(180), as_of)
    if key == "gold_intent":  # members who paid on 2+ calendar days of the last 365
        paid_days: dict[str, set[date]] = {}
        for line in lines_paid(tables, since(365), as_of):
            paid = moment(line["paid_at"])
            assert paid is not None
            paid_days.setdefault(user_of(line), set()).add(paid.date())
        return {user for user, days in paid_days.items() if len(days) >= 2 and user in is_member}
    if key == "repurchase":  # members who paid in the last 365 days
        return is_member & payers(tables, since(365), as_of)
    if key == "member_dormant_intent":  # members who paid nothing in 180 days, with an event in the last 30
        lively = {user_of(e) for e in tables.get("events", []) if inside(e["ts"], since(30), as_of)}
        return (is_member & lively) - payers(tables, since(180), as_of)
    if key == "live_member":  # members who watched a live on 2+ days of the last 30
        return is_member & people_on_days(tables, "live_watch", since(30), as_of, 2)
    if key == "coupon_unredeemed":  # members who hold a coupon, valid at T, not redeemed
        return is_member & coupon_holders(tables, as_of)
    if key == "dormant_vip":
        return dormant_vip(tables, as_of)
    if key not in ACTION_CROWDS:
        raise KeyError(key)

    # crowds of this campaign or this wave
    campaign = the_campaign(as_of, campaigns, key)
    campaign_start = start_of(campaign.first_day)
    campaign_end = min(end_of(campaign.last_day), as_of)
    w_start, w_end = wave_window(as_of, campaign)
    if key == "cart_unpaid":
        return unpaid_since(tables, ["cart"], w_start, w_end, as_of)
    if key == "cart_fav_unpaid":
        return unpaid_since(tables, ["cart", "favorite"], w_start, w_end, as_of)
    if key == "balance_due":
        return balance_due(tables, campaign_start, campaign_end, as_of)
    if key == "last_push":
        # in cart_fav_unpaid, with a cart/favourite in the last 3 days and visits on 2+ days of the last 7
        fresh = people_with_event(tables, ["cart", "favorite"], since(3), as_of)
        visiting = people_on_days(tables, "visit", since(7), as_of, 2)
        return unpaid_since(tables, ["cart", "favorite"], w_start, w_end, as_of) & fresh & visiting
    if key == "high_potential":
        # nothing paid in the campaign; in the last 30 days a cart/favourite, or visits on 3+ days
        wanting = people_with_event(tables, ["cart", "favorite"], since(30), as_of)
        visiting = people_on_days(tables, "visit", since(30), as_of, 3)
        return (wanting | visiting) - payers(tables, campaign_start, campaign_end)
    if key == "presale_history":  # a presale line paid before the campaign's first day
        before = campaign_start - timedelta(seconds=1)
        lines = lines_paid(tables, BEGINNING, min(before, as_of))
        return {user_of(line) for line in lines if line["kind"] == "presale"}
    if key == "member_hesitating":
        # members, nothing paid in W; in 7 days claimed, carted or favourited, or visits on 3+ days of 30
        moved = people_with_event(tables, ["coupon_claim", "cart", "favorite"], since(7), as_of)
        moved |= {user_of(c) for c in tables.get("coupons", []) if inside(c["claimed_at"], since(7), as_of)}
        visiting = people_on_days(tables, "visit", since(30), as_of, 3)
        return (is_member & (moved | visiting)) - payers(tables, w_start, w_end)
    if key == "bought_nonmember":  # paid since the recruit date (default: first day of pool), not a member
        pool = [first for phase, first, _ in campaign.phases if phase == "pool"]
        recruit = campaign.recruit_date or (pool[0] if pool else campaign.first_day)
        return payers(tables, start_of(recruit), as_of) - is_member
    assert key == "challenge_open"
    return challenge_open(tables, campaign_start, campaign_end, as_of)


# ---------------------------------------------------------------- metrics


def metric(
    key: str,
    crowd_key: str,
    tables: Tables,
    first: date,
    last: date,
    campaigns: Sequence[Campaign],
    settings: Settings,
    as_of: datetime | None = None,
) -> Number:
    """One of the first eighteen metrics of section 4, for a crowd, over whole days [first, last] up to T."""

    def same(other: str, crowd: str = crowd_key) -> Number:
        return metric(other, crowd, tables, first, last, campaigns, settings, as_of)

    if key in RATIOS:
        numerator, denominator = RATIOS[key]
        return ratio(same(numerator), same(denominator))
    if key == "amount_share":  # the crowd's paid_amount / the shop's
        return ratio(same("paid_amount"), same("paid_amount", "all"))

    start, end = start_of(first), window_end(last, as_of)
    if crowd_key in PANEL_CROWDS:
        crowd = panel_crowd(crowd_key, tables, first, last, campaigns, settings, as_of)
    else:
        crowd = action_crowd(crowd_key, tables, end, campaigns, settings, (first, last))
    return measure(key, crowd, tables, start, end)


def measure(key: str, crowd: set[str], tables: Tables, start: datetime, end: datetime) -> Number:
    """A number of the given people over [start, end]: what they are, did or paid; no ratio."""
    if key == "crowd_size":
        return len(crowd)
    if key == "visitors":
        return len(crowd & people_with_event(tables, ["visit"], start, end))
    if key == "carters":
        return len(crowd & people_with_event(tables, ["cart"], start, end))
    lines = [line for line in tables.get("orders", []) if user_of(line) in crowd]
    presale = [line for line in lines if line["kind"] == "presale"]
    if key == "deposit_buyers":
        return len({user_of(line) for line in presale if inside(line["deposit_paid_at"], start, end)})
    if key == "balance_buyers":
        return len({user_of(line) for line in presale if inside(line["paid_at"], start, end)})
    if key == "presale_paid_amount":
        return total(line["amount"] for line in presale if inside(line["paid_at"], start, end))
    paid = [line for line in lines if inside(line["paid_at"], start, end)]
    if key == "buyers":
        return len({user_of(line) for line in paid})
    if key == "paid_amount":
        return total(line["amount"] for line in paid)
    first_cart = first_times(events_of(tables, ["cart"], start, end))
    after_cart = []  # lines paid at or after the person's first cart in the window
    for line in paid:
        user = user_of(line)
        if user in first_cart and inside(line["paid_at"], first_cart[user], end):
            after_cart.append(line)
    if key == "cart_buyers":
        return len({user_of(line) for line in after_cart})
    if key == "cart_paid_amount":
        return total(line["amount"] for line in after_cart)
    raise KeyError(key)


# ---------------------------------------------------------------- money at stake, top items


def unpaid_carted(
    crowd_users: Iterable[str], tables: Tables, as_of: datetime, campaigns: Sequence[Campaign]
) -> dict[tuple[str, str], float]:
    """(person, item) -> quantity of the last cart in W, for items that the person has not paid since."""
    as_of = as_of.replace(microsecond=0)
    users = {str(user).strip() for user in crowd_users}
    w_start, w_end = wave_window(as_of, the_campaign(as_of, campaigns, "money at stake"))
    last_cart: dict[tuple[str, str], tuple[datetime, float]] = {}
    for event in events_of(tables, ["cart"], w_start, w_end):
        user, item, at = user_of(event), text(event["item_id"]), moment(event["ts"])
        assert at is not None
        if user not in users or item is None:
            continue
        if (user, item) not in last_cart or at >= last_cart[user, item][0]:
            last_cart[user, item] = (at, 1.0 if event["quantity"] is None else float(event["quantity"]))
    unpaid = {pair: quantity for pair, (_, quantity) in last_cart.items()}
    for line in lines_paid(tables, BEGINNING, as_of):
        pair = (user_of(line), text(line["item_id"]) or "")
        if pair in last_cart and inside(line["paid_at"], last_cart[pair][0], as_of):
            unpaid.pop(pair, None)
    return unpaid


def amount_at_stake(
    crowd_users: Iterable[str],
    tables: Tables,
    as_of: datetime,
    campaigns: Sequence[Campaign],
    settings: Settings,
) -> float | None:
    """Last quantity x promo_price of unpaid carted items (list_price where none; skipped where neither)."""
    price: dict[str | None, float | None] = {}
    for item in tables.get("items", []):
        promo = item["promo_price"]
        price[text(item["item_id"])] = item["list_price"] if promo is None else promo
    stakes: list[float | None] = []
    for (_, item_id), quantity in unpaid_carted(crowd_users, tables, as_of, campaigns).items():
        unit = price.get(item_id)
        stakes.append(None if unit is None else quantity * unit)
    return total(stakes)


def top_items(
    crowd_users: Iterable[str],
    tables: Tables,
    as_of: datetime,
    campaigns: Sequence[Campaign],
    settings: Settings,
) -> list[tuple[str, int]]:
    """People of the crowd per unpaid carted item; most people first, ties by item_id."""
    people: dict[str, set[str]] = {}
    for user, item in unpaid_carted(crowd_users, tables, as_of, campaigns):
        people.setdefault(item, set()).add(user)
    counted = [(item, len(found)) for item, found in people.items()]
    return sorted(counted, key=lambda pair: (-pair[1], pair[0]))
