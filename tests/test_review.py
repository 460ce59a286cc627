"""Reviews: their numbers against hand-written SQL, what stands beside them, and shops where something is missing."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import writer
from bot.answer import Interpretation
from bot.conversation import Question, answer
from bot.wiring import WarRoom
from tests import oracle
from tests.briefings import context
from tests.shops import dated, load, own
from tools.errors import AskAgain
from tools.facts import Fact, ToolResult
from tools.review import review
from tools.review_touches import ENOUGH, Variant, compared

NOW = datetime(2026, 6, 17, 10)
MOMENTS = [
    datetime(2026, 5, 26, 10),
    datetime(2026, 6, 3, 15),
    NOW,
    datetime(2026, 6, 25, 10),
    datetime(2025, 12, 20, 10),
]
SPAN = "BETWEEN TIMESTAMP '2026-05-01' AND TIMESTAMP '2026-06-17 10:00:00'"
LAST = "BETWEEN TIMESTAMP '2025-05-01' AND TIMESTAMP '2025-06-17 10:00:00'"


def sql(room: WarRoom, statement: str) -> Any:
    return own(room.engine).raw.execute(statement).fetchall()[0]


def facts_of(result: ToolResult, **wanted: object) -> list[Fact]:
    return [f for f in result.facts if all(getattr(f, k) == v for k, v in wanted.items())]


def text(result: ToolResult, lang: str = "zh") -> str:
    return writer.write(result.model_dump(), Interpretation(intent="review"), lang)


def returns(room: WarRoom, fact: Fact) -> None:
    """The fact's query gives its value."""
    got = own(room.engine).raw.execute(fact.query).fetchall()[0][0]
    if isinstance(fact.value, str):
        assert str(got)[: len(fact.value)] == fact.value
    elif fact.value is None:
        assert got is None
    else:
        assert float(got) == pytest.approx(fact.value), fact.label


# ---- the demo shop -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("at", MOMENTS)
def test_every_fact_comes_back_from_its_query(demo: WarRoom, at: datetime, lang: str) -> None:
    result = review(demo.context(at, lang))
    assert len(result.facts) > 40
    for fact in result.facts:
        returns(demo, fact)


@pytest.mark.parametrize(("span", "year"), [(SPAN, "2026"), (LAST, "2025")])
def test_totals_by_hand_written_sql(demo: WarRoom, span: str, year: str) -> None:
    at = NOW if year == "2026" else datetime(2025, 6, 17, 10)
    result = review(demo.context(at, "zh"))
    paid, buyers = sql(demo, f"SELECT sum(amount), count(DISTINCT user_id) FROM orders WHERE paid_at {span}")
    visitors, carters = (
        sql(demo, f"SELECT count(DISTINCT user_id) FROM events WHERE kind = '{kind}' AND ts {span}")[0]
        for kind in ("visit", "cart")
    )
    cart_buyers = sql(
        demo,
        f"SELECT count(DISTINCT o.user_id) FROM orders o JOIN (SELECT user_id, min(ts) AS f FROM events WHERE kind = 'cart' "
        f"AND ts {span} GROUP BY 1) c USING (user_id) WHERE o.paid_at {span} AND o.paid_at >= c.f",
    )[0]
    said = text(result)
    for shown in (
        f"全部成交金额 ¥{paid:,.0f}", f"全部成交买家数 {buyers:,} 人", f"客单价 ¥{float(paid) / buyers:,.2f}",
        f"进店访客数 {visitors:,} 人", f"加购人数 {carters:,} 人", f"进店-加购比率 {carters / visitors * 100:.1f}%",
        f"加购-支付比率 {cart_buyers / carters * 100:.1f}%",
    ):  # fmt: skip
        assert shown in said


def test_target_and_last_campaign_stand_beside_the_money(demo: WarRoom) -> None:
    paid, then = (float(sql(demo, f"SELECT sum(amount) FROM orders WHERE paid_at {s}")[0]) for s in (SPAN, LAST))
    goal = sql(
        demo,
        "SELECT value FROM targets WHERE campaign = '618' AND crowd = 'all' AND metric = 'paid_amount' AND date IS NULL",
    )[0]
    head = review(demo.context(NOW, "zh")).data["head"]
    assert head == (
        f"618 还没结束，复盘到现在：成交 ¥{paid:,.0f}，达成目标的 {paid / goal * 100:.1f}%，"
        f"比上一场同期多 {(paid / then - 1) * 100:.0f}%"
    )


