"""A tiny hand-made shop, small enough to check by eye, with the expected numbers written by hand.

As of T = 2026-06-17 10:00:00, in the 618 of 2026, phase sale2.  What the relative spans come to:
    W, this wave up to T        2026-06-04 00:00:00 .. T      (sale1 ended on 06-03)
    the window of the metrics   2026-06-16 00:00:00 .. T      (asked for 06-16..06-17, cut at T)
    last 3 days                 from 2026-06-14 10:00:00
    last 7 days                 from 2026-06-10 10:00:00
    last 30 days                from 2026-05-18 10:00:00
    last 90 days                from 2026-03-19 10:00:00
    last 180 days               from 2025-12-19 10:00:00
    last 365 days               from 2025-06-17 10:00:00
    old cohort                  paid in [2025-05-24, 2026-05-24)
    the campaign                2026-05-01 .. 2026-06-30, recruiting since 05-05
    active at the cohort date   from 2026-02-24 00:00:00 to 2026-05-24 23:59:59 (90 calendar days)
    active at T                 from 2026-03-20 00:00:00

The people (each member is in another lifecycle state):
    u01 member of exactly 30 days; carts in the wave's very first second, visits exactly 7 days ago and
        yesterday, favourites exactly 3 days ago; never buys.
    u02 no member; pays in the very second of the first cart, one line of unknown amount; carts again.
    u03 old member; carts on the last morning and pays exactly at T; one more line is paid a second after T.
    u04 no customer row; first seen today (once with blanks around the id); carts, quantity unknown, unpaid.
    u05 no member; carted in the last second before the wave, visits, and favourites a second more than
        3 days ago; ordered but never paid; took up a challenge, finished it, took it up again.
    u06 old member; paid a deposit in the window's very first second, the balance is open; claimed a
        coupon exactly 7 days ago; paid before that only once, a second more than 180 days ago.
    u07 no member, fan; deposit in May, balance paid on 06-16 (no visit that day); an older presale, paid;
        watches lives.
    u08 member; three orders last summer (one of two lines, one of them of unknown amount), silent since.
    u09 member; one big order, paid a second more than 365 days before T; watches lives, once
        exactly 30 days ago.
    u10 member; paid a sample, an hour later carted things (twice, the second time two of it), unpaid.
    u11 member who never ordered; visits on three days, once exactly 30 days ago; joined and finished
        the challenge in one second; carts a second after T; the coupon ended a second before T, another
        one is redeemed.
    u12 a customer row and nothing else; becomes member and fan only tomorrow.
    u13 no customer row; first seen a second after T, so unknown at T.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tests.oracle import Campaign, Tables

AS_OF = datetime(2026, 6, 17, 10)
WINDOW = (date(2026, 6, 16), date(2026, 6, 17))

CAMPAIGNS = [
    Campaign(
        key="618",
        phases=(
            ("pool", date(2026, 5, 1), date(2026, 5, 23)),
            ("presale", date(2026, 5, 24), date(2026, 5, 28)),
            ("preheat1", date(2026, 5, 29), date(2026, 5, 31)),
            ("sale1", date(2026, 6, 1), date(2026, 6, 3)),
            ("preheat2", date(2026, 6, 4), date(2026, 6, 15)),
            ("sale2", date(2026, 6, 16), date(2026, 6, 20)),
            ("review", date(2026, 6, 21), date(2026, 6, 30)),
        ),
        cohort_date=date(2026, 5, 24),
        recruit_date=date(2026, 5, 5),
    )
]


def _t(written: str | None) -> datetime | None:
    return None if written is None else datetime.strptime(written, "%Y-%m-%d %H:%M:%S")


def _rows(columns: str, *rows: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Rows of a table; columns that hold a time are written as text and turned into datetimes."""
    names = columns.split()
    times = {"ts", "member_joined_at", "fan_since", "created_at", "deposit_paid_at", "paid_at", "refunded_at",
             "claimed_at", "valid_from", "valid_to", "sent_at", "clicked_at"}  # fmt: skip
    made = []
    for row in rows:
        pairs = zip(names, row, strict=True)
        made.append({name: _t(value) if name in times else value for name, value in pairs})
    return made


