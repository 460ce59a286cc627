"""The numbers of the daily briefing against hand-written SQL and the oracle, and its head against the targets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.wiring import WarRoom
from tests import oracle, tiny_shop
from tests.briefings import PHASES, cell, context, morning, text_of
from tests.shops import dated, load, own
from tools import briefing, briefing_numbers
from tools.briefing import brief
from tools.engine import Engine


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture costs more than all the rest."""
    monkeypatch.setattr(briefing, "_chart", lambda *_: [])


# ---- the numbers -------------------------------------------------------------------------------------------------

SQL = """
WITH people AS ({people}),
     e AS (SELECT * FROM events WHERE ts >= TIMESTAMP '{first}' AND ts < TIMESTAMP '{last}' + INTERVAL 1 DAY
           AND user_id IN (SELECT user_id FROM people)),
     o AS (SELECT * FROM orders WHERE paid_at >= TIMESTAMP '{first}' AND paid_at < TIMESTAMP '{last}' + INTERVAL 1 DAY
           AND user_id IN (SELECT user_id FROM people)),
     c AS (SELECT user_id, min(ts) AS t FROM e WHERE kind = 'cart' GROUP BY 1)
SELECT (SELECT count(DISTINCT user_id) FROM e WHERE kind = 'visit'), (SELECT count(*) FROM c),
       (SELECT count(DISTINCT user_id) FROM o), (SELECT sum(amount) FROM o),
       (SELECT count(DISTINCT o.user_id) FROM o JOIN c USING (user_id) WHERE o.paid_at >= c.t) * 1.0 / (SELECT count(*) FROM c)
"""
EVERYBODY = "SELECT user_id FROM events UNION SELECT user_id FROM orders"
MEMBERS = "SELECT user_id FROM customers WHERE member_joined_at < TIMESTAMP '{last}' + INTERVAL 1 DAY"


@pytest.mark.parametrize(("crowd", "people"), [("all", EVERYBODY), ("member", MEMBERS)])
@pytest.mark.parametrize(
    ("tag", "first", "last"),
    [
        ("yesterday", "2026-06-16", "2026-06-16"),
        ("previous", "2026-06-15", "2026-06-15"),
        ("last", "2025-06-16", "2025-06-16"),  # sale2, day 1, of the 618 before
        ("to_date", "2026-05-01", "2026-06-16"),
    ],
)
def test_the_table_by_hand_written_sql(demo: WarRoom, crowd: str, people: str, tag: str, first: str, last: str) -> None:
    result = brief(demo.context(datetime(2026, 6, 17, 9), "zh"))
    sql = SQL.format(people=people.format(last=last), first=first, last=last)
    expected = own(demo.engine).raw.execute(sql).fetchall()[0]
    for metric, value in zip(("visitors", "carters", "buyers", "paid_amount", "cart_pay_rate"), expected, strict=True):
        fact = cell(result, crowd, metric, tag)
        assert fact.value == pytest.approx(float(value)), metric
        assert fact.display in text_of(result) or tag in ("previous", "last")


def test_the_same_day_of_the_last_campaign_counts_days_of_the_phase(demo: WarRoom) -> None:
    """Yesterday is day 2 of sale1, so the day to compare with is the second one of that sale, whatever its date."""
    result = brief(demo.context(datetime(2026, 6, 3, 9), "zh"))
    assert cell(result, "all", "buyers", "last").period == {"from": "2025-06-02", "to": "2025-06-02"}
    moved = dated(replace(tiny_shop.CAMPAIGNS[0]))
    earlier = replace(
        moved, year=2025, phases=tuple(replace(p, first=_back(p.first), last=_back(p.last)) for p in moved.phases)
    )
    ctx = demo.context(datetime(2026, 6, 3, 9), "zh")
    ctx = replace(ctx, shop=replace(ctx.shop, campaigns=(earlier, moved)))
    _, twin = briefing_numbers.same_day_before(ctx, moved, moved.phases[3], date(2026, 6, 2))
    assert twin == date(2025, 6, 4)


def _back(day: date) -> date:
    """The campaign before was a year less two days ago."""
    return day - timedelta(days=363)


