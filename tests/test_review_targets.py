"""Targets: how far, how fast and what would close the gap, against hand-written SQL; and shops where something is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import writer
from bot.answer import Interpretation
from bot.cli import main
from bot.conversation import Question, answer
from bot.wiring import WarRoom
from tests.briefings import context
from tests.shops import dated
from tests.test_review import BEGIN, CAMPAIGN, LAST, MOMENTS, NOW, SPAN, returns, shop, sql
from tools import targets
from tools.errors import AskAgain
from tools.facts import Fact, ToolResult
from tools.target_report import target

NOON = datetime(2026, 6, 10, 12)  # day 3 of 5 of the hand-made shop's sale; 300 were paid at 10:00


def fact(result: ToolResult, label: str) -> Fact:
    return next(f for f in result.facts if f.label == label)


def text(result: ToolResult, lang: str = "zh") -> str:
    return writer.write(result.model_dump(), Interpretation(intent="target"), lang)


# ---- the demo shop -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("at", MOMENTS)
@pytest.mark.parametrize("first", [None, "day", "wave"])
def test_every_fact_comes_back_from_its_query(demo: WarRoom, at: datetime, lang: str, first: str | None) -> None:
    ctx = demo.context(at, lang)
    begins = {"day": at.date(), "wave": ctx.campaign.wave_at(at.date()).first if ctx.campaign else None}.get(
        first or ""
    )
    result = target(ctx, first=begins.isoformat() if begins else None)
    assert result.facts
    for f in result.facts:
        returns(demo, f)


def test_the_campaign_by_hand_written_sql(demo: WarRoom) -> None:
    paid, then = (float(sql(demo, f"SELECT sum(amount) FROM orders WHERE paid_at {s}")[0]) for s in (SPAN, LAST))
    where = "campaign = '618' AND crowd = 'all' AND metric = 'paid_amount'"
    goal = sql(demo, f"SELECT value FROM targets WHERE {where} AND date IS NULL")[0]
    plan = sql(demo, f"SELECT sum(value) FROM targets WHERE {where} AND date < DATE '2026-06-17'")[0]
    before = float(
        sql(demo, "SELECT sum(amount) FROM orders WHERE paid_at >= '2026-05-01' AND paid_at < '2026-06-17'")[0]
    )
    whole = float(
        sql(demo, "SELECT sum(amount) FROM orders WHERE paid_at >= '2025-05-01' AND paid_at < '2025-06-21'")[0]
    )
    today = paid - before
    result = target(demo.context(NOW, "zh"))
    assert result.data["head"] == (
        f"618 全部成交金额做到 ¥{paid:,.0f}，目标 ¥{goal:,.0f}，达成 {paid / goal * 100:.1f}%，还差 ¥{goal - paid:,.0f}"
    )
    gone = (47 * 24 + 10) / (51 * 24)  # 1 May to 16 June, and ten hours
    assert fact(result, "时间过了").value == pytest.approx(gone)
    assert fact(result, "到昨天的每日目标之和").value == plan
    assert f"实际慢 {(1 - before / plan) * 100:.1f}%" in text(result)
    assert fact(result, "上一场同一时刻占它最后的").value == pytest.approx(then / whole)
    assert fact(result, "照现在的节奏到结束").value == pytest.approx(paid * whole / then)
    assert fact(result, "剩下每天要做到").value == pytest.approx((goal - paid + today) / 4)


def test_the_levers_by_hand_written_sql(demo: WarRoom) -> None:
    """What each must be from tomorrow on: last year's same days × this year against last year so far × (1 + short / rest)."""

    def days(first: str, last: str) -> dict[str, float]:
        """Visitors of each day added up, and so on."""
        span = f"BETWEEN DATE '{first}' AND DATE '{last}'"
        found = sql(
            demo,
            f"""
            WITH e AS (SELECT CAST(ts AS DATE) AS d, user_id, min(ts) FILTER (WHERE kind = 'cart') AS cart,
                              count(*) FILTER (WHERE kind = 'visit') AS visits
                       FROM events WHERE CAST(ts AS DATE) {span} GROUP BY 1, 2),
                 o AS (SELECT CAST(paid_at AS DATE) AS d, user_id, paid_at, amount FROM orders
                       WHERE CAST(paid_at AS DATE) {span}),
                 c AS (SELECT o.* FROM o JOIN e ON e.d = o.d AND e.user_id = o.user_id WHERE o.paid_at >= e.cart)
            SELECT (SELECT count(*) FROM e WHERE visits > 0), (SELECT count(*) FROM e WHERE cart IS NOT NULL),
                   (SELECT count(*) FROM (SELECT DISTINCT d, user_id FROM o)),
                   (SELECT sum(amount) FROM o), (SELECT count(*) FROM (SELECT DISTINCT d, user_id FROM c)),
                   (SELECT sum(amount) FROM c)""",
        )
        return dict(zip(("v", "c", "b", "m", "cb", "cm"), map(float, found), strict=True))

    mine, theirs = days("2026-05-01", "2026-06-16"), days("2025-05-01", "2025-06-16")
    rest = days("2025-06-18", "2025-06-20")
    paid, then = (float(sql(demo, f"SELECT sum(amount) FROM orders WHERE paid_at {s}")[0]) for s in (SPAN, LAST))
    whole = float(
        sql(demo, "SELECT sum(amount) FROM orders WHERE paid_at >= '2025-05-01' AND paid_at < '2025-06-21'")[0]
    )
    goal = sql(
        demo,
        "SELECT value FROM targets WHERE campaign = '618' AND crowd = 'all' AND metric = 'paid_amount' AND date IS NULL",
    )[0]
    short = goal - paid * whole / then
    all_money, carted = (rest[k] * mine[k] / theirs[k] for k in ("m", "cm"))
    expected = {
        "进店访客数": (rest["v"] / 3 * (mine["v"] / 47) / (theirs["v"] / 47), all_money),
        "进店-加购比率": (rest["c"] / rest["v"] * (mine["c"] / mine["v"]) / (theirs["c"] / theirs["v"]), carted),
        "加购-支付比率": (rest["cb"] / rest["c"] * (mine["cb"] / mine["c"]) / (theirs["cb"] / theirs["c"]), carted),
        "客单价": (rest["m"] / rest["b"] * (mine["m"] / mine["b"]) / (theirs["m"] / theirs["b"]), all_money),
    }
    result = target(demo.context(NOW, "zh"))
    assert len(result.data["levers"]) == 4
    for name, (usual, moved) in expected.items():
        assert fact(result, f"{name}照现在的节奏").value == pytest.approx(usual), name
        assert fact(result, f"{name}要做到").value == pytest.approx(usual * (1 + short / moved)), name
        line = next(x for x in result.data["levers"] if x.startswith(name))
        seen = fact(result, f"{name}大促里最高的一天").value
        assert isinstance(seen, float)
        assert ("做到过" in line) is (usual * (1 + short / moved) <= seen)
    best = sql(
        demo,
        "SELECT max(n) FROM (SELECT count(DISTINCT user_id) AS n FROM events WHERE kind = 'visit' "
        "AND CAST(ts AS DATE) < DATE '2026-06-17' GROUP BY CAST(ts AS DATE))",
    )[0]
    assert fact(result, "进店访客数大促里最高的一天").value == best