# fmt: off
TABLES: Tables = {
    "customers": _rows(
        "user_id phone nickname city member_joined_at member_level fan_since"
        " sms_opt_out in_exclusive_service in_group",
        ("u01", None, "one", "Hangzhou", "2026-05-18 10:00:00", "V1", "2026-06-01 00:00:00", 0, 0, 1),
        ("u02", None, "two", "Shanghai", None, None, "2026-06-17 00:00:00", 0, 0, 0),
        ("u03", None, "three", "Hangzhou", "2024-01-01 00:00:00", "V3", None, 0, 1, 1),
        ("u05", None, "five", None, None, None, None, 1, 0, 0),
        ("u06", None, "six", "Beijing", "2025-02-01 00:00:00", "V2", None, 0, 0, 0),
        ("u07", None, "seven", "Shanghai", None, None, "2025-01-01 00:00:00", 0, 0, 0),
        ("u08", None, "eight", "Beijing", "2023-01-01 00:00:00", "V3", None, 0, 1, 0),
        ("u09", None, "nine", "Chengdu", "2022-01-01 00:00:00", "V4", None, 0, 0, 0),
        ("u10", None, "ten", "Chengdu", "2025-03-01 00:00:00", "V1", None, 0, 0, 0),
        ("u11", None, "eleven", "Hangzhou", "2025-05-01 00:00:00", "V1", None, 0, 0, 0),
        ("u12", None, "twelve", None, "2026-06-18 00:00:00", "V1", "2026-06-18 00:00:00", 0, 0, 0),
    ),
    "items": _rows(
        "item_id title category_id list_price promo_price is_presale deposit is_hero stock",
        ("I1", "Serum", "C1", 200.0, 150.0, 0, None, 1, 500),     # the hero item
        ("I2", "Cream", "C2", 80.0, None, 0, None, 0, 300),       # no promo price: the list price counts
        ("I3", "Gift box", "C3", 400.0, 300.0, 1, 50.0, 0, 100),  # the presale item
        ("I4", "Sachet", "C2", None, None, 0, None, 0, None),     # no price at all
    ),
    "events": _rows(
        "user_id ts kind item_id category_id quantity source",
        ("u01", "2026-06-04 00:00:00", "cart", "I1", "C1", 2, "search"),        # the wave's first second
        ("u01", "2026-06-10 10:00:00", "visit", "I1", "C1", None, "search"),     # exactly 7 days
        ("u01", "2026-06-14 10:00:00", "favorite", "I2", "C2", None, "search"),  # exactly 3 days
        ("u01", "2026-06-16 21:00:00", "visit", "I1", "C1", None, "sms"),
        ("u02", "2026-06-16 11:50:00", "visit", "I1", "C1", None, "ad"),
        ("u02", "2026-06-16 12:00:00", "cart", "I1", "C1", 1, "ad"),            # paid in this very second
        ("u02", "2026-06-17 09:30:00", "cart", "I2", "C2", 1, "ad"),            # carted after paying, unpaid
        ("u03", "2026-05-24 23:59:59", "visit", "I1", "C1", None, "search"),    # the cohort date's last second
        ("u03", "2026-06-17 09:00:00", "visit", "I1", "C1", None, "group"),
        ("u03", "2026-06-17 09:10:00", "cart", "I1", "C1", 1, "group"),         # paid exactly at T
        (" u04 ", "2026-06-17 08:00:00", "visit", "I2", "C2", None, "ad"),      # blanks around the id
        ("u04", "2026-06-17 08:05:00", "cart", "I2", "C2", None, "ad"),         # unknown quantity: 1
        ("u05", "2026-06-03 23:50:00", "visit", "I1", "C1", None, "search"),
        ("u05", "2026-06-03 23:59:59", "cart", "I1", "C1", 1, "search"),        # a second before the wave
        ("u05", "2026-06-11 10:00:00", "visit", "I1", "C1", None, "search"),
        ("u05", "2026-06-12 10:00:00", "visit", "I1", "C1", None, "search"),
        ("u05", "2026-06-14 09:59:59", "favorite", "I1", "C1", None, "search"),  # a second over 3 days
        ("u05", "2026-06-08 09:00:00", "challenge_join", None, None, None, None),
        ("u05", "2026-06-09 09:00:00", "challenge_done", None, None, None, None),
        ("u05", "2026-06-10 10:00:00", "challenge_join", None, None, None, None),  # joined again: open
        ("u06", "2026-06-10 10:00:00", "coupon_claim", None, None, None, None),  # exactly 7 days
        ("u06", "2026-06-16 00:00:00", "visit", "I3", "C3", None, "sms"),       # the window's first second
        ("u07", "2026-02-24 00:00:00", "visit", "I3", "C3", None, "live"),      # the 90th day's first second
        ("u07", "2026-05-25 12:00:00", "cart", "I3", "C3", 1, "live"),          # in the first wave
        ("u07", "2026-05-26 09:55:00", "visit", "I3", "C3", None, "live"),
        ("u07", "2026-06-10 20:00:00", "live_watch", None, None, None, "live"),
        ("u07", "2026-06-11 20:00:00", "live_watch", None, None, None, "live"),
        ("u08", "2025-09-01 09:00:00", "visit", "I1", "C1", None, "search"),
        ("u08", "2026-02-23 23:59:59", "visit", "I1", "C1", None, "search"),    # a second before the 90 days
        ("u09", "2026-05-18 10:00:00", "live_watch", None, None, None, "live"),  # exactly 30 days
        ("u09", "2026-06-11 20:00:00", "live_watch", None, None, None, "live"),
        ("u10", "2026-05-25 00:00:00", "live_watch", None, None, None, "live"),  # a second after the cohort date
        ("u10", "2026-06-05 07:55:00", "visit", "I2", "C2", None, "search"),
        ("u10", "2026-06-05 09:00:00", "cart", "I2", "C2", 1, "search"),        # after paying the sample
        ("u10", "2026-06-05 09:05:00", "cart", "I2", "C2", 2, "search"),        # the last cart: 2 of it
        ("u10", "2026-06-05 09:10:00", "cart", "I4", "C2", 1, "search"),        # an item without a price
        ("u10", "2026-06-17 00:00:00", "visit", "I2", "C2", None, "search"),
        ("u11", "2026-05-18 10:00:00", "visit", None, "C1", None, "search"),     # exactly 30 days
        ("u11", "2026-05-28 10:00:00", "visit", None, "C1", None, "search"),
        ("u11", "2026-06-08 09:50:00", "visit", None, "C1", None, "search"),
        ("u11", "2026-06-08 10:00:00", "challenge_join", None, None, None, None),
        ("u11", "2026-06-08 10:00:00", "challenge_done", None, None, None, None),  # same second: done
        ("u11", "2026-06-17 10:00:01", "cart", "I1", "C1", 1, "search"),        # a second after T
        ("u13", "2026-06-17 10:00:01", "visit", "I1", "C1", None, "ad"),        # a second after T
    ),
    "orders": _rows(
        "order_id user_id item_id category_id kind created_at deposit_amount deposit_paid_at paid_at amount"
        " refund_amount refunded_at",
        ("o02", "u02", "I1", "C1", "normal", "2026-06-16 12:00:00", None, None, "2026-06-16 12:00:00", 150.0,
         30.0, "2026-06-17 09:00:00"),  # the same second as the cart; partly refunded the next day
        ("o02", "u02", "I2", "C2", "normal", "2026-06-16 12:00:00", None, None, "2026-06-16 12:00:00", None,
         None, None),  # unknown amount
        ("o03a", "u03", "I2", "C2", "normal", "2025-12-01 10:00:00", None, None, "2025-12-01 10:01:00", 100.0,
         None, None),
        ("o03b", "u03", "I1", "C1", "normal", "2026-06-17 09:15:00", None, None, "2026-06-17 10:00:00", 150.0,
         150.0, "2026-06-17 10:00:01"),  # exactly at T; refunded a second later
        ("o03c", "u03", "I2", "C2", "normal", "2026-06-17 09:59:00", None, None, "2026-06-17 10:00:01", 999.0,
         None, None),  # a second after T: created, not paid
        ("o05", "u05", "I1", "C1", "normal", "2026-06-05 10:00:00", None, None, None, None,
         None, None),  # created, never paid
        ("o06a", "u06", "I2", "C2", "normal", "2025-12-19 09:50:00", None, None, "2025-12-19 09:59:59", 60.0,
         20.0, "2025-12-27 10:00:00"),  # a second over 180 days; amounts are not net of refunds
        ("o06b", "u06", "I3", "C3", "presale", "2026-06-16 00:00:00", 50.0, "2026-06-16 00:00:00", None, 50.0,
         None, None),  # deposit paid in the window's first second, balance open
        ("o07a", "u07", "I3", "C3", "presale", "2025-10-25 10:00:00", 50.0, "2025-10-25 10:00:00",
         "2025-11-01 10:00:00", 280.0, None, None),  # last year's presale
        ("o07b", "u07", "I3", "C3", "presale", "2026-05-26 10:00:00", 50.0, "2026-05-26 10:00:00",
         "2026-06-16 20:00:00", 300.0, None, None),  # this year's, balance paid
        ("o08a", "u08", "I1", "C1", "normal", "2025-07-01 10:00:00", None, None, "2025-07-01 10:00:00", 40.0,
         None, None),
        ("o08b", "u08", "I1", "C1", "normal", "2025-08-01 10:00:00", None, None, "2025-08-01 10:00:00", 60.0,
         None, None),
        ("o08b", "u08", "I2", "C2", "normal", "2025-08-01 10:00:00", None, None, "2025-08-01 10:00:00", None,
         None, None),  # second line of the same order
        ("o08c", "u08", "I1", "C1", "normal", "2025-09-01 10:00:00", None, None, "2025-09-01 10:00:00", 50.0,
         None, None),
        ("o09", "u09", "I1", "C1", "normal", "2025-06-17 09:50:00", None, None, "2025-06-17 09:59:59", 2000.0,
         None, None),  # a second more than 365 days before T
        ("o10", "u10", "I2", "C2", "sample", "2026-06-05 08:00:00", None, None, "2026-06-05 08:00:00", 9.9,
         None, None),  # a sample, before the cart
    ),
    "coupons": _rows(
        "coupon_id user_id kind claimed_at valid_from valid_to threshold value redeemed_order_id",
        ("k01", "u01", "shop", "2026-06-01 00:00:00", "2026-06-01 00:00:00", "2026-06-17 10:00:00",
         199.0, 20.0, None),  # ends exactly at T: held
        ("k02", "u02", "first_order", "2026-06-01 00:00:00", "2026-06-01 00:00:00", "2026-06-20 23:59:59",
         99.0, 10.0, None),  # held by someone who is no member
        ("k03", "u03", "repurchase", "2026-06-01 00:00:00", "2026-06-01 00:00:00", "2026-06-20 23:59:59",
         99.0, 10.0, "o03b"),  # redeemed
        ("k06", "u06", "member_day", "2026-06-10 10:00:00", "2026-06-16 00:00:00", "2026-06-20 23:59:59",
         199.0, 30.0, None),  # held
        ("k07", "u07", "shop", "2026-06-16 19:00:00", "2026-06-16 00:00:00", "2026-06-20 23:59:59",
         199.0, 20.0, "o07b"),  # redeemed by someone who is no member
        ("k08", "u08", "level", "2026-06-01 00:00:00", "2026-06-18 00:00:00", "2026-06-20 23:59:59",
         199.0, 30.0, None),  # not valid yet
        ("k10", "u10", "shop", "2026-06-16 00:00:00", "2026-06-18 00:00:00", "2026-06-20 23:59:59",
         99.0, 10.0, None),  # claimed in the window's first second, not valid yet
        ("k11a", "u11", "points", "2026-06-01 00:00:00", "2026-06-01 00:00:00", "2026-06-17 09:59:59",
         99.0, 10.0, None),  # ended a second before T
        ("k11b", "u11", "points", "2026-06-01 00:00:00", "2026-06-01 00:00:00", "2026-06-20 23:59:59",
         99.0, 10.0, "o-elsewhere"),  # redeemed
        ("k11c", "u11", "shop", "2026-06-17 10:00:01", "2026-06-18 00:00:00", "2026-06-20 23:59:59",
         99.0, 10.0, None),  # claimed a second after T
    ),
    "touches": _rows(
        "touch_id user_id campaign crowd channel variant sent_at delivered clicked_at cost",
        ("t07a", "u07", "618", "balance_due", "sms", "A", "2026-06-13 19:59:59", 1, None, 0.05),  # a second over 72 hours
        ("t07b", "u07", "618", "balance_due", "sms", "A", "2026-06-13 20:00:00", 1, None, 0.05),  # 72 hours before paying
        ("t01a", "u01", "618", "cart_unpaid", "sms", "A", "2026-06-15 23:59:59", 1, None, 0.05),  # before the window
        ("t01b", "u01", "618", "cart_unpaid", "push", None, "2026-06-16 00:00:00", 1, "2026-06-17 10:00:00", 0.0),  # click at T
        ("t02a", "u02", "618", "new", "sms", "A", "2026-06-16 11:00:00", 1, "2026-06-16 11:45:00", 0.05),
        ("t02b", "u02", "618", "new", "group", None, "2026-06-16 12:00:00", 1, None, None),  # in the second of paying
        ("t07c", "u07", "618", "balance_due", "sms", "B", "2026-06-16 20:00:01", 0, None, 0.1),  # a second after paying
        ("t10", "u10", "618", None, None, None, "2026-06-17 08:00:00", None, None, 0.05),  # unknown channel, delivery
        ("t03", "u03", "618", "old", "sms", "B", "2026-06-17 09:00:00", 1, "2026-06-17 10:00:01", 0.05),  # click after T
        ("t06", "u06", "618", "old", "sms", "B", "2026-06-17 10:00:01", 1, None, 0.05),  # a second after T
    ),
    "targets": [],
    "peers": _rows(
        "campaign crowd metric value",
        ("618", "all", "rv_value", 55.0),
        ("618", "all", "visit_rate", 0.45),
        ("618", "old", "conversion_rate", 0.2),
        ("618", "member", "amount_share", 0.4),
        ("double11", "fan", "rv_value", 70.0),  # another campaign's
    ),
    "service": [],
}
# fmt: on

