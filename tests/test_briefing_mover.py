"""What the daily briefing names as the biggest change, in shops of visitors made for it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import grounding
from knowledge import catalog
from tests.briefings import answered, context
from tests.shops import load
from tools import briefing
from tools.briefing import brief
from tools.engine import Engine
from tools.facts import ToolResult


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture costs more than all the rest."""
    monkeypatch.setattr(briefing, "_chart", lambda *_: [])


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
    assert result.data["answer"].startswith("今天针对它的：")
    named = [t for t in catalog.strategies() if t.title.zh in result.data["answer"]]
    assert any(
        (t.scene, t.metric) == ("会员", "visit_rate")
        and (t.first or "") <= "06-11" <= (t.last or "")
        and t.campaign == "618"
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
