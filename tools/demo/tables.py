"""Numbers and codes as Arrow tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tools.demo.world import (
    CATEGORIES,
    CATEGORY,
    ITEMS,
    KINDS,
    NEVER,
    SHOP,
    SOURCES,
    Flags,
    Floats,
    Ints,
    Items,
    Orders,
    People,
    Rng,
)


# ---- Arrow: negative integers and NaN become nulls ---------------------------------------------------------
def as_ids(prefix: str, numbers: Ints, width: int) -> pa.Array:
    """Identifiers such as u000001."""
    distinct, codes = np.unique(numbers, return_inverse=True)
    words = [f"{prefix}{number:0{width}d}" for number in distinct.tolist()]
    return as_words(np.where(numbers < 0, NEVER, codes), words)


def as_words(codes: Ints, words: Sequence[str]) -> pa.Array:
    """Texts by their place in `words`."""
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string())).cast(pa.string())


def as_times(seconds: Ints) -> pa.Array:
    return pa.array(seconds, pa.int64(), mask=seconds < 0).cast(pa.timestamp("s"))


def as_dates(days: Ints) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=days < 0).cast(pa.date32())


def as_money(values: Floats) -> pa.Array:
    return pa.array(np.round(values, 2), from_pandas=True).cast(pa.decimal128(18, 2))


def as_flags(values: Ints | Flags) -> pa.Array:
    return pa.array(values.astype(np.int8))


def _of_items(item: Ints) -> dict[str, pa.Array]:
    """The item and category columns of a table."""
    return {
        "item_id": as_words(item, [f"i{number:04d}" for number in range(1, len(ITEMS) + 1)]),
        "category_id": as_words(np.where(item < 0, NEVER, CATEGORY[item]), CATEGORIES),
    }


def customers_table(rng: Rng, people: People) -> pa.Table:
    rows = np.flatnonzero(people.customer)
    count, cities = len(rows), (np.arange(len(SHOP["cities"])) + 2.0) ** -0.9
    nicknames = [first + last for first in SHOP["nick_first"] for last in SHOP["nick_last"]]
    nickname = np.where(rng.random(count) < 0.03, NEVER, rng.integers(0, len(nicknames), count))
    city = np.where(rng.random(count) < 0.02, NEVER, rng.choice(len(cities), count, p=cities / cities.sum()))
    level = rng.choice(len(SHOP["levels"]), count, p=list(SHOP["levels"].values()))
    phone = 19_900_000_000 + (rows * 48_271 + 7_919) % 100_000_000  # 199 and digits made from the row number
    return pa.table(
        {
            "user_id": as_ids("u", rows + 1, 6),
            "phone": pa.array(phone, mask=rng.random(count) < 0.02).cast(pa.string()),
            "nickname": as_words(nickname, nicknames),
            "city": as_words(city, SHOP["cities"]),
            "member_joined_at": as_times(people.joined[rows]),
            "member_level": as_words(np.where(people.joined[rows] < 0, NEVER, level), list(SHOP["levels"])),
            "fan_since": as_times(people.fan[rows]),
            "sms_opt_out": as_flags(people.opt_out[rows]),
            "in_exclusive_service": as_flags(people.service[rows]),
            "in_group": as_flags(people.group[rows]),
        }
    )


def items_table(items: Items) -> pa.Table:
    shelf = _of_items(np.arange(len(ITEMS)))
    return pa.table(
        {
            "item_id": shelf["item_id"],
            "title": pa.array(ITEMS),
            "category_id": shelf["category_id"],
            "list_price": as_money(items.price),
            "promo_price": as_money(items.promo),
            "is_presale": as_flags(~np.isnan(items.deposit)),
            "deposit": as_money(items.deposit),
            "is_hero": as_flags(items.hero),
            "stock": pa.array(items.stock),
        }
    )


def events_table(events: list[Ints]) -> pa.Table:
    kind, person, ts, item, quantity, source = events
    return pa.table(
        {
            "user_id": as_ids("u", person + 1, 6),
            "ts": as_times(ts),
            "kind": as_words(kind, KINDS),
            **_of_items(item),
            "quantity": pa.array(quantity, mask=quantity < 0),
            "source": as_words(source, SOURCES),
        }
    )


def orders_table(orders: Orders) -> pa.Table:
    return pa.table(
        {
            "order_id": as_ids("o", orders.number, 7),
            "user_id": as_ids("u", orders.person + 1, 6),
            **_of_items(orders.item),
            "kind": as_words(orders.kind, ["normal", "presale", "sample"]),
            "created_at": as_times(orders.created),
            "deposit_amount": as_money(orders.deposit),
            "deposit_paid_at": as_times(orders.deposit_paid),
            "paid_at": as_times(orders.paid),
            "amount": as_money(orders.amount),
            "refund_amount": as_money(orders.refund),
            "refunded_at": as_times(orders.refunded),
        }
    )