# Every crowd at AS_OF, by hand.  (`new` is that of the day of AS_OF; the other crowds have no window of
# their own.)
EXPECTED_CROWDS: dict[str, set[str]] = {
    # everyone but u13, who comes a second after T; u04 has no customer row but events
    "all": {"u01", "u02", "u03", "u04", "u05", "u06", "u07", "u08", "u09", "u10", "u11", "u12"},
    # paid between 2025-05-24 and 2026-05-23: u03, u06 in December, u07 November, u08 summer, u09 June
    "old": {"u03", "u06", "u07", "u08", "u09"},
    # visited or paid on 06-17 up to 10:00: u03, u04, u10 (at midnight); u03 is old
    "new": {"u04", "u10"},
    # u12 joins tomorrow
    "member": {"u01", "u03", "u06", "u08", "u09", "u10", "u11"},
    # u02 since midnight of today; u12 only tomorrow
    "fan": {"u01", "u02", "u07"},
    # first event in the wave, no order, no member: u02 has ordered, u01, u10 are members, u05 came on 06-03
    "public_new": {"u04"},
    # u05's order was never paid; u12 is not a member yet
    "nonmember_unbought": {"u04", "u05", "u12"},
    # members without any paid line
    "member_unbought": {"u01", "u11"},
    # paid, not members
    "nonmember_bought": {"u02", "u07"},
    # paid members; u10 through a sample, which is a line like any other
    "member_bought": {"u03", "u06", "u08", "u09", "u10"},
    # u01 carts in the wave's first second; u04; u10 paid before carting; not u02 (paid in the same
    # second), u03 (paid at T), u05 (carted a second before the wave), u11 (carts a second after T)
    "cart_unpaid": {"u01", "u04", "u10"},
    # the same and u05, who favourited in the wave
    "cart_fav_unpaid": {"u01", "u04", "u05", "u10"},
    # u06's deposit without balance; u07's balance is paid
    "balance_due": {"u06"},
    # u01: favourite exactly 3 days ago, visits on 06-10 (exactly 7 days) and 06-16;
    # u04 visited on one day only; u05's favourite is a second too old, u10's cart older
    "last_push": {"u01"},
    # nothing paid since 05-01 (not u02, u03, u07, u10); u01, u04 carted, u05 favourited, u11 visited
    # on 3 days
    "high_potential": {"u01", "u04", "u05", "u11"},
    # C1 seen by u01, u02, u03, u05, u11; u02 and u03 have paid lately
    "category_interest": {"u01", "u05", "u11"},
    # u07's presale of last year; the one of this campaign does not count
    "presale_history": {"u07"},
    # u03 paid on 2025-12-01 and today, u08 on three days; u07 is no member
    "gold_intent": {"u03", "u08"},
    # u09 paid a second too long ago; u10's sample is a line like any other
    "repurchase": {"u03", "u06", "u08", "u10"},
    # u06's payment is a second over 180 days; u09 watched lives; not u08 (no event lately),
    # not u03 and u10 (paid lately)
    "member_dormant_intent": {"u01", "u06", "u09", "u11"},
    # u01 favourited 3 days, u06 claimed 7 days ago, u11 visited on 3 days; u03 and u10 paid in the wave
    "member_hesitating": {"u01", "u06", "u11"},
    # paid since 05-05, no members
    "bought_nonmember": {"u02", "u07"},
    # u09 on 05-18 (exactly 30 days) and 06-11; u07 is no member
    "live_member": {"u09"},
    # u01's ends exactly at T, u06's runs; not u02 (no member), u03 (redeemed), u08 (not yet), u11
    # (one over, one redeemed)
    "coupon_unredeemed": {"u01", "u06"},
    # u05 joined again after finishing; u11 finished in the second of joining
    "challenge_open": {"u05"},
    # u08: 3 orders, last in September; u09: 2000 is the greatest of 7 lifetime amounts; u07 (second)
    # paid yesterday
    "dormant_vip": {"u08", "u09"},
    # joined exactly 30 x 24 hours ago, no order
    "new_member": {"u01"},
    # paid at T
    "active_old": {"u03"},
    # last paid in September, 3 orders; orders of repeat buyers: u03 2, u07 2, u08 3, so the median is 2
    "prechurn_high": {"u08"},
    # last paid in December, 1 order (the presale line is not paid)
    "prechurn_low": {"u06"},
    # a second over 365 days
    "churned": {"u09"},
    # only a sample
    "trial": {"u10"},
    # never paid anything, joined a year ago
    "potential": {"u11"},
}

