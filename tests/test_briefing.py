"""The daily briefing: its numbers against hand-written SQL and the oracle, what each phase says, what is not said without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import grounding, writer
from bot.answer import Answer, Interpretation
from bot.wiring import WarRoom
from knowledge import catalog
from tests import oracle, tiny_shop
from tests.shops import dated, load
from tools import briefing, briefing_numbers
from tools.briefing import brief
from tools.campaigns import Campaign
from tools.context import Context
from tools.engine import Engine
from tools.facts import Fact, FactSheet, ToolResult
from tools.shop import Shop, Thresholds

NINE = timedelta(hours=9)
PHASES = {
    "pool, first day": date(2026, 5, 1),
    "pool, second day": date(2026, 5, 2),
    "pool": date(2026, 5, 10),
    "presale": date(2026, 5, 26),
    "preheat1": date(2026, 5, 30),
    "sale1, first day": date(2026, 6, 1),
    "sale1": date(2026, 6, 2),
    "sale1, last day": date(2026, 6, 3),
    "preheat2": date(2026, 6, 11),
    "sale2, first day": date(2026, 6, 16),
    "sale2": date(2026, 6, 17),
    "sale2, data ends in yesterday": date(2026, 6, 18),
    "sale2, data ends before": date(2026, 6, 20),
    "review without data": date(2026, 6, 25),
    "outside without data": date(2026, 7, 15),
    "outside": date(2025, 8, 20),
    "prepare": date(2025, 9, 10),
    "presale of 11.11": date(2025, 10, 26),
    "peak day": date(2025, 11, 11),
    "review, first day": date(2025, 11, 12),
    "review": date(2025, 11, 20),
    "before any campaign": date(2025, 4, 3),
    "data begins": date(2025, 4, 2),
    "before the data": date(2025, 4, 1),
}


_CHART = briefing._chart


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture costs more than all the rest; one test draws it."""
    monkeypatch.setattr(briefing, "_chart", lambda *_: [])


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day) + NINE


def answered(result: ToolResult, lang: str) -> Answer:
    what = Interpretation(intent="brief")
    text = writer.write(result.model_dump(), what, lang)
    return Answer(
        text=text,
        lang="en" if lang == "en" else "zh",
        interpretation=what,
        facts=result.facts,
        citations=result.citations,
        actions=result.actions,
    )


def text_of(result: ToolResult, lang: str = "zh") -> str:
    return answered(result, lang).text


def context(
    engine: Engine, campaigns: tuple[Campaign, ...], at: datetime, lang: str = "zh", root: Path = Path("shop")
) -> Context:
    """The surroundings of a question to a hand-made shop."""
    shop = Shop(root, "小店", "小店", ZoneInfo("Asia/Shanghai"), "CNY", None, campaigns, Thresholds())

    def no_search() -> Any:
        raise AssertionError("a briefing searches nothing")

    return Context(shop, at, lang, lambda: engine, no_search, FactSheet(at, lang, "CNY"))


def cell(result: ToolResult, crowd: str, metric: str, tag: str) -> Fact:
    """The fact in the table, by its place in the row."""
    facts = {f.id: f for f in result.facts}
    row = next(r for r in result.data["rows"] if r["crowd"] == crowd)
    return next(f for f in (facts[i] for i in row[tag]) if f.metric == metric)


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
    expected = demo.engine.raw.execute(sql).fetchone()
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
    people, amount = demo.engine.raw.execute(f"""
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
        SELECT (SELECT count(*) FROM unpaid), (SELECT sum(n * price) FROM due)""").fetchone()
    owing, outstanding = demo.engine.raw.execute(f"""
        SELECT count(DISTINCT user_id), sum(coalesce(promo_price, list_price) - deposit_amount)
        FROM orders JOIN items USING (item_id) WHERE kind = 'presale' AND deposit_paid_at >= TIMESTAMP '2026-05-01'
        AND deposit_paid_at <= TIMESTAMP '{at}' AND (paid_at IS NULL OR paid_at > TIMESTAMP '{at}')""").fetchone()
    carts, balance, meaning = result.data["money"]
    assert carts.startswith(f"加购未付款 {people:,} 人，购物车里约 ¥{amount:,.0f}")
    assert balance == f"付定金未付尾款 {owing:,} 人，尾款约 ¥{outstanding:,.0f}（明天 24:00 前可以付）"
    assert meaning == "现在的「未付款」指：加购后没付款，现在就可以付。"