def test_money_at_stake_and_balances_by_hand_written_sql(demo: WarRoom) -> None:
    at = datetime(2026, 6, 2, 9)
    result = brief(demo.context(at, "zh"))
    wave = "TIMESTAMP '2026-05-24'"
    people, amount = (
        own(demo.engine)
        .raw.execute(f"""
        WITH carts AS (SELECT user_id, item_id, max(ts) AS t, arg_max(coalesce(quantity, 1), (ts, coalesce(quantity, 1))) AS n
                       FROM events WHERE kind = 'cart' AND ts >= {wave} AND ts <= TIMESTAMP '{at}' GROUP BY 1, 2),
             unpaid AS (SELECT user_id FROM events WHERE kind = 'cart' AND ts >= {wave} AND ts <= TIMESTAMP '{at}'
                        GROUP BY 1 HAVING user_id NOT IN (
                            SELECT o.user_id FROM orders o JOIN (
                                SELECT user_id AS u, min(ts) AS f FROM events WHERE kind = 'cart' AND ts >= {wave} GROUP BY 1
                            ) ON u = o.user_id WHERE o.paid_at >= f AND o.paid_at <= TIMESTAMP '{at}')),
             due AS (SELECT c.*, coalesce(i.promo_price, i.list_price) AS price FROM carts c JOIN items i USING (item_id)
                     WHERE c.user_id IN (FROM unpaid) AND NOT EXISTS (
                        SELECT 1 FROM orders o WHERE o.user_id = c.user_id AND o.item_id = c.item_id AND o.paid_at >= c.t
                        AND o.paid_at <= TIMESTAMP '{at}'))
        SELECT (SELECT count(*) FROM unpaid), (SELECT sum(n * price) FROM due)""")
        .fetchall()[0]
    )
    owing, outstanding = (
        own(demo.engine)
        .raw.execute(f"""
        SELECT count(DISTINCT user_id), sum(coalesce(promo_price, list_price) - deposit_amount)
        FROM orders JOIN items USING (item_id) WHERE kind = 'presale' AND deposit_paid_at >= TIMESTAMP '2026-05-01'
        AND deposit_paid_at <= TIMESTAMP '{at}' AND (paid_at IS NULL OR paid_at > TIMESTAMP '{at}')""")
        .fetchall()[0]
    )
    carts, balance, meaning = result.data["money"]
    assert carts.startswith(f"加购未付款 {people:,} 人，购物车里约 ¥{amount:,.0f}")
    assert balance == f"付定金未付尾款 {owing:,} 人，尾款约 ¥{outstanding:,.0f}（明天 24:00 前可以付）"
    assert meaning == "现在的「未付款」指：加购后没付款，现在就可以付。"


def test_the_pace_to_the_targets_by_hand_written_sql(demo: WarRoom) -> None:
    paid, target = (
        own(demo.engine)
        .raw.execute("""
        SELECT (SELECT sum(amount) FROM orders WHERE paid_at >= TIMESTAMP '2026-05-01' AND paid_at < TIMESTAMP '2026-06-17'),
               (SELECT sum(value) FROM targets WHERE campaign = '618' AND crowd = 'all' AND metric = 'paid_amount'
                AND date BETWEEN DATE '2026-05-01' AND DATE '2026-06-16')""")
        .fetchall()[0]
    )
    pace = float(paid) / target - 1
    head = brief(demo.context(datetime(2026, 6, 17, 9), "zh")).data["head"]
    assert head.endswith(f"，累计比目标节奏{'快' if pace > 0 else '慢'} {abs(pace) * 100:.1f}%")
    assert head.startswith("618 · 正式售卖第 2 天（共 5 天） · 昨天成交额 ¥")


@pytest.mark.parametrize("phase", ["pool", "sale1, last day", "sale2, data ends in yesterday", "review", "outside"])
def test_every_fact_comes_back_from_its_query(demo: WarRoom, phase: str) -> None:
    for fact in brief(demo.context(morning(PHASES[phase]), "en")).facts:
        got = own(demo.engine).raw.execute(fact.query).fetchall()[0][0]
        if isinstance(fact.value, str):
            assert str(got)[: len(fact.value)] == fact.value
        elif fact.value is None:
            assert got is None
        else:
            assert float(got) == pytest.approx(fact.value)


