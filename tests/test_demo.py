"""The demo shop: the same bytes each time, no crowd empty, no ratio absurd, nothing later than its clock."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from bot.wiring import WarRoom
from knowledge import catalog
from tools import audience, metrics
from tools.demo import demo_tables
from tools.periods import window
from tools.scope import Scope


def digest(table: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first, second, other = demo_tables(scale=0.02), demo_tables(scale=0.02), demo_tables(seed=7, scale=0.02)
    assert {k: digest(t) for k, t in first.items()} == {k: digest(t) for k, t in second.items()}
    assert digest(first["events"]) != digest(other["events"])


def test_tables_have_the_catalogues_columns_in_order() -> None:
    for name, table in demo_tables(scale=0.02).items():
        assert table.column_names == list(catalog.tables()[name].columns)


def test_its_size_and_its_clock(demo: WarRoom) -> None:
    counts = demo.engine.query("SELECT (SELECT count(*) FROM customers) AS c, (SELECT count(*) FROM events) AS e")[0]
    assert counts["c"] == 20_000
    assert 950_000 <= counts["e"] <= 1_100_000
    late = demo.engine.query(
        "SELECT (SELECT count(*) FROM events WHERE ts > '2026-06-17 10:00') + (SELECT count(*) FROM orders "
        "WHERE greatest(created_at, paid_at, deposit_paid_at) > '2026-06-17 10:00') + (SELECT count(*) FROM touches "
        "WHERE sent_at > '2026-06-17 10:00') AS n"
    )[0]["n"]
    assert late == 0


def test_no_crowd_is_empty_and_none_is_everybody(demo: WarRoom) -> None:
    scope = Scope(datetime(2026, 6, 17, 10), demo.shop.campaigns[2], demo.shop.settings)
    assert scope.campaign is not None
    assert (scope.campaign.key, scope.campaign.year) == ("618", 2026)
    keys = [k for k in catalog.crowds() if k != "deposit_unpaid"]  # no presale in the second wave
    found = audience.sizes(demo.engine, keys, scope)
    everyone = found["all"].people
    for key, counted in found.items():
        assert 0 < counted.people <= everyone * (1 if key == "all" else 0.8), key


@pytest.mark.parametrize("day", [date(2026, 5, 10), date(2026, 5, 30), date(2026, 6, 1), date(2026, 6, 16)])
def test_ratios_are_sane(demo: WarRoom, day: date) -> None:
    over = window(day, day, datetime(2026, 6, 17, 10))
    scope = metrics.scope_of(over, demo.shop.campaigns, demo.shop.settings)
    cells = metrics.compute(demo.engine, list(catalog.metrics()), ["all", "member", "old"], over, scope)
    found = {(c.crowd, c.metric): c.value for c in cells}
    for crowd in ("all", "member", "old"):
        assert 0.05 < (found[crowd, "visit_cart_rate"] or 0) < 0.35
        assert 0.01 < (found[crowd, "cart_pay_rate"] or 0) < 0.6
    assert (found["member", "visit_pay_rate"] or 0) > (found["all", "visit_pay_rate"] or 0)
    assert 0.35 < (found["member", "amount_share"] or 0) < 0.75


def test_people_pay_in_the_sale_and_hardly_in_the_preheat(demo: WarRoom) -> None:
    def rate(day: date) -> float:
        over = window(day, day, datetime(2026, 6, 17, 10))
        scope = metrics.scope_of(over, demo.shop.campaigns, demo.shop.settings)
        return float(metrics.compute(demo.engine, ["cart_pay_rate"], ["all"], over, scope)[0].value or 0)

    assert rate(date(2026, 6, 1)) > 3 * rate(date(2026, 5, 30))
    assert rate(date(2026, 6, 16)) > 3 * rate(date(2026, 6, 15) - timedelta(days=1))