def test_the_pace_to_the_targets_by_hand_written_sql(demo: WarRoom) -> None:
    paid, target = demo.engine.raw.execute("""
        SELECT (SELECT sum(amount) FROM orders WHERE paid_at >= TIMESTAMP '2026-05-01' AND paid_at < TIMESTAMP '2026-06-17'),
               (SELECT sum(value) FROM targets WHERE campaign = '618' AND crowd = 'all' AND metric = 'paid_amount'
                AND date BETWEEN DATE '2026-05-01' AND DATE '2026-06-16')""").fetchone()
    pace = float(paid) / target - 1
    head = brief(demo.context(datetime(2026, 6, 17, 9), "zh")).data["head"]
    assert head.endswith(f"，累计比目标节奏{'快' if pace > 0 else '慢'} {abs(pace) * 100:.1f}%")
    assert head.startswith("618 · 正式售卖第 2 天（共 5 天） · 昨天成交额 ¥")


@pytest.mark.parametrize("phase", ["pool", "sale1, last day", "sale2, data ends in yesterday", "review", "outside"])
def test_every_fact_comes_back_from_its_query(demo: WarRoom, phase: str) -> None:
    for fact in brief(demo.context(morning(PHASES[phase]), "en")).facts:
        got = demo.engine.raw.execute(fact.query).fetchone()[0]
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


# ---- what is said ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("phase", list(PHASES))
def test_every_numeral_is_traced_and_it_fits_a_phone(demo: WarRoom, phase: str, lang: str) -> None:
    result = brief(demo.context(morning(PHASES[phase]), lang))
    reply = answered(result, lang)
    assert grounding.problems(reply, "") == []
    assert len(reply.text) < (1800 if lang == "zh" else 3200)
    assert reply.text.count("\n") < 50
    assert reply.text.replace("**", "").count("*") == 0
    assert {c for a in result.actions for c in a.cites} <= {c.id for c in result.citations}
    assert all(f"[{c.id}]" in reply.text for c in result.citations)
    assert "None" not in reply.text
    assert "brief" not in reply.text


def test_the_parts_stand_in_order_and_the_tasks_are_the_plans(demo: WarRoom) -> None:
    from tools.plans import plan

    at = datetime(2026, 6, 3, 9)
    result = brief(demo.context(at, "zh"))
    text = text_of(result)
    parts = [
        "**618 · ", "离本波结束还有 15 小时", "变化最大", "**昨天** 6 月 2 日", "全店比前一天：",
        "比上一场同一天（2025 年 6 月 2 日）", "**活动以来** 5 月 1 日–6 月 2 日", "**购物车和尾款**",
        "**今天要做**", "**要准备**", "**盯着**", "依据 ",
    ]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    planned = plan(demo.context(at, "zh"), limit=5)
    assert [a.id for a in result.actions] == [a.id for a in planned.actions]
    assert [a.people for a in result.actions] == [a.people for a in planned.actions]
    assert len(result.data["prepare"]) == 3
    assert result.data["more"]
    assert "今天 24:00 第一波尾款/开门红结束（还有 15 小时）" in text


@pytest.mark.parametrize(
    ("phase", "number", "says"),
    [
        ("pool", "昨天加购 ", "还没到付款的时候，别催付"),
        ("presale", "昨天下定 ", "预售期只追定金"),
        ("preheat1", "昨天加购 ", "还没开卖，别催付"),
        ("sale1, first day", "昨天加购 ", "现在就可以付"),  # yesterday was still preheat
        ("sale1", "昨天成交额 ", "现在就可以付"),
        ("review", "昨天成交额 ", "不再催付"),
        ("prepare", "昨天进店 ", "还在准备期，别催付"),
    ],
)
def test_each_phase_has_its_number_and_its_meaning_of_unpaid(demo: WarRoom, phase: str, number: str, says: str) -> None:
    result = brief(demo.context(morning(PHASES[phase]), "zh"))
    assert number in result.data["head"]
    assert says in text_of(result)


