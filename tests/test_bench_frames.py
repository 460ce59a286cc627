"""The yardsticks of the benchmark are right: pandas and polars give the oracle's panel, on the tiny shop and on seeded shops
full of ties (same second, window edges, day borders, nulls)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import frames
from tests import oracle, tiny_shop
from tests.oracle import Row, Tables

SECOND = timedelta(seconds=1)
SETTINGS = oracle.Settings()
LAST = date(2026, 6, 17)
AS_OFS = (tiny_shop.AS_OF, datetime(2026, 6, 20))  # in the last day, and after it
SEEDS = range(12)
PANELS = {"pandas": frames.panel_pandas, "polars": frames.panel_polars}

TIME = pa.timestamp("us")
MONEY = pa.decimal128(18, 2)
SCHEMAS = {
    "events": pa.schema({"user_id": pa.string(), "ts": TIME, "kind": pa.string()}),
    "orders": pa.schema(
        {"user_id": pa.string(), "kind": pa.string(), "created_at": TIME, "deposit_paid_at": TIME, "paid_at": TIME}
        | {"amount": MONEY}
    ),
    "customers": pa.schema({"user_id": pa.string(), "member_joined_at": TIME, "fan_since": TIME}),
}


def write(folder: Path, tables: Tables) -> Path:
    """The tables as the benchmark lays them out; the events in up to four files, one after the other in time."""
    (folder / "events").mkdir(parents=True)
    events = sorted(tables["events"], key=lambda e: str(e["ts"]))
    step = max(1, -(-len(events) // 4))
    for i in range(0, max(len(events), 1), step):  # a shop without events has one empty file
        pq.write_table(arrow("events", events[i : i + step]), folder / "events" / f"{i:03}.parquet")
    for name in ("orders", "customers"):
        pq.write_table(arrow(name, tables[name]), folder / f"{name}.parquet")
    return folder


def arrow(name: str, rows: list[Row]) -> pa.Table:
    schema = SCHEMAS[name]
    columns: dict[str, pa.Array] = {}
    for field in schema:
        cells = [row[field.name] for row in rows]
        cells = [c.strip() if isinstance(c, str) else c for c in cells]
        columns[field.name] = (
            pa.array(cells, pa.float64()).cast(MONEY) if field.type == MONEY else pa.array(cells, field.type)
        )
    return pa.table(columns, schema=schema)


def moments(days: int, as_of: datetime) -> frames.Moments:
    first = LAST - timedelta(days=days - 1)
    campaign = oracle.campaign_of(LAST, tiny_shop.CAMPAIGNS)
    assert campaign is not None
    cohort = oracle.start_of(campaign.cohort_date)
    old_from = cohort - timedelta(days=SETTINGS.old_customer_days)
    return frames.Moments(oracle.start_of(first), oracle.window_end(LAST, as_of), cohort, old_from)


def expected(tables: Tables, days: int, as_of: datetime) -> dict[str, dict[str, oracle.Number]]:
    window = (LAST - timedelta(days=days - 1), LAST)
    return {
        crowd: {
            key: oracle.metric(key, crowd, tables, *window, tiny_shop.CAMPAIGNS, SETTINGS, as_of)
            for key in oracle.METRICS
        }
        for crowd in oracle.PANEL_CROWDS
    }


def generated(seed: int) -> Tables:
    """A small shop whose moments lie on, just before and just after the edges of its windows and of the cohort."""
    draw = random.Random(seed)
    edges = [oracle.start_of(LAST - timedelta(days=d - 1)) for d in (1, 5, 32)]
    edges += [datetime(2025, 5, 24), datetime(2026, 5, 24), *AS_OFS, oracle.end_of(LAST)]
    edges += [datetime(2026, 6, day, 12) for day in range(13, 17)]  # inside the windows
    times = [at + shift * SECOND for at in edges for shift in (-1, 0, 1)]
    people = [f"p{i}" for i in range(draw.choice([3, 8, 20]))]

    def maybe(value: object) -> object:
        return value if draw.random() < 0.6 else None

    def order(i: int) -> Row:
        created, deposit, paid = sorted(draw.choices(times, k=3))
        return {
            "order_id": f"o{i}",
            "user_id": draw.choice(people),
            "kind": draw.choice(["normal", "presale", "sample"]),
            "created_at": created,
            "deposit_paid_at": maybe(deposit),  # counts on presale lines only
            "paid_at": maybe(paid),
            "amount": maybe(draw.randrange(50_000) / 100),
        }

    kinds = ["visit", "cart", "favorite"]
    customers = draw.sample(people, len(people) // 2)
    return {
        "events": [
            {"user_id": draw.choice(people), "ts": draw.choice(times), "kind": draw.choice(kinds)}
            for _ in range(draw.choice([0, 10, 60]))
        ],
        "orders": [order(i) for i in range(draw.choice([0, 5, 40]))],
        "customers": [
            {"user_id": p, "member_joined_at": maybe(draw.choice(times)), "fan_since": maybe(draw.choice(times))}
            for p in customers
        ],
    }


def same(panel: Callable[[Path, frames.Moments], frames.Panel], folder: Path, tables: Tables, as_of: datetime) -> None:
    for days in (1, 5, 32):
        found = panel(folder, moments(days, as_of))
        wanted = expected(tables, days, as_of)
        assert list(found) == list(wanted)
        for crowd, cells in wanted.items():
            assert found[crowd] == pytest.approx(cells), f"{folder.name}: {crowd}, {days} days, as of {as_of}"


@pytest.mark.parametrize("library", PANELS)
@pytest.mark.parametrize("as_of", AS_OFS)
def test_the_tiny_shop(library: str, as_of: datetime, tmp_path: Path) -> None:
    same(PANELS[library], write(tmp_path / "tiny", tiny_shop.TABLES), tiny_shop.TABLES, as_of)


@pytest.mark.parametrize("library", PANELS)
def test_the_tiny_shop_by_hand(library: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "shop", tiny_shop.TABLES)
    found = PANELS[library](folder, moments(2, tiny_shop.AS_OF))
    assert {(k, c): v for c, cells in found.items() for k, v in cells.items()} == pytest.approx(
        tiny_shop.EXPECTED_METRICS
    )


@pytest.mark.parametrize("library", PANELS)
def test_generated_shops(library: str, tmp_path: Path) -> None:
    for seed in SEEDS:
        tables = generated(seed)
        same(PANELS[library], write(tmp_path / f"seed {seed}", tables), tables, AS_OFS[seed % 2])


@pytest.mark.parametrize("library", PANELS)
def test_both_ends_of_the_old_cohort(library: str, tmp_path: Path) -> None:
    """Paid from the first second of the year before the cohort date, and not from the date's own first second on."""
    edges = moments(1, tiny_shop.AS_OF)
    paid = [edges.old_from - SECOND, edges.old_from, edges.cohort - SECOND, edges.cohort]
    orders = [
        {"user_id": f"p{i}", "kind": "normal", "created_at": t, "deposit_paid_at": None, "paid_at": t, "amount": 1}
        for i, t in enumerate(paid)
    ]
    tables: Tables = {"events": [], "orders": orders, "customers": []}
    folder = write(tmp_path / "edges", tables)
    same(PANELS[library], folder, tables, tiny_shop.AS_OF)
    assert PANELS[library](folder, edges)["old"]["crowd_size"] == 2


def test_generated_shops_hold_what_is_hard() -> None:
    """The seeds cover a value of none, a sum of 0 and a sum without value; shops without events and without orders."""
    shops = [generated(seed) for seed in SEEDS]
    assert any(not s["events"] for s in shops)
    assert any(not s["orders"] for s in shops)
    cells = [c for i, s in enumerate(shops) for c in expected(s, 5, AS_OFS[i % 2]).values()]
    assert any(c["buyers"] and c["paid_amount"] is None for c in cells), "only unknown amounts"
    assert any(c["buyers"] == 0 and c["paid_amount"] == 0 for c in cells)
    assert any(c["crowd_size"] == 0 and c["conversion_rate"] is None for c in cells)
    assert any(0 < (c["cart_buyers"] or 0) < (c["buyers"] or 0) for c in cells)