@pytest.mark.parametrize(
    ("phase", "first", "last", "ended"),
    [("蓄水期", "2026-05-01", "2026-05-24", True), ("正式售卖", "2026-06-16", "2026-06-17 10:00:01", False)],
)
def test_a_phase_by_hand_written_sql(demo: WarRoom, phase: str, first: str, last: str, ended: bool) -> None:
    paid, buyers = sql(
        demo,
        "SELECT sum(amount), count(DISTINCT user_id) FROM orders "
        f"WHERE paid_at >= TIMESTAMP '{first}' AND paid_at < TIMESTAMP '{last}'",
    )
    days = ("2026-05-01", "2026-05-23") if ended else ("2026-06-16", "2026-06-20")
    goal = sql(
        demo,
        "SELECT sum(value) FROM targets WHERE campaign = '618' AND crowd = 'all' AND metric = 'paid_amount' "
        f"AND date BETWEEN DATE '{days[0]}' AND DATE '{days[1]}'",
    )[0]
    (line,) = (x for x in review(demo.context(NOW, "zh")).data["phases"] if x.startswith(f"{phase} "))
    assert f"¥{paid:,.0f}，成交 {buyers:,} 人" in line
    assert f"目标 ¥{goal:,.0f}，达成 {float(paid) / goal * 100:.1f}%" in line
    assert ("还没结束" in line) is not ended


def test_presale_counts_deposits(demo: WarRoom) -> None:
    people = sql(
        demo,
        "SELECT count(DISTINCT user_id) FROM orders WHERE kind = 'presale' AND deposit_paid_at >= TIMESTAMP '2026-05-24' "
        "AND deposit_paid_at < TIMESTAMP '2026-05-29'",
    )[0]
    assert any(f"下定 {people:,} 人" in line for line in review(demo.context(NOW, "zh")).data["phases"])


def test_who_bought_by_hand_written_sql(demo: WarRoom) -> None:
    people = {
        "老客": "user_id IN (SELECT user_id FROM orders WHERE paid_at >= TIMESTAMP '2025-05-24' "
        "AND paid_at < TIMESTAMP '2026-05-24')",
        "会员": "user_id IN (SELECT user_id FROM customers WHERE member_joined_at <= TIMESTAMP '2026-06-17 10:00:00')",
    }
    people |= {"新客": f"NOT {people['老客']}", "非会员": f"NOT {people['会员']}"}
    lines = review(demo.context(NOW, "zh")).data["crowds"]
    total = sql(demo, f"SELECT sum(amount) FROM orders WHERE paid_at {SPAN}")[0]
    for name, who in people.items():
        statement = f"SELECT sum(amount), count(DISTINCT user_id) FROM orders WHERE paid_at {SPAN} AND {who}"
        paid, buyers = sql(demo, statement)
        share = float(paid / total) * 100
        assert any(line.startswith(f"{name} ¥{paid:,.0f}，占 {share:.1f}%，{buyers:,} 人") for line in lines), name
    assert "上一场占" not in lines[0], "a year before its data begins nobody can be told to be old"
    assert "上一场占" in lines[2]


def test_messages_and_variants_by_hand_written_sql(demo: WarRoom) -> None:
    converted = (
        "EXISTS (SELECT 1 FROM orders o WHERE o.user_id = t.user_id AND o.paid_at >= t.sent_at AND o.paid_at <= "
        "least(t.sent_at + INTERVAL 72 HOUR, TIMESTAMP '2026-06-17 10:00:00'))"
    )
    result = review(demo.context(NOW, "zh"))
    sent, clicked, delivered, bought = sql(
        demo,
        f"SELECT count(*), count(clicked_at), sum(delivered), count(*) FILTER (WHERE {converted}) "
        f"FROM touches t WHERE channel = 'sms' AND sent_at {SPAN}",
    )
    line = next(x for x in result.data["touches"] if x.startswith("短信 "))
    click, conversion = clicked / delivered * 100, bought / sent * 100
    assert line.startswith(f"短信 发 {sent:,} 条，点击 {click:.1f}%，转化 {conversion:.1f}%")
    two = [
        sql(
            demo,
            f"SELECT count(*), count(*) FILTER (WHERE {converted}) FROM touches t "
            f"WHERE channel = 'sms' AND variant = '{variant}' AND sent_at {SPAN}",
        )
        for variant in "BA"
    ]
    (n, x), (m, y) = two
    pooled = (x + y) / (n + m)
    z = (x / n - y / m) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    line = next(x for x in result.data["variants"] if x.startswith("短信"))
    assert f"B 版 {n:,} 条转化 {x / n * 100:.1f}%，A 版 {m:,} 条 {y / m * 100:.1f}%" in line
    assert ("不是碰巧" in line) is (abs(z) > 1.959964)
    (found,) = (f for f in result.facts if f.label == "短信 A/B 之差的 z 值")
    assert found.value == pytest.approx(z)


