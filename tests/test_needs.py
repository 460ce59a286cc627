"""What each crowd and metric is said to need (knowledge/needs.yaml) is what its value depends on, by the oracle: data is taken
away from a small shop, and whatever changes must name it; and what is named must make a difference."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import pytest

from knowledge import catalog
from knowledge.catalog import CatalogError
from tests import oracle, oracle_metrics, tiny_shop
from tests.oracle import Tables
from tools.blind import Held, blind, metric_needs, unmet
from tools.metrics import BY

FIRST, LAST = tiny_shop.WINDOW
CROWDS = ("all", "old", "member")


def _shop() -> Tables:
    """The tiny shop with two people more: u20 joined and came for the first time yesterday; u21 too, and bought twice."""
    day = datetime(2026, 6, 16, 12)
    shop = {key: list(rows) for key, rows in tiny_shop.TABLES.items()}
    shop["customers"] += [
        dict.fromkeys(catalog.tables()["customers"].columns)
        | {"user_id": who, "member_joined_at": day, "fan_since": day}
        for who in ("u20", "u21")
    ]
    shop["events"] += [
        dict.fromkeys(catalog.tables()["events"].columns) | {"user_id": who, "ts": on, "kind": kind, "item_id": "I1"}
        for who in ("u20", "u21")
        for on, kind in ((day, "visit"), (day, "cart"), (datetime(2026, 6, 17, 9), "visit"))
    ]
    shop["orders"] += [
        dict.fromkeys(catalog.tables()["orders"].columns)
        | {"order_id": f"o21{i}", "user_id": "u21", "kind": "normal", "created_at": day, "paid_at": day, "amount": 10.0}
        for i in range(2)
    ]
    return shop


SHOP = _shop()


def without(shop: Tables, need: str) -> Tables:
    """The shop less what the need names (all of it, where one would do)."""
    for term in need.split("|"):
        table, column, kind = catalog.need_parts(term)
        rows = shop[table]
        left = [{**r, column: None} for r in rows] if column else [r for r in rows if kind and r["kind"] != kind]
        shop = {**shop, table: left}
    return shop


def results(shop: Tables) -> dict[tuple[str, str], Any]:
    asked = oracle_metrics.Asked(shop, FIRST, LAST, tiny_shop.CAMPAIGNS, oracle.Settings(), tiny_shop.AS_OF)
    found: dict[tuple[str, str], Any] = {("crowd", k): oracle_metrics.crowd_people(k, asked) for k in oracle.CROWDS}
    for key in oracle_metrics.METRICS:
        found["metric", key] = [
            oracle_metrics.metric(
                key, crowd, shop, FIRST, LAST, tiny_shop.CAMPAIGNS, oracle.Settings(), tiny_shop.AS_OF
            )
            for crowd in CROWDS
        ]
    return found


@cache
def whole() -> dict[tuple[str, str], Any]:
    return results(SHOP)


def needs_of(kind: str, key: str) -> list[str]:
    return catalog.needs().crowds[key] if kind == "crowd" else metric_needs(key)


def removals() -> list[str]:
    """Every table, every column that may be empty, every kind of events."""
    out = []
    for key, table in catalog.tables().items():
        out += [key, *(f"{key}.{name}" for name, c in table.columns.items() if not c.required)]
    return out + [f"events:{kind}" for kind in catalog.tables()["events"].columns["kind"].values]


# What changes and is rightly not named: the crowd or the number still says something without it.
STILL_SAID = {
    ("orders.amount", "dormant_vip"),  # who bought three times is in it without amounts too
    ("orders.refunded_at", "refund_rate"),  # without its time a refund counts
}


def names(terms: list[str], removed: str) -> bool:
    table, column, kind = catalog.need_parts(removed)
    one = [term for need in terms for term in need.split("|")]
    if column or kind:
        return removed in one or (kind is not None and table in one)
    return any(catalog.need_parts(term)[0] == table for term in one)


@pytest.mark.parametrize("removed", removals())
def test_what_changes_when_data_is_taken_away_names_it(removed: str) -> None:
    left = results(without(SHOP, removed))
    # A metric is judged on the whole shop: of another crowd it changes with the crowd.
    changed = {(k, key) for (k, key), value in whole().items() if _own(k, value) != _own(k, left[k, key])}
    silent = {(removed, key) for kind, key in changed if not names(needs_of(kind, key), removed)}
    assert silent <= STILL_SAID


def _own(kind: str, value: Any) -> Any:
    return value[0] if kind == "metric" else value


def test_every_need_makes_a_difference() -> None:
    for kind, key in whole():
        for need in needs_of(kind, key):
            assert results(without(SHOP, need))[kind, key] != whole()[kind, key], (key, need)


def test_every_crowd_and_metric_says_what_it_needs() -> None:
    assert set(catalog.needs().crowds) == set(catalog.crowds())
    assert set(catalog.needs().metrics) <= set(catalog.metrics())
    assert [key for key in catalog.metrics() if not metric_needs(key)] == []
    assert set(catalog.needs().by) == set(BY) - {"day", "hour"}  # every act has a time


def test_what_is_blind_and_why() -> None:
    """By hand: orders without amounts and without payments of deposits, no lives watched, no coupons, no peers."""
    full = {key: frozenset(table.columns) for key, table in catalog.tables().items()}
    kinds = frozenset(catalog.tables()["events"].columns["kind"].values)
    assert blind(Held(full, kinds)) == []
    columns = {key: held for key, held in full.items() if key not in ("coupons", "peers")}
    columns["orders"] -= {"amount", "deposit_paid_at"}
    found = blind(Held(columns, kinds - {"live_watch"}))
    told = {(b.kind, b.key, b.because) for b in found}
    assert len(told) == len(found)
    assert {(k, key) for k, key, because in told if because == "orders.amount"} == {
        ("metric", key)
        for key in (
            "presale_paid_amount", "cart_paid_amount", "paid_amount", "amount_share", "rv_active_amount", "rv_value",
            "non_rv_value", "aov", "refund_rate", "touch_roi",
        )
    }  # fmt: skip
    assert {(k, key) for k, key, because in told if because == "orders.deposit_paid_at"} == {
        ("crowd", "balance_due"), ("metric", "deposit_buyers"), ("metric", "visit_deposit_rate"),
        ("metric", "deposit_balance_rate"),
    }  # fmt: skip
    assert ("crowd", "live_member", "events:live_watch") in told
    assert {(k, key) for k, key, because in told if because == "coupons"} == {
        ("crowd", "coupon_unredeemed"), ("metric", "coupon_redeem_rate"),
    }  # fmt: skip
    assert {(k, key) for k, key, because in told if because == "peers"} == {
        ("compare", "peers"), *(("metric", f"peer_{key}") for key in oracle_metrics.PEERS),
    }  # fmt: skip
    assert {because for _, _, because in told} == {
        "orders.amount", "orders.deposit_paid_at", "events:live_watch", "coupons", "peers",
    }  # fmt: skip


def test_one_of_several_is_enough_and_a_table_without_rows_stands_for_its_columns() -> None:
    held = Held({"events": frozenset({"user_id", "ts", "kind"})}, frozenset({"visit"}))
    assert unmet("events:cart|events:visit", held) is None
    assert unmet("events.item_id|orders.item_id", held) == "events.item_id|orders"
    assert unmet("orders.paid_at|orders.amount", held) == "orders"
    assert unmet("events:cart", held) == "events:cart"


@pytest.mark.parametrize("term", ["order", "orders.payed_at", "events:carts", "orders:normal", ""])
def test_a_need_that_names_nothing_is_refused(term: str) -> None:
    with pytest.raises(CatalogError, match=r"needs\.yaml: member: there is no"):
        catalog._check_need("member", term)