def test_the_wave_a_phase_and_a_day(demo: WarRoom) -> None:
    where = "campaign = '618' AND crowd = 'all' AND metric = 'paid_amount'"
    for arguments, days, begins in (
        ({"first": "2026-06-04"}, ("2026-06-04", "2026-06-20"), "本波（6 月 4 日–6 月 20 日）"),
        ({"on": "2026-06-03", "first": "2026-05-24"}, ("2026-05-24", "2026-06-03"), "5 月 24 日–6 月 3 日这一波"),
        ({"on": "2026-05-28", "first": "2026-05-24"}, ("2026-05-24", "2026-05-28"), "第一波预售"),
        ({"on": "2026-06-16", "first": "2026-06-16"}, ("2026-06-16", "2026-06-16"), "6 月 16 日"),
        ({"on": "2026-06-17", "first": "2026-06-17"}, ("2026-06-17", "2026-06-17"), "今天"),
    ):
        first, last = days
        goal = sql(
            demo, f"SELECT sum(value) FROM targets WHERE {where} AND date BETWEEN DATE '{first}' AND DATE '{last}'"
        )[0]
        paid = sql(
            demo,
            f"SELECT sum(amount) FROM orders WHERE paid_at >= TIMESTAMP '{first}' AND paid_at <= "
            f"least(TIMESTAMP '2026-06-17 10:00:00', TIMESTAMP '{last} 23:59:59')",
        )[0]
        head = target(demo.context(NOW, "zh"), **arguments).data["head"]
        assert head.startswith(f"{begins}全部成交金额做到 ¥{paid:,.0f}，目标 ¥{goal:,.0f}，"), head