@pytest.mark.parametrize(
    ("campaign", "phase", "head", "days"),
    [
        (None, "presale", "618 · 第一波预售复盘：", ("2026-05-24", "2026-05-28")),
        (None, "wave1", "618 · 5 月 24 日–6 月 3 日这一波复盘：", ("2026-05-24", "2026-06-03")),
        ("618:2025", None, "2025 年的 618 复盘：", ("2025-05-01", "2025-06-20")),
        ("双11", "爆发期", "2025 年的双11 · 爆发期复盘：", ("2025-11-11", "2025-11-11")),
    ],
)
def test_another_campaign_or_a_part(
    demo: WarRoom, campaign: str | None, phase: str | None, head: str, days: tuple[str, str]
) -> None:
    result = review(demo.context(NOW, "zh"), campaign, phase)
    paid = sql(
        demo,
        f"SELECT sum(amount) FROM orders WHERE CAST(paid_at AS DATE) BETWEEN DATE '{days[0]}' AND DATE '{days[1]}'",
    )[0]
    assert result.data["head"].startswith(f"{head}成交 ¥{paid:,.0f}")
    assert not result.data["phases"] or phase in (None, "wave1")


@pytest.mark.parametrize(
    ("first", "last", "head"),
    [
        ("2026-05-01", "2026-06-17", "618 还没结束"),
        ("2025-05-01", "2025-06-30", "2025 年的 618 复盘"),
        ("2026-06-04", "2026-06-17", "618 · 6 月 4 日–6 月 20 日这一波还没结束"),
        ("2026-06-16", "2026-06-17", "618 · 正式售卖还没结束"),
        ("2026-06-09", "2026-06-11", "618 · 6 月 9 日–6 月 11 日复盘"),
    ],
)
def test_days_are_the_campaign_the_wave_the_phase_or_themselves(
    demo: WarRoom, first: str, last: str, head: str
) -> None:
    assert review(demo.context(NOW, "zh"), first=first, last=last).data["head"].startswith(head)


def test_what_is_not_known_is_asked_again(demo: WarRoom) -> None:
    for arguments, code in (
        ({"campaign": "919"}, "unknown_campaign"),
        ({"campaign": "618:1999"}, "unknown_campaign"),
        ({"phase": "sale9"}, "unknown_phase"),
        ({"first": "2026-06-03", "last": "2026-06-01"}, "window_upside_down"),
    ):
        with pytest.raises(AskAgain) as e:
            review(demo.context(NOW, "zh"), **arguments)
        assert e.value.code == code
    with pytest.raises(AskAgain) as e:
        review(demo.context(datetime(2025, 4, 10), "zh"))
    assert e.value.code == "no_campaign_begun"


def test_a_campaign_ahead_and_one_without_data_are_said(demo: WarRoom) -> None:
    ahead = review(demo.context(NOW, "zh"), "double11:2026")
    assert ahead.data["head"] == "双11 还没开始（9 月 1 日开始），没有可以复盘的。"
    gone = review(demo.context(datetime(2026, 12, 20), "en"))
    assert gone.data["head"].startswith("There is no data of Double 11 (Sep 1–Nov 11)")
    assert any("ends Jun 17" in note for note in gone.data["notes"])
    assert text(gone, "en")


@pytest.mark.parametrize("at", MOMENTS)
@pytest.mark.parametrize("question", ["618复盘", "第一波复盘一下", "review report of 618", "去年双11复盘"])
def test_answers_are_grounded(demo: WarRoom, at: datetime, question: str) -> None:
    reply = answer(demo, Question(question, at))
    assert reply.interpretation.intent == "review"
    assert reply.degraded is None
    assert len(reply.text.splitlines()) <= 45


# ---- shops where something is missing ----------------------------------------------------------------------------

BEGIN = date(2026, 6, 1)
CAMPAIGN = oracle.Campaign(
    "own", (("preheat1", BEGIN, date(2026, 6, 7)), ("sale1", date(2026, 6, 8), date(2026, 6, 12))), BEGIN
)


