"""A shop of a few hundred people whose every moment lies on an edge (tests/test_generated_*.py), with texts that break bad
quoting: for comparing engines, where hand-checked shops are too small and the demo shop is too polite."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from knowledge import catalog
from tests.oracle import Tables
from tests.test_generated_metrics import EDGES
from tests.test_generated_shops import MOMENTS
from tests.tiny_shop import AS_OF

CITIES = ["上海", "O'Fallon", 'Say "hi"', "back\\slash", "100%", "a\nb", "", None]
ITEMS = ["i1", "i'2", "i\\3", "i,4", None]
CATEGORIES = ["c1", "c2", None]
SOURCES = ["ad", "sms", "100% ad", None]
PEOPLE = 300


def tables(seed: int = 7) -> Tables:
    """The tables; the same for the same seed."""
    draw = random.Random(seed)
    moments = sorted({*MOMENTS, *EDGES})
    people = [f"p{i}" for i in range(PEOPLE - 3)] + ["用户 1", "o'neil", "x\\y"]

    def any_moment() -> datetime:
        return draw.choice(moments)

    def maybe(share: float, value: Any) -> Any:
        return value if draw.random() < share else None

    def money() -> float | None:
        return draw.randrange(0, 90_000) / 100 if draw.random() < 0.85 else None

    def line(n: int) -> dict[str, Any]:
        kind = draw.choice(["normal", "normal", "presale", "sample"])
        created, deposit, paid = sorted(any_moment() for _ in range(3))
        refund = maybe(0.15, draw.randrange(0, 5_000) / 100)
        return {
            "order_id": f"o{n // 2}", "user_id": draw.choice(people), "item_id": draw.choice(ITEMS), "kind": kind,
            "category_id": draw.choice(CATEGORIES), "created_at": created, "amount": money(),
            "deposit_paid_at": deposit if kind == "presale" and draw.random() < 0.6 else None,
            "paid_at": maybe(0.75, paid), "refund_amount": refund, "refunded_at": any_moment() if refund else None,
        }  # fmt: skip

    kinds = [*catalog.tables()["events"].columns["kind"].values, "visit", "visit", "cart", "favorite"]
    return {
        "customers": [
            {
                "user_id": p, "city": draw.choice(CITIES), "member_joined_at": maybe(0.6, any_moment()),
                "fan_since": maybe(0.4, any_moment()), "member_level": draw.choice(["V1", "V2", None]),
                "nickname": f'{p}, "the\n{p}"', "sms_opt_out": draw.choice([0, 1, None]),
                "in_group": draw.choice([0, 1]), "in_exclusive_service": draw.choice([0, 1, None]),
            }
            for p in people[20:]
        ],
        "events": [
            {
                "user_id": draw.choice(people), "ts": any_moment(), "kind": draw.choice(kinds),
                "item_id": draw.choice(ITEMS), "category_id": draw.choice(CATEGORIES),
                "quantity": draw.choice([None, 1, 3]), "source": draw.choice(SOURCES),
            }
            for _ in range(2_500)
        ],
        "orders": [line(n) for n in range(700)],
        "items": [
            {
                "item_id": item, "title": f"货 {item}", "category_id": draw.choice(CATEGORIES), "list_price": money(),
                "promo_price": money(), "is_hero": n % 2, "is_presale": draw.choice([0, 1]), "stock": 5,
            }
            for n, item in enumerate(ITEMS) if item
        ],
        "coupons": [
            {
                "coupon_id": f"k{n}", "user_id": draw.choice(people), "claimed_at": maybe(0.9, any_moment()),
                "valid_from": maybe(0.9, any_moment()), "valid_to": maybe(0.9, AS_OF), "value": money(),
                "redeemed_order_id": maybe(0.3, "o1"), "threshold": money(),
            }
            for n in range(300)
        ],
        "touches": [
            {
                "touch_id": f"t{n}", "user_id": draw.choice(people), "channel": draw.choice(["sms", "group", None]),
                "sent_at": any_moment(), "delivered": draw.choice([0, 1, 1, None]), "clicked_at": maybe(0.4, any_moment()),
                "cost": draw.choice([None, 0.0, 0.05, 1.0]),
            }
            for n in range(300)
        ],
        "peers": [
            {"campaign": "618", "crowd": crowd, "metric": metric, "value": draw.randrange(100) / 4}
            for crowd in ("all", "old", "new") for metric in ("rv_value", "visit_rate", "conversion_rate")
        ],
        "targets": [
            {"campaign": "618", "crowd": "all", "metric": "buyers", "value": 40.0, "date": AS_OF.date()},
        ],
    }  # fmt: skip