@pytest.mark.parametrize("phase", ["pool", "presale", "preheat1", "review", "prepare"])
def test_nobody_is_pushed_to_pay_when_nothing_is_payable(demo: WarRoom, phase: str) -> None:
    result = brief(demo.context(morning(PHASES[phase]), "zh"))
    assert result.actions
    assert all(a.id != "sale-balance" for a in result.actions)
    assert all("cart-fav-unpaid" not in (a.task or "") for a in result.actions)
    # Who owes a balance hears of it only while it can be paid.
    assert not any("前可以付" in line for line in result.data["money"])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_outside_every_campaign_it_is_short_and_pushes_nobody(demo: WarRoom, lang: str) -> None:
    result = brief(demo.context(morning(PHASES["outside"]), lang))
    text = text_of(result, lang)
    assert result.actions == []
    assert result.data["money"] == []
    assert ("今天谁都不催付" if lang == "zh" else "nobody is reminded to pay") in text
    assert ("下一场 双11" if lang == "zh" else "The next one, Double 11") in text
    assert [r["crowd"] for r in result.data["rows"]] == ["all"]
    assert text.count("\n") < 12


def test_in_a_gap_the_next_gates_are_said_and_nobody_is_pushed(demo: WarRoom) -> None:
    ctx = demo.context(datetime(2026, 6, 10, 9), "zh")
    campaigns = tuple(replace(c, phases=tuple(p for p in c.phases if p.key != "preheat2")) for c in ctx.shop.campaigns)
    result = brief(replace(ctx, shop=replace(ctx.shop, campaigns=campaigns)))
    assert result.data["head"].startswith("今天不在任何阶段里 · 昨天成交额 ¥")
    assert result.actions == []
    assert any("正式售卖开始" in line for line in result.data["watch"])
    assert grounding.problems(answered(result, "zh"), "") == []


def test_on_the_first_days_of_phases_and_campaigns_changes_are_put_right(demo: WarRoom) -> None:
    first = brief(demo.context(morning(PHASES["pool, first day"]), "zh"))
    assert first.data["mover"] == "618今天开始，昨天还在活动之外。"
    assert "to_date" not in first.data["days"]
    second = brief(demo.context(morning(PHASES["pool, second day"]), "zh"))
    assert "不在一个阶段" in second.data["mover"]
    assert "to_date" not in second.data["days"]  # it would be yesterday once more
    # The first day of a phase stands against the first day of the last one, not against the day before.
    assert "比上一场同一天多" in brief(demo.context(morning(date(2026, 5, 25)), "zh")).data["head"]


# ---- what is not known -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_data_that_ends_too_early_is_said_first_and_nothing_is_compared(demo: WarRoom, lang: str) -> None:
    partial = brief(demo.context(morning(PHASES["sale2, data ends in yesterday"]), lang))
    first = text_of(partial, lang).split("\n")[0]
    assert "6 月 17 日 09:59" in first or "Jun 17 09:59" in first
    assert set(partial.data["days"]) == {"yesterday", "to_date"}
    assert partial.data["changes"] == {}
    assert partial.data["mover"] is None
    assert "09:59" in partial.data["head"]
    without = brief(demo.context(morning(PHASES["sale2, data ends before"]), lang))
    assert set(without.data["days"]) == {"to_date"}
    assert ("昨天的数还没有" if lang == "zh" else "no data of yesterday yet") in without.data["head"]


def test_without_a_last_campaign_or_its_data_it_is_said(demo: WarRoom) -> None:
    none = brief(demo.context(datetime(2025, 11, 3, 9), "zh"))
    assert "没有更早的一场双11可比。" in text_of(none)
    ctx = demo.context(datetime(2026, 6, 3, 9), "zh")
    shifted = [
        replace(c, phases=tuple(replace(p, first=_long_ago(p.first), last=_long_ago(p.last)) for p in c.phases))
        if (c.key, c.year) == ("618", 2025)
        else c
        for c in ctx.shop.campaigns
    ]
    empty = brief(replace(ctx, shop=replace(ctx.shop, campaigns=tuple(shifted))))
    assert "上一场同一天（2023 年 6 月 2 日）没有数据，不比。" in text_of(empty)
    assert "last" not in empty.data["days"]