def test_a_day_ahead_has_its_target_and_another_crowd_its_own(demo: WarRoom) -> None:
    ahead = target(demo.context(NOW, "zh"), on="2026-06-18", first="2026-06-18")
    assert ahead.data["head"] == "6 月 18 日全部成交金额目标 ¥125,000，还没开始"
    members = target(demo.context(NOW, "en"), "buyers", "member")
    people = sql(
        demo,
        f"SELECT count(DISTINCT user_id) FROM orders WHERE paid_at {SPAN} AND user_id IN (SELECT user_id FROM customers "
        "WHERE member_joined_at <= TIMESTAMP '2026-06-17 10:00:00')",
    )[0]
    assert members.data["head"].startswith(f"618: buyers of members {people:,} people of a target of 3,360 people")
    assert not members.data["levers"]


def test_a_rate_stands_beside_its_target_in_points(tmp_path: Path) -> None:
    goals = [{"campaign": "own:2026", "crowd": "all", "metric": "visit_cart_rate", "value": 0.75, "date": None}]
    ctx = context(shop(tmp_path, targets=goals), (dated(CAMPAIGN),), NOON)
    assert target(ctx, "visit_cart_rate").data["head"] == "own 进店-加购比率 100.0%，目标 75.0%，高 25.0 个百分点"


@pytest.mark.parametrize("at", [*MOMENTS, datetime(2026, 5, 1, 9), datetime(2026, 6, 20, 21), datetime(2026, 7, 20, 9)])
@pytest.mark.parametrize(
    "question",
    ["离目标还差多少", "本波目标多少", "今天目标还差多少", "what is our gap to target", "会员目标还差多少"],
)
def test_answers_are_grounded(demo: WarRoom, at: datetime, question: str) -> None:
    reply = answer(demo, Question(question, at))
    assert reply.interpretation.intent == "target"
    assert reply.degraded is None
    assert len(reply.text.splitlines()) <= 20


# ---- shops where something is missing ----------------------------------------------------------------------------


def test_without_a_target_it_says_how_to_set_one_and_gives_the_actual(tmp_path: Path) -> None:
    engine = shop(tmp_path)
    ctx = context(engine, (dated(CAMPAIGN),), NOON)
    result = target(ctx)
    assert result.data["head"] == "own 全部成交金额到现在 ¥3,000，没有设目标"
    (how,) = result.data["how"]
    assert how.endswith("own:2026,all,paid_amount,目标值,")
    assert not result.data["levers"]
    # The line that it gives, with a number in its place, sets the target.
    line = how.rpartition("：")[2].replace("目标值", "5000")
    (tmp_path / "t.csv").write_text(f"活动,人群,指标,目标值,日期\n{line}\n", encoding="utf-8")
    from tools.ingest import import_file

    (report,) = import_file(engine, "targets", tmp_path / "t.csv", "csv", tmp_path / "rejects", NOON)
    assert report.accepted == 1
    head = target(context(engine, (dated(CAMPAIGN),), NOON)).data["head"]
    assert head == "own 全部成交金额做到 ¥3,000，目标 ¥5,000，达成 60.0%，还差 ¥2,000"


def test_without_a_last_campaign_the_phase_tells_where_it_is_heading(tmp_path: Path) -> None:
    """300 a day: 2,700 by the end of yesterday, the 10th to the 12th ahead, so 3,600 at the end; 400 are short of 4,000."""
    goals = [{"campaign": "own", "crowd": "all", "metric": "paid_amount", "value": 4000.0, "date": None}]
    result = target(context(shop(tmp_path, targets=goals), (dated(CAMPAIGN),), NOON))
    said = text(result)
    assert "照这个阶段每天的平均，到 6 月 12 日约 ¥3,600，是目标的 90.0%" in said
    assert "剩下 3 天（含今天）平均每天要 ¥433" in said
    assert "照这样会差 ¥400" in said
    # 600 come on the two days left, all of them through carts: everything has to be 1 + 400 / 600 of what it is.
    assert fact(result, "加购-支付比率要做到").value == pytest.approx(0.3 * (1 + 400 / 600))
    assert fact(result, "客单价要做到").value is not None
    assert "进店-加购比率" not in "".join(result.data["levers"]), "everybody who visits carts already"


def test_a_target_that_is_reached(tmp_path: Path) -> None:
    goals = [{"campaign": "own", "crowd": "all", "metric": "paid_amount", "value": 2500.0, "date": None}]
    result = target(context(shop(tmp_path, targets=goals), (dated(CAMPAIGN),), NOON))
    assert result.data["head"] == "own 全部成交金额做到 ¥3,000，目标 ¥2,500，达成 120.0%，已超 ¥500"
    assert "平均每天要" not in text(result)
    assert not result.data["levers"]


