"""The oracle against the hand-written numbers of tiny_shop.py, and its edges against small literals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from tests.oracle import (
    CROWDS,
    METRICS,
    PANEL_CROWDS,
    Campaign,
    Settings,
    Tables,
    action_crowd,
    amount_at_stake,
    campaign_of,
    metric,
    panel_crowd,
    top_items,
    wave,
)
from tests.tiny_shop import (
    AS_OF,
    CAMPAIGNS,
    EXPECTED_AMOUNT_AT_STAKE,
    EXPECTED_CROWDS,
    EXPECTED_METRICS,
    EXPECTED_TOP_ITEMS,
    TABLES,
    WINDOW,
)

SETTINGS = Settings()
FIRST, LAST = WINDOW
THE_618 = CAMPAIGNS[0]
WARMUP = Campaign(  # the merchant's own campaign of contracts.md: no presale
    key="warmup12",
    phases=(
        ("preheat1", date(2017, 11, 25), date(2017, 12, 1)),
        ("sale1", date(2017, 12, 2), date(2017, 12, 3)),
    ),
    cohort_date=date(2017, 11, 25),
)


def customer(user: str, **more: Any) -> dict[str, Any]:
    return {"user_id": user, "member_joined_at": None, "fan_since": None} | more


def event(user: str, ts: datetime, kind: str, item: str | None = None, **more: Any) -> dict[str, Any]:
    row = {"user_id": user, "ts": ts, "kind": kind, "item_id": item, "category_id": None, "quantity": None}
    return row | more


def line(order: str, user: str, paid: datetime | None, amount: float | None, **more: Any) -> dict[str, Any]:
    row = {"order_id": order, "user_id": user, "item_id": "I1", "kind": "normal", "created_at": paid}
    return row | {"deposit_paid_at": None, "paid_at": paid, "amount": amount} | more


def coupon(user: str, claimed: Any, start: Any, end: Any, redeemed: str | None = None) -> dict[str, Any]:
    row = {"coupon_id": "k", "user_id": user, "claimed_at": claimed, "valid_from": start, "valid_to": end}
    return row | {"redeemed_order_id": redeemed}


def crowd(key: str, tables: Tables, as_of: datetime) -> set[str]:
    return action_crowd(key, tables, as_of, CAMPAIGNS, SETTINGS)


# ---------------------------------------------------------------- the tiny shop


def test_the_expectations_are_complete() -> None:
    assert set(EXPECTED_CROWDS) == set(CROWDS)
    assert len(CROWDS) == 5 + 5 + 16 + 7
    assert len(METRICS) == 18
    assert set(EXPECTED_METRICS) == {(m, c) for m in METRICS for c in PANEL_CROWDS}


@pytest.mark.parametrize("key", CROWDS)
def test_crowd(key: str) -> None:
    assert crowd(key, TABLES, AS_OF) == EXPECTED_CROWDS[key]


@pytest.mark.parametrize(("key", "crowd_key"), sorted(EXPECTED_METRICS))
def test_metric(key: str, crowd_key: str) -> None:
    value = metric(key, crowd_key, TABLES, FIRST, LAST, CAMPAIGNS, SETTINGS, AS_OF)
    expected = EXPECTED_METRICS[key, crowd_key]
    if expected is None:
        assert value is None
    else:
        assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("key", sorted(EXPECTED_AMOUNT_AT_STAKE))
def test_amount_at_stake(key: str) -> None:
    users = EXPECTED_CROWDS[key]
    assert amount_at_stake(users, TABLES, AS_OF, CAMPAIGNS, SETTINGS) == EXPECTED_AMOUNT_AT_STAKE[key]


@pytest.mark.parametrize("key", sorted(EXPECTED_TOP_ITEMS))
def test_top_items(key: str) -> None:
    assert top_items(EXPECTED_CROWDS[key], TABLES, AS_OF, CAMPAIGNS, SETTINGS) == EXPECTED_TOP_ITEMS[key]


def test_panel_crowds_of_the_window() -> None:
    def of(key: str) -> set[str]:
        return panel_crowd(key, TABLES, FIRST, LAST, CAMPAIGNS, SETTINGS, AS_OF)

    assert of("new") == {"u01", "u02", "u04", "u10"}  # visits on 06-16 too; u03, u06, u07 are old
    assert of("old") == {"u03", "u06", "u07", "u08", "u09"}  # the cohort does not move with the window
    assert of("fan") == {"u01", "u02", "u07"}


def test_the_whole_day_where_no_as_of_cuts_it() -> None:
    def of(key: str) -> int | float | None:
        return metric(key, "all", TABLES, FIRST, LAST, CAMPAIGNS, SETTINGS)

    assert of("crowd_size") == 13  # u13 comes at 10:00:01
    assert of("carters") == 4  # and u11 carts
    assert of("paid_amount") == 1599  # 600 + u03's 999
    assert of("buyers") == 3  # u03 was one already


def test_metric_of_an_action_crowd_is_taken_at_the_windows_end() -> None:
    def of(key: str, crowd_key: str) -> int | float | None:
        return metric(key, crowd_key, TABLES, FIRST, LAST, CAMPAIGNS, SETTINGS, AS_OF)

    assert of("crowd_size", "cart_unpaid") == 3  # u01 u04 u10
    assert of("visitors", "cart_unpaid") == 3  # all of them in the window
    assert of("carters", "cart_unpaid") == 1  # u04; u01 and u10 carted earlier in the wave
    assert of("paid_amount", "cart_unpaid") == 0  # no line: 0
    assert of("paid_amount", "nonmember_bought") == 450  # u02 150, u07 300
    assert of("crowd_size", "public_new") == 1  # u04 first came on 06-17


# ---------------------------------------------------------------- campaigns and waves


def test_campaign_of_a_window() -> None:
    campaigns = [THE_618, WARMUP]
    assert campaign_of(date(2026, 6, 30), campaigns) is THE_618  # its last day
    assert campaign_of(date(2026, 7, 1), campaigns) is THE_618  # the latest that began before
    assert campaign_of(date(2026, 4, 30), campaigns) is WARMUP
    assert campaign_of(date(2017, 11, 24), campaigns) is None


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 5, 10), (date(2026, 5, 1), date(2026, 5, 23))),  # pool: the phase itself
        (date(2026, 5, 24), (date(2026, 5, 24), date(2026, 6, 3))),  # first day of presale: first wave
        (date(2026, 6, 3), (date(2026, 5, 24), date(2026, 6, 3))),  # last day of sale1
        (date(2026, 6, 4), (date(2026, 6, 4), date(2026, 6, 20))),  # the day after: second wave
        (date(2026, 6, 20), (date(2026, 6, 4), date(2026, 6, 20))),
        (date(2026, 6, 21), (date(2026, 6, 4), date(2026, 6, 20))),  # review: the last wave
        (date(2026, 7, 9), (date(2026, 6, 4), date(2026, 6, 20))),  # after the campaign: still the last wave
    ],
)
def test_wave(day: date, expected: tuple[date, date]) -> None:
    assert wave(datetime(day.year, day.month, day.day, 10), THE_618) == expected


def test_wave_of_a_campaign_without_presale() -> None:
    assert wave(datetime(2017, 11, 25), WARMUP) == (date(2017, 11, 25), date(2017, 12, 3))
    prepared = Campaign(
        "own",
        (
            ("prepare", date(2026, 9, 1), date(2026, 9, 10)),
            ("pool", date(2026, 9, 11), date(2026, 9, 20)),
            ("preheat1", date(2026, 9, 21), date(2026, 9, 25)),
            ("sale1", date(2026, 9, 26), date(2026, 9, 27)),
        ),
        date(2026, 9, 21),
    )
    assert wave(datetime(2026, 9, 5), prepared) == (date(2026, 9, 1), date(2026, 9, 10))
    assert wave(datetime(2026, 9, 20, 23), prepared) == (date(2026, 9, 11), date(2026, 9, 20))
    assert wave(datetime(2026, 9, 21), prepared) == (date(2026, 9, 21), date(2026, 9, 27))


# ---------------------------------------------------------------- edges


def test_old_cohort_bounds() -> None:
    tables: Tables = {
        "orders": [
            line("a", "first", datetime(2025, 5, 24), 1.0),  # cohort - 365 days: in
            line("b", "early", datetime(2025, 5, 23, 23, 59, 59), 1.0),  # a second earlier: out
            line("c", "late", datetime(2026, 5, 23, 23, 59, 59), 1.0),  # a second before the cohort date: in
            line("d", "cohort", datetime(2026, 5, 24), 1.0),  # the cohort date itself: out
        ]
    }
    assert crowd("old", tables, AS_OF) == {"first", "late"}
    assert crowd("old", tables, datetime(2026, 5, 10)) == {"first"}  # in pool: "late" has not paid yet
    day = date(2026, 5, 24)
    # without any campaign the cohort date is the window's first day
    assert panel_crowd("old", tables, day, day, [], SETTINGS) == {"first", "late"}


def test_a_sum_of_unknown_amounts_has_no_value() -> None:
    tables: Tables = {
        "customers": [customer("m", member_joined_at=datetime(2026, 1, 1))],
        "orders": [line("a", "m", AS_OF, None), line("b", "n", AS_OF, 10.0)],
    }

    def of(key: str, crowd_key: str) -> int | float | None:
        return metric(key, crowd_key, tables, LAST, LAST, CAMPAIGNS, SETTINGS, AS_OF)

    assert of("paid_amount", "member") is None  # one line, amount unknown
    assert of("buyers", "member") == 1
    assert of("amount_share", "member") is None
    assert of("paid_amount", "fan") == 0  # no line
    assert of("paid_amount", "all") == 10  # the unknown one is skipped
    assert of("visit_rate", "fan") is None  # nobody: 0 of 0


def test_metric_of_public_new_uses_the_metrics_window() -> None:
    tables: Tables = {
        "events": [
            event("u", datetime(2026, 6, 10, 9), "visit"),
            event("v", datetime(2026, 6, 16, 0), "visit"),
            event("w", datetime(2026, 6, 16, 0), "visit"),
            event("x", datetime(2026, 6, 3, 23, 59, 59), "visit"),
            event("x", datetime(2026, 6, 16, 0), "visit"),
        ],
        "orders": [line("a", "w", None, None, created_at=AS_OF)],  # never paid
    }
    assert crowd("public_new", tables, AS_OF) == {"u", "v"}  # not w (ordered), x (known)
    assert metric("crowd_size", "public_new", tables, FIRST, LAST, CAMPAIGNS, SETTINGS, AS_OF) == 1  # v only


def test_review_looks_at_the_last_wave_and_at_payments_after_it() -> None:
    review = datetime(2026, 6, 22, 12)
    tables: Tables = {
        "events": [
            event("waits", datetime(2026, 6, 20, 23, 59, 59), "cart", "I1"),  # last second of the wave
            event("paid", datetime(2026, 6, 20, 12), "cart", "I1"),
            event("late", datetime(2026, 6, 21), "cart", "I1"),  # after the wave
        ],
        "orders": [line("a", "paid", datetime(2026, 6, 22, 11), 5.0)],  # paid in review
    }
    assert crowd("cart_unpaid", tables, review) == {"waits"}


def test_pool_and_recruit_date() -> None:
    tables: Tables = {
        "orders": [
            line("a", "before", datetime(2026, 5, 4, 23, 59, 59), 1.0),
            line("b", "since", datetime(2026, 5, 5), 1.0),  # 618 recruits since 05-05
        ]
    }
    assert crowd("bought_nonmember", tables, AS_OF) == {"since"}
    plain = [Campaign("618", THE_618.phases, THE_618.cohort_date)]  # default: first day of pool
    assert action_crowd("bought_nonmember", tables, AS_OF, plain, SETTINGS) == {"before", "since"}
    early = {"events": [event("u", datetime(2026, 5, 1), "cart", "I1")]}
    assert crowd("cart_unpaid", early, datetime(2026, 5, 23)) == {"u"}  # W is the pool
    assert crowd("cart_unpaid", early, datetime(2026, 5, 24)) == set()  # W is the first wave


def test_coupon_edges() -> None:
    member = customer("m", member_joined_at=date(2026, 1, 1))

    def held(row: dict[str, Any]) -> bool:
        return "m" in crowd("coupon_unredeemed", {"customers": [member], "coupons": [row]}, AS_OF)

    day, later = date(2026, 6, 17), datetime(2026, 6, 20)
    assert held(coupon("m", AS_OF, AS_OF, AS_OF))  # all three bounds exactly at T
    assert held(coupon("m", day, day, day))  # date-only: through the end of that day
    assert not held(coupon("m", datetime(2026, 6, 17, 10, 0, 1), day, later))  # claimed after T
    assert not held(coupon("m", None, day, later))  # unknown
    assert not held(coupon("m", day, day, later, "o1"))  # redeemed
    assert held(coupon("m", day, day, later, " "))  # an empty order id is none


def test_last_days_and_calendar_days() -> None:
    start = datetime(2026, 5, 18, 10)  # T - 30 x 24 h
    member = [customer("m", member_joined_at=datetime(2025, 1, 1))]

    def live(*times: datetime) -> bool:
        events = [event("m", at, "live_watch") for at in times]
        return "m" in crowd("live_member", {"customers": member, "events": events}, AS_OF)

    assert live(start, AS_OF)  # both bounds included
    assert not live(datetime(2026, 5, 18, 9, 59, 59), AS_OF)
    assert live(datetime(2026, 6, 1, 23, 59, 59), datetime(2026, 6, 2))  # a second apart, two days
    assert not live(datetime(2026, 6, 1, 0), datetime(2026, 6, 1, 23))  # one day


def test_each_span_begins_n_times_24_hours_before() -> None:
    """One person exactly at the bound, one a second earlier; everything else about them is the same."""
    at30, before30 = datetime(2026, 5, 18, 10), datetime(2026, 5, 18, 9, 59, 59)
    at180, before180 = datetime(2025, 12, 19, 10), datetime(2025, 12, 19, 9, 59, 59)
    at365, before365 = datetime(2025, 6, 17, 10), datetime(2025, 6, 17, 9, 59, 59)
    both = [customer(u, member_joined_at=datetime(2025, 1, 1)) for u in ("at", "before")]
    hero = [{"item_id": "I1", "category_id": "C1", "is_hero": 1}]

    def of(key: str, events: list[dict[str, Any]], orders: list[dict[str, Any]]) -> set[str]:
        return crowd(key, {"customers": both, "items": hero, "events": events, "orders": orders}, AS_OF)

    carts = [event("at", at30, "cart", "I1"), event("before", before30, "cart", "I1")]
    assert of("category_interest", carts, []) == {"at"}
    assert of("high_potential", carts, []) == {"at"}
    assert of("member_dormant_intent", carts, []) == {"at"}
    today = [event("at", AS_OF, "cart", "I1"), event("before", AS_OF, "cart", "I1")]
    paid180 = [line("a", "at", at180, 1.0), line("b", "before", before180, 1.0)]
    assert of("category_interest", today, paid180) == {"before"}
    assert of("member_dormant_intent", today, paid180) == {"before"}
    paid365 = [line("a", "at", at365, 1.0), line("b", "before", before365, 1.0)]
    assert of("repurchase", [], paid365) == {"at"}
    again = [line("c", "at", AS_OF, 1.0), line("d", "before", AS_OF, 1.0)]
    assert of("gold_intent", [], paid365 + again) == {"at"}
    three = [event(u, datetime(2026, 6, d), "visit") for u in ("at", "before") for d in (1, 2)]
    visits = [event("at", at30, "visit"), event("before", before30, "visit"), *three]
    assert of("high_potential", visits, []) == {"at"}
    assert of("member_hesitating", visits, []) == {"at"}
    at7, before7 = datetime(2026, 6, 10, 10), datetime(2026, 6, 10, 9, 59, 59)
    claims = [event("at", at7, "coupon_claim"), event("before", before7, "coupon_claim")]
    assert of("member_hesitating", claims, []) == {"at"}
    coupons = [coupon("at", at7, at7, AS_OF), coupon("before", before7, before7, AS_OF)]
    assert crowd("member_hesitating", {"customers": both, "coupons": coupons}, AS_OF) == {"at"}
    push = [event(u, datetime(2026, 6, 17), kind) for u in ("at", "before") for kind in ("cart", "visit")]
    week = [event("at", at7, "visit"), event("before", before7, "visit")]
    assert of("last_push", push + week, []) == {"at"}


def test_after_the_campaign_its_bounds_hold() -> None:
    july = datetime(2026, 7, 5, 12)
    member = [customer(u, member_joined_at=datetime(2025, 1, 1)) for u in ("in", "out")]
    last, after = datetime(2026, 6, 30, 23, 59, 59), datetime(2026, 7, 1)
    orders = [
        line("a", "in", None, 50.0, kind="presale", created_at=last, deposit_paid_at=last),
        line("b", "out", None, 50.0, kind="presale", created_at=after, deposit_paid_at=after),
    ]
    assert crowd("balance_due", {"orders": orders}, july) == {"in"}
    joins = [event("in", last, "challenge_join"), event("out", after, "challenge_join")]
    assert crowd("challenge_open", {"events": joins}, july) == {"in"}
    carts = [event("in", july, "cart", "I1"), event("out", july, "cart", "I1")]
    paid = [line("a", "in", last, 1.0), line("b", "out", after, 1.0)]  # "out" paid after the campaign
    assert crowd("high_potential", {"events": carts, "orders": paid}, july) == {"out"}
    # the last wave ended on 06-20: a payment of that day is in W, a later one is not
    paid = [
        line("a", "in", datetime(2026, 6, 20, 23, 59, 59), 1.0),
        line("b", "out", datetime(2026, 6, 21), 1.0),
    ]
    tables: Tables = {"customers": member, "events": carts, "orders": paid}
    assert crowd("member_hesitating", tables, july) == {"out"}
    visits = [event("out", datetime(2026, 7, d), "visit") for d in (4, 5)]
    assert crowd("last_push", {"events": carts + visits}, july) == set()  # carted after the wave
    items = [{"item_id": "I1", "list_price": 9.0, "promo_price": None}]
    tables = {"items": items, "events": carts}
    assert amount_at_stake({"in", "out"}, tables, july, CAMPAIGNS, SETTINGS) == 0  # carted after the wave
    early = [event("in", datetime(2026, 6, 20, 9), "favorite", "I1")]
    assert crowd("cart_fav_unpaid", {"events": carts + early}, july) == {"in"}


def test_of_two_carts_in_one_second_the_later_row_counts() -> None:
    items = [{"item_id": "I1", "list_price": 9.0, "promo_price": None}]
    carts = [event("u", AS_OF, "cart", "I1", quantity=5), event("u", AS_OF, "cart", "I1", quantity=2)]
    assert amount_at_stake({"u"}, {"items": items, "events": carts}, AS_OF, CAMPAIGNS, SETTINGS) == 18


def test_category_of_an_event_without_category_is_that_of_its_item() -> None:
    items: list[dict[str, Any]] = [
        {"item_id": "I1", "category_id": "C1", "is_hero": 1},
        {"item_id": "I2", "category_id": "C2", "is_hero": 0},
        {"item_id": "I5", "category_id": None, "is_hero": 1},  # a hero of no known category
        {"item_id": "I6", "category_id": "C1", "is_hero": None},  # another item of the hero's category
    ]
    events = [
        event("a", AS_OF, "visit", "I1"),
        event("b", AS_OF, "visit", "I2"),
        event("c", AS_OF, "visit", "I5"),
        event("d", AS_OF, "favorite", "I6"),
        event("e", AS_OF, "live_watch", "I1"),
    ]
    assert crowd("category_interest", {"items": items, "events": events}, AS_OF) == {"a", "d"}


def test_dormant_vip_top_fifth() -> None:
    # six buyers: the top fifth is the two greatest amounts; a tie at the edge lets both in
    amounts = {"a": 60.0, "b": 50.0, "c": 50.0, "d": 30.0, "e": 20.0, "f": 10.0}
    paid = datetime(2025, 12, 19, 9, 59, 59)  # a second more than 180 days before T
    tables: Tables = {"orders": [line(user, user, paid, amount) for user, amount in amounts.items()]}
    assert crowd("dormant_vip", tables, AS_OF) == {"a", "b", "c"}
    tables["orders"].append(line("again", "a", datetime(2025, 12, 19, 10), 1.0))  # exactly 180 days: not over
    assert crowd("dormant_vip", tables, AS_OF) == {"b", "c"}


def test_lifecycle_edges() -> None:
    joined = datetime(2025, 1, 1)
    tables: Tables = {
        "customers": [customer(u, member_joined_at=joined) for u in ("active", "low", "edge", "gone", "both")]
        + [customer(u, member_joined_at=datetime(2026, 6, 1)) for u in ("fresh", "eager")],
        "orders": [
            line("a1", "active", datetime(2026, 3, 19, 10), 1.0),  # exactly 90 days
            line("b1", "low", datetime(2026, 3, 19, 9, 59, 59), 1.0),  # a second more
            line("c1", "edge", datetime(2025, 6, 17, 10), 1.0),  # exactly 365 days
            line("c2", "edge", datetime(2025, 6, 17, 9), 1.0),  # 2 orders: the median of 2 and 2
            line("d1", "gone", datetime(2025, 6, 17, 9, 59, 59), 1.0),
            line("e1", "both", datetime(2026, 6, 1), 1.0, kind="sample"),  # a sample beside an order
            line("e2", "both", datetime(2026, 3, 1), 1.0),
            line("f1", "fresh", datetime(2026, 6, 2), 1.0),  # new, 1 order
            line("g1", "eager", datetime(2026, 6, 2), 1.0),
            line("g2", "eager", datetime(2026, 6, 3), 1.0),  # new, but 2 orders
        ],
    }
    expected = {
        "new_member": {"fresh"},
        "active_old": {"active", "both", "eager"},  # "both": the sample is the last payment (reading 18)
        "prechurn_high": {"edge"},
        "prechurn_low": {"low"},
        "churned": {"gone"},
        "trial": set(),
        "potential": set(),
    }
    for key, users in expected.items():
        assert crowd(key, tables, AS_OF) == users, key


def test_money_at_stake_edges() -> None:
    items: list[dict[str, Any]] = [
        {"item_id": "I1", "list_price": 9.0, "promo_price": 0.0},
        {"item_id": "I4", "list_price": None, "promo_price": None},
    ]
    nine = datetime(2026, 6, 17, 9)

    def stake(*events: dict[str, Any], orders: Any = ()) -> float | None:
        tables: Tables = {"items": items, "events": list(events), "orders": list(orders)}
        return amount_at_stake({"u"}, tables, AS_OF, CAMPAIGNS, SETTINGS)

    assert stake() == 0  # nothing carted
    assert stake(event("u", nine, "cart", "I4")) is None  # carted, no price known
    assert stake(event("u", nine, "cart", "I1")) == 0  # a promo price of 0 is a price
    assert stake(event("v", nine, "cart", "I4")) == 0  # somebody else's cart
    items[0]["promo_price"] = 7.0
    assert stake(event("u", nine, "cart", "I1", quantity=3), event("u", nine, "cart", "I4")) == 21
    paid = line("a", "u", nine, 7.0)
    assert stake(event("u", nine, "cart", "I1"), orders=[paid]) == 0  # paid in the same second
    again = event("u", AS_OF, "cart", "I1")
    assert stake(event("u", nine, "cart", "I1"), again, orders=[paid]) == 7  # carted again after paying


def test_crowds_without_any_campaign() -> None:
    assert action_crowd("member", TABLES, AS_OF, [], SETTINGS) == EXPECTED_CROWDS["member"]
    assert action_crowd("dormant_vip", TABLES, AS_OF, [], SETTINGS) == EXPECTED_CROWDS["dormant_vip"]
    with pytest.raises(ValueError, match="needs a campaign"):
        action_crowd("cart_unpaid", TABLES, AS_OF, [], SETTINGS)
    with pytest.raises(KeyError):
        crowd("no_such_crowd", TABLES, AS_OF)