def _long_ago(day: date) -> date:
    return day.replace(year=day.year - 2)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_empty_shop_gets_its_calendar(tmp_path: Path, lang: str) -> None:
    engine = load(tmp_path / "data.duckdb", {})
    result = brief(context(engine, (dated(tiny_shop.CAMPAIGNS[0]),), datetime(2026, 6, 17, 9), lang))
    reply = answered(result, lang)
    assert grounding.problems(reply, "") == []
    assert len(result.data["notes"]) == 2
    assert result.data["rows"] == []
    assert "87" in reply.text  # hours to the end of the wave
    nothing = brief(context(engine, (), datetime(2026, 6, 17, 9), lang))
    assert ("shop.yaml 里还没有活动日历" if lang == "zh" else "no campaign calendar") in text_of(nothing, lang)


def test_a_quiet_shop_whose_last_order_of_the_day_is_in_the_evening_has_told_its_day(tmp_path: Path) -> None:
    """Its orders of every day end before nine in the evening; those of yesterday ended no earlier than usual."""

    def rows(last_hour: int) -> dict[str, list[dict[str, Any]]]:
        days = [datetime(2026, 6, 16) - timedelta(days=d) for d in range(8)]
        visits = [{"user_id": "a", "ts": d + timedelta(hours=23), "kind": "visit"} for d in days]
        visits.append({"user_id": "a", "ts": datetime(2026, 6, 17, 8), "kind": "visit"})
        paid = [d + timedelta(hours=last_hour if d.day == 16 else 20 - d.day % 2) for d in days]
        lines = [
            {"order_id": f"o{i}", "user_id": "a", "kind": "normal", "created_at": at, "paid_at": at, "amount": 10}
            for i, at in enumerate(paid)
        ]
        return {"events": visits, "orders": lines}

    campaigns = (dated(tiny_shop.CAMPAIGNS[0]),)
    at = datetime(2026, 6, 17, 9)
    usual = brief(context(load(tmp_path / "usual.duckdb", rows(19)), campaigns, at))
    assert usual.data["notes"] == []
    assert "previous" in usual.data["days"]
    early = brief(context(load(tmp_path / "early.duckdb", rows(14)), campaigns, at))
    assert early.data["notes"][0].startswith("订单数据没到昨天结束，下面的数都看到 6 月 16 日 14:00 为止")
    assert "previous" not in early.data["days"]


# ---- the biggest mover -------------------------------------------------------------------------------------------


def visits(day: date, counts: dict[str, int]) -> list[dict[str, Any]]:
    """So many people of each kind visit on the day."""
    at = datetime(day.year, day.month, day.day, 12)
    return [{"user_id": f"{kind}{i}", "ts": at, "kind": "visit"} for kind, n in counts.items() for i in range(n)]


def shop_of_visitors(path: Path, before: dict[str, int], yesterday: dict[str, int]) -> Engine:
    """Members of two levels and strangers who visit on 06-09 and 06-10 (preheat2); data goes on to the morning after."""
    members = [
        {"user_id": f"{kind}{i}", "member_joined_at": datetime(2025, 1, 1), "member_level": level}
        for kind, level in (("vip", "VIP"), ("plain", "普通"))
        for i in range(600)
    ]
    events = [*visits(date(2026, 6, 9), before), *visits(date(2026, 6, 10), yesterday)]
    events.append({"user_id": "stranger0", "ts": datetime(2026, 6, 11, 8), "kind": "visit"})
    order = {"order_id": "o", "user_id": "x", "kind": "normal", "created_at": datetime(2026, 6, 11, 8)}
    return load(path, {"customers": members, "events": events, "orders": [order]})


def mover(engine: Engine, lang: str = "zh") -> ToolResult:
    template = catalog.campaign_templates()["618"]
    from tools.campaigns import date_campaign

    return brief(context(engine, (date_campaign(template, 2026, "test"),), datetime(2026, 6, 11, 9), lang))


def test_the_biggest_mover_is_named_with_its_level_and_a_task(tmp_path: Path) -> None:
    engine = shop_of_visitors(
        tmp_path / "a.duckdb",
        {"vip": 300, "plain": 400, "stranger": 900},
        {"vip": 160, "plain": 390, "stranger": 920},
    )
    result = mover(engine)
    # 700 → 550 members, 1,600 → 1,470 in all; 140 of the 150 who are missing are VIP.
    assert result.data["mover"] == "变化最大的是会员进店：550 人，比前一天少 21%（全店少 8.1%）；少掉的人里VIP占 93%。"
    assert result.data["answer"].startswith("今天对着它的：")
    named = [t for t in catalog.strategies() if t.title.zh in result.data["answer"]]
    assert any(
        (t.scene, t.metric) == ("会员", "visit_rate") and t.first <= "06-11" <= t.last and t.campaign == "618"
        for t in named
    )
    assert grounding.problems(answered(result, "zh"), "") == []
    english = mover(engine, "en").data["mover"]
    assert english == (
        "Biggest change, members, visitors: 550 people, 21% fewer than the day before (whole shop 8.1% fewer); "
        "VIP is 93% of the people lost."
    )