def test_before_the_campaign_begins_and_after_it(tmp_path: Path) -> None:
    goals = [{"campaign": "own", "crowd": "all", "metric": "paid_amount", "value": 4000.0, "date": None}]
    engine = shop(tmp_path, targets=goals)
    campaigns = (dated(CAMPAIGN),)
    with pytest.raises(AskAgain) as e:
        target(context(engine, campaigns, datetime(2026, 5, 20)))
    assert e.value.code == "no_campaign_begun"
    ahead = target(context(engine, campaigns, datetime(2026, 5, 20)), on="2026-06-02")
    assert ahead.data["head"] == "own 全部成交金额目标 ¥4,000，还没开始"
    after = target(context(engine, campaigns, datetime(2026, 6, 12, 23, 59, 59)))
    assert after.data["head"] == "own 全部成交金额做到 ¥3,600，目标 ¥4,000，达成 90.0%，少 ¥400"


def test_days_upside_down_and_unknown_names(tmp_path: Path) -> None:
    ctx = context(shop(tmp_path), (dated(CAMPAIGN),), NOON)
    for arguments, code in (
        ({"on": "2026-06-02", "first": "2026-06-03"}, "window_upside_down"),
        ({"metric": "happiness"}, "unknown_metric"),
        ({"crowd": "giants"}, "unknown_crowd"),
    ):
        with pytest.raises(AskAgain) as e:
            target(ctx, **arguments)
        assert e.value.code == code


@pytest.mark.parametrize(
    ("rows", "year", "expected"),
    [
        ([("own", 100, None)], 2026, 100),
        ([("own", 100, None)], 2025, None),  # a later instance has begun: it is that one's
        ([("own", 100, None), ("own:2025", 70, None)], 2025, 70),
        ([("own", 100, None), ("own:2026", 90, None)], 2026, 90),  # the year's own comes first
        ([("own", 100, None), ("own", 5, date(2025, 6, 3))], 2025, 100),  # its days say which year is meant
        ([("own", 100, None), ("own", 5, date(2025, 6, 3))], 2026, None),
        ([("own", 2, BEGIN + timedelta(days=n)) for n in range(12)], 2026, 24),  # each day has one
        ([("own", 2, BEGIN + timedelta(days=n)) for n in range(11)], 2026, None),
        ([], 2026, None),
    ],
)
def test_which_target_is_meant(
    tmp_path: Path, rows: list[tuple[str, float, date | None]], year: int, expected: float | None
) -> None:
    goals = [{"campaign": c, "crowd": "all", "metric": "paid_amount", "value": float(v), "date": d} for c, v, d in rows]
    this = dated(CAMPAIGN)
    back = timedelta(days=365)
    phases = tuple(replace(p, first=p.first - back, last=p.last - back) for p in this.phases)
    last = replace(this, year=2025, phases=phases, cohort_date=this.cohort_date - back)
    engine = shop(tmp_path, targets=goals)
    chosen = this if year == 2026 else last
    found = targets.of_campaign(engine, chosen, "all", "paid_amount", (last, this), NOON)
    assert (found.value if found else None) == expected


def test_people_of_days_do_not_add_up(tmp_path: Path) -> None:
    goals: list[dict[str, Any]] = [
        {"campaign": "own", "crowd": "all", "metric": "buyers", "value": 3.0, "date": BEGIN + timedelta(days=n)}
        for n in range(12)
    ]
    engine = shop(tmp_path, targets=goals)
    this = dated(CAMPAIGN)
    assert targets.of_days(engine, this, "all", "buyers", BEGIN, BEGIN + timedelta(days=1)) is None
    one = targets.of_days(engine, this, "all", "buyers", BEGIN, BEGIN)
    assert one is not None
    assert one.value == 3


# ---- commands ----------------------------------------------------------------------------------------------------


def test_commands(demo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--shop", str(demo_root), "target", "--json", "--lang", "zh"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["head"].startswith("618 全部成交金额做到 ¥")
    assert document["facts"]
    assert main(["--shop", str(demo_root), "review", "--campaign", "618:2025", "--lang", "en"]) == 0
    assert capsys.readouterr().out.startswith("Review of 618 of 2025: ¥")
    assert main(["--shop", str(demo_root), "review", "--phase", "sale9", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "unknown_phase"
