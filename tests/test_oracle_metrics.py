"""The oracle of every metric and breakdown against numbers worked out on paper, on tiny_shop.py and at the edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests import oracle, oracle_metrics
from tests.oracle import Campaign, Number, Settings, Tables
from tests.oracle_metrics import BREAKDOWNS, METRICS, NONE, OF_ACTS, OF_SOURCES, TOUCH, crowd_people
from tests.test_oracle import customer, event, line
from tests.tiny_shop import AS_OF, CAMPAIGNS, EXPECTED_METRICS, TABLES, WINDOW

SETTINGS = Settings()
FIRST, LAST = WINDOW
PANEL = oracle.PANEL_CROWDS
COHORT = date(2026, 5, 24)
SECOND = timedelta(seconds=1)

# The metrics after the first eighteen, for the tiny shop's window 2026-06-16..2026-06-17 as of T; a row a metric, in
# the order all, old, new, member, fan.  What they are made of:
#   The crowds: all = u01..u12; old = u03 u06 u07 u08 u09; new = u01 u02 u04 u10;
#   member = u01 u03 u06 u08 u09 u10 u11; fan = u01 u02 u07.
#   Members at K (05-24 23:59:59): u01 (since 05-18) u03 u06 u08 u09 u10 u11; fans: u07 (u01 and u02 only in June).
#   Active at K, in [02-24 00:00:00, 05-24 23:59:59]: u03 (last second), u07 (first second), u09 and u11 (05-18); not
#   u08 (a second early) nor u10 (a second late).  So the active relations are u03 u07 u09 u11.
#   Active at T, since 03-20: everyone but u08 (February) and u12 (nothing).
#   Paid in the window: u02 150 (30 refunded) and an unknown amount, u03 150 (refunded after T), u07 300.
#   Coupons claimed in it: k07 of u07 (redeemed), k10 of u10; k11c comes after T.
#   Touches sent in it: t01b u01 · t02a, t02b u02 · t07c u07 · t10 u10 · t03 u03.  Delivered: all but t07c and t10.
#   Clicked up to T: t01b, t02a (t03 a second later).  Paid after them: t02a and t02b (the same two lines of u02),
#   t03 (at T).  Costs: t01b 0, t02a 0.05, t02b unknown, t07c 0.1, t10 0.05, t03 0.05.
EXPECTED: dict[str, tuple[Number, Number, Number, Number, Number]] = {
    # everyone: the seven members of May and u07; old: u03 u06 u07 u08 u09; new: u01 u10; fan: u01 (as member) u07
    "rv_total": (8, 5, 2, 7, 2),
    "rv_active": (4, 3, 0, 3, 1),  # u03 u07 u09 u11 | u03 u07 u09 | nobody | u03 u09 u11 | u07
    "rv_active_buyers": (2, 2, 0, 1, 1),  # u03 and u07
    "rv_active_amount": (450, 450, 0, 150, 300),  # u03 150, u07 300
    "rv_value": (112.5, 150, None, 50, 300),  # 450 / 4, 450 / 3, 0 / 0, 150 / 3, 300 / 1
    # (600 - their amount) / (12 - their number): 150 / 8, 150 / 9, 600 / 12, 450 / 9, 300 / 11
    "non_rv_value": (18.75, 150 / 9, 50, 50, 300 / 11),
    "active_members": (6, 3, 2, 6, 1),  # u01 u03 u06 u09 u10 u11; u08 is silent
    "active_member_buyers": (1, 1, 0, 1, 0),  # u03
    "active_fans_only": (2, 1, 1, 0, 2),  # u02 and u07; u01 is a member
    "active_fan_only_buyers": (2, 1, 1, 0, 2),  # both have paid
    "peer_rv_value": (55, None, None, None, None),  # fan's is of another campaign
    "peer_amount_share": (None, None, None, 0.4, None),
    "peer_visit_rate": (0.45, None, None, None, None),
    "peer_conversion_rate": (None, 0.2, None, None, None),
    "aov": (200, 225, 150, 150, 225),  # 600 / 3, 450 / 2, 150 / 1, 150 / 1, 450 / 2
    # u02's 30 is the only refund seen; of 600, 450 (u03 u07), 150 (u02), 150 (u03), 450 (u02 u07)
    "refund_rate": (0.05, 0, 0.2, 0, 30 / 450),
    "paid_orders": (3, 2, 1, 1, 2),  # o02 (of two lines) u02 · o03b u03 · o07b u07
    "repurchase_rate": (0.4, 0.4, None, 0.25, 1),  # u03 u07 of 5 | the same | nobody old | u03 of u03 u06 u08 u09 | u07
    "new_members": (0, 0, 0, 0, 0),  # u12 joins tomorrow
    "coupon_redeem_rate": (0.5, 1, 0, 0, 1),  # k07 of k07 k10 | k07 | none of k10 | none of k10 | k07
    "touch_sent": (6, 2, 4, 3, 4),  # old: t07c t03; new: t01b t02a t02b t10; member: t01b t10 t03; fan: all but t10 t03
    "touch_delivery_rate": (4 / 6, 1 / 2, 3 / 4, 2 / 3, 3 / 4),
    "touch_click_rate": (2 / 4, 0, 2 / 3, 1 / 2, 2 / 3),  # t01b, t02a of those delivered
    "touch_conversion_rate": (3 / 6, 1 / 2, 2 / 4, 1 / 3, 2 / 4),
    # u02's known line once though two touches led to it: 300 / 0.25, 150 / 0.15, 150 / 0.1, 150 / 0.1, 150 / 0.15
    "touch_roi": (1200, 1000, 1500, 1500, 1000),
}

# Breakdowns over the same window, of the crowd `all` where no other is named.  Acts by hour: visits u06 u10 at 00, u04
# at 08, u03 at 09, u02 at 11, u01 at 21; carts u04 at 08, u03 and u02's second at 09, u02's first at 12; the deposit
# at 00; payments u03 at 10 (150), u02 at 12 (150 and unknown), u07 at 20 (300).  By item (category): visits I1 (C1) u01
# u02 u03, I2 (C2) u04 u10, I3 (C3) u06; carts I1 u02 u03, I2 u02 u04; paid I1 u02 150, u03 150, I2 u02 unknown, I3 u07.
# Levels at T: V1 u01 u10 u11, V2 u06, V3 u03 u08, V4 u09; no members: u02 u04 u05 u07 u12.  Cities: Hangzhou u01 u03
# u11, Shanghai u02 u07, Beijing u06 u08, Chengdu u09 u10, unknown u04 u05 u12.
HOURS = ("00", "08", "09", "10", "11", "12", "20", "21")
LEVELS = ("V1", "V2", "V3", "V4", NONE)
STATES = ("new_member", "active_old", "prechurn_high", "prechurn_low", "churned", "trial", "potential", NONE)
DAYS, THINGS, CATEGORIES = ("2026-06-16", "2026-06-17"), ("I1", "I2", "I3"), ("C1", "C2", "C3")
CITIES = ("Hangzhou", "Shanghai", "Beijing", "Chengdu", NONE)
SOURCES, CHANNELS = ("ad", "group", "search", "sms"), ("sms", "group", "push", NONE)
BY_HAND: list[tuple[str, str, str, tuple[str, ...], tuple[Number, ...]]] = [
    ("day", "all", "crowd_size", DAYS, (11, 12)),  # u04 comes on the 17th
    ("day", "new", "crowd_size", DAYS, (2, 2)),  # u01 u02 | u04 u10: of each day alone
    ("day", "all", "visitors", DAYS, (3, 3)),  # u01 u02 u06 | u03 u04 u10
    ("day", "all", "cart_buyers", DAYS, (1, 1)),  # u02 | u03
    ("day", "all", "amount_share", DAYS, (1, 1)),
    ("day", "member", "amount_share", DAYS, (0, 1)),  # of each day's own 450 and 150
    ("day", "all", "rv_active_amount", DAYS, (300, 150)),  # u07 | u03
    ("day", "all", "active_fans_only", DAYS, (1, 2)),  # u02 is a fan since the 17th
    ("day", "all", "refund_rate", DAYS, (0, 0)),  # u02's refund came the day after: not seen from the 16th
    ("day", "all", "touch_sent", DAYS, (4, 2)),
    ("day", "all", "touch_click_rate", DAYS, (1 / 3, 0)),  # t02a of t01b t02a t02b; t01b's click is a day later
    ("day", "all", "peer_rv_value", DAYS, (55, 55)),
    ("hour", "all", "crowd_size", HOURS, (12,) * 8),
    ("hour", "all", "visitors", HOURS, (2, 1, 1, 0, 1, 0, 0, 1)),
    ("hour", "all", "carters", HOURS, (0, 1, 2, 0, 0, 1, 0, 0)),  # u02 in two hours
    ("hour", "all", "deposit_buyers", HOURS, (1, 0, 0, 0, 0, 0, 0, 0)),
    ("hour", "all", "balance_buyers", HOURS, (0, 0, 0, 0, 0, 0, 1, 0)),
    ("hour", "all", "cart_buyers", HOURS, (0, 0, 0, 1, 0, 1, 0, 0)),  # u03 carted an hour before
    ("hour", "all", "cart_pay_rate", HOURS, (None, 0, 0, None, None, 1, None, None)),
    ("hour", "all", "paid_amount", HOURS, (0, 0, 0, 150, 0, 150, 300, 0)),
    ("hour", "all", "amount_share", HOURS, (0, 0, 0, 0.25, 0, 0.25, 0.5, 0)),  # of the window's 600
    ("hour", "fan", "amount_share", HOURS, (0, 0, 0, 0, 0, 0.25, 0.5, 0)),
    ("hour", "all", "refund_rate", HOURS, (None, None, None, 0, None, 0.2, 0, None)),
    ("hour", "all", "aov", HOURS, (None, None, None, 150, None, 150, 300, None)),
    ("item", "all", "visitors", THINGS, (3, 2, 1)),
    ("item", "all", "carters", THINGS, (2, 2, 0)),
    ("item", "all", "deposit_buyers", THINGS, (0, 0, 1)),
    ("item", "all", "buyers", THINGS, (2, 1, 1)),
    ("item", "all", "cart_buyers", THINGS, (2, 0, 0)),  # u02 carted I2 only after paying it
    ("item", "all", "cart_paid_amount", THINGS, (300, 0, 0)),
    ("item", "all", "paid_amount", THINGS, (300, None, 300)),  # I2's only amount is unknown
    ("item", "all", "amount_share", THINGS, (0.5, None, 0.5)),
    ("item", "member", "amount_share", THINGS, (0.25, 0, 0)),  # u03's 150 of the shop's 600
    ("item", "all", "conversion_rate", THINGS, (2 / 12, 1 / 12, 1 / 12)),
    ("item", "all", "deposit_balance_rate", THINGS, (None, None, 1)),
    ("item", "all", "refund_rate", THINGS, (0.1, None, 0)),  # 30 of 300
    ("category", "all", "visitors", CATEGORIES, (3, 2, 1)),
    ("category", "new", "visitors", CATEGORIES, (2, 2, 0)),  # u01 u02 | u04 u10
    ("category", "all", "cart_paid_amount", CATEGORIES, (300, 0, 0)),
    ("member_level", "all", "crowd_size", LEVELS, (3, 1, 2, 1, 5)),  # u12 joins tomorrow: none
    ("member_level", "fan", "crowd_size", LEVELS, (1, 0, 0, 0, 2)),
    ("member_level", "all", "paid_amount", LEVELS, (0, 0, 150, 0, 450)),  # u03 | u02 u07
    ("member_level", "all", "amount_share", LEVELS, (0, 0, 0.25, 0, 0.75)),
    ("member_level", "all", "conversion_rate", LEVELS, (0, 0, 0.5, 0, 0.4)),  # u03 of u03 u08; u02 u07 of 5
    # u11; u03; u09; u07 are taken off 12 people, and u03's 150, u07's 300 off 600
    ("member_level", "all", "non_rv_value", LEVELS, (600 / 11, 50, 450 / 11, 600 / 11, 300 / 11)),
    ("member_level", "all", "touch_sent", LEVELS, (2, 0, 1, 0, 3)),  # t01b t10 | t03 | t02a t02b t07c
    ("member_level", "all", "peer_rv_value", LEVELS, (None,) * 5),
    ("city", "all", "crowd_size", CITIES, (3, 2, 2, 2, 3)),
    ("city", "all", "buyers", CITIES, (1, 2, 0, 0, 0)),
    ("city", "old", "repurchase_rate", CITIES, (1, 1, 0, 0, None)),  # u03 | u07 | u06 u08 | u09 | nobody
    ("lifecycle", "all", "crowd_size", STATES, (1, 1, 1, 1, 1, 1, 1, 5)),
    ("lifecycle", "fan", "crowd_size", STATES, (1, 0, 0, 0, 0, 0, 0, 2)),
    ("lifecycle", "all", "paid_amount", STATES, (0, 150, 0, 0, 0, 0, 0, 450)),
    ("lifecycle", "all", "active_members", STATES, (1, 1, 0, 1, 1, 1, 1, 0)),  # u08 is silent
    ("channel", "all", "visitors", SOURCES, (2, 1, 1, 2)),  # u02 u04 | u03 | u10 | u01 u06
    ("channel", "all", "carters", SOURCES, (2, 1, 0, 0)),
    ("channel", "all", "visit_rate", SOURCES, (2 / 12, 1 / 12, 1 / 12, 2 / 12)),
    ("channel", "all", "visit_cart_rate", SOURCES, (1, 1, 0, 0)),
    ("channel", "fan", "visit_cart_rate", SOURCES, (1, None, None, 0)),  # u02 | - | - | u01
    ("channel", "all", "touch_sent", CHANNELS, (3, 1, 1, 1)),  # t02a t07c t03 | t02b | t01b | t10
    ("channel", "all", "touch_delivery_rate", CHANNELS, (2 / 3, 1, 1, 0)),
    ("channel", "all", "touch_click_rate", CHANNELS, (0.5, 0, 1, None)),  # t02a of t02a t03
    ("channel", "all", "touch_conversion_rate", CHANNELS, (2 / 3, 1, 0, 0)),
    ("channel", "all", "touch_roi", CHANNELS, (1500, None, None, 0)),  # 300 / 0.2, cost unknown, cost 0, 0 / 0.05
    ("channel", "old", "touch_sent", CHANNELS, (2, 0, 0, 0)),  # t07c t03
]


def metric(
    key: str, crowd: str = "all", tables: Tables = TABLES, first: date = FIRST, last: date = LAST, **other: Any
) -> Number:
    asked: dict[str, Any] = {"campaigns": CAMPAIGNS, "settings": SETTINGS, "as_of": AS_OF} | other
    return oracle_metrics.metric(key, crowd, tables, first, last, **asked)


def split(
    key: str, by: str, crowd: str = "all", tables: Tables = TABLES, first: date = FIRST, last: date = LAST, **other: Any
) -> dict[str, Number]:
    asked: dict[str, Any] = {"campaigns": CAMPAIGNS, "settings": SETTINGS, "as_of": AS_OF} | other
    return oracle_metrics.split(key, by, crowd, tables, first, last, **asked)


# ---------------------------------------------------------------- the tiny shop


def test_the_expectations_are_complete() -> None:
    assert set(EXPECTED) | set(oracle.METRICS) == set(METRICS)
    assert len(METRICS) == len(set(METRICS)) == 18 + 25
    assert {by for by, *_ in BY_HAND} == set(BREAKDOWNS)


@pytest.mark.parametrize("key", EXPECTED)
def test_metric(key: str) -> None:
    assert tuple(metric(key, crowd) for crowd in PANEL) == pytest.approx(EXPECTED[key])


@pytest.mark.parametrize("crowd", PANEL)
def test_the_first_eighteen_are_those_of_the_oracle(crowd: str) -> None:
    expected = {key: EXPECTED_METRICS[key, crowd] for key in oracle.METRICS}
    assert {key: metric(key, crowd) for key in oracle.METRICS} == pytest.approx(expected)


@pytest.mark.parametrize(("by", "crowd", "key", "values", "numbers"), BY_HAND)
def test_split(by: str, crowd: str, key: str, values: tuple[str, ...], numbers: tuple[Number, ...]) -> None:
    assert split(key, by, crowd) == pytest.approx(dict(zip(values, numbers, strict=True)))


def test_parts_that_cut_the_crowd_add_up_to_it() -> None:
    for by in ("member_level", "city", "lifecycle"):
        for crowd in PANEL:
            for key in ("crowd_size", "buyers", "rv_active", "active_members", "touch_sent"):
                assert sum(n or 0 for n in split(key, by, crowd).values()) == metric(key, crowd)
    for by in ("hour", "item", "category"):
        for key in ("paid_amount", "amount_share"):
            assert sum(n or 0 for n in split(key, by, "fan").values()) == pytest.approx(metric(key, "fan"))


def test_what_cannot_be_broken_down_is_refused() -> None:
    for by in ("hour", "item", "category"):
        for key in set(METRICS) - set(OF_ACTS):
            with pytest.raises(ValueError, match="is not made of"):
                split(key, by)
    for key in set(METRICS) - set(OF_SOURCES) - set(TOUCH):
        with pytest.raises(ValueError, match="has no channel"):
            split(key, "channel")


def test_expressions() -> None:
    asked = oracle_metrics.Asked(TABLES, FIRST, LAST, CAMPAIGNS, SETTINGS, AS_OF)
    assert crowd_people("member and not old", asked) == {"u01", "u10", "u11"}
    assert crowd_people("not member", asked) == {"u02", "u04", "u05", "u07", "u12"}
    assert crowd_people("fan or member and old", asked) == {"u01", "u02", "u07", "u03", "u06", "u08", "u09"}
    assert crowd_people("(fan or member) and old", asked) == {"u03", "u06", "u07", "u08", "u09"}
    assert metric("crowd_size", "member and not old") == 3
    assert metric("rv_active", "member and not old") == 1  # u11
    assert metric("non_rv_value", "member and not old") == pytest.approx(600 / 11)
    assert metric("peer_rv_value", "all or fan") is None  # an expression has no peers
    assert metric("touch_sent", "cart_unpaid") == 2  # t01b u01, t10 u10


# ---------------------------------------------------------------- windows and moments


def test_other_windows_of_the_tiny_shop() -> None:
    week = date(2026, 6, 13)
    assert metric("touch_sent", first=week) == 9  # and t07a, t07b, t01a
    assert metric("touch_conversion_rate", first=week) == pytest.approx(4 / 9)  # t07b is exactly 72 hours before
    assert metric("touch_conversion_rate", first=week, settings=replace(SETTINGS, attribution_hours=73)) == 5 / 9
    assert metric("touch_conversion_rate", first=week, settings=replace(SETTINGS, attribution_hours=71)) == 3 / 9
    # u07's 300 once, though with 73 hours both t07a and t07b led to it; costs 0.25 + 0.15
    assert metric("touch_roi", first=week, settings=replace(SETTINGS, attribution_hours=73)) == pytest.approx(600 / 0.4)
    assert metric("coupon_redeem_rate", first=date(2026, 6, 1)) == pytest.approx(3 / 9)  # k03 k07 k11b of nine
    assert metric("new_members", first=date(2026, 5, 18), last=date(2026, 5, 18)) == 1  # u01
    assert metric("new_members", first=date(2026, 5, 19)) == 0
    whole: dict[str, Any] = {"as_of": None}
    assert metric("refund_rate", **whole) == pytest.approx(180 / 1599)  # u03's 150 too; and 999 paid after T
    assert metric("touch_sent", **whole) == 7  # and t06
    assert metric("coupon_redeem_rate", **whole) == pytest.approx(1 / 3)  # and k11c
    assert metric("new_members", last=date(2026, 6, 18), **whole) == 1  # u12


def test_a_cohort_moment_after_the_windows_end_is_the_windows_end() -> None:
    relations = [
        customer("early", member_joined_at=datetime(2026, 5, 10, 12)),
        customer("late", fan_since=datetime(2026, 5, 10, 12) + SECOND),
    ]
    seen = [event(user, datetime(2026, 5, 10, 11), "visit") for user in ("early", "late")]
    tables: Tables = {"customers": relations, "events": seen}
    noon = datetime(2026, 5, 10, 12)  # in the pool, two weeks before the cohort date
    asked: dict[str, Any] = {"tables": tables, "first": date(2026, 5, 10), "last": date(2026, 5, 10)}
    assert metric("rv_total", as_of=noon, **asked) == metric("rv_active", as_of=noon, **asked) == 1
    assert metric("rv_total", as_of=noon + SECOND, **asked) == 2
    # Later than the cohort date K stays behind: who joins after it is no relation of this campaign.
    joined = {"customers": [customer("m", member_joined_at=datetime(2026, 5, 25))]}
    assert metric("rv_total", tables=joined) == 0
    assert metric("new_members", tables=joined, first=date(2026, 5, 25)) == 1
    joined = {"customers": [customer("m", member_joined_at=datetime(2026, 5, 24, 23, 59, 59))]}
    assert metric("rv_total", tables=joined) == 1


def test_without_a_campaign_the_window_begins_the_cohort() -> None:
    tables: Tables = {
        "customers": [
            customer("m", member_joined_at=datetime(2026, 6, 16, 23, 59, 59)),
            customer("n", fan_since=AS_OF),
        ],
        "peers": [{"campaign": "618", "crowd": "all", "metric": "rv_value", "value": 1.0}],
    }
    assert metric("rv_total", tables=tables, campaigns=[]) == 1  # K is the end of 06-16
    assert metric("peer_rv_value", tables=tables, campaigns=[]) is None
    assert metric("peer_rv_value", tables=tables) == 1


def test_the_windows_last_day_chooses_the_campaign() -> None:
    own = Campaign("own", (("sale1", date(2026, 6, 17), date(2026, 6, 17)),), cohort_date=date(2026, 6, 17))
    tables: Tables = {
        "customers": [customer("m", member_joined_at=datetime(2026, 6, 1))],
        "peers": [
            {"campaign": key, "crowd": "all", "metric": "visit_rate", "value": value}
            for key, value in (("618", 0.1), ("own", 0.2))
        ],
    }
    both = [*CAMPAIGNS, own]
    assert metric("peer_visit_rate", tables=tables, campaigns=both) == 0.2
    assert metric("rv_total", tables=tables, campaigns=both) == 1  # a member since before 06-17, not before 05-24
    days = {"2026-06-16": 0, "2026-06-17": 1}
    assert split("rv_total", "day", tables=tables, campaigns=both) == days  # each day its own campaign
    assert split("peer_visit_rate", "day", tables=tables, campaigns=both) == {"2026-06-16": 0.1, "2026-06-17": 0.2}


@pytest.mark.parametrize("kind", ["visit", "live_watch"])
def test_active_days_are_calendar_days(kind: str) -> None:
    member = [customer("m", member_joined_at=datetime(2025, 1, 1))]
    first = datetime(2026, 3, 20)  # 89 days before the day of T, though T is at 10:00

    def lively(**tables: Any) -> Number:
        return metric("active_members", tables={"customers": member} | tables)

    assert lively(events=[event("m", first, kind)]) == 1
    assert lively(events=[event("m", first - SECOND, kind)]) == 0
    assert lively(events=[event("m", AS_OF, kind)]) == 1
    assert lively(events=[event("m", AS_OF + SECOND, kind)]) == 0
    assert lively(orders=[line("o", "m", None, None, created_at=first)]) == 1  # created, not paid
    assert lively(orders=[line("o", "m", None, None, created_at=first - SECOND)]) == 0
    assert lively(orders=[line("o", "m", AS_OF, 1.0, created_at=first - SECOND)]) == 0  # paying is no sign of life
    one = replace(SETTINGS, active_days=1)
    yesterday: Tables = {"customers": member, "events": [event("m", datetime(2026, 6, 16, 23, 59, 59), kind)]}
    assert metric("active_members", tables=yesterday, settings=one) == 0
    assert metric("active_members", tables=yesterday, settings=replace(one, active_days=2)) == 1


# ---------------------------------------------------------------- unknowns, zeros, ties


def test_nobody_and_nothing() -> None:
    counts = {
        "paid_orders",
        "rv_total",
        "rv_active",
        "rv_active_buyers",
        "rv_active_amount",
        "new_members",
        "touch_sent",
    }
    counts |= {key for key in METRICS if key.startswith("active_")} | {
        key for key in oracle.METRICS if key not in oracle.RATIOS and key != "amount_share"
    }
    for crowd in (*PANEL, "cart_unpaid", "member and not old"):
        for key in METRICS:
            assert metric(key, crowd, tables={}) == (0 if key in counts else None), (crowd, key)
    assert split("visitors", "item", tables={}) == split("crowd_size", "city", tables={}) == {}
    assert split("buyers", "day", tables={}) == {"2026-06-16": 0, "2026-06-17": 0}


def test_refunds() -> None:
    def rate(*lines: dict[str, Any]) -> Number:
        return metric("refund_rate", tables={"orders": list(lines)})

    def refunded(amount: float | None, back: float | None, at: datetime | None = AS_OF) -> dict[str, Any]:
        return line("o", "u", AS_OF, amount, refund_amount=back, refunded_at=at)

    assert rate(refunded(100.0, None)) is None  # nothing in the data tells of refunds
    assert rate(refunded(100.0, 0.0)) == 0
    assert rate(refunded(100.0, None), refunded(100.0, 30.0)) == 0.15
    assert rate(refunded(100.0, 30.0, AS_OF + SECOND)) == 0  # the data tell, this one is not seen yet
    assert rate(refunded(100.0, 30.0, None)) == 0.3  # an unknown time
    assert rate(refunded(None, 30.0), refunded(100.0, 10.0)) == 0.1  # of an unknown amount: in neither sum
    assert rate(refunded(None, 30.0)) is None
    assert rate(refunded(0.0, 0.0)) is None
    never = line("o", "x", None, 50.0, refund_amount=50.0, refunded_at=None)
    assert rate(never, refunded(100.0, None)) == 0  # someone else's line, not paid: refunds are known all the same


def test_money_of_the_relation() -> None:
    member = customer("m", member_joined_at=datetime(2025, 1, 1))
    visit = event("m", datetime(2026, 5, 24), "visit")
    paid = [line("a", "m", AS_OF, None), line("b", "n", AS_OF, 40.0)]
    tables: Tables = {"customers": [member], "events": [visit], "orders": paid}
    assert metric("rv_active", tables=tables) == metric("rv_active_buyers", tables=tables) == 1
    assert metric("rv_active_amount", tables=tables) is None  # its one amount is unknown
    assert metric("rv_value", tables=tables) is None
    assert metric("non_rv_value", tables=tables) is None
    assert metric("aov", "member", tables=tables) is None
    assert metric("aov", tables=tables) == 20  # 40 of two buyers: the unknown amount is skipped, the buyer is not
    alone: Tables = {"customers": [member], "events": [visit]}
    assert metric("rv_value", tables=alone) == 0  # one person, nothing paid
    assert metric("non_rv_value", tables=alone) is None  # nobody but relations


def touch(user: str, sent: datetime, **more: Any) -> dict[str, Any]:
    row = {"touch_id": f"{user} {sent}", "user_id": user, "channel": "sms", "sent_at": sent}
    return row | {"delivered": 1, "clicked_at": None, "cost": 1.0} | more


def test_touches_and_the_lines_they_led_to() -> None:
    sent = datetime(2026, 6, 16)
    limit = sent + timedelta(hours=24)
    orders = [
        line("a", "u", sent, 1.0),  # in the second of sending
        line("b", "u", sent - SECOND, 10.0),
        line("c", "u", limit, 100.0),
        line("d", "u", limit + SECOND, 1000.0),
        line("e", "v", sent, 10_000.0),  # somebody else's
    ]
    day = replace(SETTINGS, attribution_hours=24)

    def of(key: str, *touches: dict[str, Any]) -> Number:
        known = {"customers": [customer("w")], "orders": orders}
        return metric(key, tables=known | {"touches": list(touches)}, settings=day)

    assert of("touch_roi", touch("u", sent)) == 101  # one touch, two lines
    assert of("touch_roi", touch("u", sent, cost=2.0), touch(" u ", sent, cost=None)) == 50.5  # one line, two touches
    assert of("touch_roi", touch("u", sent + SECOND)) == 1100  # a second later: c and d
    assert of("touch_roi", touch("w", sent)) == 0  # no line: nothing gained
    assert of("touch_roi", touch("u", sent, cost=0.0)) is None
    assert of("touch_roi", touch("u", sent, cost=None)) is None
    assert of("touch_conversion_rate", touch("u", sent), touch("u", limit + 2 * SECOND), touch("w", sent)) == 1 / 3
    assert of("touch_delivery_rate", touch("u", sent, delivered=0), touch("u", sent, delivered=None)) == 0
    assert of("touch_click_rate", touch("u", sent, delivered=0, clicked_at=AS_OF)) is None  # none delivered
    assert of("touch_click_rate", touch("u", sent, clicked_at=AS_OF + SECOND)) == 0
    assert of("touch_sent", touch("u", AS_OF), touch("u", AS_OF + SECOND), touch("u", sent - SECOND)) == 1
    assert (
        of("touch_sent", touch("w", sent), touch("nobody", sent)) == 1
    )  # a touch alone makes no one known to the shop
    same = [line("a", "u", sent, 5.0), line("a", "u", sent, 5.0)]  # two rows of one order and item are two lines
    assert metric("touch_roi", tables={"orders": same, "touches": [touch("u", sent)]}) == 10
    unknown = [line("a", "u", sent, None)]
    assert metric("touch_roi", tables={"orders": unknown, "touches": [touch("u", sent)]}) is None
    assert metric("touch_conversion_rate", tables={"orders": unknown, "touches": [touch("u", sent)]}) == 1


def test_old_customers_of_the_crowd_who_come_back() -> None:
    before = [line(f"{u}1", u, datetime(2026, 5, 23, 23, 59, 59), 1.0) for u in ("back", "away")]
    tables: Tables = {
        "customers": [customer("away", member_joined_at=datetime(2025, 1, 1)), customer("back")],
        "orders": [*before, line("b2", "back", AS_OF, 1.0), line("c", "fresh", AS_OF, 1.0)],
    }
    assert metric("repurchase_rate", tables=tables) == 0.5
    assert metric("repurchase_rate", "member", tables=tables) == 0
    assert metric("repurchase_rate", "new", tables=tables) is None


# ---------------------------------------------------------------- breakdowns at the edges


def test_the_last_second_of_an_hour_and_of_a_day() -> None:
    last = datetime(2026, 6, 16, 9, 59, 59)
    tables: Tables = {
        "events": [event("u", last, "cart", "I1"), event("u", last + SECOND, "visit", "I1")],
        "orders": [line("a", "u", last + SECOND, 1.0), line("b", "u", last - SECOND, 10.0)],
    }
    assert split("carters", "hour", tables=tables) == {"09": 1, "10": 0}
    assert split("visitors", "hour", tables=tables) == {"09": 0, "10": 1}
    assert split("cart_paid_amount", "hour", tables=tables) == {"09": 0, "10": 1}  # b is paid before the cart
    assert split("cart_pay_rate", "hour", tables=tables) == {"09": 0, "10": None}
    midnight: Tables = {
        "events": [event("u", datetime(2026, 6, 17), "cart"), event("v", datetime(2026, 6, 17) - SECOND, "cart")]
    }
    assert split("carters", "day", tables=midnight) == {"2026-06-16": 1, "2026-06-17": 1}
    assert split("carters", "hour", tables=midnight) == {"00": 1, "23": 1}
    over: Tables = {
        "events": [event("u", datetime(2026, 6, 16, 12), "cart")],
        "orders": [line("a", "u", datetime(2026, 6, 17, 9), 1.0)],  # carted the day before
    }
    assert metric("cart_buyers", tables=over) == 1
    assert split("cart_buyers", "day", tables=over) == {"2026-06-16": 0, "2026-06-17": 0}  # each day its own window
    assert split("cart_buyers", "hour", tables=over) == {"09": 1, "12": 0}  # the window's first cart


def test_the_category_of_a_row_before_that_of_its_item() -> None:
    noon = datetime(2026, 6, 16, 12)
    tables: Tables = {
        "items": [{"item_id": "I1", "category_id": "C1"}, {"item_id": "I2", "category_id": None}],
        "events": [
            event("a", noon, "visit", "I1"),  # C1 by its item
            event("b", noon, "visit", "I1", category_id="C9"),  # its own
            event("c", noon, "visit", None, category_id="C1"),
            event("d", noon, "visit", "I2"),  # the item has none
            event("e", noon, "visit", "I7"),  # no such item
            event("f", noon, "visit", None),
            event("g", noon, "favorite", None, category_id="C5"),  # no act that counts
        ],
        "orders": [line("o", "a", noon, 7.0), line("p", "a", noon, 5.0, item_id=None, category_id=" C1 ")],
    }
    assert split("visitors", "category", tables=tables) == {"C1": 2, "C9": 1, NONE: 3}
    assert split("paid_amount", "category", tables=tables) == {"C1": 12, "C9": 0, NONE: 0}
    assert split("visitors", "item", tables=tables) == {"I1": 2, "I2": 1, "I7": 1, NONE: 2}
    assert split("paid_amount", "item", tables=tables) == {"I1": 7, "I2": 0, "I7": 0, NONE: 5}


def test_the_first_cart_is_that_of_the_item() -> None:
    nine, ten = datetime(2026, 6, 16, 9), datetime(2026, 6, 16, 10)
    tables: Tables = {
        "items": [{"item_id": "I1", "category_id": "C1"}, {"item_id": "I2", "category_id": "C1"}],
        "events": [event("u", nine, "cart", "I1"), event("u", ten + SECOND, "cart", "I2")],
        "orders": [line("a", "u", ten, 1.0, item_id="I2"), line("b", "u", ten, 10.0, item_id="I1")],
    }
    assert metric("cart_paid_amount", tables=tables) == 11  # any line after the first cart of anything
    assert split("cart_paid_amount", "item", tables=tables) == {"I1": 10, "I2": 0}  # I2 was carted after it was paid
    assert split("cart_paid_amount", "category", tables=tables) == {"C1": 11}


def test_levels_and_states_are_those_of_members_at_the_end() -> None:
    tables: Tables = {
        "customers": [
            customer("now", member_joined_at=AS_OF, member_level="A", city=" X "),
            customer("later", member_joined_at=AS_OF + SECOND, member_level="B", city="X"),
            customer("none", member_joined_at=AS_OF, member_level=None, city=" "),
        ],
        "events": [event("stranger", AS_OF, "visit"), event("unseen", AS_OF + SECOND, "visit")],
    }
    assert split("crowd_size", "member_level", tables=tables) == {"A": 1, NONE: 3}
    assert split("crowd_size", "member_level", "member", tables=tables) == {"A": 1, NONE: 1}
    assert split("crowd_size", "city", tables=tables) == {"X": 2, NONE: 2}
    assert split("crowd_size", "lifecycle", tables=tables) == {"new_member": 2, NONE: 2}
    assert split("new_members", "city", tables=tables) == {"X": 1, NONE: 1}
    assert split("visit_rate", "member_level", "fan", tables=tables) == {"A": None, NONE: None}  # listed, but nobody