# The first eighteen metrics for the window 2026-06-16..2026-06-17 as of AS_OF, by hand.  What happened in it:
#   visits    u01 06-16, u02 06-16, u03 06-17, u04 06-17, u06 06-16 00:00:00, u10 06-17 00:00:00
#   carts     u02 (first at 06-16 12:00:00), u03, u04
#   deposits  u06
#   paid      u02 150 and an unknown amount (same second as the first cart), u03 150 (at T, after the cart),
#             u07 300 (a presale balance, no cart in the window); shop: 600
# The crowds: old = u03 u06 u07 u08 u09; new = u01 u02 u04 u10 (visited, not old);
# member = u01 u03 u06 u08 u09 u10 u11; fan = u01 u02 u07.
EXPECTED_METRICS: dict[tuple[str, str], int | float | None] = {
    # --- all: twelve people
    ("crowd_size", "all"): 12,
    ("visitors", "all"): 6,  # u01 u02 u03 u04 u06 u10; u13 is after T
    ("carters", "all"): 3,  # u02 u03 u04; u11 is after T
    ("deposit_buyers", "all"): 1,  # u06
    ("balance_buyers", "all"): 1,  # u07
    ("presale_paid_amount", "all"): 300,  # u07's whole line; u06's is not paid
    ("cart_buyers", "all"): 2,  # u02 in the same second, u03; u07 did not cart in the window
    ("cart_paid_amount", "all"): 300,  # 150 + 150; the unknown amount is skipped
    ("buyers", "all"): 3,  # u02 u03 u07
    ("paid_amount", "all"): 600,  # 150 + 150 + 300; u03's 999 comes a second after T
    ("visit_rate", "all"): 0.5,  # 6 of 12
    ("visit_cart_rate", "all"): 0.5,  # 3 of 6
    ("visit_deposit_rate", "all"): 1 / 6,
    ("cart_pay_rate", "all"): 2 / 3,
    ("deposit_balance_rate", "all"): 1.0,  # 1 of 1, though not the same person
    ("visit_pay_rate", "all"): 0.5,  # 3 of 6
    ("conversion_rate", "all"): 0.25,  # 3 of 12
    ("amount_share", "all"): 1.0,
    # --- old: u03 u06 u07 u08 u09
    ("crowd_size", "old"): 5,
    ("visitors", "old"): 2,  # u03 u06
    ("carters", "old"): 1,  # u03
    ("deposit_buyers", "old"): 1,  # u06
    ("balance_buyers", "old"): 1,  # u07
    ("presale_paid_amount", "old"): 300,  # u07
    ("cart_buyers", "old"): 1,  # u03
    ("cart_paid_amount", "old"): 150,  # u03
    ("buyers", "old"): 2,  # u03 u07
    ("paid_amount", "old"): 450,  # 150 + 300
    ("visit_rate", "old"): 0.4,  # 2 of 5
    ("visit_cart_rate", "old"): 0.5,  # 1 of 2
    ("visit_deposit_rate", "old"): 0.5,  # 1 of 2
    ("cart_pay_rate", "old"): 1.0,  # 1 of 1
    ("deposit_balance_rate", "old"): 1.0,  # 1 of 1
    ("visit_pay_rate", "old"): 1.0,  # 2 of 2, though u07 did not visit
    ("conversion_rate", "old"): 0.4,  # 2 of 5
    ("amount_share", "old"): 0.75,  # 450 of 600
    # --- new: u01 u02 u04 u10
    ("crowd_size", "new"): 4,
    ("visitors", "new"): 4,
    ("carters", "new"): 2,  # u02 u04
    ("deposit_buyers", "new"): 0,
    ("balance_buyers", "new"): 0,
    ("presale_paid_amount", "new"): 0,  # no line: 0, not null
    ("cart_buyers", "new"): 1,  # u02
    ("cart_paid_amount", "new"): 150,  # u02, the unknown amount skipped
    ("buyers", "new"): 1,  # u02
    ("paid_amount", "new"): 150,
    ("visit_rate", "new"): 1.0,  # 4 of 4
    ("visit_cart_rate", "new"): 0.5,  # 2 of 4
    ("visit_deposit_rate", "new"): 0.0,  # 0 of 4
    ("cart_pay_rate", "new"): 0.5,  # 1 of 2
    ("deposit_balance_rate", "new"): None,  # nobody paid a deposit
    ("visit_pay_rate", "new"): 0.25,  # 1 of 4
    ("conversion_rate", "new"): 0.25,  # 1 of 4
    ("amount_share", "new"): 0.25,  # 150 of 600
    # --- member: u01 u03 u06 u08 u09 u10 u11
    ("crowd_size", "member"): 7,
    ("visitors", "member"): 4,  # u01 u03 u06 u10
    ("carters", "member"): 1,  # u03
    ("deposit_buyers", "member"): 1,  # u06
    ("balance_buyers", "member"): 0,  # u07 is no member
    ("presale_paid_amount", "member"): 0,
    ("cart_buyers", "member"): 1,  # u03
    ("cart_paid_amount", "member"): 150,
    ("buyers", "member"): 1,  # u03
    ("paid_amount", "member"): 150,
    ("visit_rate", "member"): 4 / 7,
    ("visit_cart_rate", "member"): 0.25,  # 1 of 4
    ("visit_deposit_rate", "member"): 0.25,  # 1 of 4
    ("cart_pay_rate", "member"): 1.0,  # 1 of 1
    ("deposit_balance_rate", "member"): 0.0,  # 0 of 1
    ("visit_pay_rate", "member"): 0.25,  # 1 of 4
    ("conversion_rate", "member"): 1 / 7,
    ("amount_share", "member"): 0.25,  # 150 of 600
    # --- fan: u01 u02 u07
    ("crowd_size", "fan"): 3,
    ("visitors", "fan"): 2,  # u01 u02
    ("carters", "fan"): 1,  # u02
    ("deposit_buyers", "fan"): 0,  # u07's deposit was in May
    ("balance_buyers", "fan"): 1,  # u07
    ("presale_paid_amount", "fan"): 300,
    ("cart_buyers", "fan"): 1,  # u02
    ("cart_paid_amount", "fan"): 150,
    ("buyers", "fan"): 2,  # u02 u07
    ("paid_amount", "fan"): 450,  # 150 + 300
    ("visit_rate", "fan"): 2 / 3,
    ("visit_cart_rate", "fan"): 0.5,  # 1 of 2
    ("visit_deposit_rate", "fan"): 0.0,  # 0 of 2
    ("cart_pay_rate", "fan"): 1.0,  # 1 of 1
    ("deposit_balance_rate", "fan"): None,  # 1 of 0
    ("visit_pay_rate", "fan"): 1.0,  # 2 of 2
    ("conversion_rate", "fan"): 2 / 3,
    ("amount_share", "fan"): 0.75,  # 450 of 600
}