def shop(folder: Path, **tables: list[dict[str, Any]]) -> Any:
    """Ten people visit and cart on each day from 1 to 12 June, and three of them pay 100 each."""
    events, orders = [], []
    for n in range(12):
        day = datetime(2026, 6, 1, 9) + timedelta(days=n)
        for who in range(10):
            for kind in ("visit", "cart"):
                events.append({"user_id": f"u{n}-{who}", "ts": day, "kind": kind, "item_id": "i"})
        orders += [
            {
                "order_id": f"o{n}-{who}", "user_id": f"u{n}-{who}", "item_id": "i", "kind": "normal", "created_at": day,
                "paid_at": day + timedelta(hours=1), "amount": 100.0,
            }
            for who in range(3)
        ]  # fmt: skip
    return load(folder / "data.duckdb", {"events": events, "orders": orders, **tables})


def test_without_targets_touches_or_an_earlier_campaign(tmp_path: Path) -> None:
    engine = shop(tmp_path)
    result = review(context(engine, (dated(CAMPAIGN),), datetime(2026, 6, 12, 23, 59, 59)))
    said = text(result)
    assert "**own 复盘：成交 ¥3,600**" in said
    assert "没有更早一场的数据可比" in said
    assert "没有触达记录" in said
    assert "目标" not in said.split("可以接着问")[0]
    assert not result.data["findings"]
    assert result.data["phases"] == [
        "own 6 月 1 日–6 月 7 日：¥2,100，成交 21 人",
        "own 6 月 8 日–6 月 12 日：¥1,500，成交 15 人",
    ]


def test_the_phase_farthest_below_its_target_is_named(tmp_path: Path) -> None:
    targets = [
        {"campaign": "own", "crowd": "all", "metric": "paid_amount", "value": v, "date": BEGIN + timedelta(days=n)}
        for n, v in enumerate([310.0] * 7 + [400.0] * 5)
    ]  # fmt: skip
    engine = shop(tmp_path, targets=targets)
    ended = review(context(engine, (dated(CAMPAIGN),), datetime(2026, 6, 12, 23, 59, 59)))
    assert ended.data["head"] == "own 复盘：成交 ¥3,600，达成目标的 86.3%"
    assert ended.data["findings"] == ["离目标差得最多的阶段是own，差 ¥500，排下一场先看它。"]


def test_messages_that_are_too_few_are_not_compared(tmp_path: Path) -> None:
    def touches(n: int) -> list[dict[str, Any]]:
        return [
            {
                "touch_id": f"t{v}{i}", "user_id": f"u2-{i % 10 if v == 'A' else 9}", "channel": "sms", "variant": v,
                "sent_at": datetime(2026, 6, 3, 8), "delivered": 1, "cost": 0.05,
            }
            for v in "AB"
            for i in range(n)
        ]  # fmt: skip

    at = datetime(2026, 6, 12, 23, 59, 59)
    few = shop(tmp_path, touches=touches(ENOUGH - 1))
    assert review(context(few, (dated(CAMPAIGN),), at)).data["variants"] == []
    (tmp_path / "more").mkdir()
    more = review(context(shop(tmp_path / "more", touches=touches(ENOUGH)), (dated(CAMPAIGN),), at))
    assert more.data["variants"] == [
        "短信：A 版 100 条转化 30.0%，B 版 100 条 0.0%，差 30.0 个百分点，不是碰巧（95% 把握）"
    ]
    assert more.data["findings"] == ["文案上，短信是 A 版更好，接着用。"]


@pytest.mark.parametrize(
    ("a", "b", "z", "told_apart"),
    [((60, 500), (40, 500), 2.1082, True), ((55, 500), (40, 500), 1.6177, False), ((40, 500), (60, 500), 2.1082, True)],
)
def test_the_two_proportion_test(a: tuple[int, int], b: tuple[int, int], z: float, told_apart: bool) -> None:
    pair = compared(*(Variant("sms", name, n, x, "", "") for name, (x, n) in zip("AB", (a, b), strict=True)))
    assert pair is not None
    assert pair.z == pytest.approx(z, abs=1e-4)
    assert pair.told_apart is told_apart
    assert pair.better.rate >= pair.other.rate


def test_variants_that_nobody_or_everybody_followed_are_not_compared() -> None:
    for x in (0, 500):
        assert compared(Variant("sms", "A", 500, x, "", ""), Variant("sms", "B", 500, x, "", "")) is None
