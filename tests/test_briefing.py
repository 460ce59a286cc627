"""The daily briefing: what each phase says, what is not said without data, and that every numeral is traced."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import grounding
from bot.answer import Answer, Interpretation
from bot.wiring import WarRoom
from knowledge import catalog
from tests import tiny_shop
from tests.briefings import PHASES, answered, context, morning, text_of
from tests.shops import dated, load
from tools import briefing
from tools.briefing import brief
from tools.facts import Fact

_CHART = briefing._chart


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture costs more than all the rest; one test draws it."""
    monkeypatch.setattr(briefing, "_chart", lambda *_: [])


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
    assert ("昨天的数还没有" if lang == "zh" else "no data for yesterday yet") in without.data["head"]


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
    assert found("618 · 成交额 ¥496,618", []) == ["¥496,618"]
    assert found("618 · 成交额 ¥618,496", []) == ["¥618,496"]
