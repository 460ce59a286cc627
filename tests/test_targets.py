"""Targets and peers: under which names and days they are found."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests import tiny_shop
from tests.shops import dated, load
from tools import metrics
from tools.compare import Compared, compare
from tools.engine import Engine
from tools.ingest import import_file
from tools.periods import window
from tools.shop import Shop, Thresholds

CAMPAIGNS = tuple(dated(c) for c in tiny_shop.CAMPAIGNS)
NOW = tiny_shop.AS_OF
TARGETS = """活动,人群,指标,目标值,日期
618,全店,成交金额,100,2026-06-15
618,all,paid_amount,200,2026-06-16
618:2026,all,paid_amount,250,2026-06-16
618,all,paid_amount,9000,
618,会员,进店率,0.2,2026-06-16
618,会员,进店率,0.3,
618,没有的人群,成交金额,1,
618,all,没有的指标,1,
"""
PEERS = (
    "活动,人群,指标,同行均值\n618,老客,同行同层进店率,0.4\n618:2026,全店,活跃RV关系价值,35.2\n618,全店,rv_value,30\n"
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("targets")
    tables = {k: v for k, v in tiny_shop.TABLES.items() if k not in ("targets", "peers")}
    engine = load(folder / "data.duckdb", tables)
    for table, text in (("targets", TARGETS), ("peers", PEERS)):
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
        (report,) = import_file(engine, table, folder / f"{table}.csv", "csv", folder / "rejects", NOW)
        assert report.rejected == (2 if table == "targets" else 0), "a name that nobody knows is refused"
    return engine


def against(
    engine: Engine, kind: str, metric: str, crowd: str, first: date, last: date, by: str | None = None
) -> list[Compared | None]:
    shop = Shop(Path("shop"), "s", "s", ZoneInfo("Asia/Shanghai"), "CNY", NOW, CAMPAIGNS, Thresholds())
    over = window(first, last, datetime(2026, 6, 20))
    scope = metrics.scope_of(over, CAMPAIGNS, Thresholds())
    cells = metrics.compute(engine, [metric], [crowd], over, scope, by)
    return compare(engine, cells, kind, over, shop, by)


@pytest.mark.parametrize(
    ("metric", "crowd", "first", "last", "expected"),
    [
        ("paid_amount", "all", 15, 15, 100),
        ("paid_amount", "all", 16, 16, 250),  # the campaign's year comes first
        ("paid_amount", "all", 15, 17, 9000),  # the 17th has none: what holds is the whole campaign's
        ("paid_amount", "all", 17, 17, None),  # a day without a target has none
        ("visit_rate", "member", 16, 16, 0.2),
        ("visit_rate", "member", 15, 16, 0.3),  # rates of days do not add up
        ("visit_rate", "old", 16, 16, None),
    ],
)
def test_the_target_of_a_day_of_days_and_of_the_campaign(
    engine: Engine, metric: str, crowd: str, first: int, last: int, expected: float | None
) -> None:
    (found,) = against(engine, "target", metric, crowd, date(2026, 6, first), date(2026, 6, last))
    assert (found.value if found else None) == expected
    if found:
        assert [row["value"] for row in engine.query(found.query)] == [expected]


def test_daily_targets_add_up_where_every_day_has_one(engine: Engine) -> None:
    engine.execute("DELETE FROM targets WHERE campaign = '618:2026'")
    (found,) = against(engine, "target", "paid_amount", "all", date(2026, 6, 15), date(2026, 6, 16))
    assert found is not None
    assert found.value == 300


def test_parts_of_a_crowd_have_no_target(engine: Engine) -> None:
    day = date(2026, 6, 16)
    parts = against(engine, "target", "paid_amount", "all", day, day, "city")
    assert parts
    assert set(parts) == {None}


def test_peers_are_found_by_any_name_and_by_the_year(engine: Engine) -> None:
    day = date(2026, 6, 16)
    (old,) = against(engine, "peers", "visit_rate", "old", day, day)
    (shop,) = against(engine, "peers", "rv_value", "all", day, day)
    assert old is not None
    assert shop is not None
    assert (old.value, shop.value) == (0.4, 35.2)
    over = window(day, day, datetime(2026, 6, 20))
    scope = metrics.scope_of(over, CAMPAIGNS, Thresholds())
    cells = metrics.compute(engine, ["peer_rv_value", "peer_visit_rate"], ["all", "old"], over, scope)
    assert [c.value for c in cells] == [35.2, None, None, 0.4]