# Money at stake and top items of some crowds at AS_OF, by hand.  Carted in W and not paid since the last
# cart:
#   u01 I1 x 2 at 150 = 300 · u02 I2 x 1 at 80 = 80 · u04 I2 x 1 (unknown) at 80 = 80 · u10 I2 x 2 (last
# cart) at
#   80 = 160 · u10 I4, no price, skipped.  u02's and u03's I1 are paid; u05 and u07 carted before W.
EXPECTED_AMOUNT_AT_STAKE: dict[str, float | None] = {
    "all": 620.0,  # 300 + 80 + 80 + 160
    "cart_unpaid": 540.0,  # 300 + 80 + 160
    "cart_fav_unpaid": 540.0,  # u05 has only a favourite in W
    "last_push": 300.0,  # u01
    "balance_due": 0.0,  # nothing carted: a sum over no line is 0
}
EXPECTED_TOP_ITEMS: dict[str, list[tuple[str, int]]] = {
    "all": [("I2", 3), ("I1", 1), ("I4", 1)],  # I2: u02 u04 u10; I1: u01; I4: u10
    "cart_unpaid": [("I2", 2), ("I1", 1), ("I4", 1)],  # the tie of I1 and I4 by item_id
    "last_push": [("I1", 1)],
    "balance_due": [],
}