def test_a_crowd_that_only_went_with_the_shop_is_not_singled_out(tmp_path: Path) -> None:
    engine = shop_of_visitors(
        tmp_path / "b.duckdb",
        {"vip": 300, "plain": 300, "stranger": 900},
        {"vip": 236, "plain": 236, "stranger": 720},
    )
    assert mover(engine).data["mover"].startswith("变化最大的是全店进店：1,192 人，比前一天少 21%。")


@pytest.mark.parametrize(
    ("before", "yesterday"),
    [
        ({"vip": 20, "plain": 10, "stranger": 900}, {"vip": 8, "plain": 4, "stranger": 905}),  # too few people
        ({"vip": 300, "plain": 300, "stranger": 900}, {"vip": 280, "plain": 290, "stranger": 890}),  # too little
        ({"vip": 60, "plain": 60, "stranger": 300}, {"vip": 50, "plain": 52, "stranger": 310}),  # may be chance
    ],
)
def test_small_changes_and_small_crowds_are_not_named(
    tmp_path: Path, before: dict[str, int], yesterday: dict[str, int]
) -> None:
    result = mover(shop_of_visitors(tmp_path / "c.duckdb", before, yesterday))
    assert result.data["mover"] is None
    assert result.data["answer"] is None
    assert "previous" in result.data["days"]


def test_a_rise_is_named_without_a_task(tmp_path: Path) -> None:
    engine = shop_of_visitors(tmp_path / "d.duckdb", {"vip": 100, "stranger": 900}, {"vip": 200, "stranger": 900})
    result = mover(engine)
    assert result.data["mover"].startswith("变化最大的是会员进店：200 人，比前一天多 100%")
    assert result.data["answer"] is None


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


# ---- the picture, the merchant's own names, the check ------------------------------------------------------------


def test_one_chart_of_the_number_that_matters(demo: WarRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(briefing, "_chart", _CHART)
    result = brief(demo.context(datetime(2026, 6, 17, 9), "zh"))
    (chart,) = result.charts
    assert Path(chart.path).is_file() or (demo.shop.root / chart.path).is_file()
    assert grounding.problems(answered(result, "zh"), "") == []


def test_names_with_numerals_of_the_merchants_own_calendar_are_traced(demo: WarRoom) -> None:
    ctx = demo.context(datetime(2026, 6, 10, 9), "zh")
    own = next(c for c in ctx.shop.campaigns if (c.key, c.year) == ("618", 2026))
    name = catalog.Bilingual(zh="周年庆77场", en="Anniversary 77")
    phases = tuple(replace(p, name=catalog.Bilingual(zh=f"{p.name.zh}99", en=f"{p.name.en} 99")) for p in own.phases)
    own = replace(own, key="own", name=name, phases=phases)
    result = brief(replace(ctx, shop=replace(ctx.shop, campaigns=(own,))))
    assert result.data["head"].startswith("周年庆77场 · 第二波预热99第 7 天")
    assert grounding.problems(answered(result, "zh"), "") == []


def test_an_amount_that_ends_in_a_campaigns_name_is_one_number() -> None:
    """¥496,618 is not ¥496, and the 618; a full-width comma parts two numbers."""
    fact = Fact(id="f1", label="x", value=1, unit="CNY", display="¥496,618", query="SELECT 1", as_of="2026-06-17 10:00")
    day = Fact(id="f2", label="x", value="d", unit="text", display="6 月", query="SELECT 'd'", as_of="2026-06-17 10:00")
    what = Interpretation(intent="brief")

    def found(text: str, facts: list[Fact]) -> list[str]:
        return [p.span for p in grounding.problems(Answer(text=text, lang="zh", interpretation=what, facts=facts), "")]

    assert found("618 · 成交额 ¥496,618，6 月", [fact, day]) == []
    assert found("618 · 成交额 ¥496,618", []) == ["496618"]
    assert found("618 · 成交额 ¥618,496", []) == ["618496"]