@pytest.fixture(scope="module")
def two_years(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, oracle.Tables, list[oracle.Campaign]]:
    """The tiny shop of 2026 and, a year earlier, the same things done by other people."""
    back = timedelta(days=365)

    def earlier(row: dict[str, Any]) -> dict[str, Any]:
        moved = {k: v - back if isinstance(v, datetime) else v for k, v in row.items()}
        ids = ("user_id", "order_id", "coupon_id")
        return moved | {k: "before-" + str(v).strip() for k, v in row.items() if k in ids and v is not None}

    tables = {
        name: rows if name == "items" else [*rows, *map(earlier, rows)] for name, rows in tiny_shop.TABLES.items()
    }
    (this,) = tiny_shop.CAMPAIGNS
    last = replace(
        this,
        phases=tuple((k, a - back, b - back) for k, a, b in this.phases),
        cohort_date=this.cohort_date - back,
        recruit_date=this.recruit_date - back if this.recruit_date else None,
    )
    return load(tmp_path_factory.mktemp("two") / "data.duckdb", tables), tables, [last, this]


@pytest.mark.parametrize(
    ("at", "spans"),
    [
        (
            datetime(2026, 6, 17, 10),
            {
                "yesterday": (date(2026, 6, 16), date(2026, 6, 16)),
                "previous": (date(2026, 6, 15), date(2026, 6, 15)),
                "last": (date(2025, 6, 16), date(2025, 6, 16)),
                "to_date": (date(2026, 5, 1), date(2026, 6, 16)),
            },
        ),
        (
            datetime(2026, 5, 27, 9),
            {
                "yesterday": (date(2026, 5, 26), date(2026, 5, 26)),
                "last": (date(2025, 5, 26), date(2025, 5, 26)),
                "to_date": (date(2026, 5, 1), date(2026, 5, 26)),
            },
        ),
    ],
)
def test_every_crowd_and_column_against_the_oracle(
    two_years: tuple[Engine, oracle.Tables, list[oracle.Campaign]],
    at: datetime,
    spans: dict[str, tuple[date, date]],
) -> None:
    engine, tables, campaigns = two_years
    result = brief(context(engine, tuple(map(dated, campaigns)), at))
    facts = {f.id: f for f in result.facts}
    assert [r["crowd"] for r in result.data["rows"]] == list(oracle.PANEL_CROWDS)
    seen = 0
    for row in result.data["rows"]:
        for tag, (first, last) in spans.items():
            if tag == "previous" and tag not in row:
                continue  # nobody came that day
            for fact in (facts[i] for i in row[tag]):
                assert fact.metric is not None
                value = oracle.metric(fact.metric, row["crowd"], tables, first, last, campaigns, oracle.Settings(), at)
                assert fact.value == (pytest.approx(value) if value is not None else None), (row["crowd"], fact.label)
                seen += 1
    assert seen >= 5 * 5 * 3


# ---- targets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "ends"),
    [
        ({}, "，比前一天多 50%"),
        ({10: 200}, "，比当天目标多 50%"),  # one day only: no sum to stand against
        ({8: 200, 10: 400}, "，比当天目标少 25%"),  # a day without a target in between
        ({9: 250, 10: 250}, "，累计正好踩在目标节奏上"),
        ({8: 100, 9: 100, 10: 100}, "，累计比目标节奏快 100%"),
    ],
)
def test_the_head_stands_against_the_targets_there_are(tmp_path: Path, targets: dict[int, float], ends: str) -> None:
    """100, 200 and 300 were paid on the 8th, 9th and 10th, in a sale that runs from the 8th."""
    campaign = oracle.Campaign("own", (("sale1", date(2026, 6, 8), date(2026, 6, 20)),), date(2026, 6, 8))
    paid = {8: 100, 9: 200, 10: 300, 11: 1}
    orders = [
        {
            "order_id": f"o{d}", "user_id": "a", "kind": "normal", "created_at": datetime(2026, 6, d, 8),
            "paid_at": datetime(2026, 6, d, 8), "amount": amount,
        }
        for d, amount in paid.items()
    ]  # fmt: skip
    rows = [
        {"campaign": "own", "crowd": "all", "metric": "paid_amount", "value": v, "date": date(2026, 6, d)}
        for d, v in targets.items()
    ]
    whole = {"campaign": "own", "crowd": "all", "metric": "paid_amount", "value": 9999.0, "date": None}
    events = [{"user_id": "a", "ts": datetime(2026, 6, 11, 8), "kind": "visit"}]
    tables = {"orders": orders, "targets": [*rows, whole] if rows else [], "events": events}
    if ends.startswith("，比前一天"):
        tables["targets"] = []
    engine = load(tmp_path / "data.duckdb", tables)
    head = brief(context(engine, (dated(campaign),), datetime(2026, 6, 11, 9))).data["head"]
    assert head.endswith(f"昨天成交额 ¥300{ends}")
